/**
 * The program of the workers in cluster.test.ts: a reactor that does what it is told by messages, `{ id, command, args }`, and
 * answers each with `{ id, value }` or `{ id, error }`.
 */
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import {
  type Address,
  createReactor,
  Factory,
  type ListeningPort,
  type ListenTCPOptions,
  type ListenUNIXOptions,
  Protocol,
  type Reactor,
} from 'ropewalk';
import { ReadSlabs, SlabSource } from '../../src/node/read-slabs.ts';
import { takeOver } from '../../src/node/socket-takeover.ts';

/** Says which worker it is, then echoes. */
class Greeter extends Protocol {
  override connectionMade(): void {
    this.transport.write(`worker ${String(cluster.worker?.id)}\n`);
  }
  override dataReceived(data: Buffer): void {
    this.transport.write(data);
  }
}

/** A port of a worker's reactor. */
interface Listening {
  /** What the worker calls it by. */
  readonly index: number;
  readonly port: number;
}

export class Commands {
  readonly #reactor: Reactor = createReactor();
  readonly #ports: ListeningPort[] = [];

  constructor() {
    void this.#reactor.run().then(() => cluster.worker?.disconnect());
  }

  listenTCP(port: number, options: ListenTCPOptions): Promise<Listening> {
    return this.#listening(this.#reactor.listenTCP(port, Factory.forProtocol(Greeter), options));
  }

  listenUNIX(path: string, options: ListenUNIXOptions): Promise<Listening> {
    return this.#listening(this.#reactor.listenUNIX(path, Factory.forProtocol(Greeter), options));
  }

  async stopListening(index: number): Promise<void> {
    await this.#ports[index]?.stopListening();
  }

  async listenAgain(index: number): Promise<void> {
    this.#ports[index]?.startListening();
    await this.#ports[index]?.whenListening();
  }

  /** Stops a port while the primary is still asked for it. */
  async stopWhileBinding(port: number): Promise<void> {
    await this.#reactor.listenTCP(port, Factory.forProtocol(Greeter)).stopListening();
  }

  connectionCount(): number {
    return this.#reactor.inspect().connections.length;
  }

  /** Whether a connection that the primary has handed over can be read into a buffer of ours. */
  async takesOver(port: number): Promise<boolean> {
    const server = createServer({ pauseOnConnect: true }).listen(port, '127.0.0.1');
    await once(server, 'listening');
    process.send?.('ready');
    // The event has one argument, the socket.
    const [accepted] = (await once(server, 'connection')) as [Socket];
    const source = new SlabSource(new ReadSlabs());
    const socket = takeOver(accepted, source);
    socket.destroy();
    server.close();
    return source.asked && socket !== accepted;
  }

  stop(): void {
    this.#reactor.stop();
  }

  async #listening(port: ListeningPort): Promise<Listening> {
    const index = this.#ports.push(port) - 1;
    return { index, port: portOf((await port.whenListening()).getHost()) };
  }
}

function portOf(address: Address): number {
  return address.family === 'UNIX' ? 0 : address.port;
}

function describeError(error: unknown): { readonly name: string; readonly cause: unknown } {
  return error instanceof Error ? { name: error.name, cause: error.cause } : { name: String(error), cause: undefined };
}

/** One command: the name of a method, and what it is called with. */
export interface Command {
  readonly id: number;
  readonly command: keyof Commands;
  readonly args: readonly unknown[];
}

const commands = new Commands();

process.on('message', ({ id, command, args }: Command) => {
  // The test is trusted to give the arguments that the method takes; the types are checked there.
  const method = commands[command].bind(commands) as (...given: readonly unknown[]) => unknown;
  const call = async (): Promise<unknown> => await method(...args);
  void call().then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, error: describeError(error) }),
  );
});

// What comes before there is a listener is lost on Node 20.
process.send?.('ready');
