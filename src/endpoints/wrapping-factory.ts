/**
 * What stands between a connector and the factory given to `endpoint.connect()`: it fires a `Deferred` where a client
 * factory would be told. Twisted: `internet.endpoints._WrappingFactory`.
 *
 * One `WrappingFactory` serves one attempt, which is in one phase:
 *
 * | phase        | what happens                              | ends with                          | `cancel` then               |
 * |--------------|-------------------------------------------|------------------------------------|-----------------------------|
 * | `connecting` | the connector is at work                  | `buildProtocol`, or a failure      | stops the connector         |
 * | `building`   | the user's `buildProtocol` runs           | its return                         | makes us build no protocol  |
 * | `making`     | `makeConnection` of that protocol is due, | its return                         | aborts the connection as    |
 * |              | or runs                                   |                                    | soon as there is one        |
 * | `over`       | the `Deferred` has fired                  |                                    | has no effect               |
 *
 * Whatever leads to `over` goes through `#succeed` or `#fail`, so the `Deferred` fires once.
 */
import type { Buffer } from 'node:buffer';
import type { Address } from '../addresses.ts';
import { requireMethods } from '../arguments.ts';
import { Deferred } from '../deferred/deferred.ts';
import type { Failure } from '../deferred/failure.ts';
import { ConnectingCancelledError, NoProtocol } from '../errors.ts';
import type { Connector } from '../interfaces/connector.ts';
import type {
  AnyProtocol,
  ClientProtocolFactory,
  HookResult,
  ProtocolFactoryOf,
  StreamProtocol,
} from '../interfaces/protocol.ts';
import type { Transport } from '../interfaces/transport.ts';
import { causeOfAbort } from '../deferred/abort-signal.ts';
import { passedOn } from './passed-on.ts';

type Phase = 'connecting' | 'building' | 'making' | 'over';

/** Forwards what ports ask of a factory, keeps what connectors tell it to itself. */
export class WrappingFactory<P extends StreamProtocol> implements ClientProtocolFactory {
  /** Fires with the user's protocol, or fails, once; cancelling it gives the attempt up. */
  readonly whenConnected: Deferred<P>;

  readonly #wrapped: ProtocolFactoryOf<P>;
  readonly #signal: AbortSignal | undefined;
  #phase: Phase = 'connecting';
  #connector: Connector | undefined;
  #transport: Transport | undefined;

  /** Throws `TypeError` if `wrapped` is not a factory. */
  constructor(wrapped: ProtocolFactoryOf<P>, signal?: AbortSignal) {
    // The reactor is given our own object, so what is wrong with the user's is for us to find.
    requireMethods('factory', wrapped, ['doStart', 'doStop', 'buildProtocol']);
    this.#wrapped = wrapped;
    this.#signal = signal;
    this.whenConnected = new Deferred<P>(() => this.#cancel());
  }

  doStart(): HookResult {
    return this.#wrapped.doStart();
  }

  doStop(): HookResult {
    return this.#wrapped.doStop();
  }

  buildProtocol(address: Address): StreamProtocol | null {
    this.#phase = 'building';
    let protocol: P | null;
    try {
      protocol = this.#wrapped.buildProtocol(address);
    } catch (error) {
      this.#fail(error);
      return null;
    }
    if (protocol === null) this.#fail(new NoProtocol());
    if (protocol === null || this.#hasEnded()) return null;
    this.#phase = 'making';
    return new WrappingProtocol(protocol, (transport) => this.#makeConnection(protocol, transport));
  }

  startedConnecting(connector: Connector): void {
    this.#connector = connector;
  }

  clientConnectionFailed(connector: Connector, reason: Failure): void {
    this.#fail(reason);
  }

  clientConnectionLost(connector: Connector, reason: Failure): void {
    // Long over, unless the connection was lost before the protocol got it.
    this.#fail(reason);
  }

  #makeConnection(protocol: P, transport: Transport): HookResult {
    this.#transport = transport;
    // Cancelled since it was built: the protocol still gets its connection, if only to see it lost.
    if (this.#hasEnded()) transport.abortConnection();
    try {
      const result = protocol.makeConnection(transport);
      this.#succeed(protocol);
      return result;
    } catch (error) {
      this.#fail(error);
      // The connection reports it and closes, as for any hook.
      throw error;
    }
  }

  #succeed(protocol: P): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.whenConnected.callback(protocol);
  }

  #fail(reason: unknown): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.whenConnected.errback(reason);
  }

  /** Behind a call, so that the compiler expects the user's code to have changed the phase by cancelling. */
  #hasEnded(): boolean {
    return this.#phase === 'over';
  }

  #cancel(): void {
    const phase = this.#phase;
    // First, since stopConnecting reports a failure before it returns.
    this.#phase = 'over';
    switch (phase) {
      case 'connecting':
        this.#connector?.stopConnecting();
        break;
      case 'making':
        this.#transport?.abortConnection();
        break;
      case 'building':
      case 'over':
        break;
    }
    const address = this.#connector?.getDestination();
    this.whenConnected.errback(new ConnectingCancelledError(address, causeOfAbort(this.#signal)));
  }
}

/** Passes everything on to the user's protocol, except that `makeConnection` goes through the attempt. */
class WrappingProtocol implements StreamProtocol {
  readonly #wrapped: AnyProtocol;
  readonly #makeConnection: (transport: Transport) => HookResult;

  constructor(wrapped: AnyProtocol, makeConnection: (transport: Transport) => HookResult) {
    this.#wrapped = wrapped;
    this.#makeConnection = makeConnection;
  }

  /** By the name that Twisted's wrappers have for it; the reactor looks for the protocol that the user knows. */
  get wrappedProtocol(): StreamProtocol {
    return this.#wrapped;
  }

  // There only while the user's protocol has them: having one is what opts in to half-close.

  get readConnectionLost(): (() => HookResult) | undefined {
    return passedOn(this.#wrapped, 'readConnectionLost');
  }

  get writeConnectionLost(): (() => HookResult) | undefined {
    return passedOn(this.#wrapped, 'writeConnectionLost');
  }

  get handshakeCompleted(): (() => HookResult) | undefined {
    return passedOn(this.#wrapped, 'handshakeCompleted');
  }

  get connectionDraining(): (() => HookResult) | undefined {
    return passedOn(this.#wrapped, 'connectionDraining');
  }

  makeConnection(transport: Transport): HookResult {
    return this.#makeConnection(transport);
  }

  dataReceived(data: Buffer): HookResult {
    return this.#wrapped.dataReceived(data);
  }

  connectionLost(reason: Failure): HookResult {
    return this.#wrapped.connectionLost(reason);
  }
}
