/** The standard input and output as a transport. */
import { expect } from 'chai';
import { BULK_BYTES } from '../stdio/programs.ts';
import type { StdioFeature, StdioHarness, StdioRun } from '../stdio/stdio-harness.ts';

/** What happens to a run in the end. */
async function ended(run: StdioRun): Promise<readonly string[]> {
  await run.until(() => run.told.includes('ended'), 'the program has ended');
  return run.told;
}

/** Waits for output, of which the end of the program tells nothing: it may still be on its way. */
async function outputOf(run: StdioRun, length: number): Promise<string> {
  await run.until(() => run.text().length >= length, 'its output has arrived');
  return run.text();
}

export function describeStdio(harness: () => StdioHarness): void {
  describe('in order', () => describeHalves(harness));
  describe('paused', () => describePausing(harness));
  describe('of a program that stops', () => describeStopping(harness));
  describe('asked for something before they have begun', () => describeEarly(harness));
}

const REASONS: Readonly<Record<StdioFeature, string>> = {
  'end-of-output': 'there is no end of the output to be seen',
  'output-under-way': 'the program waits for whoever reads its output',
};

function skipUnless(context: Mocha.Context, harness: StdioHarness, feature: StdioFeature): void {
  if (harness.features.has(feature)) return;
  context.test!.title += ` (skipped: ${REASONS[feature]})`;
  context.skip();
}

function describeHalves(harness: () => StdioHarness): void {
  it('carry bytes both ways, until the end of the input ends a plain protocol, when its output has left', async () => {
    const run = harness().start('shout');
    run.send('hello\n');
    expect(await outputOf(run, 6)).to.equal('HELLO\n');
    run.send('again\n');
    expect(await outputOf(run, 12)).to.equal('HELLO\nAGAIN\n');
    run.end();
    expect(await ended(run)).to.deep.equal(['made', 'lost ConnectionDone', 'ended']);
  });

  it('carry what was there before the program began, and its end', async () => {
    const run = harness().start('shout', { lines: 'early\n', isAll: true });
    expect(await ended(run)).to.deep.equal(['made', 'lost ConnectionDone', 'ended']);
    expect(await outputOf(run, 6)).to.equal('EARLY\n');
  });

  it('may be answered on when the input has ended', async () => {
    const run = harness().start('goodbye', { lines: 'hello\n', isAll: true });
    expect(await ended(run)).to.deep.equal(['made', 'read hello', 'end of input', 'lost ConnectionDone', 'ended']);
    expect(await outputOf(run, 7)).to.equal('goodbye');
  });

  it('may end with the output first: whoever reads it sees that, and is still heard', async function () {
    skipUnless(this, harness(), 'end-of-output');
    const run = harness().start('endOutput');
    await run.until(() => run.outputEnded, 'the output has ended');
    expect(run.text()).to.equal('all I have to say');
    await run.until(() => run.told.length === 1, 'the protocol is told');
    run.send('still\n');
    await run.until(() => run.told.length === 2, 'it is heard');
    run.end();
    const told = await ended(run);
    expect(told).to.deep.equal(['output ended', 'read still', 'end of input', 'lost ConnectionDone', 'ended']);
  });

  it('are opened once', async () => {
    const run = harness().start('openTwice', { lines: 'x\n', isAll: true });
    const [refusal, ...told] = await ended(run);
    expect(refusal).to.equal('The standard input and output have been opened already');
    expect(told).to.deep.equal(['made', 'lost ConnectionDone', 'ended']);
    expect(await outputOf(run, 2)).to.equal('X\n');
  });

  it('have addresses without a name, and are called what they are', async () => {
    const run = harness().start('describe');
    const [description] = await ended(run);
    expect(description).to.equal('UNIXAddress(), UNIXAddress(), connection to the standard input and output');
  });
}

function describePausing(harness: () => StdioHarness): void {
  it('hold what comes, its end included, and deliver it in order on resume', async () => {
    const run = harness().start('pause', { lines: 'first\n', isAll: true });
    expect(await ended(run)).to.deep.equal(['resumed', 'read first', 'lost ConnectionDone', 'ended']);
  });
}

function describeStopping(harness: () => StdioHarness): void {
  it('carry what was written in the turn of the stop', async () => {
    const run = harness().start('stopAtOnce');
    expect(await ended(run)).to.deep.equal(['lost ConnectionLost', 'ended']);
    expect(await outputOf(run, 12)).to.equal('just written');
  });

  it('carry what the system has been given, and drop what waits behind it', async function () {
    skipUnless(this, harness(), 'output-under-way');
    const run = harness().start('stopBehindOutput');
    run.pause();
    expect(await ended(run)).to.deep.equal(['lost ConnectionLost', 'ended']);
    run.resume();
    await outputOf(run, BULK_BYTES);
    if (harness().features.has('end-of-output')) await run.until(() => run.outputEnded, 'the output has ended');
    expect(run.text()).to.have.length(BULK_BYTES);
    expect(run.text()).to.match(/^x+$/);
  });
}

function describeEarly(harness: () => StdioHarness): void {
  it('are lost when all has left that was written by then, however slow the reader', async function () {
    skipUnless(this, harness(), 'output-under-way');
    const run = harness().start('loseEarly');
    run.pause();
    await run.until(() => run.told.includes('made'), 'it has begun');
    expect(run.told).to.deep.equal(['opened', 'made']);
    run.resume();
    expect(await ended(run)).to.deep.equal(['opened', 'made', 'lost ConnectionDone', 'ended']);
    await outputOf(run, BULK_BYTES);
    expect(run.text()).to.have.length(BULK_BYTES);
  });

  it('are aborted, with what was written', async () => {
    const run = harness().start('abortEarly');
    expect(await ended(run)).to.deep.equal(['opened', 'made', 'lost ConnectionAborted', 'ended']);
    expect(run.text()).to.equal('');
  });

  it('end their output, and go on with the input', async () => {
    const run = harness().start('endOutputEarly', { lines: 'late\n', isAll: true });
    const told = await ended(run);
    expect(told.filter((text) => text !== 'output ended')).to.deep.equal([
      ...['opened', 'made', 'read late', 'end of input', 'lost ConnectionDone', 'ended'],
    ]);
    expect(await outputOf(run, 5)).to.equal('early');
  });
}
