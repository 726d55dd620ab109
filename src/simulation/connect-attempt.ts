import type { SystemError } from '../interfaces/platform.ts';
import type { StreamConnectHandle, StreamConnectListener } from '../interfaces/stream-platform.ts';
import type { ScheduledEvent } from './event-queue.ts';
import type { Scheduler } from './scheduler.ts';
import { VirtualSystemError } from './system-error.ts';
import type { VirtualStream } from './virtual-stream.ts';

/** How long a system waits for an answer before ETIMEDOUT: Linux by default asks seven times in so long. */
export const CONNECT_TIMEOUT_SECONDS = 127;

/**
 * An attempt to connect, on the side that makes it.
 *
 * It is `requested`, then `accepted` by the target while the answer is on its way back, then `over`: made, failed or
 * cancelled. One that waits for an answer that will not come is `ignored` until the system gives up.
 */
type Stage =
  | { readonly name: 'requested' }
  | { readonly name: 'accepted'; readonly stream: VirtualStream }
  | { readonly name: 'ignored'; readonly giveUp: ScheduledEvent }
  | { readonly name: 'over' };

const OVER: Stage = { name: 'over' };

export class ConnectAttempt implements StreamConnectHandle {
  readonly #scheduler: Scheduler;
  readonly #listener: StreamConnectListener;
  readonly #over: () => void;
  #stage: Stage = { name: 'requested' };
  #releaseLocal: () => void = () => {};

  constructor(scheduler: Scheduler, listener: StreamConnectListener, over: () => void) {
    this.#scheduler = scheduler;
    this.#listener = listener;
    this.#over = over;
  }

  get isPending(): boolean {
    return this.#stage.name !== 'over';
  }

  /** What frees the local address if no stream comes of it; a stream frees it when it is gone. */
  whenGivenUp(releaseLocal: () => void): void {
    this.#releaseLocal = releaseLocal;
  }

  cancel(): void {
    const stage = this.#stage;
    this.#end();
    switch (stage.name) {
      case 'requested':
        this.#releaseLocal();
        return;
      case 'accepted':
        stage.stream.reset();
        return;
      case 'ignored':
        stage.giveUp.cancel();
        this.#releaseLocal();
        return;
      case 'over':
    }
  }

  /** The target has made the stream; its answer is on the way. */
  accepted(stream: VirtualStream): void {
    this.#stage = { name: 'accepted', stream };
  }

  succeed(): void {
    if (this.#stage.name !== 'accepted') return;
    const { stream } = this.#stage;
    this.#end();
    this.#listener.connected(stream);
  }

  fail(error: SystemError): void {
    if (this.#stage.name === 'over') return;
    this.#end();
    this.#releaseLocal();
    this.#listener.connectFailed(error);
  }

  failSoon(error: SystemError): void {
    this.#scheduler.schedule(this.#scheduler.now(), () => {
      this.fail(error);
    });
  }

  failWhenTimedOut(destination: string): void {
    const giveUp = this.#scheduler.schedule(this.#scheduler.now() + CONNECT_TIMEOUT_SECONDS, () => {
      this.fail(new VirtualSystemError('ETIMEDOUT', 'connect', destination));
    });
    this.#stage = { name: 'ignored', giveUp };
  }

  #end(): void {
    this.#stage = OVER;
    this.#over();
  }
}
