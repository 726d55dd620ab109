/** `react`: a program that ends when its main function has. Twisted: `twisted.internet.task.react`. */
import { requireFunction } from '../arguments.ts';
import { type CoroutineGenerator, ensureDeferred } from '../deferred/coroutine.ts';
import { Failure } from '../deferred/failure.ts';
import { maybeDeferred } from '../deferred/maybe-deferred.ts';
import { reportUnhandledError } from '../deferred/unhandled.ts';
import { ReactorAlreadyRunning, ReactorNotRunning, SystemExit } from '../errors.ts';
import type { ReactorCore } from '../interfaces/reactor-core.ts';

/** What a main function returns: something to wait for, or the generator of a coroutine, which is then run. */
export type MainResult = PromiseLike<unknown> | CoroutineGenerator<unknown>;

/** The status of a program whose main function failed. */
const EXIT_CODE_FAILED = 1;

/**
 * Calls `main(reactor, ...args)`, runs the reactor until the Deferred, promise or coroutine that it returns has ended, and resolves,
 * when the reactor has stopped, with the exit code of the program: 0 if `main` succeeded, that of a `SystemExit` it
 * failed with, 1 for any other error, which the reactor reports. Touches no process: on Node write
 * `process.exitCode = await react(createReactor(), main)`.
 *
 * `main` is called before the reactor runs, and may be done by then. If the reactor is stopped by something else (a
 * signal, `reactor.stop()`) before `main` is done, `main` is not waited for, and the code is 0. The promise never
 * rejects. Throws `ReactorAlreadyRunning`, without having called `main`, if the reactor runs.
 */
export function react<R extends ReactorCore, A extends readonly unknown[]>(
  reactor: R,
  main: (reactor: R, ...args: A) => MainResult,
  ...args: A
): Promise<number> {
  requireFunction('main', main);
  if (reactor.running) throw new ReactorAlreadyRunning('react() runs the reactor itself, but it is running already');
  return new Program(reactor).run(() => main(reactor, ...args));
}

/**
 * One use of `react`. It stops the reactor while `running`; once the shutdown has begun, by its doing or another's, it is
 * `ending`, and `over` when the reactor has stopped. The outcome of `main` is judged at the end of the shutdown, in a
 * turn, so that it is the reactor that reports an error.
 */
class Program {
  readonly #reactor: ReactorCore;
  #state: 'running' | 'ending' | 'over' = 'running';
  #outcome: unknown;
  #exitCode = 0;

  constructor(reactor: ReactorCore) {
    this.#reactor = reactor;
  }

  run(main: () => MainResult): Promise<number> {
    const before = this.#reactor.addSystemEventTrigger('before', 'shutdown', () => {
      this.#state = 'ending';
    });
    const after = this.#reactor.addSystemEventTrigger('after', 'shutdown', () => {
      this.#end();
    });
    const letGo = (): void => {
      // Without a whole shutdown, after crash() or a run() that threw, nothing may be left for the next run.
      if (this.#state === 'running') this.#reactor.removeSystemEventTrigger(before);
      if (this.#state !== 'over') this.#reactor.removeSystemEventTrigger(after);
      this.#end();
    };
    maybeDeferred(() => ensureDeferred(main())).addBoth((outcome) => {
      this.#mainEnded(outcome);
    });
    try {
      return this.#reactor.run().then(() => {
        letGo();
        return this.#exitCode;
      });
    } catch (error) {
      letGo();
      throw error;
    }
  }

  #mainEnded(outcome: unknown): void {
    this.#outcome = outcome;
    switch (this.#state) {
      case 'running':
        this.#reactor.callWhenRunning(() => {
          this.#stop();
        });
        return;
      case 'ending': // judged when that is over
        return;
      case 'over':
        this.#judge();
    }
  }

  #stop(): void {
    if (this.#state !== 'running') return;
    try {
      this.#reactor.stop();
    } catch (error) {
      // Something else has asked it to stop, in this turn.
      if (!(error instanceof ReactorNotRunning)) throw error;
    }
  }

  #end(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#judge();
  }

  #judge(): void {
    if (!(this.#outcome instanceof Failure)) return;
    if (this.#outcome.value instanceof SystemExit) {
      this.#exitCode = this.#outcome.value.exitCode;
    } else {
      this.#exitCode = EXIT_CODE_FAILED;
      reportUnhandledError(this.#outcome);
    }
  }
}
