import type { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { expect } from 'chai';
import { createReactor } from '../../src/node/create-reactor.ts';
import { runChild } from './harness.ts';

describe('createReactor', () => {
  it('makes a reactor on real time that runs until it is stopped, again and again', async () => {
    const reactor = createReactor();
    for (let round = 0; round < 2; round += 1) {
      const times: number[] = [];
      const begin = reactor.seconds();
      reactor.callLater(0.01, () => {
        times.push(reactor.seconds() - begin);
        reactor.stop();
      });
      await reactor.run({ installSignalHandlers: false });
      expect(times).to.have.lengthOf(1);
      expect(times[0]).to.be.within(0.01, 2);
    }
  });

  it('makes reactors that serve real connections side by side', async () => {
    const reactors = [createReactor(), createReactor({ reading: 'data', lingerSeconds: 1 })];
    for (const reactor of reactors) {
      const factory = {
        doStart: () => {},
        doStop: () => {},
        buildProtocol: () => ({
          makeConnection: (transport: { write(data: string): unknown; loseConnection(): unknown }) => {
            transport.write('您好\r\n');
            transport.loseConnection();
          },
          dataReceived: () => {},
          connectionLost: () => {},
        }),
      };
      const port = await reactor.listenTCP(0, factory, { interface: '127.0.0.1' }).whenListening();
      const host = port.getHost();
      const finished = reactor.run({ installSignalHandlers: false });
      const socket = connectSocket('port' in host ? host.port : 0, '127.0.0.1');
      const [data] = (await once(socket, 'data')) as [Buffer];
      expect(data.toString()).to.equal('您好\r\n');
      await once(socket, 'close');
      reactor.stop();
      await finished;
    }
  });

  it('reports errors to the logger it was given', async () => {
    const logged: unknown[][] = [];
    const log = (...args: unknown[]): void => void logged.push(args);
    const reactor = createReactor({ logger: { debug: log, info: log, warn: log, error: log } });
    const error = new Error('in a call');
    reactor.callLater(0, () => {
      throw error;
    });
    reactor.callLater(0, () => reactor.stop());
    await reactor.run({ installSignalHandlers: false });
    expect(logged.map(([fields]) => fields)).to.deep.equal([{ err: error }]);
  });

  it('warns at the end of a program that queued work and never ran the reactor', async () => {
    const { status, stderr } = await runChild(`
      const { createReactor } = await import('ropewalk');
      createReactor().callLater(1, () => {});
      createReactor();
    `);
    expect(stderr.match(/RopewalkWarning: .*/g)).to.have.lengthOf(1);
    expect(status).to.equal(0);
  });
});
