import type { Buffer } from 'node:buffer';
import type { Failure } from '../deferred/failure.ts';
import type { AnyProtocol, OptionalHook, StreamProtocol } from '../interfaces/protocol.ts';
import type { ObservedConnection } from '../interfaces/observer.ts';
import type { Transport } from '../interfaces/transport.ts';
import { type ErrorReporter, whenRejected } from './error-reporter.ts';
import type { HookWatch } from './hook-watch.ts';

/** The hooks of one protocol, to be called by its connection. None of them throws. */
export interface Hooks {
  makeConnection(transport: Transport): void;
  dataReceived(data: Buffer): void;
  connectionLost(reason: Failure): void;
  /** Calls the hook if the protocol has it, and returns whether it does. It may have one without the others. */
  callIfPresent(hook: OptionalHook): boolean;
  /** As if a hook had thrown it. */
  failed(error: unknown, message: string): void;
}

/** Who is told of what hooks do. */
export interface ProtocolHooksParts {
  readonly errors: ErrorReporter;
  /** Measures them, if anybody wants to know. */
  readonly hookWatch: HookWatch | undefined;
  /** The connection, as an observer knows it. */
  readonly connection: ObservedConnection | undefined;
  readonly hookFailed: (failure: Failure) => void;
}

/**
 * Calls the hooks of one protocol. An error of a hook, thrown or in the promise that it returned, is reported (law 8), and
 * `hookFailed` is told of it; one in `connectionLost` is only reported.
 */
export class ProtocolHooks implements Hooks {
  readonly #protocol: StreamProtocol;
  readonly #parts: ProtocolHooksParts;
  readonly #hookWatch: HookWatch | undefined;

  constructor(protocol: StreamProtocol, parts: ProtocolHooksParts) {
    this.#protocol = protocol;
    this.#parts = parts;
    this.#hookWatch = parts.hookWatch;
  }

  makeConnection(transport: Transport): void {
    const startedAt = this.#hookWatch?.now();
    try {
      this.#watch(this.#protocol.makeConnection(transport), 'connectionMade');
    } catch (error) {
      this.failed(error, 'An error in connectionMade');
    }
    this.#ended(startedAt, 'connectionMade');
  }

  dataReceived(data: Buffer): void {
    const startedAt = this.#hookWatch?.now();
    try {
      const result = this.#protocol.dataReceived(data);
      if (result !== undefined) this.#watch(result, 'dataReceived');
    } catch (error) {
      this.failed(error, 'An error in dataReceived');
    }
    this.#ended(startedAt, 'dataReceived');
  }

  connectionLost(reason: Failure): void {
    const startedAt = this.#hookWatch?.now();
    this.#parts.errors.guard('An error in connectionLost', () => this.#protocol.connectionLost(reason));
    this.#ended(startedAt, 'connectionLost');
  }

  callIfPresent(hook: OptionalHook): boolean {
    const protocol: AnyProtocol = this.#protocol;
    if (typeof protocol[hook] !== 'function') return false;
    const startedAt = this.#hookWatch?.now();
    try {
      this.#watch(protocol[hook](), hook);
    } catch (error) {
      this.failed(error, `An error in ${hook}`);
    }
    this.#ended(startedAt, hook);
    return true;
  }

  failed(error: unknown, message: string): void {
    this.#parts.hookFailed(this.#parts.errors.report(error, message));
  }

  #ended(startedAt: number | undefined, hook: string): void {
    if (startedAt !== undefined) this.#hookWatch?.ended(startedAt, hook, this.#protocol, this.#parts.connection);
  }

  /** A hook may be async: its promise, if rejected, is an error of the hook. */
  #watch(result: unknown, hook: string): void {
    whenRejected(result, (error) => {
      this.failed(error, `An error in ${hook}`);
    });
  }
}
