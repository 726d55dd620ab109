import { Buffer } from 'node:buffer';
import { type Failure, type HookResult, ProcessProtocol } from 'ropewalk/core';

/** What a recording process protocol does in its hooks besides recording them. */
export interface ProcessHooks {
  readonly connectionMade?: (protocol: RecordingProcessProtocol) => HookResult;
  readonly childDataReceived?: (protocol: RecordingProcessProtocol, childFD: number, data: Buffer) => HookResult;
  readonly childConnectionLost?: (protocol: RecordingProcessProtocol, childFD: number) => HookResult;
  readonly processExited?: (protocol: RecordingProcessProtocol, reason: Failure) => HookResult;
  readonly processEnded?: (protocol: RecordingProcessProtocol, reason: Failure) => HookResult;
}

/** Remembers which hooks were called, with what, and whether one was called from inside another. */
export class RecordingProcessProtocol extends ProcessProtocol {
  /** Data that follows data from the same descriptor is not named again. */
  readonly calls: string[] = [];
  /** Hooks that began before another had returned; law 7 wants none. */
  readonly nested: string[] = [];
  exitReason: Failure | undefined = undefined;
  endReason: Failure | undefined = undefined;
  readonly #chunks = new Map<number, Buffer[]>();
  readonly #losses = new Map<number, Error>();
  readonly #hooks: ProcessHooks;
  #running: string | undefined = undefined;

  constructor(hooks: ProcessHooks = {}) {
    super();
    this.#hooks = hooks;
  }

  get isMade(): boolean {
    return this.calls.includes('connectionMade');
  }

  get isExited(): boolean {
    return this.calls.includes('processExited');
  }

  get isEnded(): boolean {
    return this.calls.includes('processEnded');
  }

  /** The error of the reason of `processEnded`. */
  get endedBy(): Error | undefined {
    return this.endReason?.value;
  }

  received(childFD = 1): Buffer {
    return Buffer.concat(this.#chunks.get(childFD) ?? []);
  }

  text(childFD = 1): string {
    return this.received(childFD).toString();
  }

  override connectionMade(): HookResult {
    return this.#record('connectionMade', () => this.#hooks.connectionMade?.(this));
  }

  override childDataReceived(childFD: number, data: Buffer): HookResult {
    this.#chunks.set(childFD, [...(this.#chunks.get(childFD) ?? []), data]);
    return this.#record(`received ${childFD}`, () => this.#hooks.childDataReceived?.(this, childFD, data));
  }

  /** Why the pipe at a descriptor was lost; undefined if it was not. */
  lossOf(childFD: number): Error | undefined {
    return this.#losses.get(childFD);
  }

  override childConnectionLost(childFD: number, reason?: Failure): HookResult {
    if (reason !== undefined) this.#losses.set(childFD, reason.value);
    return this.#record(`lost ${childFD}`, () => this.#hooks.childConnectionLost?.(this, childFD));
  }

  override processExited(reason: Failure): HookResult {
    this.exitReason = reason;
    return this.#record('processExited', () => this.#hooks.processExited?.(this, reason));
  }

  override processEnded(reason: Failure): HookResult {
    this.endReason = reason;
    return this.#record('processEnded', () => this.#hooks.processEnded?.(this, reason));
  }

  #record(hook: string, action: () => HookResult): HookResult {
    const outer = this.#running;
    if (outer !== undefined) this.nested.push(`${hook} inside ${outer}`);
    if (!hook.startsWith('received') || this.calls.at(-1) !== hook) this.calls.push(hook);
    this.#running = hook;
    try {
      return action();
    } finally {
      this.#running = outer;
    }
  }
}
