/** Law 8: an error thrown by a hook is reported, and costs that one connection. */
import { expect } from 'chai';
import { ConnectionAborted, ConnectionDone } from 'ropewalk/core';
import type { Harness, Peer } from '../harness.ts';
import {
  expectReset,
  join,
  listen,
  nthProtocol,
  roundTrip,
  serve,
  serveHalfClose,
  startReactor,
  takeErrors,
  untilLost,
} from '../support/connections.ts';
import { RecordingFactory } from '../support/recording-factory.ts';
import { type HookName, type Hooks, RecordingProtocol } from '../support/recording-protocol.ts';

/** The hooks whose errors lose the connection: how each is brought about, and its number in the reference. */
const LOSING_HOOKS: readonly {
  readonly hook: HookName;
  readonly provoke: (peer: Peer) => void;
  readonly number: string;
}[] = [
  { hook: 'connectionMade', provoke: () => {}, number: ' [34]' },
  { hook: 'dataReceived', provoke: (peer) => peer.send('x'), number: ' [33]' },
  { hook: 'readConnectionLost', provoke: (peer) => peer.end(), number: '' },
];

/** The two ways in which a hook can fail. */
const FAILURES: Readonly<Record<string, (error: Error) => () => Promise<void> | never>> = {
  'thrown by': (error) => () => {
    throw error;
  },
  'rejecting the promise of': (error) => async () => {
    throw error;
  },
};

export function describeHookErrors(harness: () => Harness): void {
  describe('an error', () => {
    for (const [how, failing] of Object.entries(FAILURES)) {
      for (const { hook, provoke, number } of LOSING_HOOKS) {
        it(`${how} ${hook} is reported once and closes the connection, cleanly for the peer${number}`, async () => {
          const h = harness();
          const error = new Error('a bug');
          const fail = failing(error);
          const hooks: Hooks = {
            [hook]: ({ transport }: RecordingProtocol) => {
              transport.write('written before');
              return fail();
            },
          };
          const { protocol, peer, reactor } = await serveHalfClose(h, hooks);
          provoke(peer);
          await untilLost(h, protocol);
          await h.until(() => peer.closed, 'the peer has closed too');
          await roundTrip(h, reactor);
          expect(takeErrors(h)).to.deep.equal([error]);
          expect(protocol.lostBy).to.equal(error);
          expect(protocol.calls.filter((call) => call === 'connectionLost')).to.have.length(1);
          expect(peer.text()).to.equal('written before');
          expect(peer.reset).to.be.false;
        });
      }

      it(`${how} writeConnectionLost is reported once and closes the connection`, async () => {
        const h = harness();
        const error = new Error('a bug');
        const { protocol, peer } = await serveHalfClose(
          h,
          { writeConnectionLost: failing(error) },
          { allowHalfOpen: true },
        );
        protocol.transport.loseWriteConnection();
        await untilLost(h, protocol);
        peer.end();
        await h.until(() => peer.closed, 'both halves are closed');
        expect(takeErrors(h)).to.deep.equal([error]);
        expect(protocol.lostBy).to.equal(error);
        expect(peer.reset).to.be.false;
      });

      it(`${how} connectionLost is only reported, and the connector goes on`, async () => {
        const h = harness();
        const error = new Error('a bug');
        const { client, server, clientFactory } = await join(h, { client: { connectionLost: failing(error) } });
        server.transport.loseConnection();
        await untilLost(h, client);
        await h.until(() => h.errors.length > 0, 'the error has been reported');
        expect(takeErrors(h)).to.deep.equal([error]);
        expect(client.lostBy).to.be.instanceOf(ConnectionDone);
        expect(clientFactory.calls.slice(-3)).to.deep.equal(['clientConnectionLost', 'doStop', 'stopFactory']);
        expect(clientFactory.reasons[0]).to.be.instanceOf(ConnectionDone);
      });
    }

    it('in a hook of a client loses its connection and is the reason the connector hears, too [34]', async () => {
      const h = harness();
      const error = new Error('a bug');
      const { client, server, clientFactory } = await join(h, {
        client: {
          connectionMade: () => {
            throw error;
          },
        },
      });
      await untilLost(h, client);
      await untilLost(h, server);
      expect(takeErrors(h)).to.deep.equal([error]);
      expect(client.lostBy).to.equal(error);
      expect(clientFactory.reasons).to.deep.equal([error]);
      expect(server.lostBy).to.be.instanceOf(ConnectionDone);
    });

    it('that is no Error is reported as one', async () => {
      const h = harness();
      const { protocol, peer } = await serve(h, {
        dataReceived: () => {
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- programs do this
          throw 'a string';
        },
      });
      peer.send('x');
      await untilLost(h, protocol);
      const [error] = takeErrors(h);
      expect(error).to.be.instanceOf(Error);
      expect(error?.message).to.include('a string');
      expect(protocol.lostBy).to.equal(error);
    });

    it('delivers nothing more, and costs no other connection [33]', async () => {
      const h = harness();
      const { protocol, peer, destination, factory, reactor } = await serve(h, {
        dataReceived: (_protocol, data) => {
          if (data.includes('bad')) throw new Error('a bug');
        },
      });
      const otherPeer = await h.dial(destination);
      const other = await nthProtocol(h, factory, 1);
      peer.send('bad');
      await untilLost(h, protocol);
      peer.send('more');
      otherPeer.send('good');
      await h.until(() => other.text === 'good', 'the other connection lives on');
      await roundTrip(h, reactor);
      expect(takeErrors(h)).to.have.length(1);
      expect(protocol.text).to.equal('bad');
      expect(other.isLost).to.be.false;
    });

    it('after loseConnection in the same hook is the reason all the same', async () => {
      const h = harness();
      const error = new Error('a bug');
      const { protocol, peer } = await serve(h, {
        connectionMade: ({ transport }) => {
          transport.write('written before');
          transport.loseConnection();
          throw error;
        },
      });
      await untilLost(h, protocol);
      await h.until(() => peer.closed, 'the peer has closed too');
      expect(takeErrors(h)).to.deep.equal([error]);
      expect(protocol.lostBy).to.equal(error);
      expect(peer.text()).to.equal('written before');
    });

    it('after abortConnection is only reported', async () => {
      const h = harness();
      const error = new Error('a bug');
      const { protocol, peer } = await serve(h, {
        connectionMade: ({ transport }) => {
          transport.abortConnection();
          throw error;
        },
      });
      await untilLost(h, protocol);
      await h.until(() => peer.closed, 'the peer has seen the end');
      expect(takeErrors(h)).to.deep.equal([error]);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionAborted);
      expectReset(h, peer);
    });

    it('of a hook whose promise rejects after the connection was lost is only reported', async () => {
      const h = harness();
      const error = new Error('a bug');
      let reject = (_error: Error): void => undefined;
      const { protocol, peer } = await serve(h, {
        connectionMade: () =>
          new Promise<void>((_resolve, rejectPromise) => {
            reject = rejectPromise;
          }),
      });
      peer.end();
      await untilLost(h, protocol);
      reject(error);
      await h.until(() => h.errors.length > 0, 'the error has been reported');
      expect(takeErrors(h)).to.deep.equal([error]);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
    });
  });

  describeBuildProtocol(harness);
}

function describeBuildProtocol(harness: () => Harness): void {
  describe('buildProtocol of a port', () => {
    it('may return null, which closes the connection and reports nothing [35]', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const factory: RecordingFactory = new RecordingFactory({
        buildProtocol: () => (factory.addresses.length === 1 ? null : new RecordingProtocol()),
      });
      const { destination } = await listen(h, reactor, factory);
      const refused = await h.dial(destination);
      refused.send('hello?');
      await h.until(() => refused.closed, 'the connection has been closed');
      expect(refused.received.length).to.equal(0);
      await h.dial(destination);
      await nthProtocol(h, factory, 0);
      expect(h.errors).to.deep.equal([]);
      expect(reactor.inspect().connections).to.have.length(1);
    });

    it('may throw, which closes the connection and is reported; the port goes on', async () => {
      const h = harness();
      const error = new Error('a bug');
      const reactor = startReactor(h);
      const factory: RecordingFactory = new RecordingFactory({
        buildProtocol: () => {
          if (factory.addresses.length === 1) throw error;
          return new RecordingProtocol();
        },
      });
      const { destination } = await listen(h, reactor, factory);
      const refused = await h.dial(destination);
      await h.until(() => refused.closed, 'the connection has been closed');
      expect(refused.reset).to.be.false;
      expect(takeErrors(h)).to.deep.equal([error]);
      await h.dial(destination);
      await nthProtocol(h, factory, 0);
    });

    it('is given the address of the peer [35]', async () => {
      const h = harness();
      const { factory, peer } = await serve(h);
      expect(factory.addresses[0]!.equals(peer.getHost())).to.be.true;
    });
  });
}
