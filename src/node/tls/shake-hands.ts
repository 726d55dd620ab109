/**
 * Node's two ways to a TLS socket over a connected stream.
 *
 * A client is `tls.connect({ socket })`, which verifies the server. A server is a `tls.Server` that is given its connections by
 * emitting 'connection', which Node documents, and which does all that a server does: verification of clients, names,
 * tickets. But the server then tells *itself* how each handshake went, without saying over which stream. So each connection
 * is given to a view of the server that inherits everything from it, and keeps what is emitted on it.
 */
import type { Buffer } from 'node:buffer';
import { X509Certificate } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  checkServerIdentity,
  connect,
  type ConnectionOptions,
  type PeerCertificate,
  type Server,
  type TLSSocket,
} from 'node:tls';
import type { SystemError } from '../../interfaces/platform.ts';
import type { TLSParameters } from '../../interfaces/tls-engine.ts';
import { toSystemError } from '../../system-error.ts';
import type { ClientContext } from './tls-contexts.ts';

/** Is told how the handshake went: one of the two, once. */
export interface HandshakeListener {
  /** The socket is paused, and has no listener for 'error'. `peerCertificate` is in DER. */
  secured(socket: TLSSocket, peerCertificate: Buffer | undefined): void;
  failed(error: SystemError): void;
}

/** Makes the handshake of a client. */
export function shakeHandsAsClient(
  stream: Duplex,
  { options, servername }: TLSParameters,
  { context, sessions }: ClientContext,
  listener: HandshakeListener,
): void {
  const { rejectUnauthorized = true, ALPNProtocols } = options;
  const session = servername === undefined ? undefined : sessions.get(servername);
  const connectOptions: ConnectionOptions = {
    socket: stream,
    secureContext: context,
    rejectUnauthorized,
    ...(servername !== undefined && nameOptions(servername)),
    ...(ALPNProtocols !== undefined && { ALPNProtocols: [...ALPNProtocols] }),
    ...(session !== undefined && { session: session.ticket }),
  };
  const socket = connect(connectOptions);
  socket.pause();
  let certificate: Buffer | undefined;
  const failed = (error: Error): void => {
    if (servername !== undefined) sessions.delete(servername);
    socket.off('close', closed);
    listener.failed(tlsError(error));
  };
  // Node tells of an error first, where it knows of one.
  const closed = (): void => failed(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }));
  socket.once('error', failed);
  socket.once('close', closed);
  // Tickets come when the handshake is over.
  if (servername !== undefined) socket.on('session', (ticket) => sessions.set(servername, { ticket, certificate }));
  socket.once('secureConnect', () => {
    socket.off('error', failed);
    socket.off('close', closed);
    certificate = socket.isSessionReused() ? session?.certificate : certificateOf(socket);
    listener.secured(socket, certificate);
  });
}

/** Makes the handshake of a server. */
export function shakeHandsAsServer(stream: Duplex, server: Server, listener: HandshakeListener): void {
  const emit = (event: string, ...[first, second]: readonly unknown[]): boolean => {
    switch (event) {
      case 'secureConnection': {
        const socket = first as TLSSocket; // as Node documents of the event
        socket.allowHalfOpen = true;
        listener.secured(socket, certificateOf(socket));
        return true;
      }
      case 'tlsClientError':
        // As above. A client that was not authorized is only disconnected; why stands on the socket.
        listener.failed(tlsError(first as Error, (second as TLSSocket | undefined)?.authorizationError));
        return true;
      default:
        return false;
    }
  };
  // Inherits the listeners of the server, and so Node's own for 'connection', which takes `this` for its server.
  const view = Object.create(server, { emit: { value: emit } }) as Server;
  // A client that closes its half during the handshake will not end it. The socket for TLS takes this from the stream.
  Object.assign(stream, { allowHalfOpen: false });
  EventEmitter.prototype.emit.call(view, 'connection', stream);
  Object.assign(stream, { allowHalfOpen: true });
}

/** Not by getPeerX509Certificate(), which on a client takes the certificate away from OpenSSL, so that nobody finds it again. */
function certificateOf(socket: TLSSocket): Buffer | undefined {
  // It is an empty object if there is none.
  const { raw }: Partial<PeerCertificate> = socket.getPeerCertificate();
  return raw;
}

/** The host that the certificate must be for; as SNI it goes to the server only if it is a name (RFC 6066, section 3). */
function nameOptions(host: string): Pick<ConnectionOptions, 'host' | 'servername' | 'checkServerIdentity'> {
  switch (isIP(host)) {
    case 0:
      return { host, servername: host };
    case 4:
      return { host, servername: '' };
    default:
      return { host, servername: '', checkServerIdentity: checkIPv6Identity };
  }
}

/** Node's own check finds no IPv6 address in releases of 2026 (22.23, 24.17, 26.4); OpenSSL's does, and Node's has the error. */
const checkIPv6Identity: typeof checkServerIdentity = (host, certificate) =>
  new X509Certificate(certificate.raw).checkIP(host) === undefined ? checkServerIdentity(host, certificate) : undefined;

/** Node's error as the seam has it, with a message for people where OpenSSL has one besides its own long line. */
function tlsError(error: Error, authorizationError?: unknown): SystemError {
  if (typeof authorizationError === 'string') {
    return Object.assign(new Error(`the client is not authorized (${authorizationError})`, { cause: error }), {
      code: authorizationError,
    });
  }
  const systemError = toSystemError(error);
  if (!('reason' in systemError) || typeof systemError.reason !== 'string') return systemError;
  return Object.assign(new Error(systemError.reason, { cause: error }), { code: systemError.code });
}
