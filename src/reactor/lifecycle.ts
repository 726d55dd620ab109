/**
 * The life of a reactor:
 *
 *     stopped ──run()──▶ starting ──▶ running ──stop()──▶ stopRequested ──(stop check of the turn)──▶ shuttingDown ──▶ stopped
 *
 * and from every state but the first, `crash()` leads straight back to `stopped`. A reactor that has stopped may be run again.
 *
 * Turns go on in all states but `stopped`, also while the *before* triggers of startup or shutdown are waited for. What users
 * see as `running` is narrower: it becomes true in *during startup* and false in *during shutdown*, where connections, attempts
 * and ports end. Source: Twisted's `ReactorBase`.
 */
import type { Deferred } from '../deferred/deferred.ts';
import { DeferredList } from '../deferred/deferred-list.ts';
import { ReactorAlreadyRunning, ReactorNotRunning } from '../errors.ts';
import { requireDelay } from '../arguments.ts';
import type { TerminationSignal } from '../interfaces/platform.ts';
import { Drain } from './drain.ts';
import type { ReactorParts } from './reactor-parts.ts';
import type { SystemEvents } from './system-events.ts';

/** The options of `run`. */
export interface RunOptions {
  /** Whether SIGINT, SIGTERM and SIGBREAK stop the reactor while it runs; true by default. */
  readonly installSignalHandlers?: boolean;
  /**
   * What the first signal stops the reactor with, as of `stop`; 0 by default. If the program has asked for a stop already, its
   * connections have this time from the signal on, if that is less than what they still had.
   */
  readonly drainSeconds?: number;
}

/** The options of `stop`. */
export interface StopOptions {
  /**
   * For how many seconds connections may finish what they are doing before they are lost; 0 by default. Meanwhile ports for
   * connections do not listen, everything else goes on, datagrams too, and `running` is true; protocols that have
   * `connectionDraining` are told. It ends early when the last connection has gone, and when a signal asks for less
   * time. It is part of the *before* phase of shutdown, whose triggers run at its beginning and may take longer.
   */
  readonly drainSeconds?: number;
}

/** One run, from `run()` to the settling of its promise. */
interface Run {
  readonly promise: Promise<void>;
  readonly ended: () => void;
  readonly installSignalHandlers: boolean;
  /** For when a signal stops it. */
  readonly drainSeconds: number;
  signals: Disposable | undefined;
}

type State =
  | { readonly name: 'stopped' }
  | { readonly name: 'starting' | 'running' | 'shuttingDown'; readonly run: Run }
  | { readonly name: 'stopRequested'; readonly run: Run; readonly drainSeconds: number };

const STOPPED: State = { name: 'stopped' };

export class Lifecycle {
  readonly #parts: ReactorParts;
  readonly #events: SystemEvents;
  #state: State = STOPPED;
  #running = false;
  #hasRun = false;
  #exitSignal: TerminationSignal | undefined;

  constructor(parts: ReactorParts, events: SystemEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  /** True from *during startup* to *during shutdown*. */
  get running(): boolean {
    return this.#running;
  }

  /** The first signal that asked the last run to end. */
  get exitSignal(): TerminationSignal | undefined {
    return this.#exitSignal;
  }

  /** Whether `run` has ever been called. */
  get hasRun(): boolean {
    return this.#hasRun;
  }

  run(options: RunOptions): Promise<void> {
    if (this.#state.name !== 'stopped') throw new ReactorAlreadyRunning(`The reactor is ${this.#state.name} already`);
    const { installSignalHandlers = true, drainSeconds = 0 } = options;
    requireDelay('drainSeconds', drainSeconds);
    let ended = (): void => undefined;
    const promise = new Promise<void>((resolve) => {
      ended = resolve;
    });
    this.#start({ promise, ended, installSignalHandlers, drainSeconds, signals: undefined });
    return promise;
  }

  /** Stops, unless that has been asked for, and resolves when the run has ended; at once if there is none. */
  async dispose(): Promise<void> {
    if (this.#state.name === 'stopped') return;
    const { promise } = this.#state.run;
    if (this.#state.name === 'starting' || this.#state.name === 'running') this.stop({});
    await promise;
  }

  stop({ drainSeconds = 0 }: StopOptions): void {
    requireDelay('drainSeconds', drainSeconds);
    switch (this.#state.name) {
      case 'stopped':
        throw new ReactorNotRunning('The reactor is not running');
      case 'stopRequested':
      case 'shuttingDown':
        throw new ReactorNotRunning('The reactor is stopping already');
      case 'starting':
      case 'running':
        this.#state = { name: 'stopRequested', run: this.#state.run, drainSeconds };
        this.#parts.loop.wakeSoon();
    }
  }

  crash(): void {
    if (this.#state.name === 'stopped') throw new ReactorNotRunning('The reactor is not running');
    this.#end(this.#state.run);
  }

  /** Called in each turn: begins to shut down if `stop` was called. */
  stopCheck(): void {
    if (this.#state.name === 'stopRequested') this.#shutDown(this.#state.run, this.#state.drainSeconds);
  }

  #start(run: Run): void {
    this.#hasRun = true;
    this.#exitSignal = undefined;
    this.#state = { name: 'starting', run };
    const { liveness } = this.#parts.platform;
    liveness?.warnBeforeExit(undefined);
    liveness?.keepAlive(true);
    this.#parts.loop.start();
    for (const connection of this.#parts.connections) connection.dispatchingChanged();
    for (const child of this.#parts.processes) child.dispatchingChanged();
    this.#parts.loop.deliverNow(() => {
      this.#events.fire(
        'startup',
        {
          during: () => {
            this.#started(run);
          },
        },
        () => !this.#isOver(run) && this.#state.name !== 'shuttingDown',
      );
    });
  }

  #started(run: Run): void {
    this.#running = true;
    if (run.installSignalHandlers) this.#watchSignals(run);
    if (this.#state.name === 'starting') this.#state = { name: 'running', run };
  }

  #shutDown(run: Run, drainSeconds: number): void {
    this.#state = { name: 'shuttingDown', run };
    const shutDown = this.#events.fire(
      'shutdown',
      {
        before: () => (drainSeconds > 0 ? this.#drain(drainSeconds) : undefined),
        during: () => {
          this.#running = false;
          this.#parts.drain = undefined;
          return this.#endEverything();
        },
      },
      () => !this.#isOver(run),
    );
    shutDown
      // Triggers may have connected or listened anew while others were waited for.
      .addCallback(() => this.#endEverything())
      .addCallback(() => {
        if (this.#isOver(run)) return;
        // Factories that connect again whenever they fail would never come to an end.
        for (const connector of [...this.#parts.connectors]) connector.abandon();
        this.#end(run);
      });
  }

  #drain(seconds: number): Deferred<void> {
    const drain = new Drain(this.#parts, seconds);
    this.#parts.drain = drain;
    return drain.begin();
  }

  /**
   * Ends all that is connected, connecting or listening; fires when the ports have closed, and children that are to end have.
   * What was written before goes to the system first, as much as that takes at once.
   */
  #endEverything(): Deferred<unknown> {
    this.#parts.loop.flush();
    for (const connector of [...this.#parts.connectors]) connector.reactorStopped();
    for (const handshake of this.#parts.handshakes) handshake.cancel();
    this.#parts.handshakes.clear();
    for (const connection of [...this.#parts.connections]) connection.reactorStopped();
    const children = [...this.#parts.processes].map((child) => child.reactorStopped());
    return new DeferredList([...children, ...[...this.#parts.ports].map((port) => port.stopListening())]);
  }

  #end(run: Run): void {
    this.#state = STOPPED;
    this.#running = false;
    this.#parts.drain?.abandon();
    this.#parts.drain = undefined;
    this.#parts.loop.stop();
    for (const connection of this.#parts.connections) connection.dispatchingChanged();
    for (const child of this.#parts.processes) child.dispatchingChanged();
    run.signals?.[Symbol.dispose]();
    this.#parts.platform.liveness?.keepAlive(false);
    run.ended();
  }

  #watchSignals(run: Run): void {
    const { signals } = this.#parts.platform;
    run.signals = signals?.watch((signal) => {
      this.#parts.loop.deliver(() => {
        if (this.#exitSignal !== undefined) signals.exit(signal);
        this.#exitSignal ??= signal;
        this.#stopFor(run);
      });
    });
  }

  /** The first signal has come. One that finds the reactor stopping asks for no more time than it would have given itself. */
  #stopFor({ drainSeconds }: Run): void {
    const state = this.#state;
    switch (state.name) {
      case 'stopped':
        return;
      case 'starting':
      case 'running':
        this.stop({ drainSeconds });
        return;
      case 'stopRequested':
        this.#state = { ...state, drainSeconds: Math.min(state.drainSeconds, drainSeconds) };
        return;
      case 'shuttingDown':
        this.#parts.drain?.shorten(drainSeconds);
    }
  }

  /** Whether this run has been ended by `crash`, perhaps with another one after it. */
  #isOver(run: Run): boolean {
    return this.#state.name === 'stopped' || this.#state.run !== run;
  }
}
