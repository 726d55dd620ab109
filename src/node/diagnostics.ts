import { channel, type Channel } from 'node:diagnostics_channel';
import type { ReactorObserver } from '../interfaces/observer.ts';

/** The channels of `node:diagnostics_channel`, by the method of an observer whose arguments they carry as one object. */
const CHANNELS = {
  connectionMade: channel('ropewalk:connection:made'),
  connectionLost: channel('ropewalk:connection:lost'),
  dataReceived: channel('ropewalk:data:received'),
  dataSent: channel('ropewalk:data:sent'),
  delayedCallRun: channel('ropewalk:delayed-call:run'),
  hookSlow: channel('ropewalk:hook:slow'),
  errorReported: channel('ropewalk:error'),
} as const satisfies Record<keyof ReactorObserver, Channel>;

/**
 * Publishes what an observer is told on channels that anybody in the process may subscribe to, and tells the reactor's own
 * observer as well. A channel without subscribers costs nothing: as long as nobody wants to know, the method is not there.
 */
export class DiagnosticsObserver implements ReactorObserver {
  readonly #own: ReactorObserver;

  constructor(own: ReactorObserver = {}) {
    this.#own = own;
  }

  get connectionMade(): ReactorObserver['connectionMade'] {
    return this.#method('connectionMade', (connection) => ({ connection }));
  }

  get connectionLost(): ReactorObserver['connectionLost'] {
    return this.#method('connectionLost', (connection, reason) => ({ connection, reason }));
  }

  get dataReceived(): ReactorObserver['dataReceived'] {
    return this.#method('dataReceived', (connection, bytes) => ({ connection, bytes }));
  }

  get dataSent(): ReactorObserver['dataSent'] {
    return this.#method('dataSent', (connection, bytes) => ({ connection, bytes }));
  }

  get delayedCallRun(): ReactorObserver['delayedCallRun'] {
    return this.#method('delayedCallRun', (call, lateSeconds, seconds) => ({ call, lateSeconds, seconds }));
  }

  get hookSlow(): ReactorObserver['hookSlow'] {
    return this.#method('hookSlow', (name, seconds, connection, owner) => ({ name, seconds, connection, owner }));
  }

  get errorReported(): ReactorObserver['errorReported'] {
    return this.#method('errorReported', (failure, message) => ({ failure, message }));
  }

  /** The method of that name, if anybody is to be told. */
  #method<Name extends keyof ReactorObserver>(
    name: Name,
    messageOf: (...args: Parameters<NonNullable<ReactorObserver[Name]>>) => object,
  ): ((...args: Parameters<NonNullable<ReactorObserver[Name]>>) => void) | undefined {
    const own = this.#own;
    const events = CHANNELS[name];
    // The compiler does not see that one name picks out one signature.
    const tellOwn = own[name] as ((...args: unknown[]) => void) | undefined;
    if (!events.hasSubscribers) return tellOwn && ((...args) => Reflect.apply(tellOwn, own, args));
    return (...args) => {
      events.publish(messageOf(...args));
      if (tellOwn !== undefined) Reflect.apply(tellOwn, own, args);
    };
  }
}
