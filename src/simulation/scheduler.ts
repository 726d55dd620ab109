import type { ScheduledEvent } from './event-queue.ts';

/** What the parts of a world need of it: its true time, and to be called at one. */
export interface Scheduler {
  /** Seconds since the world began. */
  now(): number;
  /**
   * Calls `action` at `time`, or as soon as possible if that has passed; never from inside this call. What is
   * scheduled for the present instant while events are being delivered waits for the next round of turns.
   */
  schedule(time: number, action: () => void): ScheduledEvent;
}
