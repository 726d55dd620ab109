import type { Buffer } from 'node:buffer';
import type { Failure } from '../deferred/failure.ts';
import type {
  DrainableProtocol,
  HalfCloseableProtocol,
  HandshakeListener,
  StreamProtocol,
} from '../interfaces/protocol.ts';
import type { Transport } from '../interfaces/transport.ts';
import { type ErrorReporter, whenRejected } from './error-reporter.ts';

/** The hooks that a protocol need not have. */
export type OptionalHook = 'readConnectionLost' | 'writeConnectionLost' | 'handshakeCompleted' | 'connectionDraining';

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

type OptionalHooks = Partial<HalfCloseableProtocol & HandshakeListener & DrainableProtocol>;

/**
 * Calls the hooks of one protocol. An error of a hook, thrown or in the promise that it returned, is reported (law 8), and
 * `hookFailed` is told of it; one in `connectionLost` is only reported.
 */
export class ProtocolHooks implements Hooks {
  readonly #protocol: StreamProtocol;
  readonly #errors: ErrorReporter;
  readonly #hookFailed: (failure: Failure) => void;

  constructor(protocol: StreamProtocol, errors: ErrorReporter, hookFailed: (failure: Failure) => void) {
    this.#protocol = protocol;
    this.#errors = errors;
    this.#hookFailed = hookFailed;
  }

  makeConnection(transport: Transport): void {
    try {
      this.#watch(this.#protocol.makeConnection(transport), 'connectionMade');
    } catch (error) {
      this.failed(error, 'An error in connectionMade');
    }
  }

  dataReceived(data: Buffer): void {
    try {
      const result = this.#protocol.dataReceived(data);
      if (result !== undefined) this.#watch(result, 'dataReceived');
    } catch (error) {
      this.failed(error, 'An error in dataReceived');
    }
  }

  connectionLost(reason: Failure): void {
    this.#errors.guard('An error in connectionLost', () => this.#protocol.connectionLost(reason));
  }

  callIfPresent(hook: OptionalHook): boolean {
    const protocol: OptionalHooks = this.#protocol;
    if (typeof protocol[hook] !== 'function') return false;
    try {
      this.#watch(protocol[hook](), hook);
    } catch (error) {
      this.failed(error, `An error in ${hook}`);
    }
    return true;
  }

  failed(error: unknown, message: string): void {
    this.#hookFailed(this.#errors.report(error, message));
  }

  /** A hook may be async: its promise, if rejected, is an error of the hook. */
  #watch(result: unknown, hook: string): void {
    whenRejected(result, (error) => {
      this.failed(error, `An error in ${hook}`);
    });
  }
}
