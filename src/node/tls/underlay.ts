/**
 * The two ways in which `node:tls` comes to a stream: over a socket itself, and through a `Duplex`.
 *
 * Both end writing when all that has been received has been decrypted, which is so a pass of the event loop later. Node has
 * OpenSSL look for the peer's close_notify right after it has sent ours; data that it finds there instead is lost, and
 * reading ends.
 */
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { SystemError } from '../../interfaces/platform.ts';
import type { Lingering, StreamHandle } from '../../interfaces/stream-platform.ts';
import { NodeStreamHandle, type StreamParts, type SurrenderedSocket } from '../node-stream-handle.ts';
import { DataEventSource } from '../byte-source.ts';
import { HandleDuplex } from './handle-duplex.ts';
import { toTLSError } from './tls-error.ts';

/** What TLS is spoken over. */
export interface Underlay {
  /** What `node:tls` is given. */
  readonly stream: Duplex;
  /** The handle of the encrypted stream, once the handshake is over. */
  handleOf(socket: TLSSocket, addresses: Addresses): NodeStreamHandle;
  /** Ends the connection while there is no such handle yet. */
  reset(): void;
  close(): void;
}

type Addresses = Pick<StreamParts, 'localAddress' | 'remoteAddress'>;

/** Over a socket: inside Node, without a detour through JavaScript, and so the faster one (docs/performance.md). */
export class SocketUnderlay implements Underlay {
  readonly stream: Duplex;
  readonly #surrendered: SurrenderedSocket;

  constructor(surrendered: SurrenderedSocket, received: Uint8Array | undefined) {
    this.#surrendered = surrendered;
    this.stream = surrendered.socket;
    // Until Node's own listener is there: a socket may break at any time.
    this.stream.on('error', () => undefined);
    if (received !== undefined) this.stream.unshift(received);
  }

  handleOf(socket: TLSSocket, addresses: Addresses): NodeStreamHandle {
    const source = new DataEventSource(socket);
    const { linger } = this.#surrendered;
    return new SecureSocketHandle({ socket, source, linger, ...addresses }, this.#surrendered);
  }

  reset(): void {
    this.#surrendered.reset(undefined);
  }

  close(): void {
    this.stream.destroy();
  }
}

class SecureSocketHandle extends NodeStreamHandle {
  readonly #below: SurrenderedSocket;

  constructor(parts: StreamParts, below: SurrenderedSocket) {
    super(parts);
    this.#below = below;
  }

  protected override leavesLater(): boolean {
    return true;
  }

  protected override wordError(error: Error): SystemError {
    return toTLSError(error);
  }

  protected override destroyAtOnce(): void {
    this.#below.reset(this.socket);
  }

  protected override endWriting(finished: () => void): void {
    this.socket.once('finish', finished);
    setImmediate(() => this.socket.end());
  }

  /** By the socket below: TLS does not tell of an error when it is given no bytes to write. */
  protected override confirmEnd(answer: (error: Error | null | undefined) => void): void {
    this.#below.confirmEnd(answer);
  }
}

/** Through a `Duplex` over any stream. It sees the end of the stream below, and so whether TLS had ended before that. */
export class DuplexUnderlay implements Underlay {
  readonly stream: HandleDuplex;
  readonly #below: StreamHandle;
  readonly #lingering: Lingering;

  constructor(below: StreamHandle, received: Uint8Array | undefined, lingering: Lingering) {
    this.#below = below;
    this.#lingering = lingering;
    this.stream = new HandleDuplex(below, received);
  }

  handleOf(socket: TLSSocket, addresses: Addresses): NodeStreamHandle {
    const source = new DataEventSource(socket);
    const parts = { socket, source, linger: this.#lingering, ...addresses };
    return new SecureDuplexHandle(parts, this.stream, this.#below);
  }

  reset(): void {
    this.#below.reset();
    this.stream.destroy();
  }

  close(): void {
    this.stream.destroy();
  }
}

class SecureDuplexHandle extends NodeStreamHandle {
  readonly #duplex: HandleDuplex;
  readonly #below: StreamHandle;
  /** What ended reading: the peer's close_notify, or only the end of the stream below. */
  #endedBy: 'close_notify' | 'stream' | undefined;

  constructor(parts: StreamParts, duplex: HandleDuplex, below: StreamHandle) {
    super(parts);
    this.#duplex = duplex;
    this.#below = below;
    this.#watchEnd();
  }

  protected override leavesLater(): boolean {
    return true;
  }

  protected override wordError(error: Error): SystemError {
    return toTLSError(error);
  }

  protected override destroyAtOnce(): void {
    this.#below.reset();
    this.socket.destroy();
  }

  /**
   * It has ended for the peer when it has the close_notify, and may be answered then; the end of the stream below, for which
   * the socket waits, follows a pass of the event loop later.
   */
  protected override endWriting(finished: () => void): void {
    this.socket.once('finish', finished);
    setImmediate(() => {
      this.#duplex.whenSent(() => process.nextTick(finished));
      this.socket.end();
    });
  }

  /**
   * Sends what was written and close_notify, for which there is as much time as to linger; then the stream below discards what
   * still comes, by its own limits.
   */
  protected override closeInOrder(lingering: Lingering): void {
    const { socket } = this;
    this.#duplex.closeAtEnd();
    if (socket.writableFinished) {
      socket.destroy();
      return;
    }
    const deadline = lingering.begin(() => this.destroyAtOnce());
    socket.once('close', () => deadline[Symbol.dispose]());
    socket.once('finish', () => socket.destroy());
    socket.end();
    socket.resume();
  }

  protected override get falseEnd(): Error | undefined {
    if (this.#endedBy !== 'stream') return undefined;
    return Object.assign(new Error('the connection was closed without close_notify: data may be missing'), {
      code: 'ERR_SSL_UNEXPECTED_EOF_WHILE_READING',
    });
  }

  /**
   * The socket ends what can be read from it, by a null, in the moment in which it learns of an end. Everything the stream
   * below had to say has been decrypted by the time that *it* ends, so which came first tells them apart.
   */
  #watchEnd(): void {
    const { socket } = this;
    const push = socket.push.bind(socket);
    socket.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (chunk === null) this.#endedBy ??= this.#duplex.hasEnded ? 'stream' : 'close_notify';
      return push(chunk, encoding);
    };
  }
}
