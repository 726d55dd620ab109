import type { Address, HostnameResolver, HostResolution, ResolutionReceiver, ResolveOptions } from 'ropewalk/core';

/** Writes down what it is told, one word or address each. */
export class RecordingReceiver implements ResolutionReceiver {
  readonly events: string[] = [];
  readonly causes: Error[] = [];
  /** Done at each address. */
  onAddress: (() => void) | undefined;

  resolutionBegan(): void {
    this.events.push('began');
  }

  addressResolved(address: Address): void {
    this.events.push(String(address));
    this.onAddress?.();
  }

  resolutionComplete(cause?: Error): void {
    if (cause !== undefined) this.causes.push(cause);
    this.events.push(cause === undefined ? 'complete' : `complete: ${cause.message}`);
  }
}

/** One lookup that a test answers by hand. */
export interface AskedLookup {
  readonly hostName: string;
  readonly options: ResolveOptions;
  readonly receiver: ResolutionReceiver;
  isCancelled: boolean;
}

/** Keeps what it is asked, and answers nothing by itself. */
export class ManualResolver implements HostnameResolver {
  readonly asked: AskedLookup[] = [];

  resolveHostName(receiver: ResolutionReceiver, hostName: string, options: ResolveOptions = {}): HostResolution {
    const lookup: AskedLookup = { hostName, options, receiver, isCancelled: false };
    this.asked.push(lookup);
    const resolution = {
      name: hostName,
      cancel: () => {
        lookup.isCancelled = true;
      },
    };
    receiver.resolutionBegan(resolution);
    return resolution;
  }

  /** The lookup asked for last. */
  get last(): AskedLookup {
    const last = this.asked.at(-1);
    if (last === undefined) throw new Error('nothing has been asked yet');
    return last;
  }
}
