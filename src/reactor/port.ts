/**
 * A listening port.
 *
 *     idle ──▶ binding ──▶ listening ──▶ closing ──▶ idle
 *                 │  ╰──────────────────────▲
 *                 ╰──▶ idle (failed)
 *
 * Binding and closing go on whether or not the reactor runs, and those who wait are told at once. What becomes of the
 * connections it accepts is another matter (accepted-connections.ts).
 */
import { type Address, printablePath } from '../addresses.ts';
import type { Deferred } from '../deferred/deferred.ts';
import { fail, succeed } from '../deferred/succeed-fail.ts';
import { CannotListenError, NotListeningError } from '../errors.ts';
import type { ListeningPort } from '../interfaces/listening-port.ts';
import type { SystemError } from '../interfaces/platform.ts';
import type { ProtocolFactory } from '../interfaces/protocol.ts';
import type {
  ListenTarget,
  StreamHandle,
  StreamListenHandle,
  StreamListenListener,
} from '../interfaces/stream-platform.ts';
import { AcceptedConnections, type PortSecurity } from './accepted-connections.ts';
import type { PortLimits } from './connection-limits.ts';
import { ListenWaiters } from './listen-waiters.ts';
import type { ReactorParts } from './reactor-parts.ts';

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

export class Port implements ListeningPort, StreamListenListener {
  readonly #parts: ReactorParts;
  readonly #target: ListenTarget | AdoptedTarget;
  readonly #factory: ProtocolFactory;
  readonly #accepted: AcceptedConnections;
  readonly #waiters = new ListenWaiters<ListeningPort>();
  #state: State = { name: 'idle', error: undefined };

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
    const { backlog } = target;
    const toString = (): string => this.toString();
    this.#accepted = new AcceptedConnections(parts, { backlog, factory, limits, security, toString });
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
      case 'binding':
        return this.#waiters.whenListening();
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
        this.#accepted.dropUnconnected();
        this.#waiters.failListening(this.#cannotListen(new Error('stopListening was called')));
        break;
      }
      case 'closing':
        break;
    }
    return this.#waiters.whenClosed();
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
    const waiters = this.#waiters.takeListening();
    this.#parts.loop.deliverNow(() => {
      for (const waiter of waiters) waiter.callback(this);
    });
  }

  listenFailed(error: SystemError): void {
    if (this.#state.name !== 'binding') return;
    const cannotListen = this.#cannotListen(error);
    const waiters = this.#waiters.takeListening();
    this.#parts.loop.deliverNow(() => {
      this.#becomeIdle(cannotListen);
      for (const waiter of waiters) waiter.errback(cannotListen);
    });
    if (waiters.length > 0) return;
    this.#parts.errors.report(cannotListen, 'A port failed to listen, and nobody asked whether it did');
  }

  accepted(handle: StreamHandle): void {
    this.#accepted.add(handle);
  }

  /**
   * The system would not give us a connection that waits to be accepted. That the process has run out of descriptors seldom comes
   * here: libuv keeps one in reserve, accepts by it and closes the connection at once, and Node is told nothing. So this
   * comes when somebody else has taken the reserve meanwhile, on Windows, and for what is rarer still, a lack of memory for
   * instance (`ENOBUFS`, `ENOMEM`). The port goes on in any case. `maxConnections` is how to be told in time.
   */
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

  #finishClosing(): void {
    const waiters = this.#waiters.takeClosing();
    this.#becomeIdle(undefined);
    for (const waiter of waiters) waiter.callback(undefined);
  }

  #becomeIdle(error: CannotListenError | undefined): void {
    this.#state = { name: 'idle', error };
    this.#parts.ports.delete(this);
    this.#parts.errors.callHook('doStop', this.#factory, () => this.#factory.doStop());
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
      return `at ${printablePath(target.path)}`;
    case 'adopted':
      return `descriptor ${String(target.descriptor)}`;
  }
}

function describeAddress(address: Address): string {
  return address.family === 'UNIX'
    ? `at ${printablePath(address.name ?? '')}`
    : `${String(address.port)} of ${address.host}`;
}
