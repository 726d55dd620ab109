import {
  ClientFactory,
  type Connector,
  connectProtocol,
  createReactor,
  type CreateReactorOptions,
  Factory,
  type Failure,
  type ListeningPort,
  type ListenTLSOptions,
  type Protocol,
  type Reactor,
  TCP4ClientEndpoint,
  TCP4ServerEndpoint,
  type TLSOptions,
  type TLSSource,
} from 'ropewalk';
import { Changes } from './changes.ts';

export const LOOPBACK = '127.0.0.1';

/** What a reactor had to report. */
export interface Problem {
  readonly message: string;
  readonly error: unknown;
}

/** A reactor on real sockets that runs, and what it has had to report. */
export class RunningReactor {
  readonly problems: Problem[] = [];
  readonly reactor: Reactor;
  readonly #finished: Promise<void>;
  readonly #changes = new Changes();

  constructor(options: CreateReactorOptions = {}) {
    const ignore = (): void => {};
    const report = (fields: { err?: unknown }, message: string): void => {
      this.problems.push({ message, error: fields.err });
      this.#changes.happened();
    };
    this.reactor = createReactor({ ...options, logger: { debug: ignore, info: ignore, warn: report, error: report } });
    this.#finished = this.reactor.run({ installSignalHandlers: false });
  }

  /** Waits until there is something to report, which is then no problem any more. */
  problem(): Promise<Problem> {
    return this.#changes.first(() => this.problems.shift());
  }

  /** Connects the protocol with a port of this machine, and waits until it is. */
  async connect<P extends Protocol>(port: number, protocol: P): Promise<P> {
    return connectProtocol(new TCP4ClientEndpoint(this.reactor, LOOPBACK, port), protocol);
  }

  /** Serves a protocol for each connection on a port that the system chooses. */
  async serve(build: () => Protocol): Promise<number> {
    const endpoint = new TCP4ServerEndpoint(this.reactor, 0, { interface: LOOPBACK });
    return portOf(await endpoint.listen(new BuildingFactory(build)));
  }

  /** As `connect`, with TLS; rejects with what `clientConnectionFailed` is told. */
  connectTLS<P extends Protocol>(port: number, protocol: P, tls: TLSOptions): Promise<P> {
    return new Promise((resolve, reject) => {
      this.reactor.connectTLS(LOOPBACK, port, new OneProtocol(protocol, resolve, reject), tls);
    });
  }

  /** As `serve`, with TLS. */
  async serveTLS(build: () => Protocol, tls: TLSSource, options: ListenTLSOptions = {}): Promise<number> {
    const factory = new BuildingFactory(build);
    return portOf(await this.reactor.listenTLS(0, factory, tls, { ...options, interface: LOOPBACK }).whenListening());
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

function portOf(listening: ListeningPort): number {
  const host = listening.getHost();
  if (!('port' in host)) throw new Error(`no port in ${String(host)}`);
  return host.port;
}

/** Resolves when its protocol has its connection. */
class OneProtocol<P extends Protocol> extends ClientFactory {
  readonly #protocol: P;
  readonly #made: (protocol: P) => void;
  readonly #failed: (reason: Error) => void;

  constructor(protocol: P, made: (protocol: P) => void, failed: (reason: Error) => void) {
    super();
    this.#protocol = protocol;
    this.#made = made;
    this.#failed = failed;
  }

  override buildProtocol(): P {
    this.#made(this.#protocol);
    return this.#protocol;
  }

  override clientConnectionFailed(connector: Connector, reason: Failure): void {
    this.#failed(reason.value);
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
export function useReactor(optionsOf: () => CreateReactorOptions = () => ({})): () => RunningReactor {
  let running: RunningReactor | undefined;
  beforeEach(() => {
    running = new RunningReactor(optionsOf());
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
