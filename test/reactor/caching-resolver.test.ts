import { expect } from 'chai';
import {
  CachingResolver,
  ConnectTimeoutError,
  type Deferred,
  Echo,
  Factory,
  IPv4Address,
  IPv6Address,
  Protocol,
  type ResolveOptions,
  TCP4ClientEndpoint,
} from 'ropewalk';
import { Clock, failureResultOf, successResultOf, TestReactor } from 'ropewalk/testing';
import { ManualResolver, RecordingReceiver } from './resolver-recorder.ts';

const FOUND = "IPv4Address(type='TCP', host='10.0.0.1', port=0)";

describe('CachingResolver', () => {
  let clock: Clock;
  let upstream: ManualResolver;
  let resolver: CachingResolver;

  beforeEach(() => {
    clock = new Clock();
    upstream = new ManualResolver();
    resolver = new CachingResolver(upstream, clock, {
      timeToLiveSeconds: 60,
      negativeTimeToLiveSeconds: 5,
      entriesMax: 2,
    });
  });

  function ask(name: string, options?: ResolveOptions): RecordingReceiver & { cancel(): void } {
    const receiver = new RecordingReceiver();
    const resolution = resolver.resolveHostName(receiver, name, options);
    return Object.assign(receiver, {
      cancel: () => {
        resolution.cancel();
      },
    });
  }

  /** Has the resolver behind it answer the lookup that was asked for last. */
  function answer(...hosts: string[]): void {
    const { receiver } = upstream.last;
    for (const host of hosts) receiver.addressResolved(new IPv4Address('TCP', host, 0));
    receiver.resolutionComplete(hosts.length > 0 ? undefined : failure('no such name', 'ENOTFOUND'));
  }

  function failure(message: string, code: string): Error {
    return Object.assign(new Error(message), { code });
  }

  function learn(name: string, ...hosts: string[]): void {
    ask(name);
    answer(...hosts);
  }

  it('asks once while an answer lives, and again when its time is over', () => {
    learn('a.test', '10.0.0.1');
    clock.advance(59.9);
    const again = ask('a.test');
    expect(again.events).to.deep.equal(['began']);
    clock.advance(0);
    expect(again.events).to.deep.equal(['began', FOUND, 'complete']);
    expect(upstream.asked).to.have.length(1);
    clock.advance(0.1);
    ask('a.test');
    expect(upstream.asked).to.have.length(2);
  });

  it('has the time begin with the end of the lookup, and not begin anew with use', () => {
    ask('a.test');
    clock.advance(30);
    answer('10.0.0.1');
    clock.advance(50);
    ask('a.test');
    clock.advance(9);
    ask('a.test');
    expect(upstream.asked).to.have.length(1);
    clock.advance(1);
    ask('a.test');
    expect(upstream.asked).to.have.length(2);
  });

  it('remembers for the shorter time that a name has no address, and why', () => {
    learn('none.test');
    clock.advance(4);
    const again = ask('none.test');
    clock.advance(0);
    expect(again.events).to.deep.equal(['began', 'complete: no such name']);
    clock.advance(1);
    ask('none.test');
    expect(upstream.asked).to.have.length(2);
  });

  for (const code of ['ENOTFOUND', 'ENODATA', 'EAI_NONAME', 'EAI_NODATA', 'EAI_ADDRFAMILY']) {
    it(`takes ${code} for the answer that a name has no address`, () => {
      ask('none.test');
      upstream.last.receiver.resolutionComplete(failure('nothing', code));
      ask('none.test');
      expect(upstream.asked).to.have.length(1);
    });
  }

  it('remembers an answer without addresses and without a cause', () => {
    ask('none.test');
    upstream.last.receiver.resolutionComplete();
    ask('none.test');
    expect(upstream.asked).to.have.length(1);
  });

  for (const code of ['EAI_AGAIN', 'EAI_FAIL', 'EAI_MEMORY', 'ESERVFAIL', 'ETIMEOUT', 'ECONNREFUSED', undefined]) {
    it(`remembers nothing of a lookup that has failed with ${code ?? 'no code'}`, () => {
      const first = ask('a.test');
      upstream.last.receiver.resolutionComplete(
        code === undefined ? new Error('try again') : failure('try again', code),
      );
      expect(first.events).to.deep.equal(['began', 'complete: try again']);
      const second = ask('a.test');
      answer('10.0.0.1');
      expect(second.events).to.deep.equal(['began', FOUND, 'complete']);
      expect(upstream.asked).to.have.length(2);
    });
  }

  it('remembers no part of an answer: who was found before the resolver failed is looked up again', () => {
    ask('a.test');
    upstream.last.receiver.addressResolved(new IPv4Address('TCP', '10.0.0.1', 0));
    upstream.last.receiver.resolutionComplete(failure('try again', 'EAI_AGAIN'));
    ask('a.test');
    expect(upstream.asked).to.have.length(2);
  });

  it('remembers nothing with a time of 0', () => {
    resolver = new CachingResolver(upstream, clock, { timeToLiveSeconds: 0, negativeTimeToLiveSeconds: 0 });
    learn('a.test', '10.0.0.1');
    learn('a.test');
    ask('a.test');
    expect(upstream.asked).to.have.length(3);
  });

  it('leaves no delayed call behind', () => {
    learn('a.test', '10.0.0.1');
    expect(clock.getDelayedCalls()).to.have.length(0);
  });

  it('gives each its own port and transport from one lookup', () => {
    ask('a.test', { port: 1 });
    upstream.last.receiver.addressResolved(new IPv6Address('TCP', '::1', 1));
    const other = ask('A.test.', { port: 2, transport: 'UDP' });
    upstream.last.receiver.resolutionComplete();
    expect(other.events).to.deep.equal(['began', "IPv6Address(type='UDP', host='::1', port=2)", 'complete']);
    const later = ask('a.test', { port: 3 });
    clock.advance(0);
    expect(later.events).to.deep.equal(['began', "IPv6Address(type='TCP', host='::1', port=3)", 'complete']);
    expect(upstream.asked).to.have.length(1);
  });

  it('keeps the families apart, in whatever order they are named', () => {
    ask('a.test');
    ask('a.test', { families: ['IPv6', 'IPv4'] });
    ask('a.test', { families: ['IPv4'] });
    ask('a.test', { families: ['IPv6'] });
    expect(upstream.asked.map(({ options }) => options)).to.deep.equal([
      {},
      { families: ['IPv4'] },
      { families: ['IPv6'] },
    ]);
  });

  it('hands each address on as it comes, and tells those who join late what they have missed', () => {
    const first = ask('a.test');
    const { receiver } = upstream.last;
    receiver.addressResolved(new IPv4Address('TCP', '10.0.0.1', 0));
    expect(first.events).to.deep.equal(['began', FOUND]);
    const late = ask('a.test');
    expect(late.events).to.deep.equal(['began']);
    receiver.addressResolved(new IPv4Address('TCP', '10.0.0.2', 0));
    expect(late.events).to.deep.equal(['began', FOUND, FOUND.replace('.1', '.2')]);
    receiver.resolutionComplete();
    expect(late.events).to.deep.equal(first.events);
    expect(upstream.asked).to.have.length(1);
  });

  it('lets each who asks cancel by itself', () => {
    const first = ask('a.test');
    const second = ask('a.test');
    first.cancel();
    first.cancel();
    expect(upstream.last.isCancelled).to.equal(false);
    answer('10.0.0.1');
    expect(first.events).to.deep.equal(['began']);
    expect(second.events).to.deep.equal(['began', FOUND, 'complete']);
    second.cancel();
    expect(upstream.last.isCancelled).to.equal(false);
  });

  it('cancels the lookup when the last has cancelled, and asks anew afterwards', () => {
    const first = ask('a.test');
    const second = ask('a.test');
    first.cancel();
    second.cancel();
    expect(upstream.last.isCancelled).to.equal(true);
    answer('10.0.0.9');
    const third = ask('a.test');
    expect(upstream.asked).to.have.length(2);
    answer('10.0.0.1');
    expect(first.events).to.deep.equal(['began']);
    expect(third.events).to.deep.equal(['began', FOUND, 'complete']);
  });

  it('stops in the middle of an answer, be it fresh or remembered', () => {
    const fresh = ask('a.test');
    fresh.onAddress = () => {
      fresh.cancel();
    };
    const other = ask('a.test');
    answer('10.0.0.1', '10.0.0.2');
    const remembered = ask('a.test');
    remembered.onAddress = () => {
      remembered.cancel();
    };
    const early = ask('a.test');
    early.cancel();
    clock.advance(0);
    expect(fresh.events).to.deep.equal(['began', FOUND]);
    expect(other.events).to.have.length(4);
    expect(remembered.events).to.deep.equal(['began', FOUND]);
    expect(early.events).to.deep.equal(['began']);
  });

  it('asks nobody for one who cancels as it begins', () => {
    const { events } = new RecordingReceiver();
    resolver.resolveHostName(
      {
        resolutionBegan: (resolution) => {
          resolution.cancel();
        },
        addressResolved: () => events.push('address'),
        resolutionComplete: () => events.push('complete'),
      },
      'a.test',
    );
    clock.advance(0);
    expect(upstream.asked).to.deep.equal([]);
    expect(events).to.deep.equal([]);
  });

  it('forgets the answer that has not been used for longest when there are too many', () => {
    learn('a.test', '10.0.0.1');
    learn('b.test', '10.0.0.1');
    ask('a.test');
    learn('c.test', '10.0.0.1');
    const before = upstream.asked.length;
    ask('a.test');
    ask('c.test');
    expect(upstream.asked).to.have.length(before);
    ask('b.test');
    expect(upstream.asked).to.have.length(before + 1);
  });

  it('forgets all when it is cleared, the answers under way too', () => {
    learn('a.test', '10.0.0.1');
    const underWay = ask('b.test');
    const lookup = upstream.last;
    resolver.clear();
    ask('a.test');
    const asksAnew = ask('b.test');
    expect(upstream.asked).to.have.length(4);
    lookup.receiver.addressResolved(new IPv4Address('TCP', '10.0.0.1', 0));
    lookup.receiver.resolutionComplete();
    expect(underWay.events).to.deep.equal(['began', FOUND, 'complete']);
    expect(asksAnew.events).to.deep.equal(['began']);
    ask('b.test');
    expect(upstream.asked).to.have.length(4);
  });

  it('hands address literals through and remembers nothing of them', () => {
    ask('10.0.0.1');
    ask('10.0.0.1');
    expect(upstream.asked).to.have.length(2);
  });

  it('tells the others too when one throws, and throws that error from the clock', () => {
    const broken = ask('a.test');
    broken.onAddress = () => {
      throw new Error('broken asker');
    };
    const other = ask('a.test');
    answer('10.0.0.1');
    expect(other.events).to.deep.equal(['began', FOUND, 'complete']);
    expect(() => {
      clock.advance(0);
    }).to.throw('broken asker');
  });

  it('makes an answer of the error of a resolver that throws', () => {
    resolver = new CachingResolver(
      {
        resolveHostName: () => {
          throw new Error('broken resolver');
        },
      },
      clock,
    );
    const receiver = ask('a.test');
    expect(receiver.events).to.deep.equal(['began']);
    clock.advance(0);
    expect(receiver.events).to.deep.equal(['began', 'complete: broken resolver']);
  });

  it('serves attempts to connect, which end their lookup when they are cancelled and when their time is over', () => {
    const reactor = new TestReactor();
    reactor.installNameResolver(new CachingResolver(upstream, reactor));
    reactor.listenTCP(80, Factory.forProtocol(Echo));
    const connect = (timeout: number): Deferred<Protocol> =>
      new TCP4ClientEndpoint(reactor, 'a.test', 80, { timeout }).connect(Factory.forProtocol(Protocol));
    const short = connect(1);
    const long = connect(30);
    reactor.advance(1);
    expect(failureResultOf(short).value).to.be.instanceOf(ConnectTimeoutError);
    expect(upstream.last.isCancelled).to.equal(false);
    long.addErrback(() => undefined);
    long.cancel();
    expect(upstream.last.isCancelled).to.equal(true);
    const third = connect(30);
    reactor.advance(0);
    answer('127.0.0.1');
    reactor.advance(0);
    expect(successResultOf(third).connected).to.equal(true);
    const fourth = connect(30);
    reactor.advance(0);
    expect(successResultOf(fourth).connected).to.equal(true);
    expect(upstream.asked).to.have.length(2);
    reactor.stop();
    reactor.advance(3);
    reactor.assertClean();
  });

  it('refuses options that cannot be meant', () => {
    expect(() => new CachingResolver(upstream, clock, { timeToLiveSeconds: -1 })).to.throw(RangeError, 'timeToLive');
    expect(() => new CachingResolver(upstream, clock, { negativeTimeToLiveSeconds: NaN })).to.throw(RangeError);
    expect(() => new CachingResolver(upstream, clock, { entriesMax: 0 })).to.throw(RangeError, 'entriesMax');
    // @ts-expect-error: what a program in JavaScript may do
    expect(() => new CachingResolver(upstream, clock, { ttl: 1 })).to.throw(TypeError, 'ttl');
  });
});
