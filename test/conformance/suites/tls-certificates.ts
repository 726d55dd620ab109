/** Certificates: who is believed, and how it is told who is not. */
import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import {
  CertificateError,
  ConnectionDone,
  ConnectionLost,
  PeerVerifyError,
  SSLError,
  type TLSOptions,
  VerifyError,
} from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { hostAndPort } from '../harness/reactor-calls.ts';
import { failureOf } from '../support/connecting.ts';
import { nthProtocol, skipUnless, startReactor, untilLost } from '../support/connections.ts';
import {
  CERTIFICATES,
  connectTLS,
  errorOf,
  joinTLS,
  listenTLS,
  MADE,
  secureFactory,
  startLoggingReactor,
  TRUST,
} from '../support/tls.ts';

export function describeTLSCertificates(harness: () => Harness): void {
  describe('a client', () => {
    describeServerCertificates(harness);
    describeNamesAskedFor(harness);
  });
  describe('a server that asks for certificates', () => {
    describeClientCertificates(harness);
  });
}

/** Why a client that trusts so much does not connect, as `host`, to a server with these options. */
async function refusal(h: Harness, server: TLSOptions, client: TLSOptions = TRUST, host = '127.0.0.1'): Promise<Error> {
  const { reactor } = startLoggingReactor(h);
  const { destination } = await listenTLS(h, reactor, secureFactory(), server);
  const elsewhere = startReactor(h);
  // Asserts that the client's factory has built nothing, and that nothing is left on its reactor.
  return failureOf(h, elsewhere, (factory) =>
    elsewhere.connectTLS(host, hostAndPort(destination).port, factory, client),
  );
}

function describeServerCertificates(harness: () => Harness): void {
  const faults: readonly (readonly [what: string, server: TLSOptions, reason: string | RegExp, client?: TLSOptions])[] =
    [
      ['that has expired', CERTIFICATES.expired, 'CERT_HAS_EXPIRED'],
      ['that is not valid yet', CERTIFICATES.notYetValid, 'CERT_NOT_YET_VALID'],
      ['that nobody but itself has signed', CERTIFICATES.selfSigned, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
      ['of an authority that it does not trust', identityOf(CERTIFICATES.untrusted), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      [
        'that has been revoked',
        identityOf(CERTIFICATES.revoked),
        'CERT_REVOKED',
        { ...TRUST, crl: CERTIFICATES.revoked.crl },
      ],
      ['of an authority that its host does not trust, by default', CERTIFICATES.server, /^UNABLE_TO_/, {}],
    ];
  for (const [what, server, reason, client] of faults) {
    it(`does not connect to a server with a certificate ${what}: VerifyError [68]`, async () => {
      const error = await refusal(harness(), server, client);
      expect(error).not.to.be.instanceOf(PeerVerifyError);
      const { hostname, reason: given, code, message, cause } = errorOf(VerifyError, error);
      expect(hostname).to.equal('127.0.0.1');
      expect(given).to.match(new RegExp(reason));
      expect(code).to.equal('ERR_VERIFY');
      expect(message).to.match(/^The certificate of 127\.0\.0\.1 cannot be verified: \w/);
      expect(cause).to.be.instanceOf(Error);
    });
  }

  it('connects to one that is not on the list of those revoked', async () => {
    const { client } = await joinTLS(harness(), { client: { ...TRUST, crl: CERTIFICATES.revoked.crl } });
    expect(client.calls).to.deep.equal(MADE);
  });

  it('does not connect to a server with a certificate for another host: CertificateError [68]', async () => {
    const h = harness();
    for (const host of ['127.0.0.1', 'localhost']) {
      const error = await refusal(h, CERTIFICATES.wrongHost, TRUST, host);
      expect(errorOf(CertificateError, error).hostname).to.equal(host);
      expect(error.message).to.contain(host);
      // Node names what it is for where it was asked for a name.
      if (host === 'localhost') expect(error.message).to.contain('elsewhere.example');
      expect(error).to.have.property('code', 'ERR_CERTIFICATE');
    }
  });

  it('does not do so in TLS 1.2 either', async () => {
    const h = harness();
    const old = { maxVersion: 'TLSv1.2' } as const;
    const expired = await refusal(h, { ...CERTIFICATES.expired, ...old });
    expect(expired).to.be.instanceOf(VerifyError);
    const wrongHost = await refusal(h, { ...CERTIFICATES.wrongHost, ...old });
    expect(wrongHost).to.be.instanceOf(CertificateError);
  });

  it('does so all the same if it is told not to reject, and can look for itself', async () => {
    const h = harness();
    for (const server of [CERTIFICATES.expired, CERTIFICATES.selfSigned, CERTIFICATES.wrongHost]) {
      const { client } = await joinTLS(h, { server, client: { rejectUnauthorized: false } });
      expect(client.transport.getPeerCertificate()).to.deep.equal(new Uint8Array(new X509Certificate(server.cert).raw));
    }
  });

  it('that has refused a server sends it nothing, and the server loses the connection', async () => {
    const h = harness();
    const { reactor, log } = startLoggingReactor(h);
    const serverFactory = secureFactory();
    const { destination } = await listenTLS(h, reactor, serverFactory, CERTIFICATES.wrongHost);
    const clientFactory = secureFactory();
    connectTLS(reactor, destination, clientFactory);
    await h.until(() => clientFactory.reasons.length > 0, 'the client has refused');
    expect(clientFactory.protocols).to.deep.equal([]);
    // In TLS 1.3 the handshake may be over for the server by then.
    await h.until(() => serverFactory.lostCount + log.warnings.length === 1, 'the server knows');
    const [server] = serverFactory.protocols;
    if (server !== undefined)
      expect([server.receivedBytes, server.lostBy instanceof ConnectionLost]).to.deep.equal([0, true]);
    expect(reactor.inspect()).to.deep.include({ connections: [], handshakes: [], delayedCalls: [] });
  });
}

function describeNamesAskedFor(harness: () => Harness): void {
  it('verifies the certificate for the host that it connects to, a name or an address', async () => {
    const h = harness();
    for (const host of ['localhost', '127.0.0.1', 'LocalHost']) {
      const { client } = await joinTLS(h, { host });
      expect(client.calls).to.deep.equal(MADE);
    }
  });

  it('verifies it for an IPv6 address', async function () {
    const h = harness();
    skipUnless(this, h, 'ipv6');
    const { reactor } = startLoggingReactor(h);
    const { destination } = await listenTLS(h, reactor, secureFactory(), CERTIFICATES.server, { interface: '::1' });
    const factory = secureFactory();
    connectTLS(reactor, destination, factory);
    expect((await nthProtocol(h, factory, 0)).calls).to.deep.equal(MADE);
    const other = await listenTLS(h, reactor, secureFactory(), CERTIFICATES.wrongHost, { interface: '::1' });
    const refusing = secureFactory();
    connectTLS(reactor, other.destination, refusing);
    await h.until(() => refusing.reasons.length > 0, 'another certificate has been refused');
    expect(errorOf(CertificateError, refusing.reasons[0]).hostname).to.equal('::1');
  });

  it('verifies it for servername instead, and asks for that name', async () => {
    const h = harness();
    const asked: string[] = [];
    const { name } = CERTIFICATES.otherServer;
    const server: TLSOptions = {
      ...identityOf(CERTIFICATES.otherServer),
      SNICallback: (servername, callback) => {
        asked.push(servername);
        callback(null);
      },
    };
    const { client } = await joinTLS(h, { server, client: { ...TRUST, servername: name } });
    expect(client.calls).to.deep.equal(MADE);
    expect(asked).to.deep.equal([name]);
    const error = await refusal(h, server, { ...TRUST, servername: 'third.example' });
    expect(errorOf(CertificateError, error).hostname).to.equal('third.example');
  });

  it('asks for the name of the host, and for none where it is an address', async () => {
    const h = harness();
    const asked: string[] = [];
    const server: TLSOptions = {
      ...CERTIFICATES.server,
      SNICallback: (servername, callback) => {
        asked.push(servername);
        callback(null);
      },
    };
    await joinTLS(h, { server, host: 'localhost' });
    await joinTLS(h, { server, host: '127.0.0.1' });
    expect(asked).to.deep.equal(['localhost']);
  });
}

function describeClientCertificates(harness: () => Harness): void {
  const { server, client: forClients, ca } = CERTIFICATES;
  const asking: TLSOptions = { ...server, ca, requestCert: true };
  const authorized: TLSOptions = { ...TRUST, ...identityOf(forClients) };

  it('accepts a client whose certificate it trusts, and knows it', async () => {
    const h = harness();
    const { server: accepted, client } = await joinTLS(h, { server: asking, client: authorized });
    const certificate = new X509Certificate(accepted.transport.getPeerCertificate()!);
    expect(certificate.subject).to.equal(`CN=${forClients.name}`);
    client.transport.write('x');
    await h.until(() => accepted.text === 'x', 'the byte has come');
  });

  it('knows it where a session is resumed, too', async () => {
    const h = harness();
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const tls = { ...authorized, maxVersion };
      const first = await joinTLS(h, { server: asking, client: tls });
      first.server.transport.write('x');
      await h.until(() => first.client.text === 'x', 'the byte, and before it the ticket, has come');
      const { reactor, destination, serverFactory } = first;
      connectTLS(reactor, destination, secureFactory(), tls);
      const second = await nthProtocol(h, serverFactory, 1);
      const certificate = new X509Certificate(second.transport.getPeerCertificate()!);
      expect(certificate.subject).to.equal(`CN=${forClients.name}`);
    }
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const only = { minVersion: version, maxVersion: version };

    it(`refuses one that sends none, with a warning; the client hears of it (${version}) [68]`, async () => {
      const h = harness();
      const { reactor, log } = startLoggingReactor(h);
      const serverFactory = secureFactory();
      const { destination } = await listenTLS(h, reactor, serverFactory, { ...asking, ...only });
      const clientFactory = secureFactory({ connectionMade: ({ transport }) => void transport.write('hello?') });
      connectTLS(reactor, destination, clientFactory, TRUST);
      await h.until(() => clientFactory.reasons.length > 0 && log.warnings.length > 0, 'both know');
      expect(log.errors[0]).to.be.instanceOf(CertificateError);
      expect(log.errors[0]?.message).to.match(/peer did not return a certificate/);
      expect(log.warnings[0]?.message).to.contain('TLS handshake');
      expect(log.warnings[0]?.fields).to.have.property('peer').that.contains('127.0.0.1');
      expect(serverFactory.protocols).to.deep.equal([]);
      const [reason] = clientFactory.reasons;
      const [client] = clientFactory.protocols;
      if (version === 'TLSv1.2') {
        // Where the alert says only that the handshake has failed.
        expect(reason).to.be.instanceOf(SSLError);
        expect(client).to.be.undefined;
        return;
      }
      // In TLS 1.3 the client takes the handshake for completed before the server has seen its certificate.
      expect(client?.lostBy).to.equal(reason);
      const { hostname, reason: alert, message } = errorOf(PeerVerifyError, reason);
      expect(hostname).to.equal('127.0.0.1');
      expect(alert).to.match(/CERTIFICATE_REQUIRED$/);
      expect(message).to.equal('127.0.0.1 did not accept our certificate: tlsv13 alert certificate required');
    });

    it(`refuses one that it does not trust: VerifyError (${version}) [68]`, async () => {
      const h = harness();
      const { reactor, log } = startLoggingReactor(h);
      const serverFactory = secureFactory();
      const { destination } = await listenTLS(h, reactor, serverFactory, { ...asking, ...only });
      const clientFactory = secureFactory();
      connectTLS(reactor, destination, clientFactory, { ...TRUST, ...identityOf(CERTIFICATES.untrusted) });
      await h.until(() => log.warnings.length > 0 && clientFactory.reasons.length > 0, 'both know');
      const error = errorOf(VerifyError, log.errors[0]);
      expect(error.reason).to.match(/^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|INVALID_PURPOSE|UNSUITABLE_PURPOSE)$/);
      expect(error.hostname).to.contain('127.0.0.1');
      expect(serverFactory.protocols).to.deep.equal([]);
      expect(clientFactory.protocols.every(({ isLost }) => isLost)).to.be.true;
    });
  }

  it('accepts both if it is told not to reject', async () => {
    const h = harness();
    const tolerant = { ...asking, rejectUnauthorized: false };
    const without = await joinTLS(h, { server: tolerant });
    expect(without.server.transport.getPeerCertificate()).to.be.undefined;
    const untrusted = await joinTLS(h, {
      server: tolerant,
      client: { ...TRUST, ...identityOf(CERTIFICATES.untrusted) },
    });
    const certificate = new X509Certificate(untrusted.server.transport.getPeerCertificate()!);
    expect(certificate.subject).to.equal('CN=localhost');
  });

  it('that does not ask gets none', async () => {
    const { server: accepted } = await joinTLS(harness(), { client: authorized });
    expect(accepted.transport.getPeerCertificate()).to.be.undefined;
  });

  it('loses such connections in order', async () => {
    const h = harness();
    const { server: accepted, client } = await joinTLS(h, { server: asking, client: authorized });
    accepted.transport.loseConnection();
    await untilLost(h, client);
    await untilLost(h, accepted);
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
  });
}

/** What of it is for TLS. */
function identityOf({ key, cert }: { readonly key: string; readonly cert: string }): TLSOptions {
  return { key, cert };
}
