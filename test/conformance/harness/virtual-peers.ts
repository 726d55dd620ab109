import { type Address, ConnectionAborted, ConnectionLost } from 'ropewalk/core';
import type { StreamHandle } from '../../../src/interfaces/stream-platform.ts';
import { type PeerWorld, ScriptedPeer } from '../../../src/testing/scripted-peer.ts';
import type { PeerTLS } from '../../../src/testing/secured-connect.ts';
import type { DialOptions } from '../harness.ts';
import type { ConnectStream, WorldPeer } from './virtual-kind.ts';

/**
 * A scripted peer of `ropewalk/testing`, as a case sees it: connected as soon as its stream is, with TLS, too, where what
 * it sends waits for the handshake.
 */
export class VirtualPeer implements WorldPeer {
  readonly #peer: ScriptedPeer;
  readonly #allowHalfOpen: boolean;
  #stream: Pick<StreamHandle, 'localAddress' | 'remoteAddress'> | undefined;
  #isEnded = false;

  constructor(world: PeerWorld, options: DialOptions, connect: ConnectStream, tls?: PeerTLS) {
    this.#allowHalfOpen = options.allowHalfOpen ?? false;
    const watched: ConnectStream = (listener) =>
      connect({
        connected: (handle) => {
          this.#stream = handle;
          listener.connected(handle);
        },
        connectFailed: (error) => {
          listener.connectFailed(error);
        },
      });
    this.#peer = new ScriptedPeer(world, options, watched, tls);
  }

  get answered(): boolean {
    return this.#stream !== undefined || this.#peer.closed;
  }

  get refusal(): Error | undefined {
    return this.#stream === undefined ? this.#peer.reason?.value : undefined;
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
    return this.#requireStream().localAddress;
  }

  getPeer(): Address {
    return this.#requireStream().remoteAddress;
  }

  #requireStream(): Pick<StreamHandle, 'localAddress' | 'remoteAddress'> {
    if (this.#stream === undefined) throw new Error('the peer has not been connected');
    return this.#stream;
  }
}
