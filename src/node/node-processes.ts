/**
 * Programs, by `node:child_process`.
 *
 * Node starts a program inside `spawn`, and says in the next tick whether it could. Its pipes are UNIX sockets, of which this
 * takes over the handles at once: see `socket-takeover.ts` for why. Neither a child nor its pipes keep the process alive.
 */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { UNIXAddress } from '../addresses.ts';
import type { SystemError } from '../interfaces/platform.ts';
import type {
  ProcessHandle,
  ProcessListener,
  ProcessPlatform,
  ProcessProgram,
} from '../interfaces/process-platform.ts';
import { DataEventSource } from './byte-source.ts';
import { NO_LINGERING } from './linger.ts';
import { NodeStreamHandle } from './node-stream-handle.ts';
import type { ReadingMode } from './node-streams.ts';
import { ReadSlabs, SlabSource } from './read-slabs.ts';
import { takeOver } from './socket-takeover.ts';
import { toSystemError } from '../system-error.ts';

/** How the pipes of children become streams. */
interface PipeMaker {
  readonly slabs: ReadSlabs | undefined;
  readonly takeOver: typeof takeOver;
}

export class NodeProcesses implements ProcessPlatform {
  readonly #pipes: PipeMaker;

  /** `takeOver` is another for tests of what is done on a runtime where nothing can be taken over. */
  constructor(reading: ReadingMode, takeOverSocket: typeof takeOver = takeOver) {
    this.#pipes = { slabs: reading === 'onread' ? new ReadSlabs() : undefined, takeOver: takeOverSocket };
  }

  spawn(program: ProcessProgram, listener: ProcessListener): ProcessHandle {
    return new NodeProcess(program, listener, this.#pipes);
  }
}

class NodeProcess implements ProcessHandle {
  readonly #listener: ProcessListener;
  readonly #child: ChildProcess | undefined;
  #pipes: ReadonlyMap<number, PipeHandle> = new Map();
  #state: 'starting' | 'running' | 'over' = 'starting';

  constructor(program: ProcessProgram, listener: ProcessListener, maker: PipeMaker) {
    this.#listener = listener;
    try {
      this.#child = spawn(program.executable, program.args, spawnOptions(program));
    } catch (error) {
      // Which of the system's errors Node throws and which it emits is of no interest here.
      setImmediate(() => this.#startFailed(error));
      return;
    }
    const child = this.#child;
    this.#pipes = pipesOf(child, program, maker);
    child.unref();
    child.on('spawn', () => this.#started(child));
    child.on('error', (error) => this.#startFailed(error));
    child.on('exit', (code, signal) => this.#exited(code, signal));
  }

  signal(signal: string | number): void {
    const pid = this.#state === 'running' ? this.#child?.pid : undefined;
    if (pid === undefined) throw killError('ESRCH');
    const number = typeof signal === 'number' ? numberWithName(signal) : numberOf(signal);
    if (number === undefined) throw killError('EINVAL');
    process.kill(pid, number);
  }

  #started(child: ChildProcess): void {
    this.#state = 'running';
    // It has one, once it has been started.
    this.#listener.started(child.pid ?? 0, this.#pipes);
  }

  #startFailed(error: unknown): void {
    if (this.#state !== 'starting') return;
    this.#state = 'over';
    for (const pipe of this.#pipes.values()) pipe.reset();
    this.#listener.startFailed(toSystemError(error));
  }

  /** A signal that has no name here (one of real time) ends a program, in what Node says about it, with code 0 and no signal. */
  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#state !== 'running') return;
    this.#state = 'over';
    const status = signal === null ? (code ?? 0) * 256 : constants.signals[signal];
    this.#listener.exited({ exitCode: code ?? undefined, signal: signal ?? undefined, status });
  }
}

/** A pipe has nothing that lingering could save: what was written is the child's as soon as the system has it. */
class PipeHandle extends NodeStreamHandle {
  override close(): void {
    this.reset();
  }
}

function spawnOptions(program: ProcessProgram): SpawnOptions {
  const { argv0, env, cwd, uid, gid, descriptors } = program;
  const count = Math.max(-1, ...descriptors.keys()) + 1;
  const stdio = Array.from({ length: count }, (_, childFD) => {
    const descriptor = descriptors.get(childFD) ?? 'ignore';
    return typeof descriptor === 'number' || descriptor === 'ignore' ? descriptor : 'pipe';
  });
  return {
    // Without an entry Node would make pipes of the first three.
    stdio: stdio.concat(Array.from({ length: Math.max(0, 3 - count) }, () => 'ignore' as const)),
    windowsHide: true,
    ...(argv0 !== undefined && { argv0 }),
    ...(env && { env }),
    ...(cwd !== undefined && { cwd }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  };
}

/** Takes over the child's pipes. There are none if the system had no descriptors left for them. */
function pipesOf(
  child: ChildProcess,
  { descriptors }: ProcessProgram,
  maker: PipeMaker,
): ReadonlyMap<number, PipeHandle> {
  const pipes = new Map<number, PipeHandle>();
  // Its type knows five of them; and it is not there when Node could not even make them.
  const shells = child.stdio as readonly unknown[] | undefined;
  for (const [childFD, descriptor] of descriptors) {
    const shell = shells?.[childFD];
    if (typeof descriptor === 'string' && shell instanceof Socket) {
      pipes.set(childFD, pipeHandle(child, shell, descriptor, maker));
    }
  }
  return pipes;
}

function pipeHandle(child: ChildProcess, shell: Socket, direction: 'w' | 'r', maker: PipeMaker): PipeHandle {
  const source = direction === 'r' && maker.slabs !== undefined ? new SlabSource(maker.slabs) : undefined;
  const socket = maker.takeOver(shell, source);
  const pipe = new PipeHandle({
    socket,
    source: source?.asked === true ? source : new DataEventSource(socket),
    localAddress: new UNIXAddress(undefined),
    remoteAddress: new UNIXAddress(undefined),
    linger: NO_LINGERING,
  });
  // A shell that could not be taken over and is only written to cannot tell that its reader has gone; the child's end has to do.
  if (socket === shell && !shell.readable) child.once('exit', () => shell.emit('error', brokenPipe()));
  return pipe;
}

function brokenPipe(): SystemError {
  return Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' });
}

function killError(code: string): SystemError {
  return Object.assign(new Error(`kill ${code}`), { code, syscall: 'kill' });
}

/** The end of a program by a signal that has no name would be told as success, so none is sent. 0 is none. */
function numberWithName(signal: number): number | undefined {
  return signal === 0 || Object.values<number>(constants.signals).includes(signal) ? signal : undefined;
}

function numberOf(signal: string): number | undefined {
  // The names are those of this host, and the signal may be one of another.
  return (constants.signals as Readonly<Record<string, number | undefined>>)[signal];
}
