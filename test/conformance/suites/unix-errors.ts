/** What can go wrong with UNIX sockets before there is a connection. */
import { expect } from 'chai';
import {
  ConnectError,
  ConnectionRefusedError,
  Factory,
  Protocol,
  type Reactor,
  UNIXAddress,
  UserError,
} from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { pathOf } from '../harness/reactor-calls.ts';
import { listen, nthProtocol, settled, startReactor } from '../support/connections.ts';
import { failureToListen } from '../support/listening.ts';
import { RecordingFactory } from '../support/recording-factory.ts';

/** A path at which there is nothing: beside one at which nobody listens. */
async function missingPath(harness: Harness): Promise<string> {
  const { destination } = await harness.serve({ answer: 'refuse' });
  return `${pathOf(destination)}-missing`;
}

/** The error of an attempt to connect to a path. */
async function failureToConnect(harness: Harness, reactor: Reactor, path: string): Promise<Error> {
  const factory = new RecordingFactory();
  reactor.connectUNIX(path, factory);
  await harness.until(() => factory.reasons.length === 1, 'the attempt has failed');
  return factory.reasons[0]!;
}

export function describeUNIXErrors(harness: () => Harness): void {
  describe('UNIX sockets that cannot be had', () => {
    it('fail an attempt to connect where there is none, with the path named', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const path = await missingPath(h);
      const factory = new RecordingFactory();
      reactor.connectUNIX(path, factory);
      await h.until(() => factory.reasons.length === 1, 'the attempt has failed');
      const [reason] = factory.reasons;
      expect(reason).to.be.instanceOf(ConnectError).with.property('code', 'ERR_CONNECT');
      expect(reason?.message).to.contain(`Cannot connect to ${path}`).and.to.contain('ENOENT');
      expect(reason?.cause).to.have.property('code', 'ENOENT');
      expect(factory.calls).to.deep.equal([
        'doStart',
        'startFactory',
        'startedConnecting',
        'clientConnectionFailed',
        'doStop',
        'stopFactory',
      ]);
    });

    it('end with UserError when the attempt is stopped', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const factory = new RecordingFactory();
      const connector = reactor.connectUNIX(await missingPath(h), factory);
      connector.stopConnecting();
      expect(factory.reasons[0]).to.be.instanceOf(UserError);
      expect(connector.state).to.equal('disconnected');
    });

    it('fail a port whose path is taken', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const path = pathOf((await listen(h, reactor, new RecordingFactory())).destination);
      const error = await failureToListen(h, reactor.listenUNIX(path, new RecordingFactory()));
      expect(error.port).to.equal(path);
      expect(error).to.have.property('message').that.contains(`Cannot listen on ${path}: `).and.contains('EADDRINUSE');
      // The failure of the second has taken nothing from the first.
      const clients = new RecordingFactory();
      reactor.connectUNIX(path, clients);
      await h.until(() => clients.protocols.length === 1, 'the first still answers');
      expect(reactor.inspect().ports).to.deep.equal([`port at ${path}`]);
    });

    it('fail with ENAMETOOLONG where the path is longer than the system has room for', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const path = `/tmp/${'x'.repeat(300)}`;
      const cannotListen = await failureToListen(h, reactor.listenUNIX(path, new RecordingFactory()));
      expect(cannotListen.socketError).to.have.property('code', 'ENAMETOOLONG');
      expect(cannotListen.message).to.match(/ENAMETOOLONG: the path of a UNIX socket may have \d+ bytes here/);
      const cannotConnect = await failureToConnect(h, reactor, path);
      expect(cannotConnect).to.be.instanceOf(ConnectError).with.property('cause').with.property('code', 'ENAMETOOLONG');
      expect(cannotConnect.message).to.contain('and this one has 305');
    });

    it('are refused at the call where the arguments cannot be meant', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const path = await missingPath(h);
      const factory = Factory.forProtocol(Protocol);
      const client = new RecordingFactory();
      expect(() => reactor.listenUNIX('', factory)).to.throw(RangeError, 'path');
      expect(() => reactor.listenUNIX('\0', factory)).to.throw(RangeError, 'path');
      expect(() => reactor.listenUNIX('/a\0b', factory)).to.throw(RangeError, 'NUL');
      expect(() => reactor.listenUNIX(path, factory, { mode: 0o1000 })).to.throw(RangeError, 'mode');
      expect(() => reactor.listenUNIX(path, factory, { backlog: 0 })).to.throw(RangeError, 'backlog');
      expect(() => reactor.listenUNIX('\0name', factory, { lockFile: true })).to.throw(RangeError, 'lockFile');
      expect(() => reactor.connectUNIX('', client)).to.throw(RangeError, 'path');
      expect(() => reactor.connectUNIX(path, client, { timeout: -1 })).to.throw(RangeError, 'timeout');
      // @ts-expect-error: what a program in JavaScript may do
      expect(() => reactor.connectUNIX(path, factory)).to.throw(TypeError, 'ClientFactory');
      // @ts-expect-error: likewise
      expect(() => reactor.listenUNIX(path, Protocol)).to.throw(TypeError, 'forProtocol');
      // @ts-expect-error: likewise
      expect(() => reactor.listenUNIX(path, factory, { wantPID: true })).to.throw(TypeError, 'wantPID');
      // @ts-expect-error: likewise
      expect(() => reactor.listenUNIX(path, factory, { lockFile: 1 })).to.throw(TypeError, 'lockFile');
      // @ts-expect-error: likewise
      expect(() => reactor.listenUNIX(80, factory)).to.throw(TypeError, 'path');
      expect(reactor.inspect().ports).to.deep.equal([]);
    });
  });
}

/** Names of sockets that have no file; Linux alone has such. */
export function describeAbstractNames(harness: () => Harness): void {
  describe('UNIX sockets with an abstract name', () => {
    const name = `ropewalk-${process.pid}`;

    beforeEach(function () {
      if (process.platform === 'linux') return;
      if (this.currentTest !== undefined) this.currentTest.title += ' (skipped: abstract names are of Linux)';
      this.skip();
    });

    it('have it printed behind an @ in all that is said of them', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const refused = await failureToConnect(h, reactor, `\0${name}`);
      expect(refused).to.be.instanceOf(ConnectionRefusedError);
      expect(refused.message).to.equal(`Cannot connect to @${name} (@${name}: connect ECONNREFUSED @${name})`);
      const port = reactor.listenUNIX(`\0${name}`, new RecordingFactory());
      await settled(h, port.whenListening(), 'the port is bound');
      expect(String(port.getHost())).to.equal(`UNIXAddress('@${name}')`);
      const taken = await failureToListen(h, reactor.listenUNIX(`\0${name}`, new RecordingFactory()));
      expect(taken.port).to.equal(`\0${name}`);
      expect(taken.message).to.contain(`Cannot listen on @${name}: listen EADDRINUSE`).and.not.contain('\0');
    });

    it('may have one of 107 bytes, and no longer one', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const longest = `\0${name.padEnd(107, 'x')}`;
      const port = reactor.listenUNIX(longest, new RecordingFactory());
      await settled(h, port.whenListening(), 'the port is bound');
      expect(port.getHost()).to.deep.equal(new UNIXAddress(longest));
      const clients = new RecordingFactory();
      reactor.connectUNIX(longest, clients);
      await nthProtocol(h, clients, 0);
      const tooLong = await failureToListen(h, reactor.listenUNIX(`${longest}x`, new RecordingFactory()));
      expect(tooLong.socketError).to.have.property('code', 'ENAMETOOLONG');
      expect(tooLong.message).to.contain(
        'the abstract name of a UNIX socket may have 107 bytes here, and this one has 108',
      );
      const cannotConnect = await failureToConnect(h, reactor, `${longest}x`);
      expect(cannotConnect.cause).to.have.property('code', 'ENAMETOOLONG');
      expect(cannotConnect.message).not.to.contain('\0');
    });
  });
}
