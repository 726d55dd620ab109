/** Where a `Deferred` was made and fired, kept while debugging is on. See `setDebugging`. */
export class DeferredTrace {
  // Engines make the text of a stack only when it is asked for, so an error kept is cheaper than its stack.
  readonly #creation = new Error();
  #firing: Error | undefined;

  /** Notes that the `Deferred` is being fired now; only the first time counts. */
  noteFiring(): void {
    this.#firing ??= new Error();
  }

  /** For people: several lines. */
  toString(): string {
    const creation = `The Deferred was made\n${framesOf(this.#creation)}`;
    return this.#firing === undefined ? creation : `${creation}\nand fired\n${framesOf(this.#firing)}`;
  }
}

/** The stack of an error without its first line, the error itself, and without the frames of this file. */
function framesOf(error: Error): string {
  const lines = (error.stack ?? '').split('\n');
  return lines.filter((line) => line.trim() !== '' && line !== 'Error' && !line.includes('DeferredTrace')).join('\n');
}
