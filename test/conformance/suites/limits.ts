/** What bounds connections and ports, and what happens at the bounds. */
import { expect } from 'chai';
import { ConnectionDone, WriteBufferLimitError } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { listen, nthProtocol, serve, startReactor, untilLost } from '../support/connections.ts';
import { RecordingFactory } from '../support/recording-factory.ts';
import { RecordingProducer } from '../support/recording-producer.ts';

export function describeLimits(harness: () => Harness): void {
  describe('limits', () => {
    describeBufferLimits(harness);
    describeMaxConnections(harness);
  });
}

function describeBufferLimits(harness: () => Harness): void {
  it('aborts a connection on which more waits than writeBufferLimit, and tells its protocol why', async () => {
    const h = harness();
    const reactor = startReactor(h);
    const factory = new RecordingFactory();
    const { destination } = await listen(h, reactor, factory, { writeBufferLimit: 100_000 });
    const peer = await h.dial(destination, { reading: false });
    const protocol = await nthProtocol(h, factory, 0);
    expect(protocol.transport.write(new Uint8Array(100_000))).to.be.false;
    expect(protocol.transport.disconnecting).to.be.false;
    // What has left since makes room; what has not counts.
    expect(protocol.transport.write(new Uint8Array(100_001))).to.be.false;
    expect(protocol.calls).to.deep.equal(['connectionMade']);
    await untilLost(h, protocol);
    expect(protocol.lostBy)
      .to.be.instanceOf(WriteBufferLimitError)
      .and.include({ limitBytes: 100_000, code: 'ERR_WRITE_BUFFER_LIMIT' });
    peer.resume();
    await h.until(() => peer.closed, 'the peer has seen the end');
  });

  it('holds for connections that were made from this side, too', async () => {
    const h = harness();
    const reactor = startReactor(h);
    const server = await h.serve({ reading: false });
    const factory = new RecordingFactory();
    h.connect(reactor, server.destination, factory, { writeBufferLimit: 70_000 });
    const protocol = await nthProtocol(h, factory, 0);
    protocol.transport.write(new Uint8Array(70_001));
    await untilLost(h, protocol);
    expect(protocol.lostBy).to.be.instanceOf(WriteBufferLimitError);
  });

  it('goes on without end under the limit, if the protocol heeds what write returns', async () => {
    const h = harness();
    const reactor = startReactor(h);
    const factory = new RecordingFactory();
    const limits = { highWaterMark: 1000, writeBufferLimit: 3000 };
    const { destination } = await listen(h, reactor, factory, limits);
    const peer = await h.dial(destination);
    const { transport } = await nthProtocol(h, factory, 0);
    let rounds = 0;
    const producer = {
      resumeProducing: () => {
        rounds += 1;
        if (rounds > 100) transport.unregisterProducer();
        else transport.write(new Uint8Array(2500));
      },
      stopProducing: () => undefined,
    };
    transport.registerProducer(producer, false);
    await h.until(() => peer.received.length === 250_000, 'all has come');
  });

  it('pauses a producer, and has write return false, above the highWaterMark that was asked for', async () => {
    const h = harness();
    const reactor = startReactor(h);
    const factory = new RecordingFactory();
    const { destination } = await listen(h, reactor, factory, { highWaterMark: 10 });
    const peer = await h.dial(destination);
    const { transport } = await nthProtocol(h, factory, 0);
    const producer = new RecordingProducer();
    transport.registerProducer(producer, true);
    expect(transport.write(new Uint8Array(10))).to.be.true;
    expect(producer.calls).to.deep.equal([]);
    expect(transport.write(new Uint8Array(1))).to.be.false;
    expect(producer.calls).to.deep.equal(['pauseProducing']);
    await h.until(() => producer.calls.length === 2, 'everything has left');
    expect(producer.calls).to.deep.equal(['pauseProducing', 'resumeProducing']);
    transport.unregisterProducer();
    await h.until(() => peer.received.length === 11, 'all has come');
  });

  it('refuses limits that are none', () => {
    const h = harness();
    const reactor = startReactor(h);
    const factory = new RecordingFactory();
    for (const options of [
      { highWaterMark: 0 },
      { writeBufferLimit: 1.5 },
      { highWaterMark: 100, writeBufferLimit: 99 },
      { maxConnections: 0 },
    ]) {
      expect(() => h.listen(reactor, factory, options), JSON.stringify(options)).to.throw(RangeError);
    }
    expect(factory.calls).to.deep.equal([]);
  });
}

function describeMaxConnections(harness: () => Harness): void {
  it('closes a connection over maxConnections unread, and takes the next when one has gone', async () => {
    const h = harness();
    const warnings: string[] = [];
    const ignore = (): void => undefined;
    const logger = {
      debug: ignore,
      info: ignore,
      error: ignore,
      warn: (_: object, m: string) => void warnings.push(m),
    };
    const reactor = h.createReactor({ logger });
    void reactor.run({ installSignalHandlers: false });
    const factory = new RecordingFactory();
    const { destination } = await listen(h, reactor, factory, { maxConnections: 2 });
    const first = await h.dial(destination);
    await nthProtocol(h, factory, 0);
    await h.dial(destination);
    await nthProtocol(h, factory, 1);
    for (let excess = 0; excess < 3; excess += 1) {
      const peer = await h.dial(destination).catch(() => undefined);
      await h.until(() => peer === undefined || peer.closed, 'one too many is closed');
    }
    expect(factory.protocols).to.have.length(2);
    expect(warnings).to.have.length(1).and.property('0').contains('as many connections as it may');
    expect(factory.protocols.map(({ calls }) => calls)).to.deep.equal([['connectionMade'], ['connectionMade']]);

    first.end();
    await untilLost(h, factory.protocols[0]!);
    const next = await h.dial(destination);
    const protocol = await nthProtocol(h, factory, 2);
    protocol.transport.write('welcome');
    await h.until(() => next.text() === 'welcome', 'the next is served');
    const again = await h.dial(destination).catch(() => undefined);
    await h.until(() => again === undefined || again.closed, 'and the one after is not');
    expect(warnings).to.have.length(2);
  });

  it('counts connections whose protocol is not built as gone', async () => {
    const h = harness();
    const reactor = startReactor(h);
    const factory = new RecordingFactory({ buildProtocol: () => null });
    const { destination } = await listen(h, reactor, factory, { maxConnections: 1 });
    for (let times = 0; times < 3; times += 1) {
      const peer = await h.dial(destination);
      await h.until(() => peer.closed, 'it is closed');
    }
    expect(factory.addresses).to.have.length(3);
  });

  it('leaves what it serves in peace while it refuses a flood', async () => {
    const h = harness();
    const { protocol, peer, reactor } = await serve(h);
    const factory = new RecordingFactory();
    const { destination } = await listen(h, reactor, factory, { maxConnections: 1 });
    await h.dial(destination);
    const flood = await Promise.all(Array.from({ length: 30 }, () => h.dial(destination).catch(() => undefined)));
    await h.until(() => flood.every((refused) => refused === undefined || refused.closed), 'all are closed');
    expect(factory.protocols).to.have.length(1);
    protocol.transport.write('still here');
    protocol.transport.loseConnection();
    await h.until(() => peer.closed, 'the other connection has ended');
    await untilLost(h, protocol);
    expect(peer.text()).to.equal('still here');
    expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
  });
}
