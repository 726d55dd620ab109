/**
 * A server that answers each line with the time and the line. Try it: `npm run example examples/message-server.ts`, then
 * `nc 127.0.0.1 21211`, and type.
 */
import { type Address, createReactor, Factory, Protocol, TCP4ServerEndpoint } from 'ropewalk';
import { isMain } from './support/is-main.ts';
import { TextLines } from './support/text-lines.ts';

/** Reads the clock on the wall. An argument, so that a test decides what time it is. */
export type WallClock = () => Date;

export class MessageServer extends Protocol {
  readonly #now: WallClock;
  readonly #lines = new TextLines();

  constructor(now: WallClock) {
    super();
    this.#now = now;
  }

  override dataReceived(data: Buffer): void {
    for (const message of this.#lines.push(data)) {
      this.transport.write(`服务器回应：[${ctime(this.#now())}]:${message}\r\n`);
    }
  }
}

export class MessageServerFactory extends Factory {
  readonly #now: WallClock;

  constructor(now: WallClock) {
    super();
    this.#now = now;
  }

  override buildProtocol(address: Address): Protocol {
    return new MessageServer(this.#now);
  }
}

/** Local time as C's `ctime` writes it: `Sun Sep 16 16:37:08 2018`, with a space before a day of one digit. */
export function ctime(date: Date): string {
  const text = date.toString(); // Sun Sep 16 2018 16:37:08 GMT+0800 (…)
  const day = String(date.getDate()).padStart(2);
  return `${text.slice(0, 7)} ${day} ${text.slice(16, 24)} ${String(date.getFullYear())}`;
}

export async function main(): Promise<void> {
  const reactor = createReactor();
  await new TCP4ServerEndpoint(reactor, 21211).listen(new MessageServerFactory(() => new Date()));
  await reactor.run(); // until Control-C
}

if (isMain(import.meta)) await main();
