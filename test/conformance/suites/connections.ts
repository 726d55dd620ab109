/** The life of a connection: its hooks, its end, its addresses. The parts with more to say have files of their own. */
import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import { ConnectionAborted, ConnectionDone, ConnectionLost } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { hostAndPort } from '../harness/reactor-calls.ts';
import {
  expectReset,
  join,
  KIBIBYTE,
  listen,
  MEBIBYTE,
  nthProtocol,
  pattern,
  roundTrip,
  serve,
  skipUnless,
  startReactor,
  untilLost,
} from '../support/connections.ts';
import { RecordingFactory } from '../support/recording-factory.ts';
import { describeHookErrors } from './hook-errors.ts';
import { describePausing } from './pausing.ts';
import { describeReEntrancy } from './re-entrancy.ts';
import { describeWriting } from './writing.ts';

export function describeConnections(harness: () => Harness): void {
  describe('connections', () => {
    describeHooks(harness);
    describeReasons(harness);
    describeLoseConnection(harness);
    describeAbortConnection(harness);
    describeWriting(harness);
    describePausing(harness);
    describeReEntrancy(harness);
    describeHookErrors(harness);
    describeReading(harness);
    describeAddresses(harness);
    describeOptions(harness);
  });
}

function describeHooks(harness: () => Harness): void {
  describe('hooks', () => {
    it('are connectionMade first and once, then dataReceived, then connectionLost last and once [31]', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serve(h);
      expect(protocol.calls).to.deep.equal(['connectionMade']);
      peer.send('one');
      await h.until(() => protocol.text === 'one', 'the first bytes have come');
      peer.send('two');
      await h.until(() => protocol.text === 'onetwo', 'the next bytes have come');
      peer.end();
      await untilLost(h, protocol);
      await roundTrip(h, reactor);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'dataReceived', 'dataReceived', 'connectionLost']);
      expect(protocol.nested).to.deep.equal([]);
    });

    it('call connectionMade before dataReceived even if the peer has sent and closed at once', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const factory = new RecordingFactory();
      const { destination } = await listen(h, reactor, factory);
      const peer = await h.dial(destination);
      peer.send('all there is');
      peer.end();
      const protocol = await nthProtocol(h, factory, 0);
      await untilLost(h, protocol);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'dataReceived', 'connectionLost']);
      expect(protocol.text).to.equal('all there is');
    });

    it('are called in order also for connections that are reset as soon as they are made', async function () {
      const h = harness();
      skipUnless(this, h, 'resets');
      const reactor = startReactor(h);
      const factory = new RecordingFactory();
      const { destination } = await listen(h, reactor, factory);
      for (let count = 0; count < 50; count += 1) (await h.dial(destination)).abort();
      const survivor = await h.dial(destination);
      survivor.send('here');
      await h.until(() => factory.protocols.at(-1)?.text === 'here', 'the one that stays has been served');
      await h.until(() => reactor.inspect().connections.length === 1, 'the others are gone');
      for (const protocol of factory.protocols.slice(0, -1)) {
        expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
        expect(protocol.lostBy).to.be.instanceOf(ConnectionLost);
        expect(hostAndPort(protocol.transport.getPeer()).host).to.equal(hostAndPort(destination).host);
      }
    });

    it('find connected true from connectionMade until just before connectionLost, and disconnecting false', async () => {
      const h = harness();
      const seen: boolean[] = [];
      const { protocol, peer } = await serve(h, {
        connectionMade: ({ connected, transport }) => {
          seen.push(connected, transport.connected, transport.disconnecting);
        },
        connectionLost: ({ connected, transport }) => {
          seen.push(connected, transport.connected);
        },
      });
      expect(protocol.transport.connected).to.be.true;
      peer.end();
      await untilLost(h, protocol);
      expect(seen).to.deep.equal([true, true, false, false, false]);
    });
  });
}

function describeReasons(harness: () => Harness): void {
  describe('reasons', () => {
    it('are ConnectionDone when the peer closes, or this side does [32]', async () => {
      const h = harness();
      const byPeer = await serve(h);
      byPeer.peer.end();
      await untilLost(h, byPeer.protocol);
      expect(byPeer.protocol.lostBy).to.be.instanceOf(ConnectionDone);

      const byUs = await serve(h, {
        connectionMade: ({ transport }) => {
          transport.loseConnection();
        },
      });
      await untilLost(h, byUs.protocol);
      expect(byUs.protocol.lostBy).to.be.instanceOf(ConnectionDone);
    });

    it('are ConnectionLost with the code of the system when the peer resets [32]', async function () {
      const h = harness();
      skipUnless(this, h, 'resets');
      const { protocol, peer } = await serve(h);
      peer.abort();
      await untilLost(h, protocol);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionLost).and.not.instanceOf(ConnectionAborted);
      expect(protocol.lostBy).to.have.nested.property('cause.code', 'ECONNRESET');
      expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
    });

    it('are ConnectionAborted at the side that aborts, and ConnectionLost at the other [32]', async function () {
      const h = harness();
      skipUnless(this, h, 'resets');
      const { server, client, clientFactory } = await join(h);
      server.transport.abortConnection();
      await untilLost(h, server);
      await untilLost(h, client);
      expect(server.lostBy).to.be.instanceOf(ConnectionAborted);
      expect(client.lostBy).to.be.instanceOf(ConnectionLost).and.not.instanceOf(ConnectionAborted);
      expect(clientFactory.reasons).to.deep.equal([client.lostBy]);
    });

    it('are ConnectionDone at both sides of a connection that one closes', async () => {
      const h = harness();
      const { server, client, clientFactory } = await join(h);
      client.transport.loseConnection();
      await untilLost(h, server);
      await untilLost(h, client);
      expect(server.lostBy).to.be.instanceOf(ConnectionDone);
      expect(client.lostBy).to.be.instanceOf(ConnectionDone);
      expect(clientFactory.reasons).to.deep.equal([client.lostBy]);
    });

    it('come after all data when the peer sends and resets: what is delivered is a beginning of what was sent', async function () {
      const h = harness();
      skipUnless(this, h, 'resets');
      const { protocol, peer } = await serve(h);
      peer.send('last words');
      await h.until(() => protocol.text === 'last words', 'the data has come');
      peer.send('and more');
      peer.abort();
      await untilLost(h, protocol);
      expect('last wordsand more'.startsWith(protocol.text)).to.be.true;
      expect(protocol.lostBy).to.be.instanceOf(ConnectionLost);
    });
  });
}

function describeLoseConnection(harness: () => Harness): void {
  describe('loseConnection', () => {
    it('first sends all that was written, to a slow reader too, then a FIN [40]', async () => {
      const h = harness();
      const piece = pattern(MEBIBYTE);
      const { protocol, peer, reactor } = await serve(
        h,
        {
          connectionMade: ({ transport }) => {
            for (let count = 0; count < 8; count += 1) transport.write(piece);
            transport.loseConnection();
          },
        },
        { reading: false },
      );
      await roundTrip(h, reactor);
      expect(peer.ended).to.be.false;
      peer.resume();
      await untilLost(h, protocol);
      await h.until(() => peer.ended, 'the FIN has come');
      expect(peer.reset).to.be.false;
      expect(peer.received.equals(Buffer.concat(Array.from({ length: 8 }, () => piece)))).to.be.true;
      expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
    });

    it('delivers nothing from then on, inside dataReceived too [40]', async () => {
      const h = harness();
      const { protocol, peer } = await serve(
        h,
        {
          dataReceived: ({ transport }) => {
            transport.write('bye');
            transport.loseConnection();
          },
        },
        { allowHalfOpen: true },
      );
      peer.send('first');
      await h.until(() => peer.ended, 'the FIN has come');
      const before = protocol.text;
      peer.send('second');
      await untilLost(h, protocol);
      peer.end();
      await h.until(() => peer.closed, 'both halves are closed');
      expect(before).to.equal('first');
      expect(protocol.text).to.equal('first');
      expect(peer.text()).to.equal('bye');
      expect(peer.reset).to.be.false;
    });

    it('discards input while it is still sending [40]', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serve(
        h,
        {
          connectionMade: ({ transport }) => {
            transport.write(new Uint8Array(h.bulkBytes));
            transport.loseConnection();
          },
        },
        { reading: false },
      );
      peer.send('too late');
      await roundTrip(h, reactor);
      peer.resume();
      await h.until(() => peer.ended, 'the FIN has come');
      await untilLost(h, protocol);
      expect(peer.received.length).to.equal(h.bulkBytes);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
    });

    it('may be called again, and sets disconnecting at once [41]', async () => {
      const h = harness();
      const seen: boolean[] = [];
      const { protocol, peer } = await serve(h, {
        connectionMade: ({ transport, calls }) => {
          transport.loseConnection();
          seen.push(transport.disconnecting, transport.connected);
          transport.loseConnection();
          transport.stopProducing();
          expect(calls).to.deep.equal(['connectionMade']);
        },
      });
      await untilLost(h, protocol);
      protocol.transport.loseConnection();
      await h.until(() => peer.closed, 'the peer has closed too');
      expect(seen).to.deep.equal([true, true]);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
    });

    it('does not wait for the peer to close [31]', async () => {
      const h = harness();
      const { protocol, peer } = await serve(h, {}, { allowHalfOpen: true });
      protocol.transport.loseConnection();
      expect(protocol.isLost).to.be.false;
      await untilLost(h, protocol);
      await h.until(() => peer.ended, 'the FIN has come');
      expect(peer.closed).to.be.false;
    });

    it('does not let unread input turn into a reset that destroys what was sent', async () => {
      const h = harness();
      const reply = pattern(MEBIBYTE);
      const { protocol, peer, reactor } = await serve(
        h,
        {
          connectionMade: ({ transport }) => {
            transport.pauseProducing();
          },
        },
        { reading: false },
      );
      peer.send(new Uint8Array(256 * KIBIBYTE));
      await roundTrip(h, reactor);
      protocol.transport.write(reply);
      protocol.transport.loseConnection();
      await roundTrip(h, reactor);
      peer.resume();
      await h.until(() => peer.closed, 'the peer has read it all');
      expect(peer.reset).to.be.false;
      expect(peer.received.equals(reply)).to.be.true;
      expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
      expect(protocol.receivedBytes).to.equal(0);
    });

    it('keeps no reactor from stopping while the peer keeps its half open', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serve(h, {}, { allowHalfOpen: true });
      protocol.transport.loseConnection();
      await untilLost(h, protocol);
      await h.until(() => peer.ended, 'the FIN has come');
      expect(reactor.inspect().connections).to.deep.equal([]);
      let hasStopped = false;
      reactor.addSystemEventTrigger('after', 'shutdown', () => {
        hasStopped = true;
      });
      reactor.stop();
      await h.until(() => hasStopped, 'the reactor has stopped');
      expect(peer.closed).to.be.false;
      peer.end();
    });

    it('is what stopProducing is', async () => {
      const h = harness();
      const { protocol, peer } = await serve(h);
      protocol.transport.write('flushed');
      protocol.transport.stopProducing();
      await untilLost(h, protocol);
      await h.until(() => peer.closed, 'the peer has closed too');
      expect(peer.text()).to.equal('flushed');
      expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
    });

    it('gives ConnectionLost if the peer is gone before all has been sent', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serve(
        h,
        {
          connectionMade: ({ transport }) => {
            transport.write(new Uint8Array(h.bulkBytes));
            transport.loseConnection();
          },
        },
        { reading: false },
      );
      await roundTrip(h, reactor);
      expect(protocol.isLost).to.be.false;
      peer.abort();
      await untilLost(h, protocol);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionLost);
    });
  });
}

function describeAbortConnection(harness: () => Harness): void {
  describe('abortConnection', () => {
    it('drops what is unsent, resets, and loses the connection in a later turn [43]', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serve(h, {}, { reading: false });
      protocol.transport.write(new Uint8Array(h.bulkBytes));
      await roundTrip(h, reactor);
      protocol.transport.abortConnection();
      expect(protocol.isLost).to.be.false;
      expect(protocol.transport.connected).to.be.true;
      expect(protocol.transport.disconnecting).to.be.true;
      await untilLost(h, protocol);
      expect(protocol.transport.connected).to.be.false;
      expect(protocol.lostBy).to.be.instanceOf(ConnectionAborted);
      peer.resume();
      await h.until(() => peer.closed, 'the peer has seen the end');
      expectReset(h, peer);
      expect(peer.received.length).to.be.lessThan(h.bulkBytes);
    });

    it('is followed by no dataReceived, inside dataReceived too [43]', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serve(h, {
        dataReceived: ({ transport }) => {
          transport.abortConnection();
        },
      });
      peer.send(new Uint8Array(MEBIBYTE));
      await untilLost(h, protocol);
      await roundTrip(h, reactor);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'dataReceived', 'connectionLost']);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionAborted);
      expect(protocol.nested).to.deep.equal([]);
    });

    it('may be called again, before loseConnection and after it [43]', async () => {
      const h = harness();
      const twice = await serve(h, {
        connectionMade: ({ transport }) => {
          transport.abortConnection();
          transport.abortConnection();
          transport.loseConnection();
          transport.loseWriteConnection();
        },
      });
      const afterLose = await serve(h, {
        connectionMade: ({ transport }) => {
          transport.loseConnection();
          transport.abortConnection();
        },
      });
      for (const { protocol, peer } of [twice, afterLose]) {
        await untilLost(h, protocol);
        protocol.transport.abortConnection();
        await h.until(() => peer.closed, 'the peer has seen the end');
        expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
        expect(protocol.lostBy).to.be.instanceOf(ConnectionAborted);
        expectReset(h, peer);
      }
    });

    it('ends a loseConnection that waits for a slow reader', async () => {
      const h = harness();
      const { protocol, reactor } = await serve(h, {}, { reading: false });
      protocol.transport.write(new Uint8Array(h.bulkBytes));
      protocol.transport.loseConnection();
      await roundTrip(h, reactor);
      expect(protocol.isLost).to.be.false;
      protocol.transport.abortConnection();
      await untilLost(h, protocol);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionAborted);
    });
  });
}

function describeReading(harness: () => Harness): void {
  describe('reading', () => {
    it('delivers at most 65,536 bytes at a time, in order [48]', async () => {
      const h = harness();
      const { protocol, peer } = await serve(h);
      const sent = pattern(MEBIBYTE);
      peer.send(sent);
      await h.until(() => protocol.receivedBytes === sent.length, 'all has come');
      expect(Math.max(...protocol.chunks.map((chunk) => chunk.length))).to.be.at.most(65_536);
      expect(protocol.received.equals(sent)).to.be.true;
    });

    it('delivers Buffers that are the receiver’s to keep', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const factory = new RecordingFactory();
      const { destination } = await listen(h, reactor, factory);
      const peers = [await h.dial(destination), await h.dial(destination), await h.dial(destination)];
      await nthProtocol(h, factory, 2);
      // Large and small in turn, on several connections at once: memory that is reused would show.
      const pieces = [64 * KIBIBYTE, 10, 300 * KIBIBYTE, 5000, 1].map((length, index) => pattern(length, index + 1));
      for (const piece of pieces) {
        for (const peer of peers) peer.send(piece);
        await h.advance(0);
      }
      const sent = Buffer.concat(pieces);
      await h.until(
        () => factory.protocols.every((protocol) => protocol.receivedBytes === sent.length),
        'all has come on each connection',
      );
      for (const protocol of factory.protocols) expect(protocol.received.equals(sent)).to.be.true;
    });
  });
}

function describeAddresses(harness: () => Harness): void {
  describe('addresses', () => {
    it('are the peer’s seen from the other side, and stay after the loss [49]', async () => {
      const h = harness();
      const { protocol, peer, destination, factory } = await serve(h);
      const { transport } = protocol;
      const before = [transport.getHost(), transport.getPeer()];
      expect(before[0]!.equals(destination)).to.be.true;
      expect(before[0]!.equals(peer.getPeer())).to.be.true;
      expect(before[1]!.equals(peer.getHost())).to.be.true;
      expect(factory.addresses[0]!.equals(before[1])).to.be.true;
      transport.abortConnection();
      await untilLost(h, protocol);
      const after = [transport.getHost(), transport.getPeer()];
      for (const index of [0, 1]) expect(after[index]!.equals(before[index])).to.be.true;
    });

    it('of a client are those of the server, the other way round, in hooks too [49]', async () => {
      const h = harness();
      const seen: string[] = [];
      const note = ({ transport }: { transport: { getHost(): unknown; getPeer(): unknown } }): void => {
        seen.push(`${String(transport.getHost())} ${String(transport.getPeer())}`);
      };
      const { server, client, connector } = await join(h, { client: { connectionMade: note, connectionLost: note } });
      expect(client.transport.getHost().equals(server.transport.getPeer())).to.be.true;
      expect(client.transport.getPeer().equals(server.transport.getHost())).to.be.true;
      expect(connector.getDestination().equals(client.transport.getPeer())).to.be.true;
      server.transport.loseConnection();
      await untilLost(h, client);
      expect(seen).to.have.length(2);
      expect(seen[1]).to.equal(seen[0]);
    });
  });
}

function describeOptions(harness: () => Harness): void {
  describe('options of TCP', () => {
    it('are noDelay on and keepAlive off, can be set, and do nothing more after the loss', async () => {
      const h = harness();
      const { protocol, peer } = await serve(h);
      const { transport } = protocol;
      expect([transport.getTcpNoDelay(), transport.getTcpKeepAlive()]).to.deep.equal([true, false]);
      transport.setTcpNoDelay(false);
      transport.setTcpKeepAlive(true);
      expect([transport.getTcpNoDelay(), transport.getTcpKeepAlive()]).to.deep.equal([false, true]);
      transport.write('still works');
      await h.until(() => peer.text() === 'still works', 'the bytes have come');
      peer.end();
      await untilLost(h, protocol);
      transport.setTcpNoDelay(true);
      transport.setTcpKeepAlive(false);
    });
  });
}
