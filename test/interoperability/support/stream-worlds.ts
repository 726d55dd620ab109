import { setImmediate as nextPass } from 'node:timers/promises';
import { type ProtocolFactory, type Reactor, type StreamClientEndpoint, TCP4ClientEndpoint } from 'ropewalk';
import { TestReactor } from 'ropewalk/testing';
import { LOOPBACK, RunningReactor } from './running-reactor.ts';

const PATIENCE_MILLISECONDS = 4000;

/** Where the libraries of others run over transports of ours: on real sockets, and in a test reactor. */
export interface StreamWorld {
  readonly reactor: Reactor;
  /** Listens on a free port, and says how to reach it. */
  listen(factory: ProtocolFactory): Promise<StreamClientEndpoint>;
  /** Lets the world go on until the promise is settled. */
  until<T>(promise: PromiseLike<T>): Promise<T>;
  /** Fails if anything is left but ports, or was reported. */
  close(): Promise<void>;
}

/** A reactor on the loopback. */
export class RealWorld implements StreamWorld {
  readonly #running = new RunningReactor();

  get reactor(): Reactor {
    return this.#running.reactor;
  }

  async listen(factory: ProtocolFactory): Promise<StreamClientEndpoint> {
    const port = await this.reactor.listenTCP(0, factory, { interface: LOOPBACK }).whenListening();
    const address = port.getHost();
    if (address.family !== 'IPv4') throw new Error(`not an address of the loopback: ${String(address)}`);
    return new TCP4ClientEndpoint(this.reactor, LOOPBACK, address.port);
  }

  async until<T>(promise: PromiseLike<T>): Promise<T> {
    return promise;
  }

  async close(): Promise<void> {
    await waitFor(() => this.reactor.inspect().connections.length === 0, 'all connections are over');
    await this.#running.end();
  }
}

/** A test reactor. What libraries do in their own time, Node's, has it, while the clock of the world stands still. */
export class VirtualWorld implements StreamWorld {
  readonly reactor = new TestReactor();
  #port = 7000;

  async listen(factory: ProtocolFactory): Promise<StreamClientEndpoint> {
    this.#port += 1;
    this.reactor.listenTCP(this.#port, factory);
    await this.reactor.advanceAsync(0);
    return new TCP4ClientEndpoint(this.reactor, LOOPBACK, this.#port);
  }

  async until<T>(promise: PromiseLike<T>): Promise<T> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    await this.#go(() => isSettled, 'what a test waits for');
    return promise;
  }

  async close(): Promise<void> {
    await this.#go(() => this.reactor.inspect().connections.length === 0, 'all connections are over');
    this.reactor.stop();
    await this.reactor.advanceAsync(0);
    this.reactor.assertClean();
  }

  #go(condition: () => boolean, what: string): Promise<void> {
    return waitFor(condition, what, () => this.reactor.advanceAsync(0));
  }
}

/** Declares the same tests for both worlds; each test has a world of its own. */
export function describeInWorlds(title: string, declare: (world: () => StreamWorld) => void): void {
  for (const [where, World] of [
    ['on TCP', RealWorld],
    ['on the virtual network', VirtualWorld],
  ] as const) {
    describe(`${title} ${where}`, () => {
      let current: StreamWorld | undefined;
      beforeEach(() => {
        current = new World();
      });
      afterEach(async () => {
        const world = current;
        current = undefined;
        await world?.close();
      });
      declare(() => {
        if (current === undefined) throw new Error('There is a world only while a test runs');
        return current;
      });
    });
  }
}

async function waitFor(condition: () => boolean, what: string, goOn?: () => Promise<void>): Promise<void> {
  const end = performance.now() + PATIENCE_MILLISECONDS;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`It never came to pass that ${what}`);
    await goOn?.();
    await nextPass();
  }
}
