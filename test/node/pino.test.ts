/** That a logger of pino's fits as it is: what it is given, and what it makes of it. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { pino } from 'pino';
import { expect } from 'chai';
import { createReactor, Echo, Factory, type Logger } from 'ropewalk';
import { until } from './harness.ts';

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly err?: { readonly type: string; readonly message: string; readonly stack: string };
  readonly maxConnections?: number;
  readonly component?: string;
}

const { warn: WARN, error: ERROR } = pino.levels.values;

describe('A logger of pino’s', () => {
  it('is taken as it is, a child of it too, and writes errors with their stacks', async () => {
    const lines: Line[] = [];
    const destination = { write: (text: string) => void lines.push(JSON.parse(text) as Line) };
    // Without a cast: the types fit.
    const logger: Logger = pino({ base: null }, destination).child({ component: 'reactor' });
    const reactor = createReactor({ logger });
    const run = reactor.run({ installSignalHandlers: false });
    const options = { interface: '127.0.0.1', maxConnections: 1 };
    const port = await reactor.listenTCP(0, Factory.forProtocol(Echo), options).whenListening();
    const { port: number } = port.getHost() as { readonly port: number };
    const first = connect(number, '127.0.0.1');
    first.write('hello');
    await once(first, 'data');
    for (let count = 0; count < 2; count += 1) {
      const excess = connect(number, '127.0.0.1').on('error', () => {});
      await once(excess, 'close');
    }
    reactor.callLater(0, () => {
      throw new RangeError('a mistake');
    });
    await until(() => lines.some(({ level }) => level === ERROR));
    first.destroy();
    reactor.stop();
    await run;

    const [warning, error] = lines;
    expect(lines).to.have.length(2); // what is logged for details is below pino's level
    expect(warning).to.include({ level: WARN, component: 'reactor', maxConnections: 1 });
    expect(warning?.msg).to.contain('as many connections as it may');
    expect(error).to.include({ level: ERROR, msg: 'An error in a delayed call' });
    expect(error?.err).to.include({ type: 'RangeError', message: 'a mistake' });
    expect(error?.err?.stack).to.contain('pino.test.ts');
  });
});
