import type { Deferred } from '../deferred/deferred.ts';
import type { ListeningPort } from './listening-port.ts';
import type { ProtocolFactory, ProtocolFactoryOf, StreamProtocol } from './protocol.ts';

/** How to give up on `listen` or `connect` from outside: aborting does what `cancel` on the `Deferred` does. */
export interface EndpointOptions {
  /**
   * Aborting it makes the operation fail with the error of a cancelled one, whose `cause` is the signal's reason. A
   * signal that is aborted already gives the operation up inside the call. Once the operation is over, nothing listens
   * to the signal any more.
   */
  readonly signal?: AbortSignal;
}

/** A place to listen, whatever the transport. Source: Twisted's `IStreamServerEndpoint`. */
export interface StreamServerEndpoint {
  /**
   * Begins to listen, again with each call. Fires with the port once it is bound, without a running reactor; fails
   * with `CannotListenError`. Cancelled before that, it fails with `CancelledError` at once and the port is stopped. Arguments
   * that cannot be right throw `TypeError` or `RangeError` here and are never delivered.
   */
  listen(factory: ProtocolFactory, options?: EndpointOptions): Deferred<ListeningPort>;
}

/** A place to connect to, whatever the transport. Source: Twisted's `IStreamClientEndpoint`. */
export interface StreamClientEndpoint {
  /**
   * Makes one connection, a new one with each call. Fires with the protocol that the factory built, after its
   * `connectionMade` has returned. Fails, with the factory counted out by `doStop`,
   *
   * - with the reason of the failed attempt (a `ConnectError`) if no connection came about;
   * - with `NoProtocol` if `buildProtocol` returned null, and with its own error if it threw; the connection is closed;
   * - with the error that `connectionMade` threw, which is reported and loses the connection as any hook's does;
   * - with `ConnectingCancelledError` when it is cancelled: at once, and the attempt stops. A connection that has come about
   *   by then, because `buildProtocol` or `connectionMade` is running, is closed.
   *
   * The connector's hooks of a client factory (`startedConnecting`, `clientConnectionFailed`, `clientConnectionLost`)
   * are not called. Arguments that cannot be right throw `TypeError` or `RangeError` here and are never delivered.
   */
  connect<P extends StreamProtocol>(factory: ProtocolFactoryOf<P>, options?: EndpointOptions): Deferred<P>;
}
