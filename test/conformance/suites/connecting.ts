/** Outgoing connections, over whatever kind of stream: the attempt, and how it ends. */
import { expect } from 'chai';
import {
  type Connector,
  ConnectError,
  ConnectionDone,
  ConnectionRefusedError,
  ConnectTimeoutError,
} from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { failureOf } from '../support/connecting.ts';
import { nthProtocol, roundTrip, skipUnless, startReactor, takeErrors, untilLost } from '../support/connections.ts';
import { RecordingFactory } from '../support/recording-factory.ts';
import { RecordingProtocol } from '../support/recording-protocol.ts';
import { describeConnectors } from './connectors.ts';

/** Long enough that a refusal comes before it, short enough to wait for. */
const TIMEOUT_SECONDS = 0.05;

export function describeConnecting(harness: () => Harness): void {
  describe('to connect', () => {
    describeStart(harness);
    describeFailure(harness);
    describeTimeout(harness);
    describeClientBuildProtocol(harness);
  });
  describeConnectors(harness);
}

function describeStart(harness: () => Harness): void {
  it('calls doStart and startedConnecting inside the call, and the rest from later turns [53]', async () => {
    const h = harness();
    const reactor = startReactor(h);
    const server = await h.serve();
    let seen: Connector | undefined;
    let stateInside: string | undefined;
    const factory = new RecordingFactory({
      startedConnecting: (connector) => {
        seen = connector;
        stateInside = connector.state;
      },
    });
    const connector = h.connect(reactor, server.destination, factory);
    expect(factory.calls).to.deep.equal(['doStart', 'startFactory', 'startedConnecting']);
    expect(seen).to.equal(connector);
    expect([stateInside, connector.state]).to.deep.equal(['connecting', 'connecting']);
    const protocol = await nthProtocol(h, factory, 0);
    expect(connector.state).to.equal('connected');
    const peer = await server.accept();
    peer.send('welcome');
    await h.until(() => protocol.text === 'welcome', 'the greeting has come');
    peer.end();
    await untilLost(h, protocol);
    expect(factory.calls.slice(3)).to.deep.equal(['buildProtocol', 'clientConnectionLost', 'doStop', 'stopFactory']);
    expect(factory.reasons[0]).to.be.instanceOf(ConnectionDone);
    expect(connector.state).to.equal('disconnected');
  });

  it('attempts nothing before the reactor runs [53]', async () => {
    const h = harness();
    const reactor = h.createReactor();
    const server = await h.serve();
    const factory = new RecordingFactory();
    h.connect(reactor, server.destination, factory);
    await roundTrip(h, startReactor(h));
    expect(factory.calls).to.deep.equal(['doStart', 'startFactory', 'startedConnecting']);
    expect(server.peers).to.have.length(0);
    expect(reactor.getDelayedCalls()).to.deep.equal([]);
    void reactor.run({ installSignalHandlers: false });
    await nthProtocol(h, factory, 0);
  });

  it('gives buildProtocol and getDestination the address it connects to', async () => {
    const h = harness();
    const reactor = startReactor(h);
    const server = await h.serve();
    const factory = new RecordingFactory();
    const connector = h.connect(reactor, server.destination, factory);
    const expected = server.destination;
    expect(connector.getDestination().equals(expected)).to.be.true;
    const protocol = await nthProtocol(h, factory, 0);
    expect(factory.addresses[0]!.equals(expected)).to.be.true;
    expect(protocol.transport.getPeer().equals(expected)).to.be.true;
  });

  it('reports what startedConnecting throws, and goes on', async () => {
    const h = harness();
    const reactor = startReactor(h);
    const server = await h.serve();
    const error = new Error('a bug');
    const factory = new RecordingFactory({
      startedConnecting: () => {
        throw error;
      },
    });
    h.connect(reactor, server.destination, factory);
    await nthProtocol(h, factory, 0);
    expect(takeErrors(h)).to.deep.equal([error]);
  });
}

function describeFailure(harness: () => Harness): void {
  it('fails with ConnectionRefusedError, which has the system’s error, if nobody listens [58]', async () => {
    const h = harness();
    const reactor = startReactor(h);
    const server = await h.serve({ answer: 'refuse' });
    const error = await failureOf(h, reactor, (factory) => h.connect(reactor, server.destination, factory));
    expect(error).to.be.instanceOf(ConnectionRefusedError).and.instanceOf(ConnectError);
    expect(error).to.have.nested.property('cause.code', 'ECONNREFUSED');
  });
}

function describeTimeout(harness: () => Harness): void {
  describe('with a timeout', () => {
    it('fails with ConnectTimeoutError if the peer does not answer [55]', async function () {
      const h = harness();
      skipUnless(this, h, 'unanswered-connects');
      const reactor = startReactor(h);
      const server = await h.serve({ answer: 'ignore' });
      const factory = new RecordingFactory();
      const begun = reactor.seconds();
      const connector = h.connect(reactor, server.destination, factory, { timeout: TIMEOUT_SECONDS });
      expect(connector.state).to.equal('connecting');
      await h.advance(TIMEOUT_SECONDS);
      await h.until(() => factory.reasons.length > 0, 'the attempt has failed');
      expect(reactor.seconds() - begun).to.be.at.least(TIMEOUT_SECONDS);
      expect(factory.reasons[0]).to.be.instanceOf(ConnectTimeoutError);
      expect(reactor.inspect()).to.deep.include({ connectors: [], delayedCalls: [] });
    });

    it('is not timed any more once connected [55]', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      const factory = new RecordingFactory();
      h.connect(reactor, server.destination, factory, { timeout: 30 });
      await nthProtocol(h, factory, 0);
      expect(reactor.getDelayedCalls()).to.deep.equal([]);
    });
  });
}

function describeClientBuildProtocol(harness: () => Harness): void {
  describe('and buildProtocol', () => {
    it('that returns null closes the connection, and clientConnectionLost gets ConnectionDone [35]', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      const factory = new RecordingFactory({ buildProtocol: () => null });
      const connector = h.connect(reactor, server.destination, factory);
      const peer = await server.accept();
      await h.until(() => peer.closed && factory.reasons.length > 0, 'the connection has been closed');
      expect(peer.reset).to.be.false;
      expect(factory.reasons[0]).to.be.instanceOf(ConnectionDone);
      expect(factory.calls.slice(3)).to.deep.equal(['buildProtocol', 'clientConnectionLost', 'doStop', 'stopFactory']);
      expect(connector.state).to.equal('disconnected');
      expect(h.errors).to.deep.equal([]);
    });

    it('that throws closes the connection, and clientConnectionLost gets the error [34]', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      const error = new Error('a bug');
      const factory = new RecordingFactory({
        buildProtocol: () => {
          throw error;
        },
      });
      h.connect(reactor, server.destination, factory);
      const peer = await server.accept();
      await h.until(() => peer.closed && factory.reasons.length > 0, 'the connection has been closed');
      expect(peer.reset).to.be.false;
      expect(factory.reasons).to.deep.equal([error]);
      expect(takeErrors(h)).to.deep.equal([error]);
    });

    it('finds the connector connected, and may disconnect it', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      const states: string[] = [];
      const factory = new RecordingFactory({
        buildProtocol: () => {
          states.push(connector.state);
          expect(() => connector.stopConnecting()).to.throw();
          connector.disconnect();
          return new RecordingProtocol();
        },
      });
      const connector = h.connect(reactor, server.destination, factory);
      const protocol = await nthProtocol(h, factory, 0);
      await untilLost(h, protocol);
      const peer = await server.accept();
      await h.until(() => peer.closed, 'the peer has closed too');
      expect(states).to.deep.equal(['connected']);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
      expect(factory.calls.slice(3)).to.deep.equal(['buildProtocol', 'clientConnectionLost', 'doStop', 'stopFactory']);
      expect(factory.reasons[0]).to.be.instanceOf(ConnectionDone);
    });
  });
}
