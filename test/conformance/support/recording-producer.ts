import type { PushProducer } from 'ropewalk/core';

export type ProducerCall = 'pauseProducing' | 'resumeProducing' | 'stopProducing';

/** Remembers what it was asked, in a log that may be shared; serves as a push and as a pull producer. */
export class RecordingProducer implements PushProducer {
  readonly calls: string[];
  readonly #actions: Partial<Record<ProducerCall, () => void>>;

  constructor(actions: Partial<Record<ProducerCall, () => void>> = {}, calls: string[] = []) {
    this.#actions = actions;
    this.calls = calls;
  }

  count(call: ProducerCall): number {
    return this.calls.filter((made) => made === call).length;
  }

  pauseProducing(): void {
    this.calls.push('pauseProducing');
    this.#actions.pauseProducing?.();
  }

  resumeProducing(): void {
    this.calls.push('resumeProducing');
    this.#actions.resumeProducing?.();
  }

  stopProducing(): void {
    this.calls.push('stopProducing');
    this.#actions.stopProducing?.();
  }
}
