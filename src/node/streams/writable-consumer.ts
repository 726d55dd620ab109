/**
 * A Node `Writable` as a consumer.
 *
 *     open ──end──▶ ending ──finish──▶ over        open, ending ──error, close──▶ over
 */
import type { Writable } from 'node:stream';
import { describe, requireData, requireOptions } from '../../arguments.ts';
import { Deferred } from '../../deferred/deferred.ts';
import { Failure } from '../../deferred/failure.ts';
import { fail, succeed } from '../../deferred/succeed-fail.ts';
import { ConnectionLost } from '../../errors.ts';
import type { Consumer, PullProducer, PushProducer } from '../../interfaces/producer.ts';
import { ProducerSlot, requireProducer } from '../../reactor/producer-slot.ts';
import { WriteBacklog } from '../../write-backlog.ts';

type State =
  | { readonly name: 'open' | 'ending' }
  /** With the error, if it was not in order. */
  | { readonly name: 'over'; readonly error: Error | undefined };

/** The options of a `WritableConsumer`. */
export interface WritableConsumerOptions {
  /**
   * How many bytes may wait in the stream, in bytes, the largest single write not counted; 134,217,728 (128 MiB) by default, as on a
   * connection, so that a producer that does not heed its pauses does not eat the memory of the process. More, and
   * the stream is destroyed with `WriteBufferLimitError`. At least the stream's own high-water mark.
   */
  readonly writeBufferLimit?: number;
}

/**
 * Takes bytes from any producer, a transport among them (see `consumerToProtocol`), and gives them to a `Writable`. A push producer is
 * paused when the stream's high-water mark is reached and resumed when everything has been written; a pull producer is asked
 * whenever that is so. An error in a method of the producer destroys the stream.
 */
export class WritableConsumer implements Consumer {
  readonly #writable: Writable;
  readonly #producer: ProducerSlot;
  #state: State = { name: 'open' };
  #waiters: Deferred<void>[] = [];
  readonly #backlog: WriteBacklog;

  /** Throws `TypeError` for what is no `Writable`, `RangeError` for a limit that cannot be. */
  constructor(writable: Writable, options: WritableConsumerOptions = {}) {
    const given: unknown = writable;
    if (typeof given !== 'object' || given === null || !('writableLength' in given)) {
      throw new TypeError(`writable must be a Writable; got ${describe(given)}`);
    }
    requireOptions('options', options, ['writeBufferLimit']);
    this.#backlog = new WriteBacklog(options.writeBufferLimit, writable.writableHighWaterMark);
    this.#writable = writable;
    this.#producer = new ProducerSlot((error) => writable.destroy(toError(error)));
    writable.on('finish', () => this.#end(undefined));
    writable.on('error', (error) => this.#end(error));
    writable.on('close', () => this.#end(new ConnectionLost('the stream was destroyed before it had finished')));
    if (writable.errored !== null) this.#end(writable.errored);
    else if (writable.writableFinished) this.#end(undefined);
    else if (writable.destroyed) this.#end(new ConnectionLost('the stream had been destroyed'));
  }

  /** False when the stream wants a pause, and when it is over, where the data is dropped. After `end` only a producer that is registered may write. */
  write(data: Uint8Array | string): boolean {
    requireData(data);
    if (!this.#takesWrites()) return false;
    const waiting = this.#writable.writableLength;
    const hasRoom = this.#writable.write(data, () => {
      if (this.#writable.writableLength === 0 && this.#state.name !== 'over') this.#producer.drained();
    });
    const { writableLength } = this.#writable;
    const error = this.#backlog.overflow(writableLength, writableLength - waiting);
    if (error !== undefined) this.#writable.destroy(error);
    else if (!hasRoom) this.#producer.pause();
    return hasRoom;
  }

  registerProducer(producer: PushProducer, streaming: true): void;
  registerProducer(producer: PullProducer, streaming: false): void;
  registerProducer(producer: PushProducer | PullProducer, streaming: boolean): void {
    if (this.#takesWrites()) {
      this.#producer.register(producer, streaming);
      return;
    }
    requireProducer(producer, streaming);
    void producer.stopProducing();
  }

  unregisterProducer(): void {
    this.#producer.unregister();
    this.#finishIfAsked();
  }

  /** Ends the stream when all has been written, and what a producer that is registered has still to write. */
  end(): void {
    if (this.#state.name !== 'open') return;
    this.#state = { name: 'ending' };
    this.#finishIfAsked();
  }

  /**
   * Fires when the stream has finished, after `end`; fails with its error, or with `ConnectionLost` if it was destroyed without one. Each
   * call gives a new Deferred.
   */
  whenFinished(): Deferred<void> {
    if (this.#state.name === 'over') {
      return this.#state.error === undefined ? succeed(undefined) : fail(this.#state.error);
    }
    const waiter = new Deferred<void>(() => {
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
    });
    this.#waiters.push(waiter);
    return waiter;
  }

  #takesWrites(): boolean {
    switch (this.#state.name) {
      case 'open':
        return true;
      case 'ending':
        return this.#producer.occupied;
      case 'over':
        return false;
    }
  }

  #finishIfAsked(): void {
    if (this.#state.name === 'ending' && !this.#producer.occupied) this.#writable.end();
  }

  #end(error: Error | undefined): void {
    if (this.#state.name === 'over') return;
    this.#state = { name: 'over', error };
    this.#producer.stop();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.callback(error === undefined ? undefined : new Failure(error));
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
