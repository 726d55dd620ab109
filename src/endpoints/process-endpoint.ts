import type { Buffer } from 'node:buffer';
import { describe, requireIntegerFrom, requireMethods, requireOptions } from '../arguments.ts';
import { cancelOnAbort } from '../deferred/abort-signal.ts';
import type { Deferred } from '../deferred/deferred.ts';
import type { EndpointOptions, StreamClientEndpoint } from '../interfaces/endpoint.ts';
import type { Logger } from '../interfaces/logger.ts';
import type { ChildDescriptor } from '../interfaces/process-platform.ts';
import type { ProgramOptions, ReactorProcess } from '../interfaces/process.ts';
import type { ProtocolFactoryOf, StreamProtocol } from '../interfaces/protocol.ts';
import { DEFAULT_LINGER_BYTES } from '../stream-defaults.ts';
import { ProcessConnector } from './process-connector.ts';
import { WrappingFactory } from './wrapping-factory.ts';

/** The options of a `ProcessEndpoint`. */
export interface ProcessEndpointOptions extends ProgramOptions {
  /**
   * What becomes of what the child prints to its standard error: it goes where ours goes, which is the default, it is dropped, or it
   * is written to a logger as warnings, piece by piece. Twisted's `errFlag`.
   */
  readonly standardError?: 'inherit' | 'drop' | Logger;
  /**
   * How many bytes the program may still print after its stream has been closed, to no purpose, before its output is closed as well;
   * 1,048,576 (1 MiB) by default, as much as of a socket.
   */
  readonly lingerBytes?: number;
}

const OPTIONS = [
  'env',
  'cwd',
  'uid',
  'gid',
  'argv0',
  'stopSignal',
  'stopTimeout',
  'highWaterMark',
  'writeBufferLimit',
  'standardError',
  'lingerBytes',
];

const STDERR = 2;

/**
 * Connects to a program, started anew for each connection, over its standard input and output.
 *
 * `loseConnection` ends its input and goes on reading what it prints, to no purpose, so that it can finish; `connectionLost` comes when it
 * has ended, with `ProcessDone` or `ProcessTerminated`, which are a `ConnectionDone` and a `ConnectionLost`. One that does not
 * care about the end of its input is ended by `abortConnection`, which kills it; so does more than `writeBufferLimit` waiting to be written, and
 * `connectionLost` then has the `WriteBufferLimitError`. Source: Twisted's `internet.endpoints.ProcessEndpoint`.
 */
export class ProcessEndpoint implements StreamClientEndpoint {
  readonly #reactor: ReactorProcess;
  readonly #executable: string;
  readonly #args: readonly string[];
  readonly #program: ProgramOptions;
  readonly #standardError: 'inherit' | 'drop' | Logger;
  readonly #lingerBytes: number;

  /** The arguments are those of `spawnProcess`, which checks them when `connect` is called. */
  constructor(
    reactor: ReactorProcess,
    executable: string,
    args: readonly string[] = [],
    options: ProcessEndpointOptions = {},
  ) {
    requireMethods('reactor', reactor, ['spawnProcess']);
    requireOptions('options', options, OPTIONS);
    const { standardError = 'inherit', lingerBytes = DEFAULT_LINGER_BYTES, ...program } = options;
    requireIntegerFrom('lingerBytes', lingerBytes, 0);
    if (standardError !== 'inherit' && standardError !== 'drop') requireLogger(standardError);
    this.#reactor = reactor;
    this.#executable = executable;
    this.#args = args;
    this.#program = program;
    this.#standardError = standardError;
    this.#lingerBytes = lingerBytes;
  }

  connect<P extends StreamProtocol>(factory: ProtocolFactoryOf<P>, options: EndpointOptions = {}): Deferred<P> {
    const attempt = new WrappingFactory(factory, options.signal);
    const connector = new ProcessConnector(
      {
        executable: this.#executable,
        lingerBytes: this.#lingerBytes,
        spawn: (stream) =>
          this.#reactor.spawnProcess(stream, this.#executable, this.#args, {
            ...this.#program,
            childFDs: this.#childFDs(),
          }),
        errorReceived: (data) => {
          this.#logError(data);
        },
      },
      attempt,
    );
    connector.connect();
    return cancelOnAbort(attempt.whenConnected, options.signal);
  }

  #childFDs(): Readonly<Record<number, ChildDescriptor>> {
    switch (this.#standardError) {
      case 'inherit':
        return { 0: 'w', 1: 'r', 2: STDERR };
      case 'drop':
        return { 0: 'w', 1: 'r' };
      default:
        return { 0: 'w', 1: 'r', 2: 'r' };
    }
  }

  #logError(data: Buffer): void {
    if (typeof this.#standardError === 'string') return;
    this.#standardError.warn(
      { executable: this.#executable, text: data.toString('utf8') },
      'A program wrote to its standard error',
    );
  }
}

function requireLogger(standardError: unknown): void {
  if (typeof standardError === 'string') {
    throw new RangeError(`standardError must be 'inherit', 'drop' or a logger; got ${describe(standardError)}`);
  }
  requireMethods('standardError', standardError, ['warn']);
}
