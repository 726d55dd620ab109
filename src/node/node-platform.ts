import type { DatagramPlatform } from '../interfaces/datagram-platform.ts';
import type {
  LivenessPlatform,
  Platform,
  PlatformClock,
  RandomSource,
  SignalPlatform,
  StdioPlatform,
} from '../interfaces/platform.ts';
import type { HostnameResolver } from '../interfaces/resolver.ts';
import type { AdoptionPlatform } from '../interfaces/adoption-platform.ts';
import type { ProcessPlatform } from '../interfaces/process-platform.ts';
import type { Lingering, StreamPlatform } from '../interfaces/stream-platform.ts';
import type { TLSEngine } from '../interfaces/tls-engine.ts';
import { requireIntegerFrom } from '../arguments.ts';
import type { ContextPlatform } from '../interfaces/context.ts';
import { DEFAULT_LINGER_BYTES, DEFAULT_LINGER_SECONDS } from '../stream-defaults.ts';
import { NodeLingering } from './linger.ts';
import { NodeAdoption } from './node-adoption.ts';
import { NodeClock } from './node-clock.ts';
import { NodeContext } from './node-context.ts';
import { NodeDatagrams } from './node-datagrams.ts';
import { NodeLiveness } from './liveness.ts';
import { NodeProcesses } from './node-processes.ts';
import { NodeResolver } from './node-resolver.ts';
import { NodeSignals } from './signals.ts';
import { NodeStdio } from './node-stdio.ts';
import { NodeStreams, type ReadingMode } from './node-streams.ts';
import { nodeTLS } from './tls/node-tls.ts';

/** How a Node platform behaves where there is a choice. */
export interface NodePlatformOptions {
  /**
   * How sockets are read: by `onread`, which costs half as much, or by 'data' events. The default is `onread`;
   * accepted connections fall back to 'data' by themselves on a runtime that does not support it for them.
   */
  readonly reading?: ReadingMode;
  /**
   * For how many seconds a connection that was given up still discards what its peer sends, so that unread input does not
   * turn into a reset which destroys what was sent; 2 by default. 0 closes at once.
   */
  readonly lingerSeconds?: number;
  /** How many bytes of it are discarded before the connection is closed all the same; 1,048,576 (1 MiB) by default. */
  readonly lingerBytes?: number;
  /** How TLS is spoken; `nodeTLS()` by default. */
  readonly tls?: TLSEngine;
}

/** The real world: libuv, reached through Node's public modules. One platform serves one reactor. */
export class NodePlatform implements Platform {
  readonly name = 'node';
  readonly clock: PlatformClock = new NodeClock();
  readonly streams: StreamPlatform;
  readonly datagrams: DatagramPlatform = new NodeDatagrams();
  readonly resolver: HostnameResolver = new NodeResolver();
  readonly random: RandomSource = { next: () => Math.random() };
  readonly processes: ProcessPlatform;
  readonly stdio: StdioPlatform = new NodeStdio();
  readonly signals: SignalPlatform = new NodeSignals();
  readonly liveness: LivenessPlatform = new NodeLiveness();
  readonly context: ContextPlatform = new NodeContext();
  readonly tls: TLSEngine;
  readonly lingering: Lingering;
  /** Absent on Windows, whose sockets have no descriptors in Node. */
  readonly adoption?: AdoptionPlatform;

  /** Throws `RangeError` for a `lingerSeconds` that is not a finite number of at least 0, and for a `lingerBytes` that is no count. */
  constructor(options: NodePlatformOptions = {}) {
    const { reading = 'onread', tls = nodeTLS() } = options;
    const { lingerSeconds = DEFAULT_LINGER_SECONDS, lingerBytes = DEFAULT_LINGER_BYTES } = options;
    if (!Number.isFinite(lingerSeconds) || lingerSeconds < 0) {
      throw new RangeError(`lingerSeconds must be a finite number of at least 0, not ${lingerSeconds}`);
    }
    requireIntegerFrom('lingerBytes', lingerBytes, 0);
    this.lingering = new NodeLingering(lingerSeconds, lingerBytes);
    const streams = new NodeStreams(reading, this.lingering);
    this.streams = streams;
    this.tls = tls;
    this.processes = new NodeProcesses(reading);
    if (process.platform !== 'win32') this.adoption = new NodeAdoption(streams);
  }
}
