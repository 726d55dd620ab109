import { Buffer } from 'node:buffer';
import { type Address, IPv4Address } from '../addresses.ts';
import { describe, requireMethods } from '../arguments.ts';
import type { PullProducer, PushProducer } from '../interfaces/producer.ts';
import type { TLSOptions } from '../interfaces/tls-engine.ts';
import type { StartTLSOptions, Transport } from '../interfaces/transport.ts';

/** The options of a `StringTransport`. */
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
  /** What `getHost` returns. */
  hostAddress: Address;
  /** What `getPeer` returns. */
  peerAddress: Address;
  /** Stays true: nothing is ever lost by itself. */
  connected = true;
  /** True once `loseConnection` or `abortConnection` has been called. */
  disconnecting = false;
  /** True once `abortConnection` has been called. */
  disconnected = false;
  /** True once `loseWriteConnection` has been called. */
  writeDisconnecting = false;
  /** The producer that is registered. */
  producer: PushProducer | PullProducer | undefined = undefined;
  /** Whether it is a push producer. */
  streaming: boolean | undefined = undefined;
  /** What the protocol has asked of the transport as a producer. */
  producerState: 'producing' | 'paused' | 'stopped' = 'producing';
  /** What `startTLS` was last called with. */
  startedTLS: { readonly tls: TLSOptions; readonly options: StartTLSOptions } | undefined = undefined;
  /** What `getPeerCertificate` returns, for a test to set. */
  peerCertificate: Uint8Array | undefined = undefined;
  /** For a test to set. */
  negotiatedProtocol: string | undefined = undefined;
  #written: Uint8Array[] = [];
  #noDelay = true;
  #keepAlive = false;

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

  /** `write` for each piece in order; always true. */
  writeSequence(pieces: Iterable<Uint8Array | string>): boolean {
    for (const piece of pieces) this.write(piece);
    return true;
  }

  /** Notes it in `disconnecting`, and does nothing else. */
  loseConnection(): void {
    this.disconnecting = true;
  }

  /** Notes it in `disconnected` and `disconnecting`. */
  abortConnection(): void {
    this.disconnected = true;
    this.loseConnection();
  }

  /** Notes it in `writeDisconnecting`. */
  loseWriteConnection(): void {
    this.writeDisconnecting = true;
  }

  /** `hostAddress`. */
  getHost(): Address {
    return this.hostAddress;
  }

  /** `peerAddress`. */
  getPeer(): Address {
    return this.peerAddress;
  }

  /** What was set; true by default, as on a connection. */
  getTcpNoDelay(): boolean {
    return this.#noDelay;
  }

  /** Remembers it, for `getTcpNoDelay`. */
  setTcpNoDelay(enabled: boolean): void {
    this.#noDelay = enabled;
  }

  /** What was set; false by default, as on a connection. */
  getTcpKeepAlive(): boolean {
    return this.#keepAlive;
  }

  /** Remembers it, for `getTcpKeepAlive`. */
  setTcpKeepAlive(enabled: boolean): void {
    this.#keepAlive = enabled;
  }

  /** Notes it in `startedTLS`; nothing is encrypted, and no handshake is completed. */
  startTLS(tls: TLSOptions, options: StartTLSOptions = {}): void {
    this.startedTLS = { tls, options };
  }

  /** `peerCertificate`. */
  getPeerCertificate(): Uint8Array | undefined {
    return this.peerCertificate;
  }

  /** Keeps it in `producer` and `streaming`, and never calls it. Throws an `Error` if there is one already. */
  registerProducer(producer: PushProducer, streaming: true): void;
  /** The same, for a pull producer. */
  registerProducer(producer: PullProducer, streaming: false): void;
  registerProducer(producer: PushProducer | PullProducer, streaming: boolean): void {
    requireMethods('producer', producer, ['resumeProducing', 'stopProducing']);
    if (this.producer !== undefined) throw new Error('a producer is registered already');
    this.producer = producer;
    this.streaming = streaming;
  }

  /** Forgets the producer; harmless if there is none. */
  unregisterProducer(): void {
    this.producer = undefined;
    this.streaming = undefined;
  }

  /** Notes it in `producerState`, unless the transport is being closed. */
  pauseProducing(): void {
    this.#setProducerState('paused');
  }

  /** Notes it in `producerState`, unless the transport is being closed. */
  resumeProducing(): void {
    this.#setProducerState('producing');
  }

  /** Notes it in `producerState`, and is `loseConnection` beside. */
  stopProducing(): void {
    this.producerState = 'stopped';
    this.loseConnection();
  }

  /** As on a connection, these do nothing any more once it is being closed. */
  #setProducerState(state: 'producing' | 'paused'): void {
    if (!this.disconnecting && this.producerState !== 'stopped') this.producerState = state;
  }
}
