/** How the suites of UNIX sockets come by connections: a reactor connected with itself, for peers speak TCP. */
import type { Context } from 'mocha';
import type { Connector, Factory, ListeningPort, Reactor } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { nthProtocol, settled, skipUnless, startReactor } from './connections.ts';
import { RecordingFactory } from './recording-factory.ts';
import { HalfCloseRecordingProtocol, type Hooks, RecordingProtocol } from './recording-protocol.ts';

/** Both ends of one connection over a UNIX socket. */
export interface JoinedUNIX {
  readonly reactor: Reactor;
  readonly path: string;
  readonly port: ListeningPort;
  readonly server: RecordingProtocol;
  readonly serverFactory: RecordingFactory;
  readonly client: RecordingProtocol;
  readonly clientFactory: RecordingFactory;
  readonly connector: Connector;
}

/** What the ends do; with `halfClose` both opt in to half-closed connections. */
export interface JoinUNIXOptions {
  readonly server?: Hooks;
  readonly client?: Hooks;
  readonly halfClose?: boolean;
}

/** A running reactor; skips the case where there are no UNIX sockets. */
export function startUNIX(context: Context, harness: Harness): Reactor {
  skipUnless(context, harness, 'unix-sockets');
  return startReactor(harness);
}

export async function listenUNIX(
  harness: Harness,
  reactor: Reactor,
  path: string,
  factory: Factory,
): Promise<ListeningPort> {
  return settled(harness, reactor.listenUNIX(path, factory).whenListening(), `${path} is bound`);
}

/** Connects a reactor with itself, and waits until both ends have been connected. */
export async function joinUNIX(context: Context, harness: Harness, options: JoinUNIXOptions = {}): Promise<JoinedUNIX> {
  const { server: serverHooks = {}, client: clientHooks = {}, halfClose = false } = options;
  const ProtocolClass = halfClose ? HalfCloseRecordingProtocol : RecordingProtocol;
  const reactor = startUNIX(context, harness);
  const path = harness.socketPath('joined');
  const serverFactory = new RecordingFactory({ buildProtocol: () => new ProtocolClass(serverHooks) });
  const port = await listenUNIX(harness, reactor, path, serverFactory);
  const clientFactory = new RecordingFactory({ buildProtocol: () => new ProtocolClass(clientHooks) });
  const connector = reactor.connectUNIX(path, clientFactory);
  const client = await nthProtocol(harness, clientFactory, 0);
  const server = await nthProtocol(harness, serverFactory, 0);
  return { reactor, path, port, server, serverFactory, client, clientFactory, connector };
}
