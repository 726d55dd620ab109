import type { DelayedCall } from '../../interfaces/delayed-call.ts';
import type { ReactorTime } from '../../interfaces/time.ts';

/**
 * Tells when nothing has happened for some time. Activity only takes a note; the delayed call looks at the note when it
 * is due, and goes on waiting for the rest.
 */
export class IdleTimer {
  readonly #clock: ReactorTime;
  readonly #idled: () => void;
  /** 0: never. */
  #seconds = 0;
  #lastActive = 0;
  #call: DelayedCall | undefined;

  constructor(clock: ReactorTime, idled: () => void) {
    this.#clock = clock;
    this.#idled = idled;
  }

  get seconds(): number {
    return this.#seconds;
  }

  /** Begins to wait anew, for so long; 0 is not to wait. */
  set(seconds: number): void {
    this.stop();
    this.#seconds = seconds;
    this.active();
  }

  /** Something has happened. After it has told, the timer waits again only from here on. */
  active(): void {
    if (this.#seconds === 0) return;
    this.#lastActive = this.#clock.seconds();
    this.#call ??= this.#clock.callLater(this.#seconds, () => this.#due());
  }

  stop(): void {
    this.#call?.[Symbol.dispose]();
    this.#call = undefined;
    this.#seconds = 0;
  }

  #due(): void {
    this.#call = undefined;
    const left = this.#lastActive + this.#seconds - this.#clock.seconds();
    if (left > 0) this.#call = this.#clock.callLater(left, () => this.#due());
    else this.#idled();
  }
}
