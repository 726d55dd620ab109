import { once } from 'node:events';
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { type Address, IPv4Address, IPv6Address, UNIXAddress } from 'ropewalk/core';
import type { DialOptions, Peer } from '../harness.ts';
import type { RawServer, Until } from './node-kind.ts';

const NO_BYTES = Buffer.alloc(0);

/** What a peer is made of. */
export interface PeerParts {
  /** What it reads and writes, with half-open connections allowed. */
  readonly socket: Socket;
  /** The connected socket of the system; `socket` itself, unless that is spoken over it. */
  readonly raw: Socket;
  /** Its own address. */
  readonly host: Address;
  /** The address of the reactor's end. */
  readonly peer: Address;
  /** Closes the writing half of `socket`. */
  readonly end: () => void;
  /** Resets the connection, or what comes nearest. */
  readonly abort: () => void;
}

/** A raw socket. */
export class NodePeer implements Peer {
  readonly #parts: PeerParts;
  readonly #allowHalfOpen: boolean;
  #chunks: Buffer[] = [];
  #ended = false;
  #closed = false;
  #isAborted = false;
  #reset: boolean;

  constructor(parts: PeerParts, options: { readonly allowHalfOpen?: boolean; readonly reading?: boolean }) {
    const { socket, raw } = parts;
    this.#parts = parts;
    this.#allowHalfOpen = options.allowHalfOpen ?? false;
    this.#reset = socket.errored !== null;
    socket.on('end', () => {
      this.#endRead();
    });
    for (const either of new Set([socket, raw])) {
      either.on('error', () => {
        if (!this.#isAborted) this.#reset = true;
      });
      // Node does not tell of the close of every socket that speaks TLS in TLS.
      either.on('close', () => {
        this.#closed ||= socket.destroyed;
      });
    }
    if (options.reading === false) socket.pause();
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
    const { socket } = this.#parts;
    if (socket.writable) socket.write(data);
  }

  end(): void {
    this.#parts.end();
  }

  abort(): void {
    this.#isAborted = true;
    this.#parts.abort();
  }

  pause(): void {
    this.#parts.socket.pause();
  }

  resume(): void {
    this.#parts.socket.resume();
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
    return this.#parts.host;
  }

  getPeer(): Address {
    return this.#parts.peer;
  }

  destroy(): void {
    this.#parts.socket.destroy();
  }

  /** When data and a reset come out of one poll, libuv reports a clean end; a write of no bytes tells them apart. */
  #endRead(): void {
    const { socket, raw, end } = this.#parts;
    if (!socket.writable) {
      this.#ended = true;
      return;
    }
    raw.write(NO_BYTES, (error) => {
      if (error instanceof Error) return;
      this.#ended = true;
      if (!this.#allowHalfOpen) end();
    });
  }
}

/**
 * Resolves with a socket when the system has the connection; rejects with the system's error. A connection that was
 * reset before Node looked was there all the same: Node calls that a failure to connect.
 */
export function connectRaw(where: NetConnectOpts, options: DialOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...where, allowHalfOpen: true, noDelay: true });
    if (options.reading === false) socket.pause();
    const failed = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'ECONNRESET') resolve(socket);
      else reject(error);
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      resolve(socket);
    });
  });
}

/** A raw server. */
export class NodePeerServer implements RawServer {
  readonly destination: Address;
  readonly #server: Server;
  readonly #peers: NodePeer[] = [];
  readonly #until: Until;
  #acceptedCount = 0;

  private constructor(server: Server, toPeer: (socket: Socket) => NodePeer, until: Until) {
    this.#server = server;
    this.#until = until;
    this.destination = addressOfServer(server);
    server.on('connection', (socket) => {
      this.#peers.push(toPeer(socket));
    });
  }

  /** Listens; each connection becomes a peer by `toPeer`. */
  static async listen(
    where: { readonly host: string; readonly port: number } | { readonly path: string },
    toPeer: (socket: Socket) => NodePeer,
    until: Until,
  ): Promise<NodePeerServer> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    server.listen(where);
    await once(server, 'listening');
    return new NodePeerServer(server, toPeer, until);
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

/** For a peer that is the socket of the system itself. */
export function rawParts(socket: Socket): Pick<PeerParts, 'socket' | 'raw' | 'end'> {
  const end = (): void => {
    socket.end();
  };
  return { socket, raw: socket, end };
}

/** The addresses of the two ends of a TCP socket. */
export function tcpAddresses(socket: Socket): Pick<PeerParts, 'host' | 'peer'> {
  return {
    host: addressOf(socket.localFamily, socket.localAddress, socket.localPort),
    peer: addressOf(socket.remoteFamily, socket.remoteAddress, socket.remotePort),
  };
}

function addressOfServer(server: Server): Address {
  const address = server.address();
  if (address === null) throw new Error('the server does not listen');
  return typeof address === 'string'
    ? new UNIXAddress(address)
    : addressOf(address.family, address.address, address.port);
}

function addressOf(family: string | undefined, host: string | undefined, port: number | undefined): Address {
  const AddressClass = family === 'IPv6' ? IPv6Address : IPv4Address;
  return new AddressClass('TCP', host ?? '', port ?? 0);
}
