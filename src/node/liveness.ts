import type { LivenessPlatform } from '../interfaces/platform.ts';
import { listenToProcess } from './process-listener.ts';

/** The longest interval Node has, about 25 days. The timer is there to exist, not to fire. */
const INTERVAL_MS = 2 ** 31 - 1;

/**
 * Keeps the process alive with a timer, and warns through `process.emitWarning`, so that the text begins with
 * `RopewalkWarning`, goes to stderr, and obeys `--no-warnings` and `--trace-warnings`.
 */
export class NodeLiveness implements LivenessPlatform {
  #interval: NodeJS.Timeout | undefined;
  #beforeExit: Disposable | undefined;

  keepAlive(enabled: boolean): void {
    if (enabled) {
      this.#interval ??= setInterval(() => {}, INTERVAL_MS);
    } else {
      clearInterval(this.#interval);
      this.#interval = undefined;
    }
  }

  warnBeforeExit(describe: (() => string | undefined) | undefined): void {
    this.#beforeExit?.[Symbol.dispose]();
    this.#beforeExit = undefined;
    if (describe === undefined) return;
    let warned = false;
    this.#beforeExit = listenToProcess('beforeExit', () => {
      // 'beforeExit' comes again if another of its listeners gave the process something to do.
      const text = warned ? undefined : describe();
      if (text === undefined) return;
      warned = true;
      process.emitWarning(text, 'RopewalkWarning');
    });
  }
}
