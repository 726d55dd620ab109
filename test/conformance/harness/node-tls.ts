import type { Socket } from 'node:net';
import { connect, createSecureContext, TLSSocket } from 'node:tls';
import { nodeTLS } from 'ropewalk';
import { NodePlatform } from '../../../src/node/node-platform.ts';
import { resetSocket } from '../../../src/node/reset-socket.ts';
import type { TestCertificates } from '../../support/certificates.ts';
import type { ServeOptions } from '../harness.ts';
import type { NodeKind } from './node-kind.ts';
import { connectRaw, NodePeer, NodePeerServer, type PeerParts, tcpAddresses } from './node-peers.ts';
import { NODE_UNIX, serveUNIX, UNNAMED } from './node-unix.ts';
import { hostAndPort, pathOf } from './reactor-calls.ts';
import { tlsCalls } from './tls-calls.ts';
import { SecuredStreams } from './tls-secured-streams.ts';

/** Speaks TLS through a socket, which may speak it itself. */
interface PeerTLS {
  asClient(below: Socket): Socket;
  asServer(below: Socket): Socket;
}

/**
 * TLS over TCP, by Node's fast path on sockets. A peer is there as soon as TCP has connected it, and what it sends waits
 * for the handshake. It is reset below TLS, without a farewell. A server that ignores accepts, and never answers the
 * handshake.
 */
export function nodeTLSOnSockets(certificates: TestCertificates): NodeKind {
  return overTCP(certificates, peerTLS(certificates));
}

/** The same with reactors that speak TLS through a Duplex, as they do over every stream that is no socket. */
export function nodeTLSOverDuplex(certificates: TestCertificates): NodeKind {
  return {
    ...nodeTLSOnSockets(certificates),
    name: 'TLS over a Duplex on Node',
    platformOptions: { tls: nodeTLS({ detectTruncation: true }) },
  };
}

/** TLS over streams that are encrypted already. */
export function nodeTLSInTLS(certificates: TestCertificates): NodeKind {
  const tls = nodeTLS();
  const { asClient, asServer } = peerTLS(certificates);
  const twice: PeerTLS = {
    asClient: (below) => asClient(asClient(below)),
    asServer: (below) => asServer(asServer(below)),
  };
  return {
    ...overTCP(certificates, twice),
    name: 'TLS in TLS on Node',
    platformOptions: { tls },
    makeStreams: () => new SecuredStreams(new NodePlatform().streams, tls, certificates),
  };
}

/** TLS below reactors that ask for UNIX sockets; through a Duplex where truncation is to be detected. */
export function nodeTLSOnUNIX(certificates: TestCertificates, detectTruncation: boolean): NodeKind {
  const tls = nodeTLS({ detectTruncation });
  const { asClient, asServer } = peerTLS(certificates);
  const toPeer = (
    raw: Socket,
    socket: Socket,
    ends: Pick<PeerParts, 'host' | 'peer'>,
    options: ServeOptions,
  ): NodePeer => peerOver({ raw, socket, ...ends, abort: () => raw.destroy() }, options);
  return {
    ...NODE_UNIX,
    name: `TLS${detectTruncation ? ' over a Duplex' : ''} on UNIX sockets on Node`,
    manyCount: 100,
    makeStreams: () => new SecuredStreams(new NodePlatform().streams, tls, certificates),
    dial: async (destination, options) => {
      const raw = await connectRaw({ path: pathOf(destination) }, options);
      return toPeer(raw, raw.destroyed ? raw : asClient(raw), { host: UNNAMED, peer: destination }, options);
    },
    serve: (place, options, until) =>
      serveUNIX(
        place,
        (raw) => toPeer(raw, asServer(raw), { host: place, peer: UNNAMED }, options),
        options.answer,
        until,
      ),
  };
}

function peerTLS({ ca, server }: TestCertificates): PeerTLS {
  const clientContext = createSecureContext({ ca });
  const serverContext = createSecureContext(server);
  return {
    asClient: (below) => connect({ socket: below, secureContext: clientContext, host: 'localhost' }),
    asServer: (below) => new TLSSocket(below, { isServer: true, secureContext: serverContext }),
  };
}

function overTCP(certificates: TestCertificates, { asClient, asServer }: PeerTLS): NodeKind {
  const toPeer = (raw: Socket, socket: Socket, options: ServeOptions): NodePeer =>
    peerOver({ raw, socket, ...tcpAddresses(raw), abort: () => resetSocket(raw, socket) }, options);
  return {
    ...tlsCalls(certificates),
    name: 'TLS on Node',
    features: ['resets', 'unanswered-connects'],
    manyCount: 100,
    // One for all cases, for it keeps what it has made of the certificates.
    platformOptions: { tls: nodeTLS() },
    dial: async (destination, options) => {
      const raw = await connectRaw(hostAndPort(destination), options);
      return toPeer(raw, raw.destroyed ? raw : asClient(raw), options);
    },
    serve: async (place, options, until) => {
      const accept = (raw: Socket): NodePeer => toPeer(raw, options.answer === 'ignore' ? raw : asServer(raw), options);
      const peers = await NodePeerServer.listen(hostAndPort(place), accept, until);
      if (options.answer === 'refuse') await peers.stop();
      return peers;
    },
  };
}

/** A peer that speaks through `socket`, which may be `raw` itself. */
function peerOver(parts: Omit<PeerParts, 'end'>, options: ServeOptions): NodePeer {
  const { socket } = parts;
  let isSecure = !(socket instanceof TLSSocket);
  socket.once('secure', () => {
    isSecure = true;
  });
  // Node loses what it has received and not decrypted when a socket ends; a pass of its loop later there is no such thing.
  const endSoon = (): void => void setImmediate(() => socket.end());
  const end = (): void => {
    // A server that ends during the handshake ends it.
    if (isSecure) endSoon();
    else socket.once('secure', endSoon);
  };
  return new NodePeer({ ...parts, end }, options);
}
