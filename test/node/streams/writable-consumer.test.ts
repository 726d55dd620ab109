import { Buffer } from 'node:buffer';
import { PassThrough, Writable } from 'node:stream';
import { setImmediate as nextPass } from 'node:timers/promises';
import { expect } from 'chai';
import {
  ConnectionDone,
  ConnectionLost,
  consumerToProtocol,
  type Failure,
  WritableConsumer,
  WriteBufferLimitError,
} from 'ropewalk';
import { assertNoResult, failureResultOf, successResultOf, TestReactor } from 'ropewalk/testing';
import { pattern } from './support/served-duplex.ts';

/** A stream that takes a chunk when it is told to. */
class SlowWritable extends Writable {
  readonly chunks: Buffer[] = [];
  #take: (() => void) | undefined;

  constructor(highWaterMark = 10) {
    super({ highWaterMark });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.chunks.push(chunk);
    this.#take = callback;
  }

  /** Goes on to the next chunk; false if it waits for one. */
  async take(): Promise<boolean> {
    const take = this.#take;
    this.#take = undefined;
    take?.();
    await nextPass();
    return take !== undefined;
  }

  async takeAll(): Promise<void> {
    let hasTaken: boolean;
    do hasTaken = await this.take();
    while (hasTaken);
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

class RecordingProducer {
  readonly calls: string[] = [];
  onResume: () => void = () => undefined;

  pauseProducing(): void {
    this.calls.push('pause');
  }
  resumeProducing(): void {
    this.calls.push('resume');
    this.onResume();
  }
  stopProducing(): void {
    this.calls.push('stop');
  }
}

describe('WritableConsumer', () => {
  it('destroys the stream when more waits than may, for a producer that does not heed its pauses', async () => {
    const stalled = new Writable({ highWaterMark: 1000, write() {} });
    const consumer = new WritableConsumer(stalled, { writeBufferLimit: 10_000 });
    const calls: string[] = [];
    consumer.registerProducer(
      {
        pauseProducing: () => void calls.push('pause'),
        resumeProducing: () => void calls.push('resume'),
        stopProducing: () => void calls.push('stop'),
      },
      true,
    );
    const finished = consumer.whenFinished().toPromise();
    for (let count = 0; count < 300; count += 1) consumer.write(Buffer.alloc(1000));
    expect(stalled.writableLength).to.equal(12_000);
    expect(await finished.catch((error: unknown) => error)).to.be.instanceOf(WriteBufferLimitError);
    expect(new Set(calls)).to.deep.equal(new Set(['pause', 'stop']));
    expect(calls.at(-1)).to.equal('stop');
    expect(() => new WritableConsumer(stalled, { writeBufferLimit: 1 })).to.throw(RangeError, 'writeBufferLimit');
    expect(() => new WritableConsumer(stalled, { limit: 1 } as object)).to.throw(TypeError);
  });

  it('gives what is written to the stream, and tells of its end', async () => {
    const writable = new PassThrough();
    const consumer = new WritableConsumer(writable);
    expect(consumer.write('文')).to.be.true;
    expect(consumer.write(Buffer.from('!'))).to.be.true;
    consumer.end();
    const finished = consumer.whenFinished();
    expect(Buffer.concat((await writable.toArray()) as Buffer[]).toString()).to.equal('文!');
    successResultOf(finished);
    successResultOf(consumer.whenFinished());
    expect(consumer.write('too late')).to.be.false;
    expect(() => consumer.write(5 as unknown as string)).to.throw(TypeError);
  });

  it('pauses a push producer at the high-water mark, and resumes it when all has been written', async () => {
    const writable = new SlowWritable();
    const consumer = new WritableConsumer(writable);
    const producer = new RecordingProducer();
    consumer.registerProducer(producer, true);
    expect(consumer.write('012345678')).to.be.true;
    expect(producer.calls).to.deep.equal([]);
    expect(consumer.write('9')).to.be.false;
    expect(consumer.write('more')).to.be.false;
    expect(producer.calls).to.deep.equal(['pause', 'pause']);
    await writable.take();
    await writable.take();
    expect(producer.calls).to.deep.equal(['pause', 'pause']);
    await writable.take();
    expect(producer.calls).to.deep.equal(['pause', 'pause', 'resume']);
    expect(writable.text).to.equal('0123456789more');
    consumer.unregisterProducer();
    writable.destroy();
  });

  it('asks a pull producer when it is registered, and whenever all has been written', async () => {
    const writable = new SlowWritable();
    const consumer = new WritableConsumer(writable);
    const producer = new RecordingProducer();
    let count = 0;
    producer.onResume = () => {
      count += 1;
      if (count === 3) {
        consumer.unregisterProducer();
        consumer.end();
      } else {
        consumer.write(`${String(count)} `);
      }
    };
    consumer.registerProducer(producer, false);
    expect(producer.calls).to.deep.equal(['resume']);
    await writable.takeAll();
    expect(producer.calls).to.deep.equal(['resume', 'resume', 'resume']);
    expect(writable.text).to.equal('1 2 ');
    expect(writable.writableFinished).to.be.true;
  });

  it('ends only when the producer has unregistered, and lets it write until then', async () => {
    const writable = new SlowWritable();
    const consumer = new WritableConsumer(writable);
    const producer = new RecordingProducer();
    consumer.registerProducer(producer, true);
    consumer.end();
    consumer.end();
    expect(consumer.write('the rest')).to.be.true;
    expect(writable.writableEnded).to.be.false;
    consumer.unregisterProducer();
    expect(writable.writableEnded).to.be.true;
    expect(consumer.write('too late')).to.be.false;
    const late = new RecordingProducer();
    consumer.registerProducer(late, true);
    expect(late.calls).to.deep.equal(['stop']);
    await writable.takeAll();
    expect(writable.text).to.equal('the rest');
    expect(producer.calls).to.deep.equal([]);
  });

  it('takes one producer at a time, and nothing else', () => {
    const consumer = new WritableConsumer(new PassThrough());
    consumer.registerProducer(new RecordingProducer(), true);
    expect(() => consumer.registerProducer(new RecordingProducer(), true)).to.throw('registered already');
    consumer.unregisterProducer();
    expect(() => consumer.registerProducer({} as never, true)).to.throw(TypeError);
    expect(() => new WritableConsumer({} as never)).to.throw(TypeError);
    expect(() => new WritableConsumer(null as never)).to.throw(TypeError);
  });

  it('stops the producer and fails when the stream fails', async () => {
    const writable = new SlowWritable();
    const consumer = new WritableConsumer(writable);
    const producer = new RecordingProducer();
    consumer.registerProducer(producer, true);
    const finished = consumer.whenFinished();
    assertNoResult(finished);
    writable.destroy(new RangeError('full'));
    await nextPass();
    expect(producer.calls).to.deep.equal(['stop']);
    expect(failureResultOf(finished).value).to.be.instanceOf(RangeError);
    expect(failureResultOf(consumer.whenFinished()).value).to.be.instanceOf(RangeError);
    expect(consumer.write('too late')).to.be.false;
  });

  it('fails when the stream is destroyed without a word', async () => {
    const writable = new SlowWritable();
    const finished = new WritableConsumer(writable).whenFinished();
    writable.destroy();
    await nextPass();
    expect(failureResultOf(finished).value).to.be.instanceOf(ConnectionLost);
  });

  it('can be made of a stream that is over', async () => {
    const failed = new PassThrough().on('error', () => undefined);
    failed.destroy(new RangeError('long ago'));
    const destroyed = new PassThrough();
    destroyed.destroy();
    const finished = new PassThrough();
    finished.end();
    finished.resume();
    await nextPass();
    expect(failureResultOf(new WritableConsumer(failed).whenFinished()).value).to.be.instanceOf(RangeError);
    expect(failureResultOf(new WritableConsumer(destroyed).whenFinished()).value).to.be.instanceOf(ConnectionLost);
    successResultOf(new WritableConsumer(finished).whenFinished());
  });

  it('destroys the stream when a method of the producer throws', async () => {
    const writable = new SlowWritable(1);
    const consumer = new WritableConsumer(writable);
    const producer = new RecordingProducer();
    producer.pauseProducing = () => {
      throw new TypeError('a bug');
    };
    consumer.registerProducer(producer, true);
    const finished = consumer.whenFinished();
    consumer.write('too much');
    await nextPass();
    expect(failureResultOf(finished).value).to.be.instanceOf(TypeError);
    expect(producer.calls).to.deep.equal(['stop']);
  });

  it('lets go of one who no longer waits', async () => {
    const writable = new PassThrough();
    const consumer = new WritableConsumer(writable);
    const given = consumer.whenFinished();
    given.cancel();
    given.addErrback(() => undefined);
    writable.destroy();
    await nextPass();
  });

  it('slows down the peer of a connection that is written to it', async () => {
    const reactor = new TestReactor();
    const writable = new SlowWritable(65_536);
    const consumer = new WritableConsumer(writable);
    let reason: Failure | undefined;
    const port = reactor.listenTCP(7, {
      buildProtocol: () =>
        consumerToProtocol(consumer, (lostBy) => {
          reason = lostBy;
          consumer.end();
        }),
      doStart() {},
      doStop() {},
    });
    const peer = reactor.dial(7);
    const sent = pattern(1_000_000);
    peer.send(sent);
    peer.end();
    await reactor.advanceAsync(1);
    expect(writable.writableLength).to.be.within(65_536, 200_000);
    const finished = consumer.whenFinished();
    for (let round = 0; round < 200 && !finished.called; round += 1) {
      await writable.take();
      await reactor.advanceAsync(0);
    }
    successResultOf(finished);
    expect(sent.equals(Buffer.concat(writable.chunks))).to.be.true;
    expect(reason?.value).to.be.instanceOf(ConnectionDone);
    void port.stopListening();
    await reactor.advanceAsync(0);
    reactor.assertClean();
  });
});
