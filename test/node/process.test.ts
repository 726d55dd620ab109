import { expect } from 'chai';
import { NodeLiveness } from '../../src/node/liveness.ts';
import { NodeSignals } from '../../src/node/signals.ts';
import { runChild } from './harness.ts';

const WATCHED = ['SIGINT', 'SIGTERM'] as const;

describe('the signals of Node', () => {
  it('are listened to only while someone watches', () => {
    const counts = (): number[] => WATCHED.map((signal) => process.listenerCount(signal));
    const before = counts();
    const watch = new NodeSignals().watch(() => {});
    expect(counts()).to.deep.equal(before.map((count) => count + 1));
    watch[Symbol.dispose]();
    watch[Symbol.dispose]();
    expect(counts()).to.deep.equal(before);
  });

  it('are reported by name, to everyone who watches', () => {
    const seen: string[] = [];
    const watches = [1, 2].map((watcher) => new NodeSignals().watch((signal) => seen.push(`${watcher} ${signal}`)));
    process.emit('SIGTERM', 'SIGTERM');
    process.emit('SIGINT', 'SIGINT');
    for (const watch of watches) watch[Symbol.dispose]();
    expect(seen).to.deep.equal(['1 SIGTERM', '2 SIGTERM', '1 SIGINT', '2 SIGINT']);
  });

  it('may be watched by eleven reactors without a warning, and the limit is as before afterwards', async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error): number => warnings.push(warning);
    process.on('warning', warned);
    const limit = process.getMaxListeners();
    const watches = Array.from({ length: 11 }, () => new NodeSignals().watch(() => {}));
    const lives = Array.from({ length: 11 }, () => new NodeLiveness());
    for (const liveness of lives) liveness.warnBeforeExit(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    for (const watch of watches) watch[Symbol.dispose]();
    for (const liveness of lives) liveness.warnBeforeExit(undefined);
    process.off('warning', warned);
    expect(warnings).to.deep.equal([]);
    expect(process.getMaxListeners()).to.equal(limit);
  });

  it('leave a process that has no limit without one', () => {
    const limit = process.getMaxListeners();
    process.setMaxListeners(0);
    const watch = new NodeSignals().watch(() => {});
    expect(process.getMaxListeners()).to.equal(0);
    watch[Symbol.dispose]();
    expect(process.getMaxListeners()).to.equal(0);
    process.setMaxListeners(limit);
  });

  it('do not kill a program that watches, which may end as if they had', async () => {
    const { status, stdout } = await runChild(
      `
      platform.liveness.keepAlive(true);
      platform.signals.watch((signal) => {
        console.log(signal);
        platform.signals.exit(signal);
      });
      console.log('ready');`,
      { signal: 'SIGTERM' },
    );
    expect(stdout).to.equal('ready\nSIGTERM\n');
    expect(status).to.equal(128 + 15);
  });
});

describe('the liveness of Node', () => {
  it('holds one timer while it is asked to', () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const liveness = new NodeLiveness();
    liveness.keepAlive(false);
    liveness.keepAlive(true);
    liveness.keepAlive(true);
    expect(timers()).to.equal(before + 1);
    liveness.keepAlive(false);
    expect(timers()).to.equal(before);
  });

  it('prints the warning of a program that is about to end, the latest one only', async () => {
    const { status, stderr } = await runChild(`
      platform.liveness.warnBeforeExit(() => 'replaced');
      platform.liveness.warnBeforeExit(() => 'a reactor was never run');
      const taken = new NodePlatform();
      taken.liveness.warnBeforeExit(() => 'taken back');
      taken.liveness.warnBeforeExit(undefined);
      new NodePlatform().liveness.warnBeforeExit(() => undefined);
      process.once('beforeExit', () => setImmediate(() => {}));`);
    expect(stderr.match(/Warning: .*/g)).to.deep.equal(['Warning: a reactor was never run']);
    expect(stderr).to.include('RopewalkWarning');
    expect(status).to.equal(0);
  });
});
