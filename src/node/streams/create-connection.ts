import type { StreamClientEndpoint } from '../../interfaces/endpoint.ts';
import type { ReactorTime } from '../../interfaces/time.ts';
import type { DuplexOptions } from './duplex-options.ts';
import { DuplexProtocol } from './duplex-protocol.ts';

/**
 * `net.createConnection` for any endpoint: begins to connect and returns the stream at once, for agents and clients that want
 * it so. It emits 'connect' when there is a connection, or 'error' with what the endpoint failed with, never before the event loop has gone round; destroying it before
 * that gives the attempt up. `clock` is the reactor.
 */
export function createConnection(
  clock: ReactorTime,
  endpoint: StreamClientEndpoint,
  options: DuplexOptions = {},
): DuplexProtocol {
  const duplex = new DuplexProtocol(clock, options);
  const connecting = endpoint.connect({ buildProtocol: () => duplex, doStart() {}, doStop() {} });
  duplex.once('close', () => connecting.cancel());
  let hasReturned = false;
  connecting.addErrback(({ value }) => {
    // Nobody listens for errors yet.
    if (hasReturned) duplex.destroy(value);
    else setImmediate(() => duplex.destroy(value));
  });
  hasReturned = true;
  return duplex;
}
