import type { Socket } from 'node:net';
import { connect, createSecureContext, TLSSocket } from 'node:tls';
import { nodeTLS } from 'ropewalk';
import type { TestCertificates } from '../../support/certificates.ts';
import type { ServeOptions } from '../harness.ts';
import type { NodeKind } from './node-kind.ts';
import { connectRaw, NodePeer, NodePeerServer, tcpAddresses } from './node-peers.ts';
import { hostAndPort } from './reactor-calls.ts';
import { tlsCalls } from './tls-calls.ts';

/**
 * TLS over TCP, by Node's fast path on sockets. A peer is there as soon as TCP has connected it, and what it sends waits
 * for the handshake. It is reset below TLS, without a farewell. A server that ignores accepts, and never answers the
 * handshake.
 */
export function nodeTLSOnSockets(certificates: TestCertificates): NodeKind {
  const { ca, server } = certificates;
  const clientContext = createSecureContext({ ca });
  const serverContext = createSecureContext(server);
  const asClient = (raw: Socket): Socket => connect({ socket: raw, secureContext: clientContext, host: 'localhost' });
  const asServer = (raw: Socket): Socket => new TLSSocket(raw, { isServer: true, secureContext: serverContext });
  return {
    ...tlsCalls(certificates),
    name: 'TLS on Node',
    features: ['resets', 'unanswered-connects'],
    manyCount: 100,
    // One for all cases, for it keeps what it has made of the certificates.
    platformOptions: { tls: nodeTLS() },
    dial: async (destination, options) => {
      const raw = await connectRaw(hostAndPort(destination), options);
      return peerOver(raw, raw.destroyed ? raw : asClient(raw), options);
    },
    serve: async (place, options, until) => {
      const toPeer = (raw: Socket): NodePeer =>
        peerOver(raw, options.answer === 'ignore' ? raw : asServer(raw), options);
      const peers = await NodePeerServer.listen(hostAndPort(place), toPeer, until);
      if (options.answer === 'refuse') await peers.stop();
      return peers;
    },
  };
}

/** The same with reactors that speak TLS through a Duplex, as they do over every stream that is no socket. */
export function nodeTLSOverDuplex(certificates: TestCertificates): NodeKind {
  return {
    ...nodeTLSOnSockets(certificates),
    name: 'TLS over a Duplex on Node',
    platformOptions: { tls: nodeTLS({ detectTruncation: true }) },
  };
}

/** A peer that speaks through `socket`, which may be `raw` itself. */
function peerOver(raw: Socket, socket: Socket, options: ServeOptions): NodePeer {
  let isSecure = !(socket instanceof TLSSocket);
  socket.once('secure', () => {
    isSecure = true;
  });
  const end = (): void => {
    // A server that ends during the handshake ends it.
    if (isSecure) socket.end();
    else socket.once('secure', () => socket.end());
  };
  const abort = (): void => {
    raw.resetAndDestroy();
  };
  return new NodePeer({ socket, raw, end, abort, ...tcpAddresses(raw) }, options);
}
