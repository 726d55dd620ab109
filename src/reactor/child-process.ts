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
import type { Buffer } from 'node:buffer';
import type { Deferred } from '../deferred/deferred.ts';
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
import type { SystemError } from '../interfaces/platform.ts';
import type { ProcessExit, ProcessHandle, ProcessListener, ProcessPlatform } from '../interfaces/process-platform.ts';
import type { ChildProcessProtocol, ProcessTransport } from '../interfaces/process.ts';
import type { HookResult } from '../interfaces/protocol.ts';
import type { StreamHandle } from '../interfaces/stream-platform.ts';
import { ChildEnding, type EndingChild } from './child-ending.ts';
import { type ChildOrder, describeStartFailure, pipesOf, type StopOrder } from './child-order.ts';
import { ChildPipes, type ChildPipesListener } from './child-pipes.ts';
import { ChildRequests } from './child-requests.ts';
import { type ChildOfTransport, ChildTransport } from './child-transport.ts';
import { whenRejected } from './error-reporter.ts';
import { timed } from './hook-watch.ts';
import type { ReactorParts } from './reactor-parts.ts';
import { sendSignal } from './process-signals.ts';

type Life =
  | { readonly state: 'waiting' | 'ended' }
  | { readonly state: 'starting' | 'running' | 'left'; readonly handle: ProcessHandle }
  | { readonly state: 'exited'; readonly reason: Failure };

const WAITING: Life = { state: 'waiting' };
const ENDED: Life = { state: 'ended' };

export class ChildProcess implements ProcessListener, ChildPipesListener, ChildOfTransport, EndingChild {
  /** What its protocol has of it, and who spawned it. */
  readonly transport: ProcessTransport;
  readonly #parts: ReactorParts;
  readonly #platform: ProcessPlatform;
  readonly #protocol: ChildProcessProtocol;
  readonly #order: ChildOrder;
  readonly #pipes: ChildPipes;
  readonly #requests: ChildRequests;
  readonly #ending: ChildEnding;

  #life: Life = WAITING;
  #pid: number | undefined;
  /** Whether the reactor waits for its end in order to stop. */
  #isWaitedFor = false;

  constructor(parts: ReactorParts, platform: ProcessPlatform, protocol: ChildProcessProtocol, order: ChildOrder) {
    this.#parts = parts;
    this.#platform = platform;
    this.#protocol = protocol;
    this.#order = order;
    this.#pipes = new ChildPipes(parts, pipesOf(order.program), order.limits, this);
    this.#requests = new ChildRequests(parts, this.#pipes, order.limits, (error, childFD) => {
      this.#writeBufferOverflowed(error, childFD);
    });
    this.#ending = new ChildEnding(parts.loop.timers, this);
    this.transport = new ChildTransport(parts, this, this.#pipes, this.#requests, order.program.executable);
  }

  /** Has the program started in the next turn. */
  start(): void {
    this.#parts.processes.add(this);
    this.#parts.loop.callSoon(() => {
      if (this.#life.state !== 'waiting') return;
      this.#life = { state: 'starting', handle: this.#platform.spawn(this.#order.program, this) };
    });
  }

  // -------------------------------------------------------------------------------------------- what its transport asks

  get pid(): number | undefined {
    return this.#pid;
  }

  /** Throws `ProcessExitedAlready` once the program has ended, and the system's error; keeps the signal until the program runs. */
  signal(signal: string | number): void {
    switch (this.#life.state) {
      case 'waiting':
      case 'starting':
        this.#requests.signal(signal, () => {
          this.signal(signal);
        });
        return;
      case 'running':
      case 'left':
        sendSignal(this.#life.handle, signal);
        return;
      case 'exited':
      case 'ended':
        throw new ProcessExitedAlready();
    }
  }

  /** Fires after `processEnded`, and at once for a child that has ended or been left. Throws what `signal` throws but `ProcessExitedAlready`. */
  terminate(order: StopOrder): Deferred<void> {
    switch (this.#life.state) {
      case 'ended':
        return succeed(undefined);
      case 'left':
        this.#ending.signalIfThere(order.signal);
        return succeed(undefined);
      case 'waiting':
        this.#giveUp();
        break;
      case 'starting':
      case 'running':
        this.#ending.begin(order);
        break;
      case 'exited':
        this.#ending.begin(order);
        this.#pipes.abortPaused();
    }
    return this.#ending.wait();
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
      if (this.#ending.isUnderWay) this.#pipes.abortPaused();
      this.#endIfDone();
    });
  }

  pipeReceived(childFD: number, data: Buffer): void {
    this.#callHook('childDataReceived', () => this.#protocol.childDataReceived(childFD, data));
  }

  pipeLost(childFD: number, reason: Failure): void {
    if (reason.value instanceof WriteBufferLimitError) this.#writeBufferOverflowed(reason.value, childFD);
    const overflow = this.#requests.overflowOf(childFD);
    const told = overflow === undefined ? reason : new Failure(overflow);
    this.#callHook('childConnectionLost', () => this.#protocol.childConnectionLost(childFD, told));
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
      return this.#terminateAtStop(whenReactorStops);
    } else {
      this.#leave();
    }
    return succeed(undefined);
  }

  /** As what was asked of the pipes before the program ran, in its turn. */
  abortPipes(): void {
    this.#requests.abortPipes();
  }

  /** It goes on, and whoever waits for its end waits, but for a reactor that stops, which leaves it. */
  killRefused(error: unknown): void {
    this.#parts.errors.report(error, `${String(this)} could not be killed`);
    if (this.#isWaitedFor) this.#leave();
  }

  // --------------------------------------------------------------------------------------------------------- inside

  #started(processId: number, pipes: ReadonlyMap<number, StreamHandle>): void {
    this.#pid = processId;
    if (this.#life.state !== 'starting') {
      for (const handle of pipes.values()) handle.reset();
      return;
    }
    this.#life = { state: 'running', handle: this.#life.handle };
    this.#pipes.open(pipes);
    for (const { run } of this.#requests.end()) {
      this.#parts.errors.guard(`An error in what was asked of ${String(this)} before it ran`, run);
    }
    this.#callHook('connectionMade', () => this.#protocol.makeConnection(this.transport));
    this.#ending.started();
  }

  #writeBufferOverflowed(error: WriteBufferLimitError, childFD: number): void {
    const message = `Too much was written to descriptor ${String(childFD)} of ${String(this)}`;
    this.#parts.errors.report(error, message);
  }

  /** It has not been started, and is not going to be. */
  #giveUp(): void {
    const error = new ProcessStartError(`${this.#order.program.executable} was given up before it ran`);
    this.#life = { state: 'exited', reason: new Failure(error) };
    this.#parts.loop.callSoon(() => {
      this.#endIfDone();
    });
  }

  /** The reactor stops, and is to see to the end, even if the signal cannot be sent. */
  #terminateAtStop(order: StopOrder): Deferred<void> {
    this.#isWaitedFor = true;
    try {
      return this.terminate(order);
    } catch (error) {
      this.#parts.errors.report(error, `The stopSignal of ${String(this)} could not be sent`);
    }
    this.#ending.killAfter(order.killAfterSeconds);
    return this.#ending.wait();
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
    this.#ending.cancel();
    for (const { drop } of this.#requests.end()) drop?.();
    this.#parts.errors.callHook('processEnded', this.#protocol, () => this.#protocol.processEnded(reason));
    this.#ending.ended();
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
