/** The handle on an outgoing connection: giving up, disconnecting, connecting again. */
import { expect } from 'chai';
import {
  ConnectError,
  type Connector,
  ConnectInProgressError,
  ConnectionDone,
  ConnectionLost,
  NotConnectingError,
  type Reactor,
  UserError,
} from 'ropewalk/core';
import type { Harness, PeerServer } from '../harness.ts';
import {
  join,
  listen,
  nthProtocol,
  roundTrip,
  settled,
  skipUnless,
  startReactor,
  untilLost,
} from '../support/connections.ts';
import { type FactoryHooks, RecordingFactory } from '../support/recording-factory.ts';

const STARTED = ['doStart', 'startFactory', 'startedConnecting'];
const FAILED = ['clientConnectionFailed', 'doStop', 'stopFactory'];

/** A connector whose attempt begins in the next turn. */
interface Begun {
  readonly reactor: Reactor;
  readonly server: PeerServer;
  readonly factory: RecordingFactory;
  readonly connector: Connector;
}

async function begin(h: Harness, hooks: FactoryHooks = {}): Promise<Begun> {
  const reactor = startReactor(h);
  const server = await h.serve();
  const factory = new RecordingFactory(hooks);
  const connector = h.connect(reactor, server.destination, factory);
  return { reactor, server, factory, connector };
}

export function describeConnectors(harness: () => Harness): void {
  describe('a connector', () => {
    describeGivingUp(harness);
    describeDisconnect(harness);
    describeConnectAgain(harness);
    describeReactorStop(harness);
    describeSharedFactory(harness);
  });
}

function describeGivingUp(harness: () => Harness): void {
  describe('stopConnecting', () => {
    it('calls clientConnectionFailed with UserError before it returns, and ends the attempt [54]', async () => {
      const h = harness();
      const { reactor, server, factory, connector } = await begin(h);
      connector.stopConnecting();
      expect(factory.calls).to.deep.equal([...STARTED, ...FAILED]);
      expect(factory.reasons[0]).to.be.instanceOf(UserError).and.instanceOf(ConnectError);
      expect(connector.state).to.equal('disconnected');
      expect(reactor.inspect()).to.deep.include({ connectors: [], delayedCalls: [] });
      await roundTrip(h, reactor);
      expect(factory.calls).to.deep.equal([...STARTED, ...FAILED]);
      expect(server.peers).to.have.length(0);
    });

    it('ends an attempt that waits for the peer’s answer [54]', async function () {
      const h = harness();
      skipUnless(this, h, 'unanswered-connects');
      const reactor = startReactor(h);
      const server = await h.serve({ answer: 'ignore' });
      const factory = new RecordingFactory();
      const connector = h.connect(reactor, server.destination, factory);
      await h.advance(0.01);
      connector.stopConnecting();
      expect(factory.calls).to.deep.equal([...STARTED, ...FAILED]);
      expect(factory.reasons[0]).to.be.instanceOf(UserError);
    });

    it('may be called in startedConnecting, and right after the call [54]', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      const inside = new RecordingFactory({ startedConnecting: (connector) => connector.stopConnecting() });
      const connector = h.connect(reactor, server.destination, inside);
      expect(inside.calls).to.deep.equal([...STARTED, ...FAILED]);
      expect(connector.state).to.equal('disconnected');
      const after = new RecordingFactory();
      h.connect(reactor, server.destination, after).stopConnecting();
      expect(after.calls).to.deep.equal([...STARTED, ...FAILED]);
      await roundTrip(h, reactor);
      expect(server.peers).to.have.length(0);
      expect([...inside.reasons, ...after.reasons].every((reason) => reason instanceof UserError)).to.be.true;
    });

    it('before the reactor runs leaves nothing to attempt [54]', async () => {
      const h = harness();
      const reactor = h.createReactor();
      const server = await h.serve();
      const factory = new RecordingFactory();
      h.connect(reactor, server.destination, factory).stopConnecting();
      expect(factory.calls).to.deep.equal([...STARTED, ...FAILED]);
      void reactor.run({ installSignalHandlers: false });
      await roundTrip(h, reactor);
      expect(server.peers).to.have.length(0);
    });

    it('while the answer is on its way closes the connection that comes of it', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      const factory = new RecordingFactory();
      const connector = h.connect(reactor, server.destination, factory);
      // The attempt begins in the next turn, before calls queued now; its answer has not come by then.
      reactor.callSoon(() => connector.stopConnecting());
      await h.until(() => factory.reasons.length > 0, 'the attempt has been given up');
      await roundTrip(h, reactor);
      await h.until(() => server.peers.every((peer) => peer.closed), 'nothing is left at the server');
      expect(factory.calls).to.deep.equal([...STARTED, ...FAILED]);
      expect(reactor.inspect()).to.deep.include({ connections: [], connectors: [] });
    });

    it('after a crash that kept the answer from being told closes the connection, too', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      const factory = new RecordingFactory();
      const connector = h.connect(reactor, server.destination, factory);
      // The attempt begins in the next turn, before calls queued now.
      reactor.callSoon(() => reactor.crash());
      const peer = await server.accept();
      await roundTrip(h, startReactor(h));
      connector.stopConnecting();
      void reactor.run({ installSignalHandlers: false });
      await h.until(() => peer.closed, 'the peer has seen the end');
      await roundTrip(h, reactor);
      expect(factory.calls).to.deep.equal([...STARTED, ...FAILED]);
    });

    it('throws NotConnectingError when connected and when disconnected [54]', async () => {
      const h = harness();
      const { connector, client } = await join(h);
      expect(connector.state).to.equal('connected');
      expect(() => connector.stopConnecting()).to.throw(NotConnectingError);
      client.transport.abortConnection();
      await untilLost(h, client);
      expect(connector.state).to.equal('disconnected');
      expect(() => connector.stopConnecting()).to.throw(NotConnectingError);
    });
  });
}

function describeDisconnect(harness: () => Harness): void {
  describe('disconnect', () => {
    it('is stopConnecting while connecting, and nothing when disconnected [54]', async () => {
      const h = harness();
      const { factory, connector } = await begin(h);
      connector.disconnect();
      expect(factory.reasons[0]).to.be.instanceOf(UserError);
      connector.disconnect();
      expect(factory.calls).to.deep.equal([...STARTED, ...FAILED]);
    });

    it('is loseConnection when connected, with what was written sent [54]', async () => {
      const h = harness();
      const { server, client, clientFactory, connector } = await join(h);
      client.transport.write('written');
      connector.disconnect();
      expect(connector.state).to.equal('connected');
      expect(client.transport.disconnecting).to.be.true;
      await untilLost(h, client);
      await untilLost(h, server);
      expect(server.text).to.equal('written');
      expect(connector.state).to.equal('disconnected');
      expect(clientFactory.reasons[0]).to.be.instanceOf(ConnectionDone);
    });
  });
}

function describeConnectAgain(harness: () => Harness): void {
  describe('connect', () => {
    it('throws ConnectInProgressError in any state but disconnected [57]', async () => {
      const h = harness();
      const { connector: connecting } = await begin(h);
      expect(() => connecting.connect()).to.throw(ConnectInProgressError);
      const { connector: connected } = await join(h);
      expect(() => connected.connect()).to.throw(ConnectInProgressError);
      expect(connected.state).to.equal('connected');
    });

    it('inside clientConnectionFailed tries again without stopping the factory [56]', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve({ answer: 'refuse' });
      const factory = new RecordingFactory({
        clientConnectionFailed: (connector) => {
          if (factory.reasons.length < 3) connector.connect();
        },
      });
      h.connect(reactor, server.destination, factory);
      await h.until(() => factory.calls.includes('stopFactory'), 'the factory has been stopped');
      const again = ['clientConnectionFailed', 'startedConnecting'];
      expect(factory.calls).to.deep.equal([...STARTED, ...again, ...again, ...FAILED]);
    });

    it('inside clientConnectionLost connects anew without stopping the factory [56]', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      const factory = new RecordingFactory({
        clientConnectionLost: (connector) => {
          if (factory.reasons.length < 2) connector.connect();
        },
      });
      h.connect(reactor, server.destination, factory);
      (await server.accept()).end();
      const second = await nthProtocol(h, factory, 1);
      expect(factory.calls.slice(3)).to.deep.equal([
        'buildProtocol',
        'clientConnectionLost',
        'startedConnecting',
        'buildProtocol',
      ]);
      (await server.accept()).end();
      await untilLost(h, second);
      expect(factory.calls.slice(-3)).to.deep.equal(['clientConnectionLost', 'doStop', 'stopFactory']);
    });

    it('after the factory was stopped starts it again [56]', async () => {
      const h = harness();
      const { factory, connector } = await begin(h);
      connector.stopConnecting();
      connector.connect();
      connector.stopConnecting();
      expect(factory.calls).to.deep.equal([...STARTED, ...FAILED, ...STARTED, ...FAILED]);
    });

    it('given up inside clientConnectionFailed stops the factory once', async () => {
      const h = harness();
      const { factory, connector } = await begin(h, {
        clientConnectionFailed: (failed) => {
          if (factory.reasons.length > 1) return;
          failed.connect();
          failed.stopConnecting();
        },
      });
      connector.stopConnecting();
      expect(factory.calls.filter((call) => call === 'doStop')).to.have.length(1);
      expect(factory.calls.filter((call) => call === 'doStart')).to.have.length(1);
      expect(factory.numPorts).to.equal(0);
    });
  });
}

function describeReactorStop(harness: () => Harness): void {
  it('whose reactor stops before the attempt has begun is told by clientConnectionFailed', async () => {
    const h = harness();
    const { reactor, factory, connector } = await begin(h);
    reactor.stop();
    await h.until(() => factory.reasons.length > 0, 'the attempt has ended');
    expect(factory.calls).to.deep.equal([...STARTED, ...FAILED]);
    expect(factory.reasons[0]).to.be.instanceOf(ConnectError).and.not.instanceOf(UserError);
    expect(factory.reasons[0]?.message).to.include('reactor stopped');
    expect(connector.state).to.equal('disconnected');
  });

  it('whose reactor stops while it waits for the peer’s answer is told, too', async function () {
    const h = harness();
    skipUnless(this, h, 'unanswered-connects');
    const reactor = startReactor(h);
    const server = await h.serve({ answer: 'ignore' });
    const factory = new RecordingFactory();
    h.connect(reactor, server.destination, factory);
    await h.advance(0.01);
    reactor.stop();
    await h.until(() => factory.reasons.length > 0, 'the attempt has ended');
    expect(factory.calls).to.deep.equal([...STARTED, ...FAILED]);
  });

  it('whose reactor stops while connected loses the connection: ConnectionLost, unsent bytes dropped', async () => {
    const h = harness();
    const { reactor, client, server, clientFactory } = await join(h);
    client.transport.pauseProducing();
    server.transport.write(new Uint8Array(1000));
    reactor.stop();
    await untilLost(h, client);
    await untilLost(h, server);
    expect(client.lostBy).to.be.instanceOf(ConnectionLost);
    expect(server.lostBy).to.be.instanceOf(ConnectionLost);
    expect(clientFactory.calls.slice(-3)).to.deep.equal(['clientConnectionLost', 'doStop', 'stopFactory']);
  });
}

function describeSharedFactory(harness: () => Harness): void {
  it('shares its factory with ports and others: it is started once, and stopped with the last of them [51]', async () => {
    const h = harness();
    const reactor = startReactor(h);
    const factory = new RecordingFactory();
    const first = await listen(h, reactor, factory);
    const second = await listen(h, reactor, factory);
    const connector = h.connect(reactor, first.destination, factory);
    expect(factory.numPorts).to.equal(3);
    await nthProtocol(h, factory, 1);
    expect(factory.calls.filter((call) => call === 'startFactory')).to.have.length(1);
    await settled(h, first.listeningPort.stopListening(), 'the first port has closed');
    await settled(h, second.listeningPort.stopListening(), 'the second port has closed');
    expect(factory.calls).to.not.include('stopFactory');
    connector.disconnect();
    await h.until(() => factory.calls.includes('stopFactory'), 'the factory has been stopped');
    factory.doStop();
    expect(factory.numPorts).to.equal(0);
    expect(factory.calls.filter((call) => call === 'stopFactory')).to.have.length(1);
  });
}
