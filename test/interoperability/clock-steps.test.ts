/**
 * Steps of the system's clock, by which an operator, or NTP, sets the time of day: made for real, for one process, by
 * libfaketime. What counts as time for a reactor is the monotonic clock, which is left as it is.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { BuiltPackage } from '../support/built-package.ts';
import { Child } from './support/child.ts';
import { FAKETIME, requirePeer } from './support/require-peer.ts';

const TIMEOUT_MILLISECONDS = 20_000;

/** Debian has the library under the name of the machine's kind. */
const LIBRARY = (existsSync('/usr/lib') ? readdirSync('/usr/lib') : [])
  .map((folder) => join('/usr/lib', folder, 'faketime', 'libfaketimeMT.so.1'))
  .find((path) => existsSync(path));

/** Says what time it is by both clocks when a line comes, and what its calls have come to in between. */
const PROGRAM = `
  import { createReactor, Factory, LoopingCall, Protocol, StandardIOEndpoint } from 'ropewalk';

  const reactor = createReactor();
  const log = [];
  let ticks = 0;
  const loop = new LoopingCall(reactor, () => { ticks += 1; });
  void loop.start(0.05);
  reactor.callLater(3600, () => log.push('an hour too soon'));

  class Teller extends Protocol {
    dataReceived(data) {
      const asked = reactor.seconds();
      ticks = 0;
      const tell = (name) => () => log.push(name);
      reactor.callLater(0.3, tell('third'));
      reactor.callLater(0.1, tell('first'));
      reactor.callLater(0.2, tell('second'));
      reactor.callLater(0.4, () => {
        const seconds = reactor.seconds() - asked;
        this.transport.write(JSON.stringify({ log: log.splice(0), ticks, seconds, wallClock: Date.now() / 1000 }) + '\\n');
      });
    }
    connectionLost() {
      if (reactor.running) reactor.stop();
    }
  }
  void new StandardIOEndpoint(reactor).listen(Factory.forProtocol(Teller));
  await reactor.run();
`;

interface Report {
  readonly log: readonly string[];
  readonly ticks: number;
  readonly seconds: number;
  readonly wallClock: number;
}

describe('A step of the system’s clock', function () {
  this.timeout(TIMEOUT_MILLISECONDS);
  requirePeer(FAKETIME);

  let folder = '';
  let offset: string;
  let program: Child | undefined;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ropewalk-'));
    offset = join(folder, 'offset');
    writeFileSync(offset, '+0');
    program = Child.start(process.execPath, BuiltPackage.args(PROGRAM), {
      cwd: BuiltPackage.shared.folder,
      env: {
        ...process.env,
        LD_PRELOAD: LIBRARY,
        FAKETIME_TIMESTAMP_FILE: offset,
        FAKETIME_NO_CACHE: '1',
        DONT_FAKE_MONOTONIC: '1',
      },
    });
  });

  after(async () => {
    await program?.kill();
    if (folder !== '') rmSync(folder, { recursive: true });
  });

  const ask = async (): Promise<Report> => {
    if (program === undefined) throw new Error('the program has not been started');
    program.send('now\n');
    const [line] = await program.line(/^\{.*/);
    return JSON.parse(line) as Report;
  };

  for (const [step, seconds] of [
    ['none', 0],
    ['an hour back', -3600],
    ['two hours on', 7200],
    ['ten years on', 315_360_000],
    ['ten years back', -315_360_000],
  ] as const) {
    it(`moves no delayed call: ${step}`, async () => {
      writeFileSync(offset, `${seconds < 0 ? '' : '+'}${seconds}`);
      const { log, ticks, seconds: elapsed, wallClock } = await ask();
      expect(wallClock, 'the step was made').to.be.closeTo(Date.now() / 1000 + seconds, 60);
      expect(log).to.deep.equal(['first', 'second', 'third']);
      // A machine that is busy with other things is late, by seconds at most, and a loop then leaves out what it has missed.
      expect(elapsed).to.be.within(0.4, 5);
      expect(ticks).to.be.within(1, 9);
    });
  }
});
