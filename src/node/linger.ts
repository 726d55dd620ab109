import type { Duplex } from 'node:stream';
import type { ByteSource } from './byte-source.ts';

/**
 * How long a connection that was given up still takes what its peer sends, in seconds, by default. A peer answers a
 * FIN within a round trip or two, unless it has nothing to say or has gone.
 */
export const LINGER_SECONDS = 2;

/** How much of it is taken, so that a peer which goes on sending does not keep the connection for nothing. */
export const LINGER_BYTES: number = 1024 * 1024;

/**
 * Sends a FIN and discards what arrives until the peer's FIN, for a bounded time and amount; then destroys the socket.
 *
 * If a socket is closed with unread input, the system sends a reset, and that makes the peer's system throw away what it
 * has received but its program has not read: the end of a reply that was sent in full (RFC 1122, section 4.2.2.13).
 * The socket keeps its listener for 'error'. Neither it nor the timer keeps the process alive.
 */
export function linger(socket: Duplex, source: Pick<ByteSource, 'discard'>, seconds: number): void {
  const timer = setTimeout(() => socket.destroy(), seconds * 1000);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  let bytesLeft = LINGER_BYTES;
  source.discard((bytes) => {
    bytesLeft -= bytes;
    if (bytesLeft < 0) socket.destroy();
  });
  // Once both FINs have passed, Node destroys the socket by itself.
  if (!socket.writableEnded) socket.end();
  socket.resume();
}
