/** How long a line may grow before its end comes, so that a peer cannot fill our memory. */
const MAX_LINE_LENGTH = 16_384;

/**
 * Cuts a stream of bytes into lines of text. One for each connection: it keeps the half of a line, and the half of a
 * character, that the next read will complete.
 */
export class TextLines {
  readonly #decoder = new TextDecoder();
  #unfinished = '';

  /** The lines that these bytes complete, without their ends; throws `RangeError` for a line without one. */
  push(data: Uint8Array): string[] {
    const lines = (this.#unfinished + this.#decoder.decode(data, { stream: true })).split('\n');
    this.#unfinished = lines.pop() ?? '';
    if (this.#unfinished.length > MAX_LINE_LENGTH) throw new RangeError('The peer sent a line that is too long');
    return lines.map((line) => line.replace(/\r$/, ''));
  }
}
