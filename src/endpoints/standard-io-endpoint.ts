import type { Buffer } from 'node:buffer';
import { type Address, UNIXAddress } from '../addresses.ts';
import { requireMethods } from '../arguments.ts';
import { causeOfAbort } from '../deferred/abort-signal.ts';
import type { Deferred } from '../deferred/deferred.ts';
import type { Failure } from '../deferred/failure.ts';
import { maybeDeferred } from '../deferred/maybe-deferred.ts';
import { fail, succeed } from '../deferred/succeed-fail.ts';
import { CancelledError, CannotListenError } from '../errors.ts';
import type { EndpointOptions, StreamServerEndpoint } from '../interfaces/endpoint.ts';
import type { ListeningPort } from '../interfaces/listening-port.ts';
import type { ReactorStdio } from '../interfaces/process.ts';
import type { AnyProtocol, HookResult, ProtocolFactory, StreamProtocol } from '../interfaces/protocol.ts';
import type { Transport } from '../interfaces/transport.ts';
import { passedOn } from './passed-on.ts';

/**
 * Serves one connection: the standard input and output of the program. `listen` may be called once, for there is one of each;
 * again it throws an `Error`. Source: Twisted's `internet.endpoints.StandardIOEndpoint`.
 */
export class StandardIOEndpoint implements StreamServerEndpoint {
  readonly #reactor: ReactorStdio;

  constructor(reactor: ReactorStdio) {
    requireMethods('reactor', reactor, ['openStdio']);
    this.#reactor = reactor;
  }

  /**
   * Fires at once, with a port that has nothing to stop. `buildProtocol` is called in the next turn of the running reactor, and
   * the factory is stopped when the connection is lost. (Twisted's Deferred fires with the transport.)
   */
  listen(factory: ProtocolFactory, options: EndpointOptions = {}): Deferred<ListeningPort> {
    requireMethods('factory', factory, ['doStart', 'doStop', 'buildProtocol']);
    const { signal } = options;
    if (signal?.aborted === true) {
      return fail(new CancelledError('Listening on the standard input was cancelled', causeOfAbort(signal)));
    }
    const started = factory.doStart();
    // Its error is nobody's but the reactor's, which is told of what no Deferred has handled.
    maybeDeferred(() => started);
    try {
      this.#reactor.openStdio(new StandardIOConnection(factory));
    } catch (error) {
      maybeDeferred(() => factory.doStop());
      throw error;
    }
    return succeed(new StandardIOPort());
  }
}

/** What stands for a port where there is none: the connection was there before. */
class StandardIOPort implements ListeningPort {
  getHost(): Address {
    return new UNIXAddress(undefined);
  }

  startListening(): void {
    throw new CannotListenError('', 'the standard input', new Error('it is connected already'));
  }

  stopListening(): Deferred<void> {
    return succeed(undefined);
  }

  whenListening(): Deferred<ListeningPort> {
    return succeed(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopListening();
  }
}

/** Has the factory build the protocol when there is a connection, and passes everything on to it. */
class StandardIOConnection implements StreamProtocol {
  readonly #factory: ProtocolFactory;
  #protocol: AnyProtocol | null = null;

  constructor(factory: ProtocolFactory) {
    this.#factory = factory;
  }

  makeConnection(transport: Transport): HookResult {
    const protocol = this.#factory.buildProtocol(transport.getPeer());
    if (protocol === null) {
      transport.loseConnection();
      return undefined;
    }
    this.#protocol = protocol;
    return protocol.makeConnection(transport);
  }

  get readConnectionLost(): (() => HookResult) | undefined {
    return passedOn(this.#protocol, 'readConnectionLost');
  }

  get writeConnectionLost(): (() => HookResult) | undefined {
    return passedOn(this.#protocol, 'writeConnectionLost');
  }

  get handshakeCompleted(): (() => HookResult) | undefined {
    return passedOn(this.#protocol, 'handshakeCompleted');
  }

  get connectionDraining(): (() => HookResult) | undefined {
    return passedOn(this.#protocol, 'connectionDraining');
  }

  dataReceived(data: Buffer): HookResult {
    return this.#protocol?.dataReceived(data);
  }

  connectionLost(reason: Failure): HookResult {
    // Its error is reported, like any that no Deferred has handled.
    maybeDeferred(() => this.#factory.doStop());
    return this.#protocol?.connectionLost(reason);
  }
}
