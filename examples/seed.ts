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
  Factory,
  type Failure,
  type Protocol,
  type ReactorTCP,
  TCP4ServerEndpoint,
} from 'ropewalk';
import { MessageClientFactory, type Print } from './message-client.ts';
import { MessageServerFactory, type WallClock } from './message-server.ts';
import { QOTDFactory } from './qotd-server.ts';
import { isMain } from './support/is-main.ts';

const QOTD_PORT = 21210;
const MESSAGE_PORT = 21211;

/** Says what a server does, and leaves the doing to another factory. */
class AnnouncingFactory extends Factory {
  readonly #factory: Factory;
  readonly #print: Print;

  constructor(factory: Factory, print: Print) {
    super();
    this.#factory = factory;
    this.#print = print;
  }

  override startFactory(): void {
    this.#print('starting');
  }

  override stopFactory(): void {
    this.#print('stopped');
  }

  override buildProtocol(address: Address): Protocol | null {
    this.#print(`connection from ${String(address)}`);
    return this.#factory.buildProtocol(address);
  }
}

/** Starts the servers and has the client talk to one after the other. Fires when it has; the servers go on. */
export function playSeed(reactor: ReactorTCP, now: WallClock, print: Print): Deferred<void> {
  const as =
    (name: string): Print =>
    (line) =>
      print(`[${name}] ${line}`);
  const serve = (port: number, factory: Factory): Deferred<unknown> =>
    new TCP4ServerEndpoint(reactor, port, { interface: '127.0.0.1' }).listen(factory);
  const talkTo = (port: number, messages: readonly string[]): Deferred<void> => {
    const factory = new MessageClientFactory(messages, as('client'));
    reactor.connectTCP('localhost', port, factory);
    return factory.finished;
  };
  return serve(QOTD_PORT, new AnnouncingFactory(new QOTDFactory(), as('QOTD server')))
    .addCallback(() => serve(MESSAGE_PORT, new AnnouncingFactory(new MessageServerFactory(now), as('message server'))))
    .addCallback(() => talkTo(QOTD_PORT, []))
    .addCallback(() => talkTo(MESSAGE_PORT, ['hello,1', 'hello,2', '您好,3']));
}

/** Plays the seed on real sockets; `once` ends the program afterwards. Resolves to its exit status. */
export async function main(once: boolean): Promise<number> {
  const reactor = createReactor();
  let exitStatus = 0;
  const played = (): void => {
    if (once) {
      reactor.stop();
      return;
    }
    console.log('\nBoth servers go on until Control-C. From another terminal:');
    console.log(`  nc 127.0.0.1 ${String(QOTD_PORT)}     greets you and says goodbye`);
    console.log(`  nc 127.0.0.1 ${String(MESSAGE_PORT)}     answers each line you type`);
  };
  const failed = (failure: Failure): void => {
    exitStatus = 1;
    console.error(explain(failure));
    // A Control-C in the middle of it has stopped the reactor already.
    if (reactor.running) reactor.stop();
  };
  reactor.callWhenRunning(() => {
    playSeed(
      reactor,
      () => new Date(),
      (line) => console.log(line),
    ).addCallbacks(played, failed);
  });
  await reactor.run();
  return exitStatus;
}

function explain(failure: Failure): string {
  if (failure.value instanceof CannotListenError) {
    const { message, port } = failure.value;
    return `${message}\nIs another program listening on port ${String(port)}, perhaps a second \`npm start\`?`;
  }
  return `The client did not get through: ${failure.getErrorMessage()}`;
}

if (isMain(import.meta)) {
  const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
  process.exitCode = await main(values.once);
}
