import type { Readable } from 'node:stream';
import { describe } from '../../arguments.ts';
import { Deferred } from '../../deferred/deferred.ts';
import { ConnectionLost } from '../../errors.ts';
import type { Consumer, PushProducer } from '../../interfaces/producer.ts';

type State =
  | { readonly name: 'unused' | 'over' }
  | { readonly name: 'sending'; readonly consumer: Consumer; readonly sent: Deferred<number> };

/**
 * Sends what a Node `Readable` gives to a consumer, a transport above all: it is a push producer, so the consumer pauses the stream
 * while it has no room. For one transfer. Source: Twisted's `protocols.basic.FileSender`, for streams in place of files.
 */
export class ReadableProducer implements PushProducer {
  readonly #readable: Readable;
  #state: State = { name: 'unused' };
  #bytes = 0;

  /** Throws `TypeError` for what is no `Readable`. One in object mode may give strings and bytes. */
  constructor(readable: Readable) {
    const given: unknown = readable;
    if (typeof given !== 'object' || given === null || !('readableObjectMode' in given)) {
      throw new TypeError(`readable must be a Readable; got ${describe(given)}`);
    }
    this.#readable = readable;
  }

  /**
   * Registers with the consumer and begins. Fires with the number of bytes when all have been written to it, having unregistered; they may not
   * have left yet. The consumer stays open. Fails, having unregistered, with the error of the stream, or `TypeError` if it gives something else than bytes and strings; with what the
   * consumer's `write` threw; with `ConnectionLost` if the consumer stopped it. Whenever it fails the stream is destroyed. Cancelling
   * it does the same. Throws an `Error` if it has been used, and what `registerProducer` throws.
   */
  beginTransfer(consumer: Consumer): Deferred<number> {
    if (this.#state.name !== 'unused') throw new Error('A ReadableProducer serves one transfer');
    const sent = new Deferred<number>(() => {
      this.#end()?.consumer.unregisterProducer();
      this.#readable.destroy();
    });
    this.#state = { name: 'sending', consumer, sent };
    try {
      consumer.registerProducer(this, true);
    } catch (error) {
      this.#state = { name: 'unused' };
      throw error;
    }
    if (this.#isSending()) this.#begin();
    return sent;
  }

  pauseProducing(): void {
    if (this.#state.name === 'sending') this.#readable.pause();
  }

  resumeProducing(): void {
    if (this.#state.name === 'sending') this.#readable.resume();
  }

  /** The consumer is gone: destroys the stream. */
  stopProducing(): void {
    const sending = this.#end();
    this.#readable.destroy();
    sending?.sent.errback(new ConnectionLost('the consumer takes no more'));
  }

  #begin(): void {
    const readable = this.#readable;
    readable.on('error', this.#fail);
    readable.on('end', this.#finish);
    readable.on('close', this.#closed);
    readable.on('data', this.#send);
    if (readable.errored !== null) this.#fail(readable.errored);
    else if (readable.readableEnded) this.#finish();
    else if (readable.destroyed) this.#closed();
  }

  readonly #send = (chunk: unknown): void => {
    if (this.#state.name !== 'sending') return;
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) {
      this.#fail(new TypeError(`The stream must give bytes or strings; it gave ${describe(chunk)}`));
      return;
    }
    this.#bytes += typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.length;
    try {
      this.#state.consumer.write(chunk);
    } catch (error) {
      this.#fail(error);
    }
  };

  readonly #finish = (): void => {
    const sending = this.#end();
    sending?.consumer.unregisterProducer();
    sending?.sent.callback(this.#bytes);
  };

  readonly #fail = (error: unknown): void => {
    const sending = this.#end();
    this.#readable.destroy();
    sending?.consumer.unregisterProducer();
    sending?.sent.errback(error);
  };

  readonly #closed = (): void => this.#fail(new Error('The stream was destroyed before it had ended'));

  /** The listener for errors stays: one may be on its way. */
  #end(): Extract<State, { readonly name: 'sending' }> | undefined {
    const state = this.#state;
    this.#state = { name: 'over' };
    this.#readable.off('end', this.#finish);
    this.#readable.off('close', this.#closed);
    this.#readable.off('data', this.#send);
    return state.name === 'sending' ? state : undefined;
  }

  /** A consumer that is gone stops its producer from inside registerProducer. */
  #isSending(): boolean {
    return this.#state.name === 'sending';
  }
}
