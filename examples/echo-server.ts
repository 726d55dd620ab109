/** The smallest server: it sends back what it receives. Try it: `npm run example examples/echo-server.ts`, then `nc 127.0.0.1 21200`. */
import { createReactor, Factory, Protocol, TCP4ServerEndpoint } from 'ropewalk';
import { isMain } from './support/is-main.ts';

export class Echo extends Protocol {
  override dataReceived(data: Buffer): void {
    this.transport.write(data);
  }
}

export async function main(): Promise<void> {
  const reactor = createReactor();
  await new TCP4ServerEndpoint(reactor, 21200).listen(Factory.forProtocol(Echo));
  await reactor.run(); // until Control-C
}

if (isMain(import.meta)) await main();
