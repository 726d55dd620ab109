import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import fc from 'fast-check';
import { OutgoingSlab } from '../../src/reactor/outgoing-slab.ts';
import { WriteBuffer } from '../../src/reactor/write-buffer.ts';

const BIG = 4097;

function makeBuffer(): WriteBuffer {
  return new WriteBuffer(new OutgoingSlab());
}

describe('OutgoingSlab', () => {
  it('places small writes one behind the other', () => {
    const slab = new OutgoingSlab();
    expect(slab.place('ab')).to.equal(2);
    expect(slab.place(Buffer.from('cde'))).to.equal(3);
    expect(slab.place('您')).to.equal(3);
    expect(slab.used).to.equal(8);
    expect(slab.memory.subarray(0, slab.used).toString()).to.equal('abcde您');
  });

  it('takes new memory when there may be no room, and never touches the old again', () => {
    const slab = new OutgoingSlab();
    const old = slab.memory;
    while (slab.memory === old) expect(slab.place(Buffer.alloc(1000, 7))).to.equal(1000);
    expect(slab.used).to.equal(1000);
    const before = Buffer.from(old);
    for (let count = 0; count < 200; count += 1) slab.place(Buffer.alloc(1000, 8));
    expect(old.equals(before)).to.equal(true);
  });

  it('refuses what is too long to be copied', () => {
    const slab = new OutgoingSlab();
    expect(slab.place(Buffer.alloc(BIG))).to.equal(-1);
    expect(slab.place('x'.repeat(BIG))).to.equal(-1);
    expect(slab.used).to.equal(0);
    expect(slab.place(Buffer.alloc(BIG - 1))).to.equal(BIG - 1);
  });
});

describe('WriteBuffer', () => {
  it('makes one chunk of small writes that follow each other', () => {
    const buffer = makeBuffer();
    for (const piece of ['+PONG\r\n', Buffer.from('$3\r\n'), 'end']) buffer.add(piece);
    expect(buffer.bytes).to.equal(14);
    expect(buffer.take().map(String)).to.deep.equal(['+PONG\r\n$3\r\nend']);
  });

  it('makes chunks of their own when another connection wrote in between', () => {
    const slab = new OutgoingSlab();
    const [one, other] = [new WriteBuffer(slab), new WriteBuffer(slab)];
    one.add('a');
    other.add('b');
    one.add('c');
    other.add('d');
    expect(one.take().map(String)).to.deep.equal(['a', 'c']);
    expect(other.take().map(String)).to.deep.equal(['b', 'd']);
  });

  it('does not copy big pieces, and keeps them in their place', () => {
    const buffer = makeBuffer();
    const big = Buffer.alloc(BIG, 'x');
    buffer.add('before');
    buffer.add(big);
    buffer.add('after');
    const chunks = buffer.take();
    expect(chunks).to.have.length(3);
    expect(chunks[1]).to.equal(big);
    expect(String(chunks[0]) + String(chunks[2])).to.equal('beforeafter');
  });

  it('copies small pieces, so that they may be changed at once', () => {
    const buffer = makeBuffer();
    const piece = Buffer.from('abc');
    buffer.add(piece);
    piece.fill('x');
    expect(buffer.take().map(String)).to.deep.equal(['abc']);
  });

  it('takes nothing for a piece without bytes', () => {
    const buffer = makeBuffer();
    buffer.add('');
    buffer.add(new Uint8Array(0));
    expect(buffer.bytes).to.equal(0);
    expect(buffer.hasChunks).to.equal(false);
    expect(buffer.take()).to.deep.equal([]);
  });

  it('counts what has been taken until it has left', () => {
    const buffer = makeBuffer();
    buffer.add('abc');
    buffer.take();
    expect([buffer.bytes, buffer.hasChunks, buffer.isTaken]).to.deep.equal([3, false, true]);
    buffer.add('de');
    expect([buffer.bytes, buffer.hasChunks, buffer.isTaken]).to.deep.equal([5, true, true]);
    buffer.left();
    expect([buffer.bytes, buffer.hasChunks, buffer.isTaken]).to.deep.equal([2, true, false]);
    expect(buffer.take().map(String)).to.deep.equal(['de']);
  });

  it('drops everything when it is cleared', () => {
    const buffer = makeBuffer();
    buffer.add('abc');
    buffer.take();
    buffer.add('de');
    buffer.clear();
    expect([buffer.bytes, buffer.hasChunks, buffer.isTaken]).to.deep.equal([0, false, false]);
    buffer.add('f');
    expect(buffer.take().map(String)).to.deep.equal(['f']);
  });

  it('gives out all that was written, in order, unchanged until it has left', () => {
    const piece = fc.oneof(
      { weight: 6, arbitrary: fc.uint8Array({ maxLength: 40 }) },
      { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
      {
        weight: 2,
        arbitrary: fc
          .record({ length: fc.integer({ min: 3000, max: 9000 }), byte: fc.nat(255) })
          .map(({ length, byte }) => new Uint8Array(length).fill(byte)),
      },
    );
    const step = fc.record({ connection: fc.nat(2), piece, takes: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const slab = new OutgoingSlab();
        const connections = [0, 1, 2].map(() => ({
          buffer: new WriteBuffer(slab),
          written: [] as Buffer[],
          taken: [] as Uint8Array[],
        }));
        for (const { connection: number, piece: data, takes } of steps) {
          const connection = connections[number]!;
          connection.buffer.add(data);
          connection.written.push(typeof data === 'string' ? Buffer.from(data) : Buffer.from(data));
          if (!takes) continue;
          connection.taken.push(...connection.buffer.take());
          connection.buffer.left();
        }
        for (const { buffer, written, taken } of connections) {
          // The chunks are looked at only now: what was written later must not have changed them.
          const all = Buffer.concat([...taken, ...buffer.take()]);
          expect(all.equals(Buffer.concat(written))).to.equal(true);
        }
      }),
      { numRuns: 200 },
    );
  });
});
