import { isAbstractPath, UNIXAddress } from '../addresses.ts';
import { requireBoolean, requireDelay, requireIntegerFrom, requireOptions, requireString } from '../arguments.ts';
import type { ClientProtocolFactory, ProtocolFactory } from '../interfaces/protocol.ts';
import type { ConnectUNIXOptions, ListenUNIXOptions } from '../interfaces/reactor.ts';
import { CONNECTION_OPTIONS, connectionLimits, PORT_OPTIONS, portLimits } from './connection-limits.ts';
import { requireClientFactory, requireFactory } from './factory-arguments.ts';
import { Port } from './port.ts';
import type { ReactorParts } from './reactor-parts.ts';
import { StreamConnector } from './stream-connector.ts';
import { DEFAULT_BACKLOG, DEFAULT_CONNECT_TIMEOUT_SECONDS } from '../stream-defaults.ts';

/** Twisted's default: whoever may reach the path may connect. */
const DEFAULT_MODE = 0o666;
const MODE_MAX = 0o777;

/** Checks the arguments of `listenUNIX` and makes the port. */
export function listenUNIX(
  parts: ReactorParts,
  path: string,
  factory: ProtocolFactory,
  options: ListenUNIXOptions,
): Port {
  requireOptions('options', options, ['mode', 'backlog', 'lockFile', ...PORT_OPTIONS]);
  const { mode = DEFAULT_MODE, backlog = DEFAULT_BACKLOG, lockFile = false } = options;
  requirePath(path);
  requireFactory(factory);
  requireMode(mode);
  requireIntegerFrom('backlog', backlog, 1);
  requireBoolean('lockFile', lockFile);
  if (lockFile && isAbstractPath(path)) {
    throw new RangeError('lockFile needs a path: an abstract name has no file, and the system frees it by itself');
  }
  const port = new Port(parts, { kind: 'unix', path, backlog, mode, lockFile }, factory, portLimits(options));
  port.startListening();
  return port;
}

/** Checks the arguments of `connectUNIX` and makes the connector. */
export function connectUNIX(
  parts: ReactorParts,
  path: string,
  factory: ClientProtocolFactory,
  options: ConnectUNIXOptions,
): StreamConnector {
  requireOptions('options', options, ['timeout', ...CONNECTION_OPTIONS]);
  const { timeout = DEFAULT_CONNECT_TIMEOUT_SECONDS } = options;
  requirePath(path);
  requireClientFactory(factory);
  requireDelay('timeout', timeout);
  const destination = new UNIXAddress(path);
  const target = {
    destination,
    timeoutSeconds: timeout,
    families: [],
    local: undefined,
    limits: connectionLimits(options),
  };
  const connector = new StreamConnector(parts, target, factory);
  connector.connect();
  return connector;
}

/** How long a path may be is for the system to say; but one with a NUL in it would be cut off there. */
function requirePath(path: string): void {
  requireString('path', path);
  const name = isAbstractPath(path) ? path.slice(1) : path;
  if (name === '') throw new RangeError('path must not be empty');
  if (name.includes('\0')) throw new RangeError('path may have a NUL only at its beginning, for an abstract name');
}

function requireMode(mode: number): void {
  requireIntegerFrom('mode', mode, 0);
  if (mode > MODE_MAX) throw new RangeError(`mode must be at most 0o777; got 0o${mode.toString(8)}`);
}
