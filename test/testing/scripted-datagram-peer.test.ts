import { expect } from 'chai';
import {
  CannotListenError,
  DatagramProtocol,
  InvalidAddressError,
  type IPv4Address,
  MessageLengthError,
} from 'ropewalk';
import { TestReactor } from 'ropewalk/testing';

class Echo extends DatagramProtocol {
  override datagramReceived(data: Buffer, address: IPv4Address): void {
    this.transport.write(data, address);
  }
}

describe('TestReactor with datagrams', () => {
  let reactor: TestReactor;

  beforeEach(() => {
    reactor = new TestReactor();
  });

  it('lists ports that are left in assertClean', () => {
    const port = reactor.listenUDP(53, new DatagramProtocol());
    expect(() => reactor.assertClean()).to.throw('UDP port 53 of 0.0.0.0 (binding)');
    reactor.advance(0);
    expect(() => reactor.assertClean()).to.throw(/UDP port 53 of 0\.0\.0\.0$/);
    port.stopListening();
    expect(() => reactor.assertClean()).to.throw('UDP port 53 of 0.0.0.0 (closing): it needs an advance(0) to close');
    reactor.advance(0);
    reactor.assertClean();
  });

  it('tells of a port that waits for run()', () => {
    const stopped = new TestReactor({ running: false });
    stopped.listenUDP(53, new DatagramProtocol());
    stopped.advance(0);
    expect(stopped.inspect().ports).to.deep.equal(['UDP port 53 of 0.0.0.0 (bound)']);
  });

  it('keeps errors of hooks for the test', () => {
    class Failing extends DatagramProtocol {
      override datagramReceived(): void {
        throw new RangeError('a bug');
      }
    }
    const port = reactor.listenUDP(53, new Failing());
    reactor.datagramPeer().send('x', 53);
    reactor.advance(0);
    expect(reactor.flushErrors(RangeError)).to.have.length(1);
    port.stopListening();
    reactor.advance(0);
    reactor.assertClean();
  });

  describe('and a scripted peer', () => {
    it('exchanges datagrams with a port', () => {
      reactor.listenUDP(7, new Echo());
      const peer = reactor.datagramPeer({ host: '0.0.0.0' });
      peer.send('您好', { host: '127.0.0.1', port: 7 });
      peer.send(Buffer.from('two'), { host: '10.1.2.3', port: 7 });
      expect(peer.received).to.deep.equal([]);
      reactor.advance(0);
      expect(peer.texts()).to.deep.equal(['您好', 'two']);
      expect(peer.received.map(({ address }) => String(address))).to.deep.equal([
        "IPv4Address(type='UDP', host='127.0.0.1', port=7)",
        "IPv4Address(type='UDP', host='10.1.2.3', port=7)",
      ]);
      peer.clear();
      expect(peer.texts()).to.deep.equal([]);
    });

    it('has its port from the first, does not count as left, and frees it', () => {
      const peer = reactor.datagramPeer({ port: 99 });
      expect(peer.getHost()).to.include({ host: '127.0.0.1', port: 99 });
      expect(() => reactor.datagramPeer({ port: 99 })).to.throw(CannotListenError, 'EADDRINUSE');
      reactor.advance(0);
      reactor.assertClean();
      peer.close();
      peer.close();
      peer.send('dropped', 99);
      expect(peer.getHost().port).to.equal(99);
      const other = reactor.datagramPeer({ port: 99 });
      reactor.advance(0);
      expect(other.received).to.deep.equal([]);
    });

    it('may be of IPv6, may broadcast, and joins groups', () => {
      const six = reactor.datagramPeer({ host: '::1' });
      six.send('to itself', six.getHost().port);
      const all = reactor.datagramPeer({ host: '0.0.0.0' });
      all.send('to all', { host: '255.255.255.255', port: all.getHost().port });
      all.joinGroup('239.1.2.3');
      reactor.datagramPeer().send('to the group', { host: '239.1.2.3', port: all.getHost().port });
      reactor.advance(0);
      expect(six.texts()).to.deep.equal(['to itself']);
      expect(all.texts()).to.deep.equal(['to all', 'to the group']);
      expect(() => all.joinGroup('239.1.2.3')).to.throw('EADDRINUSE');
    });

    it('refuses what cannot be right', () => {
      const peer = reactor.datagramPeer();
      // @ts-expect-error: what a program without types may do
      expect(() => peer.send(5, 7)).to.throw(TypeError, 'data');
      expect(() => peer.send('x', 0)).to.throw(RangeError, 'port');
      expect(() => peer.send('x', { host: 'localhost', port: 7 })).to.throw(InvalidAddressError);
      expect(() => peer.send(Buffer.alloc(65_508), 7)).to.throw(MessageLengthError);
      expect(() => reactor.datagramPeer({ port: -1 })).to.throw(RangeError);
    });
  });
});
