/**
 * The programs of one virtual host: a table of executables, and what runs of them.
 *
 * Starting a program looks its executable up, as given; there is no `PATH`. The program is an object that is handed a
 * `VirtualProcess` when it starts, and does with it what it likes: it reads and writes the far ends of the pipes, is told of
 * signals, and says when it exits. The platform's end of it keeps the order of the seam: `started` before everything else,
 * `exited` once.
 */
import type {
  ProcessHandle,
  ProcessListener,
  ProcessPlatform,
  ProcessProgram,
} from '../interfaces/process-platform.ts';
import type { StreamHandle } from '../interfaces/stream-platform.ts';
import { VirtualSystemError } from './system-error.ts';
import { createPipe, type VirtualPipeParts } from './virtual-pipe.ts';
import type { VirtualStream } from './virtual-stream.ts';

/** An executable of a virtual host. */
export interface VirtualProgram {
  /** The code of the system's error with which it cannot be started, if it cannot. */
  readonly startError?: string;
  /** It has been started. May be called at any time of an advance; must not throw. */
  run(child: VirtualProcess): void;
}

/** The first number that is given out. A host has had others by then. */
const FIRST_PROCESS_ID = 1000;

export class VirtualProcesses implements ProcessPlatform {
  readonly #parts: VirtualPipeParts;
  readonly #programs = new Map<string, VirtualProgram>();
  #nextProcessId = FIRST_PROCESS_ID;
  #runningCount = 0;
  #pipeEndCount = 0;

  constructor(parts: VirtualPipeParts) {
    this.#parts = parts;
  }

  /** How many programs run, and how many ends of pipes are not gone. */
  get openCount(): number {
    return this.#runningCount + this.#pipeEndCount;
  }

  /** Puts a program in the place of the executable, whatever was there. */
  install(executable: string, program: VirtualProgram): void {
    this.#programs.set(executable, program);
  }

  /** Takes an executable away. What runs of it goes on. */
  remove(executable: string): void {
    this.#programs.delete(executable);
  }

  spawn(order: ProcessProgram, listener: ProcessListener): ProcessHandle {
    const { scheduler } = this.#parts;
    const program = this.#programs.get(order.executable);
    const child = new VirtualProcess(this.#takeProcessId(), order, this.#parts, listener, () => {
      this.#runningCount -= 1;
    });
    this.#runningCount += 1;
    scheduler.schedule(scheduler.now(), () => {
      const code = program === undefined ? 'ENOENT' : program.startError;
      if (program === undefined || code !== undefined) {
        this.#runningCount -= 1;
        listener.startFailed(new VirtualSystemError(code ?? 'ENOENT', `spawn ${order.executable}`));
        return;
      }
      listener.started(child.processId, this.#openPipes(child));
      program.run(child);
    });
    return child;
  }

  #takeProcessId(): number {
    this.#nextProcessId += 1;
    return this.#nextProcessId - 1;
  }

  /** Makes the pipes, gives the child its ends, and returns ours. */
  #openPipes(child: VirtualProcess): ReadonlyMap<number, StreamHandle> {
    const near = new Map<number, StreamHandle>();
    for (const [childFD, descriptor] of child.order.descriptors) {
      if (typeof descriptor === 'number') continue;
      const pipe = createPipe(this.#parts, {
        canBreak: true,
        // What was written has to arrive; what is read has been given up.
        lingers: descriptor === 'w',
        gone: () => {
          this.#pipeEndCount -= 1;
        },
      });
      this.#pipeEndCount += 2;
      child.pipes.set(childFD, pipe.far);
      near.set(childFD, pipe.near);
    }
    return near;
  }
}

/** One run of a program, from the program's side. */
export class VirtualProcess implements ProcessHandle {
  readonly processId: number;
  readonly order: ProcessProgram;
  /** The child's ends of its pipes. Whoever plays the program opens and closes them. */
  readonly pipes: Map<number, VirtualStream> = new Map<number, VirtualStream>();
  /** Is told of each signal. What it does to the program is for the listener to say. */
  signalReceived: ((signal: string) => void) | undefined = undefined;

  readonly #parts: VirtualPipeParts;
  readonly #listener: ProcessListener;
  readonly #gone: () => void;
  #hasExited = false;

  constructor(
    processId: number,
    order: ProcessProgram,
    parts: VirtualPipeParts,
    listener: ProcessListener,
    gone: () => void,
  ) {
    this.processId = processId;
    this.order = order;
    this.#parts = parts;
    this.#listener = listener;
    this.#gone = gone;
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  signal(signal: string | number): void {
    if (this.#hasExited) throw new VirtualSystemError('ESRCH', 'kill');
    const name = typeof signal === 'number' ? nameOf(signal) : signal;
    if (!SIGNALS.includes(name)) throw new VirtualSystemError('EINVAL', 'kill');
    // 0 is none: it only asks.
    if (name === NO_SIGNAL) return;
    const { scheduler } = this.#parts;
    scheduler.schedule(scheduler.now(), () => {
      if (!this.#hasExited) this.signalReceived?.(name);
    });
  }

  /** The program ends, with a code or by a signal. Its pipes are for the caller to close. */
  exit(ending: number | string): void {
    if (this.#hasExited) return;
    this.#hasExited = true;
    const { scheduler } = this.#parts;
    scheduler.schedule(scheduler.now(), () => {
      this.#gone();
      this.#listener.exited(
        typeof ending === 'number'
          ? { exitCode: ending, signal: undefined, status: ending * 256 }
          : { exitCode: undefined, signal: ending, status: SIGNALS.indexOf(ending) },
      );
    });
  }
}

const NO_SIGNAL = 'no signal';

/** By number, as Linux has them. */
const SIGNALS: readonly string[] = [
  NO_SIGNAL,
  ...(
    'SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM ' +
    'SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH ' +
    'SIGIO SIGPWR SIGSYS'
  ).split(' '),
];

function nameOf(signal: number): string {
  return SIGNALS[signal] ?? '';
}
