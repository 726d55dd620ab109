import type { Address } from 'ropewalk/core';
import type { ListenTarget, StreamHandle } from '../../../src/interfaces/stream-platform.ts';
import type { VirtualListener } from '../../../src/simulation/virtual-listener.ts';
import type { VirtualStreamOptions, VirtualStreams } from '../../../src/simulation/virtual-streams.ts';
import type { Peer, PeerServer } from '../harness.ts';
import type { WorldPeer } from './virtual-kind.ts';

/** Listens on the virtual network itself; each connection becomes a peer by `toPeer`. */
export class VirtualPeerServer implements PeerServer {
  readonly destination: Address;
  readonly #listener: VirtualListener;
  readonly #peers: WorldPeer[] = [];
  readonly #until: (condition: () => boolean, what: string) => Promise<void>;
  #acceptedCount = 0;

  constructor(
    streams: VirtualStreams,
    target: ListenTarget,
    options: VirtualStreamOptions,
    toPeer: (handle: StreamHandle) => WorldPeer,
    until: (condition: () => boolean, what: string) => Promise<void>,
  ) {
    this.#until = until;
    const accepted = (handle: StreamHandle): void => {
      this.#peers.push(toPeer(handle));
    };
    const ignore = (): void => undefined;
    this.#listener = streams.listen(
      target,
      { accepted, listening: ignore, listenFailed: ignore, acceptFailed: ignore, closed: ignore },
      options,
    );
    const { address } = this.#listener;
    if (address === undefined) throw new Error('A server cannot listen', { cause: this.#listener.error });
    this.destination = address;
  }

  get peers(): readonly WorldPeer[] {
    return this.#peers;
  }

  async accept(): Promise<Peer> {
    const index = this.#acceptedCount;
    this.#acceptedCount += 1;
    await this.#until(() => this.peers.length > index, 'somebody has connected to the server');
    return this.peers[index]!;
  }

  stop(): Promise<void> {
    this.#listener.close();
    return Promise.resolve();
  }
}
