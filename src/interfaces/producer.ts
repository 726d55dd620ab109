/**
 * Flow control between whoever makes bytes and whoever takes them (Twisted's `IConsumer`, `IPushProducer`,
 * `IPullProducer`). An error in a method of a producer, or the rejection of a promise it returned, is reported and costs the
 * connection, as with a hook of a protocol.
 */
import type { HookResult } from './protocol.ts';

/** A source that writes on its own until paused. May be paused again while paused. */
export interface PushProducer {
  /** Stop writing until `resumeProducing`. */
  pauseProducing(): HookResult;
  /** Write again; only called after a pause. */
  resumeProducing(): HookResult;
  /** The consumer is gone: stop for good and free what you hold. */
  stopProducing(): HookResult;
}

/** A source that writes once each time it is asked. */
export interface PullProducer {
  /** Write something now, or call `unregisterProducer` if there is no more. */
  resumeProducing(): HookResult;
  /** The consumer is gone: stop for good and free what you hold. */
  stopProducing(): HookResult;
}

/** Takes bytes and throttles the one producer registered with it. */
export interface Consumer {
  /**
   * `streaming` true: a push producer, paused while the buffer is over the high-water mark and resumed when it is
   * empty. False: a pull producer, asked once from inside this call, and again whenever the buffer has emptied.
   * Throws an `Error` if a producer is registered already, and `TypeError` for an object without the methods.
   * On a consumer that is gone, calls `producer.stopProducing()` and registers nothing.
   */
  registerProducer(producer: PushProducer, streaming: true): void;
  /** The same for a pull producer. */
  registerProducer(producer: PullProducer, streaming: false): void;
  /** The producer has said all. Does nothing if there is none. A `loseConnection` that waited for it goes on. */
  unregisterProducer(): void;
  /** Returns false when more is waiting than the high-water mark: a hint to stop until resumed. */
  write(data: Uint8Array | string): boolean;
}
