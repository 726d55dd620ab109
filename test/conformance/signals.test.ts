/** What signals do to a whole program; needs a process of its own, so Node only. */
import { expect } from 'chai';
import { runChild } from '../node/harness.ts';

/** A program whose reactor says when it runs. */
const PROGRAM = `
  import { createReactor } from 'ropewalk';
  const reactor = createReactor();
  reactor.callWhenRunning(() => console.log('ready'));
  reactor.addSystemEventTrigger('before', 'shutdown', () => console.log('shutting down'));
`;

/** One with a connection to itself, whose server says when it is made, and when it is to drain. */
const CONNECTED_PROGRAM = `
  import { ClientFactory, createReactor, Factory, Protocol } from 'ropewalk';
  const reactor = createReactor();
  const say = () => console.log('ready');
  const whenConnected = say;
  class Server extends Protocol {
    connectionMade() { whenConnected(); }
    connectionDraining() { console.log('ready to drain'); }
  }
  reactor.addSystemEventTrigger('before', 'shutdown', () => console.log('shutting down'));
  const port = reactor.listenTCP(0, Factory.forProtocol(Server), { interface: '127.0.0.1' });
  port.whenListening().addCallback(() => {
    reactor.connectTCP('127.0.0.1', port.getHost().port, ClientFactory.forProtocol(Protocol));
  });
`;

/** What is added to a program that sends itself signals, of which it hears when it is no longer busy. */
const BUSY_PROGRAM = `
  reactor.callLater(0, () => {
    for (let count = 0; count < TIMES; count += 1) process.kill(process.pid, 'SIGTERM');
    const end = performance.now() + 50;
    while (performance.now() < end);
    console.log('no longer busy');
  });
`;

describe('A program with a reactor', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`shuts down in order at the first ${signal}, and ends with status 0 [14]`, async () => {
      const { status, stdout, stderr } = await runChild(
        `${PROGRAM}
        await reactor.run();
        console.log('ended by', reactor.exitSignal);`,
        { signal },
      );
      expect(stderr).to.equal('');
      expect(stdout).to.equal(`ready\nshutting down\nended by ${signal}\n`);
      expect(status).to.equal(0);
    });
  }

  it('ends at once at the second, with 128 and its number', async () => {
    const { status, stdout } = await runChild(
      `${PROGRAM}
      reactor.addSystemEventTrigger('before', 'shutdown', () => {
        console.log('not ready to end');
        return new Promise(() => {});
      });
      await reactor.run();
      console.log('never');`,
      // The child is sent it at each 'ready'.
      { signal: 'SIGINT' },
    );
    expect(stdout).to.equal('ready\nshutting down\nnot ready to end\n');
    expect(status).to.equal(128 + 2);
  });

  it('ends at once at the second while connections drain', async () => {
    const { status, stdout } = await runChild(
      `${CONNECTED_PROGRAM}
      await reactor.run({ drainSeconds: 1000 });
      console.log('never');`,
      // The child is sent it at each 'ready'.
      { signal: 'SIGTERM' },
    );
    expect(stdout).to.equal('ready\nready to drain\nshutting down\n');
    expect(status).to.equal(128 + 15);
  });

  it('drains no longer than it would for a signal when one comes after stop()', async () => {
    const { status, stdout, stderr } = await runChild(
      `${CONNECTED_PROGRAM.replace('whenConnected = say', 'whenConnected = () => reactor.stop({ drainSeconds: 1000 })')}
      await reactor.run({ drainSeconds: 0.01 });
      console.log('ended by', reactor.exitSignal);`,
      { signal: 'SIGINT' },
    );
    expect(stderr).to.equal('');
    expect(stdout).to.equal('ready to drain\nshutting down\nended by SIGINT\n');
    expect(status).to.equal(0);
  });

  it('drains no longer either when it comes in the very turn of stop()', async () => {
    const { status, stdout } = await runChild(`
      ${CONNECTED_PROGRAM.replace(
        'whenConnected = say',
        `whenConnected = () => {
          reactor.stop({ drainSeconds: 1000 });
          process.emit('SIGTERM', 'SIGTERM');
        }`,
      )}
      await reactor.run();
      console.log('ended by', reactor.exitSignal);`);
    expect(stdout).to.equal('shutting down\nended by SIGTERM\n');
    expect(status).to.equal(0);
  });

  it('is stopped in order by a signal that comes while a call keeps it busy', async () => {
    const { status, stdout } = await runChild(`${PROGRAM}
      ${BUSY_PROGRAM.replace('TIMES', '1')}
      await reactor.run();
      console.log('ended by', reactor.exitSignal);`);
    expect(stdout).to.equal('ready\nno longer busy\nshutting down\nended by SIGTERM\n');
    expect(status).to.equal(0);
  });

  it('ends at once after that call if two have come', async () => {
    const { status, stdout } = await runChild(`${PROGRAM}
      ${BUSY_PROGRAM.replace('TIMES', '2')}
      await reactor.run();
      console.log('never');`);
    expect(stdout).to.equal('ready\nno longer busy\n');
    expect(status).to.equal(128 + 15);
  });

  it('is killed as any other while its reactor does not handle signals', async () => {
    const { status, stdout } = await runChild(
      `${PROGRAM}
      await reactor.run({ installSignalHandlers: false });`,
      { signal: 'SIGTERM' },
    );
    expect(stdout).to.equal('ready\n');
    expect(status).not.to.equal(0);
  });

  it('stays alive while its reactor runs, and ends by itself when that has stopped', async () => {
    const { status, stdout, stderr } = await runChild(`${PROGRAM}
      reactor.listenTCP(0, { doStart() {}, doStop() {}, buildProtocol: () => null }, { interface: '127.0.0.1' });
      setTimeout(() => reactor.stop(), 20).unref();
      void reactor.run().then(() => console.log('ended'));`);
    expect(stderr).to.equal('');
    expect(stdout).to.equal('ready\nshutting down\nended\n');
    expect(status).to.equal(0);
  });

  it('is warned if it ends while something waits for a reactor that never ran', async () => {
    const { status, stderr } = await runChild(`
      import { createReactor } from 'ropewalk';
      createReactor().callLater(1, function openTheGates() {});`);
    expect(stderr).to.contain('reactor.run() was not called').and.contain('openTheGates');
    expect(status).to.equal(0);
  });
});
