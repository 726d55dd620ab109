import { Failure } from '../deferred/failure.ts';
import { ConnectionAborted, ConnectionDone } from '../errors.ts';
import type { StreamProtocol } from '../interfaces/protocol.ts';
import { StringTransport } from './string-transport.ts';

/**
 * A `StringTransport` that tells its protocol of the loss: from inside `loseConnection` and `abortConnection`, once, as
 * Twisted's double does. (A connection tells it in a later turn.) Set `protocol` before.
 */
export class StringTransportWithDisconnection extends StringTransport {
  /** Who is told of the loss. */
  protocol: StreamProtocol | undefined = undefined;

  /** Notes it, and calls `connectionLost` before it returns. Throws an `Error` if there is no `protocol`. */
  override loseConnection(): void {
    super.loseConnection();
    this.#lose(this.disconnected ? new ConnectionAborted() : new ConnectionDone());
  }

  #lose(reason: Error): void {
    if (!this.connected) return;
    if (this.protocol === undefined) throw new Error('set the protocol of the transport before it is disconnected');
    this.connected = false;
    void this.protocol.connectionLost(new Failure(reason));
  }
}
