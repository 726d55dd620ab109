import type { Failure, ReactorOptions } from 'ropewalk/core';
import { ReactorAlreadyRunning, Reactor } from 'ropewalk/core';
import type { Platform } from '../../../src/interfaces/platform.ts';

/** The reactors of one case, and the errors they have reported. */
export class Reactors {
  readonly errors: Failure[] = [];
  readonly #reactors: Reactor[] = [];

  create(platform: Platform, options: ReactorOptions): Reactor {
    const errorReporter = (failure: Failure): void => {
      this.errors.push(failure);
    };
    const reactor = new Reactor(platform, options.logger === undefined ? { errorReporter, ...options } : options);
    this.#reactors.push(reactor);
    return reactor;
  }

  /** Ends everything on all reactors. */
  async end(until: (condition: () => boolean, what: string) => Promise<void>): Promise<void> {
    for (const reactor of this.#reactors) {
      for (const call of reactor.getDelayedCalls()) call.cancel();
      runAgain(reactor);
      let hasEnded = false;
      void reactor[Symbol.asyncDispose]().then(() => {
        hasEnded = true;
      });
      await until(() => hasEnded, 'the reactor has ended');
    }
  }

  /** What is wrong after `end`: things still alive, and errors that no case took out. */
  problems(): string[] {
    const left = this.#reactors.flatMap((reactor) => {
      const { connections, handshakes, connectors, ports, processes } = reactor.inspect();
      const alive = [...connections, ...handshakes, ...connectors, ...ports, ...processes];
      return alive.map((line) => `left on a reactor: ${line}`);
    });
    return [...left, ...this.errors.map((failure) => `reported and not taken out: ${failure.getTraceback()}`)];
  }
}

/** Only a run ends what was begun before the first one, or left by a crash. */
function runAgain(reactor: Reactor): void {
  try {
    void reactor.run({ installSignalHandlers: false });
  } catch (error) {
    if (!(error instanceof ReactorAlreadyRunning)) throw error;
  }
}
