import type { SystemEventPhase, SystemEventTriggerID } from './reactor.ts';

/** The part of a reactor that runs and ends it. Source: Twisted's `IReactorCore`. */
export interface ReactorCore {
  /** True from the during phase of startup to the during phase of shutdown. */
  readonly running: boolean;

  /**
   * Fires the startup event, dispatches until `stop()`, and resolves when the shutdown event has ended. Never rejects;
   * throws `ReactorAlreadyRunning` unless the reactor has stopped.
   */
  run(): Promise<void>;

  /** Asks for an orderly end. Throws `ReactorNotRunning` if the reactor is not running or is stopping already. */
  stop(): void;

  /** Calls `fn(...args)` now if the reactor is running, otherwise once it runs; then the trigger's identifier is returned. */
  callWhenRunning<Args extends readonly unknown[]>(
    fn: (...args: Args) => unknown,
    ...args: Args
  ): SystemEventTriggerID | undefined;

  /** Has `fn(...args)` called once, in a phase of the next firing of a system event. */
  addSystemEventTrigger<Args extends readonly unknown[]>(
    phase: SystemEventPhase,
    eventType: string,
    fn: (...args: Args) => unknown,
    ...args: Args
  ): SystemEventTriggerID;

  /** Takes a trigger back. Throws `TypeError` for what is no identifier, `RangeError` if the trigger has run or was removed. */
  removeSystemEventTrigger(id: SystemEventTriggerID): void;
}
