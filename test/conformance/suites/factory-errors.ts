/** Errors in the hooks of factories, and that an error in one connection is no other's. */
import { expect } from 'chai';
import { fail, Protocol } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { listen, nthProtocol, serve, settled, startReactor, takeErrors } from '../support/connections.ts';
import { RecordingFactory } from '../support/recording-factory.ts';

function messages(harness: Harness): string[] {
  return takeErrors(harness).map((error) => error.message);
}

function throwing(message: string): () => never {
  return () => {
    throw new Error(message);
  };
}

export function describeFactoryErrors(harness: () => Harness): void {
  describe('an error in a hook of a factory', () => {
    it('in doStart comes out of the call that listens, and nothing does', () => {
      const reactor = harness().createReactor();
      const factory = new RecordingFactory();
      factory.startFactory = throwing('not today');
      expect(() => harness().listen(reactor, factory)).to.throw('not today');
      expect(reactor.inspect().ports).to.deep.equal([]);
      expect(factory.numPorts).to.equal(0);
    });

    it('in doStop is reported, and the port is stopped all the same', async () => {
      const reactor = startReactor(harness());
      const factory = new RecordingFactory();
      factory.stopFactory = throwing('not stopped');
      const { listeningPort } = await listen(harness(), reactor, factory);
      await settled(harness(), listeningPort.stopListening(), 'the port is closed');
      expect(messages(harness())).to.deep.equal(['not stopped']);
    });

    it('in startedConnecting, clientConnectionFailed or doStop is reported, and what follows is done', async () => {
      const reactor = startReactor(harness());
      const server = await harness().serve({ answer: 'refuse' });
      const factory = new RecordingFactory({
        startedConnecting: throwing('startedConnecting'),
        clientConnectionFailed: throwing('clientConnectionFailed'),
      });
      factory.stopFactory = throwing('stopFactory');
      const connector = harness().connect(reactor, server.destination, factory);
      await harness().until(() => connector.state === 'disconnected', 'the attempt has failed');
      expect(factory.calls).to.include.members(['clientConnectionFailed', 'doStop']);
      expect(messages(harness())).to.deep.equal(['startedConnecting', 'clientConnectionFailed', 'stopFactory']);
      expect(reactor.inspect().connectors).to.deep.equal([]);
    });

    it('in clientConnectionLost is reported, after the protocol was told', async () => {
      const reactor = startReactor(harness());
      const server = await harness().serve();
      const factory = new RecordingFactory({ clientConnectionLost: throwing('clientConnectionLost') });
      harness().connect(reactor, server.destination, factory);
      const protocol = await nthProtocol(harness(), factory, 0);
      protocol.transport.loseConnection();
      await harness().until(() => factory.calls.includes('stopFactory'), 'the factory is stopped');
      expect(protocol.isLost).to.equal(true);
      expect(messages(harness())).to.deep.equal(['clientConnectionLost']);
    });
  });

  describe('a protocol whose hook throws', () => {
    it('loses its connection and no other, and the reactor goes on', async () => {
      const { peer, protocol, factory, destination, reactor } = await serve(harness(), {
        dataReceived: (self, data) => {
          if (data.toString() === 'bad') throw new Error('a bug');
          self.transport.write(data);
        },
      });
      const other = await harness().dial(destination);
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
      const { destination } = await listen(harness(), reactor, factory);
      const peer = await harness().dial(destination);
      peer.send('x');
      await harness().until(() => peer.closed, 'the connection is lost');
      expect(messages(harness())).to.deep.equal(['later']);
    });
  });

  it('an error that no Deferred handles is reported when it arises in a hook', async () => {
    const { peer } = await serve(harness(), { dataReceived: () => void fail(new Error('in a hook')) });
    peer.send('x');
    await harness().until(() => harness().errors.length > 0, 'the error has been reported');
    expect(messages(harness())).to.deep.equal(['in a hook']);
  });
}
