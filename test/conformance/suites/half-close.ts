/** Connections of which one half is closed. */
import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import { ConnectionAborted, ConnectionDone, ConnectionLost } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import {
  expectReset,
  join,
  KIBIBYTE,
  MEBIBYTE,
  pattern,
  roundTrip,
  serve,
  serveHalfClose,
  skipUnless,
  takeErrors,
  untilLost,
} from '../support/connections.ts';

const HALF_CLOSED_BY_PEER = ['connectionMade', 'readConnectionLost'];
const HALF_CLOSED_BY_US = ['connectionMade', 'writeConnectionLost'];

export function describeHalfClose(harness: () => Harness): void {
  describe('half-closed connections', () => {
    describePeerFirst(harness);
    describeUsFirst(harness);
  });
}

function describePeerFirst(harness: () => Harness): void {
  describe('when the peer closes its half', () => {
    it('a plain protocol has all it wrote sent, then is lost with ConnectionDone [45]', async () => {
      const h = harness();
      const piece = pattern(256 * KIBIBYTE);
      const pieceCount = h.bulkBytes / piece.length;
      const { protocol, peer, reactor } = await serve(
        h,
        {
          connectionMade: ({ transport }) => {
            for (let count = 0; count < pieceCount; count += 1) transport.write(piece);
          },
        },
        { reading: false, allowHalfOpen: true },
      );
      peer.send('last words');
      peer.end();
      await h.until(() => protocol.transport.disconnecting, 'the FIN has come');
      await roundTrip(h, reactor);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'dataReceived']);
      expect(protocol.text).to.equal('last words');
      expect(protocol.transport.write('too late')).to.be.false;
      peer.resume();
      await untilLost(h, protocol);
      await h.until(() => peer.closed, 'both halves are closed');
      expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
      expect(peer.reset).to.be.false;
      expect(peer.received.equals(Buffer.concat(Array.from({ length: pieceCount }, () => piece)))).to.be.true;
    });

    it('a plain protocol can answer in the turn in which the last data came', async () => {
      const h = harness();
      const { protocol, peer } = await serve(
        h,
        { dataReceived: ({ transport }, data) => void transport.write(`you said ${data.toString()}`) },
        { allowHalfOpen: true },
      );
      peer.send('hello');
      peer.end();
      await untilLost(h, protocol);
      await h.until(() => peer.closed, 'both halves are closed');
      expect(peer.text()).to.equal('you said hello');
    });

    it('a protocol with readConnectionLost is told once, and goes on writing until it closes [46]', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serveHalfClose(h, {}, { allowHalfOpen: true });
      peer.send('question');
      peer.end();
      await h.until(() => protocol.calls.includes('readConnectionLost'), 'the FIN has come');
      expect(protocol.calls).to.deep.equal(['connectionMade', 'dataReceived', 'readConnectionLost']);
      await roundTrip(h, reactor);
      expect(protocol.isLost).to.be.false;
      expect(protocol.transport.connected).to.be.true;
      expect(protocol.transport.disconnecting).to.be.false;
      protocol.transport.write('an answer');
      await h.until(() => peer.text() === 'an answer', 'the answer has come');
      protocol.transport.write(', and more');
      protocol.transport.loseConnection();
      await untilLost(h, protocol);
      await h.until(() => peer.closed, 'both halves are closed');
      expect(peer.text()).to.equal('an answer, and more');
      expect(peer.reset).to.be.false;
      expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'dataReceived', 'readConnectionLost', 'connectionLost']);
    });

    it('loseConnection in readConnectionLost sends what was written, to a slow reader too', async () => {
      const h = harness();
      const bytes = pattern(8 * MEBIBYTE);
      const { protocol, peer, reactor } = await serveHalfClose(
        h,
        {
          readConnectionLost: ({ transport }) => {
            transport.write(bytes);
            transport.loseConnection();
          },
        },
        { allowHalfOpen: true, reading: false },
      );
      peer.end();
      await roundTrip(h, reactor);
      peer.resume();
      await untilLost(h, protocol);
      await h.until(() => peer.closed, 'both halves are closed');
      expect(peer.received.equals(bytes)).to.be.true;
    });

    it('loseWriteConnection in readConnectionLost closes the other half, and so the connection', async () => {
      const h = harness();
      const { protocol, peer } = await serveHalfClose(
        h,
        {
          readConnectionLost: ({ transport }) => {
            transport.write('bye');
            transport.loseWriteConnection();
          },
        },
        { allowHalfOpen: true },
      );
      peer.end();
      await untilLost(h, protocol);
      await h.until(() => peer.closed, 'both halves are closed');
      expect(protocol.calls).to.deep.equal([...HALF_CLOSED_BY_PEER, 'writeConnectionLost', 'connectionLost']);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
      expect(peer.text()).to.equal('bye');
    });

    it('abortConnection resets what is left', async () => {
      const h = harness();
      const { protocol, peer } = await serveHalfClose(h, {}, { allowHalfOpen: true });
      peer.end();
      await h.until(() => protocol.calls.length === 2, 'the FIN has come');
      protocol.transport.abortConnection();
      await untilLost(h, protocol);
      await h.until(() => peer.closed, 'the peer has seen the end');
      expect(protocol.calls).to.deep.equal([...HALF_CLOSED_BY_PEER, 'connectionLost']);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionAborted);
      expectReset(h, peer);
    });

    it('a peer that is gone after its FIN is noticed by writing', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serveHalfClose(h, {}, { allowHalfOpen: true });
      peer.end();
      await h.until(() => protocol.calls.length === 2, 'the FIN has come');
      peer.abort();
      await roundTrip(h, reactor);
      protocol.transport.write('into the void');
      await untilLost(h, protocol);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionLost);
      expect(protocol.calls).to.deep.equal([...HALF_CLOSED_BY_PEER, 'connectionLost']);
    });
  });
}

function describeUsFirst(harness: () => Harness): void {
  describe('loseWriteConnection', () => {
    it('sends what was written, then a FIN, and calls writeConnectionLost exactly once, later [44]', async () => {
      const h = harness();
      const bytes = pattern(8 * MEBIBYTE);
      const { protocol, peer, reactor } = await serveHalfClose(
        h,
        {
          connectionMade: ({ transport, calls }) => {
            transport.write(bytes);
            transport.loseWriteConnection();
            transport.loseWriteConnection();
            expect(calls).to.deep.equal(['connectionMade']);
          },
        },
        { allowHalfOpen: true, reading: false },
      );
      await roundTrip(h, reactor);
      expect(protocol.calls).to.deep.equal(['connectionMade']);
      peer.resume();
      await h.until(() => peer.ended && protocol.calls.length > 1, 'the FIN has gone and come');
      protocol.transport.loseWriteConnection();
      await roundTrip(h, reactor);
      expect(protocol.calls).to.deep.equal(HALF_CLOSED_BY_US);
      expect(protocol.transport.connected).to.be.true;
      expect(protocol.transport.disconnecting).to.be.false;
      expect(peer.received.equals(bytes)).to.be.true;
      expect(peer.closed).to.be.false;
    });

    it('leaves reading open: the peer’s answer is delivered, then the connection is lost by itself', async () => {
      const h = harness();
      const { protocol, peer } = await serveHalfClose(h, {}, { allowHalfOpen: true });
      protocol.transport.write('question');
      protocol.transport.loseWriteConnection();
      await h.until(() => peer.ended, 'the FIN has come');
      peer.send('a long ');
      peer.send('answer');
      await h.until(() => protocol.text === 'a long answer', 'the answer has come');
      expect(protocol.isLost).to.be.false;
      peer.end();
      await untilLost(h, protocol);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
      expect(protocol.calls.slice(-2)).to.deep.equal(['readConnectionLost', 'connectionLost']);
      expect(protocol.calls.filter((call) => call === 'writeConnectionLost')).to.have.length(1);
      expect(protocol.nested).to.deep.equal([]);
    });

    it('of a plain protocol does the same, and tells it nothing but the end', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serve(h, {}, { allowHalfOpen: true });
      protocol.transport.loseWriteConnection();
      await h.until(() => peer.ended, 'the FIN has come');
      peer.send('answer');
      await h.until(() => protocol.text === 'answer', 'the answer has come');
      await roundTrip(h, reactor);
      expect(protocol.isLost).to.be.false;
      peer.end();
      await untilLost(h, protocol);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'dataReceived', 'connectionLost']);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
    });

    it('by both sides closes the connection at both, cleanly', async () => {
      const h = harness();
      const { server, client } = await join(h);
      server.transport.loseWriteConnection();
      client.transport.loseWriteConnection();
      await untilLost(h, server);
      await untilLost(h, client);
      expect(server.lostBy).to.be.instanceOf(ConnectionDone);
      expect(client.lostBy).to.be.instanceOf(ConnectionDone);
    });

    it('followed by loseConnection loses the connection without waiting for the peer [44]', async () => {
      const h = harness();
      const later = await serveHalfClose(h, {}, { allowHalfOpen: true });
      later.protocol.transport.loseWriteConnection();
      await h.until(() => later.protocol.calls.length === 2, 'writeConnectionLost has been called');
      later.protocol.transport.loseConnection();
      expect(later.protocol.isLost).to.be.false;
      await untilLost(h, later.protocol);
      expect(later.protocol.calls).to.deep.equal([...HALF_CLOSED_BY_US, 'connectionLost']);
      expect(later.protocol.lostBy).to.be.instanceOf(ConnectionDone);

      const atOnce = await serveHalfClose(
        h,
        {
          connectionMade: ({ transport }) => {
            transport.write('sent');
            transport.loseWriteConnection();
            transport.loseConnection();
          },
        },
        { allowHalfOpen: true },
      );
      await untilLost(h, atOnce.protocol);
      await h.until(() => atOnce.peer.ended, 'the FIN has come');
      expect(atOnce.peer.text()).to.equal('sent');
      expect(atOnce.protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
      expect(atOnce.protocol.lostBy).to.be.instanceOf(ConnectionDone);
    });

    it('inside writeConnectionLost may be followed by loseConnection and abortConnection', async () => {
      const h = harness();
      for (const method of ['loseConnection', 'abortConnection'] as const) {
        const { protocol } = await serveHalfClose(
          h,
          {
            writeConnectionLost: ({ transport }) => {
              transport[method]();
            },
          },
          { allowHalfOpen: true },
        );
        protocol.transport.loseWriteConnection();
        await untilLost(h, protocol);
        expect(protocol.calls).to.deep.equal([...HALF_CLOSED_BY_US, 'connectionLost']);
        expect(protocol.nested).to.deep.equal([]);
      }
    });

    it('after loseConnection does nothing', async () => {
      const h = harness();
      const { protocol, peer } = await serveHalfClose(h, {
        connectionMade: ({ transport }) => {
          transport.loseConnection();
          transport.loseWriteConnection();
        },
      });
      await untilLost(h, protocol);
      await h.until(() => peer.closed, 'the peer has closed too');
      expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
    });

    it('tells a protocol that has only one of the two hooks what it can be told', async () => {
      const h = harness();
      const { protocol, peer } = await serve(h, {}, { allowHalfOpen: true });
      const log: string[] = [];
      Object.assign(protocol, { readConnectionLost: () => void log.push('readConnectionLost') });
      protocol.transport.loseWriteConnection();
      await h.until(() => peer.ended, 'the FIN has come');
      peer.end();
      await untilLost(h, protocol);
      expect(log).to.deep.equal(['readConnectionLost']);
      expect(takeErrors(h)).to.deep.equal([]);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
    });

    it('is followed by ConnectionLost if the peer resets', async function () {
      const h = harness();
      skipUnless(this, h, 'resets');
      const { protocol, peer } = await serveHalfClose(h, {}, { allowHalfOpen: true });
      protocol.transport.loseWriteConnection();
      await h.until(() => peer.ended && protocol.calls.length === 2, 'the FIN has gone and come');
      peer.abort();
      await untilLost(h, protocol);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionLost);
      expect(protocol.calls.at(-1)).to.equal('connectionLost');
    });
  });
}
