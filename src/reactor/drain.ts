import { Deferred } from '../deferred/deferred.ts';
import type { ReactorParts } from './reactor-parts.ts';

/**
 * The time that connections are given to finish when the reactor stops. Ports stop listening, protocols that care are told,
 * and then it lasts until the last connection has gone, or the time is up.
 */
export class Drain {
  readonly #parts: ReactorParts;
  readonly #whenOver = new Deferred<void>();

  /** Begins at once: calls hooks, so it is to be called while the loop dispatches. */
  constructor(parts: ReactorParts, seconds: number) {
    this.#parts = parts;
    const timeout = parts.loop.timers.callLater(seconds, () => {
      this.#end();
    });
    this.#whenOver.addCallback(() => {
      if (timeout.active()) timeout.cancel();
    });
  }

  /** Tells everybody. Fires when it is over. */
  begin(): Deferred<void> {
    for (const port of this.#parts.ports) void port.stopListening();
    for (const connection of [...this.#parts.connections]) connection.drainingBegan();
    this.connectionEnded();
    return this.#whenOver;
  }

  /** A connection has been lost, or one that was to be made has not come about. */
  connectionEnded(): void {
    if (this.#parts.connections.size === 0 && this.#parts.handshakes.size === 0) this.#end();
  }

  #end(): void {
    if (!this.#whenOver.called) this.#whenOver.callback(undefined);
  }
}
