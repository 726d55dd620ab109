/** TLS with `openssl s_client` at the other end: this side is the server. */
import { openSync, closeSync, writeFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import {
  CertificateError,
  ConnectionDone,
  ConnectionLost,
  Echo,
  PeerVerifyError,
  SSLError,
  type TLSEngine,
  type TLSOptions,
  VerifyError,
} from 'ropewalk';
import { bulk, BulkProducer, MEGABYTE } from './support/bulk.ts';
import { type CertificateFiles, useCertificateFiles } from './support/certificate-files.ts';
import { type Child, useChildren } from './support/child.ts';
import { OPENSSL, requirePeer } from './support/require-peer.ts';
import { LOOPBACK, type RunningReactor, useReactor } from './support/running-reactor.ts';
import { SubmissionServer } from './support/submission-server.ts';
import { TLS_PATHS } from './support/tls-paths.ts';
import { useWatchedHandles } from './support/watched-handles.ts';
import { digestOf, HalfCloseWitness, Witness } from './support/witness.ts';

for (const { name, engine, isTruncationDetected } of TLS_PATHS) {
  describe(`over TLS ${name}, with s_client of OpenSSL`, () => {
    requirePeer(OPENSSL);
    const tools = useTools(engine);

    describeTalking(tools);
    describeChoosing(tools);
    describeClientCertificates(tools);
    describeResuming(tools);
    describeRefusing(tools);
    describeStartTLS(tools);
    describeTruncation(tools, isTruncationDetected);
  });
}

interface Tools {
  readonly running: () => RunningReactor;
  readonly certificates: () => CertificateFiles;
  /** Serves one connection; by default with the certificate for localhost. */
  serve(ours: Witness, tls?: Partial<TLSOptions>): Promise<number>;
  serverTLS(): TLSOptions;
  /** Starts s_client, which verifies the server. */
  connect(port: number, options?: readonly string[], input?: number): Child;
}

function useTools(engine: () => TLSEngine): Tools {
  const certificates = useCertificateFiles();
  const running = useReactor(() => ({ tls: engine() }));
  const start = useChildren();
  useWatchedHandles();
  const serverTLS = (): TLSOptions => {
    const { key, cert } = certificates().server;
    return { key, cert };
  };
  return {
    running,
    certificates,
    serverTLS,
    serve: (ours, tls = {}) => running().serveTLS(() => ours, { ...serverTLS(), ...tls }),
    connect: (port, options = [], input) => {
      const verify = ['-CAfile', certificates().caFile, '-verify_return_error', '-verify_hostname', 'localhost'];
      const args = ['s_client', '-connect', `${LOOPBACK}:${port}`, ...verify, ...options];
      return start(OPENSSL.command, args, input === undefined ? {} : { input });
    },
  };
}

function describeTalking({ serve, connect, certificates }: Tools): void {
  for (const [option, version] of [
    ['-tls1_2', 'TLSv1.2'],
    ['-tls1_3', 'TLSv1.3'],
  ] as const) {
    it(`is verified, hears and is heard, by ${version}`, async () => {
      const ours = new Witness({ data: (transport) => transport.write(`heard ${ours.text}`) });
      const client = connect(await serve(ours), [option, '-brief']);
      await client.line(new RegExp(`^Protocol version: ${version}$`));
      await client.line(/^Verification: OK$/);
      await client.line(/^Verified peername: localhost$/);
      client.send('hello');
      await client.printed('heard hello');
      client.endInput();
      expect(await client.ended()).to.equal(0);
      await ours.lost();
      expect(ours.events).to.deep.equal(['made', 'secured', 'data', 'lost']);
      expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    });
  }

  it('says close_notify after all that was written', async () => {
    const ours = new Witness({
      made: (transport) => {
        transport.write('that is all\n');
        transport.loseConnection();
      },
    });
    const client = connect(await serve(ours), ['-tls1_3']);
    await client.line(/^that is all$/);
    // It has other words for an end without close_notify.
    await client.line(/^closed$/);
    expect(await client.ended()).to.equal(0);
    await ours.lost();
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('sends megabytes, at the pace at which they are read', async () => {
    const data = bulk(5 * MEGABYTE);
    const ours = new Witness({
      made: (transport) => new BulkProducer(data, transport, () => transport.loseConnection()).start(),
    });
    const client = connect(await serve(ours), ['-quiet']);
    expect(await client.ended()).to.equal(0);
    expect(client.output.length).to.equal(data.length);
    expect(digestOf([client.output])).to.equal(digestOf([data]));
    await ours.lost();
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('reads megabytes, and the end after them', async () => {
    const data = bulk(3 * MEGABYTE);
    const file = certificates().path('bulk');
    writeFileSync(file, data);
    const ours = new HalfCloseWitness({ readLost: (transport) => transport.loseConnection() });
    const port = await serve(ours);
    const input = openSync(file, 'r');
    const client = connect(port, ['-quiet', '-nocommands', '-no_ign_eof'], input);
    closeSync(input);
    await ours.lost();
    expect(ours.receivedBytes).to.equal(data.length);
    expect(ours.digest).to.equal(digestOf([data]));
    expect(ours.events).to.deep.equal(['made', 'secured', 'data', 'readLost', 'lost']);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    expect(await client.ended()).to.equal(0);
  });

  it('goes on after the keys have been exchanged anew', async () => {
    const ours = new Witness();
    const client = connect(await serve(ours), ['-tls1_3']);
    await ours.until(() => ours.connected);
    client.send('K\n'); // asks us to change ours, too
    await client.line(/^KEYUPDATE/);
    client.send('hello\n');
    await ours.until(() => ours.text === 'hello\n');
    ours.transport.write('still here\n');
    await client.line(/^still here$/);
    ours.transport.loseConnection();
    await client.line(/^closed$/);
    await ours.lost();
  });
}

function describeChoosing({ serve, serverTLS, connect, certificates, running }: Tools): void {
  it('agrees on the first protocol of its own that the client has', async () => {
    const ours = new Witness();
    const client = connect(await serve(ours, { ALPNProtocols: ['one', 'two', 'three'] }), ['-alpn', 'three,two']);
    await client.line(/^ALPN protocol: two$/);
    await ours.until(() => ours.connected);
    expect(ours.transport.negotiatedProtocol).to.equal('two');
    client.endInput();
    await ours.lost();
  });

  it('refuses a client that has none of them', async () => {
    const client = connect(await serve(new Witness(), { ALPNProtocols: ['one'] }), ['-alpn', 'two']);
    await client.line(/alert no application protocol/);
    expect(await client.ended()).to.equal(1);
    const { error } = await running().problem();
    expect(error).to.be.instanceOf(SSLError);
    expect(String(error)).to.contain('no application protocol');
  });

  it('takes a client that asks for no protocol at all', async () => {
    const ours = new Witness();
    const client = connect(await serve(ours, { ALPNProtocols: ['one'] }));
    await client.line(/^No ALPN negotiated$/);
    await ours.until(() => ours.connected);
    expect(ours.transport.negotiatedProtocol).to.be.undefined;
    client.endInput();
    await ours.lost();
  });

  it('shows the certificate for the name that is asked for', async () => {
    const { otherServer } = certificates();
    const { key, cert, name } = otherServer;
    const own = serverTLS();
    const other = { key, cert };
    const tls = { ...own, contexts: { [name]: other, localhost: own, 'b.rope.test': own, '*.Rope.test': other } };
    const port = await running().serveTLS(() => new Echo(), tls);
    const subjects: [asked: string[], subject: string][] = [
      [['-servername', name], name],
      [['-servername', name.toUpperCase()], name],
      [['-servername', 'a.rope.test'], name],
      [['-servername', 'b.rope.test'], 'localhost'],
      [['-servername', 'a.b.rope.test'], 'localhost'],
      [['-servername', 'unknown.example'], 'localhost'],
      [['-noservername'], 'localhost'],
    ];
    for (const [asked, subject] of subjects) {
      const client = connect(port, [...asked, '-verify_hostname', subject, '-brief']);
      await client.line(new RegExp(`^Verified peername: ${subject}$`));
      client.endInput();
      expect(await client.ended()).to.equal(0);
    }
  });

  it('shows new clients a new certificate, without having been restarted', async () => {
    const { key, cert, name } = certificates().otherServer;
    let current = serverTLS();
    const first = new Witness();
    const second = new Witness();
    const protocols = [first, second];
    const port = await running().serveTLS(
      () => protocols.shift()!,
      () => current,
    );
    const client = connect(port, ['-brief']);
    await client.line(/^Verified peername: localhost$/);
    current = { key, cert };
    const later = connect(port, ['-verify_hostname', name, '-brief']);
    await later.line(new RegExp(`^Verified peername: ${name}$`));
    client.send('still served');
    await first.until(() => first.text === 'still served');
    client.endInput();
    later.endInput();
    await Promise.all([first.lost(), second.lost()]);
  });
}

function describeClientCertificates({ serve, connect, certificates, running }: Tools): void {
  const asking = (): Partial<TLSOptions> => ({ requestCert: true, ca: certificates().ca });

  it('verifies the certificate of a client and shows it', async () => {
    const { client: identity } = certificates();
    const { key, cert } = certificates().files(identity);
    const ours = new Witness();
    const client = connect(await serve(ours, asking()), ['-cert', cert, '-key', key, '-brief']);
    await ours.until(() => ours.connected);
    const certificate = ours.transport.getPeerCertificate();
    expect(new X509Certificate(certificate!).subject).to.equal(`CN=${identity.name}`);
    client.endInput();
    await ours.lost();
    expect(ours.transport.getPeerCertificate(), 'after the loss').to.equal(certificate);
  });

  for (const version of ['-tls1_2', '-tls1_3']) {
    it(`refuses a client without one (${version})`, async () => {
      const client = connect(await serve(new Witness(), asking()), [version]);
      const { error } = await running().problem();
      expect(error).to.be.instanceOf(CertificateError);
      expect(await client.ended()).to.equal(1);
      expect(client.log).to.match(/alert (handshake failure|certificate required)/);
    });

    it(`refuses a client with one of a stranger (${version})`, async () => {
      const { key, cert } = certificates().files(certificates().untrusted);
      const client = connect(await serve(new Witness(), asking()), [version, '-cert', cert, '-key', key]);
      const { error } = await running().problem();
      expect(error).to.be.instanceOf(VerifyError);
      expect((error as VerifyError).reason).to.equal('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
      await client.ended();
    });
  }

  it('serves a client without one where it need not have one', async () => {
    const ours = new Witness();
    const client = connect(await serve(ours, { ...asking(), rejectUnauthorized: false }), ['-brief']);
    await ours.until(() => ours.connected);
    expect(ours.transport.getPeerCertificate()).to.be.undefined;
    client.endInput();
    await ours.lost();
  });
}

function describeResuming({ serverTLS, connect, certificates, running }: Tools): void {
  /** One that says who asks again, and goes. */
  const greeter = (): Witness =>
    new Witness({
      made: (transport) => {
        transport.write('hello\n');
        transport.loseConnection();
      },
    });

  for (const version of ['-tls1_2', '-tls1_3']) {
    it(`resumes a session (${version})`, async () => {
      const port = await running().serveTLS(greeter, serverTLS());
      const session = certificates().path(`session${version}`);
      const first = connect(port, [version, '-sess_out', session]);
      await first.line(/^New, TLS/);
      expect(await first.ended()).to.equal(0);
      const second = connect(port, [version, '-sess_in', session]);
      await second.line(/^Reused, TLS/);
      await second.line(/^hello$/);
      expect(await second.ended()).to.equal(0);
    });
  }

  it('resumes the sessions of another server with the same ticket keys, and of no other', async () => {
    const ticketKeys = bulk(48);
    const ports = [
      await running().serveTLS(greeter, { ...serverTLS(), ticketKeys }),
      await running().serveTLS(greeter, { ...serverTLS(), ticketKeys }),
      await running().serveTLS(greeter, { ...serverTLS(), ticketKeys: bulk(96).subarray(48) }),
    ];
    const session = certificates().path('session-of-first');
    expect(await connect(ports[0]!, ['-sess_out', session]).ended()).to.equal(0);
    await connect(ports[1]!, ['-sess_in', session]).line(/^Reused, TLS/);
    await connect(ports[2]!, ['-sess_in', session]).line(/^New, TLS/);
  });

  it('resumes again and again', async () => {
    const port = await running().serveTLS(() => new Echo(), serverTLS());
    const client = connect(port, ['-tls1_2', '-reconnect']);
    await client.line(/^New, TLS/);
    for (let times = 0; times < 5; times += 1) await client.line(/^Reused, TLS/);
    client.endInput();
    expect(await client.ended()).to.equal(0);
  });
}

function describeRefusing({ serve, connect, certificates, running }: Tools): void {
  it('refuses to negotiate anew', async () => {
    const ours = new Witness();
    const client = connect(await serve(ours), ['-tls1_2']);
    client.send('hello\n');
    await ours.until(() => ours.text === 'hello\n');
    client.send('R\n');
    await client.line(/^RENEGOTIATING$/);
    client.send('more\n'); // makes it begin
    await client.line(/no renegotiation/); // with which it gives up
    await client.ended();
    await ours.lost();
    expect(ours.text).to.equal('hello\n');
    expect(ours.lostBy).to.be.instanceOf(ConnectionLost);
  });

  it('refuses TLS 1.1', async () => {
    const client = connect(await serve(new Witness()), ['-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0']);
    const { error } = await running().problem();
    expect(error).to.be.instanceOf(SSLError);
    expect(String(error)).to.contain('unsupported protocol');
    expect(await client.ended()).to.equal(1);
    expect(client.log).to.contain('alert protocol version');
  });

  it('hears that the client does not trust it', async () => {
    const caFile = certificates().file('another-ca.pem', certificates().untrusted.ca);
    const client = connect(await serve(new Witness()), ['-tls1_2', '-CAfile', caFile]);
    const { error } = await running().problem();
    expect(error).to.be.instanceOf(PeerVerifyError);
    expect((error as PeerVerifyError).reason).to.equal('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA');
    expect(await client.ended()).to.equal(1);
  });
}

function describeStartTLS({ connect, serverTLS, running }: Tools): void {
  it('is upgraded in the middle of a conversation', async () => {
    let ours: SubmissionServer | undefined;
    const port = await running().serve(() => (ours = new SubmissionServer(serverTLS())));
    const client = connect(port, ['-starttls', 'smtp', '-name', 'client.test', '-crlf', '-quiet']);
    await client.line(/^250 STARTTLS/);
    client.send('EHLO client.test\n');
    await client.line(/^250 AUTH/);
    client.send('QUIT\n');
    await client.line(/^221 bye/);
    expect(await client.ended()).to.equal(0);
    expect(ours?.commands).to.deep.equal([
      'EHLO client.test',
      'STARTTLS',
      'EHLO client.test (encrypted)',
      'QUIT (encrypted)',
    ]);
    expect(ours?.lostBy).to.be.instanceOf(ConnectionDone);
  });
}

function describeTruncation({ serve, connect }: Tools, isTruncationDetected: boolean): void {
  it(`${isTruncationDetected ? 'tells' : 'takes for an end'} that the client died without close_notify`, async () => {
    const ours = new Witness();
    // Under TLS 1.2 nothing follows the handshake that it might not have read, which its system would answer with a reset.
    const client = connect(await serve(ours), ['-tls1_2', '-brief']);
    client.send('half a mess');
    await ours.until(() => ours.text === 'half a mess');
    await client.kill();
    await ours.lost();
    expect(ours.lostBy).to.be.instanceOf(isTruncationDetected ? ConnectionLost : ConnectionDone);
    if (isTruncationDetected) expect(ours.lostBy?.message).to.contain('close_notify');
  });
}
