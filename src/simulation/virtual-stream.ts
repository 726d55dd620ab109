/**
 * One end of a stream on the virtual network.
 *
 * ## Theory of operation
 *
 * Two ends are joined by two channels, one for each direction. What travels: data, a FIN, a reset, and the
 * acknowledgement that so many bytes have been read. All of them keep their order within a channel, so a FIN or a reset
 * never overtakes data.
 *
 * **Windows.** An end may send what the other end's window has room for; the rest waits at the sender, uncopied.
 * Bytes take room from when they are sent until the receiver's listener has been given them, so a receiver that has
 * paused stops its sender. Bytes are copied once, as they leave.
 *
 * **An end's life**, which only goes forward:
 *
 *     silent ──open()──▶ open ──close()──▶ lingering ──▶ gone
 *        └──────────────────┴── reset(), the peer's reset ──▶┘
 *
 * - silent, open: what arrives waits in the inbox. An open end that is reading empties it into its listener.
 * - lingering: closed by its owner, who hears nothing more. What is unsent still leaves, then the FIN; what arrives is
 *   discarded until the peer's FIN, for a bounded time and amount.
 * - gone: nothing is held. An end that went without waiting for the peer's FIN answers data with a reset.
 *
 * **A reset** from the peer stands in the inbox like data: a listener that is reading gets all that came before it, then
 * `failed`. While reading is paused the reset waits too; but an end that has something to send, or tries to, fails at
 * once and drops what it has not read, as a system does whose `write` returns an error.
 *
 * **Without resets**, as over UNIX sockets, an end that goes at once says FIN, and then that it is gone: what came before
 * can be read to its end all the same, but nothing can be written any more.
 */
import type { Buffer } from 'node:buffer';
import type { Address } from '../addresses.ts';
import type { StreamHandle, StreamListener } from '../interfaces/stream-platform.ts';
import { ChunkQueue } from './chunk-queue.ts';
import type { ScheduledEvent } from './event-queue.ts';
import type { Channel } from './link.ts';
import type { Scheduler } from './scheduler.ts';
import { VirtualSystemError } from './system-error.ts';

/** The most bytes of one segment, and so of one report; what a system's read is usually given room for. */
export const SEGMENT_BYTES_MAX = 65_536;

/** What bounds a stream. */
export interface StreamLimits {
  /** How many bytes may be on their way to an end, or wait unread at it. */
  readonly windowBytes: number;
  /** How long a closed end goes on discarding what still comes. */
  readonly lingerSeconds: number;
  /** After more than so many it resets. */
  readonly lingerBytesMax: number;
}

/** Everything an end is made of. */
export interface StreamEndParts {
  readonly scheduler: Scheduler;
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly toPeer: Channel;
  readonly limits: StreamLimits;
  /** Whether the transport can reset; one that cannot, as that of UNIX sockets, closes instead. */
  readonly canReset: boolean;
  /** Called once, when the end is gone. */
  readonly gone: () => void;
}

/** What stands in the inbox until it is read. */
type Segment = { readonly kind: 'data'; readonly data: Buffer } | { readonly kind: 'fin' } | { readonly kind: 'reset' };
/** What travels; `gone`: nobody reads at the other end any more. */
type Message = Segment | { readonly kind: 'gone' };

type Life =
  | { readonly state: 'silent' }
  | { readonly state: 'open'; readonly listener: StreamListener }
  | { readonly state: 'lingering'; readonly deadline: ScheduledEvent }
  | { readonly state: 'gone'; readonly answersWithReset: boolean };

const FIN: Segment = { kind: 'fin' };
const RESET: Segment = { kind: 'reset' };
const GONE: Message = { kind: 'gone' };

export class VirtualStream implements StreamHandle {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly #parts: StreamEndParts;

  #life: Life = { state: 'silent' };
  #peer: VirtualStream | undefined;

  /** `ending`: a FIN follows what is unsent. */
  #sending: 'open' | 'ending' | 'ended' = 'open';
  #isPeerGone = false;
  readonly #unsent = new ChunkQueue();
  /** How many bytes the peer's window still has room for. */
  #roomBytes = 0;

  /** `broken`: a reset has arrived; it may still stand in the inbox. */
  #receiving: 'open' | 'ended' | 'broken' = 'open';
  #inbox: Segment[] = [];
  #isReading = false;
  #discardedBytes = 0;

  constructor(parts: StreamEndParts) {
    this.#parts = parts;
    this.localAddress = parts.localAddress;
    this.remoteAddress = parts.remoteAddress;
  }

  /** Joins two new ends. */
  static join(one: VirtualStream, other: VirtualStream): void {
    one.#peer = other;
    other.#peer = one;
    one.#roomBytes = other.#parts.limits.windowBytes;
    other.#roomBytes = one.#parts.limits.windowBytes;
  }

  open(listener: StreamListener): void {
    if (this.#life.state === 'silent' || this.#life.state === 'open') this.#life = { state: 'open', listener };
  }

  resumeReading(): void {
    if (this.#life.state !== 'open' || this.#isReading) return;
    this.#isReading = true;
    if (this.#inbox.length > 0) {
      this.#soon(() => {
        this.#report();
      });
    }
  }

  pauseReading(): void {
    this.#isReading = false;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#life.state !== 'open') return true;
    for (const chunk of chunks) this.#unsent.push(chunk);
    if (this.#receiving === 'broken' || this.#isPeerGone) {
      this.#failSoon('write');
      return false;
    }
    this.#sendWhatFits();
    return this.#unsent.bytes === 0;
  }

  shutdown(): void {
    if (this.#life.state !== 'open' || this.#sending !== 'open') return;
    if (this.#receiving === 'broken') {
      this.#failSoon('shutdown');
      return;
    }
    this.#sending = 'ending';
    this.#sendWhatFits();
    this.#soon(() => {
      if (this.#life.state === 'open') this.#life.listener.shutDown();
    });
  }

  close(): void {
    if (this.#life.state === 'lingering' || this.#life.state === 'gone') return;
    if (this.#receiving === 'broken') {
      this.#vanish(false);
      return;
    }
    const unread = this.#inbox;
    this.#inbox = [];
    this.#life = { state: 'lingering', deadline: this.#lingerDeadline() };
    if (this.#sending === 'open') this.#sending = 'ending';
    this.#sendWhatFits();
    for (const segment of unread) this.#discard(segment);
    this.#vanishIfDone();
  }

  reset(): void {
    if (this.#life.state === 'gone') return;
    const { canReset } = this.#parts;
    if (this.#receiving !== 'broken') {
      if (!canReset && this.#sending !== 'ended') this.#send(0, FIN);
      this.#send(0, canReset ? RESET : GONE);
    }
    this.#vanish(!canReset);
  }

  // ------------------------------------------------------------------------------------------------------- sending

  #send(bytes: number, message: Message): void {
    const peer = this.#peer;
    if (peer === undefined) return;
    this.#parts.toPeer.send(bytes, () => {
      peer.#arrived(message);
    });
  }

  #sendWhatFits(): void {
    while (this.#unsent.bytes > 0 && this.#roomBytes > 0) {
      const data = this.#unsent.take(Math.min(this.#roomBytes, SEGMENT_BYTES_MAX));
      this.#roomBytes -= data.length;
      this.#send(data.length, { kind: 'data', data });
    }
    if (this.#sending === 'ending' && this.#unsent.bytes === 0) {
      this.#sending = 'ended';
      this.#send(0, FIN);
    }
  }

  /** The peer has read so many bytes. */
  #acknowledged(bytes: number): void {
    if (this.#life.state === 'gone') return;
    this.#roomBytes += bytes;
    if (this.#unsent.bytes === 0) return;
    this.#sendWhatFits();
    if (this.#unsent.bytes > 0) return;
    if (this.#life.state === 'open') this.#life.listener.written();
    else this.#vanishIfDone();
  }

  // ----------------------------------------------------------------------------------------------------- receiving

  #arrived(message: Message): void {
    switch (this.#life.state) {
      case 'gone':
        if (this.#life.answersWithReset && message.kind === 'data') this.#send(0, RESET);
        return;
      case 'lingering':
        this.#discard(message);
        this.#vanishIfDone();
        return;
      case 'silent':
      case 'open':
        if (message.kind === 'reset') this.#receiving = 'broken';
        if (message.kind === 'gone') this.#isPeerGone = true;
        else this.#inbox.push(message);
        this.#report();
        if ((this.#receiving === 'broken' || this.#isPeerGone) && this.#unsent.bytes > 0) this.#fail('write');
    }
  }

  /** Gives the listener what has arrived, for as long as it reads. */
  #report(): void {
    while (this.#life.state === 'open' && this.#isReading) {
      const segment = this.#inbox.shift();
      if (segment === undefined) return;
      switch (segment.kind) {
        case 'data':
          this.#acknowledge(segment.data.length);
          this.#life.listener.dataReceived(segment.data);
          break;
        case 'fin':
          if (this.#receiving === 'open') this.#receiving = 'ended';
          this.#life.listener.endReceived();
          break;
        case 'reset':
          this.#fail('read');
      }
    }
  }

  #acknowledge(bytes: number): void {
    const peer = this.#peer;
    if (peer === undefined) return;
    this.#parts.toPeer.send(0, () => {
      peer.#acknowledged(bytes);
    });
  }

  #discard(message: Message): void {
    switch (message.kind) {
      case 'data':
        this.#discardedBytes += message.data.length;
        if (this.#discardedBytes > this.#parts.limits.lingerBytesMax) this.reset();
        else this.#acknowledge(message.data.length);
        return;
      case 'fin':
        this.#receiving = 'ended';
        return;
      case 'reset':
      case 'gone':
        this.#vanish(false);
    }
  }

  // -------------------------------------------------------------------------------------------------------- ending

  #failSoon(syscall: string): void {
    this.#soon(() => {
      this.#fail(syscall);
    });
  }

  #fail(syscall: string): void {
    if (this.#life.state !== 'open') return;
    const { listener } = this.#life;
    this.#vanish(false);
    listener.failed(new VirtualSystemError(this.#isPeerGone && syscall === 'write' ? 'EPIPE' : 'ECONNRESET', syscall));
  }

  #lingerDeadline(): ScheduledEvent {
    const { scheduler, limits } = this.#parts;
    return scheduler.schedule(scheduler.now() + limits.lingerSeconds, () => {
      if (this.#sending === 'ended') this.#vanish(true);
      else this.reset();
    });
  }

  #vanishIfDone(): void {
    if (this.#life.state === 'lingering' && this.#sending === 'ended' && this.#receiving === 'ended') {
      this.#vanish(false);
    }
  }

  #vanish(answersWithReset: boolean): void {
    if (this.#life.state === 'gone') return;
    if (this.#life.state === 'lingering') this.#life.deadline.cancel();
    this.#life = { state: 'gone', answersWithReset };
    this.#unsent.clear();
    this.#inbox = [];
    this.#parts.gone();
  }

  #soon(action: () => void): void {
    this.#parts.scheduler.schedule(this.#parts.scheduler.now(), action);
  }
}
