import { requireDelay } from '../arguments.ts';
import type { ClientProtocolFactory, ProtocolFactory } from '../interfaces/protocol.ts';
import type { ConnectTLSOptions, ListenTLSOptions, TLSSource } from '../interfaces/reactor.ts';
import type { TLSOptions } from '../interfaces/tls-engine.ts';
import { portLimits } from './connection-limits.ts';
import { requireClientFactory, requireFactory } from './factory-arguments.ts';
import { Port } from './port.ts';
import type { ReactorParts } from './reactor-parts.ts';
import { StreamConnector } from './stream-connector.ts';
import { connectTarget, listenTarget } from './tcp.ts';
import { clientParameters, DEFAULT_HANDSHAKE_TIMEOUT_SECONDS, serverParametersFrom } from './tls-parameters.ts';

/** Checks the arguments of `listenTLS` and makes the port. */
export function listenTLS(
  parts: ReactorParts,
  port: number,
  factory: ProtocolFactory,
  tls: TLSSource,
  options: ListenTLSOptions,
): Port {
  const { handshakeTimeout = DEFAULT_HANDSHAKE_TIMEOUT_SECONDS, ...tcpOptions } = options;
  requireFactory(factory);
  requireDelay('handshakeTimeout', handshakeTimeout);
  const listeningPort = new Port(parts, listenTarget(port, tcpOptions), factory, portLimits(tcpOptions), {
    parameters: serverParametersFrom(parts, tls),
    handshakeTimeoutSeconds: handshakeTimeout,
  });
  listeningPort.startListening();
  return listeningPort;
}

/** Checks the arguments of `connectTLS` and makes the connector. */
export function connectTLS(
  parts: ReactorParts,
  host: string,
  port: number,
  factory: ClientProtocolFactory,
  tls: TLSOptions,
  options: ConnectTLSOptions,
): StreamConnector {
  requireClientFactory(factory);
  const target = connectTarget(host, port, options);
  const connector = new StreamConnector(parts, { ...target, tls: clientParameters(parts, tls, host) }, factory);
  connector.connect();
  return connector;
}
