import type { StdioPlatform } from '../interfaces/platform.ts';
import type { StreamConnectListener, StreamHandle } from '../interfaces/stream-platform.ts';
import { createPipe, type VirtualPipeParts } from './virtual-pipe.ts';

/** The standard input and output of the program on a virtual host: whoever attaches is at the other end, a terminal. */
export class VirtualStdio implements StdioPlatform {
  readonly #parts: VirtualPipeParts;
  #terminal: StreamConnectListener | undefined;
  #handle: StreamHandle | undefined;
  #isOpen = false;
  #endCount = 0;

  constructor(parts: VirtualPipeParts) {
    this.#parts = parts;
  }

  /** How many ends are not gone. */
  get openCount(): number {
    return this.#endCount;
  }

  /** Is told, once, when the other end is opened, or now if it has been. */
  attach(terminal: StreamConnectListener): void {
    this.#terminal = terminal;
    this.#connect();
  }

  open(): StreamHandle {
    if (this.#isOpen) throw new Error('The standard input and output have been opened already');
    this.#isOpen = true;
    const gone = (): void => {
      this.#endCount -= 1;
    };
    const { near, far } = createPipe(this.#parts, { canBreak: false, lingers: true, gone });
    this.#endCount = 2;
    this.#handle = far;
    const { scheduler } = this.#parts;
    scheduler.schedule(scheduler.now(), () => {
      this.#connect();
    });
    return near;
  }

  #connect(): void {
    const handle = this.#handle;
    if (handle === undefined || this.#terminal === undefined) return;
    this.#handle = undefined;
    this.#terminal.connected(handle);
  }
}
