/** What an observer of a reactor is told. */
import { expect } from 'chai';
import {
  ConnectionDone,
  type Failure,
  type ObservedConnection,
  type Reactor,
  type ReactorObserver,
} from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { listen, nthProtocol, skipUnless, untilLost } from '../support/connections.ts';
import { RecordingFactory } from '../support/recording-factory.ts';

function startObserved(harness: Harness, observer: ReactorObserver, slowHookSeconds = 0.1): Reactor {
  const reactor = harness.createReactor({ observer, slowHookSeconds });
  void reactor.run({ installSignalHandlers: false });
  return reactor;
}

export function describeObserving(harness: () => Harness): void {
  describe('an observer', () => {
    it('is told of connections on both sides, and of their bytes', async () => {
      const h = harness();
      const log: string[] = [];
      const seen = new Set<ObservedConnection>();
      const reasons: Failure[] = [];
      const reactor = startObserved(h, {
        connectionMade: (connection) => {
          seen.add(connection);
          log.push(`made ${connection.role}`);
        },
        connectionLost: (connection, reason) => {
          reasons.push(reason);
          log.push(`lost ${connection.role}`);
        },
        dataReceived: ({ role }, bytes) => log.push(`${role} received ${bytes}`),
        dataSent: ({ role }, bytes) => log.push(`${role} sent ${bytes}`),
      });
      const serverFactory = RecordingFactory.withProtocol({
        dataReceived: ({ transport }) => {
          transport.write('answer');
          transport.write('!');
          transport.loseConnection();
        },
      });
      const { destination } = await listen(h, reactor, serverFactory);
      const clientFactory = RecordingFactory.withProtocol({
        connectionMade: ({ transport }) => void transport.write('question'),
      });
      h.connect(reactor, destination, clientFactory);
      const client = await nthProtocol(h, clientFactory, 0);
      await untilLost(h, client);
      await h.until(() => reasons.length === 2, 'both ends are lost');
      expect([...log].sort()).to.deep.equal([
        'client received 7',
        'client sent 8',
        'lost client',
        'lost server',
        'made client',
        'made server',
        'server received 8',
        'server sent 7',
      ]);
      expect(reasons.map(({ value }) => value.constructor)).to.deep.equal([ConnectionDone, ConnectionDone]);
      expect(seen.size).to.equal(2);
      for (const { role, bytesReceived, bytesSent, madeAt } of seen) {
        const [received, sent] = role === 'client' ? [7, 8] : [8, 7];
        expect({ bytesReceived, bytesSent }).to.deep.equal({ bytesReceived: received, bytesSent: sent });
        expect(madeAt).to.be.at.most(reactor.seconds());
      }
    });

    it('is told before connectionMade, and after connectionLost', async () => {
      const h = harness();
      const log: string[] = [];
      const reactor = startObserved(h, {
        connectionMade: ({ peer }) => log.push(`observed ${peer.family}`),
        connectionLost: ({ peer }) => log.push(`observed ${peer.family}`),
      });
      const factory = RecordingFactory.withProtocol({
        connectionMade: ({ transport }) => {
          log.push('made');
          transport.abortConnection();
        },
        connectionLost: () => void log.push('lost'),
      });
      const { destination } = await listen(h, reactor, factory);
      await h.dial(destination);
      await h.until(() => log.length === 4, 'the connection is lost');
      const observed = `observed ${factory.addresses[0]?.family}`;
      expect(log).to.deep.equal([observed, 'made', 'lost', observed]);
    });

    it('is told of hooks and delayed calls that keep everything waiting, and nothing is lost by that', async function () {
      const h = harness();
      skipUnless(this, h, 'real-time');
      const slow: string[] = [];
      const reactor = startObserved(
        h,
        { hookSlow: (name, seconds, connection) => slow.push(`${name} ${connection?.role} ${seconds >= 0.02}`) },
        0.02,
      );
      const factory = RecordingFactory.withProtocol({
        dataReceived: ({ transport }, data) => {
          if (data.toString().startsWith('block')) block(0.025);
          transport.write(data);
        },
      });
      const { destination } = await listen(h, reactor, factory);
      const peer = await h.dial(destination);
      const other = await h.dial(destination);
      await nthProtocol(h, factory, 1);
      let isLate = false;
      reactor.callLater(0.001, () => (isLate = true));
      peer.send('block');
      other.send('meanwhile');
      await h.until(() => peer.text() === 'block' && other.text() === 'meanwhile' && isLate, 'all has been done');
      reactor.callLater(0, function dawdle() {
        block(0.025);
      });
      await h.until(() => slow.length === 2, 'the call has run');
      expect(slow).to.deep.equal(['dataReceived server true', 'delayed call dawdle undefined true']);
    });

    it('is told of delayed calls, and how late they were', async () => {
      const h = harness();
      const late: number[] = [];
      const reactor = startObserved(h, { delayedCallRun: (_call, lateSeconds) => late.push(lateSeconds) });
      reactor.callLater(0.001, () => undefined);
      reactor.callLater(0.002, () => {
        throw new Error('of no consequence here');
      });
      await h.advance(0.01);
      await h.until(() => late.length === 2, 'both have run');
      expect(h.errors.splice(0)).to.have.length(1);
      for (const seconds of late) expect(seconds).to.be.at.least(0);
      if (h.features.has('virtual-time')) for (const seconds of late) expect(seconds).to.be.closeTo(0, 1e-9);
    });

    it('is told of errors, which are reported as well', async () => {
      const h = harness();
      const told: string[] = [];
      const reactor = startObserved(h, {
        errorReported: ({ value }, message) => told.push(`${message}: ${value.message}`),
      });
      reactor.callLater(0, () => {
        throw new Error('a mistake');
      });
      await h.advance(0.001);
      await h.until(() => h.errors.length === 1, 'it is reported');
      expect(h.errors.splice(0)[0]?.value.message).to.equal('a mistake');
      expect(told).to.deep.equal(['An error in a delayed call: a mistake']);
    });

    it('may throw: that is reported, not told to it again, and everything goes on', async () => {
      const h = harness();
      const fail = (): never => {
        throw new Error('I cannot watch this');
      };
      const reactor = startObserved(h, {
        connectionMade: fail,
        connectionLost: fail,
        dataReceived: fail,
        dataSent: fail,
        delayedCallRun: fail,
        errorReported: fail,
      });
      const factory = RecordingFactory.withProtocol({
        dataReceived: ({ transport }, data) => {
          transport.write(data);
          transport.loseConnection();
        },
      });
      const { destination } = await listen(h, reactor, factory);
      const peer = await h.dial(destination);
      peer.send('all the same');
      await h.until(() => peer.closed && factory.lostCount === 1, 'it has been served');
      expect(peer.text()).to.equal('all the same');
      reactor.callLater(0, () => undefined);
      await h.advance(0.001);
      await h.until(() => h.errors.length === 5, 'five events have failed');
      expect(new Set(h.errors.splice(0).map(({ value }) => value.message))).to.deep.equal(
        new Set(['I cannot watch this']),
      );
    });
  });
}

/** Keeps the thread busy. */
function block(seconds: number): void {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end);
}
