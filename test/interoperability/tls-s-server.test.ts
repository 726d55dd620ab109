/** TLS with `openssl s_server` at the other end: this side is the client. */
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
} from 'ropewalk';
import type { Identity } from '../support/certificates.ts';
import { type CertificateFiles, useCertificateFiles } from './support/certificate-files.ts';
import { type Child, useChildren } from './support/child.ts';
import { MeddlingRelay } from './support/meddling-relay.ts';
import { OPENSSL, requirePeer } from './support/require-peer.ts';
import { LOOPBACK, type RunningReactor, useReactor } from './support/running-reactor.ts';
import { TLS_PATHS, type TLSPath } from './support/tls-paths.ts';
import { useWatchedHandles } from './support/watched-handles.ts';
import { HalfCloseWitness, Witness } from './support/witness.ts';

for (const path of TLS_PATHS) {
  describe(`over TLS ${path.name}, with s_server of OpenSSL`, () => {
    requirePeer(OPENSSL);
    const tools = useTools(path);

    describeTalking(tools);
    describeVerifying(tools);
    describeClientCertificates(tools);
    describeResuming(tools);
    describeEnds(tools, path.isTruncationDetected);
  });
}

interface Serving {
  readonly server: Child;
  readonly port: number;
}

interface Tools {
  readonly running: () => RunningReactor;
  readonly certificates: () => CertificateFiles;
  /** What we trust, and whom we want: localhost. */
  clientTLS(): TLSOptions;
  /** Starts s_server, with the certificate for localhost unless it is given another. */
  serve(options?: readonly string[], identity?: Identity): Promise<Serving>;
  /** The error of an attempt to connect. */
  failure(port: number, tls: TLSOptions): Promise<Error>;
}

function useTools({ engine }: TLSPath): Tools {
  const certificates = useCertificateFiles();
  const running = useReactor(() => ({ tls: engine() }));
  const start = useChildren();
  useWatchedHandles();
  return {
    running,
    certificates,
    clientTLS: () => ({ ca: certificates().ca, servername: 'localhost' }),
    serve: async (options = [], identity = certificates().server) => {
      const both = certificates().bothIn(identity);
      const server = start(OPENSSL.command, ['s_server', '-accept', `${LOOPBACK}:0`, '-cert', both, ...options]);
      const [, port] = await server.line(/^ACCEPT .*:(\d+)$/);
      return { server, port: Number(port) };
    },
    failure: async (port, tls) => {
      try {
        await running().connectTLS(port, new Witness(), tls);
      } catch (error) {
        if (error instanceof Error) return error;
      }
      throw new Error('the connection was made');
    },
  };
}

function describeTalking({ serve, running, clientTLS, failure }: Tools): void {
  for (const [option, version] of [
    ['-tls1_2', 'TLSv1.2'],
    ['-tls1_3', 'TLSv1.3'],
  ] as const) {
    it(`verifies, hears and is heard, by ${version}`, async () => {
      const { server, port } = await serve([option, '-rev', '-naccept', '1']);
      const ours = new Witness({ made: (transport) => transport.write('rope\n') });
      await running().connectTLS(port, ours, clientTLS());
      await server.line(new RegExp(`^Protocol version: ${version}$`));
      await ours.until(() => ours.text === 'epor\n');
      ours.transport.loseConnection();
      await ours.lost();
      expect(ours.events).to.deep.equal(['made', 'secured', 'data', 'lost']);
      expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
      await server.line(/^CONNECTION CLOSED$/);
      expect(await server.ended()).to.equal(0);
    });
  }

  it('agrees on a protocol, which the server chooses', async () => {
    const { port } = await serve(['-rev', '-alpn', 'three,two,one']);
    const ours = await running().connectTLS(port, new Witness(), { ...clientTLS(), ALPNProtocols: ['one', 'two'] });
    expect(ours.transport.negotiatedProtocol).to.equal('two');
  });

  it('fails if the server has none of the protocols', async () => {
    const { port } = await serve(['-rev', '-alpn', 'one']);
    const error = await failure(port, { ...clientTLS(), ALPNProtocols: ['two'] });
    expect(error).to.be.instanceOf(SSLError);
    expect(error.message).to.contain('no application protocol');
  });

  it('goes on after the keys have been exchanged anew', async () => {
    const { server, port } = await serve(['-tls1_3', '-msg']);
    const ours = await running().connectTLS(port, new Witness(), clientTLS());
    server.send('hello\n');
    await ours.until(() => ours.text === 'hello\n');
    server.send('K\n'); // asks us to change ours, too
    await server.line(/^>>> TLS 1.3, Handshake .*KeyUpdate/);
    server.send('still here\n');
    await ours.until(() => ours.text.endsWith('still here\n'));
    ours.transport.write('I, too\n');
    await server.line(/^<<< TLS 1.3, Handshake .*KeyUpdate/);
    await server.line(/^I, too$/);
  });

  it('refuses to negotiate anew', async () => {
    const { server, port } = await serve(['-tls1_2', '-naccept', '1']);
    const ours = await running().connectTLS(port, new Witness(), clientTLS());
    server.send('hello\n');
    await ours.until(() => ours.text === 'hello\n');
    server.send('r\n');
    await server.line(/no renegotiation/); // with which it gives up
    await ours.lost();
    expect(ours.lostBy).to.be.instanceOf(ConnectionLost);
  });
}

function describeVerifying({ serve, running, certificates, clientTLS, failure }: Tools): void {
  const refused: readonly [what: string, identity: (all: CertificateFiles) => Identity, reason: string][] = [
    ['that has expired', (all) => all.expired, 'CERT_HAS_EXPIRED'],
    ['that is not valid yet', (all) => all.notYetValid, 'CERT_NOT_YET_VALID'],
    ['that has signed itself', (all) => all.selfSigned, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['of an authority that is not trusted', (all) => all.untrusted, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ];
  for (const [what, identity, reason] of refused) {
    it(`refuses a certificate ${what}`, async () => {
      const { port } = await serve(['-rev'], identity(certificates()));
      const error = await failure(port, clientTLS());
      expect(error).to.be.instanceOf(VerifyError);
      expect(error).to.include({ reason, hostname: 'localhost' });
    });
  }

  it('refuses a certificate for another host, unless that is the one it wants', async () => {
    const { port } = await serve(['-rev'], certificates().wrongHost);
    const error = await failure(port, clientTLS());
    expect(error).to.be.instanceOf(CertificateError);
    expect(error.message).to.contain('localhost').and.to.contain('elsewhere.example');
    const ours = await running().connectTLS(port, new Witness(), { ...clientTLS(), servername: 'elsewhere.example' });
    const certificate = new X509Certificate(ours.transport.getPeerCertificate()!);
    expect(certificate.subjectAltName).to.equal('DNS:elsewhere.example');
  });

  it('wants a certificate for the host it connects to, also if that is an address', async () => {
    const { ca } = certificates();
    const { port } = await serve(['-rev']);
    await running().connectTLS(port, new Witness(), { ca });
    const other = await serve(['-rev'], certificates().otherServer);
    expect(await failure(other.port, { ca })).to.be.instanceOf(CertificateError);
  });

  it('takes any certificate where it need not be verified', async () => {
    const { port } = await serve(['-rev'], certificates().selfSigned);
    await running().connectTLS(port, new Witness(), { rejectUnauthorized: false });
  });

  it('asks by name for one of several certificates', async () => {
    const { name, ...other } = certificates().otherServer;
    const both = certificates().bothIn(other);
    const { port } = await serve(['-rev', '-servername', name, '-cert2', both, '-key2', both]);
    for (const servername of ['localhost', name]) {
      const ours = await running().connectTLS(port, new Witness(), { ...clientTLS(), servername });
      ours.transport.loseConnection(); // it serves one at a time
    }
  });

  it('fails where no version of TLS is spoken by both', async () => {
    const { port } = await serve(['-rev', '-tls1_3']);
    expect(await failure(port, { ...clientTLS(), maxVersion: 'TLSv1.2' })).to.be.instanceOf(SSLError);
  });
}

function describeClientCertificates({ serve, running, certificates, clientTLS, failure }: Tools): void {
  const demand = (): string[] => ['-rev', '-Verify', '1', '-verify_return_error', '-CAfile', certificates().caFile];

  it('shows its certificate to a server that demands one', async () => {
    const { key, cert, name } = certificates().client;
    const { server, port } = await serve(demand());
    await running().connectTLS(port, new Witness(), { ...clientTLS(), key, cert });
    await server.line(new RegExp(`^Peer certificate: CN = ${name}$`));
    await server.line(/^Verification: OK$/);
  });

  it('learns in the handshake that it should have one, by TLS 1.2', async () => {
    const { port } = await serve([...demand(), '-tls1_2']);
    expect(await failure(port, clientTLS())).to.be.instanceOf(SSLError);
  });

  it('learns in the handshake that its own is not trusted, by TLS 1.2', async () => {
    const { port } = await serve([...demand(), '-tls1_2']);
    const { key, cert } = certificates().untrusted;
    const error = await failure(port, { ...clientTLS(), key, cert });
    expect(error).to.be.instanceOf(PeerVerifyError);
  });

  // The server says so only after the client has taken the handshake for completed (RFC 8446, section 4.4.2.4).
  const later: readonly [what: string, identity: (all: CertificateFiles) => Partial<Identity>, reason: RegExp][] = [
    ['that it should have one', () => ({}), /CERTIFICATE_REQUIRED$/],
    ['that its own is not trusted', ({ untrusted: { key, cert } }) => ({ key, cert }), /ALERT_UNKNOWN_CA$/],
  ];
  for (const [what, identity, reason] of later) {
    it(`learns after the handshake ${what}, by TLS 1.3`, async () => {
      const { port } = await serve([...demand(), '-tls1_3']);
      const ours = new Witness();
      await running().connectTLS(port, ours, { ...clientTLS(), ...identity(certificates()) });
      await ours.lost();
      expect(ours.lostBy).to.be.instanceOf(PeerVerifyError);
      expect((ours.lostBy as PeerVerifyError).reason).to.match(reason);
    });
  }
}

function describeResuming({ serve, running, clientTLS }: Tools): void {
  for (const version of ['-tls1_2', '-tls1_3']) {
    it(`resumes the session of a connection with the same options (${version})`, async () => {
      const { server, port } = await serve([version]);
      const tls = clientTLS();
      const connectAndLeave = async (options: TLSOptions): Promise<void> => {
        const ours = await running().connectTLS(port, new Witness(), options);
        server.send('hello\n'); // comes after the ticket
        await ours.until(() => ours.text === 'hello\n');
        ours.transport.loseConnection();
        await server.line(/^DONE$/);
      };
      await connectAndLeave(tls);
      expect(server.log).not.to.contain('Reused session-id');
      await connectAndLeave(tls);
      await connectAndLeave(clientTLS());
      expect(server.log.match(/Reused session-id/g), 'not with equal ones').to.have.length(1);
    });
  }
}

function describeEnds({ serve, running, clientTLS }: Tools, isTruncationDetected: boolean): void {
  it('is told that the server has closed', async () => {
    const { port } = await serve(['-www']);
    const ours = new Witness({ made: (transport) => transport.write('GET / HTTP/1.0\r\n\r\n') });
    await running().connectTLS(port, ours, clientTLS());
    await ours.lost();
    expect(ours.text)
      .to.match(/^HTTP\/1.0 200/)
      .and.to.match(/<\/html>\s*$/i);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('closes its half', async () => {
    const { server, port } = await serve(['-rev', '-naccept', '1']);
    const ours = new HalfCloseWitness({ made: (transport) => transport.loseWriteConnection() });
    await running().connectTLS(port, ours, clientTLS());
    await ours.lost();
    expect(ours.events).to.deep.equal(['made', 'secured', 'writeLost', 'readLost', 'lost']);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    expect(await server.ended()).to.equal(0);
  });

  it('is told of garbage in the middle of the stream', async () => {
    const { server, port } = await serve();
    const relay = await MeddlingRelay.start(port);
    try {
      const ours = await running().connectTLS(relay.port, new HalfCloseWitness(), clientTLS());
      server.send('hello\n');
      await ours.until(() => ours.text === 'hello\n');
      relay.sendGarbage();
      await ours.lost();
      expect(ours.events).to.deep.equal(['made', 'secured', 'data', 'lost']);
      expect(ours.lostBy).to.be.instanceOf(ConnectionLost);
    } finally {
      relay.close();
    }
  });

  it(`${isTruncationDetected ? 'tells' : 'takes for an end'} that somebody cut the stream off`, async () => {
    const { server, port } = await serve();
    const relay = await MeddlingRelay.start(port);
    try {
      const ours = await running().connectTLS(relay.port, new HalfCloseWitness(), clientTLS());
      server.send('half a mess\n');
      await ours.until(() => ours.text === 'half a mess\n');
      relay.cutOff();
      if (isTruncationDetected) {
        await ours.lost();
        expect(ours.lostBy).to.be.instanceOf(ConnectionLost);
        expect(ours.lostBy?.message).to.contain('close_notify');
      } else {
        await ours.until(() => ours.events.includes('readLost'));
        ours.transport.loseConnection();
        await ours.lost();
        expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
      }
    } finally {
      relay.close();
    }
  });
}
