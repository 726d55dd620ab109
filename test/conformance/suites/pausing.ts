import { expect } from 'chai';
import { ConnectionAborted, ConnectionDone, ConnectionLost } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import {
  expectReset,
  MEBIBYTE,
  pattern,
  roundTrip,
  serve,
  serveHalfClose,
  skipUnless,
  untilLost,
} from '../support/connections.ts';
import type { Hooks } from '../support/recording-protocol.ts';

const PAUSED_FROM_THE_START: Hooks = {
  connectionMade: ({ transport }) => {
    transport.pauseProducing();
  },
};

export function describePausing(harness: () => Harness): void {
  describe('pauseProducing', () => {
    it('holds data and FIN until resumeProducing, which delivers them in order [47]', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serve(h, PAUSED_FROM_THE_START);
      peer.send('data');
      peer.end();
      await roundTrip(h, reactor);
      expect(protocol.calls).to.deep.equal(['connectionMade']);
      protocol.transport.resumeProducing();
      expect(protocol.calls).to.deep.equal(['connectionMade']);
      await untilLost(h, protocol);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'dataReceived', 'connectionLost']);
      expect(protocol.text).to.equal('data');
      expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
    });

    it('holds a FIN for a protocol that lives on half-closed, too [47]', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serveHalfClose(h, PAUSED_FROM_THE_START);
      peer.end();
      await roundTrip(h, reactor);
      expect(protocol.calls).to.deep.equal(['connectionMade']);
      protocol.transport.resumeProducing();
      await h.until(() => protocol.calls.length > 1, 'the FIN has come');
      expect(protocol.calls).to.deep.equal(['connectionMade', 'readConnectionLost']);
    });

    it('holds a reset behind the data that came before it', async function () {
      const h = harness();
      skipUnless(this, h, 'resets');
      const { protocol, peer, reactor } = await serve(h, PAUSED_FROM_THE_START);
      peer.send('data');
      await roundTrip(h, reactor);
      peer.abort();
      await roundTrip(h, reactor);
      expect(protocol.calls).to.deep.equal(['connectionMade']);
      protocol.transport.resumeProducing();
      await untilLost(h, protocol);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'dataReceived', 'connectionLost']);
      expect(protocol.text).to.equal('data');
      expect(protocol.lostBy).to.be.instanceOf(ConnectionLost);
    });

    it('inside dataReceived delivers nothing more until resumed, and loses nothing', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serve(h, {
        dataReceived: ({ transport }) => {
          transport.pauseProducing();
        },
      });
      const sent = pattern(MEBIBYTE);
      peer.send(sent);
      peer.end();
      await h.until(() => protocol.chunks.length === 1, 'the first chunk has come');
      await roundTrip(h, reactor);
      expect(protocol.chunks).to.have.length(1);
      while (!protocol.isLost) {
        const before = protocol.calls.length;
        protocol.transport.resumeProducing();
        await h.until(() => protocol.calls.length > before, 'the next chunk, or the end, has come');
        expect(protocol.calls.length).to.equal(before + 1);
      }
      expect(protocol.received.equals(sent)).to.be.true;
      expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
    });

    it('taken back inside the same hook changes nothing', async () => {
      const h = harness();
      const toggle: Hooks['connectionMade'] = ({ transport }) => {
        transport.pauseProducing();
        transport.resumeProducing();
        transport.pauseProducing();
        transport.pauseProducing();
        transport.resumeProducing();
      };
      const { protocol, peer } = await serve(h, { connectionMade: toggle, dataReceived: toggle });
      const sent = pattern(MEBIBYTE);
      peer.send(sent);
      peer.end();
      await untilLost(h, protocol);
      expect(protocol.received.equals(sent)).to.be.true;
      expect(protocol.nested).to.deep.equal([]);
    });

    it('and resumeProducing may come from delayed calls, any number of times', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serve(h, {
        dataReceived: ({ transport }) => {
          transport.pauseProducing();
          reactorOf().callLater(0, () => {
            transport.resumeProducing();
          });
        },
      });
      const reactorOf = (): typeof reactor => reactor;
      const sent = pattern(MEBIBYTE);
      peer.send(sent);
      await h.until(() => protocol.receivedBytes === sent.length, 'all has come');
      expect(protocol.received.equals(sent)).to.be.true;
    });

    it('does not keep from writing', async () => {
      const h = harness();
      const { protocol, peer } = await serve(h, PAUSED_FROM_THE_START);
      protocol.transport.write('out');
      await h.until(() => peer.text() === 'out', 'the bytes have come');
    });

    it('ends with loseConnection, which sends what is written and discards what is unread', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serve(h, PAUSED_FROM_THE_START);
      peer.send('unread');
      await roundTrip(h, reactor);
      protocol.transport.write('written');
      protocol.transport.loseConnection();
      await untilLost(h, protocol);
      await h.until(() => peer.closed, 'the peer has closed too');
      expect(peer.text()).to.equal('written');
      expect(peer.reset).to.be.false;
      expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
    });

    it('after loseConnection does not hold the loss back, and resumeProducing delivers nothing [47]', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serve(h, {
        connectionMade: ({ transport }) => {
          transport.loseConnection();
          transport.pauseProducing();
        },
      });
      peer.send('unread');
      await untilLost(h, protocol);
      protocol.transport.resumeProducing();
      await roundTrip(h, reactor);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
    });

    it('ends with abortConnection', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serve(h, PAUSED_FROM_THE_START);
      peer.send('unread');
      await roundTrip(h, reactor);
      protocol.transport.abortConnection();
      await untilLost(h, protocol);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionAborted);
      await h.until(() => peer.closed, 'the peer has seen the end');
      expectReset(h, peer);
    });

    it('ends with a write that fails', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serve(h, PAUSED_FROM_THE_START);
      peer.send('unread');
      await roundTrip(h, reactor);
      peer.abort();
      await roundTrip(h, reactor);
      expect(protocol.isLost).to.be.false;
      protocol.transport.write('into the void');
      await untilLost(h, protocol);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionLost);
    });

    it('ends with loseWriteConnection on both halves only once the FIN has been read', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serveHalfClose(h, PAUSED_FROM_THE_START);
      protocol.transport.loseWriteConnection();
      await h.until(() => peer.closed, 'the peer has closed too');
      await roundTrip(h, reactor);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'writeConnectionLost']);
      protocol.transport.resumeProducing();
      await untilLost(h, protocol);
      expect(protocol.calls).to.deep.equal([
        'connectionMade',
        'writeConnectionLost',
        'readConnectionLost',
        'connectionLost',
      ]);
    });
  });
}
