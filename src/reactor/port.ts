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
import { CannotListenError, NotListeningError } from '../errors.ts';
import type { ListeningPort } from '../interfaces/listening-port.ts';
import type { SystemError } from '../interfaces/platform.ts';
import type { ProtocolFactory, StreamProtocol } from '../interfaces/protocol.ts';
import type {
  ListenTarget,
  StreamHandle,
  StreamListenHandle,
  StreamListenListener,
} from '../interfaces/stream-platform.ts';
import { Connection } from './connection.ts';
import type { ReactorParts } from './reactor-parts.ts';

type State =
  | { readonly name: 'idle'; readonly error: CannotListenError | undefined }
  | { readonly name: 'binding'; readonly handle: StreamListenHandle }
  | { readonly name: 'listening'; readonly handle: StreamListenHandle; readonly address: Address }
  | { readonly name: 'closing' };

export class Port implements ListeningPort, StreamListenListener {
  readonly #parts: ReactorParts;
  readonly #target: ListenTarget;
  readonly #factory: ProtocolFactory;
  #state: State = { name: 'idle', error: undefined };
  #heldConnections = 0;
  #listenWaiters: Deferred<ListeningPort>[] = [];
  #closeWaiters: Deferred<void>[] = [];

  constructor(parts: ReactorParts, target: ListenTarget, factory: ProtocolFactory) {
    this.#parts = parts;
    this.#target = target;
    this.#factory = factory;
  }

  getHost(): Address {
    if (this.#state.name === 'listening') return this.#state.address;
    throw new NotListeningError(`Not bound: ${this.toString()}`);
  }

  startListening(): void {
    if (this.#state.name !== 'idle') {
      throw this.#cannotListen(new Error(`the port is ${this.#state.name} already`));
    }
    this.#factory.doStart();
    this.#parts.ports.add(this);
    this.#state = { name: 'binding', handle: this.#parts.platform.streams.listen(this.#target, this) };
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

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.stopListening();
  }

  /** For people: the address, and what it is doing unless it listens. */
  toString(): string {
    const { name } = this.#state;
    if (name === 'listening') return `port ${describeAddress(this.#state.address)}`;
    const { kind } = this.#target;
    const asked = kind === 'tcp' ? `${String(this.#target.port)} of ${this.#target.host}` : `at ${this.#target.path}`;
    return `port ${asked} (${name})`;
  }

  // ------------------------------------------------------------------------------------------- what the handle reports

  listening(address: Address): void {
    if (this.#state.name !== 'binding') return;
    this.#state = { name: 'listening', handle: this.#state.handle, address };
    const waiters = this.#listenWaiters;
    this.#listenWaiters = [];
    this.#parts.loop.deliverAlways(() => {
      for (const waiter of waiters) waiter.callback(this);
    });
  }

  listenFailed(error: SystemError): void {
    if (this.#state.name !== 'binding') return;
    const cannotListen = this.#cannotListen(error);
    const isAwaited = this.#listenWaiters.length > 0;
    this.#parts.loop.deliverAlways(() => {
      this.#becomeIdle(cannotListen);
      this.#failListenWaiters(cannotListen);
    });
    if (!isAwaited) this.#parts.errors.report(cannotListen, 'A port failed to listen, and nobody asked whether it did');
  }

  accepted(handle: StreamHandle): void {
    const { loop } = this.#parts;
    if (loop.running) {
      loop.deliver(() => {
        this.#serve(handle);
      });
      return;
    }
    if (this.#heldConnections >= this.#target.backlog) {
      handle.close();
      return;
    }
    this.#heldConnections += 1;
    loop.hold(() => {
      this.#heldConnections -= 1;
      this.#serve(handle);
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

  #serve(handle: StreamHandle): void {
    let protocol: StreamProtocol | null;
    try {
      protocol = this.#factory.buildProtocol(handle.remoteAddress);
    } catch (error) {
      this.#parts.errors.report(error, 'An error in buildProtocol');
      protocol = null;
    }
    if (protocol === null) handle.close();
    else new Connection(this.#parts, handle, protocol, () => undefined).start();
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
    this.#parts.errors.guard('An error in doStop', () => {
      this.#factory.doStop();
    });
  }

  #failListenWaiters(error: CannotListenError): void {
    const waiters = this.#listenWaiters;
    this.#listenWaiters = [];
    for (const waiter of waiters) waiter.errback(new Failure(error));
  }

  #cannotListen(cause: Error): CannotListenError {
    return this.#target.kind === 'tcp'
      ? new CannotListenError(this.#target.host, this.#target.port, cause)
      : new CannotListenError('', this.#target.path, cause);
  }
}

function describeAddress(address: Address): string {
  return address.family === 'UNIX' ? `at ${String(address.name)}` : `${String(address.port)} of ${address.host}`;
}
