import type { Buffer } from 'node:buffer';
import { type Address, UNIXAddress } from '../addresses.ts';
import { Failure } from '../deferred/failure.ts';
import { maybeDeferred } from '../deferred/maybe-deferred.ts';
import { ConnectInProgressError, NotConnectingError, UserError } from '../errors.ts';
import type { Connector, ConnectorState } from '../interfaces/connector.ts';
import type { ProcessTransport } from '../interfaces/process.ts';
import type { ClientProtocolFactory, StreamProtocol } from '../interfaces/protocol.ts';
import { ProcessStream, type ProcessStreamOwner } from './process-stream.ts';

/** What a process connector is told beside the factory. */
export interface ProcessConnectorParts {
  readonly executable: string;
  readonly lingerBytes: number;
  readonly spawn: (stream: ProcessStream) => ProcessTransport;
  readonly errorReceived: ProcessStreamOwner['errorReceived'];
}

/** Connects a factory with one child, and tells it what a connector tells a client factory. */
export class ProcessConnector implements Connector, ProcessStreamOwner {
  readonly #parts: ProcessConnectorParts;
  readonly #factory: ClientProtocolFactory;
  readonly #stream: ProcessStream;
  #child: ProcessTransport | undefined;
  #state: ConnectorState = 'disconnected';

  constructor(parts: ProcessConnectorParts, factory: ClientProtocolFactory) {
    this.#parts = parts;
    this.#factory = factory;
    this.#stream = new ProcessStream(this, parts.lingerBytes);
  }

  get state(): ConnectorState {
    return this.#state;
  }

  /** By the program's name: the ends of its pipes have none. */
  getDestination(): Address {
    return new UNIXAddress(this.#parts.executable);
  }

  connect(): void {
    if (this.#state !== 'disconnected')
      throw new ConnectInProgressError(`${this.#parts.executable} is ${this.#state} already`);
    // First, since it throws for arguments that cannot be right, and then nothing has begun.
    const child = this.#parts.spawn(this.#stream);
    this.#child = child;
    try {
      const started = this.#factory.doStart();
      // Its error is nobody's but the reactor's, which is told of what no Deferred has handled.
      maybeDeferred(() => started);
    } catch (error) {
      this.#stream.giveUp(child);
      throw error;
    }
    this.#state = 'connecting';
    this.#factory.startedConnecting(this);
  }

  disconnect(): void {
    if (this.#state === 'connecting') this.stopConnecting();
    else this.#stream.loseConnection();
  }

  stopConnecting(): void {
    if (this.#state !== 'connecting' || this.#child === undefined) {
      throw new NotConnectingError(`${this.#parts.executable} is ${this.#state}`);
    }
    this.#stream.giveUp(this.#child);
    this.failed(new Failure(new UserError(`${this.#parts.executable} was given up`)));
  }

  buildProtocol(): StreamProtocol | null {
    if (this.#state !== 'connecting') return null;
    this.#state = 'connected';
    return this.#factory.buildProtocol(new UNIXAddress(undefined));
  }

  errorReceived(data: Buffer): void {
    this.#parts.errorReceived(data);
  }

  failed(reason: Failure): void {
    if (this.#state === 'disconnected') return;
    this.#state = 'disconnected';
    this.#factory.clientConnectionFailed(this, reason);
    this.#stopFactory();
  }

  lost(reason: Failure): void {
    if (this.#state === 'disconnected') return;
    this.#state = 'disconnected';
    this.#factory.clientConnectionLost(this, reason);
    this.#stopFactory();
  }

  /** An error is reported, like any that no Deferred has handled. */
  #stopFactory(): void {
    maybeDeferred(() => this.#factory.doStop());
  }
}
