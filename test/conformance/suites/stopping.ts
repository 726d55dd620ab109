/** What stop() and crash() of a reactor mean for its connections, attempts and ports. */
import { expect } from 'chai';
import { ConnectError, ConnectionLost, Deferred } from 'ropewalk/core';
import type { Harness, Peer } from '../harness.ts';
import { listen, nthProtocol, serve, startReactor } from '../support/connections.ts';
import { RecordingFactory } from '../support/recording-factory.ts';
import { runReactor, untilEnded } from '../support/running.ts';

export function describeStopping(harness: () => Harness): void {
  describe('a reactor that ends', () => {
    it('may be stopped by a hook when nothing else is to be done', async () => {
      const { reactor, protocol, peer } = await serve(harness(), { dataReceived: () => reactor.stop() });
      await harness().advance(0.001);
      peer.send('stop');
      await harness().until(() => protocol.isLost, 'the reactor has stopped');
    });

    it('loses every connection, attempt and port in the during phase, before run() resolves [7]', async () => {
      const { reactor, protocol, peer, factory, listeningPort, destination } = await serve(harness());
      const log: string[] = [];
      const clientFactory = new RecordingFactory();
      const connector = harness().connect(reactor, destination, clientFactory);
      reactor.addSystemEventTrigger('before', 'shutdown', () => log.push(protocol.isLost ? 'lost' : 'there'));
      reactor.addSystemEventTrigger('during', 'shutdown', () => log.push(protocol.isLost ? 'lost' : 'there'));
      reactor.addSystemEventTrigger('after', 'shutdown', () => log.push(`${factory.calls.at(-1)}`));
      reactor.stop();
      // The attempt has not begun: it would have in the turn that stops.
      await harness().until(() => log.length === 3);
      expect(log).to.deep.equal(['there', 'lost', 'stopFactory']);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionLost);
      expect(clientFactory.reasons).to.have.length(1).and.property('0').instanceOf(ConnectError);
      expect(clientFactory.calls.at(-1)).to.equal('stopFactory');
      expect(connector.state).to.equal('disconnected');
      expect(() => listeningPort.getHost()).to.throw();
      await harness().until(() => peer.closed, 'the peer has seen the end');
    });

    it('gives to the system what a delayed call has written before it stops the reactor, and a trigger before shutdown', async () => {
      const { reactor, protocol, peer } = await serve(harness());
      reactor.addSystemEventTrigger('before', 'shutdown', () => void protocol.transport.write('and goodbye'));
      reactor.callLater(0, () => {
        protocol.transport.write('one thing more, ');
        reactor.stop();
      });
      await harness().until(() => peer.closed, 'the peer has seen the end');
      expect(peer.text()).to.equal('one thing more, and goodbye');
    });

    it('loses connections that are made while triggers are waited for', async () => {
      const reactor = startReactor(harness());
      const factory = new RecordingFactory();
      const server = await harness().serve();
      const ending = new Deferred<void>();
      reactor.addSystemEventTrigger('after', 'shutdown', () => {
        harness().connect(reactor, server.destination, factory);
        return ending;
      });
      reactor.stop();
      const protocol = await nthProtocol(harness(), factory, 0);
      expect(protocol.isLost).to.equal(false);
      ending.callback(undefined);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionLost);
    });

    it('refuses or closes a flood of connections that comes while it stops, and leaves none of them', async () => {
      const h = harness();
      const reactor = h.createReactor();
      const factory = new RecordingFactory();
      const run = runReactor(reactor);
      const { destination } = await listen(h, reactor, factory);
      await h.dial(destination);
      await nthProtocol(h, factory, 0);
      const dial = async (): Promise<Peer | undefined> => h.dial(destination).catch(() => undefined);
      const ending = new Deferred<void>();
      reactor.addSystemEventTrigger('before', 'shutdown', () => ending);
      reactor.addSystemEventTrigger('during', 'shutdown', () => void flood.push(...Array.from({ length: 15 }, dial)));
      const flood = Array.from({ length: 15 }, dial);
      reactor.stop();
      await h.advance(0.001);
      flood.push(...Array.from({ length: 15 }, dial));
      ending.callback(undefined);
      await untilEnded(h, run);
      const peers = await Promise.all(flood);
      await h.until(() => peers.every((peer) => peer === undefined || peer.closed), 'nobody is left waiting');
      expect(factory.protocols.every(({ isLost }) => isLost)).to.equal(true);
      expect(reactor.inspect()).to.deep.include({ connections: [], ports: [], handshakes: [] });
    });

    it('closes ports that are opened while triggers are waited for', async () => {
      const reactor = harness().createReactor();
      const factory = new RecordingFactory();
      const run = runReactor(reactor);
      reactor.addSystemEventTrigger('after', 'shutdown', () => harness().listen(reactor, factory).whenListening());
      reactor.stop();
      await untilEnded(harness(), run);
      expect(reactor.inspect().ports).to.deep.equal([]);
    });

    it('keeps connections and ports; what happens to them meanwhile is told in order by the next run', async () => {
      const { reactor, protocol, peer, factory, destination } = await serve(harness());
      peer.send('before ');
      await harness().until(() => protocol.text === 'before ', 'the data has arrived');
      reactor.crash();
      peer.send('meanwhile');
      peer.end();
      const other = await harness().dial(destination);
      await harness().advance(0.005);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'dataReceived']);
      expect(factory.protocols).to.have.length(1);
      runReactor(reactor);
      await harness().until(() => protocol.isLost, 'the end has been told');
      expect(protocol.text).to.equal('before meanwhile');
      await nthProtocol(harness(), factory, 1);
      other.end();
    });
  });

  describe('two reactors in one process', () => {
    it('talk to each other', async () => {
      const [server, client] = [startReactor(harness()), startReactor(harness())];
      const serverFactory = RecordingFactory.withProtocol({
        dataReceived: (protocol, data) => void protocol.transport.write(data),
      });
      const clientFactory = RecordingFactory.withProtocol({
        connectionMade: (protocol) => void protocol.transport.write('ping'),
      });
      const { destination } = await listen(harness(), server, serverFactory);
      harness().connect(client, destination, clientFactory);
      const protocol = await nthProtocol(harness(), clientFactory, 0);
      await harness().until(() => protocol.text === 'ping', 'the answer has come');
      server.stop();
      await harness().until(() => protocol.isLost, 'the client has seen the server stop');
      expect(client.running).to.equal(true);
    });
  });
}
