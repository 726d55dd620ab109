import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import {
  AsyncConnection,
  type AsyncConnectionOptions,
  ConnectionAborted,
  ConnectionDone,
  ConnectionLost,
  connectProtocol,
  ConnectionRefusedError,
  TCP4ClientEndpoint,
} from 'ropewalk/core';
import { type ScriptedPeer, type ScriptedPeerOptions, TestReactor } from 'ropewalk/testing';

const MARK_BYTES = 65_536;

interface Served {
  readonly reactor: TestReactor;
  readonly connection: AsyncConnection;
  readonly peer: ScriptedPeer;
}

async function serve(options: AsyncConnectionOptions = {}, peerOptions: ScriptedPeerOptions = {}): Promise<Served> {
  const reactor = new TestReactor();
  const connection = new AsyncConnection(options);
  const port = reactor.listenTCP(7, { buildProtocol: () => connection, doStart() {}, doStop() {} });
  const peer = reactor.dial(7, peerOptions);
  await reactor.advanceAsync(0);
  void port.stopListening();
  await reactor.advanceAsync(0);
  return { reactor, connection, peer };
}

/** Runs some code, and remembers how it ended. */
function running(work: () => Promise<void>): { outcome: 'running' | 'ended' | Error } {
  const state: { outcome: 'running' | 'ended' | Error } = { outcome: 'running' };
  work().then(
    () => {
      state.outcome = 'ended';
    },
    (error: unknown) => {
      state.outcome = error as Error; // nothing else is thrown here
    },
  );
  return state;
}

/** Reads to the end. */
async function drain(connection: AsyncConnection): Promise<void> {
  let chunk: Buffer | undefined;
  do chunk = await connection.read();
  while (chunk !== undefined);
}

describe('AsyncConnection', () => {
  let served: Served;

  afterEach(async () => {
    served.connection.transport.abortConnection();
    await served.reactor.advanceAsync(0);
    served.reactor.assertClean();
  });

  describe('iterated', () => {
    it('gives what the peer sends until it ends, then closes', async () => {
      served = await serve();
      const { reactor, connection, peer } = served;
      const loop = running(async () => {
        for await (const chunk of connection) await connection.write(`${String(chunk)}!`);
      });
      for (const word of ['one', 'two', 'three']) {
        peer.send(word);
        await reactor.advanceAsync(0);
      }
      expect(peer.text()).to.equal('one!two!three!');
      expect(loop.outcome).to.equal('running');
      peer.end();
      await reactor.advanceAsync(0);
      expect(loop.outcome).to.equal('ended');
      expect(peer.reason?.value).to.be.instanceOf(ConnectionDone);
    });

    it('sends what is written by the time the loop is over, the reply to the last bytes too', async () => {
      served = await serve();
      const { reactor, connection, peer } = served;
      peer.send('question');
      peer.end();
      const loop = running(async () => {
        for await (const chunk of connection) {
          await Promise.resolve();
          await connection.write(`answer to ${String(chunk)}`);
        }
      });
      await reactor.advanceAsync(0);
      expect(peer.text()).to.equal('answer to question');
      expect(loop.outcome).to.equal('ended');
      expect(peer.closed).to.be.true;
    });

    it('stays open for writing after the end of the peer if it allows half-open connections', async () => {
      served = await serve({ allowHalfOpen: true });
      const { reactor, connection, peer } = served;
      const loop = running(async () => {
        await drain(connection);
        await connection.write('still here');
        await connection.close();
      });
      peer.end();
      await reactor.advanceAsync(0);
      expect(peer.text()).to.equal('still here');
      expect(loop.outcome).to.equal('ended');
    });

    it('pauses the transport while the loop is slow, and gives everything in order', async () => {
      served = await serve();
      const { reactor, connection, peer } = served;
      const sent = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 7) % 251));
      peer.send(sent);
      peer.end();
      await reactor.advanceAsync(1);
      const chunks: Buffer[] = [];
      let goOn = (): void => undefined;
      const loop = running(async () => {
        for await (const chunk of connection) {
          chunks.push(chunk);
          await new Promise<void>((resolve) => {
            goOn = resolve;
          });
        }
      });
      await reactor.advanceAsync(0);
      let heldBytes = 0;
      for (let round = 0; loop.outcome === 'running'; round += 1) {
        expect(round, 'the loop ends').to.be.lessThan(1000);
        const before = chunks.length;
        await reactor.advanceAsync(1);
        expect(chunks.length).to.equal(before);
        heldBytes = Math.max(heldBytes, chunks.at(-1)?.length ?? 0);
        goOn();
        await reactor.advanceAsync(0);
      }
      expect(loop.outcome).to.equal('ended');
      expect(sent.equals(Buffer.concat(chunks))).to.be.true;
      expect(heldBytes).to.be.at.most(MARK_BYTES);
    });

    it('holds no more than the high-water mark and one chunk', async () => {
      served = await serve({ highWaterMark: 10 });
      const { reactor, connection, peer } = served;
      peer.send('0123456789a');
      await reactor.advanceAsync(0);
      peer.send('not delivered');
      peer.end();
      await reactor.advanceAsync(0);
      let received = 0;
      const dataReceived = connection.dataReceived.bind(connection);
      connection.dataReceived = (data) => {
        received += 1;
        dataReceived(data);
      };
      await reactor.advanceAsync(1);
      expect(received).to.equal(0);
      expect(String(await connection.read())).to.equal('0123456789a');
      await reactor.advanceAsync(0);
      expect(received).to.equal(1);
      expect(String(await connection.read())).to.equal('not delivered');
      await reactor.advanceAsync(0);
      expect(await connection.read()).to.equal(undefined);
    });

    it('closes the connection when the loop is left', async () => {
      served = await serve();
      const { reactor, connection, peer } = served;
      const loop = running(async () => {
        for await (const chunk of connection) {
          void connection.write(`last: ${String(chunk)}`);
          break;
        }
      });
      peer.send('first');
      await reactor.advanceAsync(0);
      expect(loop.outcome).to.equal('ended');
      expect(peer.text()).to.equal('last: first');
      expect(peer.reason?.value).to.be.instanceOf(ConnectionDone);
    });

    it('closes the connection when the body of the loop throws', async () => {
      served = await serve();
      const { reactor, connection, peer } = served;
      const loop = running(async () => {
        for await (const chunk of connection) throw new RangeError(`a bad message: ${String(chunk)}`);
      });
      peer.send('first');
      await reactor.advanceAsync(0);
      expect(loop.outcome).to.be.instanceOf(RangeError);
      expect(peer.closed).to.be.true;
    });

    it('throws a loss that was not in order, after what came before', async () => {
      served = await serve();
      const { reactor, connection, peer } = served;
      peer.send('before');
      await reactor.advanceAsync(0);
      peer.abort();
      await reactor.advanceAsync(0);
      const chunks: string[] = [];
      const loop = running(async () => {
        for await (const chunk of connection) chunks.push(String(chunk));
      });
      await reactor.advanceAsync(0);
      expect(chunks).to.deep.equal(['before']);
      expect(loop.outcome).to.be.instanceOf(ConnectionLost);
    });

    it('throws when the reactor stops, and when the transport is aborted here', async () => {
      served = await serve();
      const { reactor, connection } = served;
      const loop = running(async () => {
        await drain(connection);
      });
      connection.transport.abortConnection();
      await reactor.advanceAsync(0);
      expect(loop.outcome).to.be.instanceOf(ConnectionAborted);
    });

    it('goes on where the last loop stopped', async () => {
      served = await serve();
      const { reactor, connection, peer } = served;
      peer.send('one');
      await reactor.advanceAsync(0);
      const iterator = connection[Symbol.asyncIterator]();
      expect(iterator[Symbol.asyncIterator]()).to.equal(iterator);
      expect(String((await iterator.next()).value)).to.equal('one');
      peer.send('two');
      await reactor.advanceAsync(0);
      expect(String((await connection[Symbol.asyncIterator]().next()).value)).to.equal('two');
    });
  });

  describe('read', () => {
    it('waits for bytes, and gives undefined at the end, again and again', async () => {
      served = await serve();
      const { reactor, connection, peer } = served;
      const chunk = connection.read();
      peer.send('here');
      await reactor.advanceAsync(0);
      expect(String(await chunk)).to.equal('here');
      peer.end();
      await reactor.advanceAsync(0);
      expect(await connection.read()).to.equal(undefined);
      expect(await connection.read()).to.equal(undefined);
    });

    it('is for one at a time', async () => {
      served = await serve();
      const { connection, peer, reactor } = served;
      const first = connection.read();
      expect(() => connection.read()).to.throw('being read already');
      peer.end();
      await reactor.advanceAsync(0);
      expect(await first).to.equal(undefined);
    });
  });

  describe('write', () => {
    it('resolves at once while there is room, and when all has left when there is none', async () => {
      served = await serve({}, { reading: false });
      const { reactor, connection, peer } = served;
      await connection.write('room');
      let hasLeft = 0;
      const large = connection.write(Buffer.alloc(1_000_000)).then(() => (hasLeft += 1));
      const more = connection.write('more').then(() => (hasLeft += 1));
      await reactor.advanceAsync(1);
      expect(hasLeft).to.equal(0);
      peer.resume();
      await reactor.advanceAsync(2);
      expect(hasLeft).to.equal(2);
      await Promise.all([large, more]);
      await connection.write('room again');
      await reactor.advanceAsync(0);
      expect(peer.received.length).to.equal(1_000_018);
    });

    it('rejects with the reason if the connection is lost before all has left', async () => {
      served = await serve({}, { reading: false });
      const { reactor, connection, peer } = served;
      const written = running(() => connection.write(Buffer.alloc(1_000_000)));
      await reactor.advanceAsync(0);
      peer.abort();
      await reactor.advanceAsync(0);
      expect(written.outcome).to.be.instanceOf(ConnectionLost);
    });

    it('rejects on a connection that is lost, or being closed, which bothers nobody who does not wait', async () => {
      served = await serve();
      const { reactor, connection } = served;
      void connection.close();
      const closing = running(() => connection.write('too late'));
      void connection.write('nobody waits for this');
      await reactor.advanceAsync(0);
      expect(closing.outcome).to.be.instanceOf(ConnectionDone);
      const closed = running(() => connection.write('much too late'));
      await reactor.advanceAsync(0);
      expect(closed.outcome).to.be.instanceOf(ConnectionDone);
    });

    it('refuses what is no data at once', async () => {
      served = await serve();
      expect(() => served.connection.write(5 as unknown as string)).to.throw(TypeError);
    });
  });

  describe('close', () => {
    it('sends what was written, resolves when the connection is lost, and ends who is reading', async () => {
      served = await serve();
      const { reactor, connection, peer } = served;
      peer.send('unread');
      await reactor.advanceAsync(0);
      void connection.write('bye');
      const closed = running(() => connection.close());
      expect(await connection.read()).to.equal(undefined);
      expect(closed.outcome).to.equal('running');
      await reactor.advanceAsync(0);
      expect(closed.outcome).to.equal('ended');
      expect(peer.text()).to.equal('bye');
      await connection[Symbol.asyncDispose]();
    });

    it('ends a read that is under way', async () => {
      served = await serve();
      const read = served.connection.read();
      void served.connection.close();
      expect(await read).to.equal(undefined);
    });

    it('resolves also if the connection breaks meanwhile', async () => {
      served = await serve({}, { reading: false });
      const { reactor, connection, peer } = served;
      void connection.write(Buffer.alloc(1_000_000));
      const closed = running(() => connection.close());
      await reactor.advanceAsync(1);
      expect(closed.outcome).to.equal('running');
      peer.abort();
      await reactor.advanceAsync(0);
      expect(closed.outcome).to.equal('ended');
    });
  });

  describe('when the reactor drains', () => {
    it('has a signal, by which a loop ends between two messages', async () => {
      served = await serve();
      const { reactor, connection, peer } = served;
      const loop = running(async () => {
        for await (const chunk of connection) {
          await connection.write(`answer to ${String(chunk)}`);
          if (connection.draining.aborted) break;
        }
      });
      peer.send('one');
      await reactor.advanceAsync(0);
      expect(connection.draining.aborted).to.be.false;
      reactor.stop({ drainSeconds: 60 });
      await reactor.advanceAsync(1);
      expect(loop.outcome).to.equal('running');
      expect(connection.draining.aborted).to.be.true;
      peer.send('two');
      await reactor.advanceAsync(0);
      expect(loop.outcome).to.equal('ended');
      expect(peer.text()).to.equal('answer to oneanswer to two');
      expect(reactor.running, 'there was nothing more to wait for').to.be.false;
    });

    it('can be closed while a loop waits for more', async () => {
      served = await serve();
      const { reactor, connection, peer } = served;
      connection.draining.addEventListener('abort', () => void connection.close());
      const loop = running(() => drain(connection));
      reactor.stop({ drainSeconds: 60 });
      await reactor.advanceAsync(0);
      expect(loop.outcome).to.equal('ended');
      expect(peer.reason?.value).to.be.instanceOf(ConnectionDone);
      expect(reactor.running).to.be.false;
    });
  });

  describe('before it has a connection', () => {
    it('throws when it is read or written, for there may never be one', async () => {
      served = await serve();
      const early = new AsyncConnection();
      expect(() => early.read()).to.throw('no connection yet');
      expect(() => early.write('too early')).to.throw('no connection yet');
      const loop = running(() => drain(early));
      await served.reactor.advanceAsync(0);
      expect(loop.outcome).to.be.instanceOf(Error).with.property('message').that.includes('no connection yet');
    });

    it('can be closed, and then ends, and aborts a connection that comes after all', async () => {
      served = await serve();
      const { reactor } = served;
      const early = new AsyncConnection();
      let isMade = false;
      early.connectionMade = () => {
        isMade = true;
      };
      await early.close();
      await early.close();
      expect(await early.read()).to.equal(undefined);
      for (let count = 0; count < 2; count += 1) {
        const written = running(() => early.write('too late'));
        await reactor.advanceAsync(0);
        expect(written.outcome).to.be.instanceOf(ConnectionDone);
      }
      const port = reactor.listenTCP(8, { buildProtocol: () => early, doStart() {}, doStop() {} });
      const peer = reactor.dial(8);
      await reactor.advanceAsync(0);
      expect(peer.reason?.value).to.be.instanceOf(ConnectionLost);
      expect(isMade, 'connectionMade').to.be.false;
      expect(await early.read()).to.equal(undefined);
      await early.close();
      void port.stopListening();
    });

    it('can be disposed of, which hides no error of an endpoint', async () => {
      served = await serve();
      const { reactor } = served;
      const outcome = running(async () => {
        await using connection = new AsyncConnection();
        await connectProtocol(new TCP4ClientEndpoint(reactor, '127.0.0.1', 9), connection);
      });
      await reactor.advanceAsync(0);
      expect(outcome.outcome).to.be.instanceOf(ConnectionRefusedError);
    });
  });

  it('refuses options that cannot be', async () => {
    expect(() => new AsyncConnection({ highWaterMark: 0 })).to.throw(RangeError);
    expect(() => new AsyncConnection({ size: 1 } as object)).to.throw(TypeError);
    served = await serve();
  });
});
