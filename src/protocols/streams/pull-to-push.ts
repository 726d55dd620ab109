/**
 * Pull producers for consumers that take push producers only.
 *
 *     idle ──registerProducer(…, false)──▶ producing ◀──▶ paused
 *       ▲                                      │            │
 *       ╰──────── unregisterProducer ──────────┴────────────╯
 *
 * Twisted: `internet._producer_helpers._PullToPush`.
 */
import { requireMethods } from '../../arguments.ts';
import type { Consumer, PullProducer, PushProducer } from '../../interfaces/producer.ts';
import type { CooperativeTask } from '../../task/cooperative-task.ts';
import type { Cooperator } from '../../task/cooperator.ts';

type State =
  | { readonly name: 'idle' }
  | { readonly name: 'producing' | 'paused'; readonly producer: PullProducer; readonly task: CooperativeTask };

const IDLE: State = { name: 'idle' };

/**
 * A consumer in front of another. To that one a pull producer looks like a push producer, which is asked again and again, in slices of
 * the cooperator's, while the consumer does not pause it. Everything else goes through as it is.
 *
 * A pull producer that throws is told to stop and is unregistered, and the error is that of a Deferred nobody handled.
 */
export class PullToPush implements Consumer {
  readonly #consumer: Consumer;
  readonly #cooperator: Cooperator;
  #state: State = IDLE;

  /** Throws `TypeError` for what is no consumer or no cooperator. */
  constructor(consumer: Consumer, cooperator: Cooperator) {
    requireMethods('consumer', consumer, ['registerProducer', 'unregisterProducer', 'write']);
    requireMethods('cooperator', cooperator, ['cooperate']);
    this.#consumer = consumer;
    this.#cooperator = cooperator;
  }

  write(data: Uint8Array | string): boolean {
    return this.#consumer.write(data);
  }

  registerProducer(producer: PushProducer, streaming: true): void;
  registerProducer(producer: PullProducer, streaming: false): void;
  registerProducer(producer: PushProducer | PullProducer, streaming: boolean): void {
    if (isPush(producer, streaming)) {
      this.#consumer.registerProducer(producer, true);
      return;
    }
    requireMethods('producer', producer, ['resumeProducing', 'stopProducing']);
    if (this.#state.name !== 'idle') throw new Error('A producer is registered already; unregister it first');
    const task: CooperativeTask = this.#cooperator.cooperate(this.#ask(producer));
    this.#state = { name: 'producing', producer, task };
    try {
      this.#consumer.registerProducer(this.#pushProducer, true);
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  unregisterProducer(): void {
    this.#end();
    this.#consumer.unregisterProducer();
  }

  readonly #pushProducer: PushProducer = {
    pauseProducing: () => {
      if (this.#state.name !== 'producing') return;
      this.#state.task.pause();
      this.#state = { ...this.#state, name: 'paused' };
    },
    resumeProducing: () => {
      if (this.#state.name !== 'paused') return;
      this.#state.task.resume();
      this.#state = { ...this.#state, name: 'producing' };
    },
    stopProducing: () => this.#end()?.stopProducing(),
  };

  /** Each step asks once; a promise that the producer returns is waited for. */
  *#ask(producer: PullProducer): Generator<unknown, void> {
    try {
      while (this.#isAsking(producer)) yield producer.resumeProducing();
    } catch (error) {
      if (!this.#isAsking(producer)) throw error;
      this.#state = IDLE; // the task ends by itself
      this.#consumer.unregisterProducer();
      void producer.stopProducing();
      throw error;
    }
  }

  #isAsking(producer: PullProducer): boolean {
    return this.#state.name !== 'idle' && this.#state.producer === producer;
  }

  /** Asks no more, and returns whom. */
  #end(): PullProducer | undefined {
    const state = this.#state;
    if (state.name === 'idle') return undefined;
    this.#state = IDLE;
    // A task that is stopped from inside its step is over when the step is.
    state.task[Symbol.dispose]();
    return state.producer;
  }
}

function isPush(producer: PushProducer | PullProducer, streaming: boolean): producer is PushProducer {
  return streaming;
}
