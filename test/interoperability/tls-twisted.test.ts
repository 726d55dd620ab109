/** TLS with Twisted at the other end, on either side, from the first byte on or in the middle of a conversation. */
import { Buffer } from 'node:buffer';
import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import {
  ConnectionAborted,
  ConnectionDone,
  ConnectionLost,
  Echo,
  PeerVerifyError,
  type Protocol,
  type TLSOptions,
  VerifyError,
} from 'ropewalk';
import { bulk, BulkProducer, MEGABYTE } from './support/bulk.ts';
import { type CertificateFiles, useCertificateFiles } from './support/certificate-files.ts';
import { requirePeer, STARTING_MILLISECONDS, TWISTED_TLS } from './support/require-peer.ts';
import { type RunningReactor, useReactor } from './support/running-reactor.ts';
import { TLS_PATHS, type TLSPath } from './support/tls-paths.ts';
import { type Role, TwistedPeer } from './support/twisted-peer.ts';
import { useWatchedHandles } from './support/watched-handles.ts';
import { digestOf, HalfCloseWitness, Witness } from './support/witness.ts';

for (const path of TLS_PATHS) {
  for (const role of ['server', 'client'] as const) {
    describe(`over TLS ${path.name}, with Twisted as the ${role}`, () => {
      requirePeer(TWISTED_TLS);
      const talk = useTwisted(path, role);

      describeTalking(talk);
      describeClosing(talk, path.isTruncationDetected);
      describeBulk(talk);
      describeStartTLS(talk, role);
      if (role === 'client') describeRefusing(talk);
    });
  }
}

/** What a test asks of Twisted: a connection with one of its protocols, and what that tells. */
interface Talk {
  readonly running: () => RunningReactor;
  readonly certificates: () => CertificateFiles;
  readonly peer: () => TwistedPeer;
  /** What this side uses, by its role. */
  tls(): TLSOptions;
  /** Joins a protocol of Twisted and ours by TLS. */
  join(name: string, ours: Protocol, tls?: Partial<TLSOptions>): Promise<void>;
  /** Joins them without it. */
  joinPlain(name: string, ours: Protocol): Promise<void>;
  told(name: string, event: string): Promise<string>;
  hasTold(name: string, event: string): boolean;
}

/** One process serves a whole suite: it takes longer to start than all the tests together. */
function useTwisted({ engine }: TLSPath, role: Role): Talk {
  const certificates = useCertificateFiles();
  const running = useReactor(() => ({ tls: engine() }));
  useWatchedHandles();
  let twisted: TwistedPeer | undefined;
  const peer = (): TwistedPeer => {
    if (twisted === undefined) throw new Error('Twisted is there only while a test runs');
    return twisted;
  };
  before(async function () {
    this.timeout(STARTING_MILLISECONDS);
    twisted = await TwistedPeer.startTLS(certificates());
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed') console.warn(peer().log);
  });
  after(() => twisted?.kill());
  const tls = (): TLSOptions => (role === 'server' ? clientTLS(certificates()) : serverTLS(certificates()));
  return {
    running,
    certificates,
    peer,
    tls,
    join: (name, ours, more = {}) => peer().joinTLS(role, name, running(), ours, { ...tls(), ...more }),
    joinPlain: (name, ours) => peer().join(role, name, running(), ours),
    told: (name, event) => peer().told(role, name, event),
    hasTold: (name, event) => peer().hasTold(role, name, event),
  };
}

function clientTLS({ ca, client: { key, cert } }: CertificateFiles): TLSOptions {
  return { ca, key, cert, servername: 'localhost' };
}

function serverTLS({ server: { key, cert } }: CertificateFiles): TLSOptions {
  return { key, cert };
}

function describeTalking({ join, told, certificates, tls }: Talk): void {
  it('gets an echo of what it sends', async () => {
    const ours = new Witness({ made: (transport) => transport.write('绳子 and rope') });
    await join('echo', ours);
    await ours.until(() => ours.text === '绳子 and rope');
    ours.transport.loseConnection();
    await ours.lost();
    expect(ours.events).to.deep.equal(['made', 'secured', 'data', 'lost']);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    expect(await told('echo', 'lost')).to.equal('ConnectionDone');
  });

  it('echoes what it is sent', async () => {
    await join('asker', new Echo());
    expect(await told('asker', 'heard')).to.equal('True');
    expect(await told('asker', 'lost')).to.equal('ConnectionDone');
  });

  it('knows who is there, and agrees on a protocol', async () => {
    const ours = new Witness();
    const { ca, client, server } = certificates();
    const isServer = tls().servername === undefined;
    await join('known', ours, { ALPNProtocols: ['twine', 'rope'], ...(isServer && { requestCert: true, ca }) });
    await ours.until(() => ours.text === 'known');
    const { subject } = new X509Certificate(ours.transport.getPeerCertificate()!);
    expect(subject).to.equal(isServer ? `CN=${client.name}` : new X509Certificate(server.cert).subject);
    expect(ours.transport.negotiatedProtocol).to.equal(isServer ? 'twine' : 'rope');
    expect(await told('known', 'agreed')).to.equal(ours.transport.negotiatedProtocol);
    expect(await told('known', 'peer')).to.equal(isServer ? 'localhost' : client.name);
    ours.transport.loseConnection();
    await ours.lost();
  });
}

function describeClosing({ join, told }: Talk, isTruncationDetected: boolean): void {
  it('delivers all that was written before loseConnection', async () => {
    const data = bulk(3 * MEGABYTE);
    const ours = new Witness({
      made: (transport) => {
        transport.write(data);
        transport.loseConnection();
        transport.write('too late');
      },
    });
    await join('reader', ours);
    expect(await told('reader', 'read')).to.equal(digestOf([data]));
    expect(await told('reader', 'lost')).to.equal('ConnectionDone');
    await ours.lost();
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('delivers it also to one who talks on without being listened to', async () => {
    const data = bulk(3 * MEGABYTE);
    const ours = new Witness({
      made: (transport) => {
        transport.write(data);
        transport.loseConnection();
      },
    });
    await join('talks-and-reads', ours);
    expect(await told('talks-and-reads', 'read')).to.equal(digestOf([data]));
    expect(await told('talks-and-reads', 'lost')).to.equal('ConnectionDone');
    await ours.lost();
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('gets all that Twisted wrote before its loseConnection', async () => {
    const ours = new Witness();
    await join('writes-and-leaves', ours);
    const digest = await told('writes-and-leaves', 'wrote');
    await ours.lost();
    expect(ours.receivedBytes).to.equal(3 * MEGABYTE);
    expect(ours.digest).to.equal(digest);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    expect(await told('writes-and-leaves', 'lost')).to.equal('ConnectionDone');
  });

  it('closes its half, which Twisted takes for the end of both', async () => {
    const ours = new HalfCloseWitness({
      made: (transport) => {
        transport.write('that is all');
        transport.loseWriteConnection();
      },
    });
    await join('answers-after-end', ours);
    expect(await told('answers-after-end', 'lost')).to.equal('ConnectionDone');
    await ours.lost();
    expect(ours.events).to.include.members(['writeLost', 'readLost']);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it(`${isTruncationDetected ? 'tells' : 'takes for an end'} a Twisted that closes its half below TLS`, async () => {
    const ours = new Witness({ made: (transport) => transport.write('before the end') });
    await join('ends-below', ours);
    await ours.lost();
    expect(ours.lostBy).to.be.instanceOf(isTruncationDetected ? ConnectionLost : ConnectionDone);
  });

  it('breaks off by abortConnection', async () => {
    const ours = new Witness();
    await join('reader', ours);
    await told('reader', 'made');
    await ours.until(() => ours.connected);
    ours.transport.abortConnection();
    await ours.lost();
    expect(ours.lostBy).to.be.instanceOf(ConnectionAborted);
    expect(await told('reader', 'lost')).to.equal('ConnectionLost');
  });

  it('sees a reset as ConnectionLost', async () => {
    const ours = new HalfCloseWitness({ made: (transport) => transport.write('anything') });
    await join('aborts', ours);
    await ours.lost();
    expect(ours.events).to.deep.equal(['made', 'secured', 'lost']);
    expect(ours.lostBy).to.be.instanceOf(ConnectionLost);
    expect(ours.lostBy).not.to.be.instanceOf(ConnectionAborted);
    expect(await told('aborts', 'lost')).to.match(/^Connection(Lost|Aborted)$/); // not the same in all versions
  });
}

function describeBulk({ join, told, hasTold }: Talk): void {
  it('makes Twisted wait while it does not read, then takes all 20 MB', async () => {
    const ours = new Witness({ made: (transport) => transport.pauseProducing() });
    await join('produces', ours);
    await ours.until(() => ours.connected);
    await told('produces', 'paused');
    expect(hasTold('produces', 'wrote')).to.be.false;
    expect(ours.receivedBytes).to.equal(0);
    ours.transport.resumeProducing();
    const digest = await told('produces', 'wrote');
    await ours.lost();
    expect(ours.receivedBytes).to.equal(20 * MEGABYTE);
    expect(ours.digest).to.equal(digest);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('sends 5 MB and reads their echo at the same time', async () => {
    const data = bulk(5 * MEGABYTE);
    const ours = new Witness({
      made: (transport) => new BulkProducer(data, transport, () => {}).start(),
      data: (transport) => {
        if (ours.receivedBytes === data.length) transport.loseConnection();
      },
    });
    await join('echo', ours);
    await ours.lost();
    expect(ours.digest).to.equal(digestOf([data]));
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    expect(await told('echo', 'lost')).to.equal('ConnectionDone');
  });
}

function describeStartTLS({ joinPlain, told, certificates }: Talk, role: Role): void {
  /** Agrees on TLS with Twisted; `isServer` says which side of the handshake this is. */
  const upgrading = (isServer: boolean, then: (ours: Witness) => void): Witness => {
    let unread = '';
    const ours = new Witness({
      made: (transport) => {
        if (role === 'server') transport.write('STARTTLS\r\n');
      },
      data: (transport, data) => {
        if (ours.events.includes('secured')) {
          if (role === 'client') transport.write(data);
          return;
        }
        unread += data.toString('latin1');
        const end = unread.indexOf('\r\n') + 2;
        if (end < 2) return;
        if (role === 'client') transport.write('GO\r\n');
        const tls = isServer ? serverTLS(certificates()) : clientTLS(certificates());
        const received = Buffer.from(unread.slice(end), 'latin1');
        transport.startTLS(tls, { isServer, received });
        then(ours);
      },
    });
    return ours;
  };

  for (const [name, isServer] of [
    ['starttls', role === 'client'],
    ['starttls-reversed', role === 'server'],
  ] as const) {
    it(`begins TLS in the middle of a conversation, as its ${isServer ? 'server' : 'client'}`, async () => {
      const data = bulk(2 * MEGABYTE);
      let plainBytes = 0;
      const ours = upgrading(isServer, ({ transport, receivedBytes }) => {
        plainBytes = receivedBytes;
        if (role === 'server') transport.write(data);
      });
      await joinPlain(name, ours);
      await told(name, 'secured');
      if (role === 'server') {
        await ours.until(() => ours.receivedBytes === plainBytes + data.length);
        expect(digestOf([ours.received.subarray(plainBytes)])).to.equal(digestOf([data]));
        ours.transport.loseConnection();
      } else {
        expect(await told(name, 'heard')).to.equal('True');
      }
      await ours.lost();
      expect(ours.events).to.deep.equal(['made', 'data', 'secured', 'data', 'lost']);
      expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
      expect(await told(name, 'lost')).to.equal('ConnectionDone');
    });
  }
}

/** Where Twisted is the client, which has to trust this server. */
function describeRefusing({ running, certificates, peer, told }: Talk): void {
  it('hears that Twisted does not trust its certificate', async () => {
    const { key, cert } = certificates().untrusted;
    const port = await running().serveTLS(() => new Witness(), { key, cert });
    peer().connect('reader', port);
    const { error } = await running().problem();
    expect(error).to.be.instanceOf(PeerVerifyError);
    expect(await told('reader', 'lost')).to.equal('Error');
  });

  it('loses a Twisted that wanted another host, before it has a protocol for it', async () => {
    const ours = new Witness();
    const port = await running().serveTLS(() => ours, serverTLS(certificates()));
    peer().connect('reader', port, 'elsewhere.example');
    expect(await told('reader', 'lost')).to.equal('VerificationError');
    const { error } = await running().problem();
    expect(error).to.be.instanceOf(ConnectionLost).and.have.nested.property('cause.code', 'ECONNRESET');
    expect(ours.events).to.be.empty;
  });

  it('refuses a Twisted whose certificate it does not trust', async () => {
    const port = await running().serveTLS(() => new Witness(), {
      ...serverTLS(certificates()),
      requestCert: true,
      ca: certificates().untrusted.ca,
    });
    peer().connect('reader', port);
    const { error } = await running().problem();
    expect(error).to.be.instanceOf(VerifyError);
    expect(error).not.to.be.instanceOf(PeerVerifyError);
    await told('reader', 'lost');
  });
}
