import type { VirtualProcesses } from '../simulation/virtual-processes.ts';
import type { PeerWorld } from './scripted-peer.ts';
import { ScriptedProcess } from './scripted-process.ts';

/** What a scripted program does without being told. */
export interface ScriptedProgramOptions {
  /** Is called with each child when it has been started; the place to have it answer by itself. What it throws comes out of the advance. */
  readonly main?: (child: ScriptedProcess) => void;
  /** The code of the error with which it cannot be started: `EACCES`, for instance. */
  readonly startError?: string;
}

/** A program played by a test. Each child that is started of it is a `ScriptedProcess`. Made by `TestReactor.installProgram`. */
export class ScriptedProgram {
  /** What `spawnProcess` has to be given. */
  readonly executable: string;
  readonly #programs: VirtualProcesses;
  readonly #children: ScriptedProcess[] = [];
  #acceptedCount = 0;

  /** @internal */
  constructor(world: PeerWorld, programs: VirtualProcesses, executable: string, options: ScriptedProgramOptions) {
    const { main, startError } = options;
    this.executable = executable;
    this.#programs = programs;
    programs.install(executable, {
      run: (child) => {
        const scripted = new ScriptedProcess(world, child);
        this.#children.push(scripted);
        main?.(scripted);
      },
      ...(startError !== undefined && { startError }),
    });
  }

  /** Every child that was started of it, in order, those that have ended too. */
  get children(): readonly ScriptedProcess[] {
    return this.#children;
  }

  /** The next child that has not been taken yet, oldest first. Throws an `Error` if there is none. */
  accept(): ScriptedProcess {
    const child = this.#children[this.#acceptedCount];
    if (child === undefined) {
      throw new Error(
        `no ${this.executable} has been started that accept() has not returned yet; programs start during advance()`,
      );
    }
    this.#acceptedCount += 1;
    return child;
  }

  /** Takes the executable away, so that it cannot be started any more. Its children live on. */
  remove(): void {
    this.#programs.remove(this.executable);
  }
}
