import type { ProtocolFactoryOf } from '../../interfaces/protocol.ts';
import type { ReactorTime } from '../../interfaces/time.ts';
import type { DuplexOptions } from './duplex-options.ts';
import { DuplexProtocol } from './duplex-protocol.ts';

/**
 * A factory for a port: each connection is a `DuplexProtocol`, given to `connected` when it has a transport. A server of
 * `node:http` is `duplexFactory(reactor, (duplex) => server.emit('connection', duplex), { allowHalfOpen: true })`. What
 * `connected` throws is an error of the hook: it is reported and costs that connection.
 */
export function duplexFactory(
  clock: ReactorTime,
  connected: (duplex: DuplexProtocol) => void,
  options: DuplexOptions = {},
): ProtocolFactoryOf<DuplexProtocol> {
  return {
    buildProtocol: () => {
      const duplex = new DuplexProtocol(clock, options);
      duplex.once('connect', () => connected(duplex));
      return duplex;
    },
    doStart() {},
    doStop() {},
  };
}
