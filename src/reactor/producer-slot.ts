/**
 * The one producer a connection may have, and whether it is paused.
 *
 * A push producer is paused on every write that leaves more than the high-water mark waiting (so it must not mind
 * being paused twice) and resumed only when the buffer is empty. A pull producer is asked once on registration and
 * whenever the buffer has emptied. Source: Twisted's `FileDescriptor`.
 */
import type { PullProducer, PushProducer } from '../interfaces/producer.ts';
import { requireMethods } from '../arguments.ts';
import { whenRejected } from './error-reporter.ts';
import type { HookWatch } from './hook-watch.ts';

type Slot =
  | { readonly kind: 'none' }
  | { readonly kind: 'push'; readonly producer: PushProducer; paused: boolean }
  | { readonly kind: 'pull'; readonly producer: PullProducer };

const NONE: Slot = { kind: 'none' };

/** A producer of either kind. */
export type Producer = PushProducer | PullProducer;

export class ProducerSlot {
  readonly #failed: (error: unknown, message: string) => void;
  readonly #hookWatch: HookWatch | undefined;
  #slot: Slot = NONE;

  /** `failed` is told what a method of the producer has thrown; `hookWatch` measures what they take. */
  constructor(failed: (error: unknown, message: string) => void, hookWatch?: HookWatch) {
    this.#failed = failed;
    this.#hookWatch = hookWatch;
  }

  get occupied(): boolean {
    return this.#slot.kind !== 'none';
  }

  /** Throws if there is a producer already, or if this is none. */
  register(producer: Producer, streaming: boolean): void {
    requireProducer(producer, streaming);
    if (this.occupied) throw new Error('A producer is registered already; unregister it first');
    if (isPushProducer(producer, streaming)) {
      this.#slot = { kind: 'push', producer, paused: false };
    } else {
      this.#slot = { kind: 'pull', producer };
      this.#call(producer, 'resumeProducing');
    }
  }

  unregister(): void {
    this.#slot = NONE;
  }

  /** More than the high-water mark waits. */
  pause(): void {
    if (this.#slot.kind !== 'push') return;
    this.#slot.paused = true;
    this.#call(this.#slot.producer, 'pauseProducing');
  }

  /** Everything has left. */
  drained(): void {
    switch (this.#slot.kind) {
      case 'none':
        return;
      case 'push':
        if (!this.#slot.paused) return;
        this.#slot.paused = false;
        this.#call(this.#slot.producer, 'resumeProducing');
        return;
      case 'pull':
        this.#call(this.#slot.producer, 'resumeProducing');
    }
  }

  /** The connection takes no more: forgets the producer and tells it so. */
  stop(): void {
    if (this.#slot.kind === 'none') return;
    const { producer } = this.#slot;
    this.#slot = NONE;
    this.#call(producer, 'stopProducing');
  }

  /** The connection takes no more already: tells a producer that comes too late. */
  refuse(producer: Producer): void {
    this.#call(producer, 'stopProducing');
  }

  #call<Method extends string>(producer: Readonly<Record<Method, () => unknown>>, method: Method): void {
    const message = `An error in ${method} of a producer`;
    const startedAt = this.#hookWatch?.now();
    try {
      whenRejected(producer[method](), (error) => {
        this.#failed(error, message);
      });
    } catch (error) {
      this.#failed(error, message);
    }
    if (startedAt !== undefined) this.#hookWatch?.ended(startedAt, method, producer);
  }
}

export function requireProducer(producer: Producer, streaming: boolean): void {
  if (typeof streaming !== 'boolean') throw new TypeError('streaming must be true or false');
  const pull = ['resumeProducing', 'stopProducing'];
  requireMethods('producer', producer, streaming ? ['pauseProducing', ...pull] : pull);
}

function isPushProducer(producer: Producer, streaming: boolean): producer is PushProducer {
  return streaming;
}
