import type { DuplexOptions as NodeDuplexOptions } from 'node:stream';
import { requireOptions } from '../../arguments.ts';
import { DEFAULT_HIGH_WATER_MARK_BYTES } from '../../stream-defaults.ts';
import { WriteBacklog } from '../../write-backlog.ts';

/** The options of a `DuplexProtocol`. */
export interface DuplexOptions {
  /**
   * Whether it can still be written to when the peer has closed its half; false by default, as of a `net.Socket`: then it
   * is ended once the peer's end has been read. A server of `node:http` wants true.
   */
  readonly allowHalfOpen?: boolean;
  /** How many bytes are received before somebody reads them, in bytes; 65,536 by default. */
  readonly readableHighWaterMark?: number;
  /** How many bytes may wait before `write` returns false, in bytes; 65,536 by default. */
  readonly writableHighWaterMark?: number;
  /**
   * How many bytes may wait at all, in bytes, the largest single write not counted; by default as many as on the connection,
   * which are 128 MiB unless its port or connector was told otherwise. More, and it is destroyed with `WriteBufferLimitError`. At
   * least `writableHighWaterMark`.
   */
  readonly writeBufferLimit?: number;
  /** Destroys it with an `AbortError` when it aborts. */
  readonly signal?: AbortSignal;
}

const OPTIONS: readonly (keyof DuplexOptions)[] = [
  'allowHalfOpen',
  'readableHighWaterMark',
  'writableHighWaterMark',
  'writeBufferLimit',
  'signal',
];

/** Checks the options; what Node is to be told, and the limit, of which it knows nothing. */
export function duplexSettings(options: DuplexOptions): NodeDuplexOptions & { readonly backlog: WriteBacklog } {
  requireOptions('options', options, OPTIONS);
  const {
    allowHalfOpen = false,
    readableHighWaterMark = DEFAULT_HIGH_WATER_MARK_BYTES,
    writableHighWaterMark = DEFAULT_HIGH_WATER_MARK_BYTES,
    writeBufferLimit,
    signal,
  } = options;
  const backlog = new WriteBacklog(writeBufferLimit, writableHighWaterMark);
  return { backlog, allowHalfOpen, readableHighWaterMark, writableHighWaterMark, ...(signal && { signal }) };
}
