import { Buffer } from 'node:buffer';
import { connect as connectSocket } from 'node:net';
import { expect } from 'chai';
import { spy } from 'sinon';
import { NodePlatform } from '../../src/node/node-platform.ts';
import { ReadSlabs, SLAB_BYTES, SlabSource } from '../../src/node/read-slabs.ts';
import { listenOn, RecordingListener, until } from './harness.ts';

/** Reads as Node does: into the buffer that `onread` gives, then the callback. */
function read(source: SlabSource, data: Uint8Array): Buffer {
  const { onread } = source;
  if (typeof onread.buffer !== 'function') throw new Error('the buffer is asked for at each read');
  const buffer = onread.buffer();
  buffer.set(data);
  onread.callback(data.length, buffer);
  // It is the slab that a test asks for; all slabs are Buffers.
  return buffer as Buffer;
}

function collector(slabs: ReadSlabs): { source: SlabSource; chunks: Buffer[] } {
  const source = new SlabSource(slabs);
  const chunks: Buffer[] = [];
  source.deliverTo((data) => chunks.push(data) > 0);
  return { source, chunks };
}

describe('the slabs that sockets are read into', () => {
  const small = Buffer.from('small');
  const full = Buffer.alloc(SLAB_BYTES, 'x');
  const large = Buffer.alloc(SLAB_BYTES - 1, 'y');

  it('are one for all sockets, and what is read is copied out', () => {
    const slabs = new ReadSlabs();
    const [one, two] = [collector(slabs), collector(slabs)];
    expect(read(one.source, small)).to.equal(slabs.shared);
    expect(read(two.source, Buffer.from('other'))).to.equal(slabs.shared);
    expect(one.chunks.map(String)).to.deep.equal(['small']);
    expect(two.chunks.map(String)).to.deep.equal(['other']);
  });

  it('are a connection’s own after a read that filled one, handed over, and replaced while reads fill them', () => {
    const slabs = new ReadSlabs();
    const { source, chunks } = collector(slabs);
    expect(read(source, full)).to.equal(slabs.shared);
    expect(chunks[0]!.buffer).not.to.equal(slabs.shared.buffer);
    const first = read(source, full);
    const second = read(source, large);
    expect(first).not.to.equal(slabs.shared);
    expect(second).not.to.equal(slabs.shared);
    expect(second).not.to.equal(first);
    expect(chunks[1]!.buffer, 'handed over').to.equal(first.buffer);
    expect(chunks[2]!.buffer).to.equal(second.buffer);
    expect(chunks[2]!.length).to.equal(large.length);
    slabs.shared.fill(0);
    expect(Buffer.concat(chunks).equals(Buffer.concat([full, full, large]))).to.equal(true);
  });

  for (const [size, data] of [
    ['small', small],
    ['large', large],
  ] as const) {
    it(`are the shared one again after a ${size} read that did not fill one`, () => {
      const slabs = new ReadSlabs();
      const { source, chunks } = collector(slabs);
      read(source, full);
      expect(read(source, data)).not.to.equal(slabs.shared);
      expect(read(source, small)).to.equal(slabs.shared);
      expect(chunks.slice(1).map(String)).to.deep.equal([String(data), 'small']);
    });
  }

  it('are not kept by connections at rest', async () => {
    const { streams } = new NodePlatform();
    const { listen, listener, port } = await listenOn(streams);
    const sent = Buffer.alloc(16.5 * SLAB_BYTES);
    const peer = connectSocket(port, '127.0.0.1');
    peer.write(sent);
    await until(() => listener.handles.length === 1);
    const slabs = spy(Buffer, 'allocUnsafeSlow');
    try {
      const recorder = new RecordingListener();
      listener.handles[0]!.open(recorder);
      listener.handles[0]!.resumeReading();
      await until(() => recorder.bytes === sent.length);
      // How the bytes fall into reads is the system's affair.
      const fullReads = recorder.chunks.filter(({ length }) => length === SLAB_BYTES).length;
      expect(fullReads).to.be.greaterThan(0);
      expect(slabs.callCount, 'one made after each full read, none after another').to.equal(fullReads);
    } finally {
      slabs.restore();
      listener.handles[0]!.reset();
      peer.destroy();
      listen.close();
    }
  });

  it('do not stop the socket unless the receiver wants no more', () => {
    const source = new SlabSource(new ReadSlabs());
    source.deliverTo((data) => data.length > 1);
    const buffer = Buffer.alloc(2);
    expect(source.onread.callback(2, buffer)).to.equal(true);
    expect(source.onread.callback(1, buffer)).to.equal(false);
    let discarded = 0;
    source.discard((bytes) => (discarded += bytes));
    expect(source.onread.callback(1, buffer)).to.equal(true);
    expect(discarded).to.equal(1);
  });

  it('never mix the data of connections that are read at the same time', async () => {
    const { streams } = new NodePlatform();
    const { listen, listener, port } = await listenOn(streams);
    const connections = 10;
    const sent = Array.from({ length: connections }, (_, index) => Buffer.alloc(3_000_000 + index * 777, `${index},`));
    const peers = sent.map((data) =>
      connectSocket(port, '127.0.0.1', function (this: ReturnType<typeof connectSocket>) {
        // Small writes and large ones, so that slabs are filled, handed over and given back.
        for (let offset = 0, size = 1; offset < data.length; offset += size, size = (size * 7) % 150_001) {
          this.write(data.subarray(offset, offset + size));
        }
        this.end();
      }),
    );
    await until(() => listener.handles.length === connections);
    const recorders = listener.handles.map((handle) => {
      const recorder = new RecordingListener();
      handle.open(recorder);
      handle.resumeReading();
      return recorder;
    });
    await until(() => recorders.every(({ events }) => events.includes('end')));
    const received = recorders.map(({ chunks }) => Buffer.concat(chunks));
    for (const data of received) {
      const index = Number(data.subarray(0, 1).toString());
      expect(data.equals(sent[index]!), `connection ${index}`).to.equal(true);
    }
    expect(new Set(received.map(({ length }) => length)).size).to.equal(connections);
    for (const handle of listener.handles) handle.reset();
    for (const peer of peers) peer.destroy();
    listen.close();
  });
});
