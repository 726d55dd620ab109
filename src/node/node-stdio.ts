/**
 * The standard input and output of this process, as one stream.
 *
 *   life     new ──open──▶ open ──failed, close, reset──▶ over
 *   reading  paused ◀──▶ flowing ──endReceived──▶ ended
 *   writing  idle ◀──▶ sending;  idle ──shutdown──▶ shut
 *
 * It is Node's own `process.stdin` and `process.stdout` that are used, whatever is behind them, terminals, pipes, files or
 * sockets: a second stream over the same descriptor would get in the way of `console`. They outlive this handle: reading
 * is only paused, which also lets the process end, and errors go on being listened to, since nobody else might.
 *
 * How the output is ended depends on what it is. A socket has its writing half shut. A pipe is closed, which libuv does not do
 * to a standard descriptor, nor Node to this stream; so the stream lets go of it, it is closed here, and the null device
 * takes its number, so that no file gets it which is opened later, and no child is given that file for its output. (A
 * thread that opens a file at that very moment may be faster, which Node cannot prevent; it is warned of.) On a terminal and in a
 * file there is no end to be seen, and nothing is done.
 */
import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { UNIXAddress } from '../addresses.ts';
import type { StdioPlatform, SystemError } from '../interfaces/platform.ts';
import type { StreamHandle, StreamListener } from '../interfaces/stream-platform.ts';
import { replaceByNullDevice } from './null-device.ts';
import { closeStandardStream } from './socket-takeover.ts';
import { toSystemError } from '../system-error.ts';

const STDOUT = 1;
const NO_BYTES = Buffer.alloc(0);

/** Marks the input once it has been opened, for all reactors of the process, and all copies of this package in it. */
const OPENED = Symbol.for('ropewalk.stdio.opened');

export class NodeStdio implements StdioPlatform {
  /** Once in a process: neither what has been read nor the end of the output can be had twice. */
  open(): StreamHandle {
    if (Object.hasOwn(process.stdin, OPENED)) {
      throw new Error('The standard input and output have been opened already');
    }
    Object.defineProperty(process.stdin, OPENED, { value: true });
    return new NodeStdioHandle();
  }
}

class NodeStdioHandle implements StreamHandle {
  readonly localAddress: UNIXAddress = new UNIXAddress(undefined);
  readonly remoteAddress: UNIXAddress = new UNIXAddress(undefined);
  readonly #input = process.stdin;
  readonly #output = process.stdout;

  #life: 'new' | 'open' | 'over' = 'new';
  #reading: 'paused' | 'flowing' | 'ended' = 'paused';
  #writing: 'idle' | 'sending' | 'shut' = 'idle';
  #listener: StreamListener | undefined;
  /** One that came while paused. */
  #readError: SystemError | undefined;

  constructor() {
    this.#input.on('error', (error) => this.#readFailed(toSystemError(error)));
    this.#output.on('error', (error) => this.#writeFailed(toSystemError(error)));
  }

  open(listener: StreamListener): void {
    this.#life = 'open';
    this.#listener = listener;
    this.#input.on('data', this.#dataRead);
    this.#input.on('end', this.#ended);
    // To listen for data has set it flowing.
    this.#input.pause();
  }

  resumeReading(): void {
    if (this.#life !== 'open' || this.#reading !== 'paused') return;
    const error = this.#readError;
    this.#reading = 'flowing';
    if (error === undefined) this.#input.resume();
    else setImmediate(() => this.#fail(error));
  }

  pauseReading(): void {
    if (this.#life !== 'open' || this.#reading !== 'flowing') return;
    this.#reading = 'paused';
    this.#input.pause();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const output = this.#output;
    try {
      output.cork();
      for (const chunk of chunks) output.write(chunk);
      output.uncork();
    } catch (error) {
      // A file is written to inside the call.
      setImmediate(() => this.#fail(toSystemError(error)));
      return false;
    }
    if (output.writableLength === 0) return output.errored === null;
    this.#writing = 'sending';
    output.write(NO_BYTES, () => this.#sent());
    return false;
  }

  shutdown(): void {
    this.#endOutput(() => this.#listener?.shutDown());
  }

  close(): void {
    if (this.#life === 'over') return;
    this.#leave();
    if (this.#writing !== 'shut') this.#output.write(NO_BYTES, () => this.#endOutput(() => undefined));
  }

  reset(): void {
    if (this.#life === 'over') return;
    this.#leave();
    this.#endOutput(() => undefined);
  }

  // What the streams are given for good: they are the process's, and outlive this.

  readonly #dataRead = (data: Buffer): void => {
    this.#listener?.dataReceived(data);
  };

  readonly #ended = (): void => {
    this.#reading = 'ended';
    this.#listener?.endReceived();
  };

  #readFailed(error: SystemError): void {
    if (this.#reading === 'paused') this.#readError = error;
    else this.#fail(error);
  }

  /** Once the output has been shut, it is somebody else who has written to it. */
  #writeFailed(error: SystemError): void {
    if (this.#writing !== 'shut') this.#fail(error);
  }

  #sent(): void {
    if (this.#writing !== 'sending') return;
    this.#writing = 'idle';
    this.#listener?.written();
  }

  #fail(error: SystemError): void {
    if (this.#life === 'open') this.#leave()?.failed(error);
  }

  /** Forgets the listener, and reads no more. */
  #leave(): StreamListener | undefined {
    const listener = this.#listener;
    this.#life = 'over';
    this.#listener = undefined;
    this.#input.off('data', this.#dataRead);
    this.#input.off('end', this.#ended);
    this.#input.pause();
    return listener;
  }

  /** Lets whoever reads the output see its end, if there is a way, and then calls `done`, in a later pass of the loop. */
  #endOutput(done: () => void): void {
    if (this.#writing === 'shut') return;
    this.#writing = 'shut';
    const kind = fstatSync(STDOUT);
    if (kind.isSocket()) {
      this.#output.end(() => setImmediate(done));
      return;
    }
    if (kind.isFIFO()) replaceOutput(this.#output);
    setImmediate(done);
  }
}

/** Closes the pipe that is this process's standard output, and puts the null device in its place. */
function replaceOutput(output: NodeJS.WriteStream): void {
  if (!(output instanceof Socket)) return;
  // Its handle must be gone before its descriptor.
  closeStandardStream(output);
  if (replaceByNullDevice(STDOUT)) return;
  process.emitWarning('A file that was opened meanwhile has the descriptor of the standard output, which was closed');
}
