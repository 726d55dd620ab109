import { expect } from 'chai';
import { getEventListeners } from 'node:events';
import {
  CancelledError,
  CannotListenError,
  Echo,
  Factory,
  type IPv4Address,
  type IPv6Address,
  TCP4ServerEndpoint,
  TCP6ServerEndpoint,
} from 'ropewalk';
import { assertNoResult, failureResultOf, successResultOf, TestReactor } from 'ropewalk/testing';
import { expectFailure } from './expect-failure.ts';

const factory = (): Factory => Factory.forProtocol(Echo);

describe('TCP4ServerEndpoint', () => {
  it('delivers the port once it is bound', () => {
    const reactor = new TestReactor();
    const listening = new TCP4ServerEndpoint(reactor, 7).listen(factory());
    reactor.advance(0);
    const port = successResultOf(listening);
    const host = port.getHost() as IPv4Address;
    expect([host.family, host.port]).to.deep.equal(['IPv4', 7]);

    const peer = reactor.dial(7);
    peer.send('hi');
    reactor.advance(0);
    expect(peer.text()).to.equal('hi');
  });

  it('lets the system choose with port 0', () => {
    const reactor = new TestReactor();
    const listening = new TCP4ServerEndpoint(reactor, 0).listen(factory());
    reactor.advance(0);
    expect((successResultOf(listening).getHost() as IPv4Address).port).to.be.above(0);
  });

  it('listens on the interface it was given', () => {
    const reactor = new TestReactor();
    const listening = new TCP4ServerEndpoint(reactor, 7, { interface: '127.0.0.1' }).listen(factory());
    reactor.advance(0);
    expect((successResultOf(listening).getHost() as IPv4Address).host).to.equal('127.0.0.1');
  });

  it('fails with CannotListenError if the port is taken', () => {
    const reactor = new TestReactor();
    const endpoint = new TCP4ServerEndpoint(reactor, 7);
    endpoint.listen(factory());
    const failure = expectFailure(endpoint.listen(factory()), CannotListenError);
    reactor.advance(0);
    const error = failure();
    expect(error.port).to.equal(7);
    expect(error.cause).to.be.an.instanceOf(Error);
    expect(reactor.errors).to.have.lengthOf(0);
  });

  it('throws at the call for what could never work', () => {
    const reactor = new TestReactor();
    expect(() => new TCP4ServerEndpoint(reactor, 70_000).listen(factory())).to.throw(RangeError, /port/);
    expect(() => new TCP4ServerEndpoint(reactor, 7, { backlog: 0 }).listen(factory())).to.throw(RangeError, /backlog/);
    // @ts-expect-error -- no factory
    expect(() => new TCP4ServerEndpoint(reactor, 7).listen({})).to.throw(TypeError, /factory/);
    reactor.assertClean();
  });

  describe('cancelled', () => {
    it('fails at once and leaves the port free', () => {
      const reactor = new TestReactor();
      const endpoint = new TCP4ServerEndpoint(reactor, 7);
      const listening = endpoint.listen(factory());
      listening.cancel();
      expect(failureResultOf(listening, CancelledError).getErrorMessage()).to.include('port 7');
      reactor.advance(0);
      reactor.assertClean();

      const again = endpoint.listen(factory());
      reactor.advance(0);
      successResultOf(again);
    });

    it('has no effect once the port listens', () => {
      const reactor = new TestReactor();
      const listening = new TCP4ServerEndpoint(reactor, 7).listen(factory());
      reactor.advance(0);
      listening.cancel();
      expect(() => successResultOf(listening).getHost()).not.to.throw();
    });

    it('by a signal fails with its reason as the cause', () => {
      const reactor = new TestReactor();
      const controller = new AbortController();
      const listening = new TCP4ServerEndpoint(reactor, 7).listen(factory(), { signal: controller.signal });
      assertNoResult(listening);
      const reason = new Error('changed my mind');
      controller.abort(reason);
      expect(failureResultOf(listening, CancelledError).value.cause).to.equal(reason);
      expect(getEventListeners(controller.signal, 'abort')).to.have.lengthOf(0);
      reactor.advance(0);
      reactor.assertClean();
    });

    it('by a signal that was aborted before fails inside the call', () => {
      const reactor = new TestReactor();
      const listening = new TCP4ServerEndpoint(reactor, 7).listen(factory(), { signal: AbortSignal.abort('no') });
      expect(failureResultOf(listening, CancelledError).value.cause).to.equal('no');
      reactor.advance(0);
      reactor.assertClean();
    });

    it('leaves no listener on the signal when it listens', () => {
      const reactor = new TestReactor();
      const { signal } = new AbortController();
      new TCP4ServerEndpoint(reactor, 7).listen(factory(), { signal });
      expect(getEventListeners(signal, 'abort')).to.have.lengthOf(1);
      reactor.advance(0);
      expect(getEventListeners(signal, 'abort')).to.have.lengthOf(0);
    });
  });
});

describe('TCP6ServerEndpoint', () => {
  it('listens on every IPv6 address by default', () => {
    const reactor = new TestReactor();
    const listening = new TCP6ServerEndpoint(reactor, 7).listen(factory());
    reactor.advance(0);
    const host = successResultOf(listening).getHost() as IPv6Address;
    expect([host.family, host.host, host.port]).to.deep.equal(['IPv6', '::', 7]);
  });

  it('listens on the interface it was given', () => {
    const reactor = new TestReactor();
    const listening = new TCP6ServerEndpoint(reactor, 7, { interface: '::1' }).listen(factory());
    reactor.advance(0);
    expect((successResultOf(listening).getHost() as IPv6Address).host).to.equal('::1');
  });
});
