import type { Address } from '../addresses.ts';
import type { DelayedCall } from '../interfaces/delayed-call.ts';
import type { HostResolution, ResolutionReceiver } from '../interfaces/resolver.ts';
import type { ReactorTime } from '../interfaces/time.ts';

/** How a lookup ended. */
export interface ResolutionAnswer {
  readonly addresses: readonly Address[];
  /** Why there are none, where that is known. */
  readonly cause: Error | undefined;
}

/** Gives an answer that is known already: in the next call of the clock, unless it is cancelled before. */
export class ScheduledResolution implements HostResolution {
  readonly name: string;
  #isCancelled = false;
  #call: DelayedCall | undefined;

  /** Tells the receiver that the resolution began, before it returns; the receiver may cancel it there. */
  constructor(clock: ReactorTime, receiver: ResolutionReceiver, name: string, answer: ResolutionAnswer) {
    this.name = name;
    receiver.resolutionBegan(this);
    if (this.#isCancelled) return;
    this.#call = clock.callLater(0, () => {
      this.#call = undefined;
      this.#deliver(receiver, answer);
    });
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#call?.cancel();
    this.#call = undefined;
  }

  #deliver(receiver: ResolutionReceiver, { addresses, cause }: ResolutionAnswer): void {
    for (const address of addresses) {
      receiver.addressResolved(address);
      // Looked at each time, because the receiver may cancel at any address.
      if (this.#isCancelled) return;
    }
    receiver.resolutionComplete(cause);
  }
}
