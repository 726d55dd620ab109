import type { Duplex } from 'node:stream';
import type { Lingering } from '../interfaces/stream-platform.ts';
import { DEFAULT_LINGER_BYTES, DEFAULT_LINGER_SECONDS } from '../stream-defaults.ts';
import type { ByteSource } from './byte-source.ts';

/** Node takes a longer time for none at all. These are 24 days. */
const TIMEOUT_MILLISECONDS_MAX = 2 ** 31 - 1;

/** By Node's timers, which do not keep the process alive. */
export class NodeLingering implements Lingering {
  readonly seconds: number;
  readonly bytes: number;

  constructor(seconds: number = DEFAULT_LINGER_SECONDS, bytes: number = DEFAULT_LINGER_BYTES) {
    this.seconds = seconds;
    this.bytes = bytes;
  }

  begin(giveUp: () => void): Disposable {
    const timer = setTimeout(giveUp, Math.min(this.seconds * 1000, TIMEOUT_MILLISECONDS_MAX));
    timer.unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  }
}

/** For a handle that sees to its end in another way, and so is never asked. */
export const NO_LINGERING: Lingering = new NodeLingering(0, 0);

/**
 * Sends a FIN and discards what arrives until the peer's FIN, for a bounded time and amount; then destroys the socket.
 *
 * If a socket is closed with unread input, the system sends a reset, and that makes the peer's system throw away what it
 * has received but its program has not read: the end of a reply that was sent in full (RFC 1122, section 4.2.2.13).
 * The socket keeps its listener for 'error'. Neither it nor the timer keeps the process alive.
 */
export function linger(socket: Duplex, source: Pick<ByteSource, 'discard'>, lingering: Lingering): void {
  const deadline = lingering.begin(() => socket.destroy());
  socket.once('close', () => deadline[Symbol.dispose]());
  let bytesLeft = lingering.bytes;
  source.discard((count) => {
    bytesLeft -= count;
    if (bytesLeft < 0) socket.destroy();
  });
  // Once both FINs have passed, Node destroys the socket by itself.
  if (!socket.writableEnded) socket.end();
  socket.resume();
}
