import type { Lingering } from '../interfaces/stream-platform.ts';
import type { VirtualStreamsParts } from './virtual-streams.ts';

/** The end of streams that are not the world's own, in the time of the world. */
export class VirtualLingering implements Lingering {
  readonly seconds: number;
  readonly bytes: number;
  readonly #scheduler: VirtualStreamsParts['scheduler'];

  constructor({ scheduler, limits }: Pick<VirtualStreamsParts, 'scheduler' | 'limits'>) {
    this.seconds = limits.lingerSeconds;
    this.bytes = limits.lingerBytesMax;
    this.#scheduler = scheduler;
  }

  begin(giveUp: () => void): Disposable {
    const event = this.#scheduler.schedule(this.#scheduler.now() + this.seconds, giveUp);
    return { [Symbol.dispose]: () => event.cancel() };
  }
}
