import type { Address, Reactor, TLSOptions } from 'ropewalk/core';
import type { Harness, Peer } from '../harness.ts';
import type { RecordingFactory } from './recording-factory.ts';
import type { Hooks, RecordingProtocol } from './recording-protocol.ts';
import { CERTIFICATES, connectTLS, listenTLS, secureFactory, startLoggingReactor, TRUST } from './tls.ts';

/** What passes through a relay, by who said it. */
export type Speaker = 'client' | 'server';

/** Changes what passes; undefined stops that direction for good. */
export type Filter = (speaker: Speaker, data: Buffer) => Buffer | undefined;

/**
 * Stands between a client and a server, and passes on what they say, byte by byte as it is on the wire: so that a case can
 * look at it, change it, cut it off.
 */
export class Relay {
  /** Where the client is to connect. */
  readonly destination: Address;
  /** Everything that has passed, as it came. */
  readonly heard: Record<Speaker, Buffer> = { client: Buffer.alloc(0), server: Buffer.alloc(0) };
  filter: Filter = (_speaker, data) => data;
  readonly #harness: Harness;
  readonly #accept: () => Promise<readonly [client: Peer, server: Peer]>;
  #ends: readonly [client: Peer, server: Peer] | undefined;
  #hasEnded: Record<Speaker, boolean> = { client: false, server: false };

  private constructor(
    harness: Harness,
    destination: Address,
    accept: () => Promise<readonly [client: Peer, server: Peer]>,
  ) {
    this.#harness = harness;
    this.destination = destination;
    this.#accept = accept;
  }

  static async to(harness: Harness, server: Address): Promise<Relay> {
    const entrance = await harness.serve({ allowHalfOpen: true });
    return new Relay(harness, entrance.destination, async () => {
      const near = await entrance.accept();
      return [near, await harness.dial(server, { allowHalfOpen: true })];
    });
  }

  /** Waits for the client, and connects to the server. */
  async accept(): Promise<void> {
    this.#ends = await this.#accept();
  }

  /** The relay's own ends: of the connection with the client, and of that with the server. */
  get ends(): readonly [client: Peer, server: Peer] {
    if (this.#ends === undefined) throw new Error('nobody has been accepted yet');
    return this.#ends;
  }

  /** As `Harness.until`, while what is said passes. */
  async until(condition: () => boolean, what?: string): Promise<void> {
    await this.#harness.until(() => {
      this.pump();
      return condition();
    }, what);
  }

  /** Passes on what has been said. */
  pump(): void {
    if (this.#ends === undefined) return;
    const [client, server] = this.#ends;
    this.#pass('client', client, server);
    this.#pass('server', server, client);
  }

  #pass(speaker: Speaker, from: Peer, to: Peer): void {
    const data = from.received;
    if (data.length > 0) {
      from.clear();
      this.heard[speaker] = Buffer.concat([this.heard[speaker], data]);
      const passed = this.filter(speaker, data);
      if (passed !== undefined && passed.length > 0) to.send(passed);
    }
    if (from.ended && !this.#hasEnded[speaker]) {
      this.#hasEnded[speaker] = true;
      to.end();
    }
  }
}

/** A connection that goes through a relay. */
export interface Relayed {
  readonly reactor: Reactor;
  readonly relay: Relay;
  readonly server: RecordingProtocol;
  readonly client: RecordingProtocol;
}

/** Both ends of an encrypted one, after their handshake. */
export async function joinByRelay(
  h: Harness,
  hooks: { readonly server?: Hooks; readonly client?: Hooks } = {},
  tls: TLSOptions = {},
): Promise<Relayed> {
  const { reactor } = startLoggingReactor(h);
  const serverFactory = secureFactory(hooks.server);
  const { destination } = await listenTLS(h, reactor, serverFactory, { ...CERTIFICATES.server, ...tls });
  const relay = await Relay.to(h, destination);
  const clientFactory = secureFactory(hooks.client);
  // Its own options, so that there is no session to resume.
  connectTLS(reactor, relay.destination, clientFactory, { ...TRUST, ...tls });
  return { reactor, relay, ...(await throughRelay(relay, serverFactory, clientFactory)) };
}

/** Waits until a connection through a relay has been secured. */
export async function throughRelay(
  relay: Relay,
  serverFactory: RecordingFactory,
  clientFactory: RecordingFactory,
): Promise<Pick<Relayed, 'server' | 'client'>> {
  await relay.accept();
  const isSecure = ({ protocols: [protocol] }: RecordingFactory): boolean =>
    protocol?.calls.includes('handshakeCompleted') === true;
  await relay.until(() => isSecure(serverFactory) && isSecure(clientFactory), 'both are connected');
  const [server] = serverFactory.protocols;
  const [client] = clientFactory.protocols;
  // The tickets of the server, too.
  server!.transport.write('.');
  await relay.until(() => client!.text === '.', 'the first byte has come');
  client!.chunks.length = 0;
  return { server: server!, client: client! };
}

/** Lets nothing more pass, and has the relay end both connections, in order or not. */
export async function cut(h: Harness, { relay }: Relayed, way: 'end' | 'abort'): Promise<void> {
  relay.filter = () => undefined;
  const [client, server] = relay.ends;
  client[way]();
  server[way]();
  await h.advance(0);
}
