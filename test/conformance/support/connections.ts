/** How the suites come by connections, and wait for them. */
import { expect } from 'chai';
import type { Context } from 'mocha';
import {
  type Address,
  type Connector,
  type Deferred,
  Echo,
  Factory,
  type ListeningPort,
  type ProtocolFactory,
  type Reactor,
} from 'ropewalk/core';
import type { ConnectOptions, DialOptions, Feature, Harness, ListenOptions, Peer } from '../harness.ts';
import { RecordingFactory } from './recording-factory.ts';
import { HalfCloseRecordingProtocol, type Hooks, RecordingProtocol } from './recording-protocol.ts';

/** Skips the case where the flavour lacks something, saying so. */
export function skipUnless(context: Context, harness: Harness, feature: Feature): void {
  if (harness.features.has(feature)) return;
  const { test } = context;
  if (test !== undefined) test.title += ` (skipped: no ${feature} with ${harness.name})`;
  context.skip();
}

export function startReactor(harness: Harness): Reactor {
  const reactor = harness.createReactor();
  void reactor.run({ installSignalHandlers: false });
  return reactor;
}

/** Waits for a Deferred while the world goes on, and returns or throws its result. */
export async function settled<T>(harness: Harness, deferred: Deferred<T>, what: string): Promise<T> {
  const outcome: { result?: { readonly value: T } | { readonly error: Error } } = {};
  deferred.addCallbacks(
    (value) => {
      outcome.result = { value };
    },
    (failure) => {
      outcome.result = { error: failure.value };
    },
  );
  await harness.until(() => outcome.result !== undefined, what);
  const { result } = outcome;
  if (result === undefined) throw new Error(`nothing came of this: ${what}`);
  if ('error' in result) throw result.error;
  return result.value;
}

/** A port that listens, and where. */
export interface Listening {
  readonly listeningPort: ListeningPort;
  readonly destination: Address;
}

/** Listens, and waits until that has come about. */
export async function listen(
  harness: Harness,
  reactor: Reactor,
  factory: ProtocolFactory,
  options: ListenOptions = {},
): Promise<Listening> {
  const listeningPort = harness.listen(reactor, factory, options);
  await settled(harness, listeningPort.whenListening(), 'the port is bound');
  return { listeningPort, destination: listeningPort.getHost() };
}

/** A connection that the reactor has accepted, and the peer that made it. */
export interface Served extends Listening {
  readonly reactor: Reactor;
  readonly factory: RecordingFactory;
  readonly protocol: RecordingProtocol;
  readonly peer: Peer;
}

/** A running reactor with one connection, whose `connectionMade` has been called. */
export async function serve(harness: Harness, hooks: Hooks = {}, options: DialOptions = {}): Promise<Served> {
  return serveProtocol(harness, () => new RecordingProtocol(hooks), options);
}

/** The same with a protocol that opts in to half-closed connections. */
export async function serveHalfClose(harness: Harness, hooks: Hooks = {}, options: DialOptions = {}): Promise<Served> {
  return serveProtocol(harness, () => new HalfCloseRecordingProtocol(hooks), options);
}

async function serveProtocol(
  harness: Harness,
  buildProtocol: () => RecordingProtocol,
  options: DialOptions,
): Promise<Served> {
  const reactor = startReactor(harness);
  const factory = new RecordingFactory({ buildProtocol });
  const listening = await listen(harness, reactor, factory);
  const peer = await harness.dial(listening.destination, options);
  const protocol = await nthProtocol(harness, factory, 0);
  return { ...listening, reactor, factory, protocol, peer };
}

/** Waits until a factory has built so many and one more, and it has been connected. */
export async function nthProtocol(
  harness: Harness,
  factory: RecordingFactory,
  index: number,
): Promise<RecordingProtocol> {
  await harness.until(
    () => (factory.protocols[index]?.calls.length ?? 0) > 0,
    `connection ${index} has been made; the factory saw: ${factory.calls.join(' ')}`,
  );
  const protocol = factory.protocols[index];
  if (protocol === undefined) throw new Error('it was there a moment ago');
  return protocol;
}

/** Both ends of one connection on one reactor. */
export interface Joined {
  readonly reactor: Reactor;
  readonly server: RecordingProtocol;
  readonly client: RecordingProtocol;
  readonly clientFactory: RecordingFactory;
  readonly connector: Connector;
}

/** A reactor connected to itself. */
export async function join(
  harness: Harness,
  hooks: { readonly server?: Hooks; readonly client?: Hooks } = {},
  options: ConnectOptions = {},
): Promise<Joined> {
  const reactor = startReactor(harness);
  const serverFactory = RecordingFactory.withProtocol(hooks.server ?? {});
  const { destination } = await listen(harness, reactor, serverFactory);
  const clientFactory = RecordingFactory.withProtocol(hooks.client ?? {});
  const connector = harness.connect(reactor, destination, clientFactory, options);
  const client = await nthProtocol(harness, clientFactory, 0);
  const server = await nthProtocol(harness, serverFactory, 0);
  return { reactor, server, client, clientFactory, connector };
}

export async function untilLost(harness: Harness, protocol: RecordingProtocol): Promise<void> {
  await harness.until(() => protocol.isLost, `the connection is lost; hooks called: ${protocol.calls.join(' ')}`);
}

/**
 * Lets everything arrive that has been sent: another connection is made, written to and answered meanwhile. For cases
 * that assert that something does not happen.
 */
export async function roundTrip(harness: Harness, reactor: Reactor): Promise<void> {
  const { listeningPort, destination } = await listen(harness, reactor, Factory.forProtocol(Echo));
  const peer = await harness.dial(destination);
  for (const expected of [1, 2]) {
    peer.send('.');
    await harness.until(() => peer.received.length === expected, 'an echo');
  }
  peer.end();
  await harness.until(() => peer.closed, 'the echo is gone');
  await settled(harness, listeningPort.stopListening(), 'the port of the echo is closed');
}

/** The peer has been reset; where there are no resets, all there is to see is that it has closed. */
export function expectReset(harness: Harness, peer: Peer): void {
  expect(peer.closed).to.be.true;
  if (harness.features.has('resets')) expect(peer.reset).to.be.true;
}

/** Takes out the errors reported so far. */
export function takeErrors(harness: Harness): readonly Error[] {
  return harness.errors.splice(0).map((failure) => failure.value);
}

/** After so many bytes a pattern begins again. */
const PATTERN_PERIOD_BYTES = 65_536;

/** Bytes that differ from one offset to the next, so that reordering and loss show. */
export function pattern(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let value = seed;
  for (let index = 0; index < Math.min(length, PATTERN_PERIOD_BYTES); index += 1) {
    // A linear congruence: enough not to repeat within a chunk.
    value = (value * 75 + 74) % (PATTERN_PERIOD_BYTES + 1);
    bytes[index] = value;
  }
  for (let done = PATTERN_PERIOD_BYTES; done < length; done *= 2) bytes.copyWithin(done, 0, done);
  return bytes;
}

/** The numbers of bytes most cases need. */
export const KIBIBYTE = 1024;
export const MEBIBYTE: number = 1024 * KIBIBYTE;
