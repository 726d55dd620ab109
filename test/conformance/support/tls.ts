/** How the suites about TLS come by encrypted connections. */
import type {
  Address,
  Connector,
  ConnectTLSOptions,
  ListenTLSOptions,
  Logger,
  Reactor,
  StartTLSOptions,
  TLSOptions,
  TLSSource,
} from 'ropewalk/core';
import { testCertificates, type TestCertificates } from '../../support/certificates.ts';
import type { Harness } from '../harness.ts';
import { hostAndPort } from '../harness/reactor-calls.ts';
import { type Listening, nthProtocol, settled } from './connections.ts';
import { RecordingFactory } from './recording-factory.ts';
import { type Hooks, type RecordingProtocol, SecureRecordingProtocol } from './recording-protocol.ts';

/** Those of this test run. */
export const CERTIFICATES: TestCertificates = await testCertificates();

/** What a client needs to trust the servers of the tests. */
export const TRUST: TLSOptions = { ca: CERTIFICATES.ca };

/** The hooks of a connection that is made, used and closed. */
export const MADE = ['connectionMade', 'handshakeCompleted'] as const;

/** What is logged at once. */
interface LogEntry {
  readonly fields: object;
  readonly message: string;
}

/** Keeps what is logged, as lines. */
export class LogOfWarnings implements Logger {
  readonly warnings: LogEntry[] = [];
  readonly details: LogEntry[] = [];

  debug(fields: object, message: string): void {
    this.details.push({ fields, message });
  }

  info(): void {}
  error(): void {}
  warn(fields: object, message: string): void {
    this.warnings.push({ fields, message });
  }

  /** The errors that were warned of. */
  get errors(): Error[] {
    return this.warnings.map(({ fields }) =>
      'err' in fields && fields.err instanceof Error ? fields.err : new Error(),
    );
  }
}

/** A running reactor that keeps warnings in a log, and errors where the harness has them. */
export function startLoggingReactor(harness: Harness): { readonly reactor: Reactor; readonly log: LogOfWarnings } {
  const log = new LogOfWarnings();
  const reactor = harness.createReactor({ logger: log, errorReporter: (failure) => harness.errors.push(failure) });
  void reactor.run({ installSignalHandlers: false });
  return { reactor, log };
}

/** A factory whose protocols are told of handshakes. */
export function secureFactory(hooks: Hooks = {}): RecordingFactory {
  return new RecordingFactory({ buildProtocol: () => new SecureRecordingProtocol(hooks) });
}

/** Listens for TLS, and waits until that has come about. */
export async function listenTLS(
  harness: Harness,
  reactor: Reactor,
  factory: RecordingFactory,
  tls: TLSSource = CERTIFICATES.server,
  options: ListenTLSOptions = {},
): Promise<Listening> {
  const listeningPort = reactor.listenTLS(0, factory, tls, { interface: '127.0.0.1', ...options });
  await settled(harness, listeningPort.whenListening(), 'the port is bound');
  return { listeningPort, destination: listeningPort.getHost() };
}

/** Connects by TLS to where somebody listens, as `host` if that is given. */
export function connectTLS(
  reactor: Reactor,
  destination: Address,
  factory: RecordingFactory,
  tls: TLSOptions = TRUST,
  { host, ...options }: ConnectTLSOptions & { readonly host?: string } = {},
): Connector {
  const address = hostAndPort(destination);
  return reactor.connectTLS(host ?? address.host, address.port, factory, tls, options);
}

/** How the two ends of an encrypted connection are to be. */
export interface JoinOptions {
  readonly server?: TLSSource;
  readonly client?: TLSOptions;
  readonly serverHooks?: Hooks;
  readonly clientHooks?: Hooks;
  readonly host?: string;
}

/** Both ends of one encrypted connection on one reactor. */
export interface Joined extends Listening {
  readonly reactor: Reactor;
  readonly log: LogOfWarnings;
  readonly server: RecordingProtocol;
  readonly client: RecordingProtocol;
  readonly serverFactory: RecordingFactory;
  readonly clientFactory: RecordingFactory;
  readonly connector: Connector;
}

/** A reactor connected to itself by `listenTLS` and `connectTLS`. */
export async function joinTLS(harness: Harness, options: JoinOptions = {}): Promise<Joined> {
  const { server: serverTLS, client: clientTLS, serverHooks, clientHooks, host } = options;
  const { reactor, log } = startLoggingReactor(harness);
  const serverFactory = secureFactory(serverHooks);
  const listening = await listenTLS(harness, reactor, serverFactory, serverTLS);
  const clientFactory = secureFactory(clientHooks);
  const connector = connectTLS(reactor, listening.destination, clientFactory, clientTLS, { ...(host && { host }) });
  const client = await nthProtocol(harness, clientFactory, 0);
  const server = await nthProtocol(harness, serverFactory, 0);
  return { ...listening, reactor, log, server, client, serverFactory, clientFactory, connector };
}

/** Both ends of one connection by TCP, with what their protocols do; neither has called `startTLS`. */
export async function joinTCP(
  harness: Harness,
  hooks: { readonly server?: Hooks; readonly client?: Hooks } = {},
): Promise<Joined> {
  const { reactor, log } = startLoggingReactor(harness);
  const serverFactory = secureFactory(hooks.server);
  const listeningPort = reactor.listenTCP(0, serverFactory, { interface: '127.0.0.1' });
  await settled(harness, listeningPort.whenListening(), 'the port is bound');
  const destination = listeningPort.getHost();
  const clientFactory = secureFactory(hooks.client);
  const { host, port } = hostAndPort(destination);
  const connector = reactor.connectTCP(host, port, clientFactory);
  const client = await nthProtocol(harness, clientFactory, 0);
  const server = await nthProtocol(harness, serverFactory, 0);
  return { reactor, log, listeningPort, destination, server, client, serverFactory, clientFactory, connector };
}

/** Starts TLS at both ends. */
export function startBoth({ server, client }: Pick<Joined, 'server' | 'client'>, options: StartTLSOptions = {}): void {
  server.transport.startTLS(CERTIFICATES.server, options);
  client.transport.startTLS(TRUST, options);
}

/** Waits until both ends have been told of a handshake. */
export async function untilSecure(
  harness: Harness,
  { server, client }: Pick<Joined, 'server' | 'client'>,
): Promise<void> {
  await harness.until(
    () => [server, client].every(({ calls }) => calls.includes('handshakeCompleted')),
    `both handshakes are over; the server was told ${server.calls.join(' ')}, the client ${client.calls.join(' ')}`,
  );
}

/** The error, which has to be of this class. */
export function errorOf<E extends Error>(type: abstract new (...args: never[]) => E, error: unknown): E {
  if (error instanceof type) return error;
  throw new Error(`expected a ${type.name}, got ${String(error)}`, { cause: error });
}
