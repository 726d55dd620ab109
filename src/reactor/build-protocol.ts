import type { Address } from '../addresses.ts';
import { requireMethods } from '../arguments.ts';
import type { Failure } from '../deferred/failure.ts';
import type { ProtocolFactory, StreamProtocol } from '../interfaces/protocol.ts';
import { timed } from './hook-watch.ts';
import type { ReactorParts } from './reactor-parts.ts';

const PROTOCOL_METHODS = ['makeConnection', 'dataReceived', 'connectionLost'];

/**
 * Asks a factory for a protocol: null if it wants none, and a failure, which has been reported, if it threw or built
 * something that is no protocol.
 */
export function buildProtocol(
  parts: ReactorParts,
  factory: ProtocolFactory,
  address: Address,
): StreamProtocol | Failure | null {
  try {
    const protocol = timed(parts.hookWatch, 'buildProtocol', factory, () => factory.buildProtocol(address));
    if (protocol !== null) requireMethods('what buildProtocol returns', protocol, PROTOCOL_METHODS);
    return protocol;
  } catch (error) {
    return parts.errors.report(error, 'An error in buildProtocol');
  }
}
