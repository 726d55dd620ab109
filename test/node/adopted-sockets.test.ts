/** `adoptStreamPort`, `adoptStreamConnection` and the endpoint, with reactors on real sockets. */
import { closeSync, openSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  AdoptedStreamServerEndpoint,
  AdoptionError,
  AlreadyListened,
  CancelledError,
  CannotListenError,
  ConnectionDone,
  ConnectionLost,
  type Failure,
  type IPv4Address,
  type ListeningPort,
  NotListeningError,
  Reactor,
  UnsupportedError,
} from 'ropewalk/core';
import { failureResultOf, TestReactor } from 'ropewalk/testing';
import { NodePlatform } from '../../src/node/node-platform.ts';
import { RecordingFactory } from '../conformance/support/recording-factory.ts';
import { RecordingProtocol } from '../conformance/support/recording-protocol.ts';
import { receiveAll, settle, until } from './harness.ts';
import { DescriptorSource, isOpen } from './support/descriptor-source.ts';

/** As many as must leave nothing behind. */
const MANY = 100;

describe('Adopted sockets', function () {
  let source: DescriptorSource;
  let reactor: Reactor;
  let errors: Failure[];
  let running: Promise<void> | undefined;

  before(function () {
    // Windows has no descriptors of sockets.
    if (process.platform === 'win32') this.skip();
    source = DescriptorSource.start();
  });

  after(() => source.stop());

  beforeEach(() => {
    errors = [];
    running = undefined;
    reactor = new Reactor(new NodePlatform(), { errorReporter: (failure) => errors.push(failure) });
  });

  afterEach(async () => {
    if (running === undefined) run();
    await reactor[Symbol.asyncDispose]();
    const { connections, ports, queuedCallCount } = reactor.inspect();
    expect([...connections, ...ports, queuedCallCount]).to.deep.equal([0]);
    expect(errors.map(String)).to.deep.equal([]);
  });

  function run(): void {
    running = reactor.run({ installSignalHandlers: false });
  }

  function portOf(port: ListeningPort): number {
    return (port.getHost() as IPv4Address).port;
  }

  function echoing(): RecordingFactory {
    return RecordingFactory.withProtocol({ dataReceived: ({ transport }, data) => void transport.write(data) });
  }

  async function echo(port: number, text: string): Promise<string> {
    const peer = connect(port, '127.0.0.1');
    const received = receiveAll(peer);
    peer.write(text);
    await once(peer, 'data');
    peer.end();
    return (await received).toString();
  }

  describe('adoptStreamPort', () => {
    it('gives a port that listens where the socket does, without run(), and serves its connections', async () => {
      const factory = echoing();
      const port = reactor.adoptStreamPort(await source.listening(), factory);
      expect(factory.calls).to.deep.equal(['doStart', 'startFactory']);
      expect(() => port.getHost()).to.throw(NotListeningError, /descriptor \d+ \(binding\)/);
      expect(await port.whenListening()).to.equal(port);
      expect(String(port.getHost())).to.match(/^IPv4Address\(type='TCP', host='127\.0\.0\.1', port=\d+\)$/);
      run();
      expect(await echo(portOf(port), 'hello')).to.equal('hello');
      await until(() => factory.lostCount === 1);
      expect(String(factory.addresses[0])).to.contain('127.0.0.1');
      expect(factory.protocols[0]!.nested).to.deep.equal([]);
    });

    it('serves what has connected before the reactor runs', async () => {
      const factory = echoing();
      const port = reactor.adoptStreamPort(await source.listening(), factory);
      await port.whenListening();
      const peer = connect(portOf(port), '127.0.0.1');
      await once(peer, 'connect');
      await settle();
      expect(factory.calls).not.to.include('buildProtocol');
      run();
      await until(() => factory.protocols.length === 1);
      peer.destroy();
      await until(() => factory.lostCount === 1);
    });

    it('holds as many as its backlog for a reactor that does not run, and closes the others', async () => {
      const factory = new RecordingFactory();
      const port = reactor.adoptStreamPort(await source.listening(), factory, { backlog: 2 });
      await port.whenListening();
      const peers = Array.from({ length: 3 }, () => connect(portOf(port), '127.0.0.1'));
      await once(peers[2]!.resume(), 'end');
      run();
      await until(() => factory.protocols.length === 2);
      for (const peer of peers) peer.destroy();
      await until(() => factory.lostCount === 2);
    });

    it(`closes the descriptor when it stops, after ${MANY} connections, and cannot listen again`, async () => {
      run();
      const factory = echoing();
      const descriptor = await source.listening();
      const port = reactor.adoptStreamPort(descriptor, factory);
      await port.whenListening();
      const number = portOf(port);
      const replies = await Promise.all(Array.from({ length: MANY }, (_, index) => echo(number, `${index}`)));
      expect(replies).to.deep.equal(Array.from({ length: MANY }, (_, index) => `${index}`));
      await until(() => factory.lostCount === MANY);
      expect(isOpen(descriptor)).to.equal(true);
      await port.stopListening();
      expect(isOpen(descriptor)).to.equal(false);
      expect(factory.calls.slice(-2)).to.deep.equal(['doStop', 'stopFactory']);
      expect(() => port.startListening()).to.throw(CannotListenError, `descriptor ${descriptor}: it was closed`);
      expect(failureResultOf(port.whenListening()).value).to.be.instanceOf(CannotListenError);
    });

    it('is closed with the reactor', async () => {
      run();
      const descriptor = await source.listening();
      await reactor.adoptStreamPort(descriptor, echoing()).whenListening();
      reactor.stop();
      await running;
      expect(isOpen(descriptor)).to.equal(false);
    });

    it('throws for a bad descriptor, says what is wrong, and leaves it as it was', async function () {
      if (process.platform !== 'linux') this.skip();
      const factory = echoing();
      const connected = await source.connected();
      const file = openSync(import.meta.filename, 'r');
      const failures = [connected, file].map((descriptor) => adoptionErrorOf(() => adoptPort(descriptor, factory)));
      expect(failures.map(({ descriptor }) => descriptor)).to.deep.equal([connected, file]);
      expect(failures.map(codeOfCause)).to.deep.equal(['EINVAL', 'ENOTSOCK']);
      expect(failures[0]!.message).to.contain('connected').and.to.contain(`descriptor ${connected}`);
      expect([connected, file].filter(isOpen)).to.deep.equal([connected, file]);
      closeSync(connected);
      closeSync(file);
      const closed = adoptionErrorOf(() => adoptPort(file, factory));
      expect(codeOfCause(closed)).to.equal('EBADF');
      expect(factory.calls.filter((call) => call === 'doStart')).to.have.length(3);
      expect(factory.calls.filter((call) => call === 'doStop')).to.have.length(3);
      expect(reactor.inspect().ports).to.deep.equal([]);
    });

    it('throws for a descriptor that it has', async () => {
      run();
      const descriptor = await source.listening();
      const port = reactor.adoptStreamPort(descriptor, echoing());
      expect(codeOfCause(adoptionErrorOf(() => adoptPort(descriptor, echoing())))).to.equal('EEXIST');
      await port.whenListening();
      expect(codeOfCause(adoptionErrorOf(() => adoptPort(descriptor, echoing())))).to.equal('EEXIST');
      expect(await echo(portOf(port), 'hello')).to.equal('hello');
    });

    it('fails, and says so to those who wait, where the system finds out only then', async () => {
      const descriptor = await source.listening();
      const port = reactor.adoptStreamPort(descriptor, echoing());
      await port.whenListening();
      const other = new Reactor(new NodePlatform(), { errorReporter: (failure) => errors.push(failure) });
      const factory = echoing();
      let failure: unknown;
      try {
        await other.adoptStreamPort(descriptor, factory).whenListening();
      } catch (error) {
        failure = error;
      }
      expect(failure).to.be.instanceOf(CannotListenError);
      expect((failure as CannotListenError).port).to.equal(`descriptor ${descriptor}`);
      expect((failure as CannotListenError).socketError).to.have.property('code', 'EEXIST');
      expect(factory.calls.slice(-2)).to.deep.equal(['doStop', 'stopFactory']);
      expect(isOpen(descriptor)).to.equal(true);
    });

    it('refuses arguments that cannot be right', () => {
      const factory = echoing();
      expect(() => reactor.adoptStreamPort(-1, factory)).to.throw(RangeError, 'descriptor');
      expect(() => reactor.adoptStreamPort(2 ** 31, factory)).to.throw(RangeError, 'descriptor');
      // @ts-expect-error: what a program in JavaScript may do
      expect(() => reactor.adoptStreamPort('3', factory)).to.throw(TypeError, 'descriptor');
      // @ts-expect-error: likewise
      expect(() => reactor.adoptStreamPort(3, {})).to.throw(TypeError, 'factory');
      expect(() => reactor.adoptStreamPort(3, factory, { backlog: 0 })).to.throw(RangeError, 'backlog');
      // @ts-expect-error: likewise
      expect(() => reactor.adoptStreamPort(3, factory, { addressFamily: 2 })).to.throw(TypeError, 'addressFamily');
      expect(factory.calls).to.deep.equal([]);
    });
  });

  describe('adoptStreamConnection', () => {
    it('serves the connection in a later turn, as a port would', async () => {
      run();
      const factory = echoing();
      const descriptor = await source.connected();
      reactor.adoptStreamConnection(descriptor, factory);
      expect(factory.calls).to.deep.equal(['doStart', 'startFactory']);
      await until(() => factory.protocols.length === 1);
      const [protocol] = factory.protocols;
      expect(String(factory.addresses[0])).to.equal(String(protocol!.transport.getPeer()));
      expect(String(protocol!.transport.getPeer())).to.contain("host='127.0.0.1'");
      protocol!.transport.loseConnection();
      await until(() => protocol!.isLost);
      expect(protocol!.lostBy).to.be.instanceOf(ConnectionDone);
      expect(factory.calls.slice(-2)).to.deep.equal(['doStop', 'stopFactory']);
      await until(() => !isOpen(descriptor));
    });

    it('waits for the reactor to run', async () => {
      const factory = RecordingFactory.withProtocol({ connectionMade: ({ transport }) => void transport.write('hi') });
      reactor.adoptStreamConnection(await source.connected(), factory);
      await settle();
      expect(factory.calls).not.to.include('buildProtocol');
      run();
      await until(() => factory.protocols[0]?.text === 'hi'); // the far end sends it back
    });

    it('loses a connection whose peer has closed it, or reset it, by then', async () => {
      run();
      const factory = new RecordingFactory();
      reactor.adoptStreamConnection(await source.connected(), factory);
      await source.farEnd('end');
      await until(() => factory.lostCount === 1);
      expect(factory.protocols[0]!.lostBy).to.be.instanceOf(ConnectionDone);
      const descriptor = await source.connected();
      await source.farEnd('reset');
      reactor.adoptStreamConnection(descriptor, factory);
      await until(() => factory.lostCount === 2);
      expect(factory.protocols[1]!.lostBy).to.be.instanceOf(ConnectionLost);
      expect(factory.protocols[1]!.calls).to.deep.equal(['connectionMade', 'connectionLost']);
    });

    it('loses a UNIX socket whose peer has closed it altogether in order, before and after', async () => {
      run();
      const path = join(tmpdir(), `ropewalk-adopted-${process.pid}`);
      const factory = new RecordingFactory();
      reactor.adoptStreamConnection(await source.connected({ path }), factory);
      await until(() => factory.protocols.length === 1);
      await source.farEnd('close');
      await until(() => factory.lostCount === 1);
      const descriptor = await source.connected({ path });
      await source.farEnd('close');
      reactor.adoptStreamConnection(descriptor, factory);
      await until(() => factory.lostCount === 2);
      for (const { lostBy } of factory.protocols) expect(lostBy).to.be.instanceOf(ConnectionDone);
    });

    it('closes a connection for which there is no protocol', async () => {
      run();
      const descriptors = [await source.connected(), await source.connected()];
      const none = new RecordingFactory({ buildProtocol: () => null });
      const throwing = new RecordingFactory({
        buildProtocol: () => {
          throw new Error('no protocol today');
        },
      });
      reactor.adoptStreamConnection(descriptors[0]!, none);
      reactor.adoptStreamConnection(descriptors[1]!, throwing);
      await until(() => none.calls.includes('stopFactory') && throwing.calls.includes('stopFactory'));
      expect(errors.splice(0).map(({ value }) => value.message)).to.deep.equal(['no protocol today']);
      await source.farEnd('end');
      await until(() => !isOpen(descriptors[1]!));
    });

    it('is lost with the reactor, and closes the descriptor', async () => {
      run();
      const factory = new RecordingFactory();
      const descriptor = await source.connected();
      reactor.adoptStreamConnection(descriptor, factory);
      await until(() => factory.protocols.length === 1);
      reactor.stop();
      await running;
      expect(factory.protocols[0]!.lostBy).to.be.instanceOf(ConnectionLost);
      await source.farEnd('end');
      await until(() => !isOpen(descriptor));
    });

    it('throws for a bad descriptor, and leaves it as it was', async function () {
      if (process.platform !== 'linux') this.skip();
      const factory = new RecordingFactory();
      const descriptor = await source.listening();
      const error = adoptionErrorOf(() => reactor.adoptStreamConnection(descriptor, factory));
      expect(codeOfCause(error)).to.equal('EINVAL');
      expect(isOpen(descriptor)).to.equal(true);
      expect(factory.calls).to.deep.equal(['doStart', 'startFactory', 'doStop', 'stopFactory']);
      closeSync(descriptor);
      expect(codeOfCause(adoptionErrorOf(() => reactor.adoptStreamConnection(descriptor, factory)))).to.equal('EBADF');
      expect(() => reactor.adoptStreamConnection(0.5, factory)).to.throw(RangeError, 'descriptor');
      // @ts-expect-error: what a program in JavaScript may do
      expect(() => reactor.adoptStreamConnection(0, RecordingProtocol)).to.throw(TypeError, 'factory');
    });
  });

  describe('AdoptedStreamServerEndpoint', () => {
    it('listens once [132]', async () => {
      run();
      const descriptor = await source.listening();
      const endpoint = new AdoptedStreamServerEndpoint(reactor, descriptor, { backlog: 5 });
      const port = await endpoint.listen(echoing());
      expect(await echo(portOf(port), 'hello')).to.equal('hello');
      expect(failureResultOf(endpoint.listen(echoing())).value).to.be.instanceOf(AlreadyListened);
      await port.stopListening();
      expect(failureResultOf(endpoint.listen(echoing())).value).to.be.instanceOf(AlreadyListened);
    });

    it('fails for a bad descriptor, and may be tried again', async () => {
      const descriptor = await source.listening();
      const other = reactor.adoptStreamPort(descriptor, echoing());
      const endpoint = new AdoptedStreamServerEndpoint(reactor, descriptor);
      for (let attempt = 0; attempt < 2; attempt += 1) {
        const error = failureResultOf(endpoint.listen(echoing())).value;
        expect(error).to.be.instanceOf(CannotListenError);
        expect(error.cause).to.be.instanceOf(AdoptionError);
      }
      await other.stopListening();
    });

    it('can be cancelled, which closes the descriptor', async () => {
      const descriptor = await source.listening();
      const listening = new AdoptedStreamServerEndpoint(reactor, descriptor).listen(echoing());
      listening.cancel();
      expect(failureResultOf(listening).value).to.be.instanceOf(CancelledError);
      expect(isOpen(descriptor)).to.equal(false);
      await until(() => reactor.inspect().ports.length === 0);
    });

    it('throws what the arguments deserve', () => {
      expect(() => new AdoptedStreamServerEndpoint(reactor, -1).listen(echoing())).to.throw(RangeError, 'descriptor');
      // @ts-expect-error: what a program in JavaScript may do
      expect(() => new AdoptedStreamServerEndpoint({}, 3)).to.throw(TypeError, 'adoptStreamPort');
    });
  });

  it('are not there on a virtual network', () => {
    const virtual = new TestReactor();
    expect(() => virtual.adoptStreamPort(3, echoing())).to.throw(UnsupportedError, 'simulation');
    expect(() => virtual.adoptStreamConnection(3, echoing())).to.throw(UnsupportedError, 'simulation');
    virtual.assertClean();
  });

  function adoptPort(descriptor: number, factory: RecordingFactory): ListeningPort {
    return reactor.adoptStreamPort(descriptor, factory);
  }
});

function adoptionErrorOf(call: () => unknown): AdoptionError {
  try {
    call();
  } catch (error) {
    if (error instanceof AdoptionError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function codeOfCause({ cause }: Error): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined;
}
