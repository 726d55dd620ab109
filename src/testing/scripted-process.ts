import { describe } from '../arguments.ts';
import type { ChildDescriptor } from '../interfaces/process-platform.ts';
import { requireSignal } from '../reactor/process-signals.ts';
import type { VirtualProcess } from '../simulation/virtual-processes.ts';
import { VirtualSystemError } from '../simulation/system-error.ts';
import { type PeerWorld, ScriptedPeer } from './scripted-peer.ts';

/** The highest code that a program can end with. */
const EXIT_CODE_MAX = 255;

/** What these do to a program that does not care about them is not to end it. */
const HARMLESS_SIGNALS: ReadonlySet<string> = new Set([
  ...['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH', 'SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU'],
]);

/** How a scripted program exits. */
export interface ScriptedExitOptions {
  /**
   * Descriptors whose pipes stay open, as if a program started by this one had inherited them. The test closes them in
   * the end: `child.stdout.end()`.
   */
  readonly holding?: readonly number[];
}

/**
 * A program played by a test: it sees what it was started with, has the far ends of its pipes, and ends when it is told to.
 * Made when a program that was installed with `TestReactor.installProgram` is started.
 *
 * A signal that would end a program ends it, unless there is an `onSignal`; `SIGKILL` always does.
 */
export class ScriptedProcess {
  /** Its number, as the transport has it. */
  readonly pid: number;
  /** As `spawnProcess` was given it. */
  readonly executable: string;
  readonly args: readonly string[];
  /** The program's own name, as it was told: `argv0`, or else the executable. */
  readonly argv0: string;
  /** The whole environment; undefined where it was to be inherited. */
  readonly env: Readonly<Record<string, string>> | undefined;
  /** The directory; undefined where it was to be inherited. */
  readonly cwd: string | undefined;
  /** Undefined where it was to be inherited. */
  readonly uid: number | undefined;
  /** Undefined where it was to be inherited. */
  readonly gid: number | undefined;
  /** What it has at each descriptor: a pipe to read (`'w'`) or to write (`'r'`), or one of the parent's. */
  readonly childFDs: Readonly<Record<number, ChildDescriptor>>;
  /**
   * Is called with each signal but `SIGKILL`, which then has no other effect. What it throws comes out of the advance.
   */
  onSignal: ((signal: string) => void) | undefined = undefined;

  readonly #world: PeerWorld;
  readonly #child: VirtualProcess;
  readonly #pipes = new Map<number, ScriptedPeer>();
  readonly #signals: string[] = [];

  /** @internal */
  constructor(world: PeerWorld, child: VirtualProcess) {
    const { executable, args, argv0 = executable, env, cwd, uid, gid, descriptors } = child.order;
    this.pid = child.processId;
    this.executable = executable;
    this.args = args;
    this.argv0 = argv0;
    this.env = env;
    this.cwd = cwd;
    this.uid = uid;
    this.gid = gid;
    this.childFDs = Object.fromEntries(descriptors);
    this.#world = world;
    this.#child = child;
    for (const [childFD, handle] of child.pipes) {
      const peer = new ScriptedPeer(world, { allowHalfOpen: true }, (listener) => {
        listener.connected(handle);
        return undefined;
      });
      this.#pipes.set(childFD, peer);
    }
    child.signalReceived = (signal) => {
      this.#signalReceived(signal);
    };
  }

  /** Its end of the pipe at descriptor 0; as `pipe(0)`. */
  get stdin(): ScriptedPeer {
    return this.pipe(0);
  }

  /** Its end of the pipe at descriptor 1; as `pipe(1)`. */
  get stdout(): ScriptedPeer {
    return this.pipe(1);
  }

  /** Its end of the pipe at descriptor 2; as `pipe(2)`. */
  get stderr(): ScriptedPeer {
    return this.pipe(2);
  }

  /**
   * Its end of the pipe at one of its descriptors. Where there is none it is one that is closed, and drops what it is told to
   * send, as the null device does.
   */
  pipe(childFD: number): ScriptedPeer {
    const existing = this.#pipes.get(childFD);
    if (existing !== undefined) return existing;
    const closed = new ScriptedPeer(this.#world, {}, (listener) => {
      listener.connectFailed(new VirtualSystemError('ENXIO', 'open', `${this.executable} has no pipe there`));
      return undefined;
    });
    this.#pipes.set(childFD, closed);
    return closed;
  }

  /** The signals it has received, in order, by name: `SIGTERM`. */
  get signals(): readonly string[] {
    return this.#signals;
  }

  /** Whether it has ended. */
  get exited(): boolean {
    return this.#child.hasExited;
  }

  /**
   * Ends, with a code or by a signal. What it was told to write still arrives, what it has not read is lost, and its pipes
   * close, but for those that are `holding`. Throws an `Error` if it has ended already, `RangeError` for what is neither code nor signal.
   */
  exit(ending: number | string = 0, { holding = [] }: ScriptedExitOptions = {}): void {
    if (this.#child.hasExited) throw new Error(`${String(this)} has ended already`);
    this.#exit(requireEnding(ending), holding);
  }

  toString(): string {
    return `${this.executable} (process ${String(this.pid)})`;
  }

  #signalReceived(signal: string): void {
    this.#signals.push(signal);
    if (signal === 'SIGKILL') this.#exit(signal, []);
    else if (this.onSignal !== undefined) this.onSignal(signal);
    else if (!HARMLESS_SIGNALS.has(signal)) this.#exit(signal, []);
  }

  #exit(ending: number | string, holding: readonly number[]): void {
    for (const [childFD, peer] of this.#pipes) {
      if (holding.includes(childFD)) continue;
      if (this.childFDs[childFD] === 'r') peer.end();
      else peer.abort();
    }
    this.#child.exit(ending);
  }
}

function requireEnding(ending: number | string): number | string {
  if (typeof ending === 'string') return requireSignal('ending', ending);
  if (Number.isInteger(ending) && ending >= 0 && ending <= EXIT_CODE_MAX) return ending;
  throw new RangeError(`ending must be a code from 0 to 255, or a signal's name; got ${describe(ending)}`);
}
