import { Buffer } from 'node:buffer';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate as nextPass } from 'node:timers/promises';
import { expect } from 'chai';
import { CancelledError, ConnectionLost, type Consumer, Factory, Protocol, ReadableProducer } from 'ropewalk';
import {
  failureResultOf,
  type ScriptedPeer,
  type ScriptedPeerOptions,
  StringTransport,
  successResultOf,
  TestReactor,
} from 'ropewalk/testing';
import { pattern } from './support/served-duplex.ts';

/** A connection of a test reactor, and the peer that made it. */
function connect(options: ScriptedPeerOptions = {}): { reactor: TestReactor; protocol: Protocol; peer: ScriptedPeer } {
  const reactor = new TestReactor();
  const protocol = new Protocol();
  const factory = new Factory();
  factory.buildProtocol = () => protocol;
  const port = reactor.listenTCP(7, factory);
  const peer = reactor.dial(7, options);
  reactor.advance(0);
  void port.stopListening();
  reactor.advance(0);
  return { reactor, protocol, peer };
}

/** Lets the event loop go round, for the streams, which live in its time. */
async function passes(): Promise<void> {
  for (let count = 0; count < 5; count += 1) await nextPass();
}

describe('ReadableProducer', () => {
  it('sends all that a stream gives, tells how much, and leaves the connection open', async () => {
    const { reactor, protocol, peer } = connect({ window: 2_000_000 });
    const sent = pattern(1_000_000);
    let bytes: number | undefined;
    const chunks = Array.from({ length: 10 }, (_, index) => sent.subarray(index * 100_000, (index + 1) * 100_000));
    new ReadableProducer(Readable.from(chunks)).beginTransfer(protocol.transport).addCallback((total) => {
      bytes = total;
    });
    for (let round = 0; round < 30 && bytes === undefined; round += 1) await reactor.advanceAsync(0);
    await reactor.advanceAsync(0);
    expect(bytes).to.equal(1_000_000);
    expect(peer.received.equals(sent)).to.be.true;
    expect(protocol.connected).to.be.true;
    protocol.transport.write('the end');
    protocol.transport.loseConnection();
    await reactor.advanceAsync(1);
    expect(peer.text().endsWith('the end')).to.be.true;
    reactor.assertClean();
  });

  it('reads no more than the connection has room for', async () => {
    const { reactor, protocol } = connect({ reading: false });
    let given = 0;
    const readable = new Readable({
      read() {
        given += 16_384;
        this.push(Buffer.alloc(16_384));
      },
    });
    const sent = new ReadableProducer(readable).beginTransfer(protocol.transport);
    for (let round = 0; round < 20; round += 1) await reactor.advanceAsync(0);
    const givenAtFirst = given;
    expect(givenAtFirst).to.be.lessThan(1_000_000);
    for (let round = 0; round < 20; round += 1) await reactor.advanceAsync(0);
    expect(given).to.equal(givenAtFirst);
    sent.cancel();
    sent.addErrback(() => undefined);
    protocol.transport.abortConnection();
    await reactor.advanceAsync(0);
    reactor.assertClean();
  });

  it('sends strings as UTF-8', async () => {
    const transport = new StringTransport();
    const sent = new ReadableProducer(Readable.from(['您', Buffer.from('好')])).beginTransfer(transport);
    expect(await sent).to.equal(6);
    expect(String(transport.value())).to.equal('您好');
  });

  it('fails with the error of the stream, and unregisters', async () => {
    const transport = new StringTransport();
    const readable = new PassThrough();
    const sent = new ReadableProducer(readable).beginTransfer(transport);
    expect(transport.producer).to.not.equal(undefined);
    readable.write('some of it');
    await passes();
    readable.destroy(new RangeError('unreadable'));
    await passes();
    expect(failureResultOf(sent).value).to.be.instanceOf(RangeError);
    expect(String(transport.value())).to.equal('some of it');
    expect(transport.producer).to.equal(undefined);
    expect(transport.disconnecting).to.be.false;
  });

  it('fails when the stream is destroyed in the middle', async () => {
    const readable = new PassThrough();
    const sent = new ReadableProducer(readable).beginTransfer(new StringTransport());
    readable.destroy();
    await passes();
    expect(failureResultOf(sent).value.message).to.match(/destroyed/);
  });

  it('serves a stream that has ended or failed before', async () => {
    const ended = Readable.from([]);
    ended.resume();
    const failed = new PassThrough().on('error', () => undefined);
    failed.destroy(new RangeError('long ago'));
    const destroyed = new PassThrough();
    destroyed.destroy();
    await passes();
    const results = [ended, failed, destroyed].map((readable) =>
      new ReadableProducer(readable).beginTransfer(new StringTransport()),
    );
    await passes();
    expect(successResultOf(results[0]!)).to.equal(0);
    expect(failureResultOf(results[1]!).value).to.be.instanceOf(RangeError);
    expect(failureResultOf(results[2]!).value).to.be.instanceOf(Error);
  });

  it('destroys the stream when the connection is lost in the middle', async () => {
    const { reactor, protocol, peer } = connect();
    const readable = new PassThrough();
    const sent = new ReadableProducer(readable).beginTransfer(protocol.transport);
    readable.write('some of it');
    await reactor.advanceAsync(0);
    expect(peer.text()).to.equal('some of it');
    peer.abort();
    await reactor.advanceAsync(0);
    expect(failureResultOf(sent).value).to.be.instanceOf(ConnectionLost);
    expect(readable.destroyed).to.be.true;
    reactor.assertClean();
  });

  it('destroys the stream at once when the connection is gone', async () => {
    const { reactor, protocol, peer } = connect();
    peer.abort();
    await reactor.advanceAsync(0);
    const readable = new PassThrough();
    const sent = new ReadableProducer(readable).beginTransfer(protocol.transport);
    expect(failureResultOf(sent).value).to.be.instanceOf(ConnectionLost);
    expect(readable.destroyed).to.be.true;
  });

  it('can be cancelled', async () => {
    const transport = new StringTransport();
    const readable = new PassThrough();
    const sent = new ReadableProducer(readable).beginTransfer(transport);
    sent.cancel();
    expect(failureResultOf(sent).value).to.be.instanceOf(CancelledError);
    expect(readable.destroyed).to.be.true;
    expect(transport.producer).to.equal(undefined);
    await passes();
  });

  it('fails with what the consumer throws', async () => {
    const calls: string[] = [];
    const consumer: Consumer = {
      registerProducer: () => void calls.push('register'),
      unregisterProducer: () => void calls.push('unregister'),
      write: () => {
        throw new TypeError('indigestible');
      },
    };
    const readable = new PassThrough();
    const sent = new ReadableProducer(readable).beginTransfer(consumer);
    readable.write('anything');
    await passes();
    expect(failureResultOf(sent).value).to.be.instanceOf(TypeError);
    expect(calls).to.deep.equal(['register', 'unregister']);
    expect(readable.destroyed).to.be.true;
  });

  it('fails when the stream gives something else', async () => {
    const readable = Readable.from(['text', 5]);
    const sent = new ReadableProducer(readable).beginTransfer(new StringTransport());
    await passes();
    expect(failureResultOf(sent).value).to.be.instanceOf(TypeError);
    expect(readable.destroyed).to.be.true;
  });

  it('is for one transfer', () => {
    const readable = new PassThrough();
    const producer = new ReadableProducer(readable);
    const occupied = new StringTransport();
    occupied.registerProducer({ pauseProducing() {}, resumeProducing() {}, stopProducing() {} }, true);
    expect(() => producer.beginTransfer(occupied)).to.throw('registered already');
    producer.beginTransfer(new StringTransport()).addErrback(() => undefined);
    expect(() => producer.beginTransfer(new StringTransport())).to.throw('one transfer');
    readable.destroy();
    expect(() => new ReadableProducer({} as never)).to.throw(TypeError);
    expect(() => new ReadableProducer(null as never)).to.throw(TypeError);
  });
});
