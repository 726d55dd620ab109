import { Buffer } from 'node:buffer';
import { type Address, IPv4Address } from '../addresses.ts';
import { describe, requireMethods } from '../arguments.ts';
import type { PullProducer, PushProducer } from '../interfaces/producer.ts';
import type { Transport } from '../interfaces/transport.ts';

export interface StringTransportOptions {
  /** What `getHost` returns; 10.0.0.1, port 12345, by default. */
  readonly hostAddress?: Address;
  /** What `getPeer` returns; 192.168.1.1, port 54321, by default. */
  readonly peerAddress?: Address;
}

/**
 * A transport that goes nowhere: it keeps what is written to it and what is asked of it, and calls nothing by itself. For
 * tests of one protocol that want no network at all; a `TestReactor` tells more. Twisted: `internet.testing.StringTransport`.
 *
 * Everything written is kept, even after `loseConnection`, where a connection would drop it, so that a test sees it.
 */
export class StringTransport implements Transport {
  hostAddress: Address;
  peerAddress: Address;
  /** Stays true: nothing is ever lost by itself. */
  connected = true;
  /** True once `loseConnection` or `abortConnection` has been called. */
  disconnecting = false;
  /** True once `abortConnection` has been called. */
  disconnected = false;
  /** True once `loseWriteConnection` has been called. */
  writeDisconnecting = false;
  /** What was registered, and whether as a push producer. */
  producer: PushProducer | PullProducer | undefined = undefined;
  streaming: boolean | undefined = undefined;
  /** What the protocol has asked of the transport as a producer. */
  producerState: 'producing' | 'paused' | 'stopped' = 'producing';
  #written: Uint8Array[] = [];

  constructor(options: StringTransportOptions = {}) {
    this.hostAddress = options.hostAddress ?? new IPv4Address('TCP', '10.0.0.1', 12345);
    this.peerAddress = options.peerAddress ?? new IPv4Address('TCP', '192.168.1.1', 54321);
  }

  /** Everything written since the last `clear`. */
  value(): Buffer {
    return Buffer.concat(this.#written);
  }

  /** Forgets what was written. */
  clear(): void {
    this.#written = [];
  }

  /** Always true: nothing waits to be sent. The bytes are copied. */
  write(data: Uint8Array | string): boolean {
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      throw new TypeError(`data must be a string or a Uint8Array; got ${describe(data)}`);
    }
    this.#written.push(typeof data === 'string' ? Buffer.from(data) : Buffer.from(data));
    return true;
  }

  writeSequence(pieces: Iterable<Uint8Array | string>): boolean {
    for (const piece of pieces) this.write(piece);
    return true;
  }

  loseConnection(): void {
    this.disconnecting = true;
  }

  abortConnection(): void {
    this.disconnected = true;
    this.loseConnection();
  }

  loseWriteConnection(): void {
    this.writeDisconnecting = true;
  }

  getHost(): Address {
    return this.hostAddress;
  }

  getPeer(): Address {
    return this.peerAddress;
  }

  registerProducer(producer: PushProducer, streaming: true): void;
  registerProducer(producer: PullProducer, streaming: false): void;
  registerProducer(producer: PushProducer | PullProducer, streaming: boolean): void {
    requireMethods('producer', producer, ['resumeProducing', 'stopProducing']);
    if (this.producer !== undefined) throw new Error('a producer is registered already');
    this.producer = producer;
    this.streaming = streaming;
  }

  unregisterProducer(): void {
    this.producer = undefined;
    this.streaming = undefined;
  }

  pauseProducing(): void {
    this.#setProducerState('paused');
  }

  resumeProducing(): void {
    this.#setProducerState('producing');
  }

  stopProducing(): void {
    this.producerState = 'stopped';
    this.loseConnection();
  }

  /** As on a connection, these do nothing any more once it is being closed. */
  #setProducerState(state: 'producing' | 'paused'): void {
    if (!this.disconnecting && this.producerState !== 'stopped') this.producerState = state;
  }
}
