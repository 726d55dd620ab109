import type { Buffer } from 'node:buffer';
import type { Deferred } from '../deferred/deferred.ts';
import type { Failure } from '../deferred/failure.ts';
import type { ChildDescriptor } from './process-platform.ts';
import type { Consumer } from './producer.ts';
import type { HookResult, StreamProtocol } from './protocol.ts';
import type { ConnectionOptions } from './reactor.ts';
import type { Transport } from './transport.ts';

/** A signal by name, `'TERM'` or `'SIGTERM'`, or by the number it has on the host. */
export type ProcessSignal = string | number;

/**
 * The part of a process protocol that a reactor calls. Hooks are synchronous and serial for one child: `makeConnection` first and once,
 * `processEnded` last and exactly once. Between them come `childDataReceived`, `childConnectionLost` once for each pipe,
 * and `processExited` once, which may be before, between or after the others, as the system has it. Only a child that
 * could not be started has `processEnded` alone.
 *
 * An error in a hook is reported to the reactor's logger, and the pipes of this child are closed: what was written to it still
 * goes out, nothing more is delivered from it, and `childConnectionLost` comes for each. The child itself is left to end by
 * that. Source: Twisted's `IProcessProtocol`.
 */
export interface ChildProcessProtocol {
  /** The program runs; hands over the transport. The `ProcessProtocol` class then calls `connectionMade`. */
  makeConnection(transport: ProcessTransport): HookResult;
  /** The next bytes from the child's descriptor. The buffer is the receiver's to keep. */
  childDataReceived(childFD: number, data: Buffer): HookResult;
  /**
   * The pipe at the child's descriptor has closed, by whichever side; nothing more comes from it or goes into it. The reason is that of
   * `connectionLost` of a connection: a `WriteBufferLimitError` if too much was written to it. (Twisted has no reason here.)
   */
  childConnectionLost(childFD: number, reason: Failure): HookResult;
  /** The program has ended, and this is how: `ProcessDone` or `ProcessTerminated`. Its pipes may still hold output. */
  processExited(reason: Failure): HookResult;
  /**
   * The program has ended and every pipe has closed, also one that another program has inherited from it. `reason` is that of
   * `processExited`; or a `ProcessStartError`, if there never was a program; or a `ConnectionLost`, if the reactor has
   * stopped and left it running.
   */
  processEnded(reason: Failure): HookResult;
}

/** How `terminate` ends a child. */
export interface TerminateOptions {
  /** What it is asked with first; `'TERM'` by default. */
  readonly signal?: ProcessSignal;
  /** Seconds until it is killed if it has not ended by then, and its pipes are closed; 5 by default. */
  readonly killAfter?: number;
}

/**
 * A child as its protocol sees it. No method calls a hook from inside itself, so all of them may be called from any hook.
 *
 * `spawnProcess` returns it before the program has been started. What it is asked for until then is done, in order, right before
 * `connectionMade`. After `processEnded`, and for pipes that have closed, writing and closing do nothing.
 * Source: Twisted's `IProcessTransport`.
 */
export interface ProcessTransport extends Consumer, AsyncDisposable {
  /**
   * The number the system has given to the program; undefined until it has been started. It stays after the end, when the
   * system may give it to another.
   */
  readonly pid: number | undefined;

  /** How many bytes may wait at one pipe; what was asked for by that option, 134,217,728 (128 MiB) by default. */
  readonly writeBufferLimit?: number;

  /** `writeToChild` to descriptor 0. Where that is no pipe, the data is dropped and the result is false. */
  write(data: Uint8Array | string): boolean;
  /** `write` for each piece in order. */
  writeSequence(pieces: Iterable<Uint8Array | string>): boolean;
  /**
   * Sends bytes, or a string as UTF-8, into the pipe at the child's descriptor, as `Transport.write` does. False: the pipe has been
   * closed and the data dropped, or more waits than the high-water mark (64 KiB). More than 128 MiB waiting closes
   * the pipe, drops them and is reported as `WriteBufferLimitError`. Throws `RangeError` for a descriptor that is not written to.
   * Before the program runs all this is the same for what is kept.
   */
  writeToChild(childFD: number, data: Uint8Array | string): boolean;

  /** `closeChildFD(0)`, if that is a pipe. */
  closeStdin(): void;
  /** `closeChildFD(1)`, if that is a pipe. */
  closeStdout(): void;
  /** `closeChildFD(2)`, if that is a pipe. */
  closeStderr(): void;
  /**
   * Closes our end of a pipe. One that is written to is closed once everything written has left, and after its producer has
   * unregistered; from one that is read nothing more is delivered, and the child will find it broken when it writes.
   * `childConnectionLost` comes in a later turn. Throws `RangeError` for a descriptor that is no pipe.
   */
  closeChildFD(childFD: number): void;
  /** Closes descriptors 0, 1 and 2. The child is not told otherwise: most programs end by it, but none has to. */
  loseConnection(): void;

  /**
   * Sends a signal to the program, not to others it may have started. Throws `ProcessExitedAlready` once it has ended,
   * `RangeError` for what is no signal, and the system's error if it may not be sent (EPERM). Before the program has been
   * started the signal is kept for it.
   */
  signalProcess(signal: ProcessSignal): void;
  /**
   * Ends the child whatever it does: a signal now, and after `killAfter` seconds a KILL, which no program can refuse, and the end of
   * all pipes. Fires when `processEnded` has been called. Called again it begins anew. Where the KILL may not be sent (EPERM) that is
   * reported and the pipes are closed; it then fires when the program ends by itself.
   */
  terminate(options?: TerminateOptions): Deferred<void>;
  /** The same as `terminate()`. */
  [Symbol.asyncDispose](): PromiseLike<void>;

  /** Delivers nothing more from the pipes, their end included, until `resumeProducing`; the child is slowed down. */
  pauseProducing(): void;
  /** Delivers again, what came first first. */
  resumeProducing(): void;

  /** The program, its number, and what has become of it, for messages: `program cat (process 1234, running)`. */
  toString(): string;
}

/**
 * How a program is started, what bounds each pipe that is written to, and what becomes of the program when the reactor stops. More
 * than `writeBufferLimit` closes the pipe, and is reported as an error.
 */
export interface ProgramOptions extends ConnectionOptions {
  /** The whole environment of the child; ours by default (in Twisted: an empty one). */
  readonly env?: Readonly<Record<string, string>>;
  /** The directory it starts in; ours by default. */
  readonly cwd?: string;
  /** The user it runs as, by number. Only the superuser may choose. */
  readonly uid?: number;
  /** The group it runs as, by number. Only the superuser may choose. */
  readonly gid?: number;
  /** What the program is told is its own name; `executable` by default. */
  readonly argv0?: string;
  /**
   * With which signal the child is ended when the reactor stops; the shutdown then waits until it has ended. By default it
   * is left running, as in Twisted: its pipes are closed and `processEnded` gets a `ConnectionLost`.
   */
  readonly stopSignal?: ProcessSignal;
  /** After how many seconds a child that has not heeded `stopSignal` is killed; 5 by default. */
  readonly stopTimeout?: number;
}

/** The options of `spawnProcess`. */
export interface SpawnProcessOptions extends ProgramOptions {
  /**
   * What is at each of the child's descriptors: `'w'`, a pipe that we write to; `'r'`, a pipe that we read from; a number,
   * the descriptor of ours with that number. By default `{ 0: 'w', 1: 'r', 2: 'r' }`. Of those not named, 0 to 2 are the
   * null device and the others closed.
   */
  readonly childFDs?: Readonly<Record<number, ChildDescriptor>>;
}

/** The part of a reactor that starts programs. Source: Twisted's `IReactorProcess`. */
export interface ReactorProcess {
  /**
   * Starts a program in the next turn of the running reactor. `args` do not repeat its name. `connectionMade` comes once it runs; one that
   * cannot be started ends in `processEnded` with a `ProcessStartError`. Throws `TypeError` or `RangeError` for
   * arguments that cannot be right, and `UnsupportedError` where there are no programs.
   */
  spawnProcess(
    protocol: ChildProcessProtocol,
    executable: string,
    args?: readonly string[],
    options?: SpawnProcessOptions,
  ): ProcessTransport;
}

/** The part of a reactor that has the standard input and output of the program. Source: Twisted's `internet.stdio`. */
export interface ReactorStdio {
  /**
   * Connects a protocol with the standard input and output; `connectionMade` comes in the next turn of the running reactor. The
   * transport may be used before that. Throws an `Error` when it is called again in this process, on whatever reactor, also once the
   * connection has been lost; and `UnsupportedError` where there is no such thing.
   */
  openStdio(protocol: StreamProtocol): Transport;
}
