/** Tells observers, and keeps what they throw from everybody else. */
import type { Buffer } from 'node:buffer';
import type { Failure } from '../deferred/failure.ts';
import type { DelayedCall } from '../interfaces/delayed-call.ts';
import type { ObservedConnection, ReactorObserver } from '../interfaces/observer.ts';
import type { Transport } from '../interfaces/transport.ts';
import type { Hooks, OptionalHook } from './protocol-hooks.ts';

/** A hook that takes less does not count as slow by default: what people begin to notice. */
export const DEFAULT_SLOW_HOOK_SECONDS = 0.1;

const CONNECTION_EVENTS = ['connectionMade', 'connectionLost', 'dataReceived', 'dataSent', 'hookSlow'] as const;

/** What is needed to watch connections and calls of one reactor. */
export class Observation {
  readonly #observer: ReactorObserver;
  readonly #slowHookSeconds: number;
  readonly #now: () => number;
  readonly #report: (error: unknown, message: string) => void;

  /** `report` is told what an observer has thrown. */
  constructor(
    observer: ReactorObserver,
    slowHookSeconds: number,
    now: () => number,
    report: (error: unknown, message: string) => void,
  ) {
    this.#observer = observer;
    this.#slowHookSeconds = slowHookSeconds;
    this.#now = now;
    this.#report = report;
  }

  /** What watches one connection; undefined if there is nobody to be told of it. */
  ofConnection(role: 'client' | 'server', transport: Transport): ConnectionObservation | undefined {
    if (!CONNECTION_EVENTS.some((event) => this.#observer[event] !== undefined)) return undefined;
    const record = new ConnectionRecord(role, transport, this.#now());
    return new ConnectionObservation(this, this.#observer, record);
  }

  /** Runs a delayed call. What it throws comes out. */
  runCall<T>(call: DelayedCall, describe: () => string, run: () => T): T {
    if (this.#observer.delayedCallRun === undefined && this.#observer.hookSlow === undefined) return run();
    const started = this.#now();
    const due = call.getTime();
    const name = describe();
    try {
      return run();
    } finally {
      const seconds = this.#now() - started;
      this.tell(() => this.#observer.delayedCallRun?.(call, started - due, seconds));
      this.hookEnded(name, seconds, undefined);
    }
  }

  /** Runs a hook of a connection, which must not throw. */
  runHook<T>(name: string, connection: ObservedConnection, run: () => T): T {
    if (this.#observer.hookSlow === undefined) return run();
    const started = this.#now();
    const result = run();
    this.hookEnded(name, this.#now() - started, connection);
    return result;
  }

  hookEnded(name: string, seconds: number, connection: ObservedConnection | undefined): void {
    if (seconds < this.#slowHookSeconds) return;
    this.tell(() => this.#observer.hookSlow?.(name, seconds, connection));
  }

  errorReported(failure: Failure, message: string): void {
    this.tell(() => this.#observer.errorReported?.(failure, message));
  }

  /** Calls the observer. What it throws is not told to the observer again. */
  tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#report(error, 'An error in an observer of the reactor');
    }
  }
}

class ConnectionRecord implements ObservedConnection {
  readonly role: 'client' | 'server';
  readonly madeAt: number;
  bytesReceived = 0;
  bytesSent = 0;
  readonly #transport: Transport;

  constructor(role: 'client' | 'server', transport: Transport, madeAt: number) {
    this.role = role;
    this.#transport = transport;
    this.madeAt = madeAt;
  }

  get host(): ObservedConnection['host'] {
    return this.#transport.getHost();
  }

  get peer(): ObservedConnection['peer'] {
    return this.#transport.getPeer();
  }
}

/** Watches one connection. */
export class ConnectionObservation {
  readonly #observation: Observation;
  readonly #observer: ReactorObserver;
  readonly #record: ConnectionRecord;

  constructor(observation: Observation, observer: ReactorObserver, record: ConnectionRecord) {
    this.#observation = observation;
    this.#observer = observer;
    this.#record = record;
  }

  sent(bytes: number): void {
    this.#record.bytesSent += bytes;
    this.#observation.tell(() => this.#observer.dataSent?.(this.#record, bytes));
  }

  /** The hooks of the connection's protocol, with somebody who looks on. */
  watch(hooks: Hooks): Hooks {
    const observation = this.#observation;
    const observer = this.#observer;
    const record = this.#record;
    return {
      makeConnection: (transport: Transport): void => {
        observation.tell(() => observer.connectionMade?.(record));
        observation.runHook('connectionMade', record, () => {
          hooks.makeConnection(transport);
        });
      },
      dataReceived: (data: Buffer): void => {
        record.bytesReceived += data.length;
        observation.tell(() => observer.dataReceived?.(record, data.length));
        observation.runHook('dataReceived', record, () => {
          hooks.dataReceived(data);
        });
      },
      connectionLost: (reason: Failure): void => {
        observation.runHook('connectionLost', record, () => {
          hooks.connectionLost(reason);
        });
        observation.tell(() => observer.connectionLost?.(record, reason));
      },
      callIfPresent: (hook: OptionalHook): boolean =>
        observation.runHook(hook, record, () => hooks.callIfPresent(hook)),
      failed: (error: unknown, message: string): void => {
        hooks.failed(error, message);
      },
    };
  }
}
