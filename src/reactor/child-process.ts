/**
 * A child process, for every platform. Its life, which only goes forward:
 *
 *     waiting ──▶ starting ──started──▶ running ──exited──▶ exited ──▶ ended
 *        │            │ startFailed        │                             ▲
 *        │            ├────────────────────┼─────────────────────────────┤
 *        ╰────────────┼── terminate, reactor stopped ────────────────────╯
 *                     ╰────────────────────╰─ reactor stopped ─▶ left ───╯
 *
 * - waiting: for the next turn of the running reactor. Nothing has been asked of the world yet.
 * - starting: the platform has been asked to start the program.
 * - running: it runs, and the protocol has its transport.
 * - exited: it has ended; pipes may be open, for it may have had children of its own. When the last has closed,
 * - ended: `processEnded` has been called. Every method is harmless, but for signals, which have nobody to go to.
 * - left: as ended, but the program still runs, because the reactor has stopped and was not to end it.
 *
 * What is asked of the transport before the program runs is kept, and done in order right before `makeConnection`; so a
 * child can be written to, closed and signalled from the moment `spawnProcess` has returned, as in Twisted, where it has been
 * started by then. Source: Twisted's `internet.process.Process`.
 */
import { Buffer } from 'node:buffer';
import { describe, requireDelay, requireOptions } from '../arguments.ts';
import { Deferred } from '../deferred/deferred.ts';
import { Failure } from '../deferred/failure.ts';
import { succeed } from '../deferred/succeed-fail.ts';
import {
  ConnectionLost,
  ProcessDone,
  ProcessExitedAlready,
  ProcessStartError,
  ProcessTerminated,
  WriteBufferLimitError,
} from '../errors.ts';
import type { DelayedCall } from '../interfaces/delayed-call.ts';
import type { SystemError } from '../interfaces/platform.ts';
import type { ProcessExit, ProcessHandle, ProcessListener, ProcessPlatform } from '../interfaces/process-platform.ts';
import type { ChildProcessProtocol, ProcessSignal, ProcessTransport, TerminateOptions } from '../interfaces/process.ts';
import type { HookResult } from '../interfaces/protocol.ts';
import type { StreamHandle } from '../interfaces/stream-platform.ts';
import { type ChildOrder, describeStartFailure, KILL_AFTER_SECONDS, pipesOf, type StopOrder } from './child-order.ts';
import { ChildPipes, type ChildPipesListener } from './child-pipes.ts';
import { EarlyRequests } from './early-requests.ts';
import { whenRejected } from './error-reporter.ts';
import { timed } from './hook-watch.ts';
import { type Producer, requireProducer } from './producer-slot.ts';
import type { ReactorParts } from './reactor-parts.ts';
import { requireSignal, sendSignal } from './process-signals.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;

type Life =
  | { readonly state: 'waiting' | 'ended' }
  | { readonly state: 'starting' | 'running' | 'left'; readonly handle: ProcessHandle }
  | { readonly state: 'exited'; readonly reason: Failure };

const WAITING: Life = { state: 'waiting' };
const ENDED: Life = { state: 'ended' };

export class ChildProcess implements ProcessTransport, ProcessListener, ChildPipesListener {
  readonly #parts: ReactorParts;
  readonly #platform: ProcessPlatform;
  readonly #protocol: ChildProcessProtocol;
  readonly #order: ChildOrder;
  readonly #pipes: ChildPipes;
  readonly #early: EarlyRequests;

  #life: Life = WAITING;
  #pid: number | undefined;
  /** While somebody has asked to `terminate`, and the program or a pipe is still there. */
  #killCall: DelayedCall | undefined;
  #waitingForEnd: Deferred<void>[] = [];

  constructor(parts: ReactorParts, platform: ProcessPlatform, protocol: ChildProcessProtocol, order: ChildOrder) {
    this.#parts = parts;
    this.#platform = platform;
    this.#protocol = protocol;
    this.#order = order;
    this.#pipes = new ChildPipes(parts, pipesOf(order.program), order.limits, this);
    this.#early = new EarlyRequests(order.limits);
  }

  /** Has the program started in the next turn. */
  start(): void {
    this.#parts.processes.add(this);
    this.#parts.loop.callSoon(() => {
      if (this.#life.state !== 'waiting') return;
      this.#life = { state: 'starting', handle: this.#platform.spawn(this.#order.program, this) };
    });
  }

  // ------------------------------------------------------------------------------------------ the transport's face

  get pid(): number | undefined {
    return this.#pid;
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
      throw new RangeError(`descriptor ${String(childFD)} of ${this.#order.program.executable} is not written to`);
    }
    if (!this.#isBeforeRun) return this.#pipes.write(childFD, data);
    if (this.#early.isClosed(childFD)) return false;
    const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.length;
    if (!this.#early.addWrite(bytes, () => this.#pipes.write(childFD, data))) {
      const error = new WriteBufferLimitError(this.#early.bytes + bytes, this.#order.limits.writeBufferLimit);
      this.#writeBufferOverflowed(error, childFD);
      return false;
    }
    return !this.#early.isFull;
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
      throw new RangeError(`descriptor ${String(childFD)} of ${this.#order.program.executable} is no pipe`);
    }
    const run = (): void => {
      this.#pipes.close(childFD);
    };
    if (this.#isBeforeRun) this.#early.addClose(childFD, run);
    else run();
  }

  loseConnection(): void {
    this.closeStdin();
    this.closeStdout();
    this.closeStderr();
  }

  signalProcess(signal: ProcessSignal): void {
    const required = requireSignal('signal', signal);
    switch (this.#life.state) {
      case 'waiting':
      case 'starting':
        this.#ask(() => {
          this.signalProcess(required);
        });
        return;
      case 'running':
      case 'left':
        sendSignal(this.#life.handle, required);
        return;
      case 'exited':
      case 'ended':
        throw new ProcessExitedAlready();
    }
  }

  terminate(options: TerminateOptions = {}): Deferred<void> {
    requireOptions('options', options, ['signal', 'killAfter']);
    const { signal = 'TERM', killAfter = KILL_AFTER_SECONDS } = options;
    const required = requireSignal('signal', signal);
    requireDelay('killAfter', killAfter);
    return this.#terminate({ signal: required, killAfterSeconds: killAfter });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminate();
  }

  registerProducer(producer: Producer, streaming: boolean): void {
    requireProducer(producer, streaming);
    const bound = this.#parts.contexts?.bindObject(producer) ?? producer;
    const stop = (): void => {
      this.#parts.errors.guard('An error in stopProducing of a producer', () =>
        timed(this.#parts.hookWatch, 'stopProducing', bound, () => bound.stopProducing()),
      );
    };
    if (this.#pipes.directionOf(STDIN) !== 'w' || (this.#isBeforeRun && this.#early.isClosed(STDIN))) {
      stop();
      return;
    }
    const run = (): void => {
      if (!this.#pipes.registerProducer(STDIN, bound, streaming)) stop();
    };
    if (this.#isBeforeRun) this.#early.addProducer({ run, drop: stop });
    else run();
  }

  unregisterProducer(): void {
    const run = (): void => {
      this.#pipes.unregisterProducer(STDIN);
    };
    if (this.#isBeforeRun) this.#early.removeProducer(run);
    else run();
  }

  pauseProducing(): void {
    this.#pipes.pauseReading();
  }

  resumeProducing(): void {
    this.#pipes.resumeReading();
  }

  toString(): string {
    return `program ${this.#order.program.executable} (${this.#describeState()})`;
  }

  // ----------------------------------------------------------------------------------------- what the platform reports

  started(processId: number, pipes: ReadonlyMap<number, StreamHandle>): void {
    if (this.#life.state === 'starting') {
      this.#parts.loop.deliver(() => {
        this.#started(processId, pipes);
      });
    } else {
      this.#started(processId, pipes); // nobody is told of it any more, whether or not the reactor runs
    }
  }

  startFailed(error: SystemError): void {
    this.#parts.loop.deliver(() => {
      if (this.#life.state !== 'starting') return;
      this.#end(new Failure(new ProcessStartError(describeStartFailure(this.#order.program, error), { cause: error })));
    });
  }

  exited(exit: ProcessExit): void {
    if (this.#life.state === 'left') this.#life = ENDED;
    this.#parts.loop.deliver(() => {
      // Held meanwhile, it may come to one that has been left.
      if (this.#life.state === 'left') this.#life = ENDED;
      if (this.#life.state !== 'running') return;
      const reason = new Failure(exit.status === 0 ? new ProcessDone() : new ProcessTerminated(exit));
      this.#life = { state: 'exited', reason };
      this.#callHook('processExited', () => this.#protocol.processExited(reason));
      this.#endIfDone();
    });
  }

  pipeReceived(childFD: number, data: Buffer): void {
    this.#callHook('childDataReceived', () => this.#protocol.childDataReceived(childFD, data));
  }

  pipeLost(childFD: number, { value }: Failure): void {
    if (value instanceof WriteBufferLimitError) this.#writeBufferOverflowed(value, childFD);
    this.#callHook('childConnectionLost', () => this.#protocol.childConnectionLost(childFD));
    this.#endIfDone();
  }

  // ---------------------------------------------------------------------------------------------- what the reactor asks

  /** The reactor has begun to run, or has ended. */
  dispatchingChanged(): void {
    this.#pipes.dispatchingChanged();
  }

  /** The reactor stops: fires when nothing is left to wait for, which is at once unless the program is to be ended. */
  reactorStopped(): Deferred<void> {
    const { whenReactorStops } = this.#order;
    if (this.#life.state === 'waiting') {
      this.#end(
        new Failure(new ProcessStartError(`${this.#order.program.executable}: the reactor stopped before it ran`)),
      );
    } else if (whenReactorStops !== undefined) {
      return this.#terminate(whenReactorStops);
    } else {
      this.#leave();
    }
    return succeed(undefined);
  }

  // --------------------------------------------------------------------------------------------------------- inside

  get #isBeforeRun(): boolean {
    return this.#life.state === 'waiting' || this.#life.state === 'starting';
  }

  #started(processId: number, pipes: ReadonlyMap<number, StreamHandle>): void {
    this.#pid = processId;
    if (this.#life.state !== 'starting') {
      for (const handle of pipes.values()) handle.reset();
      return;
    }
    this.#life = { state: 'running', handle: this.#life.handle };
    this.#pipes.open(pipes);
    for (const { run } of this.#early.take()) {
      this.#parts.errors.guard(`An error in what was asked of ${String(this)} before it ran`, run);
    }
    this.#callHook('connectionMade', () => this.#protocol.makeConnection(this));
  }

  /** Does it now, or once the program runs. */
  #ask(run: () => void): void {
    if (this.#isBeforeRun) this.#early.add(run);
    else run();
  }

  #closeIfPipe(childFD: number): void {
    if (this.#pipes.directionOf(childFD) !== undefined) this.closeChildFD(childFD);
  }

  #writeBufferOverflowed(error: WriteBufferLimitError, childFD: number): void {
    const message = `Too much was written to descriptor ${String(childFD)} of ${String(this)}`;
    this.#parts.errors.report(error, message);
  }

  #terminate({ signal, killAfterSeconds }: StopOrder): Deferred<void> {
    switch (this.#life.state) {
      case 'ended':
        return succeed(undefined);
      case 'left':
        this.#signalIfThere(signal);
        return succeed(undefined);
      case 'waiting':
        this.#life = {
          state: 'exited',
          reason: new Failure(new ProcessStartError(`${this.#order.program.executable} was given up before it ran`)),
        };
        this.#parts.loop.callSoon(() => {
          this.#endIfDone();
        });
        break;
      case 'starting':
      case 'running':
      case 'exited':
        this.#signalIfThere(signal);
        this.#killLater(killAfterSeconds);
    }
    const ended = new Deferred<void>();
    this.#waitingForEnd.push(ended);
    return ended;
  }

  #killLater(seconds: number): void {
    this.#cancelKill();
    this.#killCall = this.#parts.loop.timers.callLater(seconds, () => {
      this.#signalIfThere('SIGKILL');
      this.#ask(() => {
        this.#pipes.abort();
      });
    });
  }

  #cancelKill(): void {
    if (this.#killCall?.active() === true) this.#killCall.cancel();
    this.#killCall = undefined;
  }

  /** Sends a signal, and does not mind if nobody is there any more. */
  #signalIfThere(signal: string | number): void {
    try {
      this.signalProcess(signal);
    } catch (error) {
      if (!(error instanceof ProcessExitedAlready)) throw error;
    }
  }

  /** Tells the protocol that this was all, while the program goes on. To be called while the loop dispatches. */
  #leave(): void {
    const life = this.#life;
    this.#pipes.reactorStopped();
    this.#endIfDone();
    if (life.state !== 'starting' && life.state !== 'running') return;
    const reason = new ConnectionLost('the reactor stopped, and the program was left running');
    this.#end(new Failure(reason), { state: 'left', handle: life.handle });
  }

  #endIfDone(): void {
    if (this.#life.state === 'exited' && this.#pipes.openCount === 0) this.#end(this.#life.reason);
  }

  /** The end. To be called while the loop dispatches. */
  #end(reason: Failure, life: Life = ENDED): void {
    this.#life = life;
    this.#parts.processes.delete(this);
    this.#cancelKill();
    for (const { drop } of this.#early.take()) drop?.();
    this.#parts.errors.callHook('processEnded', this.#protocol, () => this.#protocol.processEnded(reason));
    for (const waiting of this.#waitingForEnd.splice(0)) {
      if (!waiting.called) waiting.callback();
    }
  }

  #callHook(hook: string, call: () => HookResult): void {
    const message = `An error in ${hook}`;
    try {
      whenRejected(timed(this.#parts.hookWatch, hook, this.#protocol, call), (error) => {
        this.#hookFailed(error, message);
      });
    } catch (error) {
      this.#hookFailed(error, message);
    }
  }

  /** Law 8: an error of a hook is reported, and costs the pipes of this child. */
  #hookFailed(error: unknown, message: string): void {
    this.#pipes.closeFor(this.#parts.errors.report(error, message));
  }

  #describeState(): string {
    if (this.#pid === undefined) return 'not started';
    const { state } = this.#life;
    return `process ${String(this.#pid)}, ${state === 'exited' ? 'exited, with open pipes' : state}`;
  }
}

function requireData(data: Uint8Array | string): void {
  if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
    throw new TypeError(`data must be a Uint8Array or a string; got ${describe(data)}`);
  }
}
