import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import {
  ConnectionDone,
  ConnectionLost,
  WebStreamProtocol,
  type WebStreamOptions,
  WriteBufferLimitError,
} from 'ropewalk/core';
import { type ScriptedPeer, type ScriptedPeerOptions, TestReactor } from 'ropewalk/testing';

interface Served {
  readonly reactor: TestReactor;
  readonly streams: WebStreamProtocol;
  readonly peer: ScriptedPeer;
}

async function serve(options: WebStreamOptions = {}, peerOptions: ScriptedPeerOptions = {}): Promise<Served> {
  const reactor = new TestReactor();
  const streams = new WebStreamProtocol(options);
  const port = reactor.listenTCP(7, { buildProtocol: () => streams, doStart() {}, doStop() {} });
  const peer = reactor.dial(7, peerOptions);
  await reactor.advanceAsync(0);
  void port.stopListening();
  await reactor.advanceAsync(0);
  return { reactor, streams, peer };
}

/** How a promise has ended by now. */
async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  return Promise.race([promise.catch((error: unknown) => error), Promise.resolve().then(() => 'pending')]);
}

describe('WebStreamProtocol', () => {
  let served: Served;

  afterEach(async () => {
    served.streams.transport.abortConnection();
    await served.reactor.advanceAsync(0);
    served.reactor.assertClean();
  });

  it('carries bytes both ways, and each end', async () => {
    served = await serve();
    const { reactor, streams, peer } = served;
    const reader = streams.readable.getReader();
    const writer = streams.writable.getWriter();
    peer.send('hello');
    await reactor.advanceAsync(0);
    expect(Buffer.from((await reader.read()).value!).toString()).to.equal('hello');
    void writer.write(Buffer.from('good '));
    void writer.write('文');
    const closed = writer.close();
    await reactor.advanceAsync(0);
    await closed;
    expect(peer.text()).to.equal('good 文');
    expect(peer.ended).to.be.true;
    expect((await reader.read()).done).to.be.true;
    await streams.closed;
  });

  it('is piped as other streams are', async () => {
    served = await serve();
    const { reactor, streams, peer } = served;
    const upper = new TransformStream<string, string>({
      transform: (chunk, controller) => controller.enqueue(chunk.toUpperCase()),
    });
    const decoded = streams.readable.pipeThrough<string>(new TextDecoderStream());
    const piped = decoded.pipeThrough(upper).pipeTo(streams.writable);
    peer.send('one ');
    await reactor.advanceAsync(0);
    peer.send('two');
    peer.end();
    for (let round = 0; round < 10; round += 1) await reactor.advanceAsync(0);
    await piped;
    expect(peer.text()).to.equal('ONE TWO');
    await streams.closed;
  });

  it('pauses the transport when nobody reads', async () => {
    served = await serve({ highWaterMark: 1000 });
    const { reactor, streams, peer } = served;
    peer.send(new Uint8Array(200_000));
    peer.end();
    await reactor.advanceAsync(0);
    let received = 0;
    const dataReceived = streams.dataReceived.bind(streams);
    streams.dataReceived = (data) => {
      received += data.length;
      dataReceived(data);
    };
    await reactor.advanceAsync(1);
    expect(received).to.equal(0);
    let bytes = 0;
    const reading = (async () => {
      for await (const chunk of streams.readable as unknown as AsyncIterable<Uint8Array>) bytes += chunk.length;
    })();
    for (let round = 0; round < 20; round += 1) await reactor.advanceAsync(0);
    await reading;
    expect(bytes).to.equal(200_000);
  });

  it('fulfils a write when its bytes have left, and not before', async () => {
    served = await serve({}, { reading: false });
    const { reactor, streams, peer } = served;
    const writer = streams.writable.getWriter();
    const reused = new Uint8Array(300_000).fill(1);
    const written = writer.write(reused);
    await reactor.advanceAsync(1);
    expect(await outcomeOf(written)).to.equal('pending');
    expect(writer.desiredSize).to.be.below(0);
    peer.resume();
    await reactor.advanceAsync(2);
    await written;
    reused.fill(2);
    expect(peer.received.every((byte) => byte === 1)).to.be.true;
    expect(peer.received.length).to.equal(300_000);
    expect(writer.desiredSize).to.be.above(0);
  });

  it('discards what comes when the reading end is cancelled, and is over when it is closed as well', async () => {
    served = await serve({}, { allowHalfOpen: true });
    const { reactor, streams, peer } = served;
    const writer = streams.writable.getWriter();
    await streams.readable.cancel();
    peer.send(new Uint8Array(500_000));
    void writer.write('not listening');
    await reactor.advanceAsync(1);
    expect(peer.text()).to.equal('not listening');
    const closed = writer.close();
    await reactor.advanceAsync(0);
    await closed;
    expect(peer.ended).to.be.true;
    await streams.closed;
    peer.end();
  });

  it('is over when the reading end is cancelled after the other was closed', async () => {
    served = await serve({}, { allowHalfOpen: true });
    const { reactor, streams, peer } = served;
    const closed = streams.writable.close();
    await reactor.advanceAsync(0);
    await closed;
    expect(streams.connected).to.be.true;
    await streams.readable.cancel();
    await reactor.advanceAsync(0);
    await streams.closed;
    peer.end();
  });

  it('aborts the connection when the writing end is aborted, in the middle of a write too', async () => {
    for (const isWriting of [false, true]) {
      served = await serve({}, { reading: false });
      const { reactor, streams, peer } = served;
      const writer = streams.writable.getWriter();
      const written = isWriting ? writer.write(new Uint8Array(1_000_000)) : Promise.resolve();
      written.catch(() => undefined);
      await reactor.advanceAsync(0);
      const aborted = writer.abort(new Error('enough'));
      await reactor.advanceAsync(0);
      await aborted;
      peer.resume();
      await reactor.advanceAsync(20);
      expect(peer.reason?.value).to.be.instanceOf(ConnectionLost);
      expect(await outcomeOf(streams.closed)).to.have.property('name', 'ConnectionAborted');
      expect(await outcomeOf(streams.readable.getReader().read())).to.have.property('name', 'ConnectionAborted');
      reactor.assertClean();
    }
  });

  it('fails both streams when the connection is lost', async () => {
    served = await serve({}, { reading: false });
    const { reactor, streams, peer } = served;
    const reader = streams.readable.getReader();
    const writer = streams.writable.getWriter();
    const reading = reader.read();
    const writing = writer.write(new Uint8Array(1_000_000));
    const queued = writer.write('behind it');
    for (const promise of [reading, writing, queued]) promise.catch(() => undefined);
    await reactor.advanceAsync(0);
    peer.abort();
    await reactor.advanceAsync(0);
    for (const promise of [reading, writing, queued, streams.closed]) {
      expect(await outcomeOf(promise)).to.be.instanceOf(ConnectionLost);
    }
  });

  it('fails only the writing end when somebody else closes the transport', async () => {
    served = await serve();
    const { reactor, streams } = served;
    const reader = streams.readable.getReader();
    const writer = streams.writable.getWriter();
    streams.transport.loseConnection();
    await reactor.advanceAsync(0);
    expect((await reader.read()).done).to.be.true;
    expect(await outcomeOf(writer.write('too late'))).to.be.instanceOf(ConnectionDone);
    await streams.closed;
  });

  it('writes what was written before there was a connection, and aborts one that is not wanted any more', async () => {
    const reactor = new TestReactor();
    const early = new WebStreamProtocol();
    const unwanted = new WebStreamProtocol();
    void early.writable.getWriter().write('early');
    unwanted.writable.abort().catch(() => undefined);
    const protocols = [early, unwanted];
    const port = reactor.listenTCP(7, { buildProtocol: () => protocols.shift()!, doStart() {}, doStop() {} });
    const peers = [reactor.dial(7), reactor.dial(7)];
    await reactor.advanceAsync(0);
    expect(peers[0]!.text()).to.equal('early');
    expect(peers[1]!.reason?.value).to.be.instanceOf(ConnectionLost);
    void port.stopListening();
    served = { reactor, streams: early, peer: peers[0]! };
  });

  describe('beyond the write-buffer limit', () => {
    it('fails what is written, and aborts the connection', async () => {
      served = await serve({ highWaterMark: 1000, writeBufferLimit: 10_000 }, { reading: false });
      const { reactor, streams } = served;
      const writer = streams.writable.getWriter();
      writer.closed.catch(() => undefined);
      const outcomes: unknown[] = [];
      for (let count = 0; count < 300; count += 1) {
        void writer.write(new Uint8Array(1000)).catch((error: unknown) => outcomes.push(error));
      }
      await reactor.advanceAsync(0);
      expect(outcomes).to.have.length(300);
      expect(outcomes.at(-1)).to.be.instanceOf(WriteBufferLimitError).and.include({ limitBytes: 10_000 });
      expect(outcomes.at(-1)).to.include({ bufferedBytes: 12_000 });
      expect(await outcomeOf(streams.closed)).to.have.property('name', 'ConnectionAborted');
    });

    it('does so while there is no connection yet, too', async () => {
      served = await serve();
      const streams = new WebStreamProtocol({ highWaterMark: 1000, writeBufferLimit: 10_000 });
      const writer = streams.writable.getWriter();
      writer.closed.catch(() => undefined);
      const writing = Array.from({ length: 12 }, () => writer.write('x'.repeat(1000)));
      await served.reactor.advanceAsync(0);
      const outcomes = await Promise.all(writing.map(outcomeOf));
      expect(outcomes).to.have.length(12);
      for (const outcome of outcomes) expect(outcome).to.be.instanceOf(WriteBufferLimitError);
    });

    it('does not count the largest write, and counts anew when all has left', async () => {
      served = await serve({ highWaterMark: 1000, writeBufferLimit: 10_000 });
      const { reactor, streams, peer } = served;
      const writer = streams.writable.getWriter();
      const sizes = [4, 50_000, 9000];
      for (let round = 0; round < 2; round += 1) {
        const writing = sizes.map((size) => writer.write(new Uint8Array(size)));
        await reactor.advanceAsync(1);
        await Promise.all(writing);
      }
      expect(peer.received.length).to.equal(2 * 59_004);
    });

    it('has the limit of the connection, if it has none of its own', async () => {
      served = await serve();
      const { reactor } = served;
      const streams = new WebStreamProtocol();
      const factory = { buildProtocol: () => streams, doStart() {}, doStop() {} };
      const port = reactor.listenTCP(8, factory, { writeBufferLimit: 200_000 });
      reactor.dial(8, { reading: false });
      await reactor.advanceAsync(0);
      const writer = streams.writable.getWriter();
      writer.closed.catch(() => undefined);
      const writing = [1, 2, 3, 4].map(() => writer.write(new Uint8Array(100_000)));
      for (const written of writing) written.catch(() => undefined);
      await reactor.advanceAsync(0);
      expect(await outcomeOf(writing[3]!)).to.be.instanceOf(WriteBufferLimitError);
      void port.stopListening();
    });

    it('does not count what is refused because it was closed before', async () => {
      served = await serve({ highWaterMark: 1000, writeBufferLimit: 10_000 }, { reading: false, window: 4096 });
      const { reactor, streams, peer } = served;
      const writer = streams.writable.getWriter();
      const writing = Array.from({ length: 10 }, () => writer.write(new Uint8Array(1000)));
      const closed = writer.close();
      const refused = Array.from({ length: 100 }, () => writer.write(new Uint8Array(1000)));
      const outcomes = await Promise.all(refused.map(outcomeOf));
      expect(new Set(outcomes.map((outcome) => (outcome as Error).name))).to.deep.equal(new Set(['TypeError']));
      await reactor.advanceAsync(0);
      peer.resume();
      await reactor.advanceAsync(1);
      await Promise.all([...writing, closed]);
      expect(peer.received.length).to.equal(10_000);
      peer.end();
      await reactor.advanceAsync(0);
      await streams.closed;
    });

    it('counts what one writer has left for the next, and nothing of a writer that was released', async () => {
      served = await serve({ highWaterMark: 1000, writeBufferLimit: 10_000 }, { reading: false });
      const { streams } = served;
      const first = streams.writable.getWriter();
      const writing = Array.from({ length: 10 }, () => first.write(new Uint8Array(1000)));
      first.closed.catch(() => undefined);
      first.releaseLock();
      expect(await outcomeOf(first.write('no more'))).to.be.instanceOf(TypeError);
      const next = streams.writable.getWriter();
      next.closed.catch(() => undefined);
      writing.push(next.write(new Uint8Array(1000)), next.write(new Uint8Array(1000)));
      await served.reactor.advanceAsync(0);
      const outcomes = await Promise.all(writing.map(outcomeOf));
      expect(outcomes.at(-1)).to.be.instanceOf(WriteBufferLimitError);
    });

    it('has a limit that is checked', async () => {
      served = await serve();
      expect(() => new WebStreamProtocol({ writeBufferLimit: 1 })).to.throw(RangeError, 'writeBufferLimit');
    });
  });

  it('tells of a reactor that drains, and lives on until it is closed', async () => {
    served = await serve();
    const { reactor, streams, peer } = served;
    expect(streams.draining.aborted).to.be.false;
    const writer = streams.writable.getWriter();
    streams.draining.addEventListener('abort', () => {
      void writer.write('goodbye');
      void writer.close();
    });
    reactor.stop({ drainSeconds: 60 });
    await reactor.advanceAsync(1);
    expect(streams.draining.aborted).to.be.true;
    expect(peer.text()).to.equal('goodbye');
    expect(reactor.running).to.be.false;
    await streams.closed;
  });

  it('refuses chunks that are no bytes, and options that cannot be', async () => {
    served = await serve();
    const writing = served.streams.writable.getWriter().write({ byteLength: 1 } as Uint8Array);
    writing.catch(() => undefined);
    await served.reactor.advanceAsync(0);
    expect(await outcomeOf(writing)).to.be.instanceOf(TypeError);
    expect(() => new WebStreamProtocol({ highWaterMark: 0 })).to.throw(RangeError);
    expect(() => new WebStreamProtocol({ size: 1 } as object)).to.throw(TypeError);
  });
});
