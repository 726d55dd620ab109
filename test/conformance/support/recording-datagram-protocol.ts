import type { Buffer } from 'node:buffer';
import {
  DatagramProtocol,
  type DatagramTransport,
  type HookResult,
  type IPv4Address,
  type IPv6Address,
} from 'ropewalk/core';

export type DatagramHookName = 'startProtocol' | 'datagramReceived' | 'connectionRefused' | 'stopProtocol';

/** What a recording protocol does in its hooks besides recording them. */
export interface DatagramHooks {
  readonly startProtocol?: (protocol: RecordingDatagramProtocol) => HookResult;
  readonly datagramReceived?: (
    protocol: RecordingDatagramProtocol,
    data: Buffer,
    address: IPv4Address | IPv6Address,
  ) => HookResult;
  readonly connectionRefused?: (protocol: RecordingDatagramProtocol) => HookResult;
  readonly stopProtocol?: (protocol: RecordingDatagramProtocol) => HookResult;
}

/** Remembers which hooks were called, with what, and whether one was called from inside another. */
export class RecordingDatagramProtocol extends DatagramProtocol {
  declare transport: DatagramTransport;
  readonly calls: DatagramHookName[] = [];
  /** As delivered: not copied. */
  readonly received: { readonly data: Buffer; readonly address: IPv4Address | IPv6Address }[] = [];
  /** Hooks that began before another had returned. */
  readonly nested: string[] = [];
  readonly #hooks: DatagramHooks;
  #running: DatagramHookName | undefined = undefined;

  constructor(hooks: DatagramHooks = {}) {
    super();
    this.#hooks = hooks;
  }

  get texts(): readonly string[] {
    return this.received.map(({ data }) => data.toString());
  }

  /** How often the peer has refused. */
  get refusals(): number {
    return this.calls.filter((call) => call === 'connectionRefused').length;
  }

  override startProtocol(): HookResult {
    return this.#record('startProtocol', () => this.#hooks.startProtocol?.(this));
  }

  override datagramReceived(data: Buffer, address: IPv4Address | IPv6Address): HookResult {
    this.received.push({ data, address });
    return this.#record('datagramReceived', () => this.#hooks.datagramReceived?.(this, data, address));
  }

  override connectionRefused(): HookResult {
    return this.#record('connectionRefused', () => this.#hooks.connectionRefused?.(this));
  }

  override stopProtocol(): HookResult {
    return this.#record('stopProtocol', () => this.#hooks.stopProtocol?.(this));
  }

  #record(hook: DatagramHookName, action: () => HookResult): HookResult {
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
