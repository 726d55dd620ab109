import type { ProtocolFactory } from './protocol.ts';
import type { Lingering, StreamHandle } from './stream-platform.ts';

/**
 * The part of a reactor that serves streams which neither a port nor a connector has made. It is what `adoptDuplex` and
 * `adoptWebStreams` stand on, and anybody else who has something that moves bytes.
 */
export interface ReactorStreams {
  /** How a handle that was closed comes to its end here, with the limits of the platform's own: for whoever makes handles. */
  readonly lingering: Lingering;

  /**
   * Runs a protocol on a connected stream, as on a connection that a port has accepted: `buildProtocol` is called with
   * `handle.remoteAddress`, in the next turn of the running reactor. The handle is the reactor's from this call on. The factory counts
   * as in use (`doStart`, `doStop`) until the connection is lost. Throws `TypeError` for what is no handle or no factory.
   */
  adoptStreamHandle(handle: StreamHandle, factory: ProtocolFactory): void;
}
