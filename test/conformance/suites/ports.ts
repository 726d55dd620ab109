/** Listening ports. */
import { expect } from 'chai';
import {
  BindError,
  CannotListenError,
  Factory,
  type ListeningPort,
  type ListenTCPOptions,
  NotListeningError,
  type ProtocolFactory,
  type Reactor,
} from 'ropewalk/core';
import type { Harness, Peer } from '../harness.ts';
import {
  listen,
  nthProtocol,
  portOf,
  serve,
  settled,
  skipUnless,
  startReactor,
  takeErrors,
} from '../support/connections.ts';
import { RecordingFactory } from '../support/recording-factory.ts';

const LOOPBACK = { interface: '127.0.0.1' };

/** The error with which a port does not listen. */
async function failureToListen(harness: Harness, port: ListeningPort): Promise<CannotListenError> {
  try {
    await settled(harness, port.whenListening(), 'the port is bound or not');
  } catch (error) {
    if (error instanceof CannotListenError) return error;
    throw error;
  }
  throw new Error('the port listens');
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

export function describePorts(harness: () => Harness): void {
  describe('Ports', () => {
    describeListening(harness);
    describeFailing(harness);
    describeStopping(harness);
    describeFactories(harness);
    describeAccepting(harness);
    describeArguments(harness);
  });
}

function describeListening(harness: () => Harness): void {
  describe('listenTCP', () => {
    it('binds without run(), and gives port 0 a real number [52]', async () => {
      const reactor = harness().createReactor();
      const port = reactor.listenTCP(0, new RecordingFactory(), LOOPBACK);
      expect(() => port.getHost()).to.throw(NotListeningError, 'binding');
      expect(await settled(harness(), port.whenListening(), 'the port is bound')).to.equal(port);
      expect(portOf(port)).to.be.within(1, 65_535);
      expect(port.getHost()).to.include({ family: 'IPv4', type: 'TCP', host: '127.0.0.1' });
    });

    it('never tells from inside the call', async () => {
      const reactor = startReactor(harness());
      const port = reactor.listenTCP(0, new RecordingFactory(), LOOPBACK);
      let isBound = false;
      port.whenListening().addCallback(() => (isBound = true));
      expect(isBound).to.equal(false);
      await harness().until(() => isBound, 'the port is bound');
    });

    it('gives all who ask a Deferred of their own', async () => {
      const reactor = startReactor(harness());
      const port = reactor.listenTCP(0, new RecordingFactory(), LOOPBACK);
      const [one, other] = [port.whenListening(), port.whenListening()];
      expect(one).not.to.equal(other);
      await settled(harness(), one, 'the port is bound');
      await settled(harness(), other, 'the port is bound');
      await settled(harness(), port.whenListening(), 'the port is bound');
    });

    it('listens on all IPv4 addresses unless told otherwise', async () => {
      const reactor = startReactor(harness());
      const port = reactor.listenTCP(0, new RecordingFactory());
      await settled(harness(), port.whenListening(), 'the port is bound');
      expect(port.getHost()).to.include({ family: 'IPv4', host: '0.0.0.0' });
      const peer = await harness().dial(portOf(port));
      expect(peer.getPeer()).to.include({ host: '127.0.0.1', port: portOf(port) });
    });

    it('listens on all addresses of both families as ::', async function () {
      skipUnless(this, harness(), 'ipv6');
      const reactor = startReactor(harness());
      const factory = new RecordingFactory();
      const port = reactor.listenTCP(0, factory, { interface: '::' });
      await settled(harness(), port.whenListening(), 'the port is bound');
      expect(port.getHost()).to.include({ family: 'IPv6', host: '::' });
      const peer = await harness().dial(portOf(port), { host: '::1' });
      const protocol = await nthProtocol(harness(), factory, 0);
      expect(protocol.transport.getPeer()).to.include({ family: 'IPv6', host: '::1' });
      expect(protocol.transport.getPeer().equals(peer.getHost())).to.equal(true);
    });

    it('gives a client that came to :: by IPv4, and the end it came to, IPv4 addresses', async function () {
      skipUnless(this, harness(), 'ipv6');
      const reactor = startReactor(harness());
      const factory = new RecordingFactory();
      const port = reactor.listenTCP(0, factory, { interface: '::' });
      await settled(harness(), port.whenListening(), 'the port is bound');
      const peer = await harness().dial(portOf(port), { host: '127.0.0.1' });
      const { transport } = await nthProtocol(harness(), factory, 0);
      expect(transport.getPeer()).to.include({ family: 'IPv4', host: '127.0.0.1' });
      expect(transport.getHost()).to.include({ family: 'IPv4', host: '127.0.0.1', port: portOf(port) });
      expect(transport.getPeer().equals(peer.getHost())).to.equal(true);
      expect(transport.getHost().equals(peer.getPeer())).to.equal(true);
      expect(factory.addresses[0]?.equals(peer.getHost())).to.equal(true);
    });
  });
}

function describeFailing(harness: () => Harness): void {
  describe('A port that cannot listen', () => {
    it('fails with CannotListenError, which has the interface, the port and the cause', async () => {
      const reactor = startReactor(harness());
      const { port: taken } = await listen(harness(), reactor, new RecordingFactory());
      const factory = new RecordingFactory();
      const port = reactor.listenTCP(taken, factory, LOOPBACK);
      const error = await failureToListen(harness(), port);
      expect(error).to.be.instanceOf(BindError);
      expect(error.interface).to.equal('127.0.0.1');
      expect(error.port).to.equal(taken);
      expect(error.socketError).to.equal(error.cause);
      expect(codeOf(error.cause)).to.equal('EADDRINUSE');
      expect(error.message).to.contain(`127.0.0.1, port ${taken}`);
      expect(factory.calls).to.deep.equal(['doStart', 'startFactory', 'doStop', 'stopFactory']);
      expect(() => port.getHost()).to.throw(NotListeningError);
    });

    it('says so again to those who ask later', async () => {
      const reactor = startReactor(harness());
      const { port: taken } = await listen(harness(), reactor, new RecordingFactory());
      const port = reactor.listenTCP(taken, new RecordingFactory());
      const error = await failureToListen(harness(), port);
      expect(error.interface).to.equal('0.0.0.0');
      expect(await failureToListen(harness(), port)).to.equal(error);
    });

    it('is reported if nobody has asked', async () => {
      const reactor = harness().createReactor();
      const { port: taken } = await listen(harness(), reactor, new RecordingFactory());
      const factory = new RecordingFactory();
      reactor.listenTCP(taken, factory, LOOPBACK);
      await harness().until(() => harness().errors.length > 0, 'the error has been reported');
      expect(factory.calls).to.deep.equal(['doStart', 'startFactory', 'doStop', 'stopFactory']);
      expect(takeErrors(harness())).to.have.length(1).and.property('0').instanceOf(CannotListenError);
    });

    it('may be told to listen again when the address is free', async () => {
      const reactor = startReactor(harness());
      const { port: taken, listeningPort } = await listen(harness(), reactor, new RecordingFactory());
      const port = reactor.listenTCP(taken, new RecordingFactory(), LOOPBACK);
      await failureToListen(harness(), port);
      await settled(harness(), port.stopListening(), 'a port that does not listen is closed at once');
      await settled(harness(), listeningPort.stopListening(), 'the first port is closed');
      port.startListening();
      await settled(harness(), port.whenListening(), 'the port is bound');
      expect(portOf(port)).to.equal(taken);
    });
  });
}

function describeStopping(harness: () => Harness): void {
  describe('stopListening', () => {
    it('fires in a later turn, without waiting for connections, which live on [50]', async () => {
      const { reactor, factory, listeningPort, port, protocol, peer } = await serve(harness(), {
        dataReceived: (self, data) => void self.transport.write(data),
      });
      let isClosed = false;
      listeningPort.stopListening().addCallback(() => (isClosed = true));
      expect(isClosed).to.equal(false);
      expect(() => listeningPort.getHost()).to.throw(NotListeningError, 'closing');
      await harness().until(() => isClosed, 'the port is closed');
      expect(factory.calls.slice(-2)).to.deep.equal(['doStop', 'stopFactory']);
      expect(reactor.inspect().ports).to.deep.equal([]);
      peer.send('still there?');
      await harness().until(() => peer.text() === 'still there?', 'the connection answers');
      expect(protocol.isLost).to.equal(false);
      let refusal: unknown;
      await harness()
        .dial(port)
        .catch((error: unknown) => (refusal = error));
      expect(refusal).to.be.instanceOf(Error);
    });

    it('may be called again, while the port closes and after it', async () => {
      const reactor = startReactor(harness());
      const { listeningPort } = await listen(harness(), reactor, new RecordingFactory());
      const [one, other] = [listeningPort.stopListening(), listeningPort.stopListening()];
      await settled(harness(), one, 'the port is closed');
      await settled(harness(), other, 'the port is closed');
      await settled(harness(), listeningPort.stopListening(), 'the port is closed');
      await listeningPort[Symbol.asyncDispose]();
    });

    it('works without run()', async () => {
      const reactor = harness().createReactor();
      const factory = new RecordingFactory();
      const { listeningPort } = await listen(harness(), reactor, factory);
      await settled(harness(), listeningPort.stopListening(), 'the port is closed');
      expect(factory.numPorts).to.equal(0);
    });

    it('while the port binds fails those who wait for it', async () => {
      for (const reactor of [harness().createReactor(), startReactor(harness())]) {
        const port = reactor.listenTCP(0, new RecordingFactory(), LOOPBACK);
        const failed = failureToListen(harness(), port);
        await settled(harness(), port.stopListening(), 'the port is closed');
        expect((await failed).message).to.contain('stopListening');
        expect(reactor.inspect().ports).to.deep.equal([]);
      }
    });

    it('fails whenListening from then on, until startListening binds again', async () => {
      const reactor = startReactor(harness());
      const factory = new RecordingFactory();
      const { listeningPort, port } = await listen(harness(), reactor, factory);
      const closed = listeningPort.stopListening();
      await failureToListen(harness(), listeningPort);
      expect(() => listeningPort.startListening()).to.throw(CannotListenError, 'closing');
      await settled(harness(), closed, 'the port is closed');
      await failureToListen(harness(), listeningPort);

      listeningPort.startListening();
      expect(() => listeningPort.startListening()).to.throw(CannotListenError, 'binding');
      await settled(harness(), listeningPort.whenListening(), 'the port is bound again');
      expect(() => listeningPort.startListening()).to.throw(CannotListenError, 'listening');
      // It asks for what it was made with, which was any port.
      expect(port).to.be.greaterThan(0);
      await harness().dial(portOf(listeningPort));
      await nthProtocol(harness(), factory, 0);
      expect(factory.calls.filter((call) => call === 'startFactory')).to.have.length(2);
    });

    it('frees the address when it has fired', async () => {
      const reactor = startReactor(harness());
      const { listeningPort, port } = await listen(harness(), reactor, new RecordingFactory());
      await settled(harness(), listeningPort.stopListening(), 'the port is closed');
      const again = reactor.listenTCP(port, new RecordingFactory(), LOOPBACK);
      await settled(harness(), again.whenListening(), 'the port is bound');
    });
  });
}

function describeFactories(harness: () => Harness): void {
  describe('A factory', () => {
    it('is started by its first port, inside listenTCP, and stopped by its last [51]', async () => {
      const reactor = startReactor(harness());
      const factory = new RecordingFactory();
      const one = reactor.listenTCP(0, factory, LOOPBACK);
      expect(factory.calls).to.deep.equal(['doStart', 'startFactory']);
      const other = reactor.listenTCP(0, factory, LOOPBACK);
      expect(factory.calls).to.deep.equal(['doStart', 'startFactory', 'doStart']);
      expect(factory.numPorts).to.equal(2);
      await settled(harness(), one.stopListening(), 'one port is closed');
      expect(factory.calls.slice(3)).to.deep.equal(['doStop']);
      await settled(harness(), other.stopListening(), 'the other port is closed');
      expect(factory.calls.slice(3)).to.deep.equal(['doStop', 'doStop', 'stopFactory']);
      factory.doStop();
      expect(factory.numPorts).to.equal(0);
      expect(factory.calls.filter((call) => call === 'stopFactory')).to.have.length(1);
    });

    it('is asked for a protocol with the address of the peer', async () => {
      const { factory, peer, protocol } = await serve(harness());
      expect(factory.addresses).to.have.length(1);
      expect(factory.addresses[0]?.equals(peer.getHost())).to.equal(true);
      expect(protocol.transport.getPeer().equals(peer.getHost())).to.equal(true);
      expect(protocol.transport.getHost().equals(peer.getPeer())).to.equal(true);
    });

    it('may serve several ports', async () => {
      const reactor = startReactor(harness());
      const factory = new RecordingFactory();
      const ports = [await listen(harness(), reactor, factory), await listen(harness(), reactor, factory)];
      for (const [index, { port }] of ports.entries()) {
        await harness().dial(port);
        const protocol = await nthProtocol(harness(), factory, index);
        expect(portOf({ getHost: () => protocol.transport.getHost() } as ListeningPort)).to.equal(port);
      }
    });
  });
}

function describeAccepting(harness: () => Harness): void {
  describe('Connections', () => {
    it('that come before run() are held, unread, and served in order', async () => {
      const reactor = harness().createReactor();
      const factory = new RecordingFactory();
      const { port } = await listen(harness(), reactor, factory);
      const peers: Peer[] = [];
      for (const name of ['first', 'second', 'third']) {
        const peer = await harness().dial(port);
        peer.send(name);
        peers.push(peer);
      }
      await harness().advance(0.005);
      expect(factory.calls).to.deep.equal(['doStart', 'startFactory']);
      void reactor.run({ installSignalHandlers: false });
      await harness().until(() => factory.protocols.length === 3, 'all are served');
      for (const [index, peer] of peers.entries()) {
        expect(factory.addresses[index]?.equals(peer.getHost())).to.equal(true);
      }
      await harness().until(() => factory.protocols.every((protocol) => protocol.text !== ''), 'all have been read');
      expect(factory.protocols.map((protocol) => protocol.text)).to.deep.equal(['first', 'second', 'third']);
    });

    it('that come before run() are closed beyond the backlog', async () => {
      const reactor = harness().createReactor();
      const factory = new RecordingFactory();
      const listeningPort = reactor.listenTCP(0, factory, { ...LOOPBACK, backlog: 2 });
      await settled(harness(), listeningPort.whenListening(), 'the port is bound');
      const peers: Peer[] = [];
      for (let count = 0; count < 4; count += 1) {
        peers.push(await harness().dial(portOf(listeningPort)));
        // Accepted one by one, so that it is the reactor's limit that counts and not the system's queue.
        await harness().advance(0.002);
      }
      await harness().until(() => peers.slice(2).every((peer) => peer.closed), 'the last two are closed');
      expect(peers.slice(0, 2).map((peer) => peer.closed)).to.deep.equal([false, false]);
      void reactor.run({ installSignalHandlers: false });
      await nthProtocol(harness(), factory, 1);
      expect(factory.protocols).to.have.length(2);
      // Their places are free again, for those who come while the reactor is not running once more.
      reactor.crash();
      await harness().dial(portOf(listeningPort));
      await harness().advance(0.002);
      expect(factory.protocols).to.have.length(2);
      void reactor.run({ installSignalHandlers: false });
      await nthProtocol(harness(), factory, 2);
    });

    it('may come by the hundred at once [59]', async () => {
      const reactor = startReactor(harness());
      const factory = new RecordingFactory();
      // The default backlog is 50; a system drops what asks for more before the reactor has had a turn.
      const listeningPort = reactor.listenTCP(0, factory, { ...LOOPBACK, backlog: 200 });
      await settled(harness(), listeningPort.whenListening(), 'the port is bound');
      const port = portOf(listeningPort);
      const peers = await Promise.all(Array.from({ length: 120 }, () => harness().dial(port)));
      await harness().until(() => factory.protocols.length === peers.length, 'all have been served');
      for (const peer of peers) peer.end();
      await harness().until(() => factory.lostCount === peers.length, 'all have been lost');
      expect(reactor.inspect().connections).to.deep.equal([]);
    });
  });
}

function describeArguments(harness: () => Harness): void {
  describe('The arguments of listenTCP', () => {
    it('are checked at the call, by name', () => {
      const reactor: Reactor = harness().createReactor();
      const factory = new RecordingFactory();
      for (const port of [70_000, 65_536, -1, 1.5, NaN]) {
        expect(() => reactor.listenTCP(port, factory), String(port)).to.throw(RangeError, 'port');
      }
      for (const port of ['80', undefined, null] as unknown as number[]) {
        expect(() => reactor.listenTCP(port, factory), String(port)).to.throw(TypeError, 'port');
      }
      for (const backlog of [0, -1, 2.5]) {
        expect(() => reactor.listenTCP(0, factory, { backlog })).to.throw(RangeError, 'backlog');
      }
      const interfaceName = 127 as unknown as string;
      expect(() => reactor.listenTCP(0, factory, { interface: interfaceName })).to.throw(TypeError, 'interface');
      expect(() => reactor.listenTCP(0, factory, { interface: 'eth0' })).to.throw(RangeError, "got 'eth0'");
      // As Node spells it, and as a careless port of Node code has it: both would bind all interfaces without a word.
      const misspelt = { host: '127.0.0.1' } as unknown as ListenTCPOptions;
      expect(() => reactor.listenTCP(0, factory, misspelt)).to.throw(TypeError, 'no host; there is backlog, interface');
      const text = '127.0.0.1' as unknown as ListenTCPOptions;
      expect(() => reactor.listenTCP(0, factory, text)).to.throw(TypeError, 'options must be an object');
      expect(factory.calls).to.deep.equal([]);
      expect(reactor.inspect().ports).to.deep.equal([]);
    });

    it('may name the loopback interface', async () => {
      const reactor = harness().createReactor();
      const port = reactor.listenTCP(0, new RecordingFactory(), { interface: 'localhost' });
      let isBound = false;
      port.whenListening().addCallback(() => {
        isBound = true;
      });
      await harness().until(() => isBound, 'the port is bound');
      expect(port.getHost()).to.have.property('host', '127.0.0.1');
    });

    it('need a factory that builds protocols', () => {
      const reactor = harness().createReactor();
      for (const factory of [undefined, null, 'factory', Factory] as unknown as ProtocolFactory[]) {
        expect(() => reactor.listenTCP(0, factory)).to.throw(TypeError, 'factory');
      }
      const incomplete = { doStart: () => {}, doStop: () => {} } as unknown as ProtocolFactory;
      expect(() => reactor.listenTCP(0, incomplete)).to.throw(TypeError, 'buildProtocol');
    });
  });
}
