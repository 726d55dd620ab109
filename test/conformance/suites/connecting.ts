/** Outgoing connections: the attempt, and how it ends. */
import { expect } from 'chai';
import {
  type Connector,
  type ConnectTCPOptions,
  ConnectBindError,
  ConnectError,
  ConnectionDone,
  ConnectionRefusedError,
  ConnectTimeoutError,
  DNSLookupError,
  IPv4Address,
  IPv6Address,
  type Reactor,
} from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { nthProtocol, roundTrip, skipUnless, startReactor, takeErrors, untilLost } from '../support/connections.ts';
import { RecordingFactory } from '../support/recording-factory.ts';
import { RecordingProtocol } from '../support/recording-protocol.ts';
import { hostname, StaticResolver } from '../support/static-resolver.ts';
import { describeConnectors } from './connectors.ts';

/** Long enough that a refusal comes before it, short enough to wait for. */
const TIMEOUT_SECONDS = 0.05;

export function describeConnecting(harness: () => Harness): void {
  describe('connectTCP', () => {
    describeStart(harness);
    describeFailure(harness);
    describeNames(harness);
    describeTimeout(harness);
    describeBindAddress(harness);
    describeClientBuildProtocol(harness);
    describeArguments(harness);
  });
  describeConnectors(harness);
}

/** Connects, and waits until the attempt has failed. */
async function failureOf(
  h: Harness,
  reactor: Reactor,
  host: string,
  port: number,
  options: ConnectTCPOptions = {},
): Promise<Error> {
  const factory = new RecordingFactory();
  const connector = reactor.connectTCP(host, port, factory, options);
  await h.until(() => factory.reasons.length > 0, 'the attempt has failed');
  expect(factory.calls.slice(-3)).to.deep.equal(['clientConnectionFailed', 'doStop', 'stopFactory']);
  expect(factory.protocols).to.deep.equal([]);
  expect(connector.state).to.equal('disconnected');
  expect(reactor.inspect()).to.deep.include({ connectors: [], connections: [] });
  expect(reactor.getDelayedCalls()).to.deep.equal([]);
  return factory.reasons[0]!;
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
    const connector = reactor.connectTCP(server.host, server.port, factory);
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
    const resolver = new StaticResolver(reactor, { server: ['127.0.0.1'] });
    reactor.installNameResolver(resolver);
    reactor.connectTCP('server', server.port, factory);
    await roundTrip(h, startReactor(h));
    expect(factory.calls).to.deep.equal(['doStart', 'startFactory', 'startedConnecting']);
    expect(resolver.calls).to.deep.equal([]);
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
    const connector = reactor.connectTCP(server.host, server.port, factory);
    const expected = new IPv4Address('TCP', server.host, server.port);
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
    reactor.connectTCP(server.host, server.port, factory);
    await nthProtocol(h, factory, 0);
    expect(takeErrors(h)).to.deep.equal([error]);
  });

  it('connects over IPv6', async function () {
    const h = harness();
    skipUnless(this, h, 'ipv6');
    const reactor = startReactor(h);
    const serverFactory = new RecordingFactory();
    const port = reactor.listenTCP(0, serverFactory, { interface: '::1' });
    let number = 0;
    port.whenListening().addCallback((bound) => {
      const address = bound.getHost();
      if (address.family === 'IPv6') number = address.port;
    });
    await h.until(() => number > 0, 'the port is bound');
    const factory = new RecordingFactory();
    reactor.connectTCP('::1', number, factory);
    const client = await nthProtocol(h, factory, 0);
    const server = await nthProtocol(h, serverFactory, 0);
    expect(client.transport.getPeer()).to.be.instanceOf(IPv6Address).and.include({ host: '::1', port: number });
    expect(client.transport.getHost().equals(server.transport.getPeer())).to.be.true;
  });
}

function describeFailure(harness: () => Harness): void {
  it('fails with ConnectionRefusedError, which names the address and has the system’s error, if nobody listens [58]', async () => {
    const h = harness();
    const reactor = startReactor(h);
    const server = await h.serve({ answer: 'refuse' });
    const error = await failureOf(h, reactor, server.host, server.port);
    expect(error).to.be.instanceOf(ConnectionRefusedError).and.instanceOf(ConnectError);
    expect(error).to.have.nested.property('cause.code', 'ECONNREFUSED');
    expect(error.message).to.include(server.host).and.include(String(server.port));
  });
}

function describeNames(harness: () => Harness): void {
  describe('with a name', () => {
    it('fails with DNSLookupError, which names it and has the cause, if it cannot be resolved [58]', async () => {
      const h = harness();
      const reactor = startReactor(h);
      reactor.installNameResolver(new StaticResolver(reactor, { empty: [] }));
      const error = await failureOf(h, reactor, 'nobody.example', 1);
      expect(error).to.be.instanceOf(DNSLookupError).and.instanceOf(ConnectError);
      expect(error.message).to.include('nobody.example').and.include('the table does not have it');
      expect(error).to.have.nested.property('cause.message', 'the table does not have it');

      const withoutAddress = await failureOf(h, reactor, 'empty', 1);
      expect(withoutAddress).to.be.instanceOf(DNSLookupError);
      expect(withoutAddress.message).to.include('empty');
    });

    it('connects to its address; the destination stays the name', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      reactor.installNameResolver(new StaticResolver(reactor, { 'server.example': ['127.0.0.1'] }));
      const factory = new RecordingFactory();
      const connector = reactor.connectTCP('server.example', server.port, factory);
      expect(connector.getDestination().equals(hostname('server.example', server.port))).to.be.true;
      await nthProtocol(h, factory, 0);
      expect(factory.addresses[0]!.equals(new IPv4Address('TCP', '127.0.0.1', server.port))).to.be.true;
    });

    it('resolves localhost by the platform’s own resolver', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      const factory = new RecordingFactory();
      reactor.connectTCP('localhost', server.port, factory);
      await nthProtocol(h, factory, 0);
    });

    it('does not ask the resolver about an address', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      const resolver = new StaticResolver(reactor, {});
      reactor.installNameResolver(resolver);
      const factory = new RecordingFactory();
      reactor.connectTCP('127.0.0.1', server.port, factory);
      await nthProtocol(h, factory, 0);
      expect(resolver.calls).to.deep.equal([]);
    });

    it('takes a resolver that answers from inside the call', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      reactor.installNameResolver({
        resolveHostName: (receiver, name, options) => {
          const resolution = { name, cancel: () => {} };
          receiver.resolutionBegan(resolution);
          receiver.addressResolved(new IPv4Address('TCP', '127.0.0.1', options?.port ?? 0));
          receiver.resolutionComplete();
          return resolution;
        },
      });
      const factory = new RecordingFactory();
      reactor.connectTCP('server.example', server.port, factory);
      await nthProtocol(h, factory, 0);
      expect(reactor.getDelayedCalls()).to.deep.equal([]);
    });

    it('tries its addresses one after another until one answers', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      reactor.installNameResolver(new StaticResolver(reactor, { several: ['127.0.0.2', '127.0.0.3', '127.0.0.1'] }));
      const factory = new RecordingFactory();
      reactor.connectTCP('several', server.port, factory);
      const protocol = await nthProtocol(h, factory, 0);
      expect(protocol.transport.getPeer()).to.include({ host: '127.0.0.1' });
      expect(factory.calls).to.deep.equal(['doStart', 'startFactory', 'startedConnecting', 'buildProtocol']);
      expect(server.peers).to.have.length(1);
    });

    it('tries IPv4 first, in the order of the resolver, and names every attempt in the error', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve({ answer: 'refuse' });
      reactor.installNameResolver(new StaticResolver(reactor, { several: ['::1', '127.0.0.2', '127.0.0.1'] }));
      const error = await failureOf(h, reactor, 'several', server.port);
      expect(error).to.be.instanceOf(ConnectError);
      expect(error.message).to.include('several');
      const order = ['127.0.0.2 port', '127.0.0.1 port', '::1 port'].map((address) => error.message.indexOf(address));
      expect(order[0]).to.be.greaterThan(0);
      expect(order).to.deep.equal(order.toSorted((one, other) => one - other));
    });
  });
}

function describeTimeout(harness: () => Harness): void {
  describe('with a timeout', () => {
    it('fails with ConnectTimeoutError after it, names included, and cancels the lookup [55]', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const resolver = new StaticResolver(reactor, { silent: undefined });
      reactor.installNameResolver(resolver);
      const factory = new RecordingFactory();
      const began = reactor.seconds();
      reactor.connectTCP('silent', 1, factory, { timeout: TIMEOUT_SECONDS });
      await h.advance(0);
      expect(factory.reasons).to.deep.equal([]);
      await h.advance(TIMEOUT_SECONDS);
      await h.until(() => factory.reasons.length > 0, 'the attempt has failed');
      expect(reactor.seconds() - began).to.be.at.least(TIMEOUT_SECONDS);
      expect(factory.reasons[0]).to.be.instanceOf(ConnectTimeoutError).and.instanceOf(ConnectError);
      expect(factory.reasons[0]?.message).to.include('silent').and.include(String(TIMEOUT_SECONDS));
      expect(resolver.calls).to.deep.equal(['silent', 'cancelled silent']);
    });

    it('fails with ConnectTimeoutError if the peer does not answer [55]', async function () {
      const h = harness();
      skipUnless(this, h, 'unanswered-connects');
      const reactor = startReactor(h);
      const server = await h.serve({ answer: 'ignore' });
      const factory = new RecordingFactory();
      const connector = reactor.connectTCP(server.host, server.port, factory, { timeout: TIMEOUT_SECONDS });
      await h.advance(TIMEOUT_SECONDS / 2);
      expect(connector.state).to.equal('connecting');
      await h.advance(TIMEOUT_SECONDS / 2);
      await h.until(() => factory.reasons.length > 0, 'the attempt has failed');
      expect(factory.reasons[0]).to.be.instanceOf(ConnectTimeoutError);
      expect(factory.reasons[0]?.message).to.include(server.host).and.include(String(server.port));
      expect(reactor.inspect()).to.deep.include({ connectors: [], delayedCalls: [] });
    });

    it('gives all addresses of a name that one timeout together', async function () {
      const h = harness();
      skipUnless(this, h, 'unanswered-connects');
      const reactor = startReactor(h);
      const server = await h.serve({ answer: 'ignore' });
      const addresses = ['127.0.0.2', '127.0.0.1', '127.0.0.1'];
      reactor.installNameResolver(new StaticResolver(reactor, { several: addresses }));
      const factory = new RecordingFactory();
      reactor.connectTCP('several', server.port, factory, { timeout: TIMEOUT_SECONDS });
      await h.advance(TIMEOUT_SECONDS);
      await h.until(() => factory.reasons.length > 0, 'the attempt has failed');
      const [error] = factory.reasons;
      expect(error).to.be.instanceOf(ConnectTimeoutError);
      // The refused address and the one without an answer; the third has not been tried.
      expect(error?.message).to.match(/127\.0\.0\.2 port .*127\.0\.0\.1 port \d+: no answer yet/);
      expect(error?.message.match(/127\.0\.0\.1/g)).to.have.length(1);
    });

    it('is 30 seconds by default, and over once connected [55]', async () => {
      const h = harness();
      const reactor = startReactor(h);
      reactor.installNameResolver(new StaticResolver(reactor, { silent: undefined }));
      const waiting = reactor.connectTCP('silent', 1, new RecordingFactory());
      await h.until(() => reactor.getDelayedCalls().length === 1, 'the attempt has begun');
      const secondsLeft = reactor.getDelayedCalls()[0]!.getTime() - reactor.seconds();
      expect(secondsLeft).to.be.greaterThan(25).and.at.most(30);
      waiting.stopConnecting();
      expect(reactor.getDelayedCalls()).to.deep.equal([]);

      const server = await h.serve();
      const factory = new RecordingFactory();
      reactor.connectTCP(server.host, server.port, factory);
      await nthProtocol(h, factory, 0);
      expect(reactor.getDelayedCalls()).to.deep.equal([]);
    });
  });
}

function describeBindAddress(harness: () => Harness): void {
  describe('with a bindAddress', () => {
    it('connects from it', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      const free = await h.serve();
      await free.stop();
      const factory = new RecordingFactory();
      reactor.connectTCP(server.host, server.port, factory, { bindAddress: '127.0.0.1' });
      const peer = await server.accept();
      expect(peer.getPeer()).to.include({ host: '127.0.0.1' });
      reactor.connectTCP(server.host, server.port, factory, { bindAddress: ['127.0.0.1', free.port] });
      const other = await server.accept();
      expect(other.getPeer()).to.include({ host: '127.0.0.1', port: free.port });
      const protocol = await nthProtocol(h, factory, 1);
      expect(protocol.transport.getHost().equals(other.getPeer())).to.be.true;
    });

    it('fails with ConnectBindError, later, if it cannot be had [58]', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      const taken = await h.serve();
      const error = await failureOf(h, reactor, server.host, server.port, { bindAddress: ['127.0.0.1', taken.port] });
      expect(error).to.be.instanceOf(ConnectBindError).and.instanceOf(ConnectError);
      expect(error).to.have.nested.property('cause.code', 'EADDRINUSE');
      const noAddress = await failureOf(h, reactor, server.host, server.port, { bindAddress: 'not an address' });
      expect(noAddress).to.be.instanceOf(ConnectBindError);
      expect(server.peers).to.have.length(0);
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
      const connector = reactor.connectTCP(server.host, server.port, factory);
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
      reactor.connectTCP(server.host, server.port, factory);
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
      const connector = reactor.connectTCP(server.host, server.port, factory);
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

function describeArguments(harness: () => Harness): void {
  it('throws at the call for arguments that cannot be right, naming them, and starts nothing', () => {
    const reactor = harness().createReactor();
    const factory = new RecordingFactory();
    const connect = reactor.connectTCP.bind(reactor) as (...args: unknown[]) => unknown; // as without types
    expect(() => connect(undefined, 1, factory)).to.throw(TypeError, /^host /);
    expect(() => connect('', 1, factory)).to.throw(RangeError, /^host /);
    expect(() => connect('host', '1', factory)).to.throw(TypeError, /^port /);
    for (const port of [0, -1, 70_000, 1.5, NaN]) {
      expect(() => connect('host', port, factory), String(port)).to.throw(RangeError, /^port /);
    }
    expect(() => connect('host', 1, undefined)).to.throw(TypeError, /^factory /);
    expect(() => connect('host', 1, { doStart: () => {} })).to.throw(TypeError, /^factory .*buildProtocol/);
    expect(() => connect('host', 1, factory, { timeout: '1' })).to.throw(TypeError, /^timeout /);
    for (const timeout of [-1, NaN, Infinity]) {
      expect(() => connect('host', 1, factory, { timeout }), String(timeout)).to.throw(RangeError, /^timeout /);
    }
    expect(() => connect('host', 1, factory, { bindAddress: 7 })).to.throw(TypeError);
    expect(() => connect('host', 1, factory, { bindAddress: {} })).to.throw(TypeError);
    expect(() => connect('host', 1, factory, { bindAddress: [7, 7] })).to.throw(TypeError, /^bindAddress /);
    expect(() => connect('host', 1, factory, { bindAddress: ['::', 70_000] })).to.throw(RangeError, /^bindAddress /);
    expect(factory.calls).to.deep.equal([]);
    expect(reactor.inspect().connectors).to.deep.equal([]);
  });
}
