/** Thousands of connections at a time, their clients in a process of their own, as they would be. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { createReactor, Echo, Factory } from 'ropewalk';
import { repetitions } from '../support/repetitions.ts';
import { until } from './harness.ts';

const CONNECTION_COUNT = repetitions({ usually: 500, thoroughly: 5000 });
const TIMEOUT_MILLISECONDS = 60_000;

/** What a process has open besides. */
const SPARE_DESCRIPTORS = 200;

/** Fewer at a time than the backlog, so that none has to ask twice. */
const BATCH_SIZE = 250;

/** Connects all its clients, says so, has each speak and be answered, says so, and ends them when it is told to. */
const CLIENTS = `
  const { connect } = require('node:net');
  const { once } = require('node:events');
  const [port, count, batchSize] = process.argv.slice(1).map(Number);
  const sockets = [];

  const answer = (socket, text) => new Promise((resolve) => {
    let heard = '';
    socket.on('data', (data) => {
      heard += data;
      if (heard === text) resolve();
      else if (!text.startsWith(heard)) throw new Error('an answer to somebody else: ' + heard);
    });
  });

  async function main() {
    while (sockets.length < count) {
      const batch = Array.from({ length: Math.min(batchSize, count - sockets.length) }, () => connect(port, '127.0.0.1'));
      await Promise.all(batch.map((socket) => once(socket, 'connect')));
      sockets.push(...batch);
    }
    console.log('connected');
    await once(process.stdin, 'data');
    const answers = sockets.map((socket, index) => answer(socket, 'I am number ' + index));
    sockets.forEach((socket, index) => socket.write('I am number ' + index));
    await Promise.all(answers);
    console.log('answered');
    await once(process.stdin, 'data');
    for (const socket of sockets) socket.end();
    await Promise.all(sockets.map((socket) => once(socket, 'close')));
    console.log('closed');
    process.exit(0);
  }
  void main();
`;

function descriptorsMax(): number {
  const limit = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  return limit === 'unlimited' ? Infinity : Number(limit);
}

describe(`${CONNECTION_COUNT} connections at a time`, () => {
  it('are all served, and none is left when they have ended and the reactor has drained', async function () {
    this.timeout(TIMEOUT_MILLISECONDS);
    if (process.platform === 'win32' || descriptorsMax() < CONNECTION_COUNT + SPARE_DESCRIPTORS) {
      if (this.test) this.test.title += ' (skipped: a process may not have so many descriptors)';
      this.skip();
    }
    let madeCount = 0;
    const reactor = createReactor({ observer: { connectionMade: () => (madeCount += 1) } });
    const run = reactor.run({ installSignalHandlers: false });
    const options = { interface: '127.0.0.1', backlog: 511 };
    const port = await reactor.listenTCP(0, Factory.forProtocol(Echo), options).whenListening();
    const { port: number } = port.getHost() as { readonly port: number };
    const args = ['-e', CLIENTS, String(number), String(CONNECTION_COUNT), String(BATCH_SIZE)];
    const clients = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      const says = listenTo(clients);
      await says('connected');
      await until(() => madeCount === CONNECTION_COUNT);
      clients.stdin.write('speak\n');
      await says('answered');
      expect(reactor.inspect().connections).to.have.length(CONNECTION_COUNT);

      reactor.stop({ drainSeconds: 30 });
      await port.stopListening(); // the drain asks for the same
      expect(reactor.inspect().connections).to.have.length(CONNECTION_COUNT);
      clients.stdin.write('end\n');
      await says('closed');
      await run;
      const { queuedCallCount, ...alive } = reactor.inspect();
      expect(queuedCallCount).to.equal(0);
      expect(Object.values(alive).flat()).to.deep.equal([]);
    } finally {
      if (clients.exitCode === null) {
        clients.kill('SIGKILL');
        await once(clients, 'exit');
      }
    }
  });
});

/** Waits for a line; fails if the process ends without it. */
function listenTo(child: ChildProcess): (line: string) => Promise<void> {
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  return async (line) => {
    await until(() => output.includes(`${line}\n`) || child.exitCode !== null);
    expect(output).to.contain(line);
  };
}
