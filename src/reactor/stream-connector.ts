/**
 * The handle on one outgoing connection, which the factory may connect again and again.
 *
 *     disconnected ──connect()──▶ connecting ──▶ connected
 *          ▲                          │              │
 *          ╰── clientConnectionFailed ┴── …Lost ─────╯
 *
 * The factory is started once for a chain of attempts: when neither `clientConnectionFailed` nor `clientConnectionLost`
 * has called `connect()` again, it is stopped. Source: Twisted's `BaseConnector`.
 */
import type { Address } from '../addresses.ts';
import { Failure } from '../deferred/failure.ts';
import { ConnectError, ConnectInProgressError, ConnectionDone, NotConnectingError, UserError } from '../errors.ts';
import type { Connector, ConnectorState } from '../interfaces/connector.ts';
import type { ClientProtocolFactory } from '../interfaces/protocol.ts';
import type { StreamHandle } from '../interfaces/stream-platform.ts';
import type { TLSHandle } from '../interfaces/tls-engine.ts';
import { buildProtocol } from './build-protocol.ts';
import { ConnectAttempt, type ConnectAttemptListener, type ConnectTarget } from './connect-attempt.ts';
import { Connection } from './connection.ts';
import type { ReactorParts } from './reactor-parts.ts';

type State =
  | { readonly name: 'disconnected' }
  | { readonly name: 'connecting'; readonly attempt: ConnectAttempt }
  | Building
  | { readonly name: 'connected'; readonly connection: Connection };

/** Connected while the factory builds the protocol, and when it has built none. */
interface Building {
  readonly name: 'connected';
  readonly connection: undefined;
  /** Whether `disconnect` has been called meanwhile. */
  unwanted: boolean;
}

export class StreamConnector implements Connector, ConnectAttemptListener {
  readonly #parts: ReactorParts;
  readonly #target: ConnectTarget;
  readonly #factory: ClientProtocolFactory;
  #state: State = { name: 'disconnected' };
  #factoryStarted = false;

  constructor(parts: ReactorParts, target: ConnectTarget, factory: ClientProtocolFactory) {
    this.#parts = parts;
    this.#target = target;
    this.#factory = factory;
  }

  get state(): ConnectorState {
    return this.#state.name;
  }

  getDestination(): Address {
    return this.#target.destination;
  }

  connect(): void {
    if (this.#state.name !== 'disconnected') {
      throw new ConnectInProgressError(
        `The connector to ${String(this.getDestination())} is ${this.#state.name} already`,
      );
    }
    if (!this.#factoryStarted) {
      this.#parts.errors.watch(this.#factory.doStart(), 'An error in startFactory');
      this.#factoryStarted = true;
    }
    const attempt = new ConnectAttempt(this.#parts, this.#target, this);
    this.#state = { name: 'connecting', attempt };
    this.#parts.connectors.add(this);
    attempt.start();
    this.#parts.errors.callHook('startedConnecting', this.#factory, () => this.#factory.startedConnecting(this));
  }

  stopConnecting(): void {
    if (this.#state.name !== 'connecting') {
      throw new NotConnectingError(`The connector to ${String(this.getDestination())} is ${this.#state.name}`);
    }
    this.#giveUp(new UserError(`Connecting to ${String(this.getDestination())} was stopped`));
  }

  disconnect(): void {
    switch (this.#state.name) {
      case 'connecting':
        this.stopConnecting();
        return;
      case 'connected':
        if (this.#state.connection === undefined) this.#state.unwanted = true;
        else this.#state.connection.loseConnection();
        return;
      case 'disconnected':
        return;
    }
  }

  /** The reactor stops, and with it the attempt. */
  reactorStopped(): void {
    if (this.#state.name !== 'connecting') return;
    this.#giveUp(new ConnectError(`Connecting to ${String(this.getDestination())} ended because the reactor stopped`));
  }

  /** Ends an attempt that a factory began when it was told that the reactor stops. It is not told again. */
  abandon(): void {
    if (this.#state.name !== 'connecting') return;
    this.#state.attempt.cancel();
    this.#state = { name: 'disconnected' };
    this.#parts.connectors.delete(this);
    this.#stopFactory();
  }

  toString(): string {
    return `attempt to connect to ${String(this.getDestination())}`;
  }

  attemptSucceeded(handle: StreamHandle, tls: TLSHandle | undefined): void {
    this.#parts.connectors.delete(this);
    const building: Building = { name: 'connected', connection: undefined, unwanted: false };
    this.#state = building;
    const protocol = buildProtocol(this.#parts, this.#factory, handle.remoteAddress);
    if (protocol instanceof Failure) {
      this.#closeUnused(handle, protocol);
      return;
    }
    if (protocol === null) {
      this.#closeUnused(handle, new Failure(new ConnectionDone('the factory built no protocol')));
      return;
    }
    const { destination, limits } = this.#target;
    const host = destination.family === 'UNIX' ? undefined : destination.host;
    const servername = this.#target.tls?.servername;
    const whenLost = (reason: Failure): void => {
      this.#lost(reason);
    };
    const origin = { role: 'client', host, tls, servername, limits } as const;
    const connection = new Connection(this.#parts, handle, protocol, whenLost, origin);
    this.#state = { name: 'connected', connection };
    connection.start();
    if (building.unwanted) connection.loseConnection();
  }

  attemptFailed(error: Error): void {
    this.#failed(error);
  }

  /** The connection was made, but there is no protocol for it. */
  #closeUnused(handle: StreamHandle, reason: Failure): void {
    handle.close();
    this.#parts.loop.callSoon(() => {
      this.#lost(reason);
    });
  }

  #giveUp(error: ConnectError): void {
    if (this.#state.name === 'connecting') this.#state.attempt.cancel();
    this.#failed(error);
  }

  #failed(error: Error): void {
    this.#becomeDisconnected('clientConnectionFailed', new Failure(error));
  }

  #lost(reason: Failure): void {
    this.#becomeDisconnected('clientConnectionLost', reason);
  }

  #becomeDisconnected(hook: 'clientConnectionFailed' | 'clientConnectionLost', reason: Failure): void {
    this.#state = { name: 'disconnected' };
    this.#parts.connectors.delete(this);
    this.#parts.errors.callHook(hook, this.#factory, () => this.#factory[hook](this, reason));
    // The hook may have connected again, and then the factory goes on being used; or it may also have given that up,
    // and then the factory has been stopped.
    if (this.state === 'disconnected' && this.#factoryStarted) this.#stopFactory();
  }

  #stopFactory(): void {
    this.#factoryStarted = false;
    this.#parts.errors.callHook('doStop', this.#factory, () => this.#factory.doStop());
  }
}
