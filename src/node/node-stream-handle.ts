/**
 * A connected `net.Socket` behind the seam.
 *
 * Theory of operation. Three small machines:
 *
 *   life     new ──open──▶ open ──failed, close, reset──▶ over        nothing is reported before open or after over
 *   reading  paused ──resumeReading──▶ flowing ──endReceived──▶ ended
 *            paused ──resumeReading──▶ resuming ──▶ flowing           if something was held; pauseReading leads back
 *   writing  idle ◀──▶ sending;  idle ──shutdown──▶ shutting ──▶ shut
 *
 * What Node reports while reading is not flowing is held: chunks, and after them the end or the error that came last.
 * `resuming` delivers it from the event loop; only when all has been delivered is the socket itself resumed.
 *
 * The end of TCP needs a second look. When data and a reset come out of one poll, libuv reports the data and then a clean
 * end (seen on Node 20 and 22; on Node 24 and 26 it reports the reset). So at the end a write of no bytes asks the system
 * about the connection; if it fails, that is how reading ended. It cannot be asked once the write side has been shut,
 * where the end counts as clean. While a write is under way the reset fails that write in the same pass of the loop, and
 * the end waits for the pass to be over; under TLS, where that write may have left long before it is said to, it asks then.
 * UNIX sockets and pipes have no resets, and their writes fail as soon as the peer has closed, in order or not.
 *
 * The end of writing may be more than the system's: TLS says farewell. A peer that has closed altogether is not there to hear
 * it, and then the end has come about all the same, before the failure is told.
 */
import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { Address } from '../addresses.ts';
import type { SystemError } from '../interfaces/platform.ts';
import type { Lingering, StreamHandle, StreamListener } from '../interfaces/stream-platform.ts';
import type { ByteSource } from './byte-source.ts';
import { linger } from './linger.ts';
import { resetSocket } from './reset-socket.ts';
import { toSystemError } from '../system-error.ts';

const NO_BYTES = Buffer.alloc(0);

/** What a handle is made of. */
export interface StreamParts {
  /** Connected, paused and not read from yet. */
  readonly socket: Socket;
  readonly source: ByteSource;
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly linger: Lingering;
}

/** A socket that its handle has given up to TLS. */
export interface SurrenderedSocket {
  /** Paused, without listeners; what had been read and not delivered is in its buffer. */
  readonly socket: Socket;
  readonly linger: Lingering;
  /** Destroys it at once; `writer` is the socket for TLS above it, if there is one yet. */
  reset(writer: Socket | undefined): void;
  /** Asks whether an end of reading is what it looks like; see `NodeStreamHandle`. */
  confirmEnd(answer: (error: Error | null | undefined) => void): void;
}

/** Any stream; as it is, for a UNIX socket, which has no options and no reset. */
export class NodeStreamHandle implements StreamHandle {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  protected readonly socket: Socket;
  readonly #source: ByteSource;
  readonly #linger: Lingering;

  #life: 'new' | 'open' | 'over' = 'new';
  #reading: 'paused' | 'resuming' | 'flowing' | 'ended' = 'paused';
  #writing: 'idle' | 'sending' | 'shutting' | 'shut' = 'idle';
  #listener: StreamListener | undefined;
  /** Made when something is held, which is seldom. */
  #held: Buffer[] | undefined;
  #heldLast: 'end' | SystemError | undefined;

  constructor({ socket, source, localAddress, remoteAddress, linger: lingering }: StreamParts) {
    this.socket = socket;
    this.#source = source;
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    this.#linger = lingering;
    socket.unref();
    socket.on('error', this.#errorReported);
  }

  open(listener: StreamListener): void {
    if (this.#life === 'over') return;
    this.#listener = listener;
    if (this.#life === 'open') return;
    this.#life = 'open';
    this.socket.on('end', this.#ended);
    this.#source.deliverTo(this.#dataRead);
  }

  resumeReading(): void {
    if (this.#life !== 'open' || this.#reading !== 'paused') return;
    if (this.#held === undefined && this.#heldLast === undefined) {
      this.#reading = 'flowing';
      this.socket.resume();
    } else {
      this.#reading = 'resuming';
      setImmediate(() => this.#deliverHeld());
    }
  }

  pauseReading(): void {
    if (this.#life !== 'open' || this.#reading === 'paused' || this.#reading === 'ended') return;
    this.#reading = 'paused';
    this.socket.pause();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#failedAlready()) return false;
    if (chunks.length === 0) return true;
    if (this.leavesLater()) {
      this.#writing = 'sending';
      this.#writeAll(chunks, (error) => this.#sent(error));
      return false;
    }
    this.#writeAll(chunks);
    const { socket } = this;
    if (socket.writableLength === 0) return socket.errored === null;
    // Only now is a callback needed: with one per write, Node would schedule a tick for each.
    this.#writing = 'sending';
    socket.write(NO_BYTES, (error) => this.#sent(error));
    return false;
  }

  shutdown(): void {
    if (this.#failedAlready()) return;
    this.#writing = 'shutting';
    this.endWriting(() => this.#finished());
  }

  close(): void {
    if (this.#life === 'over') return;
    this.#leave();
    if (!this.socket.destroyed) this.closeInOrder(this.#linger);
  }

  reset(): void {
    this.#leave();
    if (!this.socket.destroyed) this.destroyAtOnce();
  }

  /**
   * Gives the socket up to TLS; reports nothing afterwards. To be called while reading is paused and nothing is being
   * written. If the peer has already closed its half, or the connection has broken, the socket is destroyed.
   */
  surrender(): SurrenderedSocket {
    const { socket } = this;
    const held = this.#held ?? [];
    const hasEnded = this.#heldLast !== undefined || this.#reading === 'ended';
    this.#leave();
    this.#source.release();
    socket.off('end', this.#ended);
    socket.off('error', this.#errorReported);
    if (hasEnded) socket.destroy();
    else for (const chunk of held.reverse()) socket.unshift(chunk);
    return {
      socket,
      linger: this.#linger,
      reset: (writer) => this.destroyAtOnce(writer),
      confirmEnd: (answer) => this.confirmEnd(answer),
    };
  }

  /** What `reset` does to a socket that is not destroyed yet; `writer` is the socket for TLS above it, if there is one. */
  protected destroyAtOnce(_writer?: Socket): void {
    this.socket.destroy();
  }

  /** What `shutdown` does to one; `finished` is called, later, when that has come about. */
  protected endWriting(finished: () => void): void {
    this.socket.once('finish', finished);
    this.socket.end();
  }

  /** What `close` does to one. */
  protected closeInOrder(lingering: Lingering): void {
    linger(this.socket, this.#source, lingering);
  }

  /** Whether what is written never leaves within the call. */
  protected leavesLater(): boolean {
    return false;
  }

  /** Node's error as it is to be reported. */
  protected wordError(error: Error): SystemError {
    return toSystemError(error);
  }

  /** What is wrong with an end of reading, where that is known already. */
  protected get falseEnd(): Error | undefined {
    return undefined;
  }

  /**
   * Asks whether the end of reading is what it looks like: `answer` is called, at once or later, with the error if it is not.
   * Called while the write side is open.
   */
  protected confirmEnd(answer: (error: Error | null | undefined) => void): void {
    answer(null);
  }

  /** `written` is called when all have left. */
  #writeAll(chunks: readonly Uint8Array[], written?: (error: Error | null | undefined) => void): void {
    const { socket } = this;
    const last = chunks.length - 1;
    if (last > 0) socket.cork();
    for (const [index, chunk] of chunks.entries()) socket.write(chunk, index === last ? written : undefined);
    if (last > 0) socket.uncork();
  }

  /** Forgets the listener and all that was kept for it. */
  #leave(): StreamListener | undefined {
    const listener = this.#listener;
    this.#life = 'over';
    this.#reading = 'paused';
    this.#listener = undefined;
    this.#held = undefined;
    this.#heldLast = undefined;
    return listener;
  }

  #fail(error: SystemError): void {
    const listener = this.#leave();
    // Under TLS a socket is not destroyed by every error, nor by an end that is none.
    this.socket.destroy();
    listener?.failed(error);
  }

  /** True if reading has failed but waits to be told: whoever writes now is told soon, without regard to pausing. */
  #failedAlready(): boolean {
    const error = this.#heldLast;
    if (!(error instanceof Error)) return this.#life !== 'open';
    setImmediate(() => this.#fail(error));
    return true;
  }

  // What a socket is given for good is a function of its own: these three. The rest are methods, wrapped for the one call,
  // because every connection would carry them for its whole life.

  /** Node may read once more after `pause()`, if that follows `resume()` in the same tick. */
  readonly #dataRead = (data: Buffer): boolean => {
    if (this.#reading === 'flowing') this.#listener?.dataReceived(data);
    else if (this.#life === 'open') (this.#held ??= []).push(data);
    return this.#reading === 'flowing';
  };

  readonly #ended = (): void => {
    if (this.#life !== 'open') return;
    if (this.#reading === 'flowing') this.#confirmEnd();
    else this.#heldLast = 'end';
  };

  #confirmEnd(): void {
    if (this.falseEnd !== undefined) {
      this.#endIsFalse(this.falseEnd);
      return;
    }
    switch (this.#writing) {
      case 'sending':
        setImmediate(() => {
          if (this.#writing === 'sending' || this.#writing === 'idle') this.#askAboutEnd();
          else this.#reportEnd();
        });
        return;
      case 'idle':
        this.#askAboutEnd();
        return;
      case 'shutting':
      case 'shut':
        this.#reportEnd();
    }
  }

  #askAboutEnd(): void {
    if (this.#life !== 'open') return;
    this.confirmEnd((error) => {
      if (error instanceof Error) this.#endIsFalse(error);
      else this.#reportEnd();
    });
  }

  #endIsFalse(error: Error): void {
    if (this.#life !== 'open' || this.#heldLast instanceof Error) return;
    this.#heldLast = this.wordError(error);
    if (this.#reading !== 'flowing') return;
    this.#reading = 'resuming';
    setImmediate(() => this.#deliverHeld());
  }

  #reportEnd(): void {
    if (this.#life !== 'open') return;
    if (this.#reading === 'flowing') {
      this.#reading = 'ended';
      this.#listener?.endReceived();
    } else {
      this.#heldLast = 'end';
    }
  }

  #deliverHeld(): void {
    while (this.#reading === 'resuming') {
      const data = this.#held?.shift();
      if (data === undefined) {
        this.#resumed();
        return;
      }
      this.#listener?.dataReceived(data);
    }
  }

  #resumed(): void {
    const last = this.#heldLast;
    this.#held = undefined;
    this.#heldLast = undefined;
    this.#reading = 'flowing';
    if (last === undefined) this.socket.resume();
    else if (last === 'end') this.#confirmEnd();
    else this.#fail(last);
  }

  readonly #errorReported = (error: Error): void => {
    if (this.#life === 'over' || this.#heldLast instanceof Error) return;
    const systemError = this.wordError(error);
    if (systemError.code === 'EPIPE') this.#finished();
    const inTurn = this.#life === 'new' || (isReadError(systemError) && this.#reading !== 'flowing');
    if (!inTurn) {
      this.#fail(systemError);
      return;
    }
    this.#heldLast = systemError;
    this.#holdBuffered();
    this.socket.destroy();
  };

  /** What stands in the socket's own buffer came before the error; there is some where Node reads ahead. */
  #holdBuffered(): void {
    // Who reads by 'data' events would be given each of them, too.
    this.#source.release();
    // The socket has no encoding, so it gives Buffers.
    for (let data: Buffer | null; (data = this.socket.read() as Buffer | null) !== null;)
      (this.#held ??= []).push(data);
  }

  #sent(error: Error | null | undefined): void {
    // An error comes as an event as well.
    if (error instanceof Error || this.#writing !== 'sending') return;
    this.#writing = 'idle';
    this.#listener?.written();
  }

  #finished(): void {
    if (this.#writing !== 'shutting') return;
    this.#writing = 'shut';
    this.#listener?.shutDown();
  }
}

/** Of TLS: it is what has been read that OpenSSL cannot make sense of. */
function isReadError({ syscall, code }: SystemError): boolean {
  return syscall === 'read' || code.startsWith('ERR_SSL_');
}

/** A TCP connection. */
export class TCPStreamHandle extends NodeStreamHandle {
  setNoDelay(enabled: boolean): void {
    this.socket.setNoDelay(enabled);
  }

  setKeepAlive(enabled: boolean): void {
    this.socket.setKeepAlive(enabled);
  }

  protected override destroyAtOnce(writer?: Socket): void {
    resetSocket(this.socket, writer);
  }

  protected override confirmEnd(answer: (error: Error | null | undefined) => void): void {
    this.socket.write(NO_BYTES);
    answer(this.socket.errored);
  }
}
