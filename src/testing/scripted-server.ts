import type { Address } from '../addresses.ts';
import { CannotListenError, NotListeningError } from '../errors.ts';
import type { ConnectAnswer, VirtualListener } from '../simulation/virtual-listener.ts';
import type { VirtualStreams } from '../simulation/virtual-streams.ts';
import type { StreamConnectListener, StreamTarget } from '../interfaces/stream-platform.ts';
import type { PeerTLS } from './secured-connect.ts';
import { DEFAULT_PEER_WINDOW_BYTES, type PeerWorld, ScriptedPeer, type ScriptedPeerOptions } from './scripted-peer.ts';

/** How a scripted server behaves; what is said of peers holds for those it accepts. */
export interface ScriptedServerOptions extends ScriptedPeerOptions {
  /** Whether it accepts connections, refuses them, or never answers. */
  readonly answer?: 'accept' | 'refuse' | 'ignore';
}

/** A server played by a test: each connection made to it is a `ScriptedPeer`. Made by `TestReactor.serve`. */
export class ScriptedServer {
  readonly #listener: VirtualListener;
  readonly #peers: ScriptedPeer[] = [];
  #acceptedCount = 0;

  /** @internal Throws `CannotListenError` if the port or the path is taken. With `tls` its peers are connected after a handshake. */
  constructor(
    world: PeerWorld,
    streams: VirtualStreams,
    target: StreamTarget,
    options: ScriptedServerOptions = {},
    tls?: PeerTLS,
  ) {
    const { answer = 'accept', ...peerOptions } = options;
    requireAnswer(answer);
    this.#listener = streams.listen(
      { ...target, backlog: 1 },
      {
        accepted: (handle) => {
          const accept = (listener: StreamConnectListener): undefined => {
            listener.connected(handle);
          };
          this.#peers.push(new ScriptedPeer(world, peerOptions, accept, tls));
        },
        listening: () => undefined,
        listenFailed: () => undefined,
        acceptFailed: () => undefined,
        closed: () => undefined,
      },
      { answer, windowBytes: peerOptions.window ?? DEFAULT_PEER_WINDOW_BYTES },
    );
    const { error } = this.#listener;
    if (error === undefined) return;
    if (target.kind === 'unix') throw new CannotListenError('', target.path, error);
    throw new CannotListenError(target.host, target.port, error);
  }

  /** Every connection that was made to it, in order. */
  get peers(): readonly ScriptedPeer[] {
    return this.#peers;
  }

  /** The next connection that has not been taken yet, oldest first. Throws an `Error` if there is none. */
  accept(): ScriptedPeer {
    const peer = this.#peers[this.#acceptedCount];
    if (peer === undefined) {
      throw new Error(
        `nobody has connected to ${String(this.#listener.address)} whom accept() has not returned yet; ` +
          'connections are made during advance()',
      );
    }
    this.#acceptedCount += 1;
    return peer;
  }

  /** Where it listens, with the real port when port 0 was asked for. Throws `NotListeningError` once stopped. */
  getHost(): Address {
    const { address } = this.#listener;
    if (address === undefined) throw new NotListeningError('The scripted server has stopped');
    return address;
  }

  /** Listens no more; its peers live on. */
  stop(): void {
    this.#listener.close();
  }
}

function requireAnswer(answer: ConnectAnswer): void {
  switch (answer) {
    case 'accept':
    case 'refuse':
    case 'ignore':
      return;
    default:
      throw new RangeError(`answer must be 'accept', 'refuse' or 'ignore'; got ${String(answer)}`);
  }
}
