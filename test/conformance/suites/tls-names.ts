/** A server of several names, and one whose certificates change while it runs. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { expect } from 'chai';
import { CertificateError, SSLError, type TLSOptions } from 'ropewalk/core';
import type { Identity } from '../../support/certificates.ts';
import type { Harness } from '../harness.ts';
import { nthProtocol, takeErrors } from '../support/connections.ts';
import type { RecordingProtocol } from '../support/recording-protocol.ts';
import { CERTIFICATES, connectTLS, listenTLS, secureFactory, startLoggingReactor, TRUST } from '../support/tls.ts';

const { server, otherServer, wildcard, international } = CERTIFICATES;

/** A callback that may be async, which its type as a function without a result lets pass. */
type Choose = (...args: Parameters<NonNullable<TLSOptions['SNICallback']>>) => unknown;

export function describeTLSNames(harness: () => Harness): void {
  describe('a server with several certificates', () => {
    describeContexts(harness);
    describeSNICallback(harness);
  });
  describe('a client', () => {
    describeAsking(harness);
  });
  describe('a server whose options are a function', () => {
    describeReload(harness);
  });
}

/** The certificate that a server shows to whoever asks for a name, or the error of the attempt. */
async function certificateFor(h: Harness, tls: TLSOptions, servername: string): Promise<X509Certificate | Error> {
  const { reactor } = startLoggingReactor(h);
  const { destination, listeningPort } = await listenTLS(h, reactor, secureFactory(), tls);
  const factory = secureFactory();
  connectTLS(reactor, destination, factory, { ...TRUST, servername, rejectUnauthorized: false });
  await h.until(() => factory.protocols.length + factory.reasons.length > 0, `${servername} has been asked for`);
  const [protocol] = factory.protocols;
  const certificate = protocol === undefined ? factory.reasons[0]! : certificateOf(protocol);
  protocol?.transport.loseConnection();
  listeningPort.stopListening();
  return certificate;
}

function certificateOf(protocol: RecordingProtocol): X509Certificate {
  return new X509Certificate(protocol.transport.getPeerCertificate()!);
}

function expectIdentity(certificate: X509Certificate | Error, identity: Identity, what?: string): void {
  expect(certificate, what).to.be.instanceOf(X509Certificate);
  expect((certificate as X509Certificate).fingerprint256, what).to.equal(
    new X509Certificate(identity.cert).fingerprint256,
  );
}

function describeContexts(harness: () => Harness): void {
  const contexts = { [otherServer.name]: otherServerIdentity(), [`*.${wildcard.domain}`]: identityOf(wildcard) };
  const tls: TLSOptions = { ...server, contexts };

  it('shows the one for the name that the client asks for, and otherwise its own', async () => {
    const h = harness();
    expectIdentity(await certificateFor(h, tls, otherServer.name), otherServer);
    expectIdentity(await certificateFor(h, tls, 'localhost'), server);
    expectIdentity(await certificateFor(h, tls, '127.0.0.1'), server);
    expectIdentity(await certificateFor(h, tls, `sub.${otherServer.name}`), server);
  });

  it('shows one for a wildcard to whoever asks for one label below, and not for more or less', async () => {
    const h = harness();
    expectIdentity(await certificateFor(h, tls, `a.${wildcard.domain}`), wildcard);
    expectIdentity(await certificateFor(h, tls, wildcard.domain), server);
    expectIdentity(await certificateFor(h, tls, `a.b.${wildcard.domain}`), server);
    expectIdentity(await certificateFor(h, tls, `a-${wildcard.domain.replace('.', '-')}`), server);
  });

  it('does not care for the case of a name, on either side', async () => {
    const h = harness();
    expectIdentity(await certificateFor(h, tls, otherServer.name.toUpperCase()), otherServer);
    expectIdentity(await certificateFor(h, tls, `A.${wildcard.domain.toUpperCase()}`), wildcard);
    const inCapitals = { ...server, contexts: { [otherServer.name.toUpperCase()]: otherServerIdentity() } };
    expectIdentity(await certificateFor(h, inCapitals, otherServer.name), otherServer);
  });

  it('does not care for the dot at the end of a name, on either side', async () => {
    const h = harness();
    expectIdentity(await certificateFor(h, tls, `${otherServer.name}.`), otherServer);
    expectIdentity(await certificateFor(h, tls, `a.${wildcard.domain}.`), wildcard);
    const withDot = { ...server, contexts: { [`${otherServer.name}.`]: otherServerIdentity() } };
    expectIdentity(await certificateFor(h, withDot, otherServer.name), otherServer);
  });

  it('knows names beyond ASCII in both spellings, on either side', async () => {
    const h = harness();
    for (const name of [international.name, international.asciiName]) {
      const its = { ...server, contexts: { [name]: identityOf(international) } };
      expectIdentity(await certificateFor(h, its, international.name), international);
      expectIdentity(await certificateFor(h, its, international.asciiName), international);
      const wide = { ...server, contexts: { [`*.${name}`]: otherServerIdentity() } };
      expectIdentity(await certificateFor(h, wide, `a.${international.name}`), otherServer);
    }
  });

  it('prefers the exact name to a wildcard, whichever stands first', async () => {
    const h = harness();
    const exact = [`exact.${wildcard.domain}`, otherServerIdentity()] as const;
    const wide = [`*.${wildcard.domain}`, identityOf(wildcard)] as const;
    for (const entries of [
      [exact, wide],
      [wide, exact],
    ]) {
      const both = { ...server, contexts: Object.fromEntries(entries) };
      expectIdentity(await certificateFor(h, both, exact[0]), otherServer);
      expectIdentity(await certificateFor(h, both, `other.${wildcard.domain}`), wildcard);
    }
  });

  it('needs none of its own if it has them by name; then other names fail', async () => {
    const h = harness();
    expectIdentity(await certificateFor(h, { contexts }, otherServer.name), otherServer);
    expect(await certificateFor(h, { contexts }, 'third.example')).to.be.instanceOf(SSLError);
  });

  it('verifies clients and speaks protocols in the same way for all names', async () => {
    const h = harness();
    const { reactor } = startLoggingReactor(h);
    const serverFactory = secureFactory();
    const asking = { ...tls, ca: CERTIFICATES.ca, requestCert: true, ALPNProtocols: ['h2'] };
    const { destination } = await listenTLS(h, reactor, serverFactory, asking);
    const { key, cert, name } = CERTIFICATES.client;
    const client = { ...TRUST, key, cert, servername: otherServer.name, ALPNProtocols: ['h2'] };
    connectTLS(reactor, destination, secureFactory(), client);
    const accepted = await nthProtocol(h, serverFactory, 0);
    expect(certificateOf(accepted).subject).to.equal(`CN=${name}`);
    expect(accepted.transport.negotiatedProtocol).to.equal('h2');
  });
}

function describeSNICallback(harness: () => Harness): void {
  it('shows the one that SNICallback chooses, at once or later', async () => {
    const h = harness();
    const context = createSecureContext(otherServerIdentity());
    const atOnce: TLSOptions = { ...server, SNICallback: (_name, callback) => callback(null, context) };
    expectIdentity(await certificateFor(h, atOnce, 'localhost'), otherServer);
    const later: TLSOptions = {
      ...server,
      SNICallback: (_name, callback) => {
        setImmediate(() => callback(null, context));
      },
    };
    expectIdentity(await certificateFor(h, later, 'localhost'), otherServer);
  });

  it('shows its own if SNICallback has none', async () => {
    const h = harness();
    for (const none of [null, undefined]) {
      const tls: TLSOptions = { ...server, SNICallback: (_name, callback) => callback(null, none) };
      expectIdentity(await certificateFor(h, tls, 'localhost'), server);
    }
  });

  const boom = new Error('boom');
  const failing: readonly (readonly [what: string, SNICallback: Choose])[] = [
    ['calls back with an error', (_name, callback) => callback(boom)],
    [
      'throws',
      () => {
        throw boom;
      },
    ],
    ['is async and rejects', () => Promise.reject(boom)],
    ['calls back with what is no context', (_name, callback) => callback(null, {})],
    ['calls back with what is not even an object', (_name, callback) => callback(null, 'context')],
  ];
  for (const [what, SNICallback] of failing) {
    it(`fails one handshake, with a warning, if SNICallback ${what}`, async () => {
      const h = harness();
      const { reactor, log } = startLoggingReactor(h);
      const serverFactory = secureFactory();
      let calls = 0;
      const tls: TLSOptions = {
        ...server,
        SNICallback: (name, callback) => {
          calls += 1;
          if (calls === 1) return SNICallback(name, callback);
          callback(null);
          return undefined;
        },
      };
      const { destination } = await listenTLS(h, reactor, serverFactory, tls);
      const clientFactory = secureFactory();
      const connector = connectTLS(reactor, destination, clientFactory, TRUST, { host: 'localhost' });
      await h.until(() => clientFactory.reasons.length > 0 && log.warnings.length > 0, 'both know');
      expect(clientFactory.protocols).to.deep.equal([]);
      const [warned] = log.errors;
      if (what.includes('back with what')) expect(warned?.message).to.contain('createSecureContext');
      else expect([warned, warned?.cause]).to.include(boom);
      connector.connect();
      await nthProtocol(h, clientFactory, 0);
      expect(log.warnings).to.have.length(1);
    });
  }

  it('fails one handshake if SNICallback calls back twice', async () => {
    const h = harness();
    const { reactor } = startLoggingReactor(h);
    const context = createSecureContext(otherServerIdentity());
    const { destination } = await listenTLS(h, reactor, secureFactory(), {
      ...server,
      SNICallback: (_name, callback) => {
        callback(null, context);
        callback(null, context);
      },
    });
    const factory = secureFactory();
    connectTLS(reactor, destination, factory, TRUST, { host: 'localhost' });
    // Whether the first answer counts or none is the host's; that nothing is thrown where nobody can catch it is ours.
    await h.until(() => factory.protocols.length + factory.reasons.length > 0, 'the client knows');
  });
}

function describeAsking(harness: () => Harness): void {
  const spellings: readonly (readonly [servername: string, asked: string, identity: Identity])[] = [
    ['localhost.', 'localhost', server],
    ['LOCALHOST', 'localhost', server],
    [`${otherServer.name}.`, otherServer.name, otherServer],
    [international.name, international.asciiName, international],
    [`${international.name.toUpperCase()}.`, international.asciiName, international],
    [international.asciiName, international.asciiName, international],
  ];
  for (const [servername, expected, identity] of spellings) {
    it(`that wants ${servername} asks for ${expected}, and verifies the certificate for that`, async () => {
      const h = harness();
      const { reactor } = startLoggingReactor(h);
      const asked: string[] = [];
      const { destination } = await listenTLS(h, reactor, secureFactory(), {
        ...identityOf(identity),
        SNICallback: (name, callback) => {
          asked.push(name);
          callback(null);
        },
      });
      const factory = secureFactory();
      connectTLS(reactor, destination, factory, { ...TRUST, servername });
      expectIdentity(certificateOf(await nthProtocol(h, factory, 0)), identity);
      expect(asked).to.deep.equal([expected]);
    });
  }

  it('that wants what can be no name asks for none, and takes no certificate for it', async () => {
    const h = harness();
    const { reactor } = startLoggingReactor(h);
    const asked: string[] = [];
    const { destination } = await listenTLS(h, reactor, secureFactory(), {
      ...server,
      SNICallback: (name, callback) => {
        asked.push(name);
        callback(null);
      },
    });
    for (const servername of ['.', 'two wörds']) {
      const factory = secureFactory();
      connectTLS(reactor, destination, factory, { ...TRUST, servername });
      await h.until(() => factory.reasons.length > 0, 'the attempt has failed');
      expect(factory.reasons[0]).to.be.instanceOf(CertificateError).with.property('hostname', servername);
    }
    expect(asked).to.deep.equal([]);
  });
}

function describeReload(harness: () => Harness): void {
  it('shows new connections a new certificate, and the old ones go on', async () => {
    const h = harness();
    const { reactor } = startLoggingReactor(h);
    let tls: TLSOptions = server;
    const serverFactory = secureFactory({ dataReceived: ({ transport }, data) => void transport.write(data) });
    const { destination } = await listenTLS(h, reactor, serverFactory, () => tls);
    const any = { rejectUnauthorized: false };
    const clientFactory = secureFactory();
    connectTLS(reactor, destination, clientFactory, any);
    const before = await nthProtocol(h, clientFactory, 0);
    tls = otherServerIdentity();
    connectTLS(reactor, destination, clientFactory, { ...any });
    const after = await nthProtocol(h, clientFactory, 1);
    expectIdentity(certificateOf(before), server);
    expectIdentity(certificateOf(after), otherServer);
    before.transport.write('still here');
    await h.until(() => before.text === 'still here', 'the old one has been answered');
    // A session that was made with the old certificate is not resumed with the new one.
    connectTLS(reactor, destination, clientFactory, any);
    expectIdentity(certificateOf(await nthProtocol(h, clientFactory, 2)), otherServer);
  });

  it('is asked once when it begins to listen, and then for each connection', async () => {
    const h = harness();
    const { reactor } = startLoggingReactor(h);
    let asked = 0;
    const { destination } = await listenTLS(h, reactor, secureFactory(), () => {
      asked += 1;
      return server;
    });
    expect(asked).to.equal(1);
    const factory = secureFactory();
    for (const index of [0, 1]) {
      connectTLS(reactor, destination, factory);
      await nthProtocol(h, factory, index);
      expect(asked).to.equal(index + 2);
    }
  });

  it('throws from listenTLS what the function throws, or what is wrong with its result', () => {
    const { reactor } = startLoggingReactor(harness());
    const factory = secureFactory();
    const boom = new Error('boom');
    const throwing = (): TLSOptions => {
      throw boom;
    };
    expect(() => reactor.listenTLS(0, factory, throwing)).to.throw(boom);
    expect(() => reactor.listenTLS(0, factory, () => undefined as never)).to.throw(TypeError, 'tls must be an object');
    expect(() => reactor.listenTLS(0, factory, () => ({ key: 'x', cert: 'y' }))).to.throw(Error);
    expect(factory.calls).to.deep.equal([]);
    expect(reactor.inspect().ports).to.deep.equal([]);
  });

  it('drops a connection for which the function throws or has no options, and reports the error', async () => {
    const h = harness();
    const { reactor } = startLoggingReactor(h);
    const boom = new Error('boom');
    const answers: (() => TLSOptions)[] = [
      () => server,
      () => {
        throw boom;
      },
      () => undefined as never,
      () => ({ key: 'x', cert: 'y' }),
      () => server,
    ];
    const serverFactory = secureFactory();
    const { destination } = await listenTLS(h, reactor, serverFactory, () => answers.shift()!());
    const errors: Error[] = [];
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const factory = secureFactory();
      connectTLS(reactor, destination, factory);
      await h.until(() => factory.reasons.length > 0 && h.errors.length > 0, `attempt ${attempt} has failed`);
      expect(factory.protocols).to.deep.equal([]);
      errors.push(...takeErrors(h));
    }
    expect(errors).to.have.length(3);
    expect(errors[0]).to.equal(boom);
    expect(errors[1]).to.be.instanceOf(TypeError);
    expect(serverFactory.protocols).to.deep.equal([]);
    expect(reactor.inspect()).to.deep.include({ connections: [], handshakes: [] });
    const factory = secureFactory();
    connectTLS(reactor, destination, factory);
    await nthProtocol(h, factory, 0);
  });
}

function identityOf({ key, cert }: Identity): Identity {
  return { key, cert };
}

function otherServerIdentity(): Identity {
  return identityOf(otherServer);
}
