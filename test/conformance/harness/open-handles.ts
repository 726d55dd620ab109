import { createHook } from 'node:async_hooks';

/** What libuv and Node have open on behalf of a reactor; by the names of `async_hooks`. */
const KINDS: readonly string[] = [
  'TCPWRAP',
  'TCPSERVERWRAP',
  'PIPEWRAP',
  'PIPESERVERWRAP',
  'UDPWRAP',
  'PROCESSWRAP',
  'Timeout',
];
const PROCESS_EVENTS = ['SIGINT', 'SIGTERM', 'SIGBREAK', 'beforeExit'];

const MOCHA = /[\\/]node_modules[\\/]mocha[\\/]/;

/** The frames of a stack between the call that made a handle and the end of it: this file's hook, and Node. */
const BELOW_CALLER = /[\\/]open-handles\.ts|\(node:/;

/** One that is open; its stack tells who made it, and is formatted only if somebody asks. */
interface OpenHandle {
  readonly kind: string;
  readonly origin: Error;
}

/**
 * Counts the sockets, servers and timers that are made while it watches and have not been closed. Those that do not keep
 * the process alive count too, which `process.getActiveResourcesInfo` leaves out.
 */
export class OpenHandles {
  readonly #open = new Map<number, OpenHandle>();
  readonly #listenersBefore = listenerCounts();
  readonly #hook = createHook({
    init: (id, kind) => {
      if (KINDS.includes(kind)) this.#open.set(id, { kind, origin: new Error(`a ${kind} was made`) });
    },
    destroy: (id) => {
      this.#open.delete(id);
    },
  }).enable();

  get count(): number {
    this.#forgetMocha();
    return this.#open.size;
  }

  stopWatching(): void {
    this.#hook.disable();
  }

  /** What is left: handles, and listeners of the process. */
  problems(): string[] {
    this.#forgetMocha();
    const listeners = listenerCounts();
    return [
      ...[...this.#open.values()].map(({ kind, origin }) => `${kind} left open, made\n${origin.stack ?? ''}`),
      ...PROCESS_EVENTS.filter((event, index) => listeners[index] !== this.#listenersBefore[index]).map(
        (event) => `listeners of the process left: ${event}`,
      ),
    ];
  }

  /** Mocha sets a timer for each case and hook, also while a case runs. */
  #forgetMocha(): void {
    for (const [id, { kind, origin }] of this.#open) {
      if (kind === 'Timeout' && MOCHA.test(callerOf(origin))) this.#open.delete(id);
    }
  }
}

/** The frame that asked Node for what was made; whatever a case does is called by mocha in the end. */
function callerOf({ stack = '' }: Error): string {
  const frames = stack.split('\n').slice(1);
  return frames.find((frame) => !BELOW_CALLER.test(frame)) ?? '';
}

function listenerCounts(): number[] {
  return PROCESS_EVENTS.map((event) => process.listenerCount(event));
}
