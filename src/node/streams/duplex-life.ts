/**
 * The life of the connection behind a Node `Duplex`.
 *
 *     connecting ──connected──▶ connected ──────lost──────▶ lost
 *          │                        │                         ▲
 *          ╰─destroyed─▶ abandoned  ╰─destroyed─▶ closing ─lost╯
 *
 * - connecting: what is written, and the end, waits.
 * - abandoned: it was destroyed before there was a connection. One that comes after all is aborted.
 * - connected: each write waits until its bytes have left, so that they may be changed then, as Node promises; what is
 *   written meanwhile is kept by `Duplex`, and leaves in one piece. `push` returning false pauses the transport.
 * - closing: it was destroyed; 'close' waits for the connection to be lost.
 * - lost: nothing can be written. What was received in order can still be read.
 *
 * `Duplex` asks for one thing at a time, a write or the end of writing, and is answered once: that is the request of a state.
 */
import type { Duplex } from 'node:stream';
import type { Failure } from '../../deferred/failure.ts';
import { writeAndDrain } from '../../deferred/when-drained.ts';
import { ConnectionDone, ConnectionLost } from '../../errors.ts';
import type { Transport } from '../../interfaces/transport.ts';

/** How `Duplex` is answered. */
export type Callback = (error?: Error | null) => void;

type Request =
  | { readonly kind: 'write'; readonly chunks: readonly Uint8Array[]; readonly answer: Callback }
  | { readonly kind: 'end'; readonly answer: Callback };

type State =
  | { readonly name: 'connecting'; readonly request: Request | undefined }
  | { readonly name: 'abandoned' }
  | { readonly name: 'connected'; readonly transport: Transport; readonly request: Request | undefined }
  | {
      readonly name: 'closing';
      readonly transport: Transport;
      readonly request: Request | undefined;
      readonly destroyed: () => void;
    }
  | { readonly name: 'lost'; readonly transport: Transport; readonly reason: Failure };

const ABANDONED: State = { name: 'abandoned' };

export class DuplexLife {
  readonly #stream: Duplex;
  readonly #active: () => void;
  #state: State = { name: 'connecting', request: undefined };
  #bytesLeft = 0;

  /** `active` is called whenever bytes are given to the transport, and when they have left. */
  constructor(stream: Duplex, active: () => void) {
    this.#stream = stream;
    this.#active = active;
  }

  get isConnecting(): boolean {
    return this.#state.name === 'connecting';
  }

  get isConnected(): boolean {
    return this.#state.name === 'connected';
  }

  /** Stays after the loss, whose addresses can still be read. */
  get transport(): Transport | undefined {
    return 'transport' in this.#state ? this.#state.transport : undefined;
  }

  /** How many bytes have left so far. */
  get bytesLeft(): number {
    return this.#bytesLeft;
  }

  // -------------------------------------------------------------------------------------- what the transport tells

  /** There is a connection; `announce` says so. A listener of that may destroy the stream, or write. */
  connected(transport: Transport, announce: () => void): void {
    if (this.#state.name !== 'connecting') {
      transport.abortConnection();
      return;
    }
    const { request } = this.#state;
    this.#state = { name: 'connected', transport, request };
    announce();
    if (request !== undefined && this.isConnected) this.#serve(request, transport);
  }

  received(data: Buffer): void {
    if (!this.#stream.push(data)) this.transport?.pauseProducing();
  }

  /** 'end' comes when all that was received has been read; if that is so already, also if nobody reads. */
  endReceived(): void {
    this.#stream.push(null);
    this.#stream.read(0);
  }

  /** The FIN has left. */
  ended(): void {
    this.#takeRequest('end')?.answer();
  }

  lost(reason: Failure): void {
    const state = this.#state;
    if (state.name !== 'connected' && state.name !== 'closing') return;
    this.#state = { name: 'lost', transport: state.transport, reason };
    const isInOrder = reason.value instanceof ConnectionDone;
    // The end is what a connection that closes in order was closed by.
    if (state.request?.kind === 'end' && isInOrder) state.request.answer();
    else state.request?.answer(reason.value);
    if (state.name === 'closing') state.destroyed();
    else if (isInOrder) this.#endInOrder();
    else this.#stream.destroy(reason.value);
  }

  // ------------------------------------------------------------------------------------------ what the stream asks

  resumeReading(): void {
    if (this.#state.name === 'connected') this.#state.transport.resumeProducing();
  }

  write(chunks: readonly Uint8Array[], answer: Callback): void {
    this.#request({ kind: 'write', chunks, answer });
  }

  end(answer: Callback): void {
    this.#request({ kind: 'end', answer });
  }

  /** Has what follows reset the connection, in place of closing it. */
  abort(): void {
    if (this.#state.name === 'connected') this.#state.transport.abortConnection();
  }

  destroy(error: Error | null, answer: Callback): void {
    const state = this.#state;
    switch (state.name) {
      case 'connecting':
        this.#state = ABANDONED;
        state.request?.answer(error ?? new ConnectionLost('it was destroyed while it was connecting'));
        answer(error);
        return;
      case 'connected':
        this.#state = { ...state, name: 'closing', destroyed: () => answer(error) };
        if (error === null && this.#stream.writableLength === 0) state.transport.loseConnection();
        else state.transport.abortConnection();
        return;
      case 'closing':
      case 'abandoned':
      case 'lost':
        answer(error);
    }
  }

  // -------------------------------------------------------------------------------------------------------- inside

  #request(request: Request): void {
    const state = this.#state;
    switch (state.name) {
      case 'connecting':
        this.#state = { name: 'connecting', request };
        return;
      case 'connected':
        this.#state = { ...state, request };
        this.#serve(request, state.transport);
        return;
      case 'lost':
        request.answer(request.kind === 'end' ? null : state.reason.value);
        return;
      case 'closing':
      case 'abandoned': // a stream that is destroyed asks for nothing
    }
  }

  #serve(request: Request, transport: Transport): void {
    if (request.kind === 'end') {
      transport.loseWriteConnection();
      return;
    }
    this.#active();
    writeAndDrain(transport, request.chunks).addCallback((haveLeft) => {
      // If they have not, the loss of the connection says so.
      if (!haveLeft || this.#takeRequest('write') === undefined) return;
      this.#bytesLeft += request.chunks.reduce((sum, { length }) => sum + length, 0);
      this.#active();
      request.answer();
    });
  }

  /** The request of this kind that waits for the transport, which waits no more. */
  #takeRequest(kind: Request['kind']): Request | undefined {
    const state = this.#state;
    if ((state.name !== 'connected' && state.name !== 'closing') || state.request?.kind !== kind) return undefined;
    this.#state = { ...state, request: undefined };
    return state.request;
  }

  /** The connection is over, and all that this side has written has arrived, or it was not this stream that closed it. */
  #endInOrder(): void {
    const stream = this.#stream;
    // One that has ended itself is destroyed by itself when both halves are over, and not before its 'finish'.
    if (!stream.writableEnded) {
      if (stream.readableEnded) {
        stream.destroy();
        return;
      }
      stream.once('end', () => stream.destroy());
    }
    this.endReceived(); // the peer's end may never have come: this side may have closed the connection before it
  }
}
