import type { Buffer } from 'node:buffer';
import type { Failure } from '../deferred/failure.ts';
import type { HookResult, ProtocolFactory, StreamProtocol } from '../interfaces/protocol.ts';
import type { Transport } from '../interfaces/transport.ts';

/**
 * The base class of stream protocols: one instance for each connection, and hooks that do nothing until a subclass
 * overrides them. No hook calls another, so an override never has to call `super`. Source: Twisted's
 * `internet.protocol.Protocol`.
 */
export class Protocol implements StreamProtocol {
  /**
   * The connection. Set by `makeConnection`, so not there in a constructor; from `connectionMade` on it stays, also
   * after the loss, when its methods do nothing. A subclass that needs more of it narrows the type by a `declare`d field.
   */
  declare transport: Transport;

  /**
   * The factory that built this protocol, if it was built by `Factory.buildProtocol`; one that overrides that method
   * sets it where it wants it. A subclass narrows the type by `declare factory: CountingFactory`; an `override` field
   * would reset it.
   */
  factory: ProtocolFactory | undefined = undefined;

  /**
   * Whether there is a connection: true from before `connectionMade` until just before `connectionLost`. It asks the
   * transport, so there is nothing to reset (in Twisted it stays true after the loss).
   */
  get connected(): boolean {
    // Before makeConnection the field does not exist, whatever its type says.
    return 'transport' in this && this.transport.connected;
  }

  /** Takes the transport and calls `connectionMade`. The connection calls this once; so may a test, with a double. */
  makeConnection(transport: Transport): HookResult {
    this.transport = transport;
    return this.connectionMade();
  }

  /** The connection is there, `transport` is set. The place for a greeting. */
  connectionMade(): HookResult {}

  /**
   * The next bytes of the stream, never none. Where one chunk ends and the next begins means nothing: a message, and
   * a character too, may be spread over several calls. The buffer is the receiver's to keep.
   */
  dataReceived(data: Buffer): HookResult {}

  /**
   * The connection is over; nothing is delivered afterwards. `reason` has a `ConnectionDone` if it ended in order, a
   * `ConnectionLost` if it broke, or the error that one of the hooks threw.
   */
  connectionLost(reason: Failure): HookResult {}
}
