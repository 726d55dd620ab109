/** What can go wrong with UNIX sockets before there is a connection. */
import { expect } from 'chai';
import { ConnectError, Factory, Protocol, UserError } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { pathOf } from '../harness/reactor-calls.ts';
import { listen, startReactor } from '../support/connections.ts';
import { failureToListen } from '../support/listening.ts';
import { RecordingFactory } from '../support/recording-factory.ts';

/** A path at which there is nothing: beside one at which nobody listens. */
async function missingPath(harness: Harness): Promise<string> {
  const { destination } = await harness.serve({ answer: 'refuse' });
  return `${pathOf(destination)}-missing`;
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
