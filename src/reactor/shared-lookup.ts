/**
 * One lookup under way, and all who wait for it.
 *
 *     pending ──resolutionComplete──▶ over
 *        ╰──the last asker cancels──▶ over (the resolver's lookup is cancelled)
 *
 * Whoever joins late is told what has been found so far together with the next report, so that nobody is told anything
 * from inside the call by which it asked.
 */
import type { Address } from '../addresses.ts';
import { Failure } from '../deferred/failure.ts';
import type { HostnameResolver, HostResolution, ResolutionReceiver, ResolveOptions } from '../interfaces/resolver.ts';
import type { ReactorTime } from '../interfaces/time.ts';
import type { ResolutionAnswer } from './scheduled-resolution.ts';

/** One who waits. */
interface Asker {
  readonly receiver: ResolutionReceiver;
  /** An address as this asker wants it: with its port. */
  readonly adapt: (address: Address) => Address;
  /** How many of the addresses found it has been told. */
  toldCount: number;
}

export class SharedLookup {
  readonly #clock: ReactorTime;
  readonly #over: (answer: ResolutionAnswer | undefined) => void;
  readonly #askers = new Set<Asker>();
  readonly #found: Address[] = [];
  #state: 'pending' | 'over' = 'pending';
  #resolution: HostResolution | undefined;

  /** `over` is called once, with the answer, or with undefined if nobody wants it any more; before the askers hear of it. */
  constructor(clock: ReactorTime, over: (answer: ResolutionAnswer | undefined) => void) {
    this.#clock = clock;
    this.#over = over;
  }

  /** Asks the resolver. To be called once, when the first asker has joined. */
  start(resolver: HostnameResolver, hostName: string, options: ResolveOptions): void {
    const receiver: ResolutionReceiver = {
      resolutionBegan: (resolution) => {
        this.#resolution = resolution;
      },
      addressResolved: (address) => {
        if (this.#state === 'over') return;
        this.#found.push(address);
        this.#tellAll();
      },
      resolutionComplete: (cause) => {
        this.#complete(cause);
      },
    };
    try {
      this.#resolution = resolver.resolveHostName(receiver, hostName, options);
    } catch (error) {
      // A resolver that breaks its contract; whoever asks still gets an answer, and not from inside the call.
      this.#clock.callLater(0, () => {
        this.#complete(new Failure(error).value);
      });
    }
  }

  /** One more waits. What is returned makes it leave; harmless once it has been told all. */
  join(receiver: ResolutionReceiver, adapt: (address: Address) => Address): () => void {
    const asker: Asker = { receiver, adapt, toldCount: 0 };
    this.#askers.add(asker);
    return () => {
      this.#askers.delete(asker);
      if (this.#askers.size > 0 || this.#state === 'over') return;
      this.#state = 'over';
      this.#over(undefined);
      this.#resolution?.cancel();
    };
  }

  #complete(cause: Error | undefined): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#over({ addresses: this.#found, cause });
    this.#tellAll();
    for (const asker of [...this.#askers]) {
      // Another asker's hook may have made it leave.
      if (!this.#askers.delete(asker)) continue;
      this.#guard(() => {
        asker.receiver.resolutionComplete(cause);
      });
    }
  }

  #tellAll(): void {
    for (const asker of [...this.#askers]) {
      while (this.#askers.has(asker)) {
        const address = this.#found[asker.toldCount];
        if (address === undefined) break;
        asker.toldCount += 1;
        this.#guard(() => {
          asker.receiver.addressResolved(asker.adapt(address));
        });
      }
    }
  }

  /** An error of one asker goes to the clock, as that of a delayed call, and keeps nothing from the others. */
  #guard(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#clock.callLater(0, () => {
        throw error;
      });
    }
  }
}
