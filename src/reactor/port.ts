/**
 * A listening port.
 *
 *     idle ──▶ binding ──▶ listening ──▶ closing ──▶ idle
 *                 │  ╰──────────────────────▲
 *                 ╰──▶ idle (failed)
 *
 * Binding and closing go on whether or not the reactor runs, and those who wait are told at once; only connections
 * wait for the reactor. Those accepted meanwhile are held unread, as many as the backlog, and the others are closed.
 */
import type { Address } from '../addresses.ts';
import { Deferred } from '../deferred/deferred.ts';
import { Failure } from '../deferred/failure.ts';
import { fail, succeed } from '../deferred/succeed-fail.ts';
import { CannotListenError, NotListeningError, TLSHandshakeTimeoutError } from '../errors.ts';
import type { ListeningPort } from '../interfaces/listening-port.ts';
import type { Logger } from '../interfaces/logger.ts';
import type { SystemError } from '../interfaces/platform.ts';
import type { ProtocolFactory } from '../interfaces/protocol.ts';
import type { TLSHandle, TLSParameters } from '../interfaces/tls-engine.ts';
import type {
  ListenTarget,
  StreamHandle,
  StreamListenHandle,
  StreamListenListener,
} from '../interfaces/stream-platform.ts';
import { buildProtocol } from './build-protocol.ts';
import { Connection } from './connection.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import type { ReactorParts } from './reactor-parts.ts';
import { TLSHandshake } from './tls-handshake.ts';
import { tlsErrorFor } from './tls-errors.ts';

/** A listening socket that somebody else has opened. */
export interface AdoptedTarget {
  readonly kind: 'adopted';
  readonly descriptor: number;
  readonly backlog: number;
  /** Takes it over; throws the second time. */
  readonly adopt: (listener: StreamListenListener) => StreamListenHandle;
}

type State =
  | { readonly name: 'idle'; readonly error: CannotListenError | undefined }
  | { readonly name: 'binding'; readonly handle: StreamListenHandle }
  | { readonly name: 'listening'; readonly handle: StreamListenHandle; readonly address: Address }
  | { readonly name: 'closing' };

/** What bounds a port and its connections. */
export interface PortLimits {
  readonly connections: ConnectionLimits;
  readonly maxConnections: number;
}

/** What makes a port one for TLS. */
export interface PortSecurity {
  /** Asked for each connection. */
  readonly parameters: () => TLSParameters;
  readonly handshakeTimeoutSeconds: number;
}

export class Port implements ListeningPort, StreamListenListener {
  readonly #parts: ReactorParts;
  readonly #target: ListenTarget | AdoptedTarget;
  readonly #factory: ProtocolFactory;
  readonly #limits: PortLimits;
  readonly #security: PortSecurity | undefined;
  #state: State = { name: 'idle', error: undefined };
  /** Connections that wait for the reactor to run. */
  readonly #held = new Set<StreamHandle>();
  /** Those that have been served and are not lost, handshakes included. */
  #connectionCount = 0;
  /** Whether a connection has been refused since the last that was not. */
  #isRefusing = false;
  /** Connections that have no protocol yet. */
  readonly #handshakes = new Set<TLSHandshake>();
  #listenWaiters: Deferred<ListeningPort>[] = [];
  #closeWaiters: Deferred<void>[] = [];

  constructor(
    parts: ReactorParts,
    target: ListenTarget | AdoptedTarget,
    factory: ProtocolFactory,
    limits: PortLimits,
    security?: PortSecurity,
  ) {
    this.#parts = parts;
    this.#target = target;
    this.#factory = factory;
    this.#limits = limits;
    this.#security = security;
  }

  getHost(): Address {
    if (this.#state.name === 'listening') return this.#state.address;
    throw new NotListeningError(`Not bound: ${this.toString()}`);
  }

  startListening(): void {
    if (this.#state.name !== 'idle') {
      throw this.#cannotListen(new Error(`the port is ${this.#state.name} already`));
    }
    this.#parts.errors.watch(this.#factory.doStart(), 'An error in startFactory');
    this.#parts.ports.add(this);
    try {
      const target = this.#target;
      const handle = target.kind === 'adopted' ? target.adopt(this) : this.#parts.platform.streams.listen(target, this);
      this.#state = { name: 'binding', handle };
    } catch (error) {
      this.#becomeIdle(undefined);
      throw error;
    }
  }

  whenListening(): Deferred<ListeningPort> {
    switch (this.#state.name) {
      case 'listening':
        return succeed<ListeningPort>(this);
      case 'idle':
        return fail(this.#state.error ?? this.#cannotListen(new Error('the port has been stopped')));
      case 'closing':
        return fail(this.#cannotListen(new Error('the port is being stopped')));
      case 'binding': {
        const waiter = new Deferred<ListeningPort>();
        this.#listenWaiters.push(waiter);
        return waiter;
      }
    }
  }

  stopListening(): Deferred<void> {
    switch (this.#state.name) {
      case 'idle':
        return succeed(undefined);
      case 'binding':
      case 'listening': {
        const { handle } = this.#state;
        this.#state = { name: 'closing' };
        handle.close();
        this.#closeHeld();
        this.#giveHandshakesUp();
        this.#failListenWaiters(this.#cannotListen(new Error('stopListening was called')));
        break;
      }
      case 'closing':
        break;
    }
    const waiter = new Deferred<void>();
    this.#closeWaiters.push(waiter);
    return waiter;
  }

  get logger(): Logger | undefined {
    return this.#parts.logger;
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.stopListening();
  }

  /** For people: the address, and what it is doing unless it listens. */
  toString(): string {
    const { name } = this.#state;
    if (name === 'listening') return `port ${describeAddress(this.#state.address)}`;
    return `port ${describeTarget(this.#target)} (${name})`;
  }

  // ------------------------------------------------------------------------------------------- what the handle reports

  listening(address: Address): void {
    if (this.#state.name !== 'binding') return;
    this.#state = { name: 'listening', handle: this.#state.handle, address };
    const waiters = this.#listenWaiters;
    this.#listenWaiters = [];
    this.#parts.loop.deliverNow(() => {
      for (const waiter of waiters) waiter.callback(this);
    });
  }

  listenFailed(error: SystemError): void {
    if (this.#state.name !== 'binding') return;
    const cannotListen = this.#cannotListen(error);
    const isAwaited = this.#listenWaiters.length > 0;
    this.#parts.loop.deliverNow(() => {
      this.#becomeIdle(cannotListen);
      this.#failListenWaiters(cannotListen);
    });
    if (!isAwaited) this.#parts.errors.report(cannotListen, 'A port failed to listen, and nobody asked whether it did');
  }

  accepted(handle: StreamHandle): void {
    const { loop } = this.#parts;
    if (this.#connectionCount + this.#held.size >= this.#limits.maxConnections) {
      this.#refuse(handle);
      return;
    }
    this.#isRefusing = false;
    if (!loop.holdsReports) {
      loop.deliver(() => {
        this.#serve(handle);
      });
      return;
    }
    if (this.#held.size >= this.#target.backlog) {
      handle.close();
      return;
    }
    this.#held.add(handle);
    loop.hold(() => {
      if (this.#held.delete(handle)) this.#serve(handle);
    });
  }

  acceptFailed(error: SystemError): void {
    this.#parts.errors.report(error, `The ${this.toString()} could not accept a connection`);
  }

  closed(): void {
    const { loop } = this.#parts;
    if (loop.running) {
      loop.callSoon(() => {
        this.#finishClosing();
      });
    } else {
      this.#finishClosing();
    }
  }

  // --------------------------------------------------------------------------------------------------------- inside

  /** One warning for each time that the limit is reached: a flood of connections must not become a flood of the log. */
  #refuse(handle: StreamHandle): void {
    handle.close();
    if (this.#isRefusing) return;
    this.#isRefusing = true;
    const { maxConnections } = this.#limits;
    this.#parts.logger?.warn(
      { maxConnections },
      `The ${this.toString()} has as many connections as it may; more are closed`,
    );
  }

  #serve(handle: StreamHandle): void {
    this.#connectionCount += 1;
    if (this.#security === undefined) this.#connect(handle, undefined);
    else this.#secure(handle, this.#security);
  }

  /** A connection that fails before it has a protocol is nobody's but the log's. */
  #secure(stream: StreamHandle, { parameters, handshakeTimeoutSeconds }: PortSecurity): void {
    const { logger, errors } = this.#parts;
    const peer = String(stream.remoteAddress);
    const over = (handshake: TLSHandshake): void => {
      this.#handshakes.delete(handshake);
      this.#parts.handshakes.delete(handshake);
    };
    try {
      const handshake = new TLSHandshake(this.#parts, stream, parameters(), handshakeTimeoutSeconds, {
        succeeded: (handle) => {
          over(handshake);
          this.#connect(handle, handle);
        },
        failed: (error) => {
          over(handshake);
          this.#gone();
          const err = error instanceof TLSHandshakeTimeoutError ? error : (tlsErrorFor(error, peer) ?? error);
          logger?.warn({ err, peer }, `A TLS handshake failed on the ${this.toString()}`);
        },
      });
      this.#handshakes.add(handshake);
      this.#parts.handshakes.add(handshake);
    } catch (error) {
      // What the port was given for this connection was not checked when it began to listen.
      stream.reset();
      this.#gone();
      errors.report(error, `The ${this.toString()} has no usable TLS options for a connection`);
    }
  }

  #connect(handle: StreamHandle, tls: TLSHandle | undefined): void {
    const protocol = buildProtocol(this.#parts, this.#factory, handle.remoteAddress);
    if (protocol === null || protocol instanceof Failure) {
      handle.close();
      this.#gone();
      return;
    }
    const origin = { role: 'server', host: undefined, tls, limits: this.#limits.connections } as const;
    new Connection(this.#parts, handle, protocol, this.#gone, origin).start();
  }

  readonly #gone = (): void => {
    this.#connectionCount -= 1;
    this.#parts.drain?.connectionEnded();
  };

  /** Nobody has been told of these connections, and nobody will be. */
  #closeHeld(): void {
    for (const handle of this.#held) handle.close();
    this.#held.clear();
  }

  /** Nor of these; and no protocol is built for a factory that the port is done with. */
  #giveHandshakesUp(): void {
    for (const handshake of this.#handshakes) {
      handshake.cancel();
      this.#parts.handshakes.delete(handshake);
      this.#gone();
    }
    this.#handshakes.clear();
  }

  #finishClosing(): void {
    const waiters = this.#closeWaiters;
    this.#closeWaiters = [];
    this.#becomeIdle(undefined);
    for (const waiter of waiters) waiter.callback(undefined);
  }

  #becomeIdle(error: CannotListenError | undefined): void {
    this.#state = { name: 'idle', error };
    this.#parts.ports.delete(this);
    this.#parts.errors.guard('An error in doStop', () => this.#factory.doStop());
  }

  #failListenWaiters(error: CannotListenError): void {
    const waiters = this.#listenWaiters;
    this.#listenWaiters = [];
    for (const waiter of waiters) waiter.errback(new Failure(error));
  }

  #cannotListen(cause: Error): CannotListenError {
    return this.#target.kind === 'tcp'
      ? new CannotListenError(this.#target.host, this.#target.port, cause)
      : new CannotListenError('', 'path' in this.#target ? this.#target.path : describeTarget(this.#target), cause);
  }
}

function describeTarget(target: ListenTarget | AdoptedTarget): string {
  switch (target.kind) {
    case 'tcp':
      return `${String(target.port)} of ${target.host}`;
    case 'unix':
      return `at ${target.path}`;
    case 'adopted':
      return `descriptor ${String(target.descriptor)}`;
  }
}

function describeAddress(address: Address): string {
  return address.family === 'UNIX' ? `at ${String(address.name)}` : `${String(address.port)} of ${address.host}`;
}
