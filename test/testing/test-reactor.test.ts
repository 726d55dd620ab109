import { expect } from 'chai';
import {
  ClientFactory,
  ConnectionRefusedError,
  type Connector,
  Deferred,
  DNSLookupError,
  Factory,
  fail,
  type Failure,
  Protocol,
  QueueOverflow,
  ReactorAlreadyRunning,
  ReactorNotRunning,
  TurnLimitError,
} from 'ropewalk';
import { failureResultOf, successResultOf, TestReactor } from 'ropewalk/testing';

class Client extends ClientFactory {
  readonly log: string[] = [];
  override buildProtocol(): Protocol {
    const protocol = new Protocol();
    protocol.connectionMade = () => {
      this.log.push(`made ${String(protocol.transport.getPeer())}`);
    };
    return protocol;
  }
  override clientConnectionFailed(connector: Connector, reason: Failure): void {
    this.log.push(`failed ${reason.type.name}`);
  }
}

describe('TestReactor', () => {
  let reactor: TestReactor;
  let log: string[];

  beforeEach(() => {
    reactor = new TestReactor();
    log = [];
  });

  const note = (text: string): void => {
    log.push(`${text} at ${String(reactor.seconds())}`);
  };

  describe('time', () => {
    it('stands still until it is advanced, and steps to each due time', () => {
      const tick = (): void => {
        note('tick');
        reactor.callLater(1, tick);
      };
      reactor.callLater(1, tick);
      expect(reactor.seconds()).to.equal(0);
      reactor.advance(2.5);
      expect(log).to.deep.equal(['tick at 1', 'tick at 2']);
      expect(reactor.seconds()).to.equal(2.5);
      reactor.pump([0.25, 0.25]);
      expect(log).to.have.length(3);
    });

    it('runs callSoon at this instant, but never from inside the call', () => {
      reactor.callSoon(note, 'soon');
      expect(log).to.deep.equal([]);
      reactor.advance(0);
      expect(log).to.deep.equal(['soon at 0']);
    });

    it('refuses amounts of time that cannot pass', async () => {
      for (const seconds of [-1, NaN, Infinity]) {
        expect(() => reactor.advance(seconds)).to.throw(RangeError, 'seconds');
        const error: unknown = await reactor.advanceAsync(seconds).catch((caught: unknown) => caught);
        expect(error).to.be.instanceOf(RangeError);
      }
    });

    it('refuses to be advanced from inside a turn', () => {
      reactor.callLater(0, () => {
        expect(() => reactor.advance(0)).to.throw('advancing already');
        note('checked');
      });
      reactor.advance(0);
      expect(log).to.deep.equal(['checked at 0']);
      expect(reactor.errors).to.deep.equal([]);
    });

    it('ends an instant that does not end by itself, naming the calls', () => {
      reactor = new TestReactor({ maxTurnsPerInstant: 10 });
      const rearming = (): void => {
        reactor.callLater(0, rearming);
      };
      reactor.callLater(3, rearming);
      expect(() => reactor.advance(5)).to.throw(TurnLimitError, /at 3 s in 10 turns.*rearming/);
    });
  });

  describe('advanceAsync', () => {
    it('runs promise continuations between turns', async () => {
      const sleep = (seconds: number): Deferred<void> => {
        const deferred = new Deferred<void>();
        reactor.callLater(seconds, () => deferred.callback());
        return deferred;
      };
      const story = async (): Promise<void> => {
        for (let round = 0; round < 3; round += 1) {
          await sleep(1);
          for (let hop = 0; hop < 100; hop += 1) await Promise.resolve();
          note('awake');
        }
      };
      const told = story();
      await reactor.advanceAsync(10);
      expect(log).to.deep.equal(['awake at 1', 'awake at 2', 'awake at 3']);
      expect(reactor.seconds()).to.equal(10);
      await told;
    });

    it('runs continuations that wait already, before the first turn', async () => {
      void Promise.resolve().then(() => {
        reactor.callLater(0, note, 'call');
      });
      await reactor.advanceAsync(0);
      expect(log).to.deep.equal(['call at 0']);
    });

    it('keeps advance out while it is under way, and lets it in afterwards', async () => {
      const under = reactor.advanceAsync(1);
      expect(() => reactor.advance(1)).to.throw('advancing already');
      await under;
      reactor.advance(1);
      expect(reactor.seconds()).to.equal(2);
    });

    it('rejects with what advance would throw', async () => {
      reactor = new TestReactor({ maxTurnsPerInstant: 5 });
      const rearm = (): void => {
        reactor.callLater(0, rearm);
      };
      rearm();
      const error: unknown = await reactor.advanceAsync(0).catch((caught: unknown) => caught);
      expect(error).to.be.instanceOf(TurnLimitError);
    });
  });

  describe('running', () => {
    it('runs from the first, unless told otherwise', () => {
      expect(reactor.running).to.be.true;
      expect(() => reactor.run()).to.throw(ReactorAlreadyRunning);
      const idle = new TestReactor({ running: false });
      expect(idle.running).to.be.false;
      idle.callLater(1, note, 'call');
      idle.advance(2);
      expect(log).to.deep.equal([]);
      idle.addSystemEventTrigger('before', 'startup', note, 'startup');
      void idle.run();
      expect(log).to.deep.equal(['startup at 0']);
      idle.advance(0);
      expect(log).to.have.length(2);
    });

    it('ends in the advance after stop, and settles the promise of run', async () => {
      const idle = new TestReactor({ running: false });
      const ended = idle.run().then(() => note('ended'));
      idle.stop();
      expect(() => idle.stop()).to.throw(ReactorNotRunning);
      expect(idle.running).to.be.true;
      idle.advance(0);
      expect(idle.running).to.be.false;
      await ended;
      expect(log).to.deep.equal(['ended at 0']);
    });
  });

  describe('the network', () => {
    it('joins listenTCP and connectTCP of one reactor, whatever the address', () => {
      reactor = new TestReactor({ names: { 'db.test': ['10.0.0.1', '10.0.0.2'] } });
      const port = reactor.listenTCP(0, Factory.forProtocol(Protocol));
      const { port: number } = successResultOf(waitFor(port.whenListening())).getHost() as { port: number };
      const client = new Client();
      for (const host of ['127.0.0.1', '192.0.2.1', 'localhost', 'db.test']) reactor.connectTCP(host, number, client);
      reactor.advance(0);
      expect(client.log.map((line) => /host='(.*)'/.exec(line)?.[1])).to.have.members([
        '127.0.0.1',
        '192.0.2.1',
        '127.0.0.1',
        '10.0.0.1',
      ]);
    });

    function waitFor<T>(deferred: Deferred<T>): Deferred<T> {
      reactor.advance(0);
      return deferred;
    }

    it('refuses where nobody listens, and knows no other names', () => {
      const client = new Client();
      reactor.connectTCP('127.0.0.1', 1, client);
      reactor.connectTCP('nowhere.test', 1, client);
      reactor.advance(0);
      expect(client.log).to.have.members([`failed ${ConnectionRefusedError.name}`, `failed ${DNSLookupError.name}`]);
      reactor.assertClean();
    });

    it('leaves nothing behind after 10,000 connections', () => {
      const port = reactor.listenTCP(80, Factory.forProtocol(Protocol));
      for (let round = 0; round < 10; round += 1) {
        const peers = Array.from({ length: 1000 }, () => reactor.dial(80));
        reactor.advance(0);
        for (const [index, peer] of peers.entries()) {
          if (index % 2 === 0) peer.end();
          else peer.abort();
        }
        reactor.advance(0);
        expect(peers.every((peer) => peer.closed)).to.be.true;
      }
      port.stopListening();
      reactor.advance(0);
      reactor.assertClean();
    });
  });

  describe('errors', () => {
    it('of a Deferred go when somebody handles them, also after the advance in which they arose', () => {
      const deferred = new Deferred<void>();
      reactor.callSoon(() => {
        deferred.errback(new Error('too late?'));
      });
      reactor.advance(0);
      expect(reactor.errors.map((failure) => failure.getErrorMessage())).to.deep.equal(['too late?']);
      expect(failureResultOf(deferred).value.message).to.equal('too late?');
      expect(reactor.errors).to.be.empty;
      reactor.assertClean();
    });

    const boom = (): void => {
      throw new TypeError('boom');
    };

    it('are kept and raised by assertClean, until they are flushed', () => {
      reactor.callLater(0, boom);
      reactor.callLater(0, () => {
        fail(new RangeError('unhandled'));
      });
      reactor.advance(0);
      expect(reactor.errors.map((failure) => failure.getErrorMessage())).to.deep.equal(['boom', 'unhandled']);
      expect(() => reactor.assertClean()).to.throw(/unhandled error: TypeError: boom[^]*RangeError: unhandled/);
      expect(reactor.flushErrors(RangeError).map((failure) => failure.getErrorMessage())).to.deep.equal(['unhandled']);
      expect(reactor.flushErrors(RangeError)).to.deep.equal([]);
      expect(reactor.flushErrors()).to.have.length(1);
      reactor.assertClean();
    });
  });

  describe('assertClean', () => {
    it('lists everything that is left, and dispose does the same', () => {
      function lateCall(): void {}
      reactor.callLater(7, lateCall);
      reactor.callSoon(() => undefined);
      reactor.listenTCP(80, Factory.forProtocol(Protocol));
      reactor.connectTCP('127.0.0.1', 80, new Client());
      const server = reactor.serve(81, { answer: 'ignore' });
      reactor.advance(0);
      reactor.connectTCP('127.0.0.1', 81, new Client());
      reactor.advance(0);
      const check = (): void => reactor.assertClean();
      expect(check).to.throw(/The reactor is not clean:\n/);
      expect(check).to.throw(/lateCall.*7/);
      expect(check).to.throw(/connection from .*80/);
      expect(check).to.throw(/port 80 of 0\.0\.0\.0/);
      expect(check).to.throw(/81/);
      expect(() => reactor[Symbol.dispose]()).to.throw('not clean');
      server.stop();
    });

    it('says nothing when nothing is left', () => {
      reactor.assertClean();
      reactor[Symbol.dispose]();
    });

    it('says of a port that is closing that it needs an advance', () => {
      const port = reactor.listenTCP(80, Factory.forProtocol(Protocol));
      reactor.advance(0);
      port.stopListening();
      expect(() => reactor.assertClean()).to.throw('port 80 of 0.0.0.0 (closing): it needs an advance(0) to close');
      reactor.advance(0);
      reactor.assertClean();
    });

    it('does not count scripted servers and peers, but connections', () => {
      const server = reactor.serve(80);
      reactor.assertClean();
      const port = reactor.listenTCP(81, Factory.forProtocol(Protocol));
      const peer = reactor.dial(81);
      reactor.advance(0);
      port.stopListening();
      reactor.advance(0);
      expect(() => reactor.assertClean()).to.throw(/not clean:\n {2}connection from [^\n]*$/);
      peer.abort();
      reactor.advance(0);
      reactor.assertClean();
      expect(server.peers).to.deep.equal([]);
    });
  });

  describe('await using', () => {
    /** The message with which the disposal fails; undefined if it does not. */
    async function dispose(): Promise<string | undefined> {
      try {
        await reactor[Symbol.asyncDispose]();
        return undefined;
      } catch (error) {
        return String(error);
      }
    }

    it('ends, and says nothing of what the block has closed', async () => {
      let ended = false;
      {
        await using used = new TestReactor({ running: false });
        void used.run().then(() => (ended = true));
        const port = used.listenTCP(80, Factory.forProtocol(Protocol));
        const peer = used.dial(80);
        used.advance(0);
        peer.end();
        port.stopListening();
      }
      expect(ended).to.be.true;
    });

    it('ends of a reactor that has stopped, or never ran', async () => {
      reactor.stop();
      reactor.advance(0);
      expect(await dispose()).to.equal(undefined);
      await new TestReactor({ running: false })[Symbol.asyncDispose]();
    });

    it('reports what its stop ends, and stops all the same', async () => {
      reactor.listenTCP(80, Factory.forProtocol(Protocol));
      reactor.dial(80);
      reactor.callLater(7, note, 'late');
      const message = await dispose();
      expect(message).to.match(
        /not clean:\n {2}delayed call: [^\n]*\n {2}connection from [^\n]*\n {2}port 80 of 0.0.0.0$/,
      );
      expect(reactor.running).to.be.false;
      expect(reactor.inspect()).to.deep.include({ connections: [], ports: [] });
    });

    it('reports the errors of before, and those of the shutdown', async () => {
      reactor.callLater(0, () => {
        throw new Error('before');
      });
      reactor.addSystemEventTrigger('during', 'shutdown', () => {
        throw new Error('in the shutdown');
      });
      const message = await dispose();
      expect(message).to.match(/unhandled error: Error: before[^]*unhandled error: Error: in the shutdown/);
      expect(message?.match(/unhandled error/g)).to.have.length(2);
    });

    it('does not wait for a shutdown that waits for time', async () => {
      reactor.addSystemEventTrigger('before', 'shutdown', () => new Deferred<void>());
      expect(await dispose()).to.include('the shutdown: a trigger waits');
    });
  });

  describe('limits and slow hooks', () => {
    it('has the limits that it is given', () => {
      const limited = new TestReactor({ maxQueuedCalls: 1, maxDelayedCalls: 2 });
      limited.callSoon(() => undefined);
      expect(() => limited.callSoon(() => undefined)).to.throw(QueueOverflow);
      limited.callLater(1, () => undefined);
      limited.callLater(1, () => undefined);
      expect(() => limited.callLater(1, () => undefined)).to.throw(QueueOverflow);
    });

    it('calls every hook slow, where it is told to', () => {
      const slow: string[] = [];
      const measured = new TestReactor({ slowHookSeconds: 0, observer: { hookSlow: (name) => slow.push(name) } });
      measured.callSoon(function ring() {});
      measured.advance(0);
      expect(slow).to.deep.equal(['queued call ring']);
    });

    it('calls none slow otherwise, since time stands still in it', () => {
      const measured = new TestReactor({ observer: { hookSlow: (name) => expect.fail(name) } });
      measured.callSoon(() => undefined);
      measured.advance(0);
    });
  });
});
