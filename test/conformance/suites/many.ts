/** What many connections leave behind: nothing. */
import { expect } from 'chai';
import type { Harness, Peer } from '../harness.ts';
import { listen, settled, startReactor } from '../support/connections.ts';
import { RecordingFactory } from '../support/recording-factory.ts';
import type { RecordingProtocol } from '../support/recording-protocol.ts';

/** Opened at once; below the default backlog. */
const BATCH_SIZE = 50;
const TIME_LIMIT_MILLISECONDS = 60_000;

/** The ways in which the connections end, in turn. */
const ENDINGS: readonly ((protocol: RecordingProtocol, peer: Peer) => void)[] = [
  (_protocol, peer) => peer.end(),
  ({ transport }) => transport.loseConnection(),
  (_protocol, peer) => peer.abort(),
  ({ transport }) => transport.abortConnection(),
  ({ transport }) => {
    transport.write('bye');
    transport.loseConnection();
  },
];

export function describeMany(harness: () => Harness): void {
  describe('many connections', () => {
    it('opened and closed leave no connection, timer, port or handle behind', async function () {
      this.timeout(TIME_LIMIT_MILLISECONDS);
      const h = harness();
      expect(h.openHandleCount).to.equal(0);
      const listenersBefore = process.eventNames().map((event) => process.listenerCount(event));
      const reactor = startReactor(h);
      let lostCount = 0;
      const named: RecordingProtocol[] = [];
      const factory = RecordingFactory.withProtocol({
        dataReceived: (protocol) => void named.push(protocol),
        connectionLost: () => {
          lostCount += 1;
        },
      });
      const { listeningPort, destination } = await listen(h, reactor, factory);
      for (let opened = 0; opened < h.manyCount; opened += BATCH_SIZE) {
        const peers = await Promise.all(Array.from({ length: BATCH_SIZE }, () => h.dial(destination)));
        // Not all addresses tell peers apart.
        peers.forEach((peer, index) => {
          peer.send(Uint8Array.of(index));
        });
        await h.until(() => named.length === BATCH_SIZE, 'all have said who they are');
        endAll(named.splice(0), peers);
        await h.until(() => lostCount === opened + BATCH_SIZE && peers.every(({ closed }) => closed), 'all are closed');
        factory.protocols.length = 0;
      }
      expect(h.openHandleCount, 'the port is seen').to.be.greaterThan(0);
      expect(reactor.inspect()).to.deep.include({ connections: [], connectors: [], delayedCalls: [] });
      await settled(h, listeningPort.stopListening(), 'the port has closed');
      let hasStopped = false;
      reactor.addSystemEventTrigger('after', 'shutdown', () => {
        hasStopped = true;
      });
      reactor.stop();
      await h.until(() => hasStopped, 'the reactor has stopped');
      const { queuedCallCount, ...alive } = reactor.inspect();
      expect(queuedCallCount).to.equal(0);
      expect(Object.values(alive).flat()).to.deep.equal([]);
      await h.until(() => h.openHandleCount === 0, 'the handles are gone');
      expect(process.eventNames().map((event) => process.listenerCount(event))).to.deep.equal(listenersBefore);
    });
  });
}

/** Ends each connection, from its own side or from its peer's. */
function endAll(protocols: readonly RecordingProtocol[], peers: readonly Peer[]): void {
  protocols.forEach((protocol, index) => {
    const peer = peers[protocol.received[0] ?? -1];
    if (peer === undefined) throw new Error('a connection without a peer');
    ENDINGS[index % ENDINGS.length]?.(protocol, peer);
  });
}
