import type {
  LivenessPlatform,
  Platform,
  PlatformClock,
  RandomSource,
  SignalPlatform,
  StdioPlatform,
} from '../interfaces/platform.ts';
import type { HostnameResolver } from '../interfaces/resolver.ts';
import type { ProcessPlatform } from '../interfaces/process-platform.ts';
import type { StreamPlatform } from '../interfaces/stream-platform.ts';
import type { ContextPlatform } from '../interfaces/context.ts';
import { LINGER_SECONDS } from './linger.ts';
import { NodeClock } from './node-clock.ts';
import { NodeContext } from './node-context.ts';
import { NodeLiveness } from './liveness.ts';
import { NodeProcesses } from './node-processes.ts';
import { NodeResolver } from './node-resolver.ts';
import { NodeSignals } from './signals.ts';
import { NodeStdio } from './node-stdio.ts';
import { NodeStreams, type ReadingMode } from './node-streams.ts';

/** How a Node platform behaves where there is a choice. */
export interface NodePlatformOptions {
  /**
   * How sockets are read: by `onread`, which costs half as much, or by 'data' events. The default is `onread`;
   * accepted connections fall back to 'data' by themselves on a runtime that does not support it for them.
   */
  readonly reading?: ReadingMode;
  /** For how many seconds a connection that was given up still discards what its peer sends; 2 by default. */
  readonly lingerSeconds?: number;
}

/** The real world: libuv, reached through Node's public modules. One platform serves one reactor. */
export class NodePlatform implements Platform {
  readonly name = 'node';
  readonly clock: PlatformClock = new NodeClock();
  readonly streams: StreamPlatform;
  readonly resolver: HostnameResolver = new NodeResolver();
  readonly random: RandomSource = { next: () => Math.random() };
  readonly processes: ProcessPlatform;
  readonly stdio: StdioPlatform = new NodeStdio();
  readonly signals: SignalPlatform = new NodeSignals();
  readonly liveness: LivenessPlatform = new NodeLiveness();
  readonly context: ContextPlatform = new NodeContext();

  /** Throws `RangeError` for a `lingerSeconds` that is not a finite number of at least 0. */
  constructor(options: NodePlatformOptions = {}) {
    const { reading = 'onread', lingerSeconds = LINGER_SECONDS } = options;
    if (!Number.isFinite(lingerSeconds) || lingerSeconds < 0) {
      throw new RangeError(`lingerSeconds must be a finite number of at least 0, not ${lingerSeconds}`);
    }
    this.streams = new NodeStreams(reading, lingerSeconds);
    this.processes = new NodeProcesses(reading);
  }
}
