import { type Address, ClientFactory, type Connector, type Failure } from 'ropewalk/core';
import { type Hooks, RecordingProtocol } from './recording-protocol.ts';

/** What a recording factory does in its hooks besides recording them. */
export interface FactoryHooks {
  readonly buildProtocol?: (address: Address) => RecordingProtocol | null;
  readonly startedConnecting?: (connector: Connector) => void;
  readonly clientConnectionFailed?: (connector: Connector, reason: Failure) => void;
  readonly clientConnectionLost?: (connector: Connector, reason: Failure) => void;
}

/** For ports and connectors: remembers what it was asked and told, and the protocols it built. */
export class RecordingFactory extends ClientFactory {
  readonly calls: string[] = [];
  readonly protocols: RecordingProtocol[] = [];
  readonly addresses: Address[] = [];
  /** Why attempts failed and connections were lost, in order. */
  readonly reasons: Error[] = [];
  readonly #hooks: FactoryHooks;

  constructor(hooks: FactoryHooks = {}) {
    super();
    this.#hooks = hooks;
  }

  /** One whose protocols do so. */
  static withProtocol(hooks: Hooks): RecordingFactory {
    return new RecordingFactory({ buildProtocol: () => new RecordingProtocol(hooks) });
  }

  get lostCount(): number {
    return this.protocols.filter((protocol) => protocol.isLost).length;
  }

  override doStart(): void {
    this.calls.push('doStart');
    super.doStart();
  }

  override doStop(): void {
    this.calls.push('doStop');
    super.doStop();
  }

  override startFactory(): void {
    this.calls.push('startFactory');
  }

  override stopFactory(): void {
    this.calls.push('stopFactory');
  }

  override buildProtocol(address: Address): RecordingProtocol | null {
    this.calls.push('buildProtocol');
    this.addresses.push(address);
    const { buildProtocol } = this.#hooks;
    const protocol = buildProtocol === undefined ? new RecordingProtocol() : buildProtocol(address);
    if (protocol !== null) this.protocols.push(protocol);
    return protocol;
  }

  override startedConnecting(connector: Connector): void {
    this.calls.push('startedConnecting');
    this.#hooks.startedConnecting?.(connector);
  }

  override clientConnectionFailed(connector: Connector, reason: Failure): void {
    this.calls.push('clientConnectionFailed');
    this.reasons.push(reason.value);
    this.#hooks.clientConnectionFailed?.(connector, reason);
  }

  override clientConnectionLost(connector: Connector, reason: Failure): void {
    this.calls.push('clientConnectionLost');
    this.reasons.push(reason.value);
    this.#hooks.clientConnectionLost?.(connector, reason);
  }
}
