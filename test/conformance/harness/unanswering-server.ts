import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { type Address, IPv4Address } from 'ropewalk/core';
import type { Peer } from '../harness.ts';
import type { RawServer } from './node-kind.ts';

/** As small a queue of unaccepted connections as can be asked for; Linux then takes one more than that. */
const BACKLOG = 1;
const QUEUED_CONNECTIONS = BACKLOG + 1;

/** Listens, says where, and accepts nothing: it sleeps until it is told to end. */
const SLEEPING_SERVER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ host: '127.0.0.1', port: 0, backlog: ${BACKLOG} }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(workerData, 0, 0);
    process.exit();
  });
`;

/**
 * A port of the loopback where attempts to connect get no answer: its queue is full and nobody accepts, so Linux drops
 * what asks for more.
 */
export class UnansweringServer implements RawServer {
  readonly destination: Address;
  readonly peers: readonly [] = [];
  readonly #worker: Worker;
  readonly #wakeUp: Int32Array;
  readonly #queued: readonly Socket[];

  private constructor(port: number, worker: Worker, wakeUp: Int32Array, queued: readonly Socket[]) {
    this.destination = new IPv4Address('TCP', '127.0.0.1', port);
    this.#worker = worker;
    this.#wakeUp = wakeUp;
    this.#queued = queued;
  }

  static async listen(): Promise<UnansweringServer> {
    const wakeUp = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const worker = new Worker(SLEEPING_SERVER, { eval: true, workerData: wakeUp, execArgv: [] });
    const [port] = (await once(worker, 'message')) as [number]; // the one message it sends
    const queued: Socket[] = [];
    while (queued.length < QUEUED_CONNECTIONS) {
      const socket = connect(port, '127.0.0.1');
      queued.push(socket);
      await once(socket, 'connect');
      socket.on('error', () => {}); // the reset when the server ends
    }
    return new UnansweringServer(port, worker, wakeUp, queued);
  }

  accept(): Promise<Peer> {
    return Promise.reject(new Error('This server accepts nothing'));
  }

  async stop(): Promise<void> {
    if (this.#worker.threadId === -1) return; // it has ended
    for (const socket of this.#queued) socket.destroy();
    const exited = once(this.#worker, 'exit');
    Atomics.store(this.#wakeUp, 0, 1);
    Atomics.notify(this.#wakeUp, 0);
    await exited;
  }
}
