/**
 * A client that sends messages one by one, each when the one before has been answered, and says what happens. Try it
 * beside `npm start`: `npm run example examples/message-client.ts`.
 */
import {
  type Address,
  ClientFactory,
  ConnectionDone,
  type Connector,
  createReactor,
  Deferred,
  type Failure,
  Protocol,
} from 'ropewalk';
import { isMain } from './support/is-main.ts';
import { TextLines } from './support/text-lines.ts';

export type Print = (line: string) => void;

export class MessageClient extends Protocol {
  readonly #unsent: string[];
  readonly #print: Print;
  readonly #lines = new TextLines();

  constructor(messages: readonly string[], print: Print) {
    super();
    this.#unsent = [...messages];
    this.#print = print;
  }

  override connectionMade(): void {
    if (this.#unsent.length > 0) this.#sendNext();
  }

  override dataReceived(data: Buffer): void {
    for (const line of this.#lines.push(data)) {
      this.#print(`received: ${line}`);
      this.#sendNext();
    }
  }

  #sendNext(): void {
    const message = this.#unsent.shift();
    if (message === undefined) {
      this.transport.loseConnection();
      return;
    }
    this.#print(`sent: ${message}`);
    this.transport.write(`${message}\r\n`);
  }
}

export class MessageClientFactory extends ClientFactory {
  /** Fires when the connection has been closed in order; fails if it was not, or if there was none. */
  readonly finished: Deferred<void> = new Deferred<void>();

  readonly #messages: readonly string[];
  readonly #print: Print;

  constructor(messages: readonly string[], print: Print) {
    super();
    this.#messages = messages;
    this.#print = print;
  }

  override startedConnecting(connector: Connector): void {
    this.#print(`connecting to ${String(connector.getDestination())}`);
  }

  override buildProtocol(address: Address): Protocol {
    this.#print(`connected to ${String(address)}`);
    return new MessageClient(this.#messages, this.#print);
  }

  override clientConnectionLost(connector: Connector, reason: Failure): void {
    this.#print(`connection lost: ${String(reason)}`);
    if (reason.check(ConnectionDone)) this.finished.callback();
    else this.finished.errback(reason);
  }

  override clientConnectionFailed(connector: Connector, reason: Failure): void {
    this.#print(`connection failed: ${String(reason)}`);
    this.finished.errback(reason);
  }
}

export async function main(): Promise<void> {
  const reactor = createReactor();
  const factory = new MessageClientFactory(['hello,1', 'hello,2'], (line) => console.log(line));
  reactor.connectTCP('localhost', 21211, factory);
  factory.finished
    .addErrback(() => {
      process.exitCode = 1; // why has been printed
    })
    .addCallback(() => {
      if (reactor.running) reactor.stop(); // a Control-C may have come first
    });
  await reactor.run();
}

if (isMain(import.meta)) await main();
