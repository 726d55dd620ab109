/**
 * The limits of Node's own stream buffers, which a reactor does without: it pauses reading and counts what is unsent.
 * Both are options of any socket, though `net` does not document them.
 */
export const WATER_MARKS: { readonly readableHighWaterMark: number; readonly writableHighWaterMark: number } = {
  /**
   * Of no effect with `onread`. With 'data' events it is how much Node still reads after `pause()`, and drops if a
   * reset follows: with one byte it stops at the first chunk, and so does not see the reset until that was delivered.
   */
  readableHighWaterMark: 1,
  /** Above this Node schedules a 'drain' event for each write, for which nobody listens here. */
  writableHighWaterMark: Number.MAX_SAFE_INTEGER,
};
