/** `listenTLS` and `connectTLS`: how an encrypted connection comes about, and what both ends know of it then. */
import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { ConnectionDone, SSLError, type TLSOptions } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { hostAndPort } from '../harness/reactor-calls.ts';
import { nthProtocol, roundTrip, serve, startReactor, takeErrors, untilLost } from '../support/connections.ts';
import { failureOf } from '../support/connecting.ts';
import { RecordingFactory } from '../support/recording-factory.ts';
import {
  CERTIFICATES,
  connectTLS,
  joinTLS,
  listenTLS,
  MADE,
  secureFactory,
  startLoggingReactor,
  TRUST,
} from '../support/tls.ts';
import { Relay } from '../support/tls-relay.ts';

export function describeTLSConnecting(harness: () => Harness): void {
  describe('listenTLS and connectTLS', () => {
    describeMaking(harness);
    describeKnowledge(harness);
    describeVersions(harness);
    describeALPN(harness);
    describeArguments(harness);
  });
}

function describeMaking(harness: () => Harness): void {
  it('connect when the handshake is over: connectionMade, handshakeCompleted, then data [66]', async () => {
    const h = harness();
    const { server, client, serverFactory, clientFactory, connector } = await joinTLS(h, {
      clientHooks: { connectionMade: ({ transport }) => void transport.write('from connectionMade') },
      serverHooks: { handshakeCompleted: ({ transport }) => void transport.write('from handshakeCompleted') },
    });
    await h.until(() => server.receivedBytes > 0 && client.receivedBytes > 0, 'both have heard of the other');
    expect(server.text).to.equal('from connectionMade');
    expect(client.text).to.equal('from handshakeCompleted');
    for (const { calls, nested } of [server, client]) {
      expect(calls).to.deep.equal([...MADE, 'dataReceived']);
      expect(nested).to.deep.equal([]);
    }
    expect(serverFactory.calls).to.deep.equal(['doStart', 'startFactory', 'buildProtocol']);
    expect(clientFactory.calls).to.deep.equal(['doStart', 'startFactory', 'startedConnecting', 'buildProtocol']);
    expect(connector.state).to.equal('connected');
    client.transport.loseConnection();
    await untilLost(h, client);
    await untilLost(h, server);
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
    expect(server.lostBy).to.be.instanceOf(ConnectionDone);
    await h.until(() => clientFactory.calls.includes('stopFactory'), 'the factory of the client is done');
    expect(clientFactory.calls.slice(-3)).to.deep.equal(['clientConnectionLost', 'doStop', 'stopFactory']);
  });

  it('have built no protocol while the handshake goes on [66]', async () => {
    const h = harness();
    const { reactor } = startLoggingReactor(h);
    const serverFactory = secureFactory();
    const { destination } = await listenTLS(h, reactor, serverFactory);
    const relay = await Relay.to(h, destination);
    const clientFactory = secureFactory();
    const connector = connectTLS(reactor, relay.destination, clientFactory);
    await relay.accept();
    // What the server answers does not arrive, so neither of them can end the handshake.
    relay.filter = (speaker, data) => (speaker === 'client' ? data : undefined);
    await relay.until(() => relay.heard.server.length > 0, 'the server has answered');
    await roundTrip(h, reactor);
    expect(serverFactory.calls).not.to.include('buildProtocol');
    expect(clientFactory.calls).not.to.include('buildProtocol');
    expect(connector.state).to.equal('connecting');
    relay.filter = (_speaker, data) => data;
    const [client] = relay.ends;
    client.send(relay.heard.server);
    await relay.until(() => serverFactory.protocols.length > 0, 'the handshake is over');
    expect(connector.state).to.equal('connected');
  });

  it('encrypt what is sent', async () => {
    const h = harness();
    const { reactor } = startLoggingReactor(h);
    const serverFactory = secureFactory({ dataReceived: ({ transport }, data) => void transport.write(data) });
    const { destination } = await listenTLS(h, reactor, serverFactory);
    const relay = await Relay.to(h, destination);
    const clientFactory = secureFactory({ connectionMade: ({ transport }) => void transport.write('a secret') });
    connectTLS(reactor, relay.destination, clientFactory);
    await relay.accept();
    await relay.until(() => clientFactory.protocols[0]?.text === 'a secret', 'the echo has come');
    for (const said of Object.values(relay.heard)) {
      expect(said.length).to.be.greaterThan(100);
      expect(said.includes('a secret')).to.be.false;
    }
  });

  it('leave protocols alone that have no handshakeCompleted', async () => {
    const h = harness();
    const { reactor } = startLoggingReactor(h);
    const serverFactory = new RecordingFactory();
    const clientFactory = new RecordingFactory();
    const { destination } = await listenTLS(h, reactor, serverFactory);
    connectTLS(reactor, destination, clientFactory);
    const client = await nthProtocol(h, clientFactory, 0);
    const server = await nthProtocol(h, serverFactory, 0);
    client.transport.write('x');
    await h.until(() => server.text === 'x', 'the byte has come');
    expect(client.calls).to.deep.equal(['connectionMade']);
  });

  it('tell handshakeCompleted to nobody who has closed in connectionMade', async () => {
    const h = harness();
    const { server, client } = await joinTLS(h, {
      serverHooks: {
        connectionMade: ({ transport }) => {
          transport.write('good bye');
          transport.loseConnection();
        },
      },
    });
    await untilLost(h, client);
    await untilLost(h, server);
    expect(server.calls).to.deep.equal(['connectionMade', 'connectionLost']);
    expect(client.text).to.equal('good bye');
    expect(client.calls).to.deep.equal([...MADE, 'dataReceived', 'connectionLost']);
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('lose a connection whose handshakeCompleted throws, and report the error', async () => {
    const h = harness();
    const error = new Error('boom');
    const { server, client } = await joinTLS(h, {
      serverHooks: {
        handshakeCompleted: () => {
          throw error;
        },
      },
    });
    await untilLost(h, server);
    await untilLost(h, client);
    expect(server.lostBy).to.equal(error);
    expect(takeErrors(h)).to.deep.equal([error]);
  });

  it('lose one whose asynchronous handshakeCompleted rejects', async () => {
    const h = harness();
    const error = new Error('boom');
    const { server } = await joinTLS(h, { serverHooks: { handshakeCompleted: () => Promise.reject(error) } });
    await untilLost(h, server);
    expect(server.lostBy).to.equal(error);
    expect(takeErrors(h)).to.deep.equal([error]);
  });

  it('close an encrypted connection for which no protocol is built', async () => {
    const h = harness();
    const { reactor, log } = startLoggingReactor(h);
    const serverFactory = new RecordingFactory({ buildProtocol: () => null });
    const { destination } = await listenTLS(h, reactor, serverFactory);
    const clientFactory = secureFactory();
    connectTLS(reactor, destination, clientFactory);
    const client = await nthProtocol(h, clientFactory, 0);
    await untilLost(h, client);
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
    expect(log.warnings).to.deep.equal([]);
  });

  it('connect again after a loss, by the same connector', async () => {
    const h = harness();
    const { client, clientFactory, connector } = await joinTLS(h);
    client.transport.loseConnection();
    await h.until(() => clientFactory.calls.includes('stopFactory'), 'the first is over');
    connector.connect();
    const second = await nthProtocol(h, clientFactory, 1);
    expect(second.calls).to.deep.equal(MADE);
  });

  it('make the handshake as fast as both ends read, while other connections go on', async () => {
    const h = harness();
    const plain = await serve(h);
    const { server, client } = await joinTLS(h);
    plain.peer.send('plain');
    client.transport.write('encrypted');
    await h.until(() => plain.protocol.text === 'plain' && server.text === 'encrypted', 'both have come');
  });
}

function describeKnowledge(harness: () => Harness): void {
  it('know the certificate of the peer, during connectionMade and after the loss', async () => {
    const h = harness();
    const seen: (string | undefined)[] = [];
    const { server, client } = await joinTLS(h, {
      clientHooks: { connectionMade: ({ transport }) => void seen.push(subjectOf(transport.getPeerCertificate())) },
      serverHooks: { connectionMade: ({ transport }) => void seen.push(subjectOf(transport.getPeerCertificate())) },
    });
    expect(seen).to.have.members(['CN=localhost', undefined]);
    const certificate = client.transport.getPeerCertificate();
    expect(certificate).to.be.instanceOf(Uint8Array);
    expect(new X509Certificate(certificate!).raw).to.deep.equal(new X509Certificate(CERTIFICATES.server.cert).raw);
    client.transport.abortConnection();
    await untilLost(h, client);
    await untilLost(h, server);
    expect(subjectOf(client.transport.getPeerCertificate())).to.equal('CN=localhost');
    expect(server.transport.getPeerCertificate()).to.be.undefined;
  });

  it('know it also where a session is resumed, in which it is not sent', async () => {
    const h = harness();
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { reactor } = startLoggingReactor(h);
      const server = { ...CERTIFICATES.server, maxVersion };
      const serverFactory = secureFactory({ connectionMade: ({ transport }) => void transport.write('x') });
      const { destination } = await listenTLS(h, reactor, serverFactory, server);
      const tls = { ...TRUST, maxVersion };
      const heardBytes: number[] = [];
      for (let count = 0; count < 2; count += 1) {
        const relay = await Relay.to(h, destination);
        const factory = secureFactory();
        connectTLS(reactor, relay.destination, factory, tls);
        await relay.accept();
        // The ticket comes before the data.
        await relay.until(() => factory.protocols[0]?.text === 'x', 'the byte has come');
        heardBytes.push(relay.heard.server.length);
        expect(subjectOf(factory.protocols[0]?.transport.getPeerCertificate())).to.equal('CN=localhost');
      }
      const [first = 0, second = 0] = heardBytes;
      const { length } = new X509Certificate(CERTIFICATES.server.cert).raw;
      expect(second, maxVersion).to.be.lessThan(first - length);
    }
  });

  it('know nothing of the kind where nothing is encrypted', async () => {
    const h = harness();
    const { protocol } = await serve(h);
    expect(protocol.transport.getPeerCertificate()).to.be.undefined;
    expect(protocol.transport.negotiatedProtocol).to.be.undefined;
  });

  it('know both addresses, as by TCP', async () => {
    const h = harness();
    const { server, client, destination } = await joinTLS(h);
    expect(client.transport.getPeer()).to.deep.equal(destination);
    expect(server.transport.getHost()).to.deep.equal(destination);
    expect(server.transport.getPeer()).to.deep.equal(client.transport.getHost());
    for (const { transport } of [client, server]) {
      expect(transport.connected).to.be.true;
      expect(transport.getTcpNoDelay()).to.be.true;
      transport.setTcpNoDelay(false);
      transport.setTcpKeepAlive(true);
      expect([transport.getTcpNoDelay(), transport.getTcpKeepAlive()]).to.deep.equal([false, true]);
    }
  });
}

function describeVersions(harness: () => Harness): void {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`speak ${version} if one side speaks nothing else`, async () => {
      const h = harness();
      for (const side of ['server', 'client'] as const) {
        const only = { minVersion: version, maxVersion: version };
        const { server, client } = await joinTLS(h, {
          server: { ...CERTIFICATES.server, ...(side === 'server' && only) },
          client: { ...TRUST, ...(side === 'client' && only) },
        });
        client.transport.write('x');
        await h.until(() => server.text === 'x', 'the byte has come');
      }
    });
  }

  it('fail where no version is spoken by both', async () => {
    const h = harness();
    const { reactor, log } = startLoggingReactor(h);
    const { destination } = await listenTLS(h, reactor, secureFactory(), {
      ...CERTIFICATES.server,
      minVersion: 'TLSv1.3',
    });
    const error = await failureOf(h, reactor, (factory) => {
      const { host, port } = hostAndPort(destination);
      return reactor.connectTLS(host, port, factory, { ...TRUST, maxVersion: 'TLSv1.2' });
    });
    expect(error).to.be.instanceOf(SSLError);
    expect(error.message).to.contain('127.0.0.1');
    await h.until(() => log.errors.length > 0, 'the server has warned');
    expect(log.errors[0]).to.be.instanceOf(SSLError);
  });

  it('fail where no cipher is spoken by both', async () => {
    const h = harness();
    const { reactor, log } = startLoggingReactor(h);
    const { destination } = await listenTLS(h, reactor, secureFactory(), {
      ...CERTIFICATES.server,
      ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384',
      maxVersion: 'TLSv1.2',
    });
    const clientFactory = secureFactory();
    connectTLS(reactor, destination, clientFactory, { ...TRUST, ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' });
    await h.until(() => clientFactory.reasons.length > 0 && log.errors.length > 0, 'both have failed');
    expect(clientFactory.reasons[0]).to.be.instanceOf(SSLError);
    expect(log.errors[0]).to.be.instanceOf(SSLError);
    expect(log.errors[0]?.message).to.match(/no shared cipher/i);
  });
}

function describeALPN(harness: () => Harness): void {
  const join = (h: Harness, server: readonly string[] | undefined, client: readonly string[] | undefined) =>
    joinTLS(h, {
      server: { ...CERTIFICATES.server, ...(server && { ALPNProtocols: server }) },
      client: { ...TRUST, ...(client && { ALPNProtocols: client }) },
    });

  it('agree on a protocol, the first of the server’s that the client offers [72]', async () => {
    const h = harness();
    const { server, client } = await join(h, ['h2', 'http/1.1'], ['spdy', 'http/1.1', 'h2']);
    expect(server.transport.negotiatedProtocol).to.equal('h2');
    expect(client.transport.negotiatedProtocol).to.equal('h2');
    client.transport.loseConnection();
    await untilLost(h, client);
    expect(client.transport.negotiatedProtocol).to.equal('h2');
  });

  it('connect with none if either side has none [72]', async () => {
    const h = harness();
    for (const [ours, theirs] of [
      [['h2'], undefined],
      [undefined, ['h2']],
      [undefined, undefined],
    ]) {
      const { server, client } = await join(h, ours, theirs);
      expect(server.transport.negotiatedProtocol).to.be.undefined;
      expect(client.transport.negotiatedProtocol).to.be.undefined;
    }
  });

  it('fail if both have some and none in common [72]', async () => {
    const h = harness();
    const { reactor, log } = startLoggingReactor(h);
    const serverFactory = secureFactory();
    const { destination } = await listenTLS(h, reactor, serverFactory, {
      ...CERTIFICATES.server,
      ALPNProtocols: ['h2'],
    });
    const clientFactory = secureFactory();
    connectTLS(reactor, destination, clientFactory, { ...TRUST, ALPNProtocols: ['spdy'] });
    await h.until(() => clientFactory.reasons.length > 0 && log.errors.length > 0, 'both have failed');
    expect(clientFactory.reasons[0]).to.be.instanceOf(SSLError);
    expect(clientFactory.reasons[0]?.message)
      .to.contain('127.0.0.1')
      .and.match(/no application protocol/i);
    expect(log.errors[0]).to.be.instanceOf(SSLError);
    expect(serverFactory.protocols).to.deep.equal([]);
    expect(clientFactory.protocols).to.deep.equal([]);
  });
}

function describeArguments(harness: () => Harness): void {
  const attempts = (h: Harness) => {
    const reactor = startReactor(h);
    const factory = secureFactory();
    return {
      factory,
      reactor,
      asClient: (tls: unknown) => reactor.connectTLS('127.0.0.1', 1, factory, tls as TLSOptions),
      asServer: (tls: unknown) => reactor.listenTLS(0, factory, tls as TLSOptions),
    };
  };
  const { server, client } = CERTIFICATES;

  it('throw for options that cannot be right, before anything has begun', () => {
    const { asClient, asServer, factory, reactor } = attempts(harness());
    const wrong: readonly (readonly [options: unknown, type: typeof TypeError, text: string])[] = [
      [undefined, TypeError, 'tls must be an object'],
      [null, TypeError, 'tls must be an object'],
      ['cert', TypeError, 'tls must be an object'],
      [{ certificate: 'x' }, TypeError, 'tls has no certificate'],
      [{ ALPNProtocols: 'h2' }, TypeError, 'ALPNProtocols'],
      [{ ALPNProtocols: [''] }, TypeError, 'ALPNProtocols'],
      [{ ALPNProtocols: ['x'.repeat(256)] }, TypeError, 'ALPNProtocols'],
      [{ ALPNProtocols: [2] }, TypeError, 'ALPNProtocols'],
      [{ servername: '' }, RangeError, 'servername'],
      [{ servername: 3 }, TypeError, 'servername'],
      [{ minVersion: 'TLSv1.1' }, RangeError, 'TLSv1.1'],
      [{ maxVersion: 'TLSv1' }, RangeError, 'TLSv1'],
      [{ SNICallback: {} }, TypeError, 'SNICallback'],
      [{ rejectUnauthorized: 'false' }, TypeError, 'rejectUnauthorized'],
      [{ rejectUnauthorized: null }, TypeError, 'rejectUnauthorized'],
      [{ requestCert: 1 }, TypeError, 'requestCert'],
      [{ detectTruncation: 1 }, TypeError, 'detectTruncation'],
      [{ contexts: { 'a.example': { cart: 'x' } } }, TypeError, "contexts['a.example'] has no cart"],
      [{ contexts: { 'a.example': 'x' } }, TypeError, "contexts['a.example'] must be an object"],
      [{ contexts: { '127.0.0.1': server } }, RangeError, '127.0.0.1'],
      [{ contexts: { 'a.example': server }, SNICallback: () => undefined }, TypeError, 'not both'],
    ];
    for (const [options, type, text] of wrong) {
      expect(() => asClient(options), JSON.stringify(options)).to.throw(type, text);
      const asServersDo = typeof options === 'object' && options !== null ? { ...server, ...options } : options;
      expect(() => asServer(asServersDo), JSON.stringify(options)).to.throw(type, text);
    }
    expect(factory.calls).to.deep.equal([]);
    expect(reactor.inspect()).to.deep.include({ ports: [], connectors: [], delayedCalls: [] });
  });

  it('throw what the host says of certificates and keys that it cannot use', () => {
    const { asClient, asServer, factory } = attempts(harness());
    for (const unusable of [
      { key: 'no key', cert: server.cert },
      { key: server.key, cert: 'no certificate' },
      { key: client.key, cert: server.cert },
      { pfx: new Uint8Array(10) },
      { ...server, ciphers: 'NO-SUCH-CIPHER' },
      { ...server, ecdhCurve: 'no-such-curve' },
      { ...server, sigalgs: 'no-such-algorithm' },
      { ...server, crl: 'no list' },
    ]) {
      expect(() => asServer(unusable), JSON.stringify(unusable)).to.throw(Error);
      expect(() => asClient(unusable), JSON.stringify(unusable)).to.throw(Error);
    }
    expect(() => asServer({ ...server, ticketKeys: new Uint8Array(3) })).to.throw(Error, '48');
    expect(() => asServer({ ...server, contexts: { 'a.example': { key: 'x', cert: 'y' } } })).to.throw(Error);
    expect(factory.calls).to.deep.equal([]);
  });

  it('throw for a server that has no certificate at all', () => {
    const { asServer } = attempts(harness());
    for (const none of [{}, { key: server.key }, { cert: server.cert }, { ca: CERTIFICATES.ca }]) {
      expect(() => asServer(none)).to.throw(TypeError, 'needs key and cert');
    }
  });

  it('throw for what listenTCP and connectTCP throw for', () => {
    const { reactor, factory } = attempts(harness());
    expect(() => reactor.listenTLS(-1, factory, server)).to.throw(RangeError, 'port');
    expect(() => reactor.listenTLS(0, {} as never, server)).to.throw(TypeError, 'factory');
    expect(() => reactor.listenTLS(0, factory, server, { backlog: 0 })).to.throw(RangeError, 'backlog');
    expect(() => reactor.listenTLS(0, factory, server, { handshakeTimeout: -1 })).to.throw(
      RangeError,
      'handshakeTimeout',
    );
    expect(() => reactor.listenTLS(0, factory, server, { timeout: 1 } as never)).to.throw(TypeError, 'timeout');
    expect(() => reactor.connectTLS('', 1, factory, TRUST)).to.throw(RangeError, 'host');
    expect(() => reactor.connectTLS('localhost', 0, factory, TRUST)).to.throw(RangeError, 'port');
    expect(() => reactor.connectTLS('localhost', 1, {} as never, TRUST)).to.throw(TypeError, 'factory');
    expect(() => reactor.connectTLS('localhost', 1, factory, TRUST, { timeout: NaN })).to.throw(RangeError, 'timeout');
    expect(factory.calls).to.deep.equal([]);
  });

  it('take certificates as bytes, and as PEM that has been joined', async () => {
    const h = harness();
    const { server: made } = await joinTLS(h, {
      server: { key: Buffer.from(server.key), cert: new Uint8Array(Buffer.from(`${server.cert}\n${CERTIFICATES.ca}`)) },
      client: { ca: [CERTIFICATES.untrusted.ca, Buffer.from(CERTIFICATES.ca)] },
    });
    expect(made.calls).to.deep.equal(MADE);
  });
}

function subjectOf(certificate: Uint8Array | undefined): string | undefined {
  return certificate && new X509Certificate(certificate).subject;
}
