/**
 * What `npm start` runs: two servers on real TCP, a client that talks to each of them, and what both sides have to say.
 * Then the servers go on until Control-C; with `--once` the program ends after the transcript.
 */
import { parseArgs } from 'node:util';
import {
  type Address,
  CannotListenError,
  createReactor,
  type Deferred,
  type Failure,
  gatherResults,
  type Protocol,
  type ReactorTCP,
  TCP4ServerEndpoint,
} from 'ropewalk';
import { MessageClientFactory, type Print } from './message-client.ts';
import { MessageServerFactory, type WallClock } from './message-server.ts';
import { QOTDFactory } from './qotd-server.ts';
import { isMain } from './support/is-main.ts';

export const QOTD_PORT = 21210;
export const MESSAGE_PORT = 21211;

class PrintingQOTDFactory extends QOTDFactory {
  readonly #print: Print;

  constructor(print: Print) {
    super();
    this.#print = print;
  }

  override startFactory(): void {
    this.#print(`[QOTD server] starts on port ${String(QOTD_PORT)}`);
  }

  override buildProtocol(address: Address): Protocol {
    this.#print(`[QOTD server] greets ${String(address)}`);
    return super.buildProtocol(address);
  }
}

class PrintingMessageServerFactory extends MessageServerFactory {
  readonly #print: Print;

  constructor(now: WallClock, print: Print) {
    super(now);
    this.#print = print;
  }

  override startFactory(): void {
    this.#print(`[message server] starts on port ${String(MESSAGE_PORT)}`);
  }

  override buildProtocol(address: Address): Protocol {
    this.#print(`[message server] serves ${String(address)}`);
    return super.buildProtocol(address);
  }
}

/** Starts the servers and has the client talk to one after the other. Fires when it has; the servers go on. */
export function playSeed(reactor: ReactorTCP, now: WallClock, print: Print): Deferred<void> {
  const interfaceOnly = { interface: '127.0.0.1' }; // nobody else's business
  const talkTo = (port: number, messages: readonly string[]): Deferred<void> => {
    const factory = new MessageClientFactory(messages, (line) => print(`[client] ${line}`));
    reactor.connectTCP('localhost', port, factory);
    return factory.finished;
  };
  return gatherResults([
    new TCP4ServerEndpoint(reactor, QOTD_PORT, interfaceOnly).listen(new PrintingQOTDFactory(print)),
    new TCP4ServerEndpoint(reactor, MESSAGE_PORT, interfaceOnly).listen(new PrintingMessageServerFactory(now, print)),
  ])
    .addCallback(() => talkTo(QOTD_PORT, []))
    .addCallback(() => talkTo(MESSAGE_PORT, ['hello,1', 'hello,2', '您好,3']));
}
