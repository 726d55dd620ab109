import { requireDelay, requireOptions, requireString } from '../arguments.ts';
import type { ErrorClass, Failure } from '../deferred/failure.ts';
import { UnsupportedError } from '../errors.ts';
import type { ReactorObserver } from '../interfaces/observer.ts';
import type { Logger } from '../interfaces/logger.ts';
import type { TLSEngine, TLSOptions, TLSParameters } from '../interfaces/tls-engine.ts';
import { collectBetweenTurns, UnhandledErrorCollector } from '../deferred/unhandled.ts';
import { describeInspection } from '../reactor/inspection.ts';
import { Reactor } from '../reactor/reactor.ts';
import type { Seed } from '../simulation/keyed-random.ts';
import type { VirtualHost } from '../simulation/virtual-host.ts';
import type { HostNames } from '../reactor/host-table.ts';
import { TURNS_PER_INSTANT_MAX, World } from '../simulation/world.ts';
import { Macrotasks } from './macrotask.ts';
import { DEFAULT_PEER_WINDOW_BYTES, ScriptedPeer, type ScriptedPeerOptions } from './scripted-peer.ts';
import type { PeerTLS } from './secured-connect.ts';
import { ScriptedDatagramPeer, type ScriptedDatagramPeerOptions } from './scripted-datagram-peer.ts';
import { ScriptedProgram, type ScriptedProgramOptions } from './scripted-program.ts';
import { ScriptedServer, type ScriptedServerOptions } from './scripted-server.ts';
import { scriptedTarget } from './scripted-target.ts';

/** The options of a test reactor. */
export interface TestReactorOptions {
  /** Whether it runs from the first; otherwise call `run()`. True by default. */
  readonly running?: boolean;
  /** The addresses of names, beside `localhost`, which is 127.0.0.1 and ::1. Other names are unknown. */
  readonly names?: HostNames;
  /** Chooses what chance there is; 0 by default. The same seed gives the same test. */
  readonly seed?: Seed;
  /** How many turns one instant may have before `advance` throws `TurnLimitError`; 100,000 by default. */
  readonly maxTurnsPerInstant?: number;
  /**
   * TLS, for `listenTLS`, `connectTLS`, `startTLS` and peers that speak it: on Node `nodeTLS()`. Without it there is none.
   * It needs real turns of the host's event loop: use `advanceAsync`.
   */
  readonly tls?: TLSEngine;
  /** Watches what happens; see `ReactorObserver`. */
  readonly observer?: ReactorObserver;
  /** Is told what is worth a note but is nobody's error: failed handshakes of clients. */
  readonly logger?: Logger;
  /**
   * As of `createReactor`: 0.1 for the observer and 1 for the log by default. Time stands still while a hook runs, so that none takes
   * any; with 0 all count as slow.
   */
  readonly slowHookSeconds?: number;
  /** As of `createReactor`: how many calls may wait for the next turn; 1,000,000 by default. */
  readonly maxQueuedCalls?: number;
  /** As of `createReactor`: how many delayed calls may be pending; 1,000,000 by default. */
  readonly maxDelayedCalls?: number;
}

interface ReportedError {
  readonly failure: Failure;
  /** Whether it still is an error that nobody has handled. */
  readonly stands: () => boolean;
}

/** How to dial: the peer's options, and the address. */
export interface DialOptions extends ScriptedPeerOptions {
  /** The address to connect to; 127.0.0.1 by default. Not with a path. */
  readonly host?: string;
  /** Has the peer speak TLS, as a client; it is connected when the handshake is over. The name asked for is that of the host, or `servername`. */
  readonly tls?: TLSOptions;
}

/** How to serve: what the server does, and in what language. */
export interface ServeOptions extends ScriptedServerOptions {
  /** The address it listens at; by default every address there is. Not with a path. */
  readonly host?: string;
  /** Has the server speak TLS: its peers are connected when their handshakes are over. */
  readonly tls?: TLSOptions;
}

/**
 * A reactor in a world of its own: time stands still until the test advances it, and the network is in memory. The reactor
 * itself is the same code as on real sockets.
 *
 * Every address is this host, so `listenTCP` and `connectTCP` on one test reactor reach each other; `dial` and `serve` put a
 * peer under the test's control on the other side. One `advance(0)` delivers everything both ends have to say at this
 * instant, except that a scripted peer reads at most its `window`, 65,536 bytes, at one instant, and the next 0.1 s later: a
 * test of bulk data sets a larger one, or lets time pass.
 *
 * Errors that have no caller to go to, those thrown by hooks above all, are kept in `errors` in place of a log. Make the
 * reactor in `beforeEach` and call `assertClean` in `afterEach`, so that such an error is shown even if an assertion of the
 * test has failed first.
 */
export class TestReactor extends Reactor implements Disposable {
  readonly #world: World;
  readonly #host: VirtualHost;
  readonly #terminal: ScriptedPeer;
  #errors: ReportedError[] = [];

  constructor(options: TestReactorOptions = {}) {
    const {
      running = true,
      names = {},
      seed = 0,
      maxTurnsPerInstant = TURNS_PER_INSTANT_MAX,
      tls,
      ...reactorOptions
    } = options;
    const world = new World({ seed, maxTurnsPerInstant, ...(tls && { tls }) });
    const host = world.addHost('test', { names });
    super(host, {
      ...reactorOptions,
      errorReporter: (failure, _message, stands = () => true) => {
        this.#errors.push({ failure, stands });
      },
    });
    this.#world = world;
    this.#host = host;
    this.#terminal = new ScriptedPeer(world, { allowHalfOpen: true }, (listener) => {
      host.virtualStdio.attach(listener);
      return undefined;
    });
    host.describePending = () => describeInspection(this.inspect());
    // The promise of a run never rejects, and a test that wants it calls run() itself.
    if (running) void this.run();
  }

  /**
   * Lets so many seconds pass. The clock steps to each time at which something is due, and stays there for as many turns
   * as it takes until nothing more is due, timers and network alike; then it goes on, at last to the end. Throws
   * `RangeError` for a number that is negative or not finite, `TurnLimitError` if an instant does not end, and an `Error`
   * if it is called from a hook or a delayed call, or while `advanceAsync` is under way.
   */
  advance(seconds: number): void {
    this.#world.advance(seconds);
  }

  /**
   * The same, but after each turn promise continuations run before the next, so that code with `await` in it takes part.
   * Does not wait for real work, such as reading files. Rejects with what `advance` would throw.
   */
  async advanceAsync(seconds: number): Promise<void> {
    requireDelay('seconds', seconds);
    const macrotasks = new Macrotasks();
    const unhandled = new UnhandledErrorCollector();
    const steps = this.#world.advanceInSteps(seconds);
    const stopCollecting = collectBetweenTurns(unhandled);
    try {
      do {
        await macrotasks.hop();
        await this.#host.tls?.nextTurn();
        for (const { failure, isUnhandled } of unhandled.takeUnhandled()) {
          this.#errors.push({ failure, stands: isUnhandled });
        }
      } while (steps.next().done !== true);
    } finally {
      stopCollecting();
      macrotasks[Symbol.dispose]();
    }
  }

  /** `advance` for each of the numbers. */
  pump(timings: Iterable<number>): void {
    for (const seconds of timings) this.advance(seconds);
  }

  /**
   * Connects a scripted peer to a port, or to a UNIX socket by its path. Returns at once; the connection is made during the next advance, or refused, as
   * the peer's `reason` then says. The peer reads at most `window` bytes, 65,536 by default, at each `advance(0)` and at
   * each step of the clock in a longer advance, which steps every 0.1 s while the peer has more to read.
   */
  dial(place: number | string, options: DialOptions = {}): ScriptedPeer {
    const { host, tls, ...peerOptions } = options;
    const target = scriptedTarget(place, host, { host: '127.0.0.1', lowestPort: 1 });
    const windowBytes = peerOptions.window ?? DEFAULT_PEER_WINDOW_BYTES;
    return new ScriptedPeer(
      this.#world,
      peerOptions,
      (listener) => this.#host.virtualStreams.connect(target, listener, { windowBytes }),
      tls &&
        this.#peerTLS({
          role: 'client',
          options: tls,
          servername: tls.servername ?? (target.kind === 'tcp' ? target.host : undefined),
        }),
    );
  }

  /**
   * Listens with a scripted server, at once, on a port or at the path of a UNIX socket. Port 0 takes a free one; see its `getHost`.
   * Throws `CannotListenError` if the port or the path is taken.
   */
  serve(place: number | string, options: ServeOptions = {}): ScriptedServer {
    const { tls, host, ...serverOptions } = options;
    const target = scriptedTarget(place, host, { host: '::', lowestPort: 0 });
    return new ScriptedServer(
      this.#world,
      this.#host.virtualStreams,
      target,
      serverOptions,
      tls && this.#peerTLS({ role: 'server', options: tls, servername: undefined }),
    );
  }

  /** Opens a socket for datagrams under the test's control, at once. Throws `CannotListenError` if the port is taken. */
  datagramPeer(options: ScriptedDatagramPeerOptions = {}): ScriptedDatagramPeer {
    return new ScriptedDatagramPeer(this.#host.virtualDatagrams, options);
  }

  /**
   * Makes an executable, which `spawnProcess` can start from now on; there are no others. Each child of it is a
   * `ScriptedProcess`, in the test's hands or under the control of `main`.
   */
  installProgram(executable: string, options: ScriptedProgramOptions = {}): ScriptedProgram {
    requireString('executable', executable);
    requireOptions('options', options, ['main', 'startError']);
    return new ScriptedProgram(this.#world, this.#host.virtualProcesses, executable, options);
  }

  /**
   * Whoever is at the other end of the standard input and output: what it sends is the input of `openStdio`, and it receives the
   * output. It is connected once that has been called, and time has passed.
   */
  get terminal(): ScriptedPeer {
    return this.#terminal;
  }

  /**
   * What was reported and has not been flushed: errors thrown by hooks and calls, errors no Deferred handled. The error of
   * a Deferred goes as soon as somebody handles it, so a test may ask for it after the advance in which it arose.
   */
  get errors(): readonly Failure[] {
    return this.#errors.filter(({ stands }) => stands()).map(({ failure }) => failure);
  }

  /** Takes out the errors of these types, or all, and returns them: the test expected them. */
  flushErrors(...types: readonly ErrorClass[]): Failure[] {
    const isFlushed = (failure: Failure): boolean => types.length === 0 || failure.check(...types) !== undefined;
    const flushed = this.errors.filter(isFlushed);
    this.#errors = this.#errors.filter(({ failure }) => !isFlushed(failure));
    return flushed;
  }

  /**
   * Throws one error that lists all that is left: delayed calls, connections, attempts to connect, ports, child processes, and errors that
   * were not flushed. Call it in `afterEach`: at the end of the test itself it is not reached if an assertion fails.
   *
   * Scripted servers and peers are the test's own and do not count, so a server that still listens need not be stopped. A
   * connection counts on the reactor's side of it, for as long as it lasts there.
   */
  assertClean(): void {
    this.#requireNothing(this.#describeLeft());
  }

  /**
   * The same as `assertClean`, for `using`. If the block has thrown as well, both errors come in one `SuppressedError`,
   * which test runners show badly; `assertClean` in `afterEach` has them shown one by one.
   */
  [Symbol.dispose](): void {
    this.assertClean();
  }

  /**
   * For `await using`: `advanceAsync(0)`, so that what the block has closed can close, and then as `assertClean`. Whatever is left
   * is in the error, but the reactor is stopped first, with an `advanceAsync(0)` for its shutdown, whose errors are in it too.
   * Never waits for time to pass: a shutdown that needs it is one more thing that is left.
   */
  override async [Symbol.asyncDispose](): Promise<void> {
    await this.advanceAsync(0);
    const left = this.#describeLeft();
    const run = { hasStopped: false };
    void super[Symbol.asyncDispose]().then(() => {
      run.hasStopped = true;
    });
    await this.advanceAsync(0);
    // What was left before and still is stands in both lists.
    const all = new Set([...left, ...this.#describeLeft()]);
    if (!run.hasStopped) all.add('the shutdown: a trigger waits for something that does not happen at this instant');
    this.#requireNothing([...all]);
  }

  #peerTLS(parameters: TLSParameters): PeerTLS {
    const engine = this.#host.tls;
    if (engine === undefined) throw new UnsupportedError('The test reactor was given no TLS; see its option tls');
    engine.prepare(parameters.options, parameters.role);
    return { engine, parameters };
  }

  #describeLeft(): string[] {
    return [
      // The text of a port ends with what it is doing.
      ...describeInspection(this.inspect()).map((line) =>
        line.endsWith('(closing)') ? `${line}: it needs an advance(0) to close` : line,
      ),
      ...this.errors.map((failure) => `unhandled error: ${failure.getTraceback()}`),
    ];
  }

  #requireNothing(left: readonly string[]): void {
    if (left.length > 0) throw new Error(`The reactor is not clean:\n  ${left.join('\n  ')}`);
  }
}
