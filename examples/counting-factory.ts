/**
 * What connections share is kept in their factory: here, how many there are. Try it:
 * `npm run example examples/counting-factory.ts`, then several `nc 127.0.0.1 21212` at a time.
 */
import { createReactor, Factory, type Failure, Protocol, TCP4ServerEndpoint } from 'ropewalk';
import { isMain } from './support/is-main.ts';

export class CountedConnection extends Protocol {
  declare factory: CountingFactory;

  override connectionMade(): void {
    this.factory.liveConnections += 1;
    this.transport.write(`当前连接数：${String(this.factory.liveConnections)}\r\n`);
  }

  override connectionLost(reason: Failure): void {
    this.factory.liveConnections -= 1;
  }
}

export class CountingFactory extends Factory {
  override protocol = CountedConnection;
  liveConnections = 0;
}

export async function main(): Promise<void> {
  const reactor = createReactor();
  await new TCP4ServerEndpoint(reactor, 21212).listen(new CountingFactory());
  await reactor.run(); // until Control-C
}

if (isMain(import.meta)) await main();
