import type { Connector } from '../interfaces/connector.ts';
import type { DatagramReceiver, UDPPort } from '../interfaces/datagram-transport.ts';
import type { DelayedCall } from '../interfaces/delayed-call.ts';
import type { ListeningPort } from '../interfaces/listening-port.ts';
import type { Logger } from '../interfaces/logger.ts';
import type { ReactorObserver } from '../interfaces/observer.ts';
import type { Platform, TerminationSignal } from '../interfaces/platform.ts';
import type { ClientProtocolFactory, ProtocolFactory, StreamProtocol } from '../interfaces/protocol.ts';
import type {
  ConnectTCPOptions,
  ConnectTLSOptions,
  ConnectUNIXOptions,
  ListenTCPOptions,
  ListenTLSOptions,
  ListenUNIXOptions,
  ReactorTCP,
  ReactorTLS,
  ReactorUNIX,
  SystemEventPhase,
  SystemEventTriggerID,
  TLSSource,
} from '../interfaces/reactor.ts';
import type { AdoptDatagramPortOptions, AdoptStreamPortOptions, ReactorSocket } from '../interfaces/reactor-socket.ts';
import type {
  ListenMulticastOptions,
  ListenUDPOptions,
  ReactorMulticast,
  ReactorUDP,
} from '../interfaces/reactor-udp.ts';
import type { ReactorStreams } from '../interfaces/reactor-streams.ts';
import type { HostnameResolver } from '../interfaces/resolver.ts';
import type { Lingering, StreamHandle } from '../interfaces/stream-platform.ts';
import type { TLSOptions } from '../interfaces/tls-engine.ts';
import type {
  ChildProcessProtocol,
  ProcessTransport,
  ReactorProcess,
  ReactorStdio,
  SpawnProcessOptions,
} from '../interfaces/process.ts';
import type { ReactorTime } from '../interfaces/time.ts';
import type { Transport } from '../interfaces/transport.ts';
import { requireDelay, requireFunction, requireIntegerFrom, requireMethods } from '../arguments.ts';
import { QueueOverflow, UnsupportedError } from '../errors.ts';
import { adoptDatagramPort, adoptStreamConnection, adoptStreamPort } from './adoption.ts';
import { adoptStreamHandle, lingeringOf } from './adopted-stream.ts';
import { Contexts } from './contexts.ts';
import { ErrorReporter, reportTo, type ReportError } from './error-reporter.ts';
import { HookWatch } from './hook-watch.ts';
import { Observation } from './observation.ts';
import { describeInspection, inspect, type ReactorInspection } from './inspection.ts';
import { Lifecycle, type RunOptions, type StopOptions } from './lifecycle.ts';
import { OutgoingSlab } from './outgoing-slab.ts';
import { quietLogger } from './quiet-logger.ts';
import type { ReactorParts } from './reactor-parts.ts';
import { spawnProcess } from './spawn-process.ts';
import { openStdio } from './stdio.ts';
import { SystemEvents } from './system-events.ts';
import { connectTCP, listenTCP } from './tcp.ts';
import { connectTLS, listenTLS } from './tls.ts';
import { TurnLoop } from './turn-loop.ts';
import { listenMulticast, listenUDP } from './udp.ts';
import { connectUNIX, listenUNIX } from './unix.ts';

/** More than any program means to queue in one turn, and some 100 MB of memory. */
const DEFAULT_QUEUED_CALLS_MAX = 1_000_000;

/** A time-out for each of a million connections, some 250 MB of memory. */
const DEFAULT_DELAYED_CALLS_MAX = 1_000_000;

/** The options of a reactor. */
export interface ReactorOptions {
  /** Is told of errors that have no caller to go to. */
  readonly logger?: Logger;
  /** Is told of those errors in place of the logger. */
  readonly errorReporter?: ReportError;
  /** Whether calls and connections run in the context in which they were made; false by default. Needs a platform that has contexts. */
  readonly captureContext?: boolean;
  /** Watches what happens; see `ReactorObserver`. */
  readonly observer?: ReactorObserver;
  /**
   * From how many seconds on a hook, a call or a trigger counts as slow: the observer's `hookSlow` is told, and a warning is logged. By
   * default the observer is told from 0.1 on, and the warning is logged from 1 on. `Infinity`: never, and nothing is measured.
   */
  readonly slowHookSeconds?: number;
  /**
   * How many calls may wait for the next turn; 1,000,000 by default, so that a loop of `callSoon` fails before memory does.
   * One more throws `QueueOverflow`.
   */
  readonly maxQueuedCalls?: number;
  /**
   * How many delayed calls may be pending; 1,000,000 by default, so that calls which make more calls fail before memory does.
   * One more throws `QueueOverflow`. Time-outs that the reactor sets itself are counted, and never refused.
   */
  readonly maxDelayedCalls?: number;
}

/**
 * The event loop: it owns time, listening ports and connections, and calls the hooks of protocols, one at a time.
 *
 * This class is a facade; each part of a reactor has a file of its own beside it. Nothing happens before `run()` but
 * the binding of ports. Any number of reactors may live in one process, and one that has stopped may be run again.
 * On Node make one with `createReactor()`, in tests with `new TestReactor()`. Source: Twisted's `IReactorCore`,
 * `IReactorTime`, `IReactorTCP`, `IReactorSSL`, `IReactorUNIX`, `IReactorUDP`, `IReactorMulticast`, `IReactorSocket`,
 * `IReactorProcess`.
 */
export class Reactor
  implements
    ReactorTime,
    ReactorTCP,
    ReactorTLS,
    ReactorUNIX,
    ReactorUDP,
    ReactorMulticast,
    ReactorSocket,
    ReactorProcess,
    ReactorStdio,
    ReactorStreams,
    AsyncDisposable
{
  readonly #parts: ReactorParts;
  readonly #lifecycle: Lifecycle;
  readonly #events: SystemEvents;
  readonly #maxQueuedCalls: number;
  readonly #maxDelayedCalls: number;

  /** A reactor on a platform, which from now on serves this reactor alone. */
  constructor(platform: Platform, options: ReactorOptions = {}) {
    const { maxQueuedCalls = DEFAULT_QUEUED_CALLS_MAX, maxDelayedCalls = DEFAULT_DELAYED_CALLS_MAX } = options;
    requireIntegerFrom('maxQueuedCalls', maxQueuedCalls, 1);
    requireIntegerFrom('maxDelayedCalls', maxDelayedCalls, 1);
    this.#maxQueuedCalls = maxQueuedCalls;
    this.#maxDelayedCalls = maxDelayedCalls;
    const reportError = options.errorReporter ?? reportTo(options.logger);
    const logger = options.logger && quietLogger(options.logger);
    const observation = observe(platform, options, reportError);
    const hookWatch = HookWatch.create(() => platform.clock.now(), {
      observation,
      logger,
      slowHookSeconds: options.slowHookSeconds,
    });
    const errors = new ErrorReporter(
      observation === undefined ? reportError : alsoTell(observation, reportError),
      hookWatch,
    );
    const hooks = {
      stopCheck: () => {
        this.#lifecycle.stopCheck();
      },
      queuedWhileStopped: () => {
        this.#warnIfNeverRun();
      },
    };
    const loop = new TurnLoop(platform.clock, errors, hooks, { observation, hookWatch });
    this.#parts = {
      platform,
      loop,
      errors,
      logger,
      observation,
      hookWatch,
      outgoingSlab: new OutgoingSlab(),
      contexts: options.captureContext === true ? contextsOf(platform) : undefined,
      nameResolver: platform.resolver,
      drain: undefined,
      connections: new Set(),
      ports: new Set(),
      handshakes: new Set(),
      datagramProtocols: new Set(),
      connectors: new Set(),
      processes: new Set(),
    };
    this.#events = new SystemEvents(errors, hookWatch);
    this.#lifecycle = new Lifecycle(this.#parts, this.#events);
  }

  // ------------------------------------------------------------------------------------------------------ lifecycle

  /**
   * Fires the startup event (its triggers, and `callWhenRunning` calls, run before this returns, unless one of them is
   * waited for), then dispatches until `stop()` and keeps the process alive meanwhile. The promise resolves when the
   * shutdown event has ended: connections have been lost, ports have closed, triggers have been waited for. It never
   * rejects. SIGINT, SIGTERM and SIGBREAK stop the reactor; a second one ends the process at once.
   * Throws `ReactorAlreadyRunning` unless the reactor has stopped.
   */
  run(options: RunOptions = {}): Promise<void> {
    return this.#lifecycle.run(options);
  }

  /**
   * Asks for an orderly end, which begins at the end of this turn's calls; delayed calls that are due in this turn
   * still run. Delayed calls that are pending survive into the next `run`. With `drainSeconds` connections are first given
   * time to finish, while ports listen no more; see `StopOptions`. Throws `ReactorNotRunning` if the reactor
   * has not been run or is stopping already, `RangeError` for a time that is negative or not finite.
   */
  stop(options: StopOptions = {}): void {
    this.#lifecycle.stop(options);
  }

  /**
   * Leaves the loop at once, with no event fired and nothing closed: connections and ports go on with the next `run`.
   * Throws `ReactorNotRunning` if the reactor is not running.
   */
  crash(): void {
    this.#lifecycle.crash();
  }

  /** True from the during phase of startup to the during phase of shutdown. */
  get running(): boolean {
    return this.#lifecycle.running;
  }

  /** The signal that ended the last run, if one did. */
  get exitSignal(): TerminationSignal | undefined {
    return this.#lifecycle.exitSignal;
  }

  /**
   * Calls `fn(...args)` now if the reactor is running, and returns undefined; otherwise once it runs, as a trigger
   * after startup, whose identifier is returned.
   */
  callWhenRunning<Args extends readonly unknown[]>(
    fn: (...args: Args) => unknown,
    ...args: Args
  ): SystemEventTriggerID | undefined {
    requireFunction('fn', fn);
    if (this.running) {
      fn(...args);
      return undefined;
    }
    return this.addSystemEventTrigger('after', 'startup', fn, ...args);
  }

  /**
   * Has `fn(...args)` called once, in a phase of the next firing of a system event: `startup`, `shutdown` or one of your own.
   * A phase waits for the Deferreds and promises its triggers return. Throws `RangeError` for an unknown phase.
   */
  addSystemEventTrigger<Args extends readonly unknown[]>(
    phase: SystemEventPhase,
    eventType: string,
    fn: (...args: Args) => unknown,
    ...args: Args
  ): SystemEventTriggerID {
    requireFunction('fn', fn);
    if (!this.#lifecycle.hasRun) this.#warnIfNeverRun();
    return this.#events.add(
      phase,
      eventType,
      fn,
      this.bindContext(() => fn(...args)),
    );
  }

  /** Takes a trigger back. Throws `TypeError` for what is no identifier, `RangeError` if the trigger has run or was removed. */
  removeSystemEventTrigger(id: SystemEventTriggerID): void {
    this.#events.remove(id);
  }

  /** Fires a system event by hand: all its triggers run, phase by phase, and are taken out. */
  fireSystemEvent(eventType: string): void {
    this.#events.fire(eventType);
  }

  // ------------------------------------------------------------------------------------------------------------ time

  seconds(): number {
    return this.#parts.platform.clock.now();
  }

  /** As `ReactorTime` has it. Throws `QueueOverflow` when `maxDelayedCalls` are pending already. */
  callLater<Args extends readonly unknown[]>(
    delaySeconds: number,
    fn: (...args: Args) => unknown,
    ...args: Args
  ): DelayedCall {
    const { timers } = this.#parts.loop;
    if (timers.pendingCount >= this.#maxDelayedCalls) {
      throw new QueueOverflow(`${String(this.#maxDelayedCalls)} delayed calls are pending already`);
    }
    return timers.callLater(delaySeconds, this.bindContext(fn), ...args);
  }

  getDelayedCalls(): readonly DelayedCall[] {
    return this.#parts.loop.timers.getDelayedCalls();
  }

  /**
   * Calls `fn(...args)` in the next turn, before the delayed calls and in the order in which it was asked; never from
   * inside this call. Twisted's `callFromThread`, for one thread. Throws `QueueOverflow` when `maxQueuedCalls` wait already.
   */
  callSoon<Args extends readonly unknown[]>(fn: (...args: Args) => unknown, ...args: Args): void {
    requireFunction('fn', fn);
    if (this.#parts.loop.queuedCallCount >= this.#maxQueuedCalls) {
      throw new QueueOverflow(`${String(this.#maxQueuedCalls)} calls wait for the next turn already`);
    }
    this.#parts.loop.callUserSoon(
      fn,
      this.bindContext(() => fn(...args)),
    );
  }

  /**
   * The function, or the generator of a coroutine, bound to the present context: wherever it is called or resumed from, it
   * runs in the context in which `bindContext` was called. `ensureDeferred(reactor.bindContext(work()))` starts a
   * coroutine that keeps its context. Without `captureContext` it returns what it is given.
   */
  bindContext<F extends (...args: never[]) => unknown>(fn: F): F;
  bindContext<T, R, N>(generator: Generator<T, R, N>): Generator<T, R, N>;
  bindContext(target: ((...args: never[]) => unknown) | Generator): unknown {
    const { contexts } = this.#parts;
    if (contexts === undefined) return target;
    return typeof target === 'object' ? contexts.bindGenerator(target) : contexts.bindFunction(target);
  }

  // ------------------------------------------------------------------------------------------------------------- TCP

  listenTCP(port: number, factory: ProtocolFactory, options: ListenTCPOptions = {}): ListeningPort {
    const listeningPort = listenTCP(this.#parts, port, this.#bindFactory(factory), options);
    this.#warnIfNeverRun();
    return listeningPort;
  }

  connectTCP(host: string, port: number, factory: ClientProtocolFactory, options: ConnectTCPOptions = {}): Connector {
    return connectTCP(this.#parts, host, port, this.#bindFactory(factory), options);
  }

  // ------------------------------------------------------------------------------------------------------------- TLS

  listenTLS(port: number, factory: ProtocolFactory, tls: TLSSource, options: ListenTLSOptions = {}): ListeningPort {
    const listeningPort = listenTLS(this.#parts, port, this.#bindFactory(factory), tls, options);
    this.#warnIfNeverRun();
    return listeningPort;
  }

  connectTLS(
    host: string,
    port: number,
    factory: ClientProtocolFactory,
    tls: TLSOptions,
    options: ConnectTLSOptions = {},
  ): Connector {
    return connectTLS(this.#parts, host, port, this.#bindFactory(factory), tls, options);
  }

  // ---------------------------------------------------------------------------------------------------- UNIX sockets

  listenUNIX(path: string, factory: ProtocolFactory, options: ListenUNIXOptions = {}): ListeningPort {
    const listeningPort = listenUNIX(this.#parts, path, this.#bindFactory(factory), options);
    this.#warnIfNeverRun();
    return listeningPort;
  }

  connectUNIX(path: string, factory: ClientProtocolFactory, options: ConnectUNIXOptions = {}): Connector {
    return connectUNIX(this.#parts, path, this.#bindFactory(factory), options);
  }

  // ------------------------------------------------------------------------------------------------------------- UDP

  listenUDP(port: number, protocol: DatagramReceiver, options: ListenUDPOptions = {}): UDPPort {
    const udpPort = listenUDP(this.#parts, port, protocol, options);
    this.#warnIfNeverRun();
    return udpPort;
  }

  listenMulticast(port: number, protocol: DatagramReceiver, options: ListenMulticastOptions = {}): UDPPort {
    const udpPort = listenMulticast(this.#parts, port, protocol, options);
    this.#warnIfNeverRun();
    return udpPort;
  }

  // ------------------------------------------------------------------------------------------------- adopted sockets

  adoptStreamPort(descriptor: number, factory: ProtocolFactory, options: AdoptStreamPortOptions = {}): ListeningPort {
    const listeningPort = adoptStreamPort(this.#parts, descriptor, this.#bindFactory(factory), options);
    this.#warnIfNeverRun();
    return listeningPort;
  }

  adoptStreamConnection(descriptor: number, factory: ProtocolFactory): void {
    adoptStreamConnection(this.#parts, descriptor, this.#bindFactory(factory));
  }

  adoptDatagramPort(descriptor: number, protocol: DatagramReceiver, options: AdoptDatagramPortOptions = {}): UDPPort {
    const udpPort = adoptDatagramPort(this.#parts, descriptor, protocol, options);
    this.#warnIfNeverRun();
    return udpPort;
  }

  // ------------------------------------------------------------------------------------------------- processes, stdio

  spawnProcess(
    protocol: ChildProcessProtocol,
    executable: string,
    args: readonly string[] = [],
    options: SpawnProcessOptions = {},
  ): ProcessTransport {
    return spawnProcess(this.#parts, protocol, executable, args, options);
  }

  openStdio(protocol: StreamProtocol): Transport {
    return openStdio(this.#parts, protocol);
  }

  // -------------------------------------------------------------------------------------------------- other streams

  get lingering(): Lingering {
    return lingeringOf(this.#parts);
  }

  adoptStreamHandle(handle: StreamHandle, factory: ProtocolFactory): void {
    adoptStreamHandle(this.#parts, handle, this.#bindFactory(factory));
  }

  // ----------------------------------------------------------------------------------------------------------- names

  /** Who resolves the names given to `connectTCP`. */
  get nameResolver(): HostnameResolver {
    return this.#parts.nameResolver;
  }

  /** Has names resolved by `resolver` from now on, and returns the resolver until now. */
  installNameResolver(resolver: HostnameResolver): HostnameResolver {
    requireMethods('resolver', resolver, ['resolveHostName']);
    const previous = this.#parts.nameResolver;
    this.#parts.nameResolver = resolver;
    return previous;
  }

  // ------------------------------------------------------------------------------------------------------ observation

  /** What is alive: delayed calls, connections, attempts to connect, ports, child processes. */
  inspect(): ReactorInspection {
    return inspect(this.#parts);
  }

  /** Stops the reactor if it is running, and resolves when it has stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lifecycle.dispose();
  }

  /** The factory as ports and connectors use it. */
  #bindFactory<F extends ProtocolFactory>(factory: F): F {
    return this.#parts.contexts?.bindFactory(factory) ?? factory;
  }

  /** Has the platform warn if the program ends by itself while something waits for a `run()` that never came. */
  #warnIfNeverRun(): void {
    const { liveness } = this.#parts.platform;
    if (liveness === undefined || this.#lifecycle.hasRun) return;
    liveness.warnBeforeExit(() => {
      const alive = describeInspection(this.inspect());
      if (alive.length === 0) return undefined;
      return (
        'A reactor never ran: reactor.run() was not called, or comes after an await of something that needs it; ' +
        `this waits for it:\n  ${alive.join('\n  ')}`
      );
    });
  }
}

function observe(platform: Platform, options: ReactorOptions, reportError: ReportError): Observation | undefined {
  const { observer, slowHookSeconds } = options;
  // Infinity is how not to be told.
  if (slowHookSeconds !== undefined && slowHookSeconds !== Infinity) requireDelay('slowHookSeconds', slowHookSeconds);
  if (observer === undefined) return undefined;
  const unwatched = new ErrorReporter(reportError);
  return new Observation(
    observer,
    () => platform.clock.now(),
    (error, message) => {
      unwatched.report(error, message);
    },
  );
}

function alsoTell(observation: Observation, reportError: ReportError): ReportError {
  return (failure, message, stands) => {
    observation.errorReported(failure, message);
    reportError(failure, message, stands);
  };
}

function contextsOf(platform: Platform): Contexts {
  if (platform.context !== undefined) return new Contexts(platform.context);
  throw new UnsupportedError(`captureContext: the platform ${platform.name} has no contexts`);
}
