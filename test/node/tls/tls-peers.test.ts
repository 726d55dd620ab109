/** Reactors on Node with peers that are sockets of `node:tls`: sessions, old versions, renegotiation, every kind of socket. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect as connectPlain, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions, createServer, type Server, type TlsOptions, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import {
  ClientFactory,
  ConnectionDone,
  ConnectionLost,
  type Connector,
  createReactor,
  type CreateReactorOptions,
  Echo,
  Factory,
  type Failure,
  type ListeningPort,
  type Logger,
  nodeTLS,
  Protocol,
  type Reactor,
  SSLError,
  type TLSOptions,
  UNIXClientEndpoint,
  UNIXServerEndpoint,
  wrapServerTLS,
} from 'ropewalk';
import { testCertificates } from '../../support/certificates.ts';
import { until } from '../harness.ts';

const CERTIFICATES = await testCertificates();
const { ca, server: SERVER } = CERTIFICATES;
const TRUST: TLSOptions = { ca };

/** What OpenSSL takes to speak the versions of before. */
const OLD = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;

class Recorder extends Protocol {
  readonly events: string[] = [];
  reason: Error | undefined = undefined;

  override connectionMade(): void {
    this.events.push('made');
  }
  handshakeCompleted(): void {
    this.events.push('completed');
  }
  override dataReceived(data: Buffer): void {
    this.events.push(data.toString());
  }
  override connectionLost(reason: Failure): void {
    this.events.push('lost');
    this.reason = reason.value;
  }
}

class RecorderFactory extends ClientFactory {
  readonly protocols: Recorder[] = [];
  readonly reasons: Error[] = [];

  override buildProtocol(): Recorder {
    const protocol = new Recorder();
    this.protocols.push(protocol);
    return protocol;
  }
  override clientConnectionFailed(_connector: Connector, reason: Failure): void {
    this.reasons.push(reason.value);
  }
}

describe('TLS on Node with other programs', () => {
  const reactors: Reactor[] = [];
  const servers: Server[] = [];
  const sockets: TLSSocket[] = [];
  const warnings: unknown[] = [];
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    error: (fields) => warnings.push(fields),
    warn: (fields) => warnings.push('err' in fields ? fields.err : fields),
  };

  const run = (options: CreateReactorOptions = {}): Reactor => {
    const reactor = createReactor({ logger, ...options });
    reactors.push(reactor);
    void reactor.run({ installSignalHandlers: false });
    return reactor;
  };

  /** A raw server, and the port where it listens. */
  const serveRaw = async (options: TlsOptions, accepted: (socket: TLSSocket) => void): Promise<number> => {
    const server = createServer(options, (socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      accepted(socket);
    });
    servers.push(server);
    server.on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port; // of a server of TCP
  };

  const connectRaw = (port: number, options: ConnectionOptions): TLSSocket => {
    const socket = connect({ port, host: '127.0.0.1', ca, ...options });
    sockets.push(socket);
    socket.on('error', () => undefined);
    return socket;
  };

  const bound = async (port: ListeningPort): Promise<number> => {
    await port.whenListening();
    return (port.getHost() as unknown as AddressInfo).port; // of a port of TCP
  };

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
    await Promise.all(reactors.splice(0).map((reactor) => reactor[Symbol.asyncDispose]()));
    warnings.length = 0;
  });

  for (const detectTruncation of [false, true]) {
    describe(detectTruncation ? 'through a Duplex' : 'on sockets', () => {
      const tls = (): Pick<CreateReactorOptions, 'tls'> => ({ tls: nodeTLS({ detectTruncation }) });

      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        it(`a client resumes the session of the same options object and name, and of no other (${version})`, async () => {
          const resumed: boolean[] = [];
          const port = await serveRaw({ ...SERVER, maxVersion: version }, (socket) => {
            resumed.push(socket.isSessionReused());
            socket.end('x');
          });
          const reactor = run(tls());
          const visit = async (options: TLSOptions, host = 'localhost'): Promise<boolean | undefined> => {
            const factory = new RecorderFactory();
            reactor.connectTLS(host, port, factory, options);
            await until(() => factory.protocols[0]?.events.includes('lost') === true);
            return resumed.at(-1);
          };
          expect(await visit(TRUST)).to.be.false;
          expect(await visit(TRUST)).to.be.true;
          expect(await visit({ ...TRUST })).to.be.false;
          expect(await visit(TRUST, '127.0.0.1')).to.be.false;
          expect(await visit(TRUST)).to.be.true;
          const spelt = { ...TRUST, servername: 'LOCALHOST.' };
          expect(await visit(spelt)).to.be.false;
          expect(await visit(Object.assign(spelt, { servername: 'localhost' }))).to.be.true;
        });
      }

      it('a server resumes sessions, and so do all that have the same ticket keys', async () => {
        const ticketKeys = new Uint8Array(48).fill(7);
        const reactor = run(tls());
        const listen = async (options: TLSOptions): Promise<number> =>
          bound(reactor.listenTLS(0, Factory.forProtocol(Echo), options, { interface: '127.0.0.1' }));
        const one = await listen({ ...SERVER, ticketKeys });
        const other = await listen({ ...SERVER, ticketKeys });
        const stranger = await listen(SERVER);
        const first = connectRaw(one, {});
        const [session] = (await once(first, 'session')) as [Buffer]; // as Node documents
        for (const [port, isReused] of [
          [one, true],
          [other, true],
          [stranger, false],
        ] as const) {
          const socket = connectRaw(port, { session });
          await once(socket, 'secureConnect');
          expect(socket.isSessionReused()).to.equal(isReused);
        }
      });

      it('a server refuses a client that speaks nothing newer than TLS 1.1', async function () {
        if (!(await speaksOldTLS())) this.skip();
        const reactor = run(tls());
        const factory = new RecorderFactory();
        const port = await bound(reactor.listenTLS(0, factory, SERVER, { interface: '127.0.0.1' }));
        const socket = connectRaw(port, OLD);
        await new Promise((resolve) => {
          socket.once('close', resolve);
        });
        await until(() => warnings.length > 0);
        expect(warnings[0]).to.be.instanceOf(SSLError);
        expect(factory.protocols).to.deep.equal([]);
      });

      it('a client refuses a server that speaks nothing newer than TLS 1.1', async function () {
        if (!(await speaksOldTLS())) this.skip();
        const port = await serveRaw({ ...SERVER, ...OLD }, (socket) => socket.end());
        const factory = new RecorderFactory();
        run(tls()).connectTLS('127.0.0.1', port, factory, TRUST);
        await until(() => factory.reasons.length > 0);
        expect(factory.reasons[0]).to.be.instanceOf(SSLError);
        expect(factory.protocols).to.deep.equal([]);
      });

      it('a server lets no client renegotiate', async () => {
        const reactor = run(tls());
        const factory = new RecorderFactory();
        const port = await bound(reactor.listenTLS(0, factory, SERVER, { interface: '127.0.0.1' }));
        const socket = connectRaw(port, { maxVersion: 'TLSv1.2' });
        await once(socket, 'secureConnect');
        socket.renegotiate({ rejectUnauthorized: false }, () => undefined);
        await until(() => factory.protocols[0]?.events.includes('lost') === true);
        expect(factory.protocols[0]?.reason).to.be.instanceOf(ConnectionLost);
      });

      for (const reading of ['onread', 'data'] as const) {
        it(`startTLS works on sockets read by ${reading}, with the handshake behind the line`, async () => {
          const reactor = run({ ...tls(), reading });
          class Server extends Recorder {
            override dataReceived(data: Buffer): void {
              const isFirst = !this.events.includes('completed') && this.events.length === 1;
              super.dataReceived(isFirst ? data.subarray(0, 1) : data);
              if (!isFirst) return;
              this.transport.startTLS(SERVER, { received: data.subarray(1) });
              this.transport.write('secret');
            }
          }
          const accepted: Server[] = [];
          const factory = new (class extends Factory {
            override buildProtocol(): Server {
              accepted.push(new Server());
              return accepted[0]!;
            }
          })();
          const port = await bound(reactor.listenTCP(0, factory, { interface: '127.0.0.1' }));
          class Client extends Recorder {
            override connectionMade(): void {
              super.connectionMade();
              this.transport.write('!');
              this.transport.startTLS(TRUST);
              this.transport.write('hello');
            }
          }
          const client = new Client();
          reactor.connectTCP('127.0.0.1', port, Object.assign(new ClientFactory(), { buildProtocol: () => client }));
          await until(() => accepted[0]?.events.includes('hello') === true && client.events.includes('secret'));
          expect(accepted[0]?.events).to.deep.equal(['made', '!', 'completed', 'hello']);
          expect(client.events).to.deep.equal(['made', 'completed', 'secret']);
        });
      }

      it('the options of a connection say whether an end without farewell is told, in place of the engine', async () => {
        const reactor = run(tls());
        for (const isDetected of [!detectTruncation, detectTruncation, undefined]) {
          const factory = new RecorderFactory();
          const options = { ...SERVER, ...(isDetected !== undefined && { detectTruncation: isDetected }) };
          const port = await bound(reactor.listenTLS(0, factory, options, { interface: '127.0.0.1' }));
          const plain = connectPlain(port, '127.0.0.1');
          const socket = connectRaw(0, { socket: plain });
          await once(socket, 'secureConnect');
          await until(() => factory.protocols.length > 0);
          plain.end();
          await until(() => factory.protocols[0]?.reason !== undefined);
          const ReasonClass = (isDetected ?? detectTruncation) ? ConnectionLost : ConnectionDone;
          expect(factory.protocols[0]?.reason).to.be.instanceOf(ReasonClass);
        }
      });

      it('startTLS works on UNIX sockets', async function () {
        if (process.platform === 'win32') this.skip();
        const folder = mkdtempSync(join(tmpdir(), 'ropewalk-'));
        try {
          const reactor = run(tls());
          const path = join(folder, 's');
          class Starter extends Recorder {
            override connectionMade(): void {
              super.connectionMade();
              const isServer =
                this.transport.getHost().family === 'UNIX' && String(this.transport.getHost()).includes(path);
              this.transport.startTLS(isServer ? SERVER : { ...TRUST, servername: 'localhost' });
              this.transport.write('x'.repeat(300_000));
              this.transport.loseConnection();
            }
          }
          const accepted: Starter[] = [];
          const factory = new (class extends Factory {
            override buildProtocol(): Starter {
              const protocol = new Starter();
              accepted.push(protocol);
              return protocol;
            }
          })();
          await new UNIXServerEndpoint(reactor, path).listen(factory);
          const client = await new UNIXClientEndpoint(reactor, path).connect(Factory.forProtocol(Recorder));
          client.transport.startTLS({ ...TRUST, servername: 'localhost' });
          await until(() => client.events.includes('lost'));
          const text = client.events.slice(2, -1).join('');
          expect(text).to.have.lengthOf(300_000);
          expect(accepted).to.have.lengthOf(1);
        } finally {
          rmSync(folder, { recursive: true });
        }
      });

      describe('a UNIX socket whose peer says farewell and closes altogether', function () {
        let folder: string;
        let plain: Socket;
        let socket: TLSSocket;
        let accepted: Recorder | undefined;

        before(function () {
          if (process.platform === 'win32') this.skip();
        });

        beforeEach(() => {
          folder = mkdtempSync(join(tmpdir(), 'ropewalk-'));
          accepted = undefined;
        });

        afterEach(() => {
          plain.destroy();
          rmSync(folder, { recursive: true });
        });

        /** Serves one connection, and makes it. */
        const meet = async (build: () => Recorder): Promise<void> => {
          const path = join(folder, 's');
          const factory = new (class extends Factory {
            override buildProtocol(): Recorder {
              accepted = build();
              return accepted;
            }
          })();
          await wrapServerTLS(SERVER, new UNIXServerEndpoint(run(tls()), path)).listen(factory);
          plain = connectPlain(path);
          socket = connectRaw(0, { socket: plain, servername: 'localhost' });
          await once(socket, 'secureConnect');
          await until(() => accepted?.events.includes('completed') === true);
        };

        const farewell = async (): Promise<void> => {
          socket.end('hello');
          await once(socket, 'finish');
          plain.destroy();
          await once(plain, 'close');
        };

        it('is lost in order', async () => {
          await meet(() => new Recorder());
          await farewell();
          await until(() => accepted?.reason !== undefined);
          expect(accepted?.events.slice(2)).to.deep.equal(['hello', 'lost']);
          expect(accepted?.reason).to.be.instanceOf(ConnectionDone);
        });

        it('is lost in order when it is then closed from here', async () => {
          class Closer extends Recorder {
            override handshakeCompleted(): void {
              super.handshakeCompleted();
              this.transport.pauseProducing();
            }
            override dataReceived(data: Buffer): void {
              super.dataReceived(data);
              this.transport.loseConnection();
            }
          }
          await meet(() => new Closer());
          await farewell();
          accepted?.transport.resumeProducing();
          await until(() => accepted?.reason !== undefined);
          expect(accepted?.events.slice(2)).to.deep.equal(['hello', 'lost']);
          expect(accepted?.reason).to.be.instanceOf(ConnectionDone);
        });

        it('is lost in disorder if something could not be sent', async () => {
          await meet(() => new Recorder());
          accepted?.transport.pauseProducing();
          await farewell();
          accepted?.transport.write('are you there?');
          await until(() => accepted?.reason !== undefined);
          expect(accepted?.reason).to.be.instanceOf(ConnectionLost);
        });
      });
    });
  }

  it('hooks run in the context of listenTLS and connectTLS, with captureContext', async () => {
    const storage = new AsyncLocalStorage<string>();
    const log: string[] = [];
    const say = (what: string): void => {
      log.push(`${what}: ${String(storage.getStore())}`);
    };
    const reactor = createReactor({ captureContext: true, logger });
    reactors.push(reactor);
    storage.run('outside', () => void reactor.run({ installSignalHandlers: false }));
    class Speaker extends Protocol {
      readonly who: string;
      constructor(who: string) {
        super();
        this.who = who;
      }
      override connectionMade(): void {
        say(`${this.who} made`);
      }
      handshakeCompleted(): void {
        say(`${this.who} completed`);
        this.transport.write('x');
      }
      override dataReceived(): void {
        say(`${this.who} data`);
        this.transport.loseConnection();
      }
      override connectionLost(): void {
        say(`${this.who} lost`);
      }
    }
    const built = (who: string): ClientFactory =>
      Object.assign(new ClientFactory(), { buildProtocol: () => new Speaker(who) });
    const port = storage.run('listening', () =>
      reactor.listenTLS(
        0,
        built('server'),
        () => {
          say('options asked for');
          return SERVER;
        },
        { interface: '127.0.0.1' },
      ),
    );
    const number = await bound(port);
    storage.run('connecting', () => {
      reactor.connectTLS('127.0.0.1', number, built('client'), TRUST);
    });
    await until(() => log.filter((line) => line.includes('lost')).length === 2);
    const [first, ...rest] = log;
    expect(first).to.equal('options asked for: listening');
    expect(rest.filter((line) => line.startsWith('server')).every((line) => line.endsWith(': listening'))).to.be.true;
    expect(rest.filter((line) => line.startsWith('client')).every((line) => line.endsWith(': connecting'))).to.be.true;
    expect(rest.filter((line) => line.startsWith('options'))).to.deep.equal(['options asked for: listening']);
  });

  /** Whether the host's OpenSSL speaks TLS 1.1 with itself. */
  async function speaksOldTLS(): Promise<boolean> {
    const port = await serveRaw({ ...SERVER, ...OLD }, (socket) => socket.end());
    const socket = connectRaw(port, OLD);
    return new Promise((resolve) => {
      socket.once('secureConnect', () => {
        resolve(true);
      });
      socket.once('close', () => {
        resolve(false);
      });
    });
  }
});
