import type { PushProducer } from 'ropewalk/core';

/** What a producer is told to do, by its end. */
export interface ProducerActions {
  /** Writes once more; to be called from inside `resumeProducing`. */
  readonly produce: () => void;
  /** It has been told to stop. */
  readonly stopped: () => void;
  readonly problem: (description: string) => void;
}

/**
 * A push or a pull producer, and what it must not see: a call after it was stopped or unregistered, a second stop, a resume
 * of a push producer that was not paused.
 */
export class FuzzedProducer implements PushProducer {
  readonly #streaming: boolean;
  readonly #actions: ProducerActions;
  #state: 'producing' | 'paused' | 'over' = 'producing';

  constructor(streaming: boolean, actions: ProducerActions) {
    this.#streaming = streaming;
    this.#actions = actions;
  }

  /** It has been unregistered, or was not registered. */
  retire(): void {
    this.#state = 'over';
  }

  pauseProducing(): void {
    this.#called('pauseProducing');
    if (!this.#streaming) this.#actions.problem('a pull producer was paused');
    this.#state = 'paused';
  }

  resumeProducing(): void {
    this.#called('resumeProducing');
    if (this.#streaming && this.#state !== 'paused')
      this.#actions.problem('a producer was resumed that was not paused');
    this.#state = 'producing';
    this.#actions.produce();
  }

  stopProducing(): void {
    this.#called('stopProducing');
    this.#state = 'over';
    this.#actions.stopped();
  }

  #called(method: string): void {
    if (this.#state === 'over') this.#actions.problem(`${method} of a producer that is over`);
  }
}
