import { expect } from 'chai';
import { IPv4Address, type IPv6Address, type DatagramListener, type SystemError } from 'ropewalk/core';
import { World } from 'ropewalk/simulation';
import type { DatagramLink } from '../../src/simulation/link.ts';
import { VirtualDatagrams } from '../../src/simulation/virtual-datagrams.ts';
import type { VirtualDatagramSocket } from '../../src/simulation/virtual-datagram-socket.ts';

class Recording implements DatagramListener {
  readonly reports: string[] = [];
  bound(address: IPv4Address | IPv6Address): void {
    this.reports.push(`bound ${address.host} ${address.port}`);
  }
  bindFailed(error: SystemError): void {
    this.reports.push(`bindFailed ${error.code}`);
  }
  datagramReceived(data: Buffer, from: IPv4Address | IPv6Address): void {
    this.reports.push(`${data.toString()} from ${from.host} ${from.port}`);
  }
  sendFailed(error: SystemError): void {
    this.reports.push(`sendFailed ${error.code}`);
  }
  closed(): void {
    this.reports.push('closed');
  }
}

const to = (host: string, port: number): IPv4Address => new IPv4Address('UDP', host, port);
const DATA = Buffer.from('data');

describe('datagrams on the virtual network', () => {
  let world: World;
  let datagrams: VirtualDatagrams;

  beforeEach(() => {
    world = new World();
    datagrams = world.addHost('one').virtualDatagrams;
  });

  function bind(
    port: number,
    host = '0.0.0.0',
    shared = false,
  ): Recording & { readonly socket: VirtualDatagramSocket } {
    const listener = new Recording();
    return Object.assign(listener, { socket: datagrams.bind({ host, port, shared }, listener) });
  }

  /** Without the report that it was bound. */
  function received({ reports }: Recording): readonly string[] {
    return reports.slice(1);
  }

  describe('bind', () => {
    it('takes the address at once and reports later', () => {
      const one = bind(53);
      const other = bind(53, '127.0.0.1');
      expect(one.reports).to.deep.equal([]);
      expect(one.socket.address).to.include({ port: 53 });
      expect(other.socket.error).to.include({ code: 'EADDRINUSE' });
      world.advance(0);
      expect(one.reports).to.deep.equal(['bound 0.0.0.0 53']);
      expect(other.reports).to.deep.equal(['bindFailed EADDRINUSE']);
      expect(world.census()).to.include({ datagramSockets: 1, listeners: 0, events: 0 });
    });

    it('reports nothing but closed once it has been closed, and frees the address at once', () => {
      const one = bind(53);
      one.socket.close();
      const other = bind(53);
      const failed = bind(53);
      failed.socket.close();
      world.advance(0);
      expect(one.reports).to.deep.equal(['closed']);
      expect(other.reports).to.deep.equal(['bound 0.0.0.0 53']);
      expect(failed.reports).to.deep.equal(['closed']);
      other.socket.close();
      other.socket.close();
      world.advance(0);
      expect(other.reports).to.deep.equal(['bound 0.0.0.0 53', 'closed']);
      expect(world.census()).to.include({ datagramSockets: 0, events: 0 });
    });

    it('delivers what arrives before it has reported right after the report', () => {
      const sender = bind(1);
      world.advance(0);
      sender.socket.send(DATA, to('127.0.0.1', 2));
      const late = bind(2);
      world.advance(0);
      expect(late.reports).to.deep.equal(['bound 0.0.0.0 2', 'data from 127.0.0.1 1']);
    });

    it('takes no host that is no address', () => {
      const one = bind(53, 'localhost');
      world.advance(0);
      expect(one.reports).to.deep.equal(['bindFailed EADDRNOTAVAIL']);
    });

    it('chooses free ports in order', () => {
      const ports = [bind(0), bind(0), bind(0, '::')].map(({ socket }) => socket.address?.port);
      expect(ports).to.deep.equal([49_152, 49_153, 49_154]);
    });
  });

  describe('one datagram', () => {
    /** Which of the sockets gets what this sender sends to an address. */
    function receiverOf(sender: Recording & { readonly socket: VirtualDatagramSocket }, host: string, port: number) {
      return (...sockets: readonly Recording[]): number[] => {
        sender.socket.send(DATA, to(host, port));
        world.advance(0);
        return sockets.flatMap((socket, index) => (received(socket).length > 0 ? index : []));
      };
    }

    it('goes to the socket at just that address before the one at all', () => {
      const [all, exact] = [bind(53, '0.0.0.0', true), bind(53, '127.0.0.1', true)];
      const sender = bind(1);
      world.advance(0);
      expect(receiverOf(sender, '127.0.0.1', 53)(all, exact)).to.deep.equal([1]);
      expect(receiverOf(sender, '10.0.0.1', 53)(all, exact)).to.deep.equal([0, 1]);
    });

    it('goes to the last of those that share, but to one connected with the sender first', () => {
      const [connected, other, last] = [
        bind(53, '0.0.0.0', true),
        bind(53, '0.0.0.0', true),
        bind(53, '0.0.0.0', true),
      ];
      const sender = bind(1);
      world.advance(0);
      connected.socket.connect(to('127.0.0.1', 1));
      expect(receiverOf(bind(2), '127.0.0.1', 53)(connected, other, last)).to.deep.equal([2]);
      expect(receiverOf(sender, '127.0.0.1', 53)(connected, other, last)).to.deep.equal([0, 2]);
    });

    it('to 0.0.0.0 is for the host itself, and comes from where it can be answered', () => {
      const [one, other] = [bind(1), bind(2, '127.0.0.1')];
      world.advance(0);
      one.socket.send(DATA, to('0.0.0.0', 2));
      other.socket.send(DATA, to('10.0.0.7', 1));
      one.socket.send(DATA, to('10.0.0.7', 1));
      world.advance(0);
      expect(received(other)).to.deep.equal(['data from 127.0.0.1 1']);
      expect(received(one)).to.deep.equal(['data from 127.0.0.1 2', 'data from 10.0.0.7 1']);
    });

    it('is copied when it is sent', () => {
      const [one, other] = [bind(1), bind(2)];
      world.advance(0);
      const data = Buffer.from('before');
      one.socket.send(data, to('127.0.0.1', 2));
      data.fill('!');
      world.advance(0);
      expect(received(other)).to.deep.equal(['before from 127.0.0.1 1']);
    });

    it('is refused for reasons of the sender, which hears of it later', () => {
      const one = bind(1);
      const six = bind(6, '::1');
      world.advance(0);
      one.socket.send(DATA);
      one.socket.send(Buffer.alloc(65_508), to('127.0.0.1', 2));
      one.socket.send(DATA, to('255.255.255.255', 2));
      six.socket.send(DATA, to('127.0.0.1', 2));
      expect(received(one)).to.deep.equal([]);
      world.advance(0);
      expect(received(one)).to.deep.equal(['sendFailed ENOTCONN', 'sendFailed EMSGSIZE', 'sendFailed EACCES']);
      expect(received(six)).to.deep.equal(['sendFailed EINVAL']);
    });

    it('to nobody comes back as a refusal to a connected socket alone', () => {
      const [one, other] = [bind(1), bind(2)];
      world.advance(0);
      one.socket.connect(to('127.0.0.1', 9));
      one.socket.send(DATA);
      other.socket.send(DATA, to('127.0.0.1', 9));
      world.advance(0);
      expect(received(one)).to.deep.equal(['sendFailed ECONNREFUSED']);
      expect(received(other)).to.deep.equal([]);
    });
  });

  describe('one to a group', () => {
    it('goes to its members at that port and to nobody else, wherever it comes from', () => {
      const [member, stranger, elsewhere] = [bind(5, '0.0.0.0', true), bind(5, '0.0.0.0', true), bind(6)];
      const sender = bind(1);
      world.advance(0);
      member.socket.joinGroup('239.1.2.3');
      member.socket.joinGroup('239.1.2.3', '10.0.0.1');
      elsewhere.socket.joinGroup('239.1.2.3');
      sender.socket.setMulticastInterface('10.0.0.1');
      sender.socket.send(DATA, to('239.1.2.3', 5));
      sender.socket.setMulticastInterface('0.0.0.0');
      sender.socket.send(DATA, to('239.1.2.3', 5));
      world.advance(0);
      expect(received(member)).to.deep.equal(['data from 10.0.0.1 1', 'data from 127.0.0.1 1']);
      expect([...received(stranger), ...received(elsewhere), ...received(sender)]).to.deep.equal([]);
    });

    it('is nothing to a member that has left, or when the sender keeps it from its own host', () => {
      const [member, sender] = [bind(5), bind(1)];
      world.advance(0);
      member.socket.joinGroup('239.1.2.3');
      sender.socket.setMulticastLoopback(false);
      sender.socket.send(DATA, to('239.1.2.3', 5));
      sender.socket.setMulticastLoopback(true);
      member.socket.leaveGroup('239.1.2.3');
      sender.socket.send(DATA, to('239.1.2.3', 5));
      world.advance(0);
      expect(received(member)).to.deep.equal([]);
    });

    it('has members only where the address is that of a group, of the family of the socket', () => {
      const [four, six] = [bind(4), bind(6, '::')];
      world.advance(0);
      for (const group of ['10.0.0.1', 'ff02::1', 'group', '223.255.255.255', '240.0.0.0']) {
        expect(() => four.socket.joinGroup(group), group).to.throw('addMembership EINVAL');
      }
      expect(() => six.socket.joinGroup('fe80::1')).to.throw('EINVAL');
      expect(() => four.socket.joinGroup('224.0.0.1', '::1')).to.throw('EINVAL');
      six.socket.joinGroup('ff02::1');
      expect(() => six.socket.joinGroup('FF02:0::1')).to.throw('EADDRINUSE');
      expect(() => six.socket.leaveGroup('ff02::2')).to.throw('EADDRNOTAVAIL');
      expect(() => four.socket.setMulticastTTL(256)).to.throw('EINVAL');
      four.socket.setMulticastTTL(255);
    });
  });

  describe('over a link that is not perfect', () => {
    it('arrives as often as the link says, in its order, each time whole and in memory of its own', () => {
      const arrivals: (() => void)[] = [];
      const link: DatagramLink = { carryDatagram: (_bytes, arrive) => void arrivals.push(arrive) };
      const network = new VirtualDatagrams({
        scheduler: world,
        datagramRoutes: (from) => [{ target: from, there: link, back: link }],
      });
      const got: Buffer[] = [];
      const listener = Object.assign(new Recording(), { datagramReceived: (data: Buffer) => void got.push(data) });
      const socket = network.bind({ host: '0.0.0.0', port: 7, shared: false }, listener);
      world.advance(0);
      for (const text of ['lost', 'first', 'second']) socket.send(Buffer.from(text), to('127.0.0.1', 7));
      const [, first, second] = arrivals;
      for (const arrive of [second, first, second]) arrive?.();
      got[0]?.fill('!');
      expect(got.map(String)).to.deep.equal(['!!!!!!', 'first', 'second']);
    });

    it('goes to every host that the address reaches', () => {
      const hosts: VirtualDatagrams[] = [];
      const link: DatagramLink = { carryDatagram: (_bytes, arrive) => void world.schedule(world.now(), arrive) };
      const datagramRoutes = () => hosts.map((target) => ({ target, there: link, back: link }));
      for (let count = 0; count < 3; count += 1) hosts.push(new VirtualDatagrams({ scheduler: world, datagramRoutes }));
      const listeners = hosts.map((host) => {
        const listener = new Recording();
        return { listener, socket: host.bind({ host: '0.0.0.0', port: 7, shared: false }, listener) };
      });
      world.advance(0);
      for (const { socket } of listeners) socket.joinGroup('239.1.2.3');
      listeners[0]?.socket.setMulticastLoopback(false);
      listeners[0]?.socket.send(DATA, to('239.1.2.3', 7));
      world.advance(0);
      expect(listeners.map(({ listener }) => received(listener).length)).to.deep.equal([0, 1, 1]);
    });
  });
});
