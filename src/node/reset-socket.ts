import type { Socket } from 'node:net';

/**
 * Destroys a TCP socket with a reset. `writer` is what is written to: the socket itself, or the one for TLS above it.
 */
export function resetSocket(tcp: Socket, writer: Socket = tcp): void {
  if (!writer.writableEnded || writer.writableFinished) {
    tcp.resetAndDestroy();
  } else if (writer.writableLength > 0) {
    // A FIN waits behind data that the peer does not take, for who knows how long.
    tcp.destroy();
  } else {
    // A FIN is on its way to the system and will be there in the next pass of the loop. libuv refuses to reset a
    // socket in between, and Node would then lose the handle without closing it.
    writer.once('finish', () => tcp.resetAndDestroy());
  }
}
