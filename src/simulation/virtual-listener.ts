import type { Address } from '../addresses.ts';
import type { SystemError } from '../interfaces/platform.ts';
import type { StreamHandle, StreamListenHandle, StreamListenListener } from '../interfaces/stream-platform.ts';
import type { Scheduler } from './scheduler.ts';

/** What a listener does with a request: take it, turn it away, or leave it without an answer. */
export type ConnectAnswer = 'accept' | 'refuse' | 'ignore';

/** `bound`: the address is taken, `listening` is still to be reported. */
type Stage =
  | { readonly name: 'new' }
  | { readonly name: 'bound' | 'listening'; readonly address: Address; readonly free: () => void }
  | { readonly name: 'failed'; readonly error: SystemError }
  | { readonly name: 'closed' };

/**
 * A listener on the virtual network. Each connection is handed over as it arrives, so nothing ever waits in a backlog;
 * connections that arrive before `listening` is reported come right after it.
 */
export class VirtualListener implements StreamListenHandle {
  readonly answer: ConnectAnswer;
  readonly windowBytes: number | undefined;
  readonly #scheduler: Scheduler;
  readonly #listener: StreamListenListener;
  #stage: Stage = { name: 'new' };
  #early: StreamHandle[] = [];

  constructor(
    scheduler: Scheduler,
    listener: StreamListenListener,
    options: { readonly answer?: ConnectAnswer; readonly windowBytes?: number },
  ) {
    this.#scheduler = scheduler;
    this.#listener = listener;
    this.answer = options.answer ?? 'accept';
    this.windowBytes = options.windowBytes;
  }

  /** The address it has taken, from the first; undefined when it could take none, and once closed. */
  get address(): Address | undefined {
    return this.#stage.name === 'bound' || this.#stage.name === 'listening' ? this.#stage.address : undefined;
  }

  /** Why it could take no address. */
  get error(): SystemError | undefined {
    return this.#stage.name === 'failed' ? this.#stage.error : undefined;
  }

  close(): void {
    const stage = this.#stage;
    if (stage.name === 'closed') return;
    this.#stage = { name: 'closed' };
    if (stage.name === 'bound' || stage.name === 'listening') stage.free();
    for (const handle of this.#early.splice(0)) handle.reset();
    this.#soon(() => {
      this.#listener.closed();
    });
  }

  /** The address has been taken; `free` gives it back. */
  bound(address: Address, free: () => void): void {
    this.#stage = { name: 'bound', address, free };
    this.#soon(() => {
      if (this.#stage.name !== 'bound') return;
      this.#stage = { ...this.#stage, name: 'listening' };
      this.#listener.listening(address);
      for (const handle of this.#early.splice(0)) this.deliver(handle);
    });
  }

  bindFailed(error: SystemError): void {
    this.#stage = { name: 'failed', error };
    this.#soon(() => {
      if (this.#stage.name === 'failed') this.#listener.listenFailed(error);
    });
  }

  /** Hands a connection over. To be called from the world's deliveries. */
  deliver(handle: StreamHandle): void {
    switch (this.#stage.name) {
      case 'listening':
        this.#listener.accepted(handle);
        return;
      case 'bound':
        this.#early.push(handle);
        return;
      case 'new':
      case 'failed':
      case 'closed':
        handle.reset();
    }
  }

  #soon(action: () => void): void {
    this.#scheduler.schedule(this.#scheduler.now(), action);
  }
}
