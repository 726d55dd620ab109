import { requireIntegerFrom } from '../arguments.ts';
import type { ConnectionOptions, ListenOptions } from '../interfaces/reactor.ts';
import { DEFAULT_HIGH_WATER_MARK_BYTES, DEFAULT_WRITE_BUFFER_LIMIT_BYTES } from '../stream-defaults.ts';

/** How much may wait to be sent on one connection, in bytes. */
export type ConnectionLimits = Required<ConnectionOptions>;

/** What bounds a port and its connections. */
export interface PortLimits {
  readonly connections: ConnectionLimits;
  readonly maxConnections: number;
}

/** The options, for `requireOptions`. */
export const CONNECTION_OPTIONS: readonly (keyof ConnectionOptions)[] = ['highWaterMark', 'writeBufferLimit'];

/** The options of all ports but `backlog`, for the same. */
export const PORT_OPTIONS: readonly (keyof ListenOptions)[] = ['maxConnections', ...CONNECTION_OPTIONS];

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  highWaterMark: DEFAULT_HIGH_WATER_MARK_BYTES,
  writeBufferLimit: DEFAULT_WRITE_BUFFER_LIMIT_BYTES,
};

/** Checks the options and puts the defaults in. */
export function connectionLimits(options: ConnectionOptions): ConnectionLimits {
  const { highWaterMark = DEFAULT_CONNECTION_LIMITS.highWaterMark } = options;
  // A limit that is not asked for does not get in the way of a higher mark.
  const { writeBufferLimit = Math.max(DEFAULT_CONNECTION_LIMITS.writeBufferLimit, highWaterMark) } = options;
  requireIntegerFrom('highWaterMark', highWaterMark, 1);
  requireIntegerFrom('writeBufferLimit', writeBufferLimit, 1);
  if (writeBufferLimit < highWaterMark) {
    throw new RangeError(
      `writeBufferLimit must be at least highWaterMark, ${String(highWaterMark)}; got ${String(writeBufferLimit)}`,
    );
  }
  return { highWaterMark, writeBufferLimit };
}

/** Checks the options and puts the defaults in. */
export function portLimits(options: ListenOptions): PortLimits {
  const { maxConnections = Infinity } = options;
  if (maxConnections !== Infinity) requireIntegerFrom('maxConnections', maxConnections, 1);
  return { connections: connectionLimits(options), maxConnections };
}
