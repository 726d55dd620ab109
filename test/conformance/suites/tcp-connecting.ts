/** Outgoing TCP connections: names, families, local addresses, arguments. The rest of an attempt is in `connecting.ts`. */
import { expect } from 'chai';
import {
  ConnectBindError,
  ConnectError,
  ConnectionRefusedError,
  ConnectTimeoutError,
  DNSLookupError,
  type HostnameResolver,
  IPv4Address,
  IPv6Address,
  UserError,
} from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { hostAndPort } from '../harness/reactor-calls.ts';
import { failureOf } from '../support/connecting.ts';
import { listen, nthProtocol, roundTrip, skipUnless, startReactor } from '../support/connections.ts';
import { RecordingFactory } from '../support/recording-factory.ts';
import { hostname, StaticResolver } from '../support/static-resolver.ts';

/** Long enough that a refusal comes before it, short enough to wait for. */
const TIMEOUT_SECONDS = 0.05;

export function describeTCPConnecting(harness: () => Harness): void {
  describe('connectTCP', () => {
    describeAddresses(harness);
    describeNames(harness);
    describeGivingUp(harness);
    describeTimeout(harness);
    describeBindAddress(harness);
    describeArguments(harness);
  });
}

function describeAddresses(harness: () => Harness): void {
  it('has IPv4 addresses at both ends, with the real ports', async () => {
    const h = harness();
    const reactor = startReactor(h);
    const serverFactory = new RecordingFactory();
    const { destination } = await listen(h, reactor, serverFactory);
    const { port } = hostAndPort(destination);
    const factory = new RecordingFactory();
    reactor.connectTCP('127.0.0.1', port, factory);
    const client = await nthProtocol(h, factory, 0);
    const server = await nthProtocol(h, serverFactory, 0);
    for (const address of [client.transport.getPeer(), server.transport.getHost()]) {
      expect(address).to.be.instanceOf(IPv4Address).and.include({ type: 'TCP', host: '127.0.0.1', port });
    }
    expect(server.transport.getPeer()).to.be.instanceOf(IPv4Address).and.include({ type: 'TCP', host: '127.0.0.1' });
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

  it('names the address in the error when nobody listens [58]', async () => {
    const h = harness();
    const reactor = startReactor(h);
    const { host, port } = hostAndPort((await h.serve({ answer: 'refuse' })).destination);
    const error = await failureOf(h, reactor, (factory) => reactor.connectTCP(host, port, factory));
    expect(error).to.be.instanceOf(ConnectionRefusedError);
    expect(error.message).to.include(host).and.include(String(port));
  });

  it('fails if a choice of families excludes the address', async () => {
    const h = harness();
    const reactor = startReactor(h);
    const error = await failureOf(h, reactor, (factory) =>
      reactor.connectTCP('127.0.0.1', 7, factory, { families: ['IPv6'] }),
    );
    expect(error).to.be.instanceOf(DNSLookupError).and.instanceOf(ConnectError);
    const factory = new RecordingFactory();
    // @ts-expect-error -- there is no such family
    expect(() => reactor.connectTCP('127.0.0.1', 7, factory, { families: ['UNIX'] })).to.throw(TypeError, 'families');
    expect(() => reactor.connectTCP('127.0.0.1', 7, factory, { families: [] })).to.throw(TypeError, 'families');
  });
}

function describeNames(harness: () => Harness): void {
  describe('with a name', () => {
    it('asks for no name before the reactor runs [53]', async () => {
      const h = harness();
      const reactor = h.createReactor();
      const server = await h.serve();
      const factory = new RecordingFactory();
      const resolver = new StaticResolver(reactor, { server: ['127.0.0.1'] });
      reactor.installNameResolver(resolver);
      reactor.connectTCP('server', hostAndPort(server.destination).port, factory);
      await roundTrip(h, startReactor(h));
      expect(factory.calls).to.deep.equal(['doStart', 'startFactory', 'startedConnecting']);
      expect(resolver.calls).to.deep.equal([]);
      expect(server.peers).to.have.length(0);
      void reactor.run({ installSignalHandlers: false });
      await nthProtocol(h, factory, 0);
    });

    it('fails with DNSLookupError, which names it and has the cause, if it cannot be resolved [58]', async () => {
      const h = harness();
      const reactor = startReactor(h);
      reactor.installNameResolver(new StaticResolver(reactor, { empty: [] }));
      const error = await failureOf(h, reactor, (factory) => reactor.connectTCP('nobody.example', 1, factory));
      expect(error).to.be.instanceOf(DNSLookupError).and.instanceOf(ConnectError);
      expect(error.message).to.include('nobody.example').and.include('the table does not have it');
      expect(error).to.have.nested.property('cause.message', 'the table does not have it');

      const withoutAddress = await failureOf(h, reactor, (factory) => reactor.connectTCP('empty', 1, factory));
      expect(withoutAddress).to.be.instanceOf(DNSLookupError);
      expect(withoutAddress.message).to.include('empty');
    });

    it('connects to its address; the destination stays the name', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      const { port } = hostAndPort(server.destination);
      reactor.installNameResolver(new StaticResolver(reactor, { 'server.example': ['127.0.0.1'] }));
      const factory = new RecordingFactory();
      const connector = reactor.connectTCP('server.example', port, factory);
      expect(connector.getDestination().equals(hostname('server.example', port))).to.be.true;
      await nthProtocol(h, factory, 0);
      expect(factory.addresses[0]!.equals(new IPv4Address('TCP', '127.0.0.1', port))).to.be.true;
    });

    it('resolves localhost by the platform’s own resolver', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      const { port } = hostAndPort(server.destination);
      const factory = new RecordingFactory();
      reactor.connectTCP('localhost', port, factory);
      await nthProtocol(h, factory, 0);
    });

    it('does not ask the resolver about an address', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      const { port } = hostAndPort(server.destination);
      const resolver = new StaticResolver(reactor, {});
      reactor.installNameResolver(resolver);
      const factory = new RecordingFactory();
      reactor.connectTCP('127.0.0.1', port, factory);
      await nthProtocol(h, factory, 0);
      expect(resolver.calls).to.deep.equal([]);
    });

    it('takes a resolver that answers from inside the call', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      const { port } = hostAndPort(server.destination);
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
      reactor.connectTCP('server.example', port, factory);
      await nthProtocol(h, factory, 0);
      expect(reactor.getDelayedCalls()).to.deep.equal([]);
    });

    it('tries its addresses one after another until one answers', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      const { port } = hostAndPort(server.destination);
      reactor.installNameResolver(new StaticResolver(reactor, { several: ['127.0.0.2', '127.0.0.3', '127.0.0.1'] }));
      const factory = new RecordingFactory();
      reactor.connectTCP('several', port, factory);
      const protocol = await nthProtocol(h, factory, 0);
      expect(protocol.transport.getPeer()).to.include({ host: '127.0.0.1' });
      expect(factory.calls).to.deep.equal(['doStart', 'startFactory', 'startedConnecting', 'buildProtocol']);
      expect(server.peers).to.have.length(1);
    });

    it('tries IPv4 first, in the order of the resolver, and names every attempt in the error', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve({ answer: 'refuse' });
      const { port } = hostAndPort(server.destination);
      reactor.installNameResolver(new StaticResolver(reactor, { several: ['::1', '127.0.0.2', '127.0.0.1'] }));
      const error = await failureOf(h, reactor, (factory) => reactor.connectTCP('several', port, factory));
      expect(error).to.be.instanceOf(ConnectError);
      expect(error.message).to.include('several');
      const order = ['127.0.0.2 port', '127.0.0.1 port', '::1 port'].map((address) => error.message.indexOf(address));
      expect(order[0]).to.be.greaterThan(0);
      expect(order).to.deep.equal(order.toSorted((one, other) => one - other));
    });

    it('fails at once if the resolver throws', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const resolver: HostnameResolver = {
        resolveHostName() {
          throw new Error('out of order');
        },
      };
      reactor.installNameResolver(resolver);
      const error = await failureOf(h, reactor, (factory) => reactor.connectTCP('somewhere', 7, factory));
      expect(error).to.be.instanceOf(DNSLookupError);
      expect(error.message).to.include('out of order');
    });
  });
}

/** The ends of an attempt while its name is being resolved. */
function describeGivingUp(harness: () => Harness): void {
  describe('during the lookup', () => {
    it('can be given up by stopConnecting, which cancels the lookup [54]', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const resolver = new StaticResolver(reactor, { silent: undefined });
      reactor.installNameResolver(resolver);
      const factory = new RecordingFactory();
      const connector = reactor.connectTCP('silent', 1, factory);
      await h.until(() => resolver.calls.length > 0, 'the attempt has begun');
      connector.stopConnecting();
      expect(factory.calls.slice(-3)).to.deep.equal(['clientConnectionFailed', 'doStop', 'stopFactory']);
      expect(factory.reasons[0]).to.be.instanceOf(UserError);
      expect(resolver.calls).to.deep.equal(['silent', 'cancelled silent']);
      expect(reactor.inspect()).to.deep.include({ connectors: [], delayedCalls: [] });
    });

    it('is given up when the reactor stops', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const resolver = new StaticResolver(reactor, { silent: undefined });
      reactor.installNameResolver(resolver);
      const factory = new RecordingFactory();
      reactor.connectTCP('silent', 1, factory);
      await h.until(() => resolver.calls.length > 0, 'the attempt has begun');
      reactor.stop();
      await h.until(() => factory.reasons.length > 0, 'the attempt has ended');
      expect(factory.reasons[0]).to.be.instanceOf(ConnectError).and.not.instanceOf(UserError);
      expect(resolver.calls).to.deep.equal(['silent', 'cancelled silent']);
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

    it('names the address that did not answer [55]', async function () {
      const h = harness();
      skipUnless(this, h, 'unanswered-connects');
      const reactor = startReactor(h);
      const { host, port } = hostAndPort((await h.serve({ answer: 'ignore' })).destination);
      const factory = new RecordingFactory();
      reactor.connectTCP(host, port, factory, { timeout: TIMEOUT_SECONDS });
      await h.advance(TIMEOUT_SECONDS);
      await h.until(() => factory.reasons.length > 0, 'the attempt has failed');
      expect(factory.reasons[0]).to.be.instanceOf(ConnectTimeoutError);
      expect(factory.reasons[0]?.message).to.include(host).and.include(String(port));
    });

    it('gives all addresses of a name that one timeout together', async function () {
      const h = harness();
      skipUnless(this, h, 'unanswered-connects');
      const reactor = startReactor(h);
      const { port } = hostAndPort((await h.serve({ answer: 'ignore' })).destination);
      const addresses = ['127.0.0.2', '127.0.0.1', '127.0.0.1'];
      reactor.installNameResolver(new StaticResolver(reactor, { several: addresses }));
      const factory = new RecordingFactory();
      reactor.connectTCP('several', port, factory, { timeout: TIMEOUT_SECONDS });
      await h.advance(TIMEOUT_SECONDS);
      await h.until(() => factory.reasons.length > 0, 'the attempt has failed');
      const [error] = factory.reasons;
      expect(error).to.be.instanceOf(ConnectTimeoutError);
      // The refused address and the one without an answer; the third has not been tried.
      expect(error?.message).to.match(/127\.0\.0\.2 port .*127\.0\.0\.1 port \d+: no answer yet/);
      expect(error?.message.match(/127\.0\.0\.1/g)).to.have.length(1);
    });

    it('is 30 seconds by default [55]', async () => {
      const h = harness();
      const reactor = startReactor(h);
      reactor.installNameResolver(new StaticResolver(reactor, { silent: undefined }));
      const waiting = reactor.connectTCP('silent', 1, new RecordingFactory());
      await h.until(() => reactor.getDelayedCalls().length === 1, 'the attempt has begun');
      const secondsLeft = reactor.getDelayedCalls()[0]!.getTime() - reactor.seconds();
      expect(secondsLeft).to.be.greaterThan(25).and.at.most(30);
      waiting.stopConnecting();
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
      const { host, port } = hostAndPort(server.destination);
      const free = await h.serve();
      const { port: freePort } = hostAndPort(free.destination);
      await free.stop();
      const factory = new RecordingFactory();
      reactor.connectTCP(host, port, factory, { bindAddress: '127.0.0.1' });
      const peer = await server.accept();
      expect(peer.getPeer()).to.include({ host: '127.0.0.1' });
      reactor.connectTCP(host, port, factory, { bindAddress: ['127.0.0.1', freePort] });
      const other = await server.accept();
      expect(other.getPeer()).to.include({ host: '127.0.0.1', port: freePort });
      const protocol = await nthProtocol(h, factory, 1);
      expect(protocol.transport.getHost().equals(other.getPeer())).to.be.true;
    });

    it('fails with ConnectBindError, later, if it cannot be had [58]', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const server = await h.serve();
      const { host, port } = hostAndPort(server.destination);
      const { port: takenPort } = hostAndPort((await h.serve()).destination);
      const error = await failureOf(h, reactor, (factory) =>
        reactor.connectTCP(host, port, factory, { bindAddress: ['127.0.0.1', takenPort] }),
      );
      expect(error).to.be.instanceOf(ConnectBindError).and.instanceOf(ConnectError);
      expect(error).to.have.nested.property('cause.code', 'EADDRINUSE');
      const noAddress = await failureOf(h, reactor, (factory) =>
        reactor.connectTCP(host, port, factory, { bindAddress: 'not an address' }),
      );
      expect(noAddress).to.be.instanceOf(ConnectBindError);
      expect(server.peers).to.have.length(0);
    });
  });
}

function describeArguments(harness: () => Harness): void {
  it('throws at the call for arguments that cannot be right, naming them, and starts nothing', () => {
    const reactor = harness().createReactor();
    const factory = new RecordingFactory();
    const connect = reactor.connectTCP.bind(reactor) as (...args: unknown[]) => unknown; // as without types
    expect(() => connect(undefined, 1, factory)).to.throw(TypeError, /^host /);
    for (const host of ['', 'http://host', 'host:80', 'a host', '::1::']) {
      expect(() => connect(host, 1, factory), host).to.throw(RangeError, /^host /);
    }
    expect(() => connect('host', 1, factory, { localAddress: '127.0.0.1' })).to.throw(TypeError, 'no localAddress');
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
