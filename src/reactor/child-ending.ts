/**
 * How a child is brought to its end, whatever it does: a signal, and if the program or a pipe is still there after a while,
 * a KILL, which no program can refuse, and the end of the pipes, which another program may hold. Where the system does not let us send the KILL
 * the pipes end all the same, and the child says what becomes of it.
 *
 * What has been asked to end is not to be held up by a reader who does not read: a pipe whose reading is paused when the program has
 * exited is given up.
 */
import { Deferred } from '../deferred/deferred.ts';
import { ProcessExitedAlready } from '../errors.ts';
import type { DelayedCall } from '../interfaces/delayed-call.ts';
import type { StopOrder } from './child-order.ts';
import type { Timers } from './timers.ts';

/** The child, as far as it takes part in its ending. */
export interface EndingChild {
  /** Throws `ProcessExitedAlready` if there is nobody to have it. */
  signal(signal: string | number): void;
  /** Closes all pipes, and drops what they hold. */
  abortPipes(): void;
  /** The KILL could not be sent: this process may not, as where the program runs as another user. The pipes have been closed. */
  killRefused(error: unknown): void;
}

export class ChildEnding {
  readonly #timers: Timers;
  readonly #child: EndingChild;
  /** There while somebody has asked for the end, and it has not come. */
  #killCall: DelayedCall | undefined;
  readonly #waiting: Deferred<void>[] = [];

  constructor(timers: Timers, child: EndingChild) {
    this.#timers = timers;
    this.#child = child;
  }

  /** Whether the end has been asked for, and has not come. */
  get isUnderWay(): boolean {
    return this.#killCall !== undefined;
  }

  /** Sends the signal, and sees to the end if that does not. Throws, and does nothing more, if it cannot be sent. */
  begin({ signal, killAfterSeconds }: StopOrder): void {
    this.signalIfThere(signal);
    this.killAfter(killAfterSeconds);
  }

  /** What has been planned before is not done any more. */
  killAfter(seconds: number): void {
    this.cancel();
    this.#killCall = this.#timers.callLater(seconds, () => {
      this.#kill();
    });
  }

  /** The program runs. What was to be killed before is killed now. */
  started(): void {
    if (this.#killCall?.active() === false) this.#kill();
  }

  /** Sends a signal, and does not mind if nobody is there any more. */
  signalIfThere(signal: string | number): void {
    try {
      this.#child.signal(signal);
    } catch (error) {
      if (!(error instanceof ProcessExitedAlready)) throw error;
    }
  }

  #kill(): void {
    try {
      this.signalIfThere('SIGKILL');
    } catch (error) {
      this.#child.abortPipes();
      this.#child.killRefused(error);
      return;
    }
    this.#child.abortPipes();
  }

  /** Fires when the end has come. */
  wait(): Deferred<void> {
    const ended = new Deferred<void>();
    this.#waiting.push(ended);
    return ended;
  }

  /** Nothing more is to be done: the end is about to be told. */
  cancel(): void {
    if (this.#killCall?.active() === true) this.#killCall.cancel();
    this.#killCall = undefined;
  }

  /** Tells those who wait. */
  ended(): void {
    for (const waiting of this.#waiting.splice(0)) {
      if (!waiting.called) waiting.callback();
    }
  }
}
