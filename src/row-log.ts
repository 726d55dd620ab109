import type { Logger } from './interfaces/logger.ts';

/**
 * Logs what may come in rows: the first of a row as a warning, the others for those who want details (`debug`), so that a flood of events is
 * no flood of the log. What differs in `kind` is in different rows.
 */
export class RowLog {
  readonly #logger: Logger | undefined;
  /** Whose first has been logged. */
  readonly #kinds = new Set<string>();

  constructor(logger: Logger | undefined) {
    this.#logger = logger;
  }

  note(kind: string, fields: object, message: string): void {
    if (this.#logger === undefined) return;
    if (this.#kinds.has(kind)) {
      this.#logger.debug(fields, message);
      return;
    }
    this.#logger.warn(fields, message);
    this.#kinds.add(kind);
  }

  /** The rows have ended: the next of any kind is the first of a new one. */
  end(): void {
    this.#kinds.clear();
  }
}
