/** What goes into children and comes out of them. */
import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import { ProcessTerminated, QueueOverflow, WriteBufferLimitError } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { goOn, run, spawn, untilEnded, WITH_CONTROL } from '../support/children.ts';
import { MEBIBYTE, pattern, settled, skipUnless, startReactor, takeErrors } from '../support/connections.ts';
import { RecordingProducer } from '../support/recording-producer.ts';

export function describeProcessPipes(harness: () => Harness): void {
  describe('the pipes of children', () => {
    describeData(harness);
    describeClosing(harness);
    describeFlow(harness);
  });
}

function describeData(harness: () => Harness): void {
  it('carry data both ways, in order, large and small, all of it before the end [88]', async function () {
    const h = harness();
    const data = pattern(3 * MEBIBYTE);
    const { child, protocol } = await run(this, h, 'cat');
    child.write(data.subarray(0, 1));
    child.writeSequence([data.subarray(1, 1000), data.subarray(1000)]);
    child.closeStdin();
    expect(child.write('too late')).to.be.false;
    await untilEnded(h, protocol);
    expect(protocol.received().equals(data)).to.be.true;
    expect(protocol.nested).to.deep.equal([]);
  });

  it('are told apart', async function () {
    const h = harness();
    const { protocol } = await run(this, h, 'print', { args: ['to the output', 'to the error'] });
    await untilEnded(h, protocol);
    expect(protocol.text(1)).to.equal('to the output');
    expect(protocol.text(2)).to.equal('to the error');
  });

  it('can be at any descriptor', async function () {
    const h = harness();
    const { child, protocol } = await run(this, h, 'descriptors', { childFDs: { 3: 'w', 4: 'r' } });
    child.writeToChild(3, 'over other descriptors');
    child.closeChildFD(3);
    await untilEnded(h, protocol);
    expect(protocol.text(4)).to.equal('over other descriptors');
    expect(protocol.calls).to.include.members(['lost 3', 'lost 4']).and.not.include.members(['lost 0']);
  });

  it('are only where the map says, and are used only that way [88]', async function () {
    const h = harness();
    const { child } = await run(this, h, 'sleep', { childFDs: { 1: 'r' } });
    expect(child.write('there is no standard input')).to.be.false;
    expect(() => child.writeToChild(0, 'x')).to.throw(RangeError, /^descriptor 0 of \w+ is not written to$/);
    expect(() => child.writeToChild(1, 'x')).to.throw(RangeError, /^descriptor 1 of \w+ is not written to$/);
    expect(() => child.closeChildFD(2)).to.throw(RangeError, /^descriptor 2 of \w+ is no pipe$/);
    child.closeStdin();
    child.closeStderr();
  });

  it('go one way: a program that reads from its output finds its end', async function () {
    const h = harness();
    const { protocol } = await run(this, h, 'readOutput');
    await untilEnded(h, protocol);
    expect(protocol.text(2)).to.equal('ended');
  });

  it('take bytes and strings, and nothing else', async function () {
    const h = harness();
    const { child } = await run(this, h, 'cat');
    const anything = child as unknown as { write(data: unknown): void; writeToChild(fd: number, data: unknown): void };
    for (const data of [undefined, null, 5, {}, [1]]) {
      expect(() => anything.write(data)).to.throw(TypeError, /^data must be/);
      expect(() => anything.writeToChild(0, data)).to.throw(TypeError, /^data must be/);
    }
  });
}

function describeClosing(harness: () => Harness): void {
  it('close, the three of them, by loseConnection, and not the program [88]', async function () {
    const h = harness();
    const { child, protocol } = await run(this, h, 'sleep', WITH_CONTROL);
    child.loseConnection();
    expect(protocol.calls).to.deep.equal(['connectionMade']);
    await h.until(() => protocol.calls.length === 4, 'three pipes have closed');
    expect(protocol.calls.slice(1)).to.have.members(['lost 0', 'lost 1', 'lost 2']);
    expect(protocol.isExited).to.be.false;
    child.signalProcess('KILL');
    await untilEnded(h, protocol);
    expect(protocol.calls).to.include('lost 3');
  });

  it('deliver nothing after they were closed on this side, and break the program that goes on writing', async function () {
    const h = harness();
    const { protocol } = await run(this, h, 'pour', {
      args: [String(64 * MEBIBYTE)],
      hooks: { childDataReceived: ({ transport }) => transport.closeStdout() },
    });
    await untilEnded(h, protocol);
    expect(protocol.calls.filter((call) => call === 'received 1')).to.have.length(1);
    expect(protocol.received().length).to.be.lessThan(MEBIBYTE);
    if (h.features.has('real-programs')) expect(protocol.endedBy).to.be.instanceOf(ProcessTerminated);
  });

  it('may be closed before they are there', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const { child, protocol } = spawn(h, reactor, 'cat');
    child.write('a question');
    child.closeStdin();
    expect(child.write('too late')).to.be.false;
    const producer = new RecordingProducer();
    child.registerProducer(producer, true);
    expect(producer.calls).to.deep.equal(['stopProducing']);
    child.closeStderr();
    await untilEnded(h, protocol);
    expect(protocol.text()).to.equal('a question');
  });

  it('close once, however often they are told to', async function () {
    const h = harness();
    const { child, protocol } = await run(this, h, 'cat');
    for (let count = 0; count < 3; count += 1) child.loseConnection();
    await untilEnded(h, protocol);
    expect(protocol.calls.filter((call) => call === 'lost 0')).to.have.length(1);
    expect(protocol.calls.filter((call) => call === 'lost 1')).to.have.length(1);
  });
}

function describeFlow(harness: () => Harness): void {
  it('pause a push producer while the program does not read, and resume it when it does', async function () {
    const h = harness();
    const { child, protocol } = await run(this, h, 'sink', WITH_CONTROL);
    const producer = new RecordingProducer();
    child.registerProducer(producer, true);
    expect(() => child.registerProducer(producer, true)).to.throw('A producer is registered already');
    expect(child.write(pattern(1000))).to.be.true;
    expect(child.write(pattern(4 * MEBIBYTE))).to.be.false;
    expect(producer.calls).to.deep.equal(['pauseProducing']);
    child.closeStdin(); // waits for the producer
    goOn(child);
    await h.until(() => producer.count('resumeProducing') === 1, 'the producer goes on');
    expect(protocol.calls).not.to.include('lost 0');
    expect(child.write('one thing more')).to.be.true;
    child.unregisterProducer();
    await untilEnded(h, protocol);
    expect(producer.count('stopProducing')).to.equal(0);
  });

  it('ask a pull producer piece by piece, one that was registered before the program ran too', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const { child, protocol } = spawn(h, reactor, 'cat');
    let left = 5;
    const producer = new RecordingProducer({
      resumeProducing: () => {
        left -= 1;
        child.write('piece ');
        if (left > 0) return;
        child.unregisterProducer();
        child.closeStdin();
      },
    });
    child.registerProducer(producer, false);
    expect(() => child.registerProducer(producer, false)).to.throw('A producer is registered already');
    expect(producer.calls).to.deep.equal([]);
    await untilEnded(h, protocol);
    expect(producer.count('resumeProducing')).to.equal(5);
    expect(protocol.text()).to.equal('piece '.repeat(5));
  });

  it('wait for a producer that was registered before the program ran, if they are closed then', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const { child, protocol } = spawn(h, reactor, 'cat');
    const producer = new RecordingProducer();
    child.registerProducer(producer, true);
    child.closeStdin();
    expect(child.write('still ')).to.be.true;
    await h.until(() => protocol.text() === 'still ', 'what the producer writes goes on');
    child.write('taken');
    child.unregisterProducer();
    expect(child.write('dropped')).to.be.false;
    await untilEnded(h, protocol);
    expect(protocol.text()).to.equal('still taken');
    expect(producer.calls).to.deep.equal([]);
  });

  it('stop the producer when nobody reads any more', async function () {
    const h = harness();
    const producer = new RecordingProducer();
    const { child, protocol } = await run(this, h, 'sleep');
    child.registerProducer(producer, true);
    child.write(pattern(4 * MEBIBYTE));
    child.signalProcess('KILL');
    await untilEnded(h, protocol);
    expect(producer.calls).to.deep.equal(['pauseProducing', 'stopProducing']);
    child.registerProducer(producer, true);
    expect(producer.count('stopProducing')).to.equal(2);
  });

  it('say that more than 64 KiB waits before the program runs, too', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const { child, protocol } = spawn(h, reactor, 'cat');
    expect(child.write('x'.repeat(65_536))).to.be.true;
    expect(child.write('y')).to.be.false;
    child.closeStdin();
    await untilEnded(h, protocol);
    expect(protocol.received().length).to.equal(65_537);
  });

  it('deliver nothing while they are paused, their end neither, and the program has to wait', async function () {
    const h = harness();
    const size = 4 * MEBIBYTE;
    const { child, protocol } = await run(this, h, 'pour', {
      args: [String(size)],
      hooks: { connectionMade: ({ transport }) => transport.pauseProducing() },
    });
    await h.advance(0.05);
    expect(protocol.received().length).to.equal(0);
    expect(protocol.calls).not.to.include('lost 1');
    if (h.features.has('real-programs')) expect(protocol.isExited).to.be.false;
    child.resumeProducing();
    await untilEnded(h, protocol);
    expect(protocol.received().length).to.equal(size);
  });

  it('can be paused before the program runs', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const { child, protocol } = spawn(h, reactor, 'print', { args: ['out', 'err'] });
    child.pauseProducing();
    await h.until(() => protocol.isExited, 'the program has exited');
    await h.advance(0.02);
    expect(protocol.calls).not.to.include('received 1');
    child.resumeProducing();
    await untilEnded(h, protocol);
    expect(protocol.text()).to.equal('out');
  });

  it('are not read while the reactor does not run, so that the program has to wait', async function () {
    const h = harness();
    const size = 8 * MEBIBYTE;
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    let hasCrashed = false;
    const crashOnce = (): void => {
      if (!hasCrashed) reactor.crash();
      hasCrashed = true;
    };
    const { child, protocol } = spawn(h, reactor, 'pour', {
      args: [String(size)],
      hooks: { childDataReceived: crashOnce },
    });
    await h.until(() => hasCrashed, 'the first data has come');
    const before = protocol.received().length;
    await h.advance(0.05);
    expect(protocol.received().length).to.equal(before);
    // A scripted program does not have to wait for what it prints.
    if (h.features.has('real-programs')) child.signalProcess(0);
    void reactor.run({ installSignalHandlers: false });
    await untilEnded(h, protocol);
    expect(protocol.received().length).to.equal(size);
  });

  it('hold what came before the program exited while they are paused', async function () {
    const h = harness();
    const { child, protocol } = await run(this, h, 'print', {
      args: ['out', 'err'],
      hooks: { connectionMade: ({ transport }) => transport.pauseProducing() },
    });
    await h.until(() => protocol.isExited, 'the exit is told all the same');
    await h.advance(0.01);
    expect(protocol.isEnded).to.be.false;
    expect(protocol.text(1) + protocol.text(2)).to.equal('');
    child.resumeProducing();
    await untilEnded(h, protocol);
    expect([protocol.text(1), protocol.text(2)]).to.deep.equal(['out', 'err']);
  });

  it('take 128 MiB that nobody reads, and with one byte more are closed and have it reported', async function () {
    this.timeout(20_000);
    const h = harness();
    const { child, protocol } = await run(this, h, 'sleep');
    const piece = Buffer.alloc(32 * MEBIBYTE);
    for (let count = 0; count < 4; count += 1) child.write(piece);
    expect(takeErrors(h)).to.deep.equal([]);
    expect(child.write('x')).to.be.false;
    expect(protocol.calls).to.deep.equal(['connectionMade']);
    await h.until(() => protocol.calls.includes('lost 0'), 'the pipe has closed');
    const [error] = takeErrors(h);
    expect(error).to.be.instanceOf(WriteBufferLimitError);
    expect(protocol.isExited).to.be.false;
  });

  it('take as much as writeBufferLimit says, whether the program runs or not yet', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const options = { highWaterMark: 10, writeBufferLimit: 1000 };
    const early = spawn(h, reactor, 'sleep', options);
    expect(early.child.write(new Uint8Array(10))).to.be.true;
    expect(early.child.write(new Uint8Array(990))).to.be.false;
    expect(takeErrors(h)).to.deep.equal([]);
    early.child.write('x');
    expect(takeErrors(h)).to.have.length(1).and.property('0').instanceOf(WriteBufferLimitError);
    const { child, protocol } = spawn(h, reactor, 'sleep', options);
    await h.until(() => protocol.isMade, 'it runs');
    child.write(new Uint8Array(1001));
    await h.until(() => protocol.calls.includes('lost 0'), 'the pipe has closed');
    expect(takeErrors(h)[0]).to.be.instanceOf(WriteBufferLimitError).and.include({ limitBytes: 1000 });
    expect(() => spawn(h, reactor, 'sleep', { writeBufferLimit: 0 })).to.throw(RangeError);
  });

  it('take nothing more when too much was written before the program runs, and nothing of it goes out', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const { child, protocol } = spawn(h, reactor, 'cat', { writeBufferLimit: 10, highWaterMark: 10 });
    expect(child.write('12345678')).to.be.true;
    const producer = new RecordingProducer();
    child.registerProducer(producer, true);
    expect(child.write('abcde')).to.be.false;
    expect(child.write('XY')).to.be.false;
    expect(() => child.registerProducer(new RecordingProducer(), true)).not.to.throw();
    await h.until(() => protocol.calls.includes('lost 0'), 'the pipe has closed');
    await settled(h, child.terminate(), 'it has ended');
    expect(protocol.text()).to.equal('');
    expect(producer.count('stopProducing')).to.equal(1);
    expect(protocol.calls.filter((call) => call === 'lost 0')).to.have.length(1);
    expect(protocol.lossOf(0)).to.be.instanceOf(WriteBufferLimitError).and.include({ bufferedBytes: 13 });
    expect(takeErrors(h)).to.have.length(1).and.property('0').instanceOf(WriteBufferLimitError);
  });

  it('take as much at each descriptor, before the program runs too', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const childFDs = { 0: 'w', 1: 'r', 3: 'w', 4: 'r' } as const;
    const { child, protocol } = spawn(h, reactor, 'descriptors', { childFDs, highWaterMark: 6, writeBufferLimit: 6 });
    expect(child.write('123456')).to.be.true;
    expect(child.writeToChild(3, 'abcdef')).to.be.true;
    expect(child.write('7')).to.be.false;
    child.closeChildFD(3);
    await untilEnded(h, protocol);
    expect(protocol.text(4)).to.equal('abcdef');
    expect(takeErrors(h)).to.have.length(1);
  });

  it('keep any number of small writes before the program runs, and no more than 10,000 requests', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const { child, protocol } = spawn(h, reactor, 'cat');
    for (let count = 0; count < 20_000; count += 1) child.write(count % 2 === 0 ? 'x' : '');
    for (let count = 0; count < 4999; count += 1) {
      child.registerProducer(new RecordingProducer(), true);
      child.unregisterProducer();
    }
    child.write('y');
    expect(() => child.registerProducer(new RecordingProducer(), true)).to.throw(QueueOverflow, '10000');
    // What ends a child is never refused.
    for (let count = 0; count < 20_000; count += 1) {
      child.closeStdin();
      child.signalProcess(0);
    }
    await untilEnded(h, protocol);
    expect(protocol.text()).to.equal(`${'x'.repeat(10_000)}y`);
  });

  it('take no more than that before the program runs', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = h.createReactor();
    const { child } = spawn(h, reactor, 'sleep');
    const piece = Buffer.alloc(32 * MEBIBYTE);
    for (let count = 0; count < 4; count += 1) expect(child.write(piece)).to.be.false;
    expect(takeErrors(h)).to.deep.equal([]);
    expect(child.write('x')).to.be.false;
    expect(takeErrors(h)).to.have.length(1);
    void child.terminate();
  });
}
