import { createHook } from 'node:async_hooks';

const TCP_HANDLES = ['TCPWRAP', 'TCPSERVERWRAP'];
const PROCESS_EVENTS = ['SIGINT', 'SIGTERM', 'SIGBREAK', 'beforeExit'];

/** Counts the TCP handles of libuv that are made while it watches and have not been closed, referenced or not. */
export class OpenHandles {
  readonly #open = new Set<number>();
  readonly #listenersBefore = listenerCounts();
  readonly #hook = createHook({
    init: (id, type) => {
      if (TCP_HANDLES.includes(type)) this.#open.add(id);
    },
    destroy: (id) => {
      this.#open.delete(id);
    },
  }).enable();

  get count(): number {
    return this.#open.size;
  }

  stopWatching(): void {
    this.#hook.disable();
  }

  /** What is left: handles, and listeners of the process. */
  problems(): string[] {
    const listeners = listenerCounts();
    return [
      ...(this.count > 0 ? [`TCP handles left open: ${this.count}`] : []),
      ...PROCESS_EVENTS.filter((event, index) => listeners[index] !== this.#listenersBefore[index]).map(
        (event) => `listeners of the process left: ${event}`,
      ),
    ];
  }
}

function listenerCounts(): number[] {
  return PROCESS_EVENTS.map((event) => process.listenerCount(event));
}
