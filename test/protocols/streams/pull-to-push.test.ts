import { expect } from 'chai';
import { type Consumer, Cooperator, type PullProducer, PullToPush, type PushProducer } from 'ropewalk/core';
import { TestReactor } from 'ropewalk/testing';

/** Takes push producers only. */
class PushConsumer implements Consumer {
  readonly written: string[] = [];
  readonly calls: string[] = [];
  producer: PushProducer | undefined;

  registerProducer(producer: PushProducer | PullProducer, streaming: boolean): void {
    if (!streaming || !('pauseProducing' in producer)) throw new Error('push producers only');
    this.calls.push('register');
    this.producer = producer;
  }

  unregisterProducer(): void {
    this.calls.push('unregister');
    this.producer = undefined;
  }

  write(data: Uint8Array | string): boolean {
    this.written.push(String(data));
    return true;
  }
}

describe('PullToPush', () => {
  let reactor: TestReactor;
  let consumer: PushConsumer;
  let pullToPush: PullToPush;

  beforeEach(() => {
    reactor = new TestReactor();
    consumer = new PushConsumer();
    pullToPush = new PullToPush(consumer, new Cooperator(reactor));
  });

  afterEach(() => reactor.assertClean());

  /** Writes so many numbers, then unregisters. */
  function counter(count: number): PullProducer & { readonly calls: string[] } {
    let written = 0;
    const calls: string[] = [];
    return {
      calls,
      resumeProducing: () => {
        if (written === count) {
          pullToPush.unregisterProducer();
          return;
        }
        written += 1;
        pullToPush.write(String(written));
      },
      stopProducing: () => void calls.push('stop'),
    };
  }

  it('asks a pull producer again and again until it unregisters', () => {
    const producer = counter(3);
    pullToPush.registerProducer(producer, false);
    expect(consumer.written).to.deep.equal([]);
    reactor.advance(0);
    expect(consumer.written).to.deep.equal(['1', '2', '3']);
    expect(consumer.calls).to.deep.equal(['register', 'unregister']);
    expect(producer.calls).to.deep.equal([]);
    pullToPush.registerProducer(counter(1), false);
    reactor.advance(0);
    expect(consumer.written).to.deep.equal(['1', '2', '3', '1']);
  });

  it('does not ask while the consumer has paused it', () => {
    pullToPush.registerProducer(counter(2), false);
    consumer.producer?.pauseProducing();
    consumer.producer?.pauseProducing();
    reactor.advance(1);
    expect(consumer.written).to.deep.equal([]);
    consumer.producer?.resumeProducing();
    consumer.producer?.resumeProducing();
    reactor.advance(1);
    expect(consumer.written).to.deep.equal(['1', '2']);
  });

  it('stops asking when the consumer stops it', () => {
    const producer = counter(100);
    pullToPush.registerProducer(producer, false);
    consumer.producer?.stopProducing();
    reactor.advance(1);
    expect(producer.calls).to.deep.equal(['stop']);
    expect(consumer.written).to.deep.equal([]);
  });

  it('stops asking when it is unregistered by others', () => {
    pullToPush.registerProducer(counter(100), false);
    pullToPush.unregisterProducer();
    reactor.advance(1);
    expect(consumer.written).to.deep.equal([]);
    expect(consumer.calls).to.deep.equal(['register', 'unregister']);
  });

  it('waits for a promise that the producer returns', async () => {
    let asked = 0;
    let goOn = (): void => undefined;
    pullToPush.registerProducer(
      {
        resumeProducing: () => {
          asked += 1;
          return new Promise<void>((resolve) => {
            goOn = resolve;
          });
        },
        stopProducing() {},
      },
      false,
    );
    await reactor.advanceAsync(1);
    expect(asked).to.equal(1);
    goOn();
    await reactor.advanceAsync(0);
    expect(asked).to.equal(2);
    pullToPush.unregisterProducer();
  });

  it('stops and unregisters a producer that throws, and reports the error', () => {
    const calls: string[] = [];
    pullToPush.registerProducer(
      {
        resumeProducing: () => {
          throw new RangeError('a bug');
        },
        stopProducing: () => void calls.push('stop'),
      },
      false,
    );
    reactor.advance(0);
    expect(calls).to.deep.equal(['stop']);
    expect(consumer.calls).to.deep.equal(['register', 'unregister']);
    expect(reactor.flushErrors()).to.have.length(1);
  });

  it('passes push producers on as they are', () => {
    const producer = { pauseProducing() {}, resumeProducing() {}, stopProducing() {} };
    pullToPush.registerProducer(producer, true);
    expect(consumer.producer).to.equal(producer);
  });

  it('takes one at a time, and gives a refused one up', () => {
    pullToPush.registerProducer(counter(1), false);
    expect(() => pullToPush.registerProducer(counter(1), false)).to.throw('registered already');
    reactor.advance(0);
    expect(() => pullToPush.registerProducer({} as PullProducer, false)).to.throw(TypeError);
    consumer.registerProducer = () => {
      throw new Error('not now');
    };
    expect(() => pullToPush.registerProducer(counter(1), false)).to.throw('not now');
    reactor.advance(1);
    expect(consumer.written).to.deep.equal(['1']);
  });

  it('refuses what is no consumer, and what is no cooperator', () => {
    expect(() => new PullToPush({} as never, new Cooperator(reactor))).to.throw(TypeError);
    expect(() => new PullToPush(consumer, {} as never)).to.throw(TypeError);
  });
});
