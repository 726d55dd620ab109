import { UNIXAddress } from '../addresses.ts';
import { Channel, PerfectLink } from './link.ts';
import type { Scheduler } from './scheduler.ts';
import { type StreamEndParts, type StreamLimits, VirtualStream } from './virtual-stream.ts';

/** What pipes are made of. */
export interface VirtualPipeParts {
  readonly scheduler: Scheduler;
  readonly limits: StreamLimits;
}

/** The two ends of a pipe. */
export interface VirtualPipe {
  readonly near: VirtualStream;
  readonly far: VirtualStream;
}

/** How a pipe ends. */
export interface VirtualPipeOptions {
  /** Whether either end can be torn off, so that the other finds it broken. */
  readonly canBreak: boolean;
  /** Whether the near end, when it is closed, goes on for a while to discard what comes; otherwise it is torn off. */
  readonly lingers: boolean;
  /** Called for each end when it is gone. */
  readonly gone: () => void;
}

/** A pipe in memory: two ends of a stream, on the same host. */
export function createPipe({ scheduler, limits }: VirtualPipeParts, options: VirtualPipeOptions): VirtualPipe {
  const link = new PerfectLink(scheduler);
  const partsOfEnd = (): StreamEndParts => ({
    scheduler,
    limits,
    localAddress: new UNIXAddress(undefined),
    remoteAddress: new UNIXAddress(undefined),
    toPeer: new Channel(link),
    canReset: options.canBreak,
    gone: options.gone,
  });
  const near = options.lingers ? new VirtualStream(partsOfEnd()) : new AbruptStream(partsOfEnd());
  const far = new VirtualStream(partsOfEnd());
  VirtualStream.join(near, far);
  return { near, far };
}

/** One that is not interested in what comes after it was closed. */
class AbruptStream extends VirtualStream {
  override close(): void {
    this.reset();
  }
}
