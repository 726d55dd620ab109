/** Tells observers, and keeps what they throw from everybody else. */
import type { Buffer } from 'node:buffer';
import type { Failure } from '../deferred/failure.ts';
import type { DelayedCall } from '../interfaces/delayed-call.ts';
import type { ObservedConnection, ReactorObserver } from '../interfaces/observer.ts';
import type { OptionalHook } from '../interfaces/protocol.ts';
import type { Transport } from '../interfaces/transport.ts';
import type { Hooks } from './protocol-hooks.ts';

const CONNECTION_EVENTS = ['connectionMade', 'connectionLost', 'dataReceived', 'dataSent', 'hookSlow'] as const;

/** What is needed to watch connections and calls of one reactor. */
export class Observation {
  readonly #observer: ReactorObserver;
  readonly #now: () => number;
  readonly #report: (error: unknown, message: string) => void;

  /** `report` is told what an observer has thrown. */
  constructor(observer: ReactorObserver, now: () => number, report: (error: unknown, message: string) => void) {
    this.#observer = observer;
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
  runCall<T>(call: DelayedCall, run: () => T): T {
    if (this.#observer.delayedCallRun === undefined) return run();
    const started = this.#now();
    const due = call.getTime();
    try {
      return run();
    } finally {
      const seconds = this.#now() - started;
      this.tell(() => this.#observer.delayedCallRun?.(call, started - due, seconds));
    }
  }

  hookSlow(name: string, seconds: number, connection: ObservedConnection | undefined, owner: object | undefined): void {
    this.tell(() => this.#observer.hookSlow?.(name, seconds, connection, owner));
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
  /** As the observer knows it. */
  readonly connection: ObservedConnection;
  readonly #observation: Observation;
  readonly #observer: ReactorObserver;
  readonly #record: ConnectionRecord;

  constructor(observation: Observation, observer: ReactorObserver, record: ConnectionRecord) {
    this.#observation = observation;
    this.#observer = observer;
    this.#record = record;
    this.connection = record;
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
        hooks.makeConnection(transport);
      },
      dataReceived: (data: Buffer): void => {
        record.bytesReceived += data.length;
        observation.tell(() => observer.dataReceived?.(record, data.length));
        hooks.dataReceived(data);
      },
      connectionLost: (reason: Failure): void => {
        hooks.connectionLost(reason);
        observation.tell(() => observer.connectionLost?.(record, reason));
      },
      callIfPresent: (hook: OptionalHook): boolean => hooks.callIfPresent(hook),
      failed: (error: unknown, message: string): void => {
        hooks.failed(error, message);
      },
    };
  }
}
