import type { Buffer } from 'node:buffer';
import type { IPv4Address, IPv6Address } from '../addresses.ts';
import type { DatagramHandle, DatagramListener } from '../interfaces/datagram-platform.ts';
import type { SystemError } from '../interfaces/platform.ts';
import { DATAGRAM_BYTES_MAX } from '../reactor/datagram-destination.ts';
import { type IPLiteral, isSameEndpoint, parseIPLiteral } from '../ip-literal.ts';
import { destinationFor, isBroadcast, isMulticast, udpAddress } from './own-addresses.ts';
import { ANY_IPV4, ANY_IPV6 } from './port-table.ts';
import type { Scheduler } from './scheduler.ts';
import { VirtualSystemError } from './system-error.ts';

type Address = IPv4Address | IPv6Address;

const TTL_MAX = 255;

interface Bound {
  readonly literal: IPLiteral;
  readonly address: Address;
  readonly free: () => void;
}

/** `bound`: the address is taken, `bound` is still to be reported, and what arrives is kept until then. */
type Stage =
  | { readonly name: 'new' }
  | ({ readonly name: 'bound'; readonly early: (() => void)[] } & Bound)
  | ({ readonly name: 'open' } & Bound)
  | { readonly name: 'failed'; readonly error: SystemError }
  | { readonly name: 'closed' };

/** A socket for datagrams on the virtual network. There is one interface, so that groups are joined on all there are. */
export class VirtualDatagramSocket implements DatagramHandle {
  readonly #scheduler: Scheduler;
  readonly #listener: DatagramListener;
  readonly #transmit: (data: Uint8Array, to: Address) => void;
  #stage: Stage = { name: 'new' };
  #peer: Address | undefined;
  #mayBroadcast = false;
  #isLoopback = true;
  #multicastSource: string | undefined;
  /** The groups it is in, each once for each interface that was named. */
  readonly #memberships: { readonly group: string; readonly interfaceHost: string | undefined }[] = [];

  constructor(scheduler: Scheduler, listener: DatagramListener, transmit: (data: Uint8Array, to: Address) => void) {
    this.#scheduler = scheduler;
    this.#listener = listener;
    this.#transmit = transmit;
  }

  // ------------------------------------------------------------------------------------------------ for its network

  /** The address it has taken, from the first; undefined when it could take none, and once closed. */
  get address(): Address | undefined {
    return this.#bound?.address;
  }

  /** Why it could take no address. */
  get error(): SystemError | undefined {
    return this.#stage.name === 'failed' ? this.#stage.error : undefined;
  }

  get isConnected(): boolean {
    return this.#peer !== undefined;
  }

  /** Whether members on its own host get what it sends to a group. */
  get isLoopback(): boolean {
    return this.#isLoopback;
  }

  isBoundTo(literal: IPLiteral): boolean {
    return this.#bound?.literal.canonical === literal.canonical;
  }

  isMemberOf(group: IPLiteral): boolean {
    return this.#memberships.some((membership) => membership.group === group.canonical);
  }

  /** Whether it lets a sender in: anyone, until it is connected. */
  takesFrom(sender: Address): boolean {
    return this.#peer === undefined || isSameEndpoint(this.#peer, sender);
  }

  /** The address it sends from to this one; undefined where the host is to choose. */
  sourceFor(destination: IPLiteral): string | undefined {
    const bound = this.#bound;
    if (bound !== undefined && !isAny(bound.literal)) return bound.address.host;
    return isMulticast(destination) ? this.#multicastSource : undefined;
  }

  /** The address has been taken; `free` gives it back. */
  bound(literal: IPLiteral, address: Address, free: () => void): void {
    this.#stage = { name: 'bound', literal, address, free, early: [] };
    this.#soon(() => {
      if (this.#stage.name !== 'bound') return;
      const { early } = this.#stage;
      this.#stage = { name: 'open', literal, address, free };
      this.#listener.bound(address);
      for (const delivery of early) delivery();
    });
  }

  bindFailed(error: SystemError): void {
    this.#stage = { name: 'failed', error };
    this.#soon(() => {
      if (this.#stage.name === 'failed') this.#listener.bindFailed(error);
    });
  }

  /** Hands a datagram over. To be called from the world's deliveries. */
  deliver(data: Buffer, from: Address): void {
    if (this.#stage.name === 'open') this.#listener.datagramReceived(data, from);
    if (this.#stage.name !== 'bound') return;
    this.#stage.early.push(() => {
      this.deliver(data, from);
    });
  }

  /** Nobody is at that address. Only a connected socket is told. */
  refusedBy(address: Address): void {
    if (this.#stage.name !== 'open' || this.#peer === undefined || !isSameEndpoint(this.#peer, address)) return;
    this.#listener.sendFailed(new VirtualSystemError('ECONNREFUSED', 'recvmsg'));
  }

  // ----------------------------------------------------------------------------------------------------- the handle

  send(data: Uint8Array, to: Address | undefined = this.#peer): void {
    const code = to === undefined ? 'ENOTCONN' : this.#refusalToSend(data, to);
    if (to !== undefined && code === undefined) {
      this.#transmit(data, to);
      return;
    }
    const error = new VirtualSystemError(code ?? 'ENOTCONN', 'send', to && `${to.host}:${String(to.port)}`);
    this.#soon(() => {
      if (this.#stage.name === 'open') this.#listener.sendFailed(error);
    });
  }

  connect(to: Address): void {
    this.#peer = udpAddress(destinationFor(to.host), to.port);
  }

  setBroadcast(enabled: boolean): void {
    this.#mayBroadcast = enabled;
  }

  /** One host is always near enough, so it is only checked. */
  setMulticastTTL(hops: number): void {
    if (!(hops >= 0 && hops <= TTL_MAX)) throw new VirtualSystemError('EINVAL', 'setMulticastTTL');
  }

  setMulticastLoopback(enabled: boolean): void {
    this.#isLoopback = enabled;
  }

  setMulticastInterface(host: string): void {
    const literal = this.#literalOfFamily(host, 'setMulticastInterface');
    this.#multicastSource = isAny(literal) ? undefined : host;
  }

  joinGroup(group: string, interfaceHost?: string): void {
    const literal = this.#groupOf(group, interfaceHost, 'addMembership');
    if (this.#indexOf(literal, interfaceHost) >= 0) throw new VirtualSystemError('EADDRINUSE', 'addMembership', group);
    this.#memberships.push({ group: literal.canonical, interfaceHost });
  }

  leaveGroup(group: string, interfaceHost?: string): void {
    const index = this.#indexOf(this.#groupOf(group, interfaceHost, 'dropMembership'), interfaceHost);
    if (index < 0) throw new VirtualSystemError('EADDRNOTAVAIL', 'dropMembership', group);
    this.#memberships.splice(index, 1);
  }

  close(): void {
    const bound = this.#bound;
    if (this.#stage.name === 'closed') return;
    this.#stage = { name: 'closed' };
    bound?.free();
    this.#soon(() => {
      this.#listener.closed();
    });
  }

  // --------------------------------------------------------------------------------------------------------- inside

  get #bound(): Bound | undefined {
    return this.#stage.name === 'bound' || this.#stage.name === 'open' ? this.#stage : undefined;
  }

  #refusalToSend(data: Uint8Array, to: Address): string | undefined {
    const own = this.#bound?.literal;
    const destination = parseIPLiteral(to.host);
    if (own === undefined || destination === undefined) return 'EINVAL';
    if (destination.family !== own.family && own.canonical !== ANY_IPV6) return 'EINVAL';
    if (data.length > DATAGRAM_BYTES_MAX[destination.family]) return 'EMSGSIZE';
    return isBroadcast(destination) && !this.#mayBroadcast ? 'EACCES' : undefined;
  }

  #groupOf(group: string, interfaceHost: string | undefined, syscall: string): IPLiteral {
    if (interfaceHost !== undefined) this.#literalOfFamily(interfaceHost, syscall);
    const literal = this.#literalOfFamily(group, syscall);
    if (!isMulticast(literal)) throw new VirtualSystemError('EINVAL', syscall, group);
    return literal;
  }

  #literalOfFamily(host: string, syscall: string): IPLiteral {
    const literal = parseIPLiteral(host);
    if (literal !== undefined && literal.family === this.#bound?.literal.family) return literal;
    throw new VirtualSystemError('EINVAL', syscall, host);
  }

  #indexOf({ canonical }: IPLiteral, interfaceHost: string | undefined): number {
    return this.#memberships.findIndex(
      (membership) => membership.group === canonical && membership.interfaceHost === interfaceHost,
    );
  }

  #soon(action: () => void): void {
    this.#scheduler.schedule(this.#scheduler.now(), action);
  }
}

function isAny({ canonical }: IPLiteral): boolean {
  return canonical === ANY_IPV4 || canonical === ANY_IPV6;
}
