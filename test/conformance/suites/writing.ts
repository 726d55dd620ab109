import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import { WriteBufferLimitError } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import {
  expectReset,
  join,
  MEBIBYTE,
  pattern,
  roundTrip,
  serve,
  serveHalfClose,
  untilLost,
} from '../support/connections.ts';

const HIGH_WATER_MARK_BYTES = 65_536;
const WRITE_BUFFER_LIMIT_BYTES = 128 * MEBIBYTE;
/** Shared, and never touched: zeros are as good as anything. */
const SIXTEEN_MEBIBYTES = new Uint8Array(16 * MEBIBYTE);

const NOT_BYTES: readonly unknown[] = [
  undefined,
  null,
  42,
  true,
  {},
  [1, 2],
  new ArrayBuffer(4),
  () => 'x',
  Symbol('x'),
];

export function describeWriting(harness: () => Harness): void {
  describe('write', () => {
    it('does not send from inside, so that a peer in the same process is called later [36]', async () => {
      const h = harness();
      const log: string[] = [];
      const { server, client } = await join(h, {
        server: {
          connectionMade: ({ transport }) => {
            transport.write('a');
            log.push('written in a hook');
          },
        },
        client: { dataReceived: (_protocol, data) => void log.push(`received ${data.toString()}`) },
      });
      await h.until(() => client.text === 'a', 'the first byte has come');
      server.transport.write('b');
      log.push('written outside of a hook');
      await h.until(() => client.text === 'ab', 'the second byte has come');
      expect(log).to.deep.equal(['written in a hook', 'received a', 'written outside of a hook', 'received b']);
    });

    it('takes bytes, and strings as UTF-8', async () => {
      const h = harness();
      const { protocol, peer } = await serve(h);
      const shared = Buffer.from('--view--');
      protocol.transport.write('您好 ');
      protocol.transport.write(Buffer.from('Grüße '));
      protocol.transport.write(new Uint8Array(shared.buffer, shared.byteOffset + 2, 4));
      await h.until(() => peer.text() === '您好 Grüße view', 'all has come');
    });

    it('throws TypeError at the call for anything else, and the connection lives on [37]', async () => {
      const h = harness();
      const { protocol, peer } = await serve(h);
      for (const value of NOT_BYTES) {
        // A caller without types may pass anything.
        const notBytes = value as string;
        expect(() => protocol.transport.write(notBytes), String(value)).to.throw(TypeError, /^data must be/);
        expect(() => protocol.transport.writeSequence([notBytes]), String(value)).to.throw(TypeError, /^data must be/);
        const notIterable = value as string[];
        if (!Array.isArray(value)) {
          expect(() => protocol.transport.writeSequence(notIterable), String(value)).to.throw(TypeError);
        }
      }
      protocol.transport.write('fine');
      await h.until(() => peer.text() === 'fine', 'the bytes have come');
      peer.end();
      await untilLost(h, protocol);
      expect(() => protocol.transport.write(undefined as unknown as string)).to.throw(TypeError);
    });

    it('of nothing does nothing [37]', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serve(h, {
        connectionMade: ({ transport }) => {
          expect(transport.write('')).to.be.true;
          expect(transport.write(new Uint8Array(0))).to.be.true;
          expect(transport.writeSequence([])).to.be.true;
          expect(transport.writeSequence(['', ''])).to.be.true;
        },
      });
      await roundTrip(h, reactor);
      expect(peer.received.length).to.equal(0);
      protocol.transport.loseConnection();
      await h.until(() => peer.closed, 'the FIN has come');
      expect(peer.received.length).to.equal(0);
    });

    it('drops what comes after the connection is lost, and after loseWriteConnection [38]', async () => {
      const h = harness();
      const halfClosed = await serveHalfClose(
        h,
        {
          connectionMade: ({ transport }) => {
            transport.write('kept');
            transport.loseWriteConnection();
            expect(transport.write('dropped')).to.be.false;
            expect(transport.writeSequence(['dropped'])).to.be.false;
          },
        },
        { allowHalfOpen: true },
      );
      await h.until(() => halfClosed.peer.ended, 'the FIN has come');
      halfClosed.protocol.transport.write('dropped');
      halfClosed.peer.end();
      await h.until(() => halfClosed.peer.closed, 'both halves are closed');
      expect(halfClosed.peer.text()).to.equal('kept');

      const lost = await serve(h, {
        connectionLost: ({ transport }) => {
          expect(transport.write('dropped')).to.be.false;
        },
      });
      lost.peer.end();
      await untilLost(h, lost.protocol);
      expect(lost.protocol.transport.write('dropped')).to.be.false;
      expect(lost.protocol.transport.writeSequence(['dropped', 'too'])).to.be.false;
      await h.until(() => lost.peer.closed, 'both halves are closed');
      expect(lost.peer.text()).to.equal('');
    });

    it('drops what comes after loseConnection, in the same turn too [39]', async () => {
      const h = harness();
      const { protocol, peer } = await serve(h, {
        connectionMade: ({ transport }) => {
          transport.write('A');
          transport.loseConnection();
          expect(transport.write('B')).to.be.false;
          transport.writeSequence(['C', 'D']);
        },
      });
      protocol.transport.write('E');
      await untilLost(h, protocol);
      await h.until(() => peer.closed, 'the peer has closed too');
      expect(peer.text()).to.equal('A');
    });

    it('returns false when more than 65,536 bytes wait, and true again when they have left', async () => {
      const h = harness();
      const results: boolean[] = [];
      const { protocol, peer, reactor } = await serve(h, {
        connectionMade: ({ transport }) => {
          results.push(transport.write(new Uint8Array(HIGH_WATER_MARK_BYTES - 1)), transport.write('x'));
          results.push(transport.write('x'), transport.write('x'));
          results.push(transport.write(''), transport.writeSequence([]));
        },
      });
      await h.until(() => peer.received.length === HIGH_WATER_MARK_BYTES + 2, 'all has come');
      // That it has left may be told later than it comes.
      await roundTrip(h, reactor);
      results.push(protocol.transport.write('x'));
      expect(results).to.deep.equal([true, true, false, false, false, false, true]);
      await h.until(() => peer.received.length === HIGH_WATER_MARK_BYTES + 3, 'all has come');
      expect(protocol.transport.write(new Uint8Array(HIGH_WATER_MARK_BYTES + 1))).to.be.false;
    });

    it('keeps the order of small and large pieces, strings and bytes', async () => {
      const h = harness();
      const pieces: (string | Uint8Array)[] = [];
      for (let index = 0; index < 200; index += 1) {
        pieces.push(`piece ${index} ü `, pattern(index * 97, index + 1));
      }
      const { peer } = await serve(h, {
        connectionMade: ({ transport }) => {
          pieces.slice(0, 100).forEach((piece) => transport.write(piece));
          transport.writeSequence(new Set(pieces.slice(100)));
        },
      });
      const sent = Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
      await h.until(() => peer.received.length === sent.length, 'all has come');
      expect(peer.received.equals(sent)).to.be.true;
    });

    it('sends what connections write in turn to each its own', async () => {
      const h = harness();
      const { server, client } = await join(h);
      // Small writes of several connections share memory until they leave.
      for (let index = 0; index < 500; index += 1) {
        server.transport.write(`to the client ${index};`);
        client.transport.write(`to the server ${index};`);
      }
      const text = (to: string): string => Array.from({ length: 500 }, (_, index) => `to the ${to} ${index};`).join('');
      await h.until(() => client.text === text('client') && server.text === text('server'), 'all has come');
    });

    it('sends what one turn writes together and in order', async () => {
      const h = harness();
      const { client } = await join(h, {
        server: {
          connectionMade: ({ transport }) => {
            for (let index = 0; index < 1000; index += 1) transport.write(`${index},`);
            transport.writeSequence(['the', ' ', 'end']);
          },
        },
      });
      await h.until(() => client.text.endsWith('the end'), 'all has come');
      expect(client.chunks).to.have.length(1);
      expect(client.text.startsWith('0,1,2,3,')).to.be.true;
    });

    it('sends while the peer sends too, however much', async () => {
      const h = harness();
      const { server, client } = await join(h);
      const bytes = pattern(4 * MEBIBYTE);
      server.transport.write(bytes);
      client.transport.write(bytes);
      await h.until(
        () => server.receivedBytes === bytes.length && client.receivedBytes === bytes.length,
        'all has come at both ends',
      );
      expect(server.received.equals(bytes)).to.be.true;
      expect(client.received.equals(bytes)).to.be.true;
    });
  });

  describeWriteBufferLimit(harness);
}

/** As much as 128 MiB is written, and encrypted where streams are, on a machine that may be busy. */
const PATIENCE_MILLISECONDS = 30_000;

function describeWriteBufferLimit(harness: () => Harness): void {
  describe('the write buffer', function () {
    this.timeout(PATIENCE_MILLISECONDS);

    it('takes 128 MiB, and one byte more resets the connection with WriteBufferLimitError', async () => {
      const h = harness();
      const { protocol, peer } = await serve(
        h,
        {
          connectionMade: ({ transport, calls }) => {
            for (let count = 0; count < 8; count += 1) transport.write(SIXTEEN_MEBIBYTES);
            expect(transport.disconnecting).to.be.false;
            expect(transport.write('x')).to.be.false;
            expect(transport.disconnecting).to.be.true;
            expect(calls).to.deep.equal(['connectionMade']);
          },
        },
        { reading: false },
      );
      await untilLost(h, protocol);
      expect(protocol.lostBy).to.be.instanceOf(WriteBufferLimitError);
      expect(protocol.lostBy).to.include({
        code: 'ERR_WRITE_BUFFER_LIMIT',
        bufferedBytes: WRITE_BUFFER_LIMIT_BYTES + 1,
        limitBytes: WRITE_BUFFER_LIMIT_BYTES,
      });
      peer.resume();
      await h.until(() => peer.closed, 'the peer has seen the end');
      expectReset(h, peer);
    });

    it('counts what has been given to the system and has not left', async () => {
      const h = harness();
      const { protocol, reactor } = await serve(h, {}, { reading: false });
      for (let count = 0; count < 8; count += 1) protocol.transport.write(SIXTEEN_MEBIBYTES);
      await roundTrip(h, reactor);
      expect(protocol.isLost).to.be.false;
      protocol.transport.write('x');
      await untilLost(h, protocol);
      expect(protocol.lostBy).to.be.instanceOf(WriteBufferLimitError);
    });
  });
}
