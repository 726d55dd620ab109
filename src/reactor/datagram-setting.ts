import { UnsupportedError } from '../errors.ts';
import type { DatagramHandle } from '../interfaces/datagram-platform.ts';
import type { DatagramSocket } from './datagram-socket.ts';

/**
 * One option of a socket for datagrams, which is remembered here, as systems tell it no better. Set before the socket is bound, it has its
 * new value at once, and the one that the socket has if it turns out that the socket does not take the other.
 */
export class DatagramSetting<Value> {
  readonly #socket: DatagramSocket;
  readonly #apply: (handle: DatagramHandle, value: Value) => void;
  #value: Value;
  /** What the socket has taken. */
  #taken: Value;

  constructor(socket: DatagramSocket, initial: Value, apply: (handle: DatagramHandle, value: Value) => void) {
    this.#socket = socket;
    this.#apply = apply;
    this.#value = initial;
    this.#taken = initial;
  }

  get value(): Value {
    return this.#value;
  }

  /** Throws what the socket says against it, if it is bound, and `UnsupportedError` where it has no such option. */
  change(value: Value): void {
    this.#socket.call((handle) => {
      try {
        this.#apply(handle, value);
      } catch (error) {
        this.#value = this.#taken;
        throw unsupported(error) ?? error;
      }
      this.#taken = value;
      // An earlier one that was refused, when the socket was bound, has set it back.
      this.#value = value;
    });
    this.#value = value;
  }
}

function unsupported(error: unknown): UnsupportedError | undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOTSUP')) return undefined;
  return new UnsupportedError(error.message, { cause: error });
}
