import { Deferred } from '../deferred/deferred.ts';
import { fail, succeed } from '../deferred/succeed-fail.ts';
import { NotListeningError, QueueOverflow } from '../errors.ts';
import type { DatagramHandle } from '../interfaces/datagram-platform.ts';
import type { ErrorReporter } from './error-reporter.ts';

type Call = (handle: DatagramHandle) => void;

/** A call on a socket that is being bound; `drop` is called if it never is. */
interface WaitingCall {
  readonly make: Call;
  readonly drop: () => void;
}

type State =
  | { readonly name: 'binding'; readonly handle: DatagramHandle; readonly waiting: WaitingCall[] }
  | { readonly name: 'bound'; readonly handle: DatagramHandle }
  | { readonly name: 'closed' };

const CLOSED: State = { name: 'closed' };

/**
 * A socket for datagrams as its port uses it, from one `startListening` to the next: closed at first, then being bound, bound, and
 * closed for good. Calls made while it is being bound wait, as many as the backlog, and are made in order when it is; calls made
 * after it has closed come to nothing.
 */
export class DatagramSocket {
  readonly #errors: ErrorReporter;
  readonly #backlog: number;
  #state: State = CLOSED;

  constructor(errors: ErrorReporter, backlog: number) {
    this.#errors = errors;
    this.#backlog = backlog;
  }

  get isClosed(): boolean {
    return this.#state.name === 'closed';
  }

  /** Begins with a handle that is being bound. */
  open(handle: DatagramHandle): void {
    this.#state = { name: 'binding', handle, waiting: [] };
  }

  /** The handle has been bound: makes the calls that wait, and those that are added meanwhile. */
  bound(): void {
    if (this.#state.name !== 'binding') return;
    const { handle, waiting } = this.#state;
    // A call may close the socket, which drops the rest.
    for (let call = waiting.shift(); call !== undefined; call = waiting.shift()) call.make(handle);
    if (!this.isClosed) this.#state = { name: 'bound', handle };
  }

  /** Closes the handle, and drops the calls that wait. */
  close(): void {
    const state = this.#state;
    if (state.name === 'closed') return;
    this.#drop();
    state.handle.close();
  }

  /** The handle could not be bound, and is gone. */
  failed(): void {
    this.#drop();
  }

  /**
   * Makes a call, now or when the socket is bound; what it throws now comes out, what it throws then is reported. Throws
   * `QueueOverflow` when too many wait.
   */
  call(make: Call): void {
    switch (this.#state.name) {
      case 'binding':
        this.#wait({
          make: (handle) => {
            this.#errors.guard('An error in a call made before a port was bound', () => {
              make(handle);
            });
          },
          drop: () => undefined,
        });
        return;
      case 'bound':
        make(this.#state.handle);
        return;
      case 'closed':
    }
  }

  /** The same with the outcome as a Deferred, which fails with `NotListeningError` if the socket has closed or never is bound. */
  request(make: Call): Deferred<void> {
    switch (this.#state.name) {
      case 'binding': {
        const outcome = new Deferred<void>();
        this.#wait({
          make: (handle) => {
            tryTo(make, handle).chainDeferred(outcome);
          },
          drop: () => {
            outcome.errback(new NotListeningError('The port has been stopped'));
          },
        });
        return outcome;
      }
      case 'bound':
        return tryTo(make, this.#state.handle);
      case 'closed':
        return fail(new NotListeningError('The port has been stopped'));
    }
  }

  #wait(call: WaitingCall): void {
    if (this.#state.name !== 'binding') return;
    if (this.#state.waiting.length >= this.#backlog) {
      throw new QueueOverflow(`The port is not bound yet, and ${String(this.#backlog)} calls wait for it already`);
    }
    this.#state.waiting.push(call);
  }

  #drop(): void {
    const state = this.#state;
    this.#state = CLOSED;
    if (state.name !== 'binding') return;
    for (const { drop } of state.waiting.splice(0)) drop();
  }
}

function tryTo(make: Call, handle: DatagramHandle): Deferred<void> {
  try {
    make(handle);
  } catch (error) {
    return fail(error);
  }
  return succeed(undefined);
}
