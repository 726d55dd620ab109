/**
 * One server on all cores: a primary process starts workers, which share one port, and replaces those that die. Try it:
 * `npm run example examples/cluster.ts -- --port=21213 --workers=4`, then `nc 127.0.0.1 21213`, and type a line: the answer
 * begins with the number of the worker's process. SIGUSR2 to the primary replaces the workers one by one, and no
 * request is lost; SIGTERM or Control-C ends them all in order, twice at once. With `--reuse-port` (Node 22.12 or later) each
 * worker has a socket of its own for the port, and connections do not pass through the primary.
 */
import cluster, { type Worker } from 'node:cluster';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import {
  createReactor,
  Deferred,
  Factory,
  type ListenTCPOptions,
  Protocol,
  type Reactor,
  TCP4ServerEndpoint,
} from 'ropewalk';
import { isMain } from './support/is-main.ts';
import { TextLines } from './support/text-lines.ts';

/** How long a worker that is to stop lets its connections finish, and how much longer it lives if it does not obey. */
const DRAIN_SECONDS = 10;
const KILL_SECONDS = 5;

/** A worker that dies sooner is not replaced before so long: it would keep a core busy with starting. */
const RESTART_SECONDS = 1;

/** Room for the connections that come while a worker is busy. */
const BACKLOG = 511;

// ------------------------------------------------------------------------------------------------------- the worker

/** Answers one line with its name and the line, and closes: who is connected has a request under way. */
export class Answer extends Protocol {
  readonly #name: string;
  readonly #lines = new TextLines();

  constructor(name: string) {
    super();
    this.#name = name;
  }

  override dataReceived(data: Buffer): void {
    const [request] = this.#lines.push(data);
    if (request === undefined) return;
    this.transport.write(`${this.#name} ${request}\r\n`);
    this.transport.loseConnection();
  }
}

export class AnswerFactory extends Factory {
  readonly #name: string;

  constructor(name: string) {
    super();
    this.#name = name;
  }

  override buildProtocol(): Protocol {
    return new Answer(this.#name);
  }
}

/** Serves until the primary says `stop`. The signals of a terminal come to the workers, too, and stop them as well. */
async function work(port: number, options: ListenTCPOptions): Promise<void> {
  const reactor = createReactor();
  const endpoint = new TCP4ServerEndpoint(reactor, port, { ...options, backlog: BACKLOG });
  const listeningPort = await endpoint.listen(new AnswerFactory(String(process.pid)));
  process.once('message', () => {
    if (reactor.exitSignal === undefined) reactor.stop({ drainSeconds: DRAIN_SECONDS });
  });
  reactor.callWhenRunning(() => process.send?.(String(listeningPort.getHost())));
  await reactor.run({ drainSeconds: DRAIN_SECONDS });
  // The channel to the primary would keep the process alive. The primary is waited for: it gives to other workers the
  // connections that it has sent on their way here, which `process.disconnect` would lose.
  cluster.worker?.disconnect();
}

// ------------------------------------------------------------------------------------------------------ the primary

/**
 * A worker's process:
 *
 *     starting ──▶ listening ──stop()──▶ stopping ──▶ ended
 *         ╰────────────╰───── by itself ───────────────▲
 */
class WorkerProcess {
  /** Fails if the process ends before it listens. */
  readonly listening = new Deferred<void>();
  /** `died`: nobody had asked it to end. */
  readonly ended = new Deferred<'stopped' | 'died'>();
  readonly #reactor: Reactor;
  readonly #startTime: number;
  readonly #worker: Worker = cluster.fork();
  #state: 'starting' | 'listening' | 'stopping' | 'ended' = 'starting';

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
    this.#startTime = reactor.seconds();
    this.#worker.once('message', (address) => {
      this.#listens(String(address));
    });
    this.#worker.once('exit', (status, signal?: string) => {
      this.#exited(signal ?? `status ${String(status)}`);
    });
  }

  get ageSeconds(): number {
    return this.#reactor.seconds() - this.#startTime;
  }

  /** Asks it to end, once; if it does not, it is killed. Resolves when it has ended. */
  async stop(): Promise<void> {
    if (this.#state === 'starting' || this.#state === 'listening') {
      if (this.#state === 'starting') this.#worker.process.kill();
      else if (this.#worker.isConnected()) this.#worker.send('stop');
      this.#state = 'stopping';
      const force = this.#reactor.callLater(DRAIN_SECONDS + KILL_SECONDS, () => this.#worker.process.kill('SIGKILL'));
      await this.ended;
      if (force.active()) force.cancel();
    }
    await this.ended;
  }

  #listens(address: string): void {
    console.log(`worker ${String(this.#worker.process.pid)} listens on ${address}`);
    if (this.#state === 'starting') this.#state = 'listening';
    this.listening.callback(undefined);
  }

  #exited(how: string): void {
    console.log(`worker ${String(this.#worker.process.pid)} has ended: ${how}`);
    const outcome = this.#state === 'stopping' ? 'stopped' : 'died';
    this.#state = 'ended';
    if (!this.listening.called) this.listening.errback(new Error(`A worker ended before it listened: ${how}`));
    this.ended.callback(outcome);
  }
}

/** Keeps workers alive. */
class Supervisor {
  readonly #reactor: Reactor;
  readonly #workers = new Set<WorkerProcess>();
  #state: 'running' | 'replacing' | 'stopping' = 'running';

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
  }

  /** Starts a worker, and another whenever it dies. Resolves when it listens; rejects, and starts no other, if it never does. */
  async start(): Promise<void> {
    const worker = new WorkerProcess(this.#reactor);
    this.#workers.add(worker);
    const ended = worker.ended.then((outcome) => {
      this.#workers.delete(worker);
      return outcome;
    });
    await worker.listening;
    void ended.then((outcome) => {
      if (outcome === 'died') this.#startIn(Math.max(0, RESTART_SECONDS - worker.ageSeconds));
    });
  }

  /** One by one: the new worker listens before the old one stops listening, so there is always somebody who does. */
  async replaceAll(): Promise<void> {
    if (this.#state !== 'running') return;
    this.#state = 'replacing';
    try {
      for (const worker of [...this.#workers]) {
        await this.start();
        await worker.stop();
      }
      console.log('all workers have been replaced');
    } finally {
      this.#doneReplacing();
    }
  }

  async stop(): Promise<void> {
    console.log('stopping');
    this.#state = 'stopping';
    await Promise.all([...this.#workers].map((worker) => worker.stop()));
  }

  #doneReplacing(): void {
    if (this.#state === 'replacing') this.#state = 'running';
  }

  #startIn(seconds: number): void {
    this.#reactor.callLater(seconds, async () => {
      if (this.#state === 'stopping') return;
      try {
        await this.start();
      } catch {
        this.#startIn(RESTART_SECONDS);
      }
    });
  }
}

async function supervise(count: number): Promise<void> {
  const reactor = createReactor();
  const supervisor = new Supervisor(reactor);
  reactor.addSystemEventTrigger('before', 'shutdown', () => supervisor.stop());
  reactor.callWhenRunning(async () => {
    try {
      await Promise.all(Array.from({ length: count }, () => supervisor.start()));
      console.log(`${String(count)} workers listen`);
    } catch (error) {
      console.error(error);
      process.exitCode = 1;
      reactor.stop();
    }
  });
  process.on('SIGUSR2', () => {
    supervisor.replaceAll().catch(console.error);
  });
  await reactor.run();
}

export async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '21213' },
      workers: { type: 'string', default: String(availableParallelism()) },
      'reuse-port': { type: 'boolean', default: false },
    },
  });
  if (cluster.isPrimary) await supervise(Number(values.workers));
  else await work(Number(values.port), { reusePort: values['reuse-port'] });
}

if (isMain(import.meta)) await main();
