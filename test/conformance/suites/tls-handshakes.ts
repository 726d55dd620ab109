/** Handshakes that fail, never end, or are given up, on either side and however they were begun. */
import { expect } from 'chai';
import {
  ConnectError,
  ConnectionAborted,
  ConnectionDone,
  ConnectionLost,
  ConnectTimeoutError,
  type Connector,
  type Reactor,
  SSLError,
  TLSHandshakeTimeoutError,
  UserError,
} from 'ropewalk/core';
import type { Harness, Peer } from '../harness.ts';
import { hostAndPort } from '../harness/reactor-calls.ts';
import { nthProtocol, roundTrip, serve, settled, skipUnless, startReactor, untilLost } from '../support/connections.ts';
import type { RecordingFactory } from '../support/recording-factory.ts';
import { RecordingProducer } from '../support/recording-producer.ts';
import type { RecordingProtocol } from '../support/recording-protocol.ts';
import { runReactor } from '../support/running.ts';
import {
  CERTIFICATES,
  connectTLS,
  joinTCP,
  listenTLS,
  type LogOfWarnings,
  MADE,
  secureFactory,
  startBoth,
  startLoggingReactor,
  TRUST,
  untilSecure,
} from '../support/tls.ts';
import { Relay } from '../support/tls-relay.ts';

const { server: SERVER } = CERTIFICATES;

/** Not TLS, and more of it than a record's head. */
const GARBAGE = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** Short, for handshakes that are to take too long. */
const TIMEOUT_SECONDS = 0.02;

export function describeTLSHandshakes(harness: () => Harness): void {
  describe('the handshake of an accepted connection', () => {
    describeAcceptedFaults(harness);
    describeAcceptedGivenUp(harness);
  });
  describe('the handshake of an outgoing connection', () => {
    describeOutgoingFaults(harness);
    describeOutgoingGivenUp(harness);
  });
  describe('the handshake of startTLS', () => {
    describeStartedFaults(harness);
    describeStartedGivenUp(harness);
  });
}

interface Waiting {
  readonly reactor: Reactor;
  readonly log: LogOfWarnings;
  readonly factory: RecordingFactory;
  readonly peer: Peer;
}

/** A server that has accepted a connection from a plain peer, and waits for its handshake. */
async function acceptPlain(
  h: Harness,
  handshakeTimeout?: number,
): Promise<Waiting & Awaited<ReturnType<typeof listenTLS>>> {
  const { reactor, log } = startLoggingReactor(h);
  const factory = secureFactory();
  const listening = await listenTLS(h, reactor, factory, SERVER, {
    ...(handshakeTimeout !== undefined && { handshakeTimeout }),
  });
  const peer = await h.dial(listening.destination, { allowHalfOpen: true });
  await h.until(() => reactor.inspect().handshakes.length > 0, 'the handshake has begun');
  return { reactor, log, factory, peer, ...listening };
}

/** A client whose server is a plain peer, which has seen it begin its handshake. */
async function connectPlain(
  h: Harness,
  options: { readonly timeout?: number } = {},
): Promise<Waiting & { readonly connector: Connector }> {
  const { reactor, log } = startLoggingReactor(h);
  const factory = secureFactory();
  const server = await h.serve({ allowHalfOpen: true });
  const connector = connectTLS(reactor, server.destination, factory, TRUST, options);
  const peer = await server.accept();
  await h.until(() => peer.received.length > 100, 'the client has begun');
  return { reactor, log, factory, peer, connector };
}

/** A connection of a plain peer, on which `startTLS` has been called. */
async function startPlain(
  h: Harness,
  role: 'server' | 'client' = 'server',
  options: { readonly handshakeTimeout?: number } = {},
): Promise<{ readonly reactor: Reactor; readonly protocol: RecordingProtocol; readonly peer: Peer }> {
  const { reactor } = startLoggingReactor(h);
  const factory = secureFactory();
  if (role === 'server') {
    const port = reactor.listenTCP(0, factory, { interface: '127.0.0.1' });
    await settled(h, port.whenListening(), 'the port is bound');
    const peer = await h.dial(port.getHost(), { allowHalfOpen: true });
    const protocol = await nthProtocol(h, factory, 0);
    protocol.transport.startTLS(SERVER, options);
    await roundTrip(h, reactor);
    return { reactor, protocol, peer };
  }
  const server = await h.serve({ allowHalfOpen: true });
  const { host, port } = hostAndPort(server.destination);
  reactor.connectTCP(host, port, factory);
  const protocol = await nthProtocol(h, factory, 0);
  protocol.transport.startTLS(TRUST, options);
  const peer = await server.accept();
  await h.until(() => peer.received.length > 100, 'the client has begun');
  return { reactor, protocol, peer };
}

function expectNothingLeft(reactor: Reactor): void {
  expect(reactor.inspect()).to.deep.include({ connections: [], handshakes: [], connectors: [], delayedCalls: [] });
}

function describeAcceptedFaults(harness: () => Harness): void {
  const faults: readonly (readonly [
    what: string,
    does: (peer: Peer) => void,
    type: new (...args: never[]) => Error,
  ])[] = [
    ['sends no TLS', (peer) => peer.send(GARBAGE), SSLError],
    ['closes its half', (peer) => peer.end(), ConnectionLost],
    ['resets', (peer) => peer.abort(), ConnectionLost],
    [
      'sends the head of a record, and closes',
      (peer) => {
        peer.send(new Uint8Array([22, 3, 1, 1, 0, 1]));
        peer.end();
      },
      ConnectionLost,
    ],
  ];
  for (const [what, does, type] of faults) {
    it(`fails with a warning, and nothing else, if the peer ${what}`, async () => {
      const h = harness();
      const { reactor, log, factory, peer, listeningPort } = await acceptPlain(h);
      does(peer);
      await h.until(() => log.warnings.length > 0, 'it has been logged');
      expect(log.warnings).to.have.length(1);
      expect(log.errors[0]).to.be.instanceOf(type);
      expect(log.warnings[0]?.message).to.contain(`port ${hostAndPort(listeningPort.getHost()).port}`);
      expect(log.warnings[0]?.fields).to.have.property('peer', String(peer.getHost()));
      await h.until(() => peer.closed || peer.ended, 'the peer has been told');
      expect(factory.calls).to.deep.equal(['doStart', 'startFactory']);
      expectNothingLeft(reactor);
    });
  }

  it('warns of the first of a row that fail alike, and leaves the rest to who wants details', async () => {
    const h = harness();
    const { reactor, log, peer, destination } = await acceptPlain(h);
    const peers = [peer, ...(await Promise.all([1, 2, 3, 4].map(() => h.dial(destination))))];
    for (const one of peers) one.abort();
    await h.until(() => log.details.length === 4, 'all have been logged');
    expect(log.warnings).to.have.length(1);
    expect(log.details[0]?.fields).to.have.property('err').that.is.instanceOf(ConnectionLost);
    expect(log.details[0]?.fields).to.have.property('peer');
    const garbled = await h.dial(destination);
    garbled.send(GARBAGE);
    await h.until(() => log.warnings.length === 2, 'another fails otherwise, which is another matter');

    const clientFactory = secureFactory();
    connectTLS(reactor, destination, clientFactory);
    await nthProtocol(h, clientFactory, 0);
    const next = await h.dial(destination);
    next.abort();
    await h.until(() => log.warnings.length === 3, 'after one that has succeeded it is worth a warning again');
    expect(log.details).to.have.length(4);
  });

  it('calls a peer by its host in the error', async () => {
    const h = harness();
    const { log, peer } = await acceptPlain(h);
    peer.send(GARBAGE);
    await h.until(() => log.warnings.length > 0, 'it has been logged');
    expect(log.errors[0]?.message).to.contain(`handshake with ${hostAndPort(peer.getHost()).host} failed`);
  });

  it('sends an alert to a peer that speaks no TLS', async () => {
    const h = harness();
    const { peer } = await acceptPlain(h);
    peer.send(new Uint8Array([22, 3, 1, 0, 4, 99, 0, 0, 0]));
    await h.until(() => peer.ended || peer.closed, 'it has been closed');
    expect(peer.received[0]).to.equal(21); // a record of an alert
  });

  it('fails with TLSHandshakeTimeoutError if the peer says nothing', async () => {
    const h = harness();
    const { reactor, log, factory, peer } = await acceptPlain(h, TIMEOUT_SECONDS);
    await h.advance(TIMEOUT_SECONDS / 2);
    if (h.features.has('virtual-time')) expect(log.warnings).to.deep.equal([]);
    await h.advance(TIMEOUT_SECONDS);
    await h.until(() => log.warnings.length > 0, 'it has been logged');
    expect(log.errors[0]).to.be.instanceOf(TLSHandshakeTimeoutError);
    expect(log.errors[0]?.message).to.equal('The TLS handshake with 127.0.0.1 took more than 0.02 s');
    await h.until(() => peer.closed, 'it has been closed');
    expect(factory.calls).to.deep.equal(['doStart', 'startFactory']);
    expectNothingLeft(reactor);
  });

  it('has 30 seconds by default', async function () {
    const h = harness();
    skipUnless(this, h, 'virtual-time');
    const { log } = await acceptPlain(h);
    await h.advance(29.9);
    expect(log.warnings).to.deep.equal([]);
    await h.advance(0.2);
    expect(log.errors[0]).to.be.instanceOf(TLSHandshakeTimeoutError);
  });

  it('leaves the port listening, and other connections alone', async () => {
    const h = harness();
    const { reactor, factory, peer, destination } = await acceptPlain(h);
    const clientFactory = secureFactory();
    connectTLS(reactor, destination, clientFactory);
    const accepted = await nthProtocol(h, factory, 0);
    peer.send(GARBAGE);
    await h.until(() => peer.ended || peer.closed, 'the peer has been told');
    const client = await nthProtocol(h, clientFactory, 0);
    client.transport.write('still here');
    await h.until(() => accepted.text === 'still here', 'the other connection goes on');
  });

  it('is listed by inspect, and not as a connection', async () => {
    const h = harness();
    const { reactor, peer } = await acceptPlain(h);
    const { handshakes, connections } = reactor.inspect();
    expect(connections).to.deep.equal([]);
    expect(handshakes).to.have.length(1);
    expect(handshakes[0]).to.contain('TLS handshake').and.contain(String(peer.getHost()));
  });

  it('is logged by nobody where there is no logger', async () => {
    const h = harness();
    const reactor = startReactor(h);
    const { destination } = await listenTLS(h, reactor, secureFactory());
    const peer = await h.dial(destination);
    peer.send(GARBAGE);
    await h.until(() => peer.closed, 'it has been closed');
    expect(h.errors).to.deep.equal([]);
  });
}

function describeAcceptedGivenUp(harness: () => Harness): void {
  it('ends without a word when the reactor stops', async () => {
    const h = harness();
    const { reactor, log, factory, peer } = await acceptPlain(h);
    reactor.stop();
    await h.until(() => peer.closed, 'it has been closed');
    await h.until(() => !reactor.running, 'the reactor has stopped');
    expect(log.warnings).to.deep.equal([]);
    expectNothingLeft(reactor);
    expect(factory.calls).to.deep.equal(['doStart', 'startFactory', 'doStop', 'stopFactory']);
  });

  it('ends without a word when the port stops listening: no protocol is built after that', async () => {
    const h = harness();
    const { reactor, log, factory, peer, listeningPort } = await acceptPlain(h);
    await settled(h, listeningPort.stopListening(), 'the port has stopped');
    await h.until(() => peer.closed, 'it has been closed');
    expect(log.warnings).to.deep.equal([]);
    expectNothingLeft(reactor);
    expect(factory.calls).to.deep.equal(['doStart', 'startFactory', 'doStop', 'stopFactory']);
  });

  it('goes on after a crash when the reactor runs again', async () => {
    const h = harness();
    const { reactor } = startLoggingReactor(h);
    const elsewhere = startReactor(h);
    const factory = secureFactory();
    const { destination } = await listenTLS(h, reactor, factory);
    const relay = await Relay.to(h, destination);
    const clientFactory = secureFactory({ connectionMade: ({ transport }) => void transport.write('hello') });
    connectTLS(elsewhere, relay.destination, clientFactory);
    await relay.accept();
    relay.filter = () => undefined;
    await relay.until(() => relay.heard.client.length > 0, 'the client has begun');
    await h.until(() => reactor.inspect().handshakes.length > 0, 'the server waits');
    reactor.crash();
    const [client, server] = relay.ends;
    server.send(relay.heard.client);
    relay.filter = (_speaker, data) => data;
    await relay.until(() => clientFactory.protocols.length > 0, 'the handshake is over for the client');
    await roundTrip(h, elsewhere);
    relay.pump();
    expect(factory.calls).not.to.include('buildProtocol');
    expect(client.closed).to.be.false;
    runReactor(reactor);
    await relay.until(() => factory.protocols[0]?.text === 'hello', 'the server goes on');
    expect(factory.protocols[0]?.calls).to.deep.equal([...MADE, 'dataReceived']);
  });

  it('fails after a crash when the reactor runs again, if the peer has gone meanwhile', async () => {
    const h = harness();
    const { reactor, log, factory, peer } = await acceptPlain(h);
    reactor.crash();
    peer.abort();
    await roundTrip(h, startReactor(h));
    expect(log.warnings).to.deep.equal([]);
    runReactor(reactor);
    await h.until(() => log.warnings.length === 1, 'it has been logged');
    expect(factory.protocols).to.deep.equal([]);
    expectNothingLeft(reactor);
  });
}

function describeOutgoingFaults(harness: () => Harness): void {
  it('fails with SSLError if the server speaks no TLS', async () => {
    const h = harness();
    const { reactor, factory, peer, connector } = await connectPlain(h);
    peer.send('220 mail.example ESMTP\r\n');
    await h.until(() => factory.reasons.length > 0, 'the attempt has failed');
    expect(factory.reasons[0]).to.be.instanceOf(SSLError);
    expect(factory.reasons[0]?.message).to.match(/^The TLS handshake with 127\.0\.0\.1 failed: wrong version number/);
    expect(factory.calls.slice(-3)).to.deep.equal(['clientConnectionFailed', 'doStop', 'stopFactory']);
    expect(factory.protocols).to.deep.equal([]);
    expect(connector.state).to.equal('disconnected');
    await h.until(() => peer.ended || peer.closed, 'the peer has been told');
    expectNothingLeft(reactor);
  });

  for (const way of ['end', 'abort'] as const) {
    it(`fails with ConnectError if the server ${way === 'end' ? 'closes' : 'resets'}`, async () => {
      const h = harness();
      const { reactor, factory, peer } = await connectPlain(h);
      peer[way]();
      await h.until(() => factory.reasons.length > 0, 'the attempt has failed');
      expect(factory.reasons[0]).to.be.instanceOf(ConnectError).and.not.instanceOf(SSLError);
      expect(factory.reasons[0]?.message).to.contain('Cannot connect to 127.0.0.1');
      expect(factory.reasons[0]?.cause).to.have.property('code', 'ECONNRESET');
      await h.until(() => peer.ended || peer.closed, 'the peer has been told');
      expectNothingLeft(reactor);
    });
  }

  it('fails with ConnectTimeoutError if the server says nothing, within the one limit of the attempt', async () => {
    const h = harness();
    const { reactor, factory, peer } = await connectPlain(h, { timeout: 0.05 });
    await h.advance(0.06);
    await h.until(() => factory.reasons.length > 0, 'the attempt has failed');
    expect(factory.reasons[0]).to.be.instanceOf(ConnectTimeoutError);
    expect(factory.reasons[0]?.message).to.contain('TLS handshake was not completed');
    await h.until(() => peer.closed, 'the peer has been told');
    expectNothingLeft(reactor);
  });

  it('fails if what the server says is changed on the way', async () => {
    const h = harness();
    const { reactor, log } = startLoggingReactor(h);
    const serverFactory = secureFactory();
    const { destination } = await listenTLS(h, reactor, serverFactory);
    const relay = await Relay.to(h, destination);
    const factory = secureFactory();
    connectTLS(reactor, relay.destination, factory);
    await relay.accept();
    relay.filter = (speaker, data) => {
      if (speaker === 'client') return data;
      const changed = Buffer.from(data);
      changed[changed.length - 1]! ^= 1;
      return changed;
    };
    await relay.until(() => factory.reasons.length > 0 && log.warnings.length > 0, 'both know');
    expect(factory.reasons[0]).to.be.instanceOf(SSLError);
    expect(log.errors[0]).to.be.instanceOf(SSLError);
    expect(factory.protocols).to.deep.equal([]);
    expect(serverFactory.protocols).to.deep.equal([]);
  });

  it('may be tried again in clientConnectionFailed', async () => {
    const h = harness();
    const { factory, peer, connector } = await connectPlain(h);
    peer.abort();
    await h.until(() => factory.reasons.length > 0, 'the first attempt has failed');
    connector.connect();
    expect(connector.state).to.equal('connecting');
    connector.stopConnecting();
    expect(factory.reasons[1]).to.be.instanceOf(UserError);
  });
}

function describeOutgoingGivenUp(harness: () => Harness): void {
  for (const way of ['stopConnecting', 'disconnect'] as const) {
    it(`ends at once with UserError by ${way}`, async () => {
      const h = harness();
      const { reactor, factory, peer, connector } = await connectPlain(h);
      connector[way]();
      expect(factory.reasons[0]).to.be.instanceOf(UserError);
      expect(factory.calls.slice(-3)).to.deep.equal(['clientConnectionFailed', 'doStop', 'stopFactory']);
      await h.until(() => peer.closed, 'the peer has been told');
      expectNothingLeft(reactor);
      await roundTrip(h, reactor);
      expect(factory.reasons).to.have.length(1);
    });
  }

  it('ends with ConnectError when the reactor stops', async () => {
    const h = harness();
    const { reactor, factory, peer } = await connectPlain(h);
    reactor.stop();
    await h.until(() => factory.reasons.length > 0, 'the attempt has failed');
    expect(factory.reasons[0]).to.be.instanceOf(ConnectError);
    expect(factory.reasons[0]?.message).to.contain('the reactor stopped');
    await h.until(() => peer.closed, 'the peer has been told');
    expectNothingLeft(reactor);
  });

  it('goes on after a crash when the reactor runs again', async () => {
    const h = harness();
    const reactor = startReactor(h);
    const elsewhere = startReactor(h);
    const { destination } = await listenTLS(h, elsewhere, secureFactory());
    const relay = await Relay.to(h, destination);
    const factory = secureFactory();
    const connector = connectTLS(reactor, relay.destination, factory);
    await relay.accept();
    await relay.until(() => relay.heard.client.length > 0, 'the client has begun');
    reactor.crash();
    await relay.until(() => relay.heard.server.length > 0, 'the server has answered');
    await roundTrip(h, elsewhere);
    expect(connector.state).to.equal('connecting');
    expect(factory.calls).not.to.include('buildProtocol');
    runReactor(reactor);
    await relay.until(() => factory.protocols[0]?.calls.length === 2, 'the client goes on');
    expect(factory.protocols[0]?.calls).to.deep.equal(MADE);
  });
}

function describeStartedFaults(harness: () => Harness): void {
  for (const role of ['server', 'client'] as const) {
    it(`loses the connection with SSLError if the peer speaks no TLS (${role})`, async () => {
      const h = harness();
      const { reactor, protocol, peer } = await startPlain(h, role);
      peer.send(GARBAGE);
      await untilLost(h, protocol);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
      expect(protocol.lostBy).to.be.instanceOf(SSLError);
      expect(protocol.lostBy?.message).to.contain('127.0.0.1');
      await h.until(() => peer.ended || peer.closed, 'the peer has been told');
      expectNothingLeft(reactor);
    });

    it(`loses it with ConnectionLost if the peer closes or resets (${role})`, async () => {
      const h = harness();
      for (const way of ['end', 'abort'] as const) {
        const { reactor, protocol, peer } = await startPlain(h, role);
        peer[way]();
        await untilLost(h, protocol);
        expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
        expect(protocol.lostBy, way).to.be.instanceOf(ConnectionLost);
        await h.until(() => peer.ended || peer.closed, 'the peer has been told');
        expectNothingLeft(reactor);
      }
    });

    it(`loses it with TLSHandshakeTimeoutError if the peer says nothing (${role})`, async () => {
      const h = harness();
      const { reactor, protocol, peer } = await startPlain(h, role, { handshakeTimeout: TIMEOUT_SECONDS });
      await h.advance(2 * TIMEOUT_SECONDS);
      await untilLost(h, protocol);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
      expect(protocol.lostBy).to.be.instanceOf(TLSHandshakeTimeoutError);
      expect(protocol.lostBy?.message).to.equal('The TLS handshake with 127.0.0.1 took more than 0.02 s');
      await h.until(() => peer.closed, 'the peer has been told');
      expectNothingLeft(reactor);
    });
  }

  it('is not timed while plain text waits to leave', async function () {
    const h = harness();
    skipUnless(this, h, 'virtual-time');
    const { reactor, server, client } = await joinTCP(h);
    client.transport.pauseProducing();
    server.transport.write(new Uint8Array(1_000_000));
    server.transport.startTLS(SERVER, { handshakeTimeout: 1 });
    await h.advance(10);
    expect(server.isLost).to.be.false;
    client.transport.resumeProducing();
    await h.until(() => client.receivedBytes === 1_000_000, 'the plain text has come');
    await h.advance(2);
    expect(server.lostBy).to.be.instanceOf(TLSHandshakeTimeoutError);
    expectNothingLeft(reactor);
  });

  it('loses it with ConnectionLost where the peer has closed its half before', async () => {
    const h = harness();
    const { reactor, protocol, peer } = await (async () => {
      const served = await serve(h, {}, { allowHalfOpen: true });
      Object.assign(served.protocol, { readConnectionLost: () => served.protocol.transport.startTLS(SERVER) });
      return served;
    })();
    peer.end();
    await untilLost(h, protocol);
    expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
    expect(protocol.lostBy).to.be.instanceOf(ConnectionLost);
    expect(protocol.lostBy?.message).to.contain('closed its half');
    expect(reactor.inspect().connections).to.deep.equal([]);
  });

  it('loses it with ConnectionLost where the peer’s FIN was held back by pausing', async () => {
    const h = harness();
    const { reactor, protocol, peer } = await serve(h, {
      connectionMade: ({ transport }) => transport.pauseProducing(),
    });
    peer.end();
    await roundTrip(h, reactor);
    protocol.transport.startTLS(SERVER);
    await untilLost(h, protocol);
    expect(protocol.lostBy).to.be.instanceOf(ConnectionLost);
    await h.until(() => peer.closed, 'the peer has been told');
  });

  it('stops a registered producer when it fails', async () => {
    const h = harness();
    const { protocol, peer } = await startPlain(h);
    const producer = new RecordingProducer();
    protocol.transport.registerProducer(producer, true);
    peer.send(GARBAGE);
    await untilLost(h, protocol);
    expect(producer.calls).to.deep.equal(['stopProducing']);
  });
}

function describeStartedGivenUp(harness: () => Harness): void {
  it('is followed by what loseConnection waits for: what was written is sent, encrypted [67]', async () => {
    const h = harness();
    const { server, client } = await joinTCP(h);
    server.transport.startTLS(SERVER);
    server.transport.write('last words');
    server.transport.loseConnection();
    expect(server.transport.disconnecting).to.be.true;
    expect(server.transport.write('too late')).to.be.false;
    client.transport.startTLS(TRUST);
    await untilLost(h, client);
    await untilLost(h, server);
    expect(client.text).to.equal('last words');
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
    expect(server.lostBy).to.be.instanceOf(ConnectionDone);
    expect(client.calls).to.deep.equal([...MADE, 'dataReceived', 'connectionLost']);
    expect(server.calls).to.deep.equal(['connectionMade', 'connectionLost']);
  });

  it('is over before loseConnection closes, even if nothing was written [67]', async () => {
    const h = harness();
    const { server, client } = await joinTCP(h);
    server.transport.startTLS(SERVER);
    server.transport.loseConnection();
    client.transport.startTLS(TRUST);
    await untilLost(h, client);
    await untilLost(h, server);
    expect(client.calls).to.deep.equal([...MADE, 'connectionLost']);
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('still has its time limit after loseConnection', async () => {
    const h = harness();
    const { reactor, protocol, peer } = await startPlain(h, 'server', { handshakeTimeout: TIMEOUT_SECONDS });
    protocol.transport.write('never sent');
    protocol.transport.loseConnection();
    await h.advance(2 * TIMEOUT_SECONDS);
    await untilLost(h, protocol);
    expect(protocol.lostBy).to.be.instanceOf(TLSHandshakeTimeoutError);
    await h.until(() => peer.closed, 'the peer has been told');
    expect(peer.received.length).to.equal(0);
    expectNothingLeft(reactor);
  });

  it('ends at once by abortConnection', async () => {
    const h = harness();
    for (const role of ['server', 'client'] as const) {
      const { reactor, protocol, peer } = await startPlain(h, role);
      protocol.transport.write('never sent');
      protocol.transport.abortConnection();
      expect(protocol.isLost).to.be.false;
      await untilLost(h, protocol);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionAborted);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
      await h.until(() => peer.closed, 'the peer has been told');
      expect(peer.reset).to.be.true;
      expectNothingLeft(reactor);
    }
  });

  it('ends by abortConnection while plain text still waits to leave', async () => {
    const h = harness();
    const { reactor, server, client } = await joinTCP(h);
    client.transport.pauseProducing();
    server.transport.write(new Uint8Array(20_000_000));
    server.transport.startTLS(SERVER);
    await roundTrip(h, reactor);
    server.transport.abortConnection();
    await untilLost(h, server);
    expect(server.lostBy).to.be.instanceOf(ConnectionAborted);
    client.transport.resumeProducing();
    await untilLost(h, client);
    expect(client.lostBy).to.be.instanceOf(ConnectionLost);
    expectNothingLeft(reactor);
  });

  it('is followed by what loseWriteConnection waits for; reading goes on', async () => {
    const h = harness();
    const { server, client } = await joinTCP(h);
    server.transport.startTLS(SERVER);
    server.transport.write('all I have to say');
    server.transport.loseWriteConnection();
    Object.assign(client, { readConnectionLost: () => void client.transport.write('and an answer') });
    client.transport.startTLS(TRUST);
    await h.until(() => server.text === 'and an answer', 'the answer has come');
    expect(client.text).to.equal('all I have to say');
    client.transport.loseConnection();
    await untilLost(h, client);
    await untilLost(h, server);
    expect(server.lostBy).to.be.instanceOf(ConnectionDone);
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('goes on while paused; nothing is delivered until resumed but handshakeCompleted', async () => {
    const h = harness();
    const joined = await joinTCP(h);
    const { reactor, server, client } = joined;
    startBoth(joined);
    server.transport.pauseProducing();
    client.transport.write('hello');
    await untilSecure(h, joined);
    await roundTrip(h, reactor);
    expect(server.calls).to.deep.equal(MADE);
    server.transport.resumeProducing();
    await h.until(() => server.text === 'hello', 'the bytes have come');
  });

  it('delivers nothing after handshakeCompleted has paused', async () => {
    const h = harness();
    const { reactor, server, client } = await joinTCP(h, {
      server: { handshakeCompleted: ({ transport }) => transport.pauseProducing() },
    });
    server.transport.startTLS(SERVER);
    client.transport.startTLS(TRUST);
    client.transport.write('hello');
    await h.until(() => server.calls.includes('handshakeCompleted'), 'the handshake is over');
    await roundTrip(h, reactor);
    await h.advance(0);
    expect(server.calls).to.deep.equal(MADE);
    server.transport.resumeProducing();
    await h.until(() => server.text === 'hello', 'the bytes have come');
  });

  it('may be paused and resumed while it goes on', async () => {
    const h = harness();
    const joined = await joinTCP(h);
    startBoth(joined);
    for (const { transport } of [joined.server, joined.client]) {
      transport.write('hello');
      for (let count = 0; count < 3; count += 1) {
        transport.pauseProducing();
        transport.resumeProducing();
      }
    }
    await h.until(() => joined.server.text === 'hello' && joined.client.text === 'hello', 'both have heard');
  });

  it('ends with ConnectionLost when the reactor stops', async () => {
    const h = harness();
    for (const role of ['server', 'client'] as const) {
      const { reactor, protocol, peer } = await startPlain(h, role);
      protocol.transport.write('never sent');
      reactor.stop();
      await untilLost(h, protocol);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionLost);
      expect(protocol.lostBy?.message).to.contain('the reactor stopped');
      await h.until(() => peer.closed || peer.ended, 'the peer has been told');
      expectNothingLeft(reactor);
    }
  });

  it('goes on after a crash when the reactor runs again', async () => {
    const h = harness();
    const { reactor, protocol, peer } = await startPlain(h);
    reactor.crash();
    peer.send(GARBAGE);
    await roundTrip(h, startReactor(h));
    expect(protocol.isLost).to.be.false;
    runReactor(reactor);
    await untilLost(h, protocol);
    expect(protocol.lostBy).to.be.instanceOf(SSLError);
  });

  it('completes after a crash between startTLS and the end of the turn', async () => {
    const h = harness();
    const { reactor, server, client } = await joinTCP(h);
    server.transport.write('plain, ');
    server.transport.startTLS(SERVER);
    server.transport.write('encrypted');
    reactor.crash();
    runReactor(reactor);
    await h.until(() => client.text === 'plain, ', 'the plain text has come');
    client.transport.startTLS(TRUST);
    await h.until(() => client.text === 'plain, encrypted', 'the rest has come');
  });
}
