/**
 * The datagrams of one host: its sockets, by port, and what arrives for them.
 *
 * A datagram is copied when it is sent and travels whole, once for each host that its address reaches. Where it arrives, one sent
 * to a group goes to each member that is bound to the port, one sent to all to each socket that is, and any other to one socket: to one that is
 * connected with the sender before others, to one bound at just that address before one bound at all, and where several
 * share the port to the last that bound it, as Linux has it. If there is none, word of that goes back to the sender.
 */
import { Buffer } from 'node:buffer';
import type { IPv4Address, IPv6Address } from '../addresses.ts';
import type { DatagramListener, DatagramPlatform, DatagramTarget } from '../interfaces/datagram-platform.ts';
import { type IPLiteral, parseIPLiteral } from '../ip-literal.ts';
import type { DatagramLink } from './link.ts';
import { destinationFor, isBroadcast, isMulticast, sourceFor, udpAddress } from './own-addresses.ts';
import { PortTable } from './port-table.ts';
import type { Scheduler } from './scheduler.ts';
import { VirtualSystemError } from './system-error.ts';
import { VirtualDatagramSocket } from './virtual-datagram-socket.ts';

/** How a host reaches another with datagrams: that host's, and the links there and back. */
export interface DatagramRoute {
  readonly target: VirtualDatagrams;
  readonly there: DatagramLink;
  readonly back: DatagramLink;
}

export interface VirtualDatagramsParts {
  readonly scheduler: Scheduler;
  /** The ways to an address: one to the host that has it, none if there is no such host, one to each for a group or for all. */
  readonly datagramRoutes: (from: VirtualDatagrams, address: string) => readonly DatagramRoute[];
}

/** A datagram on its way. */
interface Travelling {
  readonly data: Uint8Array;
  readonly sender: VirtualDatagramSocket;
  readonly from: IPv4Address | IPv6Address;
  readonly to: IPv4Address | IPv6Address;
  readonly destination: IPLiteral;
}

export class VirtualDatagrams implements DatagramPlatform {
  readonly #parts: VirtualDatagramsParts;
  readonly #ports = new PortTable<VirtualDatagramSocket>();
  readonly #sockets = new Set<VirtualDatagramSocket>();

  constructor(parts: VirtualDatagramsParts) {
    this.#parts = parts;
  }

  /** How many sockets are bound. */
  get socketCount(): number {
    return this.#sockets.size;
  }

  bind({ host, port, shared }: DatagramTarget, listener: DatagramListener): VirtualDatagramSocket {
    const literal = parseIPLiteral(host);
    const socket = new VirtualDatagramSocket(this.#parts.scheduler, listener, shared, (data, to) => {
      this.#send(socket, data, to);
    });
    const number = literal && this.#ports.bind(literal, port, socket, (other) => shared && other.isShared);
    if (literal === undefined || number === undefined) {
      const code = literal === undefined ? 'EADDRNOTAVAIL' : 'EADDRINUSE';
      socket.bindFailed(new VirtualSystemError(code, 'bind', `${host}:${String(port)}`));
      return socket;
    }
    this.#sockets.add(socket);
    socket.bound(literal, udpAddress(host, number), () => {
      this.#ports.unbind(number, socket);
      this.#sockets.delete(socket);
    });
    return socket;
  }

  #send(sender: VirtualDatagramSocket, data: Uint8Array, to: IPv4Address | IPv6Address): void {
    const host = destinationFor(to.host);
    const destination = parseIPLiteral(host);
    const local = sender.address;
    if (destination === undefined || local === undefined) return;
    const source =
      sender.sourceFor(destination) ??
      (isForMany(destination) ? loopbackOf(destination) : sourceFor(host, destination));
    const travelling: Travelling = {
      data: Buffer.from(data),
      sender,
      from: udpAddress(source, local.port),
      to: udpAddress(host, to.port),
      destination,
    };
    for (const { target, there, back } of this.#parts.datagramRoutes(this, host)) {
      there.carryDatagram(data.length, () => {
        target.#arrive(travelling, back, target === this);
      });
    }
  }

  #arrive(travelling: Travelling, back: DatagramLink, isOwn: boolean): void {
    const { data, destination, from, sender, to } = travelling;
    const takers = this.#takersOf(travelling, isOwn);
    for (const socket of takers) socket.deliver(Buffer.from(data), from);
    if (takers.length > 0 || isForMany(destination)) return;
    back.carryDatagram(0, () => {
      sender.refusedBy(to);
    });
  }

  #takersOf({ destination, from, sender, to }: Travelling, isOwn: boolean): readonly VirtualDatagramSocket[] {
    const bound = this.#ports.findAll(destination, to.port).filter((socket) => socket.takesFrom(from));
    if (isBroadcast(destination)) return bound;
    if (!isMulticast(destination)) return choose(bound, destination);
    return isOwn && !sender.isLoopback ? [] : bound.filter((socket) => socket.isMemberOf(destination));
  }
}

/** The one that a datagram for this host alone goes to. */
function choose(sockets: readonly VirtualDatagramSocket[], destination: IPLiteral): readonly VirtualDatagramSocket[] {
  const rank = (socket: VirtualDatagramSocket): number =>
    (socket.isConnected ? 2 : 0) + (socket.isBoundTo(destination) ? 1 : 0);
  const best = Math.max(...sockets.map(rank));
  return sockets.filter((socket) => rank(socket) === best).slice(-1);
}

/** Nobody is told that nobody takes it. */
function isForMany(destination: IPLiteral): boolean {
  return isMulticast(destination) || isBroadcast(destination);
}

function loopbackOf({ family }: IPLiteral): string {
  return family === 'IPv4' ? '127.0.0.1' : '::1';
}
