/**
 * Sees to it that not too much waits in a `WritableStream`.
 *
 * What one keeps before its sink is known to nobody but its writer (`desiredSize`), so it is the writers that watch. The strategy's `size`
 * would not do in their place: it is asked of a write that will be refused as well, since `close` has been called. Pipes need no
 * limit, for they wait for room.
 *
 * The stream's own methods are replaced, in place of a subclass of it: to name a class of the host's to extend, when this is
 * imported, would fail on a host that has none.
 */
import type { WriteBacklog } from '../../write-backlog.ts';

/** What it takes to hold the limit. */
export interface WriteLimit {
  readonly backlog: WriteBacklog;
  /** The stream's. */
  readonly highWaterMark: number;
  /** The limit that holds if the backlog has none of its own, if there is one by now. */
  readonly defaultLimit: () => number | undefined;
  /** A write that has been taken was too much. */
  readonly exceeded: (error: Error) => void;
}

/** Has the limit asked about each write of each writer of the stream from now on. */
export function limitWrites<W>(stream: WritableStream<W>, limit: WriteLimit): void {
  const getWriter = stream.getWriter.bind(stream);
  stream.getWriter = (): WritableStreamDefaultWriter<W> => limitWriter(getWriter(), limit);
}

function limitWriter<W>(
  writer: WritableStreamDefaultWriter<W>,
  { backlog, highWaterMark, defaultLimit, exceeded }: WriteLimit,
): WritableStreamDefaultWriter<W> {
  // A stream that has failed keeps nothing.
  const waitingBytes = (): number => highWaterMark - (writer.desiredSize ?? highWaterMark);
  const write = writer.write.bind(writer);
  const releaseLock = writer.releaseLock.bind(writer);
  writer.write = (chunk: W): Promise<void> => {
    const before = waitingBytes();
    const written = write(chunk);
    const after = waitingBytes();
    // What was refused has added nothing.
    const error = after > before ? backlog.overflow(after, after - before, defaultLimit()) : undefined;
    if (error !== undefined) exceeded(error);
    return written;
  };
  writer.releaseLock = (): void => {
    releaseLock();
    writer.write = write; // which refuses; of the stream this writer knows nothing any more
  };
  return writer;
}
