import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { expect } from 'chai';
import {
  ConnectionAborted,
  ConnectionDone,
  ConnectionLost,
  duplexFactory,
  DuplexProtocol,
  WriteBufferLimitError,
} from 'ropewalk';
import { TestReactor } from 'ropewalk/testing';
import { closeServed, eventsOf, pattern, type ServedDuplex, serveDuplex } from './support/served-duplex.ts';

const MARK_BYTES = 65_536;

/** Fails if the promise is not settled by what happens at this instant. */
async function now<T>(served: ServedDuplex, promise: Promise<T>): Promise<T> {
  await served.reactor.advanceAsync(0);
  return Promise.race([promise, Promise.reject(new Error('not settled yet'))]);
}

describe('DuplexProtocol', () => {
  let served: ServedDuplex;

  afterEach(async () => {
    await closeServed(served);
  });

  describe('reading', () => {
    it('gives what the peer sends, and its end', async () => {
      served = await serveDuplex();
      const { reactor, duplex, peer } = served;
      const chunks: Buffer[] = [];
      duplex.on('data', (chunk: Buffer) => chunks.push(chunk));
      peer.send('hello, ');
      await reactor.advanceAsync(0);
      peer.send('world');
      peer.end();
      await reactor.advanceAsync(0);
      expect(Buffer.concat(chunks).toString()).to.equal('hello, world');
      expect(duplex.bytesRead).to.equal(12);
      expect(served.events).to.deep.equal(['end', 'finish', 'close']);
    });

    it('pauses the transport when nobody reads, and resumes it when somebody does', async () => {
      served = await serveDuplex();
      const { reactor, duplex, peer } = served;
      const sent = pattern(1_000_000);
      peer.send(sent);
      peer.end();
      await reactor.advanceAsync(1);
      expect(duplex.readableLength).to.be.within(MARK_BYTES, 2 * MARK_BYTES);
      const chunks: Buffer[] = [];
      duplex.on('data', (chunk: Buffer) => chunks.push(chunk));
      await reactor.advanceAsync(1);
      expect(sent.equals(Buffer.concat(chunks))).to.be.true;
      expect(served.events).to.deep.equal(['end', 'finish', 'close']);
    });

    it('keeps as much as it is asked to', async () => {
      served = await serveDuplex({ readableHighWaterMark: 10 });
      served.peer.send('0123456789');
      await served.reactor.advanceAsync(0);
      served.peer.send('more');
      await served.reactor.advanceAsync(0);
      expect(served.duplex.readableLength).to.equal(10);
    });

    it('gives what was received in order even if it is read after the connection is over', async () => {
      served = await serveDuplex();
      const { reactor, duplex, peer } = served;
      peer.send('a late reader');
      peer.end();
      await reactor.advanceAsync(0);
      duplex.end();
      await reactor.advanceAsync(0);
      expect(reactor.inspect().connections).to.deep.equal([]);
      expect(served.events).to.deep.equal(['finish']);
      expect(await now(served, duplex.toArray())).to.deep.equal([Buffer.from('a late reader')]);
    });

    it('tells of the end also if there is nothing to read and nobody reads', async () => {
      served = await serveDuplex();
      served.peer.end();
      await served.reactor.advanceAsync(0);
      expect(served.events).to.deep.equal(['end', 'finish', 'close']);
    });
  });

  describe('writing', () => {
    it('sends in order, and calls back when it has left', async () => {
      served = await serveDuplex();
      const { reactor, duplex, peer } = served;
      const left: string[] = [];
      duplex.write('one ', () => left.push('one'));
      duplex.write(Buffer.from('two '), () => left.push('two'));
      duplex.write('three', () => left.push('three'));
      expect(left).to.deep.equal([]);
      expect(duplex.bytesWritten).to.equal(13);
      await reactor.advanceAsync(0);
      expect(peer.text()).to.equal('one two three');
      expect(left).to.deep.equal(['one', 'two', 'three']);
      expect(duplex.bytesWritten).to.equal(13);
    });

    it('sends strings in the encoding that is given', async () => {
      served = await serveDuplex();
      served.duplex.write('00ff', 'hex');
      served.duplex.end('é', 'latin1');
      await served.reactor.advanceAsync(0);
      expect(served.peer.received).to.deep.equal(Buffer.from([0x00, 0xff, 0xe9]));
    });

    it('calls back only when the bytes may be changed', async () => {
      served = await serveDuplex({}, { reading: false, window: 4096 });
      const { reactor, duplex, peer } = served;
      const reused = Buffer.alloc(2 * MARK_BYTES, 'a');
      let hasLeft = false;
      duplex.write(reused, () => {
        hasLeft = true;
        reused.fill('b');
      });
      await reactor.advanceAsync(1);
      expect(hasLeft).to.be.false;
      peer.resume();
      await reactor.advanceAsync(4);
      expect(hasLeft).to.be.true;
      expect(peer.received.equals(Buffer.alloc(reused.length, 'a'))).to.be.true;
    });

    it('asks to wait over the high-water mark, and emits drain when all has left', async () => {
      served = await serveDuplex({ writableHighWaterMark: 10 }, { reading: false });
      const { reactor, duplex, peer } = served;
      duplex.write(pattern(1_000_000));
      expect(duplex.write('more')).to.be.false;
      let hasDrained = false;
      duplex.on('drain', () => {
        hasDrained = true;
      });
      await reactor.advanceAsync(1);
      expect(hasDrained).to.be.false;
      peer.resume();
      await reactor.advanceAsync(10);
      expect(hasDrained).to.be.true;
      expect(peer.received.length).to.equal(1_000_004);
    });

    it('takes more in one write than a connection may have waiting', async () => {
      served = await serveDuplex({}, { window: 2 ** 28 });
      const { reactor, duplex, peer } = served;
      const bytes = 2 ** 27 + 1;
      duplex.end(Buffer.alloc(bytes));
      await reactor.advanceAsync(0);
      expect(peer.received.length).to.equal(bytes);
      expect(peer.reason?.value).to.be.instanceOf(ConnectionDone);
    }).timeout(20_000);

    describe('beyond the write-buffer limit', () => {
      const LIMIT = { writableHighWaterMark: 1000, writeBufferLimit: 10_000 };

      it('destroys it with the error, and aborts the connection', async () => {
        served = await serveDuplex(LIMIT, { reading: false });
        const { reactor, duplex, peer } = served;
        const failures: unknown[] = [];
        for (let count = 0; count < 300 && !duplex.destroyed; count += 1) {
          duplex.write(Buffer.alloc(1000), (error) => {
            if (error) failures.push(error.name);
          });
        }
        expect(duplex.destroyed).to.be.true;
        expect(duplex.writableLength).to.be.within(10_001, 12_000);
        expect(duplex.write('more'), 'once it is destroyed').to.be.false;
        await reactor.advanceAsync(0);
        expect(duplex.errored).to.be.instanceOf(WriteBufferLimitError);
        expect(duplex.errored).to.include({ limitBytes: 10_000, bufferedBytes: 12_000 });
        expect(served.events).to.deep.equal(['WriteBufferLimitError', 'close']);
        expect(failures).to.have.length(12);
        peer.resume();
        await reactor.advanceAsync(1);
        expect(peer.reason?.value).to.be.instanceOf(ConnectionLost);
      });

      it('does so for a last write as well', async () => {
        served = await serveDuplex(LIMIT, { reading: false });
        served.duplex.write(Buffer.alloc(9000));
        served.duplex.write(Buffer.alloc(9000));
        served.duplex.end('x'.repeat(1001));
        await served.reactor.advanceAsync(0);
        expect(served.events).to.deep.equal(['WriteBufferLimitError', 'close']);
      });

      it('counts what is written before there is a connection', async () => {
        served = await serveDuplex();
        const duplex = new DuplexProtocol(served.reactor, LIMIT);
        const events = eventsOf(duplex);
        for (let count = 0; count < 12; count += 1) duplex.write('x'.repeat(1000));
        await served.reactor.advanceAsync(0);
        expect(events).to.deep.equal(['WriteBufferLimitError', 'close']);
      });

      it('does not count the largest write, with a little before and behind it', async () => {
        served = await serveDuplex(LIMIT);
        const { reactor, duplex, peer } = served;
        duplex.cork();
        duplex.write('head');
        duplex.write(Buffer.alloc(50_000));
        duplex.write('tail');
        duplex.uncork();
        duplex.write(Buffer.alloc(9000));
        await reactor.advanceAsync(1);
        expect(peer.received.length).to.equal(59_008);
        duplex.write(Buffer.alloc(9000));
        duplex.write(Buffer.alloc(9000));
        await reactor.advanceAsync(1);
        expect(duplex.destroyed, 'the count begins anew when all has left').to.be.false;
        expect(peer.received.length).to.equal(77_008);
      });

      it('has the limit of the connection, if it has none of its own', async () => {
        served = await serveDuplex({}, { reading: false });
        const { reactor } = served;
        const duplexes: DuplexProtocol[] = [];
        const port = reactor.listenTCP(
          8,
          duplexFactory(reactor, (duplex) => void duplexes.push(duplex)),
          { writeBufferLimit: 1_000_000 },
        );
        reactor.dial(8, { reading: false });
        await reactor.advanceAsync(0);
        const [duplex] = duplexes;
        const events = eventsOf(duplex!);
        for (let count = 0; count < 300; count += 1) duplex!.write(Buffer.alloc(1_000_000));
        expect(duplex!.writableLength).to.be.below(4_000_000);
        await reactor.advanceAsync(0);
        expect(events).to.deep.equal(['WriteBufferLimitError', 'close']);
        void port.stopListening();
      });

      it('has a limit that is checked', async () => {
        served = await serveDuplex();
        const { reactor } = served;
        expect(() => new DuplexProtocol(reactor, { writeBufferLimit: 65_535 })).to.throw(
          RangeError,
          'writeBufferLimit',
        );
        expect(() => new DuplexProtocol(reactor, { writeBufferLimit: 0.5 })).to.throw(RangeError, 'writeBufferLimit');
        expect(() => new DuplexProtocol(reactor, { limit: 1 } as object)).to.throw(TypeError, 'limit');
      });
    });

    it('calls back for a write of nothing', async () => {
      served = await serveDuplex();
      let called = false;
      served.duplex.write('', () => {
        called = true;
      });
      await served.reactor.advanceAsync(0);
      expect(called).to.be.true;
    });

    it('fails what has not left when the connection is lost', async () => {
      served = await serveDuplex({}, { reading: false });
      const { reactor, duplex, peer } = served;
      const failures: unknown[] = [];
      duplex.write(pattern(1_000_000), (error) => failures.push(error?.name));
      duplex.write('waits behind it', (error) => failures.push(error?.name));
      await reactor.advanceAsync(0);
      peer.abort();
      await reactor.advanceAsync(0);
      expect(failures).to.deep.equal(['ConnectionLost', 'ConnectionLost']);
      expect(served.events).to.deep.equal(['ConnectionLost', 'close']);
    });
  });

  describe('half-closed', () => {
    it('is ended when the peer has ended, unless it allows half-open connections', async () => {
      served = await serveDuplex();
      const { reactor, duplex, peer } = served;
      duplex.write('before the end');
      peer.end();
      duplex.resume();
      await reactor.advanceAsync(0);
      expect(peer.text()).to.equal('before the end');
      expect(peer.ended).to.be.true;
      expect(served.events).to.deep.equal(['end', 'finish', 'close']);
    });

    it('can be written to after the peer has ended if it allows half-open connections', async () => {
      served = await serveDuplex({ allowHalfOpen: true });
      const { reactor, duplex, peer } = served;
      duplex.resume();
      peer.end();
      await reactor.advanceAsync(0);
      expect(served.events).to.deep.equal(['end']);
      expect(duplex.readyState).to.equal('writeOnly');
      duplex.end('afterwards');
      await reactor.advanceAsync(0);
      expect(peer.text()).to.equal('afterwards');
      expect(served.events).to.deep.equal(['end', 'finish', 'close']);
    });

    it('can be read from after it has ended', async () => {
      served = await serveDuplex({}, { allowHalfOpen: true });
      const { reactor, duplex, peer } = served;
      const chunks: string[] = [];
      duplex.on('data', (chunk: Buffer) => chunks.push(String(chunk)));
      duplex.end('question');
      await reactor.advanceAsync(0);
      expect(peer.ended).to.be.true;
      expect(served.events).to.deep.equal(['finish']);
      expect(duplex.readyState).to.equal('readOnly');
      peer.send('answer');
      peer.end();
      await reactor.advanceAsync(0);
      expect(chunks).to.deep.equal(['answer']);
      expect(served.events).to.deep.equal(['finish', 'end', 'close']);
    });
  });

  describe('destroyed', () => {
    it('closes in order if all has left', async () => {
      served = await serveDuplex();
      const { reactor, duplex, peer } = served;
      duplex.write('bye');
      await reactor.advanceAsync(0);
      duplex.destroy();
      await reactor.advanceAsync(0);
      expect(peer.reason?.value).to.be.instanceOf(ConnectionDone);
      expect(served.events).to.deep.equal(['close']);
    });

    it('aborts if something has not left', async () => {
      served = await serveDuplex();
      const { reactor, duplex, peer } = served;
      const failures: unknown[] = [];
      duplex.write('never', (error) => failures.push(error?.name));
      duplex.destroy();
      await reactor.advanceAsync(0);
      expect(peer.text()).to.equal('');
      expect(peer.reason?.value).to.be.instanceOf(ConnectionLost);
      expect(failures).to.deep.equal(['ConnectionAborted']);
      expect(served.events).to.deep.equal(['close']);
    });

    it('aborts with an error, which is emitted', async () => {
      served = await serveDuplex();
      const { reactor, duplex, peer } = served;
      duplex.destroy(new RangeError('a reason'));
      await reactor.advanceAsync(0);
      expect(peer.reason?.value).to.be.instanceOf(ConnectionLost);
      expect(served.events).to.deep.equal(['RangeError', 'close']);
    });

    it('by resetAndDestroy aborts in any case', async () => {
      served = await serveDuplex();
      served.duplex.resetAndDestroy();
      await served.reactor.advanceAsync(0);
      expect(served.peer.reason?.value).to.be.instanceOf(ConnectionLost);
      expect(served.events).to.deep.equal(['close']);
    });

    it('by destroySoon sends what was written, and does not wait for the peer', async () => {
      served = await serveDuplex({}, { allowHalfOpen: true });
      const { reactor, duplex, peer } = served;
      duplex.write('the last words');
      duplex.destroySoon();
      await reactor.advanceAsync(0);
      expect(peer.text()).to.equal('the last words');
      expect(served.events).to.deep.equal(['finish', 'close']);
      peer.end();
    });

    it('by destroySoon when it has ended already is destroyed at once', async () => {
      served = await serveDuplex({}, { allowHalfOpen: true });
      served.duplex.end();
      await served.reactor.advanceAsync(0);
      served.duplex.destroySoon();
      expect(served.duplex.destroyed).to.be.true;
      served.peer.end();
    });

    it('emits close when the connection is lost, not before', async () => {
      served = await serveDuplex();
      served.duplex.destroy();
      const order: string[] = [];
      served.duplex.on('close', () =>
        order.push(`close with ${served.reactor.inspect().connections.length} connections`),
      );
      await served.reactor.advanceAsync(0);
      expect(order).to.deep.equal(['close with 0 connections']);
    });

    it('delivers nothing more, a paused transport included', async () => {
      served = await serveDuplex();
      const { reactor, duplex, peer } = served;
      peer.send(pattern(4 * MARK_BYTES));
      await reactor.advanceAsync(1);
      expect(duplex.readableLength).to.be.at.least(MARK_BYTES);
      duplex.destroy();
      await reactor.advanceAsync(0);
      expect(served.events).to.deep.equal(['close']);
    });
  });

  describe('when the connection is lost', () => {
    for (const allowHalfOpen of [false, true]) {
      for (const reader of ['somebody', 'nobody']) {
        const circumstances = `after its own end, before the peer's (allowHalfOpen: ${String(allowHalfOpen)}, ${reader} reads)`;
        it(`in order ${circumstances}, it ends and closes`, async () => {
          served = await serveDuplex({ allowHalfOpen }, { allowHalfOpen: true });
          const { reactor, duplex, peer } = served;
          if (reader === 'somebody') duplex.resume();
          duplex.end('bye');
          await reactor.advanceAsync(0);
          expect(served.events).to.deep.equal(['finish']);
          duplex.transport?.loseConnection();
          await reactor.advanceAsync(0);
          expect(served.events).to.deep.equal(['finish', 'end', 'close']);
          expect(peer.text()).to.equal('bye');
          peer.end();
        });

        it(`in order at the moment of its own end (allowHalfOpen: ${String(allowHalfOpen)}, ${reader} reads), it ends and closes`, async () => {
          served = await serveDuplex({ allowHalfOpen }, { allowHalfOpen: true });
          const { reactor, duplex, peer } = served;
          if (reader === 'somebody') duplex.resume();
          duplex.end();
          duplex.transport?.loseConnection();
          await reactor.advanceAsync(0);
          expect(served.events).to.deep.equal(['finish', 'end', 'close']);
          peer.end();
        });
      }
    }

    it('in order after its own end, it closes once what came before has been read', async () => {
      served = await serveDuplex({}, { allowHalfOpen: true });
      const { reactor, duplex, peer } = served;
      peer.send('unread');
      duplex.end();
      await reactor.advanceAsync(0);
      duplex.transport?.loseConnection();
      await reactor.advanceAsync(0);
      expect(served.events).to.deep.equal(['finish']);
      expect(await now(served, duplex.toArray())).to.deep.equal([Buffer.from('unread')]);
      expect(served.events).to.deep.equal(['finish', 'end', 'close']);
      peer.end();
    });

    it('is destroyed with the reason', async () => {
      served = await serveDuplex();
      served.peer.abort();
      await served.reactor.advanceAsync(0);
      expect(served.events).to.deep.equal(['ConnectionLost', 'close']);
      expect(served.duplex.errored).to.have.property('code', 'ERR_CONNECTION_LOST');
    });

    it('gives what came before in any case', async () => {
      served = await serveDuplex();
      const { reactor, duplex, peer } = served;
      const chunks: string[] = [];
      duplex.on('data', (chunk: Buffer) => chunks.push(String(chunk)));
      peer.send('first');
      peer.abort();
      await reactor.advanceAsync(0);
      expect(chunks).to.deep.equal(['first']);
    });

    it('has the error of a reactor that stops', async () => {
      served = await serveDuplex();
      served.reactor.stop();
      await served.reactor.advanceAsync(0);
      expect(served.events).to.deep.equal(['ConnectionLost', 'close']);
    });

    it('by somebody who closes the transport ends in order, when what came before has been read', async () => {
      served = await serveDuplex();
      const { reactor, duplex, peer } = served;
      peer.send('unread');
      await reactor.advanceAsync(0);
      duplex.transport?.loseConnection();
      await reactor.advanceAsync(0);
      expect(served.events).to.deep.equal([]);
      expect(await now(served, duplex.toArray())).to.deep.equal([Buffer.from('unread')]);
      expect(served.events).to.include('close').and.not.include('ConnectionDone');
    });

    it('by somebody who closes the transport under a half-open one ends, too', async () => {
      served = await serveDuplex({ allowHalfOpen: true });
      const { reactor, duplex, peer } = served;
      duplex.resume();
      peer.end();
      await reactor.advanceAsync(0);
      duplex.transport?.loseConnection();
      await reactor.advanceAsync(0);
      expect(served.events).to.deep.equal(['end', 'close']);
    });

    it('by somebody who closes the transport fails what is written afterwards', async () => {
      served = await serveDuplex({ allowHalfOpen: true });
      const { reactor, duplex } = served;
      duplex.transport?.loseConnection();
      duplex.write('too late');
      await reactor.advanceAsync(0);
      expect(served.events).to.deep.equal(['ConnectionDone', 'close']);
    });

    it('by somebody who aborts it has that error', async () => {
      served = await serveDuplex();
      served.duplex.transport?.abortConnection();
      await served.reactor.advanceAsync(0);
      expect(served.events).to.deep.equal([ConnectionAborted.name, 'close']);
    });
  });

  describe('listeners', () => {
    it('of data that throw cost the connection, and are reported', async () => {
      served = await serveDuplex();
      const { reactor, duplex, peer } = served;
      duplex.on('data', () => {
        throw new TypeError('a bug');
      });
      peer.send('hello');
      await reactor.advanceAsync(0);
      expect(reactor.flushErrors(TypeError)).to.have.length(1);
      expect(served.events).to.deep.equal(['TypeError', 'close']);
      expect(peer.closed).to.be.true;
    });

    it('of a connection that throw cost it, and are reported', async () => {
      served = await serveDuplex();
      const { reactor } = served;
      const errors: string[] = [];
      const factory = duplexFactory(reactor, (duplex) => {
        duplex.on('error', (error) => errors.push(error.message));
        throw new Error('a bug');
      });
      const port = reactor.listenTCP(8, factory);
      const peer = reactor.dial(8);
      await reactor.advanceAsync(0);
      expect(reactor.flushErrors(Error)).to.have.length(1);
      expect(errors).to.deep.equal(['a bug']);
      expect(peer.closed).to.be.true;
      void port.stopListening();
    });
  });

  describe('when the reactor drains', () => {
    it('says so, once, and lives on until it is closed', async () => {
      served = await serveDuplex();
      const { reactor, duplex, peer } = served;
      let drains = 0;
      duplex.on('draining', () => {
        drains += 1;
      });
      reactor.stop({ drainSeconds: 60 });
      await reactor.advanceAsync(1);
      expect(drains).to.equal(1);
      duplex.end('goodbye');
      await reactor.advanceAsync(1);
      expect(peer.text()).to.equal('goodbye');
      expect(served.events).to.deep.equal(['finish', 'end', 'close']);
      expect(reactor.running, 'there was nothing more to wait for').to.be.false;
    });
  });

  it('can be awaited and iterated as any stream', async () => {
    served = await serveDuplex();
    const { reactor, duplex, peer } = served;
    peer.send('one');
    const [first] = (await now(served, once(duplex, 'data'))) as [Buffer];
    expect(String(first)).to.equal('one');
    const rest = (async () => {
      const chunks: string[] = [];
      for await (const chunk of duplex) chunks.push(String(chunk));
      return chunks;
    })();
    peer.send('two');
    await reactor.advanceAsync(0);
    peer.end();
    expect(await now(served, rest)).to.deep.equal(['two']);
  });

  it('obeys a signal', async () => {
    const controller = new AbortController();
    served = await serveDuplex({ signal: controller.signal });
    controller.abort();
    await served.reactor.advanceAsync(0);
    expect(served.events).to.deep.equal(['AbortError', 'close']);
    expect(served.peer.reason?.value).to.be.instanceOf(ConnectionLost);
  });
});

describe('DuplexProtocol, before it has a connection', () => {
  it('keeps what is written, and the end, until there is one', async () => {
    const reactor = new TestReactor();
    const duplex = new DuplexProtocol(reactor);
    const events = eventsOf(duplex);
    duplex.write('early ');
    duplex.end('bird');
    expect(duplex.connecting).to.be.true;
    expect(duplex.readyState).to.equal('opening');
    const port = reactor.listenTCP(7, { buildProtocol: () => duplex, doStart() {}, doStop() {} });
    const peer = reactor.dial(7);
    await reactor.advanceAsync(0);
    expect(peer.text()).to.equal('early bird');
    expect(peer.ended).to.be.true;
    expect(events).to.deep.equal(['connect', 'finish', 'end', 'close']);
    void port.stopListening();
    await reactor.advanceAsync(0);
    reactor.assertClean();
  });

  it('can be ended without a word', async () => {
    const reactor = new TestReactor();
    const duplex = new DuplexProtocol(reactor);
    const events = eventsOf(duplex);
    duplex.end();
    const port = reactor.listenTCP(7, { buildProtocol: () => duplex, doStart() {}, doStop() {} });
    const peer = reactor.dial(7);
    await reactor.advanceAsync(0);
    expect(peer.ended).to.be.true;
    expect(events).to.deep.equal(['connect', 'finish', 'end', 'close']);
    void port.stopListening();
    await reactor.advanceAsync(0);
    reactor.assertClean();
  });

  it('can be destroyed when it has been ended, which fails the end', async () => {
    const duplex = new DuplexProtocol(new TestReactor());
    const events = eventsOf(duplex);
    const failures: unknown[] = [];
    duplex.end((error?: Error) => failures.push(error?.name));
    await Promise.resolve();
    duplex.destroy();
    await new TestReactor().advanceAsync(0);
    expect(events).to.deep.equal(['close']);
    expect(failures).to.have.length(1).and.not.include(undefined);
  });

  it('can be destroyed, fails what was written, and aborts a connection that comes after all', async () => {
    const reactor = new TestReactor();
    const duplex = new DuplexProtocol(reactor);
    const events = eventsOf(duplex);
    const failures: unknown[] = [];
    duplex.write('never', (error) => failures.push(error?.name));
    duplex.destroy();
    const port = reactor.listenTCP(7, { buildProtocol: () => duplex, doStart() {}, doStop() {} });
    const peer = reactor.dial(7);
    await reactor.advanceAsync(0);
    expect(failures).to.deep.equal(['ConnectionLost']);
    expect(events).to.deep.equal(['close']);
    expect(peer.reason?.value).to.be.instanceOf(ConnectionLost);
    void port.stopListening();
    await reactor.advanceAsync(0);
    reactor.assertClean();
  });
});
