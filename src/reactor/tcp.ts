import type { ConnectTCPOptions, ListenTCPOptions } from '../interfaces/reactor.ts';
import type { ClientProtocolFactory, ProtocolFactory } from '../interfaces/protocol.ts';
import { requireDelay, requireIntegerFrom, requireMethods, requirePort, requireString } from '../arguments.ts';
import type { ConnectTarget } from './connect-attempt.ts';
import { addressOf } from '../ip-literal.ts';
import { Port } from './port.ts';
import type { ReactorParts } from './reactor-parts.ts';
import { TCPConnector } from './tcp-connector.ts';

/** Twisted's defaults. */
const DEFAULT_BACKLOG = 50;
const DEFAULT_CONNECT_TIMEOUT_SECONDS = 30;

const FACTORY_METHODS = ['doStart', 'doStop', 'buildProtocol'];
const CLIENT_FACTORY_METHODS = [
  ...FACTORY_METHODS,
  'startedConnecting',
  'clientConnectionFailed',
  'clientConnectionLost',
];

/** Checks the arguments of `listenTCP` and makes the port. */
export function listenTCP(
  parts: ReactorParts,
  port: number,
  factory: ProtocolFactory,
  options: ListenTCPOptions,
): Port {
  const { backlog = DEFAULT_BACKLOG, interface: interfaceName = '' } = options;
  requirePort('port', port, 0);
  requireMethods('factory', factory, FACTORY_METHODS);
  requireIntegerFrom('backlog', backlog, 1);
  requireString('interface', interfaceName);
  const host = interfaceName === '' ? '0.0.0.0' : interfaceName;
  const listeningPort = new Port(parts, { kind: 'tcp', host, port, backlog }, factory);
  listeningPort.startListening();
  return listeningPort;
}

/** Checks the arguments of `connectTCP` and makes the connector. */
export function connectTCP(
  parts: ReactorParts,
  host: string,
  port: number,
  factory: ClientProtocolFactory,
  options: ConnectTCPOptions,
): TCPConnector {
  const { timeout = DEFAULT_CONNECT_TIMEOUT_SECONDS, bindAddress } = options;
  requireString('host', host);
  if (host === '') throw new RangeError('host must not be empty');
  requirePort('port', port, 1);
  requireMethods('factory', factory, CLIENT_FACTORY_METHODS);
  requireDelay('timeout', timeout);
  const target: ConnectTarget = {
    destination: addressOf('TCP', host, port),
    timeoutSeconds: timeout,
    local: localAddress(bindAddress),
  };
  const connector = new TCPConnector(parts, target, factory);
  connector.connect();
  return connector;
}

function localAddress(bindAddress: ConnectTCPOptions['bindAddress']): ConnectTarget['local'] {
  if (bindAddress === undefined) return undefined;
  const [host, port] = typeof bindAddress === 'string' ? [bindAddress, 0] : bindAddress;
  requireString('bindAddress', host);
  requirePort('bindAddress', port, 0);
  return { host, port };
}
