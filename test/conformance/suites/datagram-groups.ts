/** Multicast groups. */
import { expect } from 'chai';
import { DNSLookupError, InvalidAddressError, MulticastJoinError, type UDPPort } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { settled, skipUnless, startReactor } from '../support/connections.ts';
import { datagramRoundTrip, type OpenedPort, openPort } from '../support/datagrams.ts';
import { RecordingDatagramProtocol } from '../support/recording-datagram-protocol.ts';
import { StaticResolver } from '../support/static-resolver.ts';

const GROUP = '239.255.71.7';
const OTHER_GROUP = '239.255.71.8';
const IPV6_GROUP = 'ff02::7171';

/** A port that may be shared, in a group. */
async function joinedPort(
  harness: Harness,
  group: string,
  interfaceHost: string,
  options: Parameters<typeof openPort>[2] = {},
): Promise<OpenedPort> {
  const anywhere = group.includes(':') ? '::' : '';
  const opened = await openPort(harness, {}, { interface: anywhere, listenMultiple: true, ...options });
  await settled(harness, opened.udpPort.joinGroup(group, interfaceHost), 'the group is joined');
  return opened;
}

/** A port that sends to groups on that interface. */
async function sendingPort(harness: Harness, interfaceHost: string): Promise<OpenedPort> {
  const anywhere = interfaceHost.includes(':') ? '::' : '';
  const opened = await openPort(harness, {}, { interface: anywhere });
  await settled(harness, opened.udpPort.setOutgoingInterface(interfaceHost), 'the interface is set');
  return opened;
}

async function errorOf(harness: Harness, outcome: ReturnType<UDPPort['joinGroup']>): Promise<Error> {
  try {
    await settled(harness, outcome, 'it has ended');
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('there was no error');
}

export function describeGroups(harness: () => Harness): void {
  describe('A multicast group', () => {
    describeMembers(harness);
    describeNames(harness);
  });
  describe('The options for multicast', () => describeOptions(harness));
}

function describeMembers(harness: () => Harness): void {
  it('has members that share a port and all get what is sent to it, until they leave [79]', async function () {
    skipUnless(this, harness(), 'multicast');
    const at = harness().multicastInterfaces.IPv4 ?? '';
    const one = await joinedPort(harness(), GROUP, at);
    const other = await joinedPort(harness(), GROUP, at, { reactor: one.reactor, port: one.port });
    const sender = await sendingPort(harness(), at);
    const address = { host: GROUP, port: one.port };
    sender.udpPort.write('to both', address);
    await harness().until(() => one.protocol.received.length + other.protocol.received.length === 2, 'both have it');

    await settled(harness(), one.udpPort.leaveGroup(GROUP, at), 'one has left');
    await settled(harness(), other.udpPort.leaveGroup(GROUP, at), 'the other has left');
    sender.udpPort.write('to nobody', address);
    await datagramRoundTrip(harness(), one.reactor);
    await settled(harness(), other.udpPort.joinGroup(GROUP, at), 'the other is back');
    sender.udpPort.write('to those who are back', address);
    await harness().until(() => other.protocol.received.length === 2, 'it has arrived');
    expect(one.protocol.texts[0]).to.equal('to both');
    expect(other.protocol.texts).to.deep.equal(['to both', 'to those who are back']);
    expect(other.protocol.received[0]?.address.port).to.equal(sender.port);
  });

  it('is left by stopping', async function () {
    skipUnless(this, harness(), 'multicast');
    const at = harness().multicastInterfaces.IPv4 ?? '';
    const { udpPort, port, reactor, protocol } = await joinedPort(harness(), GROUP, at);
    await settled(harness(), udpPort.stopListening(), 'the port is closed');
    const other = await openPort(harness(), {}, { reactor, port, interface: '', listenMultiple: true });
    const sender = await sendingPort(harness(), at);
    sender.udpPort.write('to nobody', { host: GROUP, port });
    await datagramRoundTrip(harness(), reactor);
    expect(other.protocol.received).to.deep.equal([]);
    expect(protocol.received).to.deep.equal([]);
  });

  it('of IPv6 is joined in the same way', async function () {
    skipUnless(this, harness(), 'ipv6-multicast');
    const at = harness().multicastInterfaces.IPv6 ?? '';
    const { protocol, port } = await joinedPort(harness(), IPV6_GROUP, at);
    const sender = await sendingPort(harness(), at);
    expect(sender.udpPort.getOutgoingInterface()).to.equal(at);
    sender.udpPort.write('six', { host: IPV6_GROUP, port });
    await harness().until(() => protocol.received.length === 1, 'it has arrived');
    expect(protocol.received[0]?.address.family).to.equal('IPv6');
  });

  it('may be joined before the port is bound', async function () {
    skipUnless(this, harness(), 'multicast');
    const at = harness().multicastInterfaces.IPv4 ?? '';
    const reactor = startReactor(harness());
    const protocol = new RecordingDatagramProtocol();
    const udpPort = reactor.listenMulticast(0, protocol);
    const log: string[] = [];
    const say = (what: string) => (): void => void log.push(what);
    udpPort.joinGroup(GROUP, at).addCallback(say('joined'));
    udpPort.setOutgoingInterface(at).addCallback(say('interface set'));
    udpPort.whenListening().addCallback(say('bound'));
    expect(log).to.deep.equal([]);
    await harness().until(() => log.length === 3, 'all is done');
    expect(log).to.deep.equal(['joined', 'interface set', 'bound']);
    udpPort.write('to itself', { host: GROUP, port: udpPort.getHost().port });
    await harness().until(() => protocol.received.length === 1, 'it has arrived');
  });

  it('that cannot be joined or left fails the Deferred with MulticastJoinError, which has the cause [79]', async () => {
    const { udpPort } = await openPort(harness(), {}, { interface: '' });
    const at = '127.0.0.1';
    const noGroup = await errorOf(harness(), udpPort.joinGroup('10.0.0.1', at));
    expect(noGroup).to.be.instanceOf(MulticastJoinError).and.have.nested.property('cause.code', 'EINVAL');
    expect(noGroup.message).to.contain('Cannot join 10.0.0.1');
    const notJoined = await errorOf(harness(), udpPort.leaveGroup(OTHER_GROUP, at));
    expect(notJoined).to.be.instanceOf(MulticastJoinError).and.have.nested.property('cause.code', 'EADDRNOTAVAIL');
    await settled(harness(), udpPort.joinGroup(OTHER_GROUP, at), 'it is joined');
    const again = await errorOf(harness(), udpPort.joinGroup(OTHER_GROUP, at));
    expect(again).to.have.nested.property('cause.code', 'EADDRINUSE');
    expect(() => udpPort.joinGroup(IPV6_GROUP)).to.throw(InvalidAddressError, 'group must be an IPv4 address');
    expect(() => udpPort.joinGroup(GROUP, '::1')).to.throw(InvalidAddressError, 'interface');
    expect(() => udpPort.joinGroup(5 as unknown as string)).to.throw(TypeError, 'group');
  });
}

function describeNames(harness: () => Harness): void {
  it('may be given by name, and the interface too [79]', async function () {
    skipUnless(this, harness(), 'multicast');
    const at = harness().multicastInterfaces.IPv4 ?? '';
    const { udpPort, protocol, reactor, port } = await openPort(harness(), {}, { interface: '' });
    const resolver = new StaticResolver(reactor, { 'all.example': [IPV6_GROUP, GROUP], 'here.example': [at] });
    reactor.installNameResolver(resolver);
    await settled(harness(), udpPort.joinGroup('all.example', 'here.example'), 'the group is joined');
    await settled(harness(), udpPort.setOutgoingInterface('here.example'), 'the interface is set');
    expect(udpPort.getOutgoingInterface()).to.equal(at);
    udpPort.write('to itself', { host: GROUP, port });
    await harness().until(() => protocol.received.length === 1, 'it has arrived');
    await settled(harness(), udpPort.leaveGroup('all.example', 'here.example'), 'the group is left');
    expect(resolver.calls.filter((call) => call === 'all.example')).to.have.length(2);
  });

  it('whose name cannot be resolved fails with DNSLookupError, and a cancelled join is given up', async () => {
    const { udpPort, reactor } = await openPort(harness());
    const resolver = new StaticResolver(reactor, { 'six.example': ['ff02::1'], 'slow.example': undefined });
    reactor.installNameResolver(resolver);
    const unknown = await errorOf(harness(), udpPort.joinGroup('unknown.example'));
    expect(unknown).to.be.instanceOf(DNSLookupError).and.have.property('message').that.includes('the table does not');
    const wrong = await errorOf(harness(), udpPort.joinGroup('six.example'));
    expect(wrong).to.be.instanceOf(DNSLookupError).and.have.property('message').that.includes('no IPv4 address');
    const joining = udpPort.joinGroup('slow.example');
    joining.addErrback(() => undefined);
    joining.cancel();
    expect(resolver.calls).to.include('cancelled slow.example');
  });

  it('whose name is resolved when the port has stopped is not joined', async () => {
    const { udpPort, reactor } = await openPort(harness());
    reactor.installNameResolver(new StaticResolver(reactor, { 'all.example': [GROUP] }));
    const joining = errorOf(harness(), udpPort.joinGroup('all.example'));
    const closed = udpPort.stopListening();
    expect(await joining).to.be.instanceOf(MulticastJoinError);
    await settled(harness(), closed, 'the port is closed');
  });
}

function describeOptions(harness: () => Harness): void {
  it('begin with the system’s, and getters tell what was set', async () => {
    const { udpPort } = await openPort(harness());
    expect(udpPort.getTTL()).to.equal(1);
    expect(udpPort.getLoopbackMode()).to.equal(true);
    expect(udpPort.getOutgoingInterface()).to.equal('0.0.0.0');
    for (const hops of [0, 255, 64]) {
      udpPort.setTTL(hops);
      expect(udpPort.getTTL()).to.equal(hops);
    }
    udpPort.setLoopbackMode(false);
    expect(udpPort.getLoopbackMode()).to.equal(false);
    await settled(harness(), udpPort.setOutgoingInterface('127.0.0.1'), 'the interface is set');
    expect(udpPort.getOutgoingInterface()).to.equal('127.0.0.1');
    await settled(harness(), udpPort.setOutgoingInterface(''), 'the interface is the system’s again');
    expect(udpPort.getOutgoingInterface()).to.equal('0.0.0.0');
  });

  it('refuse what cannot be right, and stay as they are', async () => {
    const { udpPort } = await openPort(harness());
    for (const hops of [-1, 256, 1.5, NaN]) {
      expect(() => udpPort.setTTL(hops), String(hops)).to.throw(RangeError, 'hops');
    }
    expect(() => udpPort.setLoopbackMode('off' as unknown as boolean)).to.throw(TypeError, 'enabled');
    expect(() => udpPort.setOutgoingInterface('::1')).to.throw(InvalidAddressError, 'interface');
    expect([udpPort.getTTL(), udpPort.getLoopbackMode()]).to.deep.equal([1, true]);
  });

  for (const family of ['IPv4', 'IPv6'] as const) {
    it(`keep what is sent over ${family} from members on the own host while loopback is off`, async function () {
      skipUnless(this, harness(), family === 'IPv4' ? 'multicast' : 'ipv6-multicast');
      const at = harness().multicastInterfaces[family] ?? '';
      const group = family === 'IPv4' ? GROUP : IPV6_GROUP;
      const { protocol, port, reactor } = await joinedPort(harness(), group, at);
      const { udpPort } = await sendingPort(harness(), at);
      const address = { host: group, port };
      udpPort.setLoopbackMode(false);
      udpPort.write('not for us', address);
      await datagramRoundTrip(harness(), reactor);
      udpPort.setLoopbackMode(true);
      udpPort.write('for us too', address);
      await harness().until(() => protocol.received.length === 1, 'it has arrived');
      expect(protocol.texts).to.deep.equal(['for us too']);
    });
  }
}
