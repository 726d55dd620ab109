import type { TestCertificates } from '../../support/certificates.ts';
import { hostAndPort, type ReactorCalls, TCP_CALLS } from './reactor-calls.ts';

/** TLS over TCP, with the server's certificate verified by the client. */
export function tlsCalls({ server, ca }: Pick<TestCertificates, 'server' | 'ca'>): ReactorCalls {
  // Always the same object, so that it is looked into once.
  const clientOptions = { ca };
  return {
    ...TCP_CALLS,
    listen: (reactor, factory, place, options) => {
      const { host, port } = hostAndPort(place);
      return reactor.listenTLS(port, factory, server, { ...options, interface: host });
    },
    connect: (reactor, destination, factory, options) => {
      const { host, port } = hostAndPort(destination);
      return reactor.connectTLS(host, port, factory, clientOptions, options);
    },
  };
}
