/** Reactors in workers of `node:cluster`: the primary is the process of this test. */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Bundle } from '../support/bundle.ts';
import type { Command, Commands } from './cluster-worker.ts';
import { until } from './harness.ts';

interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly name: string; readonly cause?: unknown };
}

/** A worker, as the primary sees it. */
class RemoteReactor {
  readonly worker: Worker = cluster.fork();
  #callCount = 0;

  static async start(): Promise<RemoteReactor> {
    const reactor = new RemoteReactor();
    await once(reactor.worker, 'message');
    return reactor;
  }

  get name(): string {
    return `worker ${String(this.worker.id)}\n`;
  }

  async call<C extends keyof Commands>(
    command: C,
    ...args: Parameters<Commands[C]>
  ): Promise<Awaited<ReturnType<Commands[C]>>> {
    const id = (this.#callCount += 1);
    this.worker.send({ id, command, args } satisfies Command);
    const { value, error } = await this.#reply(id);
    if (error !== undefined) throw Object.assign(new Error(error.name), error);
    return value as Awaited<ReturnType<Commands[C]>>; // of the method that was called
  }

  /** Fails by the time-out of the test if the worker has ended. */
  async #reply(id: number): Promise<Reply> {
    for (;;) {
      // The event has two arguments, the message and a handle.
      const [message] = (await once(this.worker, 'message')) as [Reply | string];
      if (typeof message === 'object' && message.id === id) return message;
    }
  }
}

/** A client that has been told who serves it. */
class Client {
  readonly socket: Socket;
  text = '';
  closed = false;

  private constructor(where: number | string) {
    this.socket = typeof where === 'number' ? connect(where, '127.0.0.1') : connect(where);
    this.socket.setEncoding('utf8');
    this.socket.on('data', (data: string) => (this.text += data));
    this.socket.on('error', () => {});
    this.socket.on('close', () => (this.closed = true));
  }

  static async connect(where: number | string): Promise<Client> {
    const client = new Client(where);
    await until(() => client.text.includes('\n') || client.closed);
    return client;
  }

  /** Its server, or what else became of it. */
  static async serverAt(where: number | string): Promise<string> {
    const client = await Client.connect(where);
    client.socket.destroy();
    return client.text;
  }

  async echo(text: string): Promise<boolean> {
    this.text = '';
    this.socket.write(text);
    await until(() => this.text === text || this.closed);
    return !this.closed;
  }
}

describe('In a worker of node:cluster', function () {
  this.timeout(20_000); // Processes have to start.
  let program: Bundle;
  let folder: string;
  let one: RemoteReactor;
  let other: RemoteReactor;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ropewalk-'));
    program = new Bundle('test/node/cluster-worker.ts');
    cluster.schedulingPolicy = cluster.SCHED_RR; // In turn, so that few connections show who listens.
    cluster.setupPrimary({ exec: program.path, args: [], execArgv: [] });
    [one, other] = await Promise.all([RemoteReactor.start(), RemoteReactor.start()]);
  });

  after(async () => {
    const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
    const exits = workers.map((worker) => once(worker, 'exit'));
    for (const worker of workers) worker.process.kill('SIGKILL');
    await Promise.all(exits);
    program[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });

  const both = (): string[] => [one.name, other.name];
  /** Who serves so many connections in a row. */
  async function servers(where: number | string, count = 4): Promise<Set<string>> {
    const seen = new Set<string>();
    for (let index = 0; index < count; index += 1) seen.add(await Client.serverAt(where));
    return seen;
  }

  it('a port is shared, port 0 too, and goes on when one of the workers stops listening', async () => {
    const { index, port } = await one.call('listenTCP', 0, {});
    const there = await other.call('listenTCP', 0, {});
    expect(there.port).to.equal(port);
    expect(await servers(port)).to.have.keys(...both());

    await one.call('stopListening', index);
    expect(await servers(port)).to.have.keys(other.name);
    await one.call('listenAgain', index);
    await one.call('stopListening', index);
    await other.call('stopListening', there.index);
    expect(await servers(port, 1)).to.have.keys('');
  });

  it('a connection is taken over as in any other process', async () => {
    const result = one.call('takesOver', 0);
    const listening = once(cluster, 'listening');
    await once(one.worker, 'message');
    // The event has two arguments, the worker and where it listens.
    const [, { port }] = (await listening) as [Worker, { readonly port: number }];
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    expect(await result).to.equal(true);
    socket.destroy();
  });

  it('a taken port is refused with CannotListenError, and stopping while binding leaves nothing behind', async () => {
    const server = createServer().listen(0);
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const error = await one.call('listenTCP', port, {}).catch((thrown: unknown) => thrown);
    expect(error).to.have.property('name', 'CannotListenError');
    expect(error).to.have.nested.property('cause.code', 'EADDRINUSE');
    server.close();
    await once(server, 'close');
    await one.call('stopWhileBinding', port);
    await one.call('connectionCount'); // The primary has answered the worker by then.
    expect(await servers(port, 1)).to.have.keys('');
  });

  it('an exclusive port is its own', async () => {
    const { port } = await one.call('listenTCP', 0, { exclusive: true });
    expect((await other.call('listenTCP', 0, { exclusive: true })).port).not.to.equal(port);
    const error = await other.call('listenTCP', port, { exclusive: true }).catch((thrown: unknown) => thrown);
    expect(error).to.have.nested.property('cause.code', 'EADDRINUSE');
    expect(await servers(port)).to.have.keys(one.name);
  });

  it('a UNIX socket is shared, and is there while somebody listens', async function () {
    if (process.platform === 'win32') this.skip();
    const path = join(folder, 'shared');
    const here = await one.call('listenUNIX', path, {});
    const there = await other.call('listenUNIX', path, {});
    expect(await servers(path)).to.have.keys(...both());
    await one.call('stopListening', here.index);
    expect(existsSync(path)).to.equal(true);
    expect(await servers(path)).to.have.keys(other.name);
    await other.call('stopListening', there.index);
    await until(() => !existsSync(path)); // It is the primary that removes it.
  });

  it('a UNIX socket with a lock is one worker’s', async function () {
    if (process.platform === 'win32') this.skip();
    const path = join(folder, 'locked');
    const { index } = await one.call('listenUNIX', path, { lockFile: true });
    const error = await other.call('listenUNIX', path, { lockFile: true }).catch((thrown: unknown) => thrown);
    expect(error).to.have.nested.property('cause.code', 'EADDRINUSE');
    expect(await servers(path)).to.have.keys(one.name);
    await one.call('stopListening', index);
    expect(existsSync(path)).to.equal(false);
  });

  it('connections outlive disconnect(), which closes the ports, until the reactor stops', async () => {
    const leaving = await RemoteReactor.start();
    const { port } = await leaving.call('listenTCP', 0, {});
    const client = await Client.connect(port);
    leaving.worker.disconnect();
    await once(leaving.worker, 'disconnect');
    expect(await servers(port, 1)).to.have.keys('');
    expect(await client.echo('still there?')).to.equal(true);
    const exit = once(leaving.worker, 'exit');
    leaving.worker.process.kill('SIGTERM');
    expect(await exit).to.deep.equal([0, null]);
    await until(() => client.closed);
  });

  it('the process ends when its reactor has stopped and it has disconnected', async () => {
    const exit = once(other.worker, 'exit');
    await other.call('stop');
    expect(await exit).to.deep.equal([0, null]);
  });
});
