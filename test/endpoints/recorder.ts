import { type Address, ClientFactory, type Connector, type Failure, Protocol } from 'ropewalk';

/** Writes down which of its hooks are called. */
export class Recorder extends Protocol {
  readonly events: string[] = [];

  override connectionMade(): void {
    this.events.push('made');
  }

  override dataReceived(data: Buffer): void {
    this.events.push(`data ${data.toString()}`);
  }

  override connectionLost(reason: Failure): void {
    this.events.push(`lost ${reason.value.name}`);
  }
}

/** Builds `protocol`, and writes down what a port or connector asks of it. */
export class RecordingFactory extends ClientFactory {
  readonly events: string[] = [];
  readonly #build: (address: Address) => Protocol | null;

  constructor(build: (address: Address) => Protocol | null) {
    super();
    this.#build = build;
  }

  override startFactory(): void {
    this.events.push('start');
  }

  override stopFactory(): void {
    this.events.push('stop');
  }

  override buildProtocol(address: Address): Protocol | null {
    this.events.push('build');
    return this.#build(address);
  }

  override startedConnecting(connector: Connector): void {
    this.events.push('startedConnecting');
  }

  override clientConnectionFailed(connector: Connector, reason: Failure): void {
    this.events.push('clientConnectionFailed');
  }

  override clientConnectionLost(connector: Connector, reason: Failure): void {
    this.events.push('clientConnectionLost');
  }
}
