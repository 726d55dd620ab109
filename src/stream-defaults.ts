/** What streams and ports take for what they are not told, for every layer that has such an option. */

/** How many connections may wait to be accepted; Twisted's default. */
export const DEFAULT_BACKLOG = 50;

/** How long an attempt to connect may take; Twisted's default. */
export const DEFAULT_CONNECT_TIMEOUT_SECONDS = 30;

/**
 * How much is kept in one direction before the other side is slowed down, as in Twisted: enough to keep a fast link busy
 * for a turn, small beside the system's own buffers.
 */
export const DEFAULT_HIGH_WATER_MARK_BYTES = 65_536;

/**
 * How much may wait to be sent. What has no flow control must not eat the memory of the process; what sends a large file
 * in one write may.
 */
export const DEFAULT_WRITE_BUFFER_LIMIT_BYTES = 134_217_728;

/** How long a stream that was given up lingers. A peer answers a FIN within a round trip or two, unless it has nothing to say or has gone. */
export const DEFAULT_LINGER_SECONDS = 2;

/** How much it discards meanwhile, so that a peer which goes on sending does not keep the connection for nothing. */
export const DEFAULT_LINGER_BYTES = 1_048_576;
