/** TLS with socat at the other end: bulk both ways, half-closed connections, and those who speak no TLS at all. */
import { expect } from 'chai';
import {
  ConnectError,
  ConnectionDone,
  ConnectionLost,
  Echo,
  SSLError,
  TLSHandshakeTimeoutError,
  type TLSOptions,
} from 'ropewalk';
import { bulk, BulkProducer, MEGABYTE } from './support/bulk.ts';
import { type CertificateFiles, useCertificateFiles } from './support/certificate-files.ts';
import { type Child, useChildren } from './support/child.ts';
import { requirePeer, SOCAT } from './support/require-peer.ts';
import { LOOPBACK, type RunningReactor, useReactor } from './support/running-reactor.ts';
import { TLS_PATHS, type TLSPath } from './support/tls-paths.ts';
import { useWatchedHandles } from './support/watched-handles.ts';
import { digestOf, HalfCloseWitness, Witness } from './support/witness.ts';

/** How long socat goes on with one direction after the other has ended; its half second is short for a busy machine. */
const PATIENCE = ['-t', '30'];

/** The port that the system chose for a socat that listens; it says so at this level of messages. */
const TELL_PORT = ['-d', '-d'];

for (const path of TLS_PATHS) {
  describe(`over TLS ${path.name}, with socat`, () => {
    requirePeer(SOCAT);
    const tools = useTools(path);

    describeServer(tools);
    describeClient(tools);
    describeNoTLS(tools);
  });
}

interface Tools {
  readonly running: () => RunningReactor;
  readonly certificates: () => CertificateFiles;
  readonly start: (options: readonly string[]) => Child;
  /** Starts a socat that listens so, and has its connection go there. */
  listen(listening: string, to: string): Promise<{ readonly socat: Child; readonly port: number }>;
  serverTLS(): TLSOptions;
  clientTLS(): TLSOptions;
}

function useTools({ engine }: TLSPath): Tools {
  const certificates = useCertificateFiles();
  const running = useReactor(() => ({ tls: engine() }));
  const startChild = useChildren();
  useWatchedHandles();
  const start = (options: readonly string[]): Child => startChild(SOCAT.command, [...PATIENCE, ...options]);
  return {
    running,
    certificates,
    start,
    listen: async (listening, to) => {
      const socat = start([...TELL_PORT, `${listening}:0,bind=${LOOPBACK}${tlsOf(listening, certificates())}`, to]);
      const [, port] = await socat.line(/listening on .*:(\d+)$/);
      return { socat, port: Number(port) };
    },
    serverTLS: () => {
      const { key, cert } = certificates().server;
      return { key, cert };
    },
    clientTLS: () => ({ ca: certificates().ca, servername: 'localhost' }),
  };
}

function tlsOf(listening: string, certificates: CertificateFiles): string {
  return listening.startsWith('OPENSSL') ? `,cert=${certificates.bothIn(certificates.server)},verify=0` : '';
}

function describeServer({ running, certificates, clientTLS, listen }: Tools): void {
  it('sends megabytes to cat, closes its half, and has all of them back', async () => {
    const { socat, port } = await listen('OPENSSL-LISTEN', 'EXEC:cat');
    const data = bulk(5 * MEGABYTE);
    const ours = new HalfCloseWitness({
      made: (transport) => new BulkProducer(data, transport, () => transport.loseWriteConnection()).start(),
    });
    await running().connectTLS(port, ours, clientTLS());
    await ours.lost();
    expect(ours.receivedBytes).to.equal(data.length);
    expect(ours.digest).to.equal(digestOf([data]));
    // Where its own end falls is the system's affair.
    expect(ours.events).to.include.members(['writeLost', 'readLost']);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    expect(await socat.ended()).to.equal(0);
  });

  it('hears all that a program says, and its end', async () => {
    const data = bulk(3 * MEGABYTE);
    const { socat, port } = await listen('OPENSSL-LISTEN', `OPEN:${certificates().file('bulk', data)},rdonly`);
    const ours = new Witness();
    await running().connectTLS(port, ours, clientTLS());
    await ours.lost();
    expect(ours.receivedBytes).to.equal(data.length);
    expect(ours.digest).to.equal(digestOf([data]));
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    expect(await socat.ended()).to.equal(0);
  });
}

function describeClient({ running, certificates, serverTLS, start }: Tools): void {
  const connect = (port: number): string =>
    `OPENSSL:${LOOPBACK}:${port},cafile=${certificates().caFile},commonname=localhost`;

  it('answers after socat has closed its half', async () => {
    const ours = new HalfCloseWitness({
      readLost: (transport) => {
        transport.write(`heard ${ours.text}`);
        transport.loseConnection();
      },
    });
    const port = await running().serveTLS(() => ours, serverTLS());
    const socat = start(['STDIO', connect(port)]);
    socat.send('a question');
    socat.endInput();
    expect(await socat.ended()).to.equal(0);
    expect(socat.output.toString()).to.equal('heard a question');
    await ours.lost();
    expect(ours.events).to.deep.equal(['made', 'secured', 'data', 'readLost', 'lost']);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('closes its half and hears what a socat that ignores the end goes on sending', async () => {
    const ours = new HalfCloseWitness({
      made: (transport) => {
        transport.write('my last word');
        transport.loseWriteConnection();
      },
    });
    const port = await running().serveTLS(() => ours, serverTLS());
    const socat = start(['STDIO', `${connect(port)},ignoreeof`]);
    await socat.printed('my last word');
    await ours.until(() => ours.events.includes('writeLost'));
    socat.send('there is more');
    await ours.until(() => ours.text === 'there is more');
    expect(ours.connected).to.be.true;
    socat.endInput();
    await ours.lost();
    expect(ours.events).to.deep.equal(['made', 'secured', 'writeLost', 'data', 'readLost', 'lost']);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('echoes megabytes, reading no faster than it can write', async () => {
    const data = bulk(5 * MEGABYTE);
    const ours = new HalfCloseWitness({
      made: (transport) => transport.registerProducer(transport, true),
      data: (transport, piece) => void transport.write(piece),
      readLost: (transport) => {
        transport.unregisterProducer();
        transport.loseConnection();
      },
    });
    const port = await running().serveTLS(() => ours, serverTLS());
    const file = certificates().file('bulk', data);
    const socat = start([`OPEN:${file},rdonly!!STDOUT`, connect(port)]);
    expect(await socat.ended()).to.equal(0);
    expect(socat.output.length).to.equal(data.length);
    expect(digestOf([socat.output])).to.equal(digestOf([data]));
    await ours.lost();
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('speaks to many at once', async () => {
    const port = await running().serveTLS(() => new Echo(), serverTLS());
    const clients = Array.from({ length: 10 }, (_, index) => {
      const socat = start(['STDIO', connect(port)]);
      socat.send(`I am ${index}`);
      return socat;
    });
    await Promise.all(clients.map((socat, index) => socat.printed(`I am ${index}`)));
    for (const socat of clients) socat.endInput();
    expect(await Promise.all(clients.map((socat) => socat.ended()))).to.deep.equal(clients.map(() => 0));
  });
}

function describeNoTLS({ running, serverTLS, clientTLS, start, listen }: Tools): void {
  it('refuses a client that speaks no TLS', async () => {
    const port = await running().serveTLS(() => new Witness(), serverTLS());
    const socat = start(['STDIO', `TCP:${LOOPBACK}:${port}`]);
    socat.send('GET / HTTP/1.0\r\n\r\n');
    const { error } = await running().problem();
    expect(error).to.be.instanceOf(SSLError);
    socat.endInput();
    await socat.ended();
  });

  it('gives up a client that says nothing', async () => {
    const port = await running().serveTLS(() => new Witness(), serverTLS(), { handshakeTimeout: 0.1 });
    const socat = start(['STDIO', `TCP:${LOOPBACK}:${port}`]);
    const { error } = await running().problem();
    expect(error).to.be.instanceOf(TLSHandshakeTimeoutError);
    socat.endInput();
    await socat.ended();
  });

  it('does not wait for a client that has gone', async () => {
    const port = await running().serveTLS(() => new Witness(), serverTLS());
    const socat = start(['STDIO', `TCP:${LOOPBACK}:${port}`]);
    socat.endInput();
    const { error } = await running().problem();
    expect(error).to.be.instanceOf(ConnectionLost).and.have.nested.property('cause.code', 'ECONNRESET');
    expect(await socat.ended()).to.equal(0);
  });

  it('fails with a server that speaks no TLS', async () => {
    const { port } = await listen('TCP-LISTEN', 'EXEC:cat');
    const error = await errorOf(running().connectTLS(port, new Witness(), clientTLS()));
    expect(error).to.be.instanceOf(SSLError);
  });

  it('fails with a server that closes at once', async () => {
    const { port } = await listen('TCP-LISTEN', 'EXEC:true');
    const error = await errorOf(running().connectTLS(port, new Witness(), clientTLS()));
    expect(error).to.be.instanceOf(ConnectError);
  });
}

async function errorOf(work: PromiseLike<unknown>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error;
  }
}
