/**
 * A port for code that waits: `for await` in place of `buildProtocol`.
 *
 *     listening ──close, or the port stops──▶ closed
 *
 * Connections that nobody has taken yet wait in order, each of them paused by itself when enough has come. Those that are lost
 * meanwhile wait no more. A port cannot leave connections with the system: Node accepts whatever comes, and to stop
 * listening would give the address and the system's queue up. So there is a limit to how many may wait, and more are
 * closed at once.
 */
import type { Address } from '../../addresses.ts';
import { requireFunction, requireIntegerFrom, requireMethods } from '../../arguments.ts';
import type { Deferred } from '../../deferred/deferred.ts';
import type { EndpointOptions, StreamServerEndpoint } from '../../interfaces/endpoint.ts';
import type { ListeningPort } from '../../interfaces/listening-port.ts';
import type { Logger } from '../../interfaces/logger.ts';
import type { ProtocolFactory, StreamProtocol } from '../../interfaces/protocol.ts';
import type { Transport } from '../../interfaces/transport.ts';
import { RowLog } from '../../row-log.ts';
import { DEFAULT_BACKLOG } from '../../stream-defaults.ts';
import { AsyncConnection } from './async-connection.ts';

/** What a listener needs to know of a protocol beyond what a reactor does: how to close it. */
export interface ProtocolWithTransport extends StreamProtocol {
  /** There once it is connected. */
  readonly transport: Transport | undefined;
}

/** The options of `AsyncListener.listen`. */
export interface AsyncListenerOptions<P extends ProtocolWithTransport> extends EndpointOptions {
  /** Makes the protocol of a connection with the peer at an address; by default `new AsyncConnection()`. */
  readonly build: (address: Address) => P;
  /**
   * How many connections may wait to be taken, 50 by default, at least 1. More are closed as soon as they are accepted, and the
   * `logger` is told. To have clients wait instead, take connections faster than they come.
   */
  readonly backlog?: number;
  /**
   * Is told of connections that were closed for want of room, of the first of a row by a warning and of the others in detail (`debug`);
   * nobody is by default.
   */
  readonly logger?: Logger;
}

/**
 * Connections to one place where a server listens, one after another:
 *
 *     for await (const connection of await AsyncListener.listen(endpoint)) void talk(connection);
 *
 * The loop ends when the port stops. Leaving it, by `break` or by an error, stops the port, and closes the connections that
 * nobody has taken; those that have been taken live on. One at a time may accept.
 */
export class AsyncListener<P extends ProtocolWithTransport = AsyncConnection>
  implements AsyncIterable<P>, AsyncDisposable
{
  /** For `getHost`, and whatever else a port can do. */
  readonly port: ListeningPort;
  readonly #accepted: AcceptQueue<P>;

  private constructor(port: ListeningPort, accepted: AcceptQueue<P>) {
    this.port = port;
    this.#accepted = accepted;
  }

  /**
   * Listens at an endpoint. Fires when it is bound, and fails, as `endpoint.listen` does. Throws `RangeError` for a `backlog`
   * that cannot be, and `TypeError` for a `logger`.
   */
  static listen(
    endpoint: StreamServerEndpoint,
    options?: Omit<AsyncListenerOptions<AsyncConnection>, 'build'>,
  ): Deferred<AsyncListener>;
  /** The same, for protocols of any class that keeps its transport. */
  static listen<P extends ProtocolWithTransport>(
    endpoint: StreamServerEndpoint,
    options: AsyncListenerOptions<P>,
  ): Deferred<AsyncListener<P>>;
  static listen<P extends ProtocolWithTransport>(
    endpoint: StreamServerEndpoint,
    options: Partial<AsyncListenerOptions<P>> = {},
  ): Deferred<AsyncListener<P>> | Deferred<AsyncListener> {
    const { build, ...others } = options;
    if (build === undefined) return AsyncListener.#listen(endpoint, () => new AsyncConnection(), others);
    requireFunction('build', build);
    return AsyncListener.#listen(endpoint, build, others);
  }

  static #listen<P extends ProtocolWithTransport>(
    endpoint: StreamServerEndpoint,
    build: (address: Address) => P,
    { backlog = DEFAULT_BACKLOG, logger, ...options }: Omit<AsyncListenerOptions<P>, 'build'>,
  ): Deferred<AsyncListener<P>> {
    requireIntegerFrom('backlog', backlog, 1);
    if (logger !== undefined) requireMethods('logger', logger, ['debug', 'info', 'warn', 'error']);
    const accepted = new AcceptQueue(build, backlog, new RowLog(logger));
    return endpoint.listen(accepted, options).addCallback((port) => {
      accepted.port = port;
      return new AsyncListener(port, accepted);
    });
  }

  /** The next connection, or undefined when there will be no more. Throws an `Error` if somebody is accepting already. */
  accept(): Promise<P | undefined> {
    return this.#accepted.take();
  }

  /** Stops the port and closes the connections that nobody has taken; resolves when the port has stopped. */
  async close(): Promise<void> {
    this.#accepted.close();
    await this.port.stopListening();
  }

  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<P, undefined> {
    return new Connections(this);
  }
}

/** The factory: builds, and keeps until somebody takes. */
class AcceptQueue<P extends ProtocolWithTransport> implements ProtocolFactory {
  readonly #build: (address: Address) => P;
  readonly #backlog: number;
  /** Whose connections they are, for the log; undefined until whoever listens has been told. */
  port: ListeningPort | undefined = undefined;
  #waiting: P[] = [];
  /** Those closed for want of room since the last that was not. */
  readonly #refusals: RowLog;
  #taker: ((protocol: P | undefined) => void) | undefined;
  #state: 'listening' | 'closed' = 'listening';

  constructor(build: (address: Address) => P, backlog: number, refusals: RowLog) {
    this.#build = build;
    this.#backlog = backlog;
    this.#refusals = refusals;
  }

  doStart(): void {
    this.#state = 'listening';
  }

  doStop(): void {
    this.close();
  }

  buildProtocol(address: Address): P | null {
    if (this.#state === 'closed') return null;
    if (this.#waiting.length >= this.#backlog) this.#waiting = this.#waiting.filter(isAlive);
    if (this.#waiting.length >= this.#backlog) {
      this.#refuse(address);
      return null;
    }
    this.#refusals.end();
    const protocol = this.#build(address);
    this.#waiting.push(protocol);
    // Whoever waits goes on in a microtask, when it has been connected.
    this.#serveTaker();
    return protocol;
  }

  take(): Promise<P | undefined> {
    if (this.#taker !== undefined) throw new Error('Somebody waits for a connection already: wait for that first');
    return new Promise((resolve) => {
      this.#taker = resolve;
      this.#serveTaker();
    });
  }

  close(): void {
    this.#state = 'closed';
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const protocol of waiting) protocol.transport?.loseConnection();
    this.#serveTaker();
  }

  #refuse(address: Address): void {
    const name = this.port?.toString() ?? 'port';
    const message = `The ${name} has as many connections that nobody takes as may wait; more are closed`;
    this.#refusals.note('refused', { backlog: this.#backlog, peer: String(address) }, message);
  }

  /** The first that is not lost; those before it are dropped. */
  #takeFirst(): P | undefined {
    let protocol = this.#waiting.shift();
    while (protocol !== undefined && !isAlive(protocol)) protocol = this.#waiting.shift();
    return protocol;
  }

  #serveTaker(): void {
    const taker = this.#taker;
    if (taker === undefined) return;
    const protocol = this.#takeFirst();
    if (protocol === undefined && this.#state === 'listening') return;
    this.#taker = undefined;
    taker(protocol);
  }
}

/** One that has not been given its transport yet is about to be. */
function isAlive({ transport }: ProtocolWithTransport): boolean {
  return transport?.connected !== false;
}

/** One loop over the connections to a port. */
class Connections<P extends ProtocolWithTransport> implements AsyncIterableIterator<P, undefined> {
  readonly #listener: AsyncListener<P>;

  constructor(listener: AsyncListener<P>) {
    this.#listener = listener;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<P, undefined>> {
    const value = await this.#listener.accept();
    return value === undefined ? { done: true, value } : { done: false, value };
  }

  async return(): Promise<IteratorResult<P, undefined>> {
    await this.#listener.close();
    return { done: true, value: undefined };
  }
}
