import { requireData, requireDelay, requireOptions } from '../arguments.ts';
import type { Deferred } from '../deferred/deferred.ts';
import type { ProcessSignal, ProcessTransport, TerminateOptions } from '../interfaces/process.ts';
import { KILL_AFTER_SECONDS, type StopOrder } from './child-order.ts';
import type { ChildPipes } from './child-pipes.ts';
import type { ChildRequests } from './child-requests.ts';
import { requireSignal } from './process-signals.ts';
import { type Producer, requireProducer } from './producer-slot.ts';
import type { ReactorParts } from './reactor-parts.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;

/** What the transport asks of the child itself. */
export interface ChildOfTransport {
  readonly pid: number | undefined;
  signal(signal: string | number): void;
  terminate(order: StopOrder): Deferred<void>;
  toString(): string;
}

/** The face of a child: checks what is asked, and passes it on to the child, to its pipes, or to what is kept for them. */
export class ChildTransport implements ProcessTransport {
  readonly #parts: ReactorParts;
  readonly #child: ChildOfTransport;
  readonly #pipes: ChildPipes;
  readonly #requests: ChildRequests;
  readonly #executable: string;

  constructor(
    parts: ReactorParts,
    child: ChildOfTransport,
    pipes: ChildPipes,
    requests: ChildRequests,
    executable: string,
  ) {
    this.#parts = parts;
    this.#child = child;
    this.#pipes = pipes;
    this.#requests = requests;
    this.#executable = executable;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get writeBufferLimit(): number {
    return this.#requests.writeBufferLimit;
  }

  write(data: Uint8Array | string): boolean {
    if (this.#pipes.directionOf(STDIN) === 'w') return this.writeToChild(STDIN, data);
    requireData(data);
    return false;
  }

  writeSequence(pieces: Iterable<Uint8Array | string>): boolean {
    let room = this.write('');
    for (const piece of pieces) room = this.write(piece);
    return room;
  }

  writeToChild(childFD: number, data: Uint8Array | string): boolean {
    requireData(data);
    if (this.#pipes.directionOf(childFD) !== 'w') {
      throw new RangeError(`descriptor ${String(childFD)} of ${this.#executable} is not written to`);
    }
    return this.#requests.write(childFD, data);
  }

  closeStdin(): void {
    this.#closeIfPipe(STDIN);
  }

  closeStdout(): void {
    this.#closeIfPipe(STDOUT);
  }

  closeStderr(): void {
    this.#closeIfPipe(STDERR);
  }

  closeChildFD(childFD: number): void {
    if (this.#pipes.directionOf(childFD) === undefined) {
      throw new RangeError(`descriptor ${String(childFD)} of ${this.#executable} is no pipe`);
    }
    this.#requests.close(childFD);
  }

  loseConnection(): void {
    this.closeStdin();
    this.closeStdout();
    this.closeStderr();
  }

  signalProcess(signal: ProcessSignal): void {
    this.#child.signal(requireSignal('signal', signal));
  }

  terminate(options: TerminateOptions = {}): Deferred<void> {
    requireOptions('options', options, ['signal', 'killAfter']);
    const { signal = 'TERM', killAfter = KILL_AFTER_SECONDS } = options;
    const required = requireSignal('signal', signal);
    requireDelay('killAfter', killAfter);
    return this.#child.terminate({ signal: required, killAfterSeconds: killAfter });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminate();
  }

  registerProducer(producer: Producer, streaming: boolean): void {
    requireProducer(producer, streaming);
    this.#requests.registerProducer(this.#parts.contexts?.bindObject(producer) ?? producer, streaming);
  }

  unregisterProducer(): void {
    this.#requests.unregisterProducer();
  }

  pauseProducing(): void {
    this.#pipes.pauseReading();
  }

  resumeProducing(): void {
    this.#pipes.resumeReading();
  }

  toString(): string {
    return this.#child.toString();
  }

  #closeIfPipe(childFD: number): void {
    if (this.#pipes.directionOf(childFD) !== undefined) this.closeChildFD(childFD);
  }
}
