import type { Buffer } from 'node:buffer';
import type { Address } from '../addresses.ts';
import type { Failure } from '../deferred/failure.ts';
import type { Connector } from './connector.ts';
import type { Transport } from './transport.ts';

/**
 * What a hook may return: nothing, or a promise (an `async` hook). Nobody waits for it, but its rejection is treated
 * like an error thrown by the hook.
 */
export type HookResult = void | PromiseLike<void>;

/**
 * The part of a protocol that a connection calls. Hooks are synchronous and serial for one connection:
 * `makeConnection` once and first, `dataReceived` any number of times, `connectionLost` last and once. An error in a
 * hook is reported to the reactor's logger and loses this one connection. Source: Twisted's `IProtocol`.
 */
export interface StreamProtocol {
  /** Hands over the transport; the `Protocol` class then calls `connectionMade` and returns what that returned. */
  makeConnection(transport: Transport): HookResult;
  /**
   * The next bytes of the stream. Chunk boundaries mean nothing: be ready for one byte at a time. The buffer is the
   * receiver's to keep.
   */
  dataReceived(data: Buffer): HookResult;
  /** The connection is over, and this is why. Nothing is delivered afterwards. */
  connectionLost(reason: Failure): HookResult;
}

/**
 * A protocol that lives on after one half of its connection has closed. Having `readConnectionLost` opts in; without
 * it the connection closes when the peer closes its half (what is unsent is flushed first).
 */
export interface HalfCloseableProtocol extends StreamProtocol {
  /** The peer will send no more. Writing goes on until `loseConnection` or `loseWriteConnection`. */
  readConnectionLost(): HookResult;
  /** The writing half has closed, as `loseWriteConnection` asked. Called once. */
  writeConnectionLost(): HookResult;
}

/** A protocol that is told when its connection has become encrypted. Source: Twisted's `IHandshakeListener`. */
export interface HandshakeListener extends StreamProtocol {
  /**
   * The TLS handshake is over, and the peer has been verified as far as that was asked for. Comes before any data that
   * was sent encrypted: right after `connectionMade` on a connection made with `connectTLS` or `listenTLS`, and
   * some time after `startTLS`, each time that is called.
   */
  handshakeCompleted(): HookResult;
}

/** A protocol that is told when the reactor is about to stop. */
export interface DrainableProtocol extends StreamProtocol {
  /**
   * The reactor stops, and gives its connections time to finish (`drainSeconds`): a good moment to say goodbye, and to call
   * `loseConnection` when nothing is under way. Called once at most, also on a connection that is made meanwhile.
   */
  connectionDraining(): HookResult;
}

/** The hooks that a protocol need not have. It may have one of an interface without the others. */
export type OptionalHook = 'readConnectionLost' | 'writeConnectionLost' | 'handshakeCompleted' | 'connectionDraining';

/** A protocol of the user's, which may have any of the hooks that are optional. */
export type AnyProtocol = StreamProtocol & Partial<HalfCloseableProtocol & HandshakeListener & DrainableProtocol>;

/** What a port asks of a factory. Source: Twisted's `IProtocolFactory`. */
export interface ProtocolFactory {
  /**
   * A port or connector begins to use the factory. Called from inside `listenTCP` and `connectTCP`, which throw what it
   * throws; the rejection of a promise that it returned is reported.
   */
  doStart(): HookResult;
  /** A port or connector is done with the factory. An error, or a rejection, is reported. */
  doStop(): HookResult;
  /** A protocol for a connection with this peer; null closes the connection. An error thrown closes it too, and is reported. */
  buildProtocol(address: Address): StreamProtocol | null;
}

/** A factory known to build protocols of one class, so that `endpoint.connect` can say what it delivers. */
export interface ProtocolFactoryOf<P extends StreamProtocol> extends ProtocolFactory {
  /** As of any factory, with the class known. */
  buildProtocol(address: Address): P | null;
}

/**
 * What a connector asks of a factory. An error in a hook, or the rejection of a promise it returned, is reported and
 * changes nothing else. Source: Twisted's `ClientFactory`.
 */
export interface ClientProtocolFactory extends ProtocolFactory {
  /** An attempt begins. Called from inside `connectTCP` and `connector.connect`. */
  startedConnecting(connector: Connector): HookResult;
  /** The attempt failed. May call `connector.connect()` to try again. */
  clientConnectionFailed(connector: Connector, reason: Failure): HookResult;
  /** The connection, once made, is over. Comes after the protocol's `connectionLost`. May call `connector.connect()`. */
  clientConnectionLost(connector: Connector, reason: Failure): HookResult;
}
