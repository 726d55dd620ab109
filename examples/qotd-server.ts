/** A server that greets and says goodbye. Try it: `npm run example examples/qotd-server.ts`, then `nc 127.0.0.1 21210`. */
import { type Address, createReactor, Factory, Protocol, TCP4ServerEndpoint } from 'ropewalk';
import { isMain } from './support/is-main.ts';

export class QOTD extends Protocol {
  override connectionMade(): void {
    this.transport.write('您好！欢迎您的登录，再见！\r\n');
    this.transport.loseConnection(); // flushes what was written, then closes
  }
}

export class QOTDFactory extends Factory {
  override buildProtocol(address: Address): Protocol {
    return new QOTD();
  }
}

export async function main(): Promise<void> {
  const reactor = createReactor();
  await new TCP4ServerEndpoint(reactor, 21210).listen(new QOTDFactory());
  await reactor.run(); // until Control-C
}

if (isMain(import.meta)) await main();
