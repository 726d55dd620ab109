/** Protocols where consumers are wanted, and the reverse. Twisted: the adapters of `internet.protocol`. */
import { Buffer } from 'node:buffer';
import { requireMethods } from '../../arguments.ts';
import { Deferred } from '../../deferred/deferred.ts';
import type { Failure } from '../../deferred/failure.ts';
import { isPromiseLike } from '../../deferred/is-promise-like.ts';
import { UnsupportedError } from '../../errors.ts';
import type { Consumer } from '../../interfaces/producer.ts';
import type { StreamProtocol } from '../../interfaces/protocol.ts';

/**
 * A consumer that gives what is written to it to `protocol.dataReceived`. It always has room, so a push producer is never
 * paused; a pull producer needs somebody to ask it, and is refused with `UnsupportedError`: wrap it in `PullToPush`.
 * What the protocol throws leaves `write`. Source: Twisted's `ProtocolToConsumerAdapter`.
 */
export function protocolToConsumer(protocol: Pick<StreamProtocol, 'dataReceived'>): Consumer {
  requireMethods('protocol', protocol, ['dataReceived']);
  return {
    write(data) {
      // A copy: the receiver may keep what it is given, and so may the producer.
      const result: unknown = protocol.dataReceived(typeof data === 'string' ? Buffer.from(data) : Buffer.from(data));
      // A rejection of an async hook that nobody handles is reported.
      if (isPromiseLike(result)) Deferred.fromPromise(result);
      return true;
    },
    registerProducer(_producer: unknown, streaming: boolean) {
      if (!streaming) throw new UnsupportedError('A protocol does not ask for data: wrap the producer in PullToPush');
    },
    unregisterProducer() {},
  };
}

/**
 * A protocol that writes what it receives to `consumer`. Its transport is registered with the consumer as a push producer, so a
 * slow consumer slows the peer down, and one that is gone closes the connection; it is unregistered when the connection is
 * lost, and `connectionLost` called. Source: Twisted's `ConsumerToProtocolAdapter`, which registers nothing.
 */
export function consumerToProtocol(
  consumer: Consumer,
  connectionLost: (reason: Failure) => void = () => undefined,
): StreamProtocol {
  requireMethods('consumer', consumer, ['registerProducer', 'unregisterProducer', 'write']);
  return {
    makeConnection(transport) {
      consumer.registerProducer(transport, true);
    },
    dataReceived(data) {
      consumer.write(data);
    },
    connectionLost(reason) {
      consumer.unregisterProducer();
      connectionLost(reason);
    },
  };
}
