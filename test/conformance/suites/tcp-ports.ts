/** Listening ports of TCP: interfaces, families and numbers. What all ports have in common is in `ports.ts`. */
import { expect } from 'chai';
import {
  Factory,
  IPv4Address,
  IPv6Address,
  type ListeningPort,
  type ListenTCPOptions,
  NotListeningError,
  type ProtocolFactory,
  type Reactor,
} from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { hostAndPort } from '../harness/reactor-calls.ts';
import { listen, nthProtocol, settled, skipUnless, startReactor } from '../support/connections.ts';
import { failureToListen } from '../support/listening.ts';
import { RecordingFactory } from '../support/recording-factory.ts';

const LOOPBACK = { interface: '127.0.0.1' };

function portOf(listeningPort: ListeningPort): number {
  return hostAndPort(listeningPort.getHost()).port;
}

export function describeTCPPorts(harness: () => Harness): void {
  describe('TCP ports', () => {
    describeListening(harness);
    describeFailing(harness);
    describeStartingAgain(harness);
    describeArguments(harness);
  });
}

function describeListening(harness: () => Harness): void {
  describe('listenTCP', () => {
    it('gives port 0 a real number, without run() too [52]', async () => {
      const reactor = harness().createReactor();
      const port = reactor.listenTCP(0, new RecordingFactory(), LOOPBACK);
      expect(() => port.getHost()).to.throw(NotListeningError, 'binding');
      expect(await settled(harness(), port.whenListening(), 'the port is bound')).to.equal(port);
      expect(portOf(port)).to.be.within(1, 65_535);
      expect(port.getHost()).to.include({ family: 'IPv4', type: 'TCP', host: '127.0.0.1' });
    });

    it('listens on all IPv4 addresses unless told otherwise', async () => {
      const reactor = startReactor(harness());
      const port = reactor.listenTCP(0, new RecordingFactory());
      await settled(harness(), port.whenListening(), 'the port is bound');
      expect(port.getHost()).to.include({ family: 'IPv4', host: '0.0.0.0' });
      const peer = await harness().dial(new IPv4Address('TCP', '127.0.0.1', portOf(port)));
      expect(peer.getPeer()).to.include({ host: '127.0.0.1', port: portOf(port) });
    });

    it('listens on all addresses of both families as ::', async function () {
      skipUnless(this, harness(), 'ipv6');
      const reactor = startReactor(harness());
      const factory = new RecordingFactory();
      const port = reactor.listenTCP(0, factory, { interface: '::' });
      await settled(harness(), port.whenListening(), 'the port is bound');
      expect(port.getHost()).to.include({ family: 'IPv6', host: '::' });
      const peer = await harness().dial(new IPv6Address('TCP', '::1', portOf(port)));
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
      const peer = await harness().dial(new IPv4Address('TCP', '127.0.0.1', portOf(port)));
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
  describe('one that cannot listen', () => {
    it('names the interface and the port', async () => {
      const reactor = startReactor(harness());
      const { listeningPort } = await listen(harness(), reactor, new RecordingFactory());
      const taken = portOf(listeningPort);
      const error = await failureToListen(harness(), reactor.listenTCP(taken, new RecordingFactory(), LOOPBACK));
      expect(error.interface).to.equal('127.0.0.1');
      expect(error.port).to.equal(taken);
      expect(error.message).to.contain(`127.0.0.1, port ${taken}`);
      const onAll = await failureToListen(harness(), reactor.listenTCP(taken, new RecordingFactory()));
      expect(onAll.interface).to.equal('0.0.0.0');
    });
  });
}

function describeStartingAgain(harness: () => Harness): void {
  it('asks for any port again when it was made for any', async () => {
    const reactor = startReactor(harness());
    const port = reactor.listenTCP(0, new RecordingFactory(), LOOPBACK);
    await settled(harness(), port.whenListening(), 'the port is bound');
    await settled(harness(), port.stopListening(), 'the port is closed');
    port.startListening();
    await settled(harness(), port.whenListening(), 'the port is bound again');
    expect(portOf(port)).to.be.within(1, 65_535);
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
