import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { createReactor, type ListeningPort, UnsupportedError } from 'ropewalk';
import { TestReactor } from 'ropewalk/testing';
import { Child } from '../test/interoperability/support/child.ts';
import { Bundle } from '../test/support/bundle.ts';
import { AnswerFactory } from './cluster.ts';
import { CLIENT_COUNT, RequestLoad } from './support/request-load.ts';

const WORKER_COUNT = 2;

/** Several processes have to start, on a machine that may have other things to do. */
const TIMEOUT_MILLISECONDS = 60_000;

/** The example, run as a program with workers of its own. */
class Cluster {
  readonly primary: Child;
  /** The numbers of the workers' processes that have listened and have not ended. */
  readonly workers = new Set<number>();
  port = 0;

  constructor(program: string, args: readonly string[]) {
    this.primary = Child.start(process.execPath, [program, ...args]);
  }

  static async start(program: Bundle, ...args: readonly string[]): Promise<Cluster> {
    const workers = `--workers=${String(WORKER_COUNT)}`;
    const cluster = new Cluster(program.path, [workers, ...args]);
    for (let count = 0; count < WORKER_COUNT; count += 1) await cluster.workerListens();
    return cluster;
  }

  async workerListens(): Promise<number> {
    const [, pid, port] = await this.primary.line(/^worker (\d+) listens on .*port=(\d+)/);
    this.workers.add(Number(pid));
    this.port = Number(port);
    return Number(pid);
  }

  async workerEnds(): Promise<{ readonly pid: number; readonly how: string }> {
    const [, pid, how = ''] = await this.primary.line(/^worker (\d+) has ended: (.*)/);
    this.workers.delete(Number(pid));
    return { pid: Number(pid), how };
  }
}

/** Connects, and says nothing yet. */
async function hold(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  return socket;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Waits until none of the processes is there any more. */
async function gone(pids: readonly number[]): Promise<void> {
  while (pids.some(isAlive)) await new Promise((resolve) => setImmediate(resolve));
}

describe('the cluster', function () {
  this.timeout(TIMEOUT_MILLISECONDS);
  let program: Bundle;

  before(() => {
    program = new Bundle('examples/cluster.ts');
  });

  after(() => program[Symbol.dispose]());

  describe('a worker', () => {
    it('answers one line, however it comes, and closes', () => {
      const reactor = new TestReactor();
      const port = reactor.listenTCP(21213, new AnswerFactory('worker'));
      const peer = reactor.dial(21213);
      for (const part of ['hel', 'lo\r', '\nsecond\n']) {
        peer.send(part);
        reactor.advance(0);
      }
      expect(peer.text()).to.equal('worker hello\r\n');
      expect(peer.closed).to.equal(true);
      void port.stopListening();
      reactor.advance(0);
      reactor.assertClean();
    });
  });

  describe('on one port of the primary', () => {
    let cluster: Cluster;

    before(async () => {
      cluster = await Cluster.start(program, '--port=0');
    });

    after(() => cluster.primary.kill());

    it('serves with all workers', async () => {
      const load = new RequestLoad(cluster.port, 2000);
      await load.ended();
      expect(load.failures).to.deep.equal([]);
      expect(load.answeredCount).to.equal(2000);
      expect([...load.answered.keys()].map(Number)).to.have.members([...cluster.workers]);
      for (const count of load.answered.values()) expect(count).to.be.greaterThan(500);
    });

    it('loses no request while all workers are replaced', async () => {
      const before = [...cluster.workers];
      const load = new RequestLoad(cluster.port);
      cluster.primary.signal('SIGUSR2');
      for (let count = 0; count < WORKER_COUNT; count += 1) {
        await cluster.workerListens();
        expect(await cluster.workerEnds()).to.have.property('how', 'status 0');
      }
      await cluster.primary.line(/^all workers have been replaced/);
      await load.stop();
      expect(load.failures).to.deep.equal([]);
      expect(load.answeredCount).to.be.greaterThan(100);
      expect([...cluster.workers])
        .to.have.length(WORKER_COUNT)
        .and.not.include.members(before);
      expect([...load.answered.keys()].map(Number)).to.include.members(before);
    });

    it('replaces a worker that is killed under load, and the others go on', async () => {
      const load = new RequestLoad(cluster.port);
      const [victim = 0, survivor = 0] = cluster.workers;
      process.kill(victim, 'SIGKILL');
      expect(await cluster.workerEnds()).to.deep.equal({ pid: victim, how: 'SIGKILL' });
      const successor = await cluster.workerListens();
      // What was under way in the victim is reset, and what was on its way there from the primary gets no answer.
      await load.abandon();
      expect(load.failures.length).to.be.at.most(2 * CLIENT_COUNT);
      expect([...load.answered.keys()].map(Number)).to.include(survivor);

      const after = new RequestLoad(cluster.port, 500);
      await after.ended();
      expect(after.failures).to.deep.equal([]);
      expect([...after.answered.keys()].map(Number)).to.have.members([survivor, successor]);
    });

    it('at SIGTERM answers what has connected, and ends', async () => {
      const socket = await hold(cluster.port);
      cluster.primary.signal('SIGTERM');
      // The worker that has no connection ends at once, the other when it has answered.
      await cluster.workerEnds();
      let answer = '';
      socket.on('data', (data) => (answer += data.toString()));
      socket.write('still there?\n');
      await once(socket, 'close');
      expect(answer).to.match(/^\d+ still there\?\r\n$/);
      expect(await cluster.primary.ended()).to.equal(0);
    });
  });

  it('ends at once, workers too, at the second SIGINT', async () => {
    const cluster = await Cluster.start(program, '--port=0');
    try {
      const workers = [...cluster.workers];
      const sockets = [await hold(cluster.port), await hold(cluster.port)];
      const closed = sockets.map((socket) => once(socket.on('error', () => {}).resume(), 'close'));
      cluster.primary.signal('SIGINT');
      await cluster.primary.line(/^stopping/);
      expect(workers.map(isAlive)).to.deep.equal([true, true]);
      cluster.primary.signal('SIGINT');
      expect(await cluster.primary.ended()).to.equal(130);
      await Promise.all(closed);
      await gone(workers);
    } finally {
      await cluster.primary.kill();
    }
  });

  describe('with a socket for each worker', () => {
    const reactor = createReactor();
    let port: ListeningPort;

    before(async function () {
      try {
        port = reactor.listenTCP(0, new AnswerFactory('nobody'), { reusePort: true });
      } catch (error) {
        if (!(error instanceof UnsupportedError)) throw error;
        this.test?.parent?.eachTest((test) => (test.title += ` (skipped: ${error.message})`));
        this.skip();
      }
      await port.whenListening();
    });

    it('serves with all workers', async () => {
      // The port is shared with the workers while they start, so that nobody else can have it.
      const number = (port.getHost() as { readonly port?: number }).port;
      const cluster = await Cluster.start(program, '--reuse-port', `--port=${String(number)}`);
      try {
        await port.stopListening();
        const load = new RequestLoad(cluster.port, 2000);
        await load.ended();
        expect(load.failures).to.deep.equal([]);
        expect([...load.answered.keys()].map(Number)).to.have.members([...cluster.workers]);
        cluster.primary.signal('SIGTERM');
        expect(await cluster.primary.ended()).to.equal(0);
      } finally {
        await cluster.primary.kill();
      }
    });
  });
});
