import type { Duplex } from 'node:stream';
import type { ByteSource } from './byte-source.ts';

/** For how long, and how much, a connection that was given up still takes what its peer sends. */
export interface LingerLimits {
  readonly seconds: number;
  readonly bytes: number;
}

export const DEFAULT_LINGER_LIMITS: LingerLimits = {
  // A peer answers a FIN within a round trip or two, unless it has nothing to say or has gone.
  seconds: 2,
  // So that a peer which goes on sending does not keep the connection for nothing.
  bytes: 1024 * 1024,
};

/**
 * Sends a FIN and discards what arrives until the peer's FIN, for a bounded time and amount; then destroys the socket.
 *
 * If a socket is closed with unread input, the system sends a reset, and that makes the peer's system throw away what it
 * has received but its program has not read: the end of a reply that was sent in full (RFC 1122, section 4.2.2.13).
 * The socket keeps its listener for 'error'. Neither it nor the timer keeps the process alive.
 */
export function linger(socket: Duplex, source: Pick<ByteSource, 'discard'>, { seconds, bytes }: LingerLimits): void {
  const timer = setTimeout(() => socket.destroy(), seconds * 1000);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  let bytesLeft = bytes;
  source.discard((count) => {
    bytesLeft -= count;
    if (bytesLeft < 0) socket.destroy();
  });
  // Once both FINs have passed, Node destroys the socket by itself.
  if (!socket.writableEnded) socket.end();
  socket.resume();
}
