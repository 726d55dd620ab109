import { describe, requireIntegerFrom } from '../arguments.ts';
import type { Deferred } from '../deferred/deferred.ts';
import { succeed } from '../deferred/succeed-fail.ts';
import { MulticastJoinError } from '../errors.ts';
import type { IPFamily } from '../interfaces/resolver.ts';
import { DatagramSetting } from './datagram-setting.ts';
import type { DatagramSocket } from './datagram-socket.ts';
import type { ReactorParts } from './reactor-parts.ts';
import { requireHostOf, resolveAddress } from './resolve-address.ts';

/** What fits into the field of a header (RFC 791). */
const TTL_MAX = 255;

/** What a socket for datagrams has been set to, and the groups it is told to join: systems tell no better than to remember it. */
export class DatagramOptions {
  readonly #parts: ReactorParts;
  readonly #socket: DatagramSocket;
  readonly #family: IPFamily;
  readonly #broadcast: DatagramSetting<boolean>;
  readonly #loopback: DatagramSetting<boolean>;
  readonly #ttl: DatagramSetting<number>;
  #outgoingInterface: string;

  constructor(parts: ReactorParts, socket: DatagramSocket, family: IPFamily) {
    this.#parts = parts;
    this.#socket = socket;
    this.#family = family;
    this.#outgoingInterface = this.#anyInterface;
    this.#broadcast = new DatagramSetting(socket, false, (handle, enabled) => {
      handle.setBroadcast(enabled);
    });
    this.#loopback = new DatagramSetting(socket, true, (handle, enabled) => {
      handle.setMulticastLoopback(enabled);
    });
    this.#ttl = new DatagramSetting(socket, 1, (handle, hops) => {
      handle.setMulticastTTL(hops);
    });
  }

  get broadcastAllowed(): boolean {
    return this.#broadcast.value;
  }

  get loopbackMode(): boolean {
    return this.#loopback.value;
  }

  get ttl(): number {
    return this.#ttl.value;
  }

  get outgoingInterface(): string {
    return this.#outgoingInterface;
  }

  setBroadcastAllowed(enabled: boolean): void {
    requireBoolean(enabled);
    this.#broadcast.change(enabled);
  }

  setLoopbackMode(enabled: boolean): void {
    requireBoolean(enabled);
    this.#loopback.change(enabled);
  }

  setTTL(hops: number): void {
    requireIntegerFrom('hops', hops, 0);
    if (hops > TTL_MAX) throw new RangeError(`hops must be at most ${String(TTL_MAX)}; got ${String(hops)}`);
    this.#ttl.change(hops);
  }

  setOutgoingInterface(interfaceHost: string): Deferred<void> {
    requireHostOf(this.#family, 'interface', interfaceHost);
    return this.#resolve(interfaceHost || this.#anyInterface).addCallback((host) =>
      this.#socket
        .request((handle) => {
          handle.setMulticastInterface(host);
        })
        .addCallback(() => {
          this.#outgoingInterface = host;
        }),
    );
  }

  changeMembership(change: 'join' | 'leave', group: string, interfaceHost: string): Deferred<void> {
    requireHostOf(this.#family, 'group', group);
    requireHostOf(this.#family, 'interface', interfaceHost);
    const method = change === 'join' ? 'joinGroup' : 'leaveGroup';
    return this.#resolve(group).addCallback((address) =>
      this.#resolve(interfaceHost).addCallback((host) =>
        this.#socket
          .request((handle) => {
            if (host === '') handle[method](address);
            else handle[method](address, host);
          })
          .addErrback(({ value }) => {
            throw new MulticastJoinError(`Cannot ${change} ${address}: ${value.message}`, { cause: value });
          }),
      ),
    );
  }

  /** Leaves it to the system. */
  get #anyInterface(): string {
    return this.#family === 'IPv4' ? '0.0.0.0' : '::';
  }

  /** `''`, the interface that the system chooses, has no address. */
  #resolve(host: string): Deferred<string> {
    return host === '' ? succeed('') : resolveAddress(this.#parts, host, this.#family);
  }
}

function requireBoolean(enabled: boolean): void {
  if (typeof enabled !== 'boolean') throw new TypeError(`enabled must be true or false; got ${describe(enabled)}`);
}
