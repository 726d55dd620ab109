/** Where errors go that have no caller to go to: one path, which ends at the reactor's logger. */
import { expect } from 'chai';
import { type Deferred, fail, Failure, type Logger, Protocol } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { nthProtocol, portOf, serve, settled, startReactor, takeErrors } from '../support/connections.ts';
import { RecordingFactory } from '../support/recording-factory.ts';

function messages(harness: Harness): string[] {
  return takeErrors(harness).map((error) => error.message);
}

function throwing(message: string): () => never {
  return () => {
    throw new Error(message);
  };
}

export function describeErrors(harness: () => Harness): void {
  describe('Errors', () => {
    describeUnhandledErrors(harness);
    describeReporting(harness);
    describeHookErrors(harness);
  });
}

function describeUnhandledErrors(harness: () => Harness): void {
  describe('An error that no Deferred handles', () => {
    it('is reported once, when the turn has ended in which it arose', async () => {
      const reactor = startReactor(harness());
      const reportedInTurn: number[] = [];
      const reportedInNext: number[] = [];
      reactor.callSoon(() => {
        fail(new Error('nobody cares'));
        reactor.callSoon(() => reportedInNext.push(harness().errors.length));
      });
      reactor.callSoon(() => reportedInTurn.push(harness().errors.length));
      await harness().until(() => reportedInNext.length > 0);
      await harness().advance(0.001);
      expect(reportedInTurn).to.deep.equal([0]);
      expect(reportedInNext).to.deep.equal([1]);
      expect(messages(harness())).to.deep.equal(['nobody cares']);
    });

    it('is not reported if an errback is added later in the same turn', async () => {
      const reactor = startReactor(harness());
      let failed: Deferred<never> | undefined;
      let handled: Error | undefined;
      reactor.callSoon(() => {
        failed = fail(new Error('handled after all'));
      });
      reactor.callSoon(() => {
        failed?.addErrback((failure) => {
          handled = failure.value;
        });
      });
      await harness().until(() => handled !== undefined);
      await harness().advance(0.001);
      expect(harness().errors).to.deep.equal([]);
    });

    it('still comes to an errback that is added too late to silence the report', async () => {
      const reactor = startReactor(harness());
      let failed: Deferred<never> | undefined;
      let handled: Error | undefined;
      reactor.callSoon(() => {
        failed = fail(new Error('late'));
      });
      await harness().until(() => harness().errors.length > 0, 'the error has been reported');
      failed?.addErrback((failure) => {
        handled = failure.value;
      });
      expect(handled?.message).to.equal('late');
      expect(messages(harness())).to.deep.equal(['late']);
    });

    it('is reported when it arises in a hook', async () => {
      const { peer } = await serve(harness(), { dataReceived: () => void fail(new Error('in a hook')) });
      peer.send('x');
      await harness().until(() => harness().errors.length > 0, 'the error has been reported');
      expect(messages(harness())).to.deep.equal(['in a hook']);
    });

    it('is reported also when it arises in the last turn of a run, before run() resolves', async () => {
      const reactor = harness().createReactor();
      const reported: string[] = [];
      reactor.addSystemEventTrigger('during', 'shutdown', () => void fail(new Error('at the very end')));
      const run = reactor.run({ installSignalHandlers: false }).then(() => reported.push(...messages(harness())));
      reactor.stop();
      await harness().until(() => reported.length > 0);
      await run;
      expect(reported).to.deep.equal(['at the very end']);
    });
  });
}

function describeReporting(harness: () => Harness): void {
  describe('The report', () => {
    it('goes to the logger, with the error and what the reactor was doing', async () => {
      const log: [object, string][] = [];
      const ignore = (): void => {};
      const error = (fields: object, message: string): void => void log.push([fields, message]);
      const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error };
      const reactor = harness().createReactor({ logger });
      const thrown = new Error('thrown');
      const failed = new Error('failed');
      void reactor.run({ installSignalHandlers: false });
      reactor.callLater(0, () => {
        fail(failed);
        throw thrown;
      });
      await harness().until(() => log.length === 2, 'both errors have been logged');
      expect(log).to.deep.equal([
        [{ err: thrown }, 'An error in a delayed call'],
        [{ err: failed }, 'Unhandled error in Deferred'],
      ]);
    });

    it('may itself fail without harm', async () => {
      let reportCount = 0;
      const reactor = harness().createReactor({
        errorReporter: () => {
          reportCount += 1;
          throw new Error('the disk is full');
        },
      });
      void reactor.run({ installSignalHandlers: false });
      let isCalled = false;
      reactor.callLater(0, throwing('first'));
      reactor.callSoon(() => {
        fail(new Error('second'));
      });
      reactor.callLater(0.001, () => (isCalled = true));
      await harness().advance(0.002);
      await harness().until(() => isCalled && reportCount === 2);
    });

    it('makes an error of what is thrown and is none', async () => {
      const reactor = startReactor(harness());
      reactor.callSoon(() => {
        // What careless code does.
        // eslint-disable-next-line @typescript-eslint/only-throw-error
        throw 'a string';
      });
      await harness().until(() => harness().errors.length === 1);
      const [failure] = harness().errors.splice(0);
      expect(failure).to.be.instanceOf(Failure);
      expect(failure?.value).to.be.instanceOf(Error);
      expect(failure?.value.cause).to.equal('a string');
    });
  });
}

function describeHookErrors(harness: () => Harness): void {
  describe('An error in a hook of a factory', () => {
    it('in doStart comes out of listenTCP, and nothing listens', () => {
      const reactor = harness().createReactor();
      const factory = new RecordingFactory();
      factory.startFactory = throwing('not today');
      expect(() => reactor.listenTCP(0, factory)).to.throw('not today');
      expect(reactor.inspect().ports).to.deep.equal([]);
      expect(factory.numPorts).to.equal(0);
    });

    it('in doStop is reported, and the port is stopped all the same', async () => {
      const reactor = startReactor(harness());
      const factory = new RecordingFactory();
      factory.stopFactory = throwing('not stopped');
      const port = reactor.listenTCP(0, factory, { interface: '127.0.0.1' });
      await settled(harness(), port.whenListening(), 'the port is bound');
      await settled(harness(), port.stopListening(), 'the port is closed');
      expect(messages(harness())).to.deep.equal(['not stopped']);
    });

    it('in buildProtocol is reported, closes that connection, and leaves the port to others', async () => {
      const reactor = startReactor(harness());
      let attempts = 0;
      const factory = new RecordingFactory();
      const build = factory.buildProtocol.bind(factory);
      factory.buildProtocol = (address) => {
        attempts += 1;
        if (attempts === 1) throw new Error('no protocol');
        return build(address);
      };
      const port = reactor.listenTCP(0, factory, { interface: '127.0.0.1' });
      await settled(harness(), port.whenListening(), 'the port is bound');
      const refused = await harness().dial(portOf(port));
      await harness().until(() => refused.closed, 'the first connection is closed');
      expect(refused.reset).to.equal(false);
      expect(messages(harness())).to.deep.equal(['no protocol']);
      const served = await harness().dial(portOf(port));
      await nthProtocol(harness(), factory, 0);
      expect(served.closed).to.equal(false);
    });

    it('in startedConnecting, clientConnectionFailed or doStop is reported, and what follows is done', async () => {
      const reactor = startReactor(harness());
      const server = await harness().serve({ answer: 'refuse' });
      const factory = new RecordingFactory({
        startedConnecting: throwing('startedConnecting'),
        clientConnectionFailed: throwing('clientConnectionFailed'),
      });
      factory.stopFactory = throwing('stopFactory');
      const connector = reactor.connectTCP(server.host, server.port, factory);
      await harness().until(() => connector.state === 'disconnected', 'the attempt has failed');
      expect(factory.calls).to.include.members(['clientConnectionFailed', 'doStop']);
      expect(messages(harness())).to.deep.equal(['startedConnecting', 'clientConnectionFailed', 'stopFactory']);
      expect(reactor.inspect().connectors).to.deep.equal([]);
    });

    it('in clientConnectionLost is reported, after the protocol was told', async () => {
      const reactor = startReactor(harness());
      const server = await harness().serve();
      const factory = new RecordingFactory({ clientConnectionLost: throwing('clientConnectionLost') });
      reactor.connectTCP(server.host, server.port, factory);
      const protocol = await nthProtocol(harness(), factory, 0);
      protocol.transport.loseConnection();
      await harness().until(() => factory.calls.includes('stopFactory'), 'the factory is stopped');
      expect(protocol.isLost).to.equal(true);
      expect(messages(harness())).to.deep.equal(['clientConnectionLost']);
    });
  });

  describe('A protocol whose hook throws', () => {
    it('loses its connection and no other, and the reactor goes on', async () => {
      const { peer, protocol, factory, port, reactor } = await serve(harness(), {
        dataReceived: (self, data) => {
          if (data.toString() === 'bad') throw new Error('a bug');
          self.transport.write(data);
        },
      });
      const other = await harness().dial(port);
      await nthProtocol(harness(), factory, 1);
      peer.send('bad');
      await harness().until(() => protocol.isLost && peer.closed, 'the connection is lost');
      expect(messages(harness())).to.deep.equal(['a bug']);
      expect(protocol.lostBy?.message).to.equal('a bug');
      other.send('good');
      await harness().until(() => other.text() === 'good', 'the other connection answers');
      expect(reactor.running).to.equal(true);
    });

    it('has its error reported once, though the hook is async', async () => {
      class Async extends Protocol {
        override async dataReceived(): Promise<void> {
          await Promise.resolve();
          throw new Error('later');
        }
      }
      const reactor = startReactor(harness());
      const factory = new RecordingFactory();
      factory.buildProtocol = () => new Async() as never; // a port builds any protocol; this factory's type says more
      const port = reactor.listenTCP(0, factory, { interface: '127.0.0.1' });
      await settled(harness(), port.whenListening(), 'the port is bound');
      const peer = await harness().dial(portOf(port));
      peer.send('x');
      await harness().until(() => peer.closed, 'the connection is lost');
      expect(messages(harness())).to.deep.equal(['later']);
    });
  });
}
