import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { type Address, IPv4Address, IPv6Address } from 'ropewalk/core';
import type { DialOptions, Peer, PeerServer, ServeOptions } from '../harness.ts';

const NO_BYTES = Buffer.alloc(0);

/** A raw socket. */
export class NodePeer implements Peer {
  readonly #socket: Socket;
  readonly #allowHalfOpen: boolean;
  readonly #host: Address;
  readonly #peer: Address;
  #chunks: Buffer[] = [];
  #ended = false;
  #closed = false;
  #reset: boolean;

  /** The socket is connected, allows half-open connections, and has been paused if it is not to read. */
  constructor(socket: Socket, options: { readonly allowHalfOpen?: boolean; readonly reading?: boolean }) {
    this.#socket = socket;
    this.#allowHalfOpen = options.allowHalfOpen ?? false;
    this.#reset = socket.errored !== null;
    this.#host = addressOf(socket.localFamily, socket.localAddress, socket.localPort);
    this.#peer = addressOf(socket.remoteFamily, socket.remoteAddress, socket.remotePort);
    socket.on('end', () => {
      this.#endRead();
    });
    socket.on('error', () => {
      this.#reset = true;
    });
    socket.on('close', () => {
      this.#closed = true;
    });
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    if (options.reading !== false) socket.resume();
  }

  get received(): Buffer {
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  text(): string {
    return this.received.toString('utf8');
  }

  clear(): void {
    this.#chunks = [];
  }

  send(data: Uint8Array | string): void {
    if (this.#socket.writable) this.#socket.write(data);
  }

  end(): void {
    this.#socket.end();
  }

  abort(): void {
    this.#socket.resetAndDestroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  get ended(): boolean {
    return this.#ended;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get reset(): boolean {
    return this.#reset;
  }

  getHost(): Address {
    return this.#host;
  }

  getPeer(): Address {
    return this.#peer;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** When data and a reset come out of one poll, libuv reports a clean end; a write of no bytes tells them apart. */
  #endRead(): void {
    const { writable } = this.#socket;
    if (!writable) {
      this.#ended = true;
      return;
    }
    this.#socket.write(NO_BYTES, (error) => {
      if (error instanceof Error) return;
      this.#ended = true;
      if (!this.#allowHalfOpen) this.#socket.end();
    });
  }
}

/**
 * Resolves when the system has the connection; rejects with the system's error. A connection that was reset before Node
 * looked was there all the same: Node calls that a failure to connect.
 */
export function dialNode(port: number, options: DialOptions): Promise<NodePeer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: options.host ?? '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
    if (options.reading === false) socket.pause();
    const failed = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'ECONNRESET') resolve(new NodePeer(socket, options));
      else reject(error);
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      resolve(new NodePeer(socket, options));
    });
  });
}

/** A raw server on a free port of 127.0.0.1. */
export class NodePeerServer implements PeerServer {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly #server: Server;
  readonly #peers: readonly NodePeer[];
  readonly #until: (condition: () => boolean, what: string) => Promise<void>;
  #acceptedCount = 0;

  private constructor(
    server: Server,
    peers: readonly NodePeer[],
    until: (condition: () => boolean, what: string) => Promise<void>,
  ) {
    this.#server = server;
    this.#peers = peers;
    this.#until = until;
    this.port = (server.address() as AddressInfo).port; // a server on a TCP port has such an address
  }

  static async listen(
    options: ServeOptions,
    until: (condition: () => boolean, what: string) => Promise<void>,
  ): Promise<NodePeerServer> {
    const peers: NodePeer[] = [];
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
      peers.push(new NodePeer(socket, options));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port: 0 }, resolve);
    });
    const created = new NodePeerServer(server, peers, until);
    if (options.answer === 'refuse') await created.stop();
    return created;
  }

  get peers(): readonly NodePeer[] {
    return this.#peers;
  }

  async accept(): Promise<Peer> {
    const index = this.#acceptedCount;
    this.#acceptedCount += 1;
    await this.#until(() => this.peers.length > index, 'somebody has connected to the server');
    return this.peers[index]!;
  }

  /** Listens no more; peers live on, so it cannot wait for the server's own 'close'. */
  stop(): Promise<void> {
    this.#server.close();
    return Promise.resolve();
  }
}

function addressOf(family: string | undefined, host: string | undefined, port: number | undefined): Address {
  const AddressClass = family === 'IPv6' ? IPv6Address : IPv4Address;
  return new AddressClass('TCP', host ?? '', port ?? 0);
}
