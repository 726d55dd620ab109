import type { Call } from './program.ts';

/** More than this an end does not send: less than a connection that was given up discards (1 MiB). */
const SENT_BYTES_MAX = 400_000;

/** After so many bytes what is sent begins again; not a power of two, so that blocks that change places show. */
const PERIOD_BYTES = 251;

/** What both kinds of ends have: they send a known stream of bytes, and check that they receive the other's. */
export abstract class End {
  /** Bytes that were sent, and that the connection has to carry unless it breaks. */
  sentBytes: number = 0;
  receivedBytes: number = 0;
  /** `abortConnection` was called while there was something to abort. */
  hasAborted: boolean = false;
  /** `loseConnection` was called while the connection was open: what arrives afterwards is nothing to it. */
  hasLeft: boolean = false;
  /** What was seen that no law allows. */
  readonly problems: string[] = [];

  /** Does what a program says. */
  abstract do(call: Call): void;

  /** Has the other end in its view, and lets it finish: resumes, and closes the writing half when all is written. */
  abstract finish(): void;

  /** Nothing will happen here any more. */
  abstract readonly isOver: boolean;

  /** It has heard, in order, that the other end closes its half. */
  abstract readonly hasSeenEnd: boolean;

  /** The next bytes to send; empty when there has been enough. */
  protected nextBytes(length: number): Buffer {
    if (this.sentBytes + length > SENT_BYTES_MAX) return Buffer.alloc(0);
    return Buffer.from(Array.from({ length }, (_, index) => (this.sentBytes + index) % PERIOD_BYTES));
  }

  protected checkReceived(data: Uint8Array): void {
    const start = this.receivedBytes;
    const wrong = data.findIndex((byte, index) => byte !== (start + index) % PERIOD_BYTES);
    if (wrong >= 0) this.problems.push(`byte ${start + wrong} is not what was sent there`);
    this.receivedBytes += data.length;
  }
}
