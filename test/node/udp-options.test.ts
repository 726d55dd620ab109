/** What a port for datagrams sets is set on the socket: the system is asked, not the getters. */
import { networkInterfaces } from 'node:os';
import { expect } from 'chai';
import { createReactor, DatagramProtocol, type Reactor, type UDPPort, UnsupportedError } from 'ropewalk';
import { interfaceAddress } from '../../src/node/interface-address.ts';
import { DescriptorSource } from './support/descriptor-source.ts';
import { readUDPOptions, type UDPOptions, whyOptionsCannotBeRead } from './support/udp-options.ts';

/** What sockets begin with, on Linux. */
const DEFAULTS = { hops: 1, loopback: 1, broadcast: 0 };

describe('the options of a socket for datagrams', function () {
  this.timeout(20_000); // the other program takes a while to start, on a machine that is busy
  this.slow(5_000);
  let reactor: Reactor;
  let ports: UDPPort[];

  before(function () {
    const reason = whyOptionsCannotBeRead();
    if (reason === undefined) return;
    this.test?.parent?.eachTest((test) => (test.title += ` (skipped: ${reason})`));
    this.skip();
  });

  beforeEach(() => {
    reactor = createReactor();
    ports = [];
  });

  afterEach(async () => {
    for (const port of ports) await port.stopListening();
  });

  async function bound(port: UDPPort): Promise<UDPPort> {
    ports.push(port);
    await port.whenListening();
    return port;
  }

  const systemOf = (port: UDPPort): UDPOptions => readUDPOptions(port.getHost().port);

  const open = async (host: string): Promise<UDPPort> =>
    bound(reactor.listenMulticast(0, new DatagramProtocol(), { interface: host }));

  for (const [family, host] of [
    ['IPv4', '127.0.0.1'],
    ['IPv6', '::1'],
    ['IPv6, with IPv4', '::'],
  ] as const) {
    it(`are what was set: hops, loopback and broadcast of ${family}`, async () => {
      const port = await open(host);
      expect(systemOf(port)).to.include(DEFAULTS);
      expect([port.getTTL(), port.getLoopbackMode(), port.getBroadcastAllowed()]).to.deep.equal([1, true, false]);
      port.setTTL(255);
      port.setLoopbackMode(false);
      port.setBroadcastAllowed(true);
      expect(systemOf(port)).to.include({ hops: 255, loopback: 0, broadcast: 1 });
      expect([port.getTTL(), port.getLoopbackMode(), port.getBroadcastAllowed()]).to.deep.equal([255, false, true]);
      port.setTTL(0);
      port.setLoopbackMode(true);
      port.setBroadcastAllowed(false);
      expect(systemOf(port)).to.include({ hops: 0, loopback: 1, broadcast: 0 });
    });
  }

  it('are set before the socket is bound, too', async () => {
    const port = reactor.listenUDP(0, new DatagramProtocol(), { interface: '127.0.0.1' });
    port.setTTL(7);
    port.setLoopbackMode(false);
    await bound(port);
    expect(systemOf(port)).to.include({ hops: 7, loopback: 0 });
  });

  it('have the interface that groups of IPv4 are sent from', async () => {
    const port = await open('0.0.0.0');
    expect(systemOf(port).interface).to.equal('0.0.0.0');
    await port.setOutgoingInterface('127.0.0.1');
    expect(systemOf(port).interface).to.equal('127.0.0.1');
    await port.setOutgoingInterface('');
    expect(systemOf(port).interface).to.equal('0.0.0.0');
  });

  it('have the interface that groups of IPv6 are sent from', async function () {
    const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    const local = all.find(({ address, family }) => family === 'IPv6' && interfaceAddress(address).includes('%'));
    const [, scope] = local === undefined ? [] : interfaceAddress(local.address).split('%');
    if (local === undefined) {
      this.test!.title += ' (skipped: no interface has an address of IPv6)';
      this.skip();
    }
    const port = await open('::');
    expect(systemOf(port).interface).to.equal(0);
    await port.setOutgoingInterface(local.address);
    expect(systemOf(port).interface).to.be.greaterThan(0);
    expect(port.getOutgoingInterface()).to.equal(local.address);
    expect(scope).to.not.equal(undefined);
  });

  describe('that was adopted', () => {
    let source: DescriptorSource;

    before(() => {
      source = DescriptorSource.start();
    });

    after(() => source.stop());

    it('are what was set, of IPv4', async () => {
      const port = await bound(reactor.adoptDatagramPort(await source.datagrams(), new DatagramProtocol()));
      port.setTTL(9);
      port.setLoopbackMode(false);
      expect(systemOf(port)).to.include({ hops: 9, loopback: 0 });
      expect([port.getTTL(), port.getLoopbackMode()]).to.deep.equal([9, false]);
    });

    it('cannot be set, of IPv6, and are told as they were, before the port is bound and after', async () => {
      const errors: unknown[] = [];
      reactor = createReactor({ logger: silentLogger((error) => errors.push(error)) });
      const port = reactor.adoptDatagramPort(await source.datagrams('::1'), new DatagramProtocol());
      port.setTTL(8);
      await bound(port);
      expect(errors).to.have.length(1);
      expect(() => port.setTTL(9)).to.throw(UnsupportedError, 'setMulticastTTL');
      expect(() => port.setLoopbackMode(false)).to.throw(UnsupportedError, 'setMulticastLoopback');
      expect(systemOf(port)).to.include(DEFAULTS);
      expect([port.getTTL(), port.getLoopbackMode()]).to.deep.equal([1, true]);
      port.setBroadcastAllowed(true);
      expect(systemOf(port).broadcast).to.equal(1);
    });
  });
});

function silentLogger(error: (fields: object, message: string) => void) {
  const ignore = (): void => undefined;
  return { debug: ignore, info: ignore, warn: ignore, error };
}
