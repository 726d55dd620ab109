/**
 * Running a program to its end for what it prints or for the code it ends with. Source: Twisted's `internet.utils`.
 *
 * Each function starts the program with `spawnProcess` and waits for `processEnded`; so one that has left another behind
 * which holds its output is waited for until that has ended too. Cancelling the Deferred kills the program.
 */
import { Buffer } from 'node:buffer';
import { describe, requireIntegerFrom, requireMethods, requireOptions } from '../arguments.ts';
import { cancelOnAbort } from '../deferred/abort-signal.ts';
import { Deferred } from '../deferred/deferred.ts';
import type { Failure } from '../deferred/failure.ts';
import {
  type CollectedOutput,
  ProcessDone,
  ProcessOutputLimitError,
  ProcessTerminated,
  UnexpectedErrorOutput,
} from '../errors.ts';
import type { ChildDescriptor } from '../interfaces/process-platform.ts';
import type { ProcessTransport, ProgramOptions, ReactorProcess } from '../interfaces/process.ts';
import { ProcessProtocol } from './process-protocol.ts';

/** How much output is kept by default: far more than a command prints whose output fits a program's variable. */
export const OUTPUT_LIMIT_BYTES = 16_777_216;

/** The options of `getProcessValue`. */
export interface GetProcessValueOptions extends ProgramOptions {
  /** What the program reads from its standard input, which then ends; nothing by default. */
  readonly stdin?: Uint8Array | string;
  /** Aborting it does what `cancel` on the Deferred does. */
  readonly signal?: AbortSignal;
}

/** The options of `getProcessOutputAndValue`. */
export interface ProcessOutputOptions extends GetProcessValueOptions {
  /** How many bytes the program may print, to both together; 16 MiB by default. One that prints more is killed. */
  readonly maxOutputBytes?: number;
}

/** The options of `getProcessOutput`. */
export interface GetProcessOutputOptions extends ProcessOutputOptions {
  /** Whether what the program prints to its standard error is output like the rest, in the order in which it arrives. */
  readonly errorToo?: boolean;
}

/** What a program has printed, and the code it has ended with. */
export interface ProcessOutputAndValue extends CollectedOutput {
  readonly exitCode: number;
}

const PROGRAM_OPTIONS = ['env', 'cwd', 'uid', 'gid', 'argv0', 'stopSignal', 'stopTimeout'];
const VALUE_OPTIONS = [...PROGRAM_OPTIONS, 'stdin', 'signal'];
const OUTPUT_OPTIONS = [...VALUE_OPTIONS, 'maxOutputBytes'];

/**
 * Runs a program and fires with what it has printed to its standard output.
 *
 * Fails, once the program has ended, with `UnexpectedErrorOutput` if it has printed to its standard error, and with `ProcessTerminated`,
 * which has the `output`, if it ended with another code than 0 or by a signal (Twisted does not look at how it ended). Fails with
 * `ProcessStartError` if it cannot be started, and at once with `ProcessOutputLimitError` if it prints too much, and with
 * `CancelledError` if it is cancelled; in both cases the program is killed. Throws for arguments that cannot be right, as
 * `spawnProcess` does.
 */
export function getProcessOutput(
  reactor: ReactorProcess,
  executable: string,
  args: readonly string[] = [],
  options: GetProcessOutputOptions = {},
): Deferred<Buffer> {
  requireOptions('options', options, [...OUTPUT_OPTIONS, 'errorToo']);
  const { errorToo = false, ...rest } = options;
  const collected = collect(reactor, executable, args, rest, errorToo ? ['out', 'out'] : ['out', 'err']);
  return collected.addCallback(({ output, termination }) => {
    if (output.stderr.length > 0) throw new UnexpectedErrorOutput(output, termination && { cause: termination });
    if (termination !== undefined) throw termination;
    return output.stdout;
  });
}

/**
 * Runs a program, with the null device for its output, and fires with the code it ends with. Fails with `ProcessTerminated` if a
 * signal has ended it, and otherwise as `getProcessOutput` does.
 */
export function getProcessValue(
  reactor: ReactorProcess,
  executable: string,
  args: readonly string[] = [],
  options: GetProcessValueOptions = {},
): Deferred<number> {
  requireOptions('options', options, VALUE_OPTIONS);
  return collect(reactor, executable, args, options, []).addCallback(exitCodeOf);
}

/**
 * Runs a program and fires with all that it has printed, and the code it has ended with, whatever that is. Fails with
 * `ProcessTerminated`, which has the `output`, if a signal has ended it, and otherwise as `getProcessOutput` does.
 */
export function getProcessOutputAndValue(
  reactor: ReactorProcess,
  executable: string,
  args: readonly string[] = [],
  options: ProcessOutputOptions = {},
): Deferred<ProcessOutputAndValue> {
  requireOptions('options', options, OUTPUT_OPTIONS);
  const collected = collect(reactor, executable, args, options, ['out', 'err']);
  return collected.addCallback((ended) => ({ ...ended.output, exitCode: exitCodeOf(ended) }));
}

/** How a program has ended that could be started. */
interface Ended {
  readonly output: CollectedOutput;
  /** Undefined if it has ended with code 0. */
  readonly termination: ProcessTerminated | undefined;
}

function exitCodeOf({ termination }: Ended): number {
  if (termination === undefined) return 0;
  if (termination.exitCode === undefined) throw termination;
  return termination.exitCode;
}

/** Where the bytes from descriptors 1 and 2 go. */
type Destinations = readonly [] | readonly [ofOut: 'out', ofErr: 'out' | 'err'];

function collect(
  reactor: ReactorProcess,
  executable: string,
  args: readonly string[],
  options: ProcessOutputOptions,
  destinations: Destinations,
): Deferred<Ended> {
  requireMethods('reactor', reactor, ['spawnProcess']);
  const { stdin, signal, maxOutputBytes = OUTPUT_LIMIT_BYTES, ...program } = options;
  requireIntegerFrom('maxOutputBytes', maxOutputBytes, 0);
  if (stdin !== undefined && typeof stdin !== 'string' && !(stdin instanceof Uint8Array)) {
    throw new TypeError(`stdin must be a Uint8Array or a string; got ${describe(stdin)}`);
  }
  const collector = new Collector(destinations, maxOutputBytes);
  const childFDs: Record<number, ChildDescriptor> = {};
  if (stdin !== undefined) childFDs[0] = 'w';
  if (destinations.length > 0) Object.assign(childFDs, { 1: 'r', 2: 'r' });
  const child = reactor.spawnProcess(collector, executable, args, { ...program, childFDs });
  collector.child = child;
  if (stdin !== undefined) {
    child.write(stdin);
    child.closeStdin();
  }
  return cancelOnAbort(collector.ended, signal);
}

class Collector extends ProcessProtocol {
  readonly ended: Deferred<Ended> = new Deferred<Ended>(() => this.#kill());
  /** Set as soon as there is one. */
  child: ProcessTransport | undefined = undefined;
  readonly #destinations: Destinations;
  readonly #limitBytes: number;
  readonly #chunks: { readonly out: Buffer[]; readonly err: Buffer[] } = { out: [], err: [] };
  #bytes = 0;

  constructor(destinations: Destinations, limitBytes: number) {
    super();
    this.#destinations = destinations;
    this.#limitBytes = limitBytes;
  }

  override childDataReceived(childFD: number, data: Buffer): void {
    const destination = this.#destinations[childFD - 1];
    if (destination === undefined || this.ended.called) return;
    this.#chunks[destination].push(data);
    this.#bytes += data.length;
    if (this.#bytes <= this.#limitBytes) return;
    this.#kill();
    this.ended.errback(new ProcessOutputLimitError(this.#limitBytes));
  }

  override processEnded(reason: Failure): void {
    if (this.ended.called) return;
    const output = { stdout: Buffer.concat(this.#chunks.out), stderr: Buffer.concat(this.#chunks.err) };
    const { value } = reason;
    if (value instanceof ProcessDone) {
      this.ended.callback({ output, termination: undefined });
    } else if (value instanceof ProcessTerminated) {
      const { exitCode, signal, status } = value;
      this.ended.callback({ output, termination: new ProcessTerminated({ exitCode, signal, status, output }) });
    } else {
      this.ended.errback(reason);
    }
  }

  /** Nobody is interested any more, neither in what it prints nor in when it ends. */
  #kill(): void {
    void this.child?.terminate({ signal: 'KILL', killAfter: 0 });
  }
}
