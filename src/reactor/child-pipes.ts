/**
 * The pipes of one child, by its descriptors.
 *
 * Each is a `Connection`, the one implementation of what a transport does, of which only one direction is used: of a pipe
 * that is read, the writing half is closed at once; from one that is written to, nothing but its end is expected. They are
 * not among the reactor's connections: the child is what lives and ends.
 */
import type { Buffer } from 'node:buffer';
import type { Failure } from '../deferred/failure.ts';
import type { StreamProtocol } from '../interfaces/protocol.ts';
import type { StreamHandle } from '../interfaces/stream-platform.ts';
import type { ConnectionOrigin } from './connection-origin.ts';
import { Connection } from './connection.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import type { Producer } from './producer-slot.ts';
import type { ReactorParts } from './reactor-parts.ts';

/** Which way bytes go: into the child, or out of it. */
export type PipeDirection = 'w' | 'r';

/** Is told what comes out of the pipes, while the loop dispatches. Must not throw. */
export interface ChildPipesListener {
  pipeReceived(childFD: number, data: Buffer): void;
  pipeLost(childFD: number, reason: Failure): void;
}

export class ChildPipes {
  readonly #parts: ReactorParts;
  readonly #directions: ReadonlyMap<number, PipeDirection>;
  readonly #origin: ConnectionOrigin;
  readonly #listener: ChildPipesListener;
  /** Those that are open. */
  readonly #pipes = new Map<number, Connection>();
  #paused = false;

  constructor(
    parts: ReactorParts,
    directions: ReadonlyMap<number, PipeDirection>,
    limits: ConnectionLimits,
    listener: ChildPipesListener,
  ) {
    this.#parts = { ...parts, connections: new Set() };
    // The child is what users and observers know of.
    this.#origin = { role: 'server', host: undefined, isInternal: true, limits };
    this.#directions = directions;
    this.#listener = listener;
  }

  /** How many are open. */
  get openCount(): number {
    return this.#pipes.size;
  }

  /** Which way the pipe at a descriptor goes; undefined where there never was one. */
  directionOf(childFD: number): PipeDirection | undefined {
    return this.#directions.get(childFD);
  }

  /** Begins with what the platform has made. To be called once, while the loop dispatches. */
  open(handles: ReadonlyMap<number, StreamHandle>): void {
    for (const [childFD, direction] of this.#directions) {
      const handle = handles.get(childFD);
      if (handle !== undefined) this.#open(childFD, direction, handle);
    }
  }

  write(childFD: number, data: Uint8Array | string): boolean {
    return this.#pipes.get(childFD)?.write(data) ?? false;
  }

  /** False if the pipe is closed. */
  registerProducer(childFD: number, producer: Producer, streaming: boolean): boolean {
    const pipe = this.#pipes.get(childFD);
    pipe?.registerProducer(producer, streaming);
    return pipe !== undefined;
  }

  unregisterProducer(childFD: number): void {
    this.#pipes.get(childFD)?.unregisterProducer();
  }

  /** Closes our end: what is written first goes out, what is read is not asked for any more. */
  close(childFD: number): void {
    const pipe = this.#pipes.get(childFD);
    if (this.#directions.get(childFD) === 'w') pipe?.loseConnection();
    else pipe?.abortConnection();
  }

  /** Closes all after an error in a hook: what was written still goes out, without waiting for a producer. */
  closeFor(failure: Failure): void {
    for (const pipe of [...this.#pipes.values()]) pipe.closeFor(failure);
  }

  /** Closes one and drops what was written to it. */
  abortPipe(childFD: number): void {
    this.#pipes.get(childFD)?.abortConnection();
  }

  /** Closes all and drops what was written. */
  abort(): void {
    for (const pipe of [...this.#pipes.values()]) pipe.abortConnection();
  }

  /** Closes those that are read and paused, and drops what they hold. */
  abortPaused(): void {
    if (!this.#paused) return;
    for (const pipe of this.#readPipes()) pipe.abortConnection();
  }

  pauseReading(): void {
    this.#paused = true;
    for (const pipe of this.#readPipes()) pipe.pauseProducing();
  }

  resumeReading(): void {
    this.#paused = false;
    for (const pipe of this.#readPipes()) pipe.resumeProducing();
  }

  dispatchingChanged(): void {
    for (const pipe of this.#pipes.values()) pipe.dispatchingChanged();
  }

  /** Loses all at once. To be called while the loop dispatches. */
  reactorStopped(): void {
    for (const pipe of [...this.#pipes.values()]) pipe.reactorStopped();
  }

  #open(childFD: number, direction: PipeDirection, handle: StreamHandle): void {
    const protocol = direction === 'r' ? new ReadPipe(childFD, this.#listener) : WRITE_PIPE;
    const whenLost = (reason: Failure): void => {
      this.#pipes.delete(childFD);
      this.#listener.pipeLost(childFD, reason);
    };
    const pipe = new Connection(this.#parts, handle, protocol, whenLost, this.#origin);
    this.#pipes.set(childFD, pipe);
    if (direction === 'r' && this.#paused) pipe.pauseProducing();
    pipe.start();
    if (direction === 'r') pipe.loseWriteConnection();
  }

  #readPipes(): Connection[] {
    return [...this.#pipes].filter(([childFD]) => this.#directions.get(childFD) === 'r').map(([, pipe]) => pipe);
  }
}

/** What a `Connection` asks of a protocol, for a pipe that is read. */
class ReadPipe implements StreamProtocol {
  readonly #childFD: number;
  readonly #listener: ChildPipesListener;

  constructor(childFD: number, listener: ChildPipesListener) {
    this.#childFD = childFD;
    this.#listener = listener;
  }

  makeConnection(): void {}

  dataReceived(data: Buffer): void {
    this.#listener.pipeReceived(this.#childFD, data);
  }

  connectionLost(): void {}
}

/** The same for one that is written to. A child that writes there all the same is not listened to. */
const WRITE_PIPE: StreamProtocol = { makeConnection: () => {}, dataReceived: () => {}, connectionLost: () => {} };
