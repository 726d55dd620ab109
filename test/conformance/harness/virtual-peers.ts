/** Raw peers in a virtual world: the scripted ones of `ropewalk/testing`, on the network itself. */
import { type Address, ConnectionAborted, ConnectionLost } from 'ropewalk/core';
import type { StreamConnectHandle, StreamConnectListener } from '../../../src/interfaces/stream-platform.ts';
import { type PeerWorld, ScriptedPeer } from '../../../src/testing/scripted-peer.ts';
import type { DialOptions } from '../harness.ts';
import type { WorldPeer } from './virtual-kind.ts';

/** A scripted peer, as a case sees it. */
export class VirtualPeer implements WorldPeer {
  readonly #peer: ScriptedPeer;
  readonly #allowHalfOpen: boolean;
  #isEnded = false;

  constructor(
    world: PeerWorld,
    options: DialOptions,
    connect: (listener: StreamConnectListener) => StreamConnectHandle | undefined,
  ) {
    this.#peer = new ScriptedPeer(world, options, connect);
    this.#allowHalfOpen = options.allowHalfOpen ?? false;
  }

  get answered(): boolean {
    return this.#peer.connected || this.#peer.closed;
  }

  get refusal(): Error | undefined {
    const { reason } = this.#peer;
    if (reason === undefined) return undefined;
    try {
      this.#peer.getHost();
      return undefined;
    } catch {
      return reason.value;
    }
  }

  get received(): Buffer {
    return this.#peer.received;
  }

  text(): string {
    return this.#peer.text();
  }

  clear(): void {
    this.#peer.clear();
  }

  send(data: Uint8Array | string): void {
    const hasEnded = this.#isEnded || (this.ended && !this.#allowHalfOpen);
    if (!hasEnded) this.#peer.send(data);
  }

  end(): void {
    this.#isEnded = true;
    this.#peer.end();
  }

  abort(): void {
    this.#peer.abort();
  }

  pause(): void {
    this.#peer.pause();
  }

  resume(): void {
    this.#peer.resume();
  }

  get ended(): boolean {
    return this.#peer.ended;
  }

  get closed(): boolean {
    return this.#peer.closed;
  }

  get reset(): boolean {
    const { reason } = this.#peer;
    return reason?.check(ConnectionLost) !== undefined && reason.check(ConnectionAborted) === undefined;
  }

  getHost(): Address {
    return this.#peer.getHost();
  }

  getPeer(): Address {
    return this.#peer.getPeer();
  }
}
