/** Sending and receiving datagrams. */
import { expect } from 'chai';
import {
  type DatagramDestination,
  InvalidAddressError,
  IPv4Address,
  IPv6Address,
  MessageLengthError,
} from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { pattern, settled, skipUnless, takeErrors } from '../support/connections.ts';
import { datagramRoundTrip, openPort, openPortAndPeer } from '../support/datagrams.ts';
import type { DatagramHooks } from '../support/recording-datagram-protocol.ts';

const ECHO: DatagramHooks = {
  datagramReceived: ({ transport }, data, address) => transport.write(data, address),
};

export function describeExchange(harness: () => Harness): void {
  describe('are exchanged', () => {
    describeDelivery(harness);
    describeFamilies(harness);
  });
  describe('write of a port for datagrams', () => describeWriting(harness));
  describe('Broadcast', () => describeBroadcast(harness));
}

function describeDelivery(harness: () => Harness): void {
  it('with a raw socket, whose address the protocol gets and may answer to', async () => {
    const { protocol, port, peer } = await openPortAndPeer(harness(), ECHO);
    peer.send('您好', port);
    await harness().until(() => peer.received.length === 1, 'the echo is there');
    expect(peer.texts()).to.deep.equal(['您好']);
    expect(peer.received[0]?.address).to.include({ host: '127.0.0.1', port });
    const [received] = protocol.received;
    expect(received?.address.equals(peer.getHost())).to.equal(true);
    expect(received?.address).to.be.instanceOf(IPv4Address).and.include({ type: 'UDP' });
    expect(received?.data).to.be.instanceOf(Buffer);
  });

  it('between two ports of one reactor', async () => {
    const one = await openPort(harness(), ECHO);
    const other = await openPort(harness(), {}, { reactor: one.reactor });
    other.udpPort.write('hello', { host: '127.0.0.1', port: one.port });
    await harness().until(() => other.protocol.received.length === 1, 'the echo is there');
    expect(other.protocol.texts).to.deep.equal(['hello']);
    expect(other.protocol.received[0]?.address.port).to.equal(one.port);
  });

  it('between reactors', async () => {
    const [one, other] = [await openPort(harness(), ECHO), await openPort(harness())];
    other.udpPort.write('hello', one.udpPort.getHost());
    await harness().until(() => other.protocol.received.length === 1, 'the echo is there');
  });

  it('whole, one for one, the empty one and the longest too', async () => {
    const { protocol, port, peer, reactor } = await openPortAndPeer(harness(), ECHO);
    const datagrams = [pattern(1), pattern(0), pattern(1500), pattern(65_507), pattern(3)];
    for (const [index, datagram] of datagrams.entries()) {
      peer.send(datagram, port);
      await harness().until(() => peer.received.length === index + 1, `number ${index} has come back`);
    }
    await datagramRoundTrip(harness(), reactor);
    expect(protocol.received.map(({ data }) => data.length)).to.deep.equal([1, 0, 1500, 65_507, 3]);
    expect(peer.received.map(({ data }) => Buffer.compare(data, datagrams.shift()!))).to.deep.equal([0, 0, 0, 0, 0]);
  });

  it('in the order in which one sender sent them to one receiver', async () => {
    const { protocol, port, udpPort, peer } = await openPortAndPeer(harness());
    const texts = Array.from({ length: 60 }, (_, index) => `number ${index}`);
    for (const text of texts) peer.send(text, port);
    for (const text of texts) udpPort.write(text, peer.getHost());
    await harness().until(() => protocol.received.length + peer.received.length === 120, 'all have arrived');
    expect(protocol.texts).to.deep.equal(texts);
    expect(peer.texts()).to.deep.equal(texts);
  });

  it('in buffers that are the receiver’s to keep', async () => {
    const { protocol, port, peer } = await openPortAndPeer(harness());
    for (const text of ['first', 'other']) {
      peer.send(text, port);
      await harness().until(() => protocol.texts.includes(text), 'it has arrived');
    }
    protocol.received[1]?.data.fill('!');
    expect(protocol.texts).to.deep.equal(['first', '!!!!!']);
  });

  it('without a limit of 8192 bytes: only a maxPacketSize that was asked for cuts them off [76]', async () => {
    const uncut = await openPort(harness());
    const cut = await openPort(harness(), {}, { reactor: uncut.reactor, maxPacketSize: 5 });
    const peer = await harness().openDatagrams();
    for (const { port } of [uncut, cut]) {
      peer.send(pattern(10_000), port);
      peer.send('12345', port);
      peer.send('123456', port);
    }
    await harness().until(() => uncut.protocol.received.length + cut.protocol.received.length === 6, 'they are there');
    expect(uncut.protocol.received.map(({ data }) => data.length)).to.deep.equal([10_000, 5, 6]);
    expect(cut.protocol.received[0]?.data.equals(pattern(5))).to.equal(true);
    expect(cut.protocol.texts.slice(1)).to.deep.equal(['12345', '12345']);
  });
}

function describeFamilies(harness: () => Harness): void {
  it('over IPv6', async function () {
    skipUnless(this, harness(), 'ipv6');
    const { protocol, port, udpPort } = await openPort(harness(), ECHO, { interface: '::1' });
    const peer = await harness().openDatagrams('::1');
    peer.send('six', port);
    await harness().until(() => peer.received.length === 1, 'the echo is there');
    expect(protocol.received[0]?.address).to.be.instanceOf(IPv6Address).and.include({ type: 'UDP', host: '::1' });
    udpPort.write(pattern(65_527), peer.getHost());
    await harness().until(() => peer.received.length === 2, 'the longest is there');
    expect(() => udpPort.write(pattern(65_528), peer.getHost())).to.throw(MessageLengthError, 'at most 65527 bytes');
  });

  it('over both families at ::, where an IPv4 sender has an IPv4 address and may be answered', async function () {
    skipUnless(this, harness(), 'ipv6');
    const { protocol, port, udpPort } = await openPort(harness(), ECHO, { interface: '::' });
    const [four, six] = [await harness().openDatagrams(), await harness().openDatagrams('::1')];
    four.send('four', port);
    await harness().until(() => four.received.length === 1, 'the echo by IPv4 is there');
    six.send('six', port);
    await harness().until(() => six.received.length === 1, 'the echo by IPv6 is there');
    expect(protocol.received.map(({ address }) => address.host)).to.deep.equal(['127.0.0.1', '::1']);
    expect(protocol.received[0]?.address.equals(four.getHost())).to.equal(true);
    expect(() => udpPort.write(pattern(65_508), four.getHost())).to.throw(MessageLengthError, 'IPv4');
  });
}

function describeWriting(harness: () => Harness): void {
  it('throws for a name, an address of another family, and more than fits [75]', async function () {
    skipUnless(this, harness(), 'ipv6');
    const { udpPort, reactor } = await openPort(harness());
    const six = await openPort(harness(), {}, { reactor, interface: '::1' });
    for (const host of ['localhost', 'example.com', '', '127.1', '256.0.0.1', '[::1]']) {
      expect(() => udpPort.write('x', { host, port: 7 }), host)
        .to.throw(InvalidAddressError)
        .and.include({ address: host });
    }
    expect(() => udpPort.write('x', { host: '::1', port: 7 })).to.throw(InvalidAddressError, 'IPv4 addresses only');
    expect(() => six.udpPort.write('x', { host: '127.0.0.1', port: 7 })).to.throw(InvalidAddressError, 'IPv6 addr');
    expect(() => udpPort.write(pattern(65_508), { host: '127.0.0.1', port: 7 })).to.throw(
      MessageLengthError,
      'at most 65507 bytes; this one has 65508',
    );
    expect(() => udpPort.writeSequence([pattern(65_507), 'x'], { host: '127.0.0.1', port: 7 })).to.throw(
      MessageLengthError,
    );
  });

  it('throws for other arguments that cannot be right, stopped or not', async () => {
    const { udpPort } = await openPort(harness());
    for (let round = 0; round < 2; round += 1) {
      const there = { host: '127.0.0.1', port: 7 };
      for (const data of [undefined, 5, [1, 2]] as unknown as string[]) {
        expect(() => udpPort.write(data, there)).to.throw(TypeError, 'data');
        expect(() => udpPort.writeSequence([data], there)).to.throw(TypeError, 'data');
      }
      expect(() => udpPort.write('x')).to.throw(TypeError, 'unless the port is connected');
      expect(() => udpPort.write('x', '127.0.0.1' as unknown as DatagramDestination)).to.throw(TypeError, 'address');
      expect(() => udpPort.write('x', { host: 5 as unknown as string, port: 7 })).to.throw(TypeError, 'host');
      for (const port of [0, 65_536, 1.5]) {
        expect(() => udpPort.write('x', { host: '127.0.0.1', port })).to.throw(RangeError, 'port');
      }
      await settled(harness(), udpPort.stopListening(), 'the port is closed');
    }
  });

  it('sends the pieces of writeSequence as one datagram', async () => {
    const { udpPort, peer } = await openPortAndPeer(harness());
    udpPort.writeSequence(new Set(['one ', Buffer.from('two ')]), peer.getHost());
    udpPort.writeSequence([], peer.getHost());
    await harness().until(() => peer.received.length === 2, 'both are there');
    expect(peer.texts()).to.deep.equal(['one two ', '']);
  });

  it('sends before run() too, once the port is bound', async () => {
    const reactor = harness().createReactor();
    const { udpPort } = await openPort(harness(), {}, { reactor });
    const peer = await harness().openDatagrams();
    udpPort.write('early', peer.getHost());
    await harness().until(() => peer.received.length === 1, 'it has arrived');
  });

  it('says nothing when nobody is there', async () => {
    const { udpPort, protocol, peer, reactor } = await openPortAndPeer(harness());
    peer.close();
    for (let count = 0; count < 3; count += 1) udpPort.write('anybody?', peer.getHost());
    await datagramRoundTrip(harness(), reactor);
    expect(protocol.calls).to.deep.equal(['startProtocol']);
    expect(udpPort.getHost().port).to.be.greaterThan(0);
  });
}

function describeBroadcast(harness: () => Harness): void {
  const ALL = '127.255.255.255';

  it('is forbidden until setBroadcastAllowed, and the refusal is reported once', async function () {
    skipUnless(this, harness(), 'broadcast');
    const { udpPort, reactor } = await openPort(harness());
    const { protocol, port } = await openPort(harness(), {}, { reactor, interface: '' });
    expect(udpPort.getBroadcastAllowed()).to.equal(false);
    udpPort.write('to all', { host: ALL, port });
    udpPort.write('to all', { host: ALL, port });
    await harness().until(() => harness().errors.length > 0, 'it is reported');
    await datagramRoundTrip(harness(), reactor);
    const errors = takeErrors(harness());
    expect(errors).to.have.length(1);
    expect(errors[0]).to.have.property('code', 'EACCES');
    expect(protocol.received).to.deep.equal([]);

    udpPort.setBroadcastAllowed(true);
    expect(udpPort.getBroadcastAllowed()).to.equal(true);
    udpPort.write('to all', { host: ALL, port });
    await harness().until(() => protocol.received.length === 1, 'it has arrived');
    expect(() => udpPort.setBroadcastAllowed(1 as unknown as boolean)).to.throw(TypeError, 'enabled');
  });

  it('reaches all that share the port', async function () {
    skipUnless(this, harness(), 'broadcast');
    const { udpPort, reactor } = await openPort(harness());
    const shared = { interface: '', listenMultiple: true, reactor };
    const one = await openPort(harness(), {}, shared);
    const other = await openPort(harness(), {}, { ...shared, port: one.port });
    udpPort.setBroadcastAllowed(true);
    udpPort.write('to all', { host: ALL, port: one.port });
    await harness().until(() => one.protocol.received.length + other.protocol.received.length === 2, 'both have it');
    expect([...one.protocol.texts, ...other.protocol.texts]).to.deep.equal(['to all', 'to all']);
  });
}
