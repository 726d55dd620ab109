/** What is peculiar to UNIX sockets; that they are streams like others is put to them by the suites about streams. */
import { expect } from 'chai';
import { ConnectionAborted, ConnectionDone, UNIXAddress } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { pathOf } from '../harness/reactor-calls.ts';
import {
  join,
  listen,
  MEBIBYTE,
  nthProtocol,
  pattern,
  serve,
  serveHalfClose,
  startReactor,
  untilLost,
} from '../support/connections.ts';
import { RecordingFactory } from '../support/recording-factory.ts';
import type { Hooks } from '../support/recording-protocol.ts';

export function describeUNIX(harness: () => Harness): void {
  describe('connections over UNIX sockets', () => {
    it('know the path at both ends, and no name of the end that connected', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const serverFactory = new RecordingFactory();
      const { listeningPort, destination } = await listen(h, reactor, serverFactory);
      const clientFactory = new RecordingFactory();
      const connector = reactor.connectUNIX(pathOf(destination), clientFactory);
      const client = await nthProtocol(h, clientFactory, 0);
      const server = await nthProtocol(h, serverFactory, 0);
      const named = new UNIXAddress(pathOf(destination));
      const unnamed = new UNIXAddress(undefined);
      expect(listeningPort.getHost()).to.deep.equal(named);
      expect(connector.getDestination()).to.deep.equal(named);
      expect(client.transport.getPeer()).to.deep.equal(named);
      expect(client.transport.getHost()).to.deep.equal(unnamed);
      expect(server.transport.getHost()).to.deep.equal(named);
      expect(server.transport.getPeer()).to.deep.equal(unnamed);
      expect(serverFactory.addresses).to.deep.equal([unnamed]);
      expect(clientFactory.addresses).to.deep.equal([named]);
    });

    it('are told apart, many of them on one socket', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const echo: Hooks = { dataReceived: ({ transport }, data) => void transport.write(data) };
      const { destination } = await listen(h, reactor, RecordingFactory.withProtocol(echo));
      const clients = RecordingFactory.withProtocol({
        connectionMade: ({ transport }) => void transport.write(`I am ${clients.protocols.length}`),
      });
      for (let count = 0; count < 20; count += 1) h.connect(reactor, destination, clients);
      const texts = (): string[] => clients.protocols.map(({ text }) => text);
      await h.until(() => texts().filter((text) => text !== '').length === 20, 'each has its answer');
      expect(new Set(texts()).size).to.equal(20);
    });

    it('end at once when they are aborted, with nothing sent of what waits; there is no reset, so the peer sees an end', async () => {
      const h = harness();
      const { client, server } = await join(h);
      server.transport.pauseProducing();
      client.transport.write(pattern(8 * MEBIBYTE));
      client.transport.abortConnection();
      await untilLost(h, client);
      expect(client.lostBy).to.be.instanceOf(ConnectionAborted);
      server.transport.resumeProducing();
      await untilLost(h, server);
      expect(server.receivedBytes).to.be.lessThan(8 * MEBIBYTE);
    });

    describe('whose peer closes both halves at once end in order', () => {
      it('where nothing was said', async () => {
        const h = harness();
        const { protocol, peer } = await serve(h);
        peer.abort();
        await untilLost(h, protocol);
        expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
        expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
      });

      it('after what the peer has said', async () => {
        const h = harness();
        const { protocol, peer } = await serve(h);
        peer.send('hello');
        await h.until(() => protocol.text === 'hello', 'it has arrived');
        peer.abort();
        await untilLost(h, protocol);
        expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
      });

      it('after what the peer has been told', async () => {
        const h = harness();
        const { protocol, peer } = await serve(h, {
          dataReceived: ({ transport }, data) => void transport.write(`you said ${data.toString()}`),
        });
        peer.send('hello');
        await h.until(() => peer.text() === 'you said hello', 'the answer has arrived');
        peer.abort();
        await untilLost(h, protocol);
        expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
      });

      it('where it is the reactor that has connected', async () => {
        const h = harness();
        const server = await h.serve();
        const factory = new RecordingFactory();
        h.connect(startReactor(h), server.destination, factory);
        const client = await nthProtocol(h, factory, 0);
        (await server.accept()).abort();
        await untilLost(h, client);
        expect(client.lostBy).to.be.instanceOf(ConnectionDone);
      });

      it('for a protocol that is told of halves, when it closes its own', async () => {
        const h = harness();
        const { protocol, peer } = await serveHalfClose(h, {
          readConnectionLost: ({ transport }) => transport.loseConnection(),
        });
        peer.abort();
        await untilLost(h, protocol);
        expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
        expect(protocol.calls).to.deep.equal(['connectionMade', 'readConnectionLost', 'connectionLost']);
      });
    });
  });
}
