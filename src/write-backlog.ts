import { requireIntegerFrom } from './arguments.ts';
import { WriteBufferLimitError } from './errors.ts';
import { DEFAULT_WRITE_BUFFER_LIMIT_BYTES } from './stream-defaults.ts';

/**
 * The limit of what waits in a queue before a transport, or any other place where writes are kept. The largest single write is not
 * counted: whoever made it has its memory anyway, and it is sent piece by piece. So a write of any size is taken, with a
 * little before and behind it, and writing on and on is not.
 */
export class WriteBacklog {
  readonly #limitBytes: number | undefined;
  readonly #highWaterMark: number;
  /** Of the writes since nothing was waiting. */
  #largestBytes = 0;

  /** Throws `RangeError` for a limit below the high-water mark, `TypeError` for none; undefined is the default, or what `overflow` is told. */
  constructor(writeBufferLimit: number | undefined, highWaterMark: number) {
    this.#limitBytes = writeBufferLimit;
    this.#highWaterMark = highWaterMark;
    if (writeBufferLimit === undefined) return;
    requireIntegerFrom('writeBufferLimit', writeBufferLimit, 1);
    if (writeBufferLimit < highWaterMark) {
      throw new RangeError(
        `writeBufferLimit must be at least the high-water mark, ${String(highWaterMark)}; got ${String(writeBufferLimit)}`,
      );
    }
  }

  /**
   * To be asked after each write: `waitingBytes` wait now, `writtenBytes` of it by this write. The error if that is too much.
   * `defaultLimit` stands in for a limit that was not given.
   */
  overflow(
    waitingBytes: number,
    writtenBytes: number,
    defaultLimit: number = DEFAULT_WRITE_BUFFER_LIMIT_BYTES,
  ): WriteBufferLimitError | undefined {
    const isFirst = waitingBytes <= writtenBytes;
    this.#largestBytes = isFirst ? writtenBytes : Math.max(this.#largestBytes, writtenBytes);
    // A limit that was not asked for does not get in the way of a higher mark.
    const limitBytes = this.#limitBytes ?? Math.max(defaultLimit, this.#highWaterMark);
    if (waitingBytes - this.#largestBytes <= limitBytes) return undefined;
    return new WriteBufferLimitError(waitingBytes, limitBytes);
  }
}
