import { requireMethods } from '../arguments.ts';
import type { Deferred } from '../deferred/deferred.ts';
import type { EndpointOptions, StreamClientEndpoint } from '../interfaces/endpoint.ts';
import type { ProtocolFactoryOf, StreamProtocol } from '../interfaces/protocol.ts';

/**
 * Connects one protocol that exists already, for clients that need no factory; the protocol's `factory` is left as it is.
 * Fires and fails as `endpoint.connect` does; throws `TypeError` for what is no protocol. Source: Twisted's `internet.endpoints.connectProtocol`.
 */
export function connectProtocol<P extends StreamProtocol>(
  endpoint: StreamClientEndpoint,
  protocol: P,
  options: EndpointOptions = {},
): Deferred<P> {
  requireMethods('protocol', protocol, ['makeConnection', 'dataReceived', 'connectionLost']);
  const factory: ProtocolFactoryOf<P> = {
    buildProtocol: () => protocol,
    doStart() {},
    doStop() {},
  };
  return endpoint.connect(factory, options);
}
