import { Deferred } from '../deferred/deferred.ts';
import type { DelayedCall } from '../interfaces/delayed-call.ts';
import { Port } from './port.ts';
import type { ReactorParts } from './reactor-parts.ts';

/**
 * The time that connections are given to finish when the reactor stops. Ports for connections stop listening, protocols that care
 * are told, and then it lasts until the last connection has gone, or the time is up. Datagrams go on, since what is
 * under way may need them: their ports close when it is over, with all the rest.
 */
export class Drain {
  readonly #parts: ReactorParts;
  readonly #timeout: DelayedCall;
  readonly #whenOver = new Deferred<void>();

  /** Its time runs from now on. */
  constructor(parts: ReactorParts, seconds: number) {
    this.#parts = parts;
    // A function with a name, which `inspect()` shows.
    const drainSecondsAreOver = (): void => {
      this.#end();
    };
    this.#timeout = parts.loop.timers.callLater(seconds, drainSecondsAreOver);
    this.#whenOver.addCallback(() => {
      this.abandon();
    });
  }

  /** Tells everybody. Fires when it is over. Calls hooks, so it is to be called while the loop dispatches. */
  begin(): Deferred<void> {
    for (const port of this.#parts.ports) {
      if (port instanceof Port) void port.stopListening();
    }
    for (const connection of [...this.#parts.connections]) connection.drainingBegan();
    this.connectionEnded();
    return this.#whenOver;
  }

  /** Has it last no longer than so many seconds from now. */
  shorten(seconds: number): void {
    const end = this.#parts.loop.timers.seconds() + seconds;
    if (this.#timeout.active() && this.#timeout.getTime() > end) this.#timeout.reset(seconds);
  }

  /** Nobody waits for it any more. */
  abandon(): void {
    if (this.#timeout.active()) this.#timeout.cancel();
  }

  /** A connection has been lost, or one that was to be made has not come about. */
  connectionEnded(): void {
    if (this.#parts.connections.size === 0 && this.#parts.handshakes.size === 0) this.#end();
  }

  #end(): void {
    if (!this.#whenOver.called) this.#whenOver.callback(undefined);
  }
}
