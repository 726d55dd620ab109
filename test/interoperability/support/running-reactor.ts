import {
  connectProtocol,
  createReactor,
  Factory,
  type Protocol,
  type Reactor,
  TCP4ClientEndpoint,
  TCP4ServerEndpoint,
} from 'ropewalk';

export const LOOPBACK = '127.0.0.1';

/** A reactor on real sockets that runs, and what it has had to report. */
export class RunningReactor {
  readonly problems: unknown[] = [];
  readonly reactor: Reactor;
  readonly #finished: Promise<void>;

  constructor() {
    const ignore = (): void => {};
    const report = (fields: object, message: string): void => void this.problems.push(message, fields);
    this.reactor = createReactor({ logger: { debug: ignore, info: ignore, warn: report, error: report } });
    this.#finished = this.reactor.run({ installSignalHandlers: false });
  }

  /** Connects the protocol with a port of this machine, and waits until it is. */
  async connect<P extends Protocol>(port: number, protocol: P): Promise<P> {
    return connectProtocol(new TCP4ClientEndpoint(this.reactor, LOOPBACK, port), protocol);
  }

  /** Serves a protocol for each connection on a port that the system chooses. */
  async serve(build: () => Protocol): Promise<number> {
    const endpoint = new TCP4ServerEndpoint(this.reactor, 0, { interface: LOOPBACK });
    const port = await endpoint.listen(new BuildingFactory(build));
    const host = port.getHost();
    if (!('port' in host)) throw new Error(`no port in ${String(host)}`);
    return host.port;
  }

  /** Ends it with all its connections. Throws if it had something to report, or is left with something. */
  async end(): Promise<void> {
    this.reactor.stop();
    await this.#finished;
    const { connections, connectors, ports } = this.reactor.inspect();
    const left = [...connections, ...connectors, ...ports].map(String);
    if (left.length > 0) throw new Error(`left on the reactor: ${left.join(', ')}`);
    if (this.problems.length > 0) throw new Error('the reactor had problems to report', { cause: this.problems });
  }
}

class BuildingFactory extends Factory {
  readonly #build: () => Protocol;

  constructor(build: () => Protocol) {
    super();
    this.#build = build;
  }

  override buildProtocol(): Protocol {
    return this.#build();
  }
}

/** Gives each test of a suite a running reactor, ended with it. */
export function useReactor(): () => RunningReactor {
  let running: RunningReactor | undefined;
  beforeEach(() => {
    running = new RunningReactor();
  });
  afterEach(async () => {
    await running?.end();
    running = undefined;
  });
  return () => {
    if (running === undefined) throw new Error('There is a reactor only while a test runs');
    return running;
  };
}
