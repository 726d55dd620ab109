import { requireMethods, requireOptions } from '../../arguments.ts';
import type { ProtocolFactory } from '../../interfaces/protocol.ts';
import type { ReactorStreams } from '../../interfaces/reactor-streams.ts';
import { type WebStreamAddresses, WebStreamHandle, type WebStreamPair } from './web-stream-handle.ts';

/** The options of `adoptWebStreams`: what `getHost` and `getPeer` return, by default a `UNIXAddress` without a name. */
export type AdoptWebStreamsOptions = WebStreamAddresses;

/**
 * Runs a protocol on a pair of Web Streams of bytes: a socket of Deno or of a worker, the two ends of `TransformStream`s. They become
 * the transport of a connection with all the laws of one: `factory.buildProtocol` is called in the next turn of the running
 * reactor, and the factory counts as in use until the connection is lost. From this call on both streams are locked.
 *
 * Closing the connection closes `writable` and then cancels `readable`; aborting aborts and cancels them. So does closing, if
 * `writable` has not taken all by the time that the reactor's own sockets linger (`lingerSeconds` of `createReactor`, 2 by
 * default). A stream that fails loses the connection with `ConnectionLost`, whose cause is the stream's error. Throws `TypeError` if one of the streams is locked already.
 */
export function adoptWebStreams(
  reactor: ReactorStreams,
  streams: WebStreamPair,
  factory: ProtocolFactory,
  options: AdoptWebStreamsOptions = {},
): void {
  requireOptions('options', options, ['hostAddress', 'peerAddress']);
  requireMethods('streams.readable', streams.readable, ['getReader']);
  requireMethods('streams.writable', streams.writable, ['getWriter']);
  requireMethods('factory', factory, ['doStart', 'doStop', 'buildProtocol']);
  reactor.adoptStreamHandle(new WebStreamHandle(streams, options, reactor.lingering), factory);
}
