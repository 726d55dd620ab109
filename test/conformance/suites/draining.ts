/** How connections finish what they are doing when a reactor stops. */
import { expect } from 'chai';
import {
  type Address,
  ConnectionDone,
  ConnectionLost,
  type DrainableProtocol,
  type HookResult,
  ReactorNotRunning,
} from 'ropewalk/core';
import type { Harness, Peer } from '../harness.ts';
import { listen, nthProtocol, skipUnless, startReactor } from '../support/connections.ts';
import { openPort } from '../support/datagrams.ts';
import { RecordingFactory } from '../support/recording-factory.ts';
import { type Hooks, RecordingProtocol } from '../support/recording-protocol.ts';
import { runReactor, untilEnded } from '../support/running.ts';

/** Is told, and does what the case wants of it. */
class Drainable extends RecordingProtocol implements DrainableProtocol {
  drainings = 0;
  readonly #onDraining: (protocol: Drainable) => HookResult;

  constructor(onDraining: (protocol: Drainable) => HookResult, hooks: Hooks = {}) {
    super(hooks);
    this.#onDraining = onDraining;
  }

  connectionDraining(): HookResult {
    this.drainings += 1;
    return this.#onDraining(this);
  }
}

export function describeDraining(harness: () => Harness): void {
  describe('a reactor that stops with drainSeconds', () => {
    it('listens no more, tells protocols, and ends when the last connection has', async () => {
      const h = harness();
      const reactor = h.createReactor();
      const run = runReactor(reactor);
      const factory = new RecordingFactory({
        buildProtocol: () => new Drainable(({ transport }) => void transport.write('goodbye')),
      });
      const { destination } = await listen(h, reactor, factory);
      const peers = [await h.dial(destination), await h.dial(destination)];
      await nthProtocol(h, factory, 1);
      const startedAt = reactor.seconds();
      reactor.stop({ drainSeconds: 1000 });
      await h.until(() => peers.every((peer) => peer.text() === 'goodbye'), 'both are told');
      expect(reactor.running).to.be.true;
      expect(reactor.inspect().ports).to.deep.equal([]);
      expect(() => reactor.stop()).to.throw(ReactorNotRunning);
      const late = await h.dial(destination).then(
        () => 'connected',
        () => 'refused',
      );
      expect(late).to.equal('refused');

      for (const peer of peers) {
        peer.send('the end of what I was saying');
        peer.end();
      }
      await untilEnded(h, run);
      expect(reactor.seconds() - startedAt).to.be.lessThan(100);
      for (const protocol of factory.protocols) {
        expect(protocol.text).to.equal('the end of what I was saying');
        expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
      }
    });

    it('loses the rest when the time is up', async () => {
      const h = harness();
      const reactor = h.createReactor();
      const run = runReactor(reactor);
      const factory = new RecordingFactory();
      const { destination } = await listen(h, reactor, factory);
      const [patient, hasty] = [await h.dial(destination), await h.dial(destination)];
      await nthProtocol(h, factory, 1);
      const startedAt = reactor.seconds();
      reactor.stop({ drainSeconds: 0.05 });
      await h.advance(0);
      hasty.end();
      await h.until(() => factory.lostCount === 1, 'one has finished');
      expect(run.hasEnded).to.be.false;
      await h.advance(0.06);
      await untilEnded(h, run);
      expect(reactor.seconds() - startedAt).to.be.at.least(0.05);
      const reasons = factory.protocols.map(({ lostBy }) => lostBy?.constructor);
      expect(reasons).to.have.members([ConnectionDone, ConnectionLost]);
      await h.until(() => patient.closed, 'its peer has seen the end');
      expect(reactor.getDelayedCalls()).to.deep.equal([]);
    });

    it('goes on with datagrams until it is over', async () => {
      const h = harness();
      const reactor = h.createReactor();
      const run = runReactor(reactor);
      const factory = new RecordingFactory();
      const { destination } = await listen(h, reactor, factory);
      const { protocol, port } = await openPort(
        h,
        { datagramReceived: ({ transport }, data, address) => transport.write(data, address) },
        { reactor },
      );
      const asker = await h.openDatagrams();
      const peer = await h.dial(destination);
      await nthProtocol(h, factory, 0);
      reactor.stop({ drainSeconds: 1000 });
      await h.until(() => reactor.inspect().ports.length === 1, 'the port for connections has closed');
      asker.send('still there?', port);
      await h.until(() => asker.received.length === 1, 'it has been answered');
      expect(protocol.calls).not.to.include('stopProtocol');
      peer.end();
      await untilEnded(h, run);
      expect(protocol.calls).to.include('stopProtocol');
      expect(reactor.inspect().ports).to.deep.equal([]);
    });

    it('shows by name what it waits for', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const factory = new RecordingFactory();
      const { destination } = await listen(h, reactor, factory);
      const peer = await h.dial(destination);
      await nthProtocol(h, factory, 0);
      reactor.stop({ drainSeconds: 1000 });
      await h.until(() => reactor.inspect().delayedCalls.length > 0, 'it has begun');
      expect(reactor.inspect().delayedCalls.map(String).join()).to.contain('drainSecondsAreOver');
      peer.end();
    });

    it('refuses or closes a flood of connections that comes meanwhile, and serves those it has', async () => {
      const h = harness();
      const reactor = h.createReactor();
      const run = runReactor(reactor);
      const factory = RecordingFactory.withProtocol({
        dataReceived: ({ transport }, data) => void transport.write(data),
      });
      const { destination } = await listen(h, reactor, factory);
      const peer = await h.dial(destination);
      await nthProtocol(h, factory, 0);
      const flood = floodOf(h, destination, 20);
      reactor.stop({ drainSeconds: 1000 });
      const more = floodOf(h, destination, 20);
      peer.send('still served');
      await h.until(() => peer.text() === 'still served', 'who was there is served');
      // Those that came before it stopped may have been accepted, and then they are served as well.
      for (const other of [...(await flood), ...(await more)]) other?.end();
      expect(factory.protocols.length).to.be.at.most(21);
      peer.end();
      await untilEnded(h, run);
      expect(factory.lostCount).to.equal(factory.protocols.length);
    });

    it('ends at once if there is no connection', async () => {
      const h = harness();
      const reactor = h.createReactor();
      const run = runReactor(reactor);
      await listen(h, reactor, new RecordingFactory());
      reactor.stop({ drainSeconds: 1000 });
      await untilEnded(h, run);
      expect(reactor.getDelayedCalls()).to.deep.equal([]);
    });

    it('tells connections that are made meanwhile, too, once', async () => {
      const h = harness();
      const reactor = h.createReactor();
      const run = runReactor(reactor);
      const server = await h.serve();
      const made: Drainable[] = [];
      const lose = ({ transport }: Drainable): void => transport.loseConnection();
      const clientFactory = new RecordingFactory({
        buildProtocol: () => {
          const protocol = new Drainable(lose);
          made.push(protocol);
          return protocol;
        },
      });
      const factory = new RecordingFactory({
        buildProtocol: () =>
          new Drainable(() => void h.connect(reactor, server.destination, clientFactory), {
            dataReceived: ({ transport }) => transport.loseConnection(),
          }),
      });
      const { destination } = await listen(h, reactor, factory);
      const peer = await h.dial(destination);
      await nthProtocol(h, factory, 0);
      reactor.stop({ drainSeconds: 1000 });
      await h.until(() => made.length === 1 && made[0]!.isLost, 'the new connection has been made, told, and lost');
      expect(made[0]!.drainings).to.equal(1);
      peer.send('that is all');
      await untilEnded(h, run);
    });

    it('does not mind a hook that throws: that connection is lost, and the rest is waited for', async () => {
      const h = harness();
      const reactor = h.createReactor();
      const run = runReactor(reactor);
      const fails = [true, false];
      const factory = new RecordingFactory({
        buildProtocol: () => {
          const doesFail = fails.shift();
          return new Drainable(() => {
            if (doesFail === true) throw new Error('not now');
          });
        },
      });
      const { destination } = await listen(h, reactor, factory);
      await h.dial(destination);
      await nthProtocol(h, factory, 0);
      const peer = await h.dial(destination);
      await nthProtocol(h, factory, 1);
      reactor.stop({ drainSeconds: 1000 });
      await h.until(() => factory.lostCount === 1, 'the first is lost');
      expect(h.errors.splice(0).map(({ value }) => value.message)).to.deep.equal(['not now']);
      expect(run.hasEnded).to.be.false;
      peer.end();
      await untilEnded(h, run);
    });

    it('is left by crash(), and the next run begins anew', async () => {
      const h = harness();
      const reactor = startReactor(h);
      const told: string[] = [];
      const factory = new RecordingFactory({ buildProtocol: () => new Drainable(() => void told.push('draining')) });
      const { destination } = await listen(h, reactor, factory);
      const peer = await h.dial(destination);
      const protocol = await nthProtocol(h, factory, 0);
      reactor.stop({ drainSeconds: 1000 });
      await h.until(() => told.length === 1, 'it is told');
      reactor.crash();
      const run = runReactor(reactor);
      peer.send('hello again');
      await h.until(() => protocol.text === 'hello again', 'the connection goes on');
      expect(reactor.getDelayedCalls()).to.deep.equal([]);
      reactor.stop();
      await untilEnded(h, run);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionLost);
    });

    it('holds on against a flood of data, and of calls, while it waits', async () => {
      const h = harness();
      const reactor = h.createReactor();
      const run = runReactor(reactor);
      const factory = new RecordingFactory();
      const { destination } = await listen(h, reactor, factory);
      const peer = await h.dial(destination);
      const protocol = await nthProtocol(h, factory, 0);
      let calls = 0;
      const again = (): void => {
        calls += 1;
        if (calls < 1000) reactor.callSoon(again);
      };
      reactor.stop({ drainSeconds: 1000 });
      again();
      for (let times = 0; times < 50; times += 1) peer.send(new Uint8Array(20_000));
      await h.until(() => protocol.receivedBytes === 1_000_000 && calls === 1000, 'all of it has been dealt with');
      peer.end();
      await untilEnded(h, run);
    });

    it('is what a signal asks for where run() was told so', async function () {
      const h = harness();
      skipUnless(this, h, 'signals');
      const reactor = h.createReactor();
      const run = runReactor(reactor, { drainSeconds: 1000 });
      const factory = new RecordingFactory({
        buildProtocol: () => new Drainable(({ transport }) => void transport.write('goodbye')),
      });
      const { destination } = await listen(h, reactor, factory);
      const peer = await h.dial(destination);
      await nthProtocol(h, factory, 0);
      h.sendSignal('SIGTERM');
      await h.until(() => peer.text() === 'goodbye', 'it is told');
      expect(reactor.exitSignal).to.equal('SIGTERM');
      expect(reactor.running).to.be.true;
      peer.send('the end');
      peer.end();
      await untilEnded(h, run);
      expect(factory.protocols[0]).to.include({ text: 'the end' });
      expect(factory.protocols[0]?.lostBy).to.be.instanceOf(ConnectionDone);
    });

    it('has less time when a signal comes that asks for less', async function () {
      const h = harness();
      skipUnless(this, h, 'signals');
      const reactor = h.createReactor();
      const run = runReactor(reactor, { drainSeconds: 0.02 });
      const factory = new RecordingFactory();
      const { destination } = await listen(h, reactor, factory);
      await h.dial(destination);
      const protocol = await nthProtocol(h, factory, 0);
      reactor.stop({ drainSeconds: 1000 });
      await h.until(() => reactor.inspect().ports.length === 0, 'it has begun');
      const signalledAt = reactor.seconds();
      h.sendSignal('SIGINT');
      await untilEnded(h, run);
      expect(reactor.seconds() - signalledAt).to.be.at.least(0.02);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionLost);
      expect(reactor.exitSignal).to.equal('SIGINT');
    });

    it('has no more time when a signal comes that asks for more', async function () {
      const h = harness();
      skipUnless(this, h, 'signals');
      const reactor = h.createReactor();
      const run = runReactor(reactor, { drainSeconds: 1000 });
      const factory = new RecordingFactory();
      const { destination } = await listen(h, reactor, factory);
      await h.dial(destination);
      const protocol = await nthProtocol(h, factory, 0);
      reactor.stop({ drainSeconds: 0.05 });
      await h.until(() => reactor.inspect().ports.length === 0, 'it has begun');
      h.sendSignal('SIGINT');
      await untilEnded(h, run);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionLost);
    });

    it('refuses a time that is none', () => {
      const reactor = startReactor(harness());
      for (const drainSeconds of [-1, NaN, Infinity]) {
        expect(() => reactor.stop({ drainSeconds })).to.throw(RangeError, 'drainSeconds');
      }
      expect(reactor.running).to.be.true;
    });
  });
}

/** Connections that are dialled at once; undefined for those that are refused. */
function floodOf(h: Harness, destination: Address, count: number): Promise<(Peer | undefined)[]> {
  return Promise.all(Array.from({ length: count }, () => h.dial(destination).catch(() => undefined)));
}
