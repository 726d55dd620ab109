import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import {
  ConnectingCancelledError,
  connectProtocol,
  type Deferred,
  Echo,
  Factory,
  Protocol,
  TCP4ClientEndpoint,
} from 'ropewalk';
import { failureResultOf, successResultOf, TestReactor } from 'ropewalk/testing';
import { Recorder } from './recorder.ts';

describe('connectProtocol', () => {
  it('connects the protocol it is given and delivers it', () => {
    const reactor = new TestReactor();
    reactor.listenTCP(7, Factory.forProtocol(Echo));
    const protocol = new Recorder();
    const connected = connectProtocol(new TCP4ClientEndpoint(reactor, '127.0.0.1', 7), protocol);
    expectTypeOf(connected).toEqualTypeOf<Deferred<Recorder>>();
    reactor.advance(0);
    expect(successResultOf(connected)).to.equal(protocol);
    protocol.transport.write('hi');
    reactor.advance(0);
    expect(protocol.events).to.deep.equal(['made', 'data hi']);
  });

  it('has slow hooks called by the protocol that the user knows, and not by what stands before it', () => {
    const owners: unknown[] = [];
    const hookSlow = (name: string, _seconds: number, _connection: unknown, owner: unknown): void => {
      if (name === 'connectionMade') owners.push(owner);
    };
    const reactor = new TestReactor({ slowHookSeconds: 0, observer: { hookSlow } });
    reactor.serve(7);
    const protocol = new Recorder();
    void connectProtocol(new TCP4ClientEndpoint(reactor, '127.0.0.1', 7), protocol);
    reactor.advance(0);
    expect(owners).to.deep.equal([protocol]);
  });

  it('can be cancelled, by a signal too', () => {
    const reactor = new TestReactor();
    reactor.serve(7, { answer: 'ignore' });
    const endpoint = new TCP4ClientEndpoint(reactor, '127.0.0.1', 7);
    const cancelled = connectProtocol(endpoint, new Recorder());
    cancelled.cancel();
    failureResultOf(cancelled, ConnectingCancelledError);
    const aborted = connectProtocol(endpoint, new Recorder(), { signal: AbortSignal.abort('no') });
    expect(failureResultOf(aborted, ConnectingCancelledError).value.cause).to.equal('no');
  });

  it('refuses a class in place of a protocol', () => {
    const endpoint = new TCP4ClientEndpoint(new TestReactor(), '127.0.0.1', 7);
    // @ts-expect-error -- an instance is wanted
    expect(() => connectProtocol(endpoint, Protocol)).to.throw(TypeError, 'protocol');
  });
});
