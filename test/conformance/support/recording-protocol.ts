import { Buffer } from 'node:buffer';
import {
  type Failure,
  type HalfCloseableProtocol,
  type HandshakeListener,
  type HookResult,
  Protocol,
  type Transport,
} from 'ropewalk/core';

export type HookName =
  | 'connectionMade'
  | 'handshakeCompleted'
  | 'dataReceived'
  | 'readConnectionLost'
  | 'writeConnectionLost'
  | 'connectionLost';

/** What a recording protocol does in its hooks besides recording them. */
export interface Hooks {
  readonly connectionMade?: (protocol: RecordingProtocol) => HookResult;
  /** Of those that have the hook. */
  readonly handshakeCompleted?: (protocol: RecordingProtocol) => HookResult;
  readonly dataReceived?: (protocol: RecordingProtocol, data: Buffer) => HookResult;
  readonly readConnectionLost?: (protocol: RecordingProtocol) => HookResult;
  readonly writeConnectionLost?: (protocol: RecordingProtocol) => HookResult;
  readonly connectionLost?: (protocol: RecordingProtocol, reason: Failure) => HookResult;
}

/** Remembers which hooks were called, with what, and whether one was called from inside another. */
export class RecordingProtocol extends Protocol {
  declare transport: Transport;
  readonly calls: HookName[] = [];
  /** As delivered: not copied. */
  readonly chunks: Buffer[] = [];
  /** Hooks that began before another had returned; law 7 wants none. */
  readonly nested: string[] = [];
  reason: Failure | undefined = undefined;
  protected readonly hooks: Hooks;
  #running: HookName | undefined = undefined;

  constructor(hooks: Hooks = {}) {
    super();
    this.hooks = hooks;
  }

  get isLost(): boolean {
    return this.calls.includes('connectionLost');
  }

  /** The error of the reason. */
  get lostBy(): Error | undefined {
    return this.reason?.value;
  }

  get receivedBytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  get received(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return this.received.toString();
  }

  override connectionMade(): HookResult {
    return this.record('connectionMade', () => this.hooks.connectionMade?.(this));
  }

  override dataReceived(data: Buffer): HookResult {
    this.chunks.push(data);
    return this.record('dataReceived', () => this.hooks.dataReceived?.(this, data));
  }

  override connectionLost(reason: Failure): HookResult {
    this.reason = reason;
    return this.record('connectionLost', () => this.hooks.connectionLost?.(this, reason));
  }

  protected record(hook: HookName, action: () => HookResult): HookResult {
    const outer = this.#running;
    if (outer !== undefined) this.nested.push(`${hook} inside ${outer}`);
    this.calls.push(hook);
    this.#running = hook;
    try {
      return action();
    } finally {
      this.#running = outer;
    }
  }
}

/** One that opts in to half-closed connections. */
export class HalfCloseRecordingProtocol extends RecordingProtocol implements HalfCloseableProtocol {
  readConnectionLost(): HookResult {
    return this.record('readConnectionLost', () => this.hooks.readConnectionLost?.(this));
  }

  writeConnectionLost(): HookResult {
    return this.record('writeConnectionLost', () => this.hooks.writeConnectionLost?.(this));
  }
}

/** One that is told of handshakes. */
export class SecureRecordingProtocol extends RecordingProtocol implements HandshakeListener {
  handshakeCompleted(): HookResult {
    return this.record('handshakeCompleted', () => this.hooks.handshakeCompleted?.(this));
  }
}

/** One that opts in to both. */
export class SecureHalfCloseProtocol extends HalfCloseRecordingProtocol implements HandshakeListener {
  handshakeCompleted(): HookResult {
    return this.record('handshakeCompleted', () => this.hooks.handshakeCompleted?.(this));
  }
}
