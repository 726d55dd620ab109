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
