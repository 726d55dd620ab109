/** A message port as every host has it; Node's own types leave `onmessage` out. */
interface ReceivingPort {
  onmessage: (() => void) | null;
}

/**
 * Hops through the host's event loop: between two turns of it every microtask runs, those queued by microtasks
 * included, so promise continuations that wait for nothing else have run after one hop. A message channel is the one
 * way to do this that Node, browsers, Bun and Deno share.
 */
export class Macrotasks implements Disposable {
  readonly #channel = new MessageChannel();
  #resolve: (() => void) | undefined;

  constructor() {
    // Two sets of types describe the host, and this holds in both.
    const port = this.#channel.port1 as unknown as ReceivingPort;
    port.onmessage = () => {
      const resolve = this.#resolve;
      this.#resolve = undefined;
      resolve?.();
    };
  }

  /** Resolves in a later turn of the host's event loop. Wait for each hop before the next. */
  hop(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#channel.port2.postMessage(undefined);
    });
  }

  /** Closes the channel; an open one would keep the process alive. */
  [Symbol.dispose](): void {
    this.#channel.port1.close();
    this.#channel.port2.close();
  }
}
