import type { ConnectTCPOptions, ListenTCPOptions } from '../interfaces/reactor.ts';
import type { IPFamily } from '../interfaces/resolver.ts';
import type { ClientProtocolFactory, ProtocolFactory } from '../interfaces/protocol.ts';
import {
  describe,
  requireBoolean,
  requireDelay,
  requireIntegerFrom,
  requireOptions,
  requirePort,
  requireString,
} from '../arguments.ts';
import type { ListenTarget } from '../interfaces/stream-platform.ts';
import { CONNECTION_OPTIONS, connectionLimits, PORT_OPTIONS, portLimits } from './connection-limits.ts';
import type { ConnectTarget } from './connect-attempt.ts';
import { requireClientFactory, requireFactory } from './factory-arguments.ts';
import { addressOf, parseIPLiteral } from '../ip-literal.ts';
import { Port } from './port.ts';
import type { ReactorParts } from './reactor-parts.ts';
import { StreamConnector } from './stream-connector.ts';
import { DEFAULT_BACKLOG, DEFAULT_CONNECT_TIMEOUT_SECONDS } from '../stream-defaults.ts';

/** Both, in the order in which their addresses are tried. */
const FAMILIES: readonly IPFamily[] = ['IPv4', 'IPv6'];

/** Checks the arguments of `listenTCP` and makes the port. */
export function listenTCP(
  parts: ReactorParts,
  port: number,
  factory: ProtocolFactory,
  options: ListenTCPOptions,
): Port {
  requireFactory(factory);
  const listeningPort = new Port(parts, listenTarget(port, options), factory, portLimits(options));
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
): StreamConnector {
  requireClientFactory(factory);
  const connector = new StreamConnector(parts, connectTarget(host, port, options), factory);
  connector.connect();
  return connector;
}

/** Where `listenTCP` is to listen, checked. */
export function listenTarget(port: number, options: ListenTCPOptions): ListenTarget {
  requireOptions('options', options, ['backlog', 'interface', 'reusePort', 'exclusive', ...PORT_OPTIONS]);
  const { backlog = DEFAULT_BACKLOG, interface: interfaceName = '', reusePort = false, exclusive = false } = options;
  requirePort('port', port, 0);
  requireIntegerFrom('backlog', backlog, 1);
  requireBoolean('reusePort', reusePort);
  requireBoolean('exclusive', exclusive);
  return { kind: 'tcp', host: hostToBind(interfaceName), port, backlog, reusePort, exclusive };
}

/** Where `connectTCP` is to connect to, checked. */
export function connectTarget(host: string, port: number, options: ConnectTCPOptions): ConnectTarget {
  requireOptions('options', options, ['timeout', 'bindAddress', 'families', ...CONNECTION_OPTIONS]);
  const { timeout = DEFAULT_CONNECT_TIMEOUT_SECONDS, bindAddress, families = FAMILIES } = options;
  requireHost(host);
  requirePort('port', port, 1);
  requireDelay('timeout', timeout);
  requireFamilies(families);
  return {
    destination: addressOf('TCP', host, port),
    timeoutSeconds: timeout,
    families,
    local: localAddress(bindAddress),
    limits: connectionLimits(options),
  };
}

function requireFamilies(families: readonly IPFamily[]): void {
  const given: unknown = families;
  const isList = Array.isArray(given) && given.length > 0;
  if (!isList || !given.every((family) => FAMILIES.some((known) => known === family))) {
    throw new TypeError(`families must be a list of 'IPv4' and 'IPv6'; got ${describe(families)}`);
  }
}

/** An address or a name; a URL, or a port behind the name, would end in a puzzling DNS error. */
function requireHost(host: string): void {
  requireString('host', host);
  if (host === '') throw new RangeError('host must not be empty');
  const isName = !/[\s/:]/.test(host);
  if (!isName && parseIPLiteral(host) === undefined) {
    throw new RangeError(`host must be an IP address or a name, with neither scheme nor port; got '${host}'`);
  }
}

/** The address literal to bind for an interface. */
export function hostToBind(interfaceName: string): string {
  requireString('interface', interfaceName);
  if (interfaceName === '') return '0.0.0.0';
  if (interfaceName === 'localhost') return '127.0.0.1';
  if (parseIPLiteral(interfaceName) === undefined) {
    throw new RangeError(`interface must be an IP address of this host, or '' for all; got '${interfaceName}'`);
  }
  return interfaceName;
}

function localAddress(bindAddress: ConnectTCPOptions['bindAddress']): ConnectTarget['local'] {
  if (bindAddress === undefined) return undefined;
  const isPair = Array.isArray(bindAddress) && bindAddress.length === 2;
  if (typeof bindAddress !== 'string' && !isPair) {
    throw new TypeError(`bindAddress must be a host, or a host and a port; got ${describe(bindAddress)}`);
  }
  const [host, port] = typeof bindAddress === 'string' ? [bindAddress, 0] : bindAddress;
  requireString('bindAddress', host);
  requirePort('bindAddress', port, 0);
  return { host, port };
}
