import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';

/** Where the bytes of a socket come out; one of two ways, for `net.Socket` has two. */
export interface ByteSource {
  /**
   * Delivers what is read to `deliver`, as Buffers that are the receiver's to keep. If `deliver` returns false, the
   * socket reads no more until it is resumed. Called once.
   */
  deliverTo(deliver: (data: Buffer) => boolean): void;
  /** Delivers no more: somebody else reads the socket from now on. */
  release(): void;
  /** From now on only counts what is read. */
  discard(count: (bytes: number) => void): void;
}

/** The fallback: 'data' events. */
export class DataEventSource implements ByteSource {
  readonly #socket: Socket;
  #listener: ((data: Buffer) => void) | undefined;
  #isDiscarding = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  deliverTo(deliver: (data: Buffer) => boolean): void {
    this.#listener = (data) => {
      // It may have been told from inside to discard.
      if (!deliver(data) && !this.#isDiscarding) this.#socket.pause();
    };
    this.#socket.on('data', this.#listener);
  }

  release(): void {
    if (this.#listener !== undefined) this.#socket.off('data', this.#listener);
  }

  discard(count: (bytes: number) => void): void {
    this.release();
    this.#isDiscarding = true;
    this.#socket.on('data', (data: Buffer) => count(data.length));
  }
}
