import { expect } from 'chai';
import { getEventListeners } from 'node:events';
import {
  ConnectError,
  ConnectingCancelledError,
  ConnectTimeoutError,
  DNSLookupError,
  Echo,
  Factory,
  type HostnameResolver,
  type HostResolution,
  IPv4Address,
  IPv6Address,
  type IPv6Address as IPv6,
  TCP6ClientEndpoint,
  TCP6ServerEndpoint,
} from 'ropewalk';
import { assertNoResult, failureResultOf, successResultOf, TestReactor } from 'ropewalk/testing';
import { expectFailure } from './expect-failure.ts';
import { Recorder, RecordingFactory } from './recorder.ts';

/** Answers when the test says so. */
class ScriptedResolver implements HostnameResolver {
  readonly cancelled: string[] = [];
  receiver: Parameters<HostnameResolver['resolveHostName']>[0] | undefined;
  asked: readonly unknown[] = [];

  resolveHostName(...args: Parameters<HostnameResolver['resolveHostName']>): HostResolution {
    const [receiver, name, options] = args;
    const resolution = { name, cancel: () => void this.cancelled.push(name) };
    this.asked = [name, options];
    this.receiver = receiver;
    receiver.resolutionBegan(resolution);
    return resolution;
  }
}

describe('TCP6ClientEndpoint', () => {
  let reactor: TestReactor;

  beforeEach(() => {
    reactor = new TestReactor({ names: { both: ['192.0.2.1', '2001:db8::1'], old: ['192.0.2.1'] } });
  });

  it('connects to an IPv6 address', () => {
    new TCP6ServerEndpoint(reactor, 7).listen(Factory.forProtocol(Echo));
    reactor.advance(0);
    const connected = new TCP6ClientEndpoint(reactor, '::1', 7).connect(Factory.forProtocol(Recorder));
    reactor.advance(0);
    const protocol = successResultOf(connected);
    expect((protocol.transport.getPeer() as IPv6).family).to.equal('IPv6');
    protocol.transport.write('hi');
    reactor.advance(0);
    expect(protocol.events).to.deep.equal(['made', 'data hi']);
  });

  it('connects to the IPv6 address of a name', () => {
    new TCP6ServerEndpoint(reactor, 7).listen(Factory.forProtocol(Echo));
    reactor.advance(0);
    const connected = new TCP6ClientEndpoint(reactor, 'localhost', 7).connect(Factory.forProtocol(Recorder));
    reactor.advance(0);
    expect((successResultOf(connected).transport.getPeer() as IPv6).host).to.equal('::1');
  });

  it('fails with DNSLookupError for a name without an IPv6 address, and leaves nothing behind', () => {
    const factory = new RecordingFactory(() => new Recorder());
    const failure = expectFailure(new TCP6ClientEndpoint(reactor, 'old', 7).connect(factory), DNSLookupError);
    reactor.advance(0);
    failure();
    expect(factory.events).to.deep.equal(['start', 'stop']);
    reactor.assertClean();
  });

  it('never connects to an IPv4 address', () => {
    const server = reactor.serve(7);
    const endpoint = new TCP6ClientEndpoint(reactor, '127.0.0.1', 7);
    const failure = expectFailure(endpoint.connect(Factory.forProtocol(Recorder)), DNSLookupError);
    reactor.advance(0);
    failure();
    expect(server.peers).to.have.lengthOf(0);
  });

  it('throws at the call for what could never work', () => {
    const connect = (host: string, port: number, timeout = 30): unknown =>
      new TCP6ClientEndpoint(reactor, host, port, { timeout }).connect(Factory.forProtocol(Recorder));
    expect(() => connect('localhost', 70_000)).to.throw(RangeError, /port/);
    expect(() => connect('', 7)).to.throw(RangeError, /host/);
    expect(() => connect('localhost', 7, -1)).to.throw(RangeError, /timeout/);
    // @ts-expect-error -- no factory
    expect(() => new TCP6ClientEndpoint(reactor, 'localhost', 7).connect({})).to.throw(TypeError, /factory/);
    reactor.advance(0);
    reactor.assertClean();
  });

  describe('while it resolves', () => {
    let resolver: ScriptedResolver;

    beforeEach(() => {
      resolver = new ScriptedResolver();
      reactor.installNameResolver(resolver);
    });

    it('asks for IPv6 addresses only, and not before the reactor gets to it', () => {
      new TCP6ClientEndpoint(reactor, 'peer', 7).connect(Factory.forProtocol(Recorder));
      expect(resolver.asked).to.deep.equal([]);
      reactor.advance(0);
      expect(resolver.asked).to.deep.equal(['peer', { port: 7, families: ['IPv6'], transport: 'TCP' }]);
    });

    it('tries the IPv6 addresses in order, whatever else the resolver finds', () => {
      const server = reactor.serve(7, { host: '::1' });
      const connected = new TCP6ClientEndpoint(reactor, 'peer', 7).connect(Factory.forProtocol(Recorder));
      reactor.advance(0);
      resolver.receiver!.addressResolved(new IPv4Address('TCP', '127.0.0.1', 7));
      resolver.receiver!.addressResolved(new IPv6Address('TCP', '2001:db8::2', 7));
      resolver.receiver!.addressResolved(new IPv6Address('TCP', '::1', 7));
      resolver.receiver!.resolutionComplete();
      reactor.advance(0);
      expect((successResultOf(connected).transport.getPeer() as IPv6).host).to.equal('::1');
      expect(server.peers).to.have.lengthOf(1);
    });

    it('fails when the timeout runs out', () => {
      const endpoint = new TCP6ClientEndpoint(reactor, 'peer', 7, { timeout: 5 });
      const connected = endpoint.connect(Factory.forProtocol(Recorder));
      reactor.advance(4.9);
      assertNoResult(connected);
      const failure = expectFailure(connected, ConnectTimeoutError);
      reactor.advance(0.1);
      failure();
      expect(resolver.cancelled).to.deep.equal(['peer']);
      reactor.assertClean();
    });

    it('uses up the time of the attempt', () => {
      reactor.serve(7, { host: '::1', answer: 'ignore' });
      const endpoint = new TCP6ClientEndpoint(reactor, 'peer', 7, { timeout: 5 });
      const connected = endpoint.connect(Factory.forProtocol(Recorder));
      reactor.advance(4);
      resolver.receiver!.addressResolved(new IPv6Address('TCP', '::1', 7));
      resolver.receiver!.resolutionComplete();
      reactor.advance(0.9);
      assertNoResult(connected);
      const failure = expectFailure(connected, ConnectTimeoutError);
      reactor.advance(0.2);
      failure();
    });

    it('ends when the reactor stops', () => {
      const connected = new TCP6ClientEndpoint(reactor, 'peer', 7).connect(Factory.forProtocol(Recorder));
      reactor.advance(0);
      reactor.stop();
      reactor.advance(0);
      failureResultOf(connected, ConnectError);
      expect(resolver.cancelled).to.deep.equal(['peer']);
      reactor.assertClean();
    });

    it('can be cancelled', () => {
      const connected = new TCP6ClientEndpoint(reactor, 'peer', 7).connect(Factory.forProtocol(Recorder));
      reactor.advance(0);
      const failure = expectFailure(connected, ConnectingCancelledError);
      connected.cancel();
      const error = failure();
      expect(String(error.address)).to.include('peer');
      expect(resolver.cancelled).to.deep.equal(['peer']);
      reactor.assertClean();
    });

    it('can be cancelled before it has begun', () => {
      const connected = new TCP6ClientEndpoint(reactor, 'peer', 7).connect(Factory.forProtocol(Recorder));
      connected.cancel();
      failureResultOf(connected, ConnectingCancelledError);
      reactor.advance(0);
      expect(resolver.asked).to.deep.equal([]);
      reactor.assertClean();
    });

    it('can be cancelled by a signal, and leaves no listener on it', () => {
      const controller = new AbortController();
      const { signal } = controller;
      const connected = new TCP6ClientEndpoint(reactor, 'peer', 7).connect(Factory.forProtocol(Recorder), { signal });
      reactor.advance(0);
      controller.abort('enough');
      expect(failureResultOf(connected, ConnectingCancelledError).value.cause).to.equal('enough');
      expect(getEventListeners(signal, 'abort')).to.have.lengthOf(0);
      reactor.assertClean();
    });
  });

  it('can be cancelled while it connects to what it has resolved', () => {
    const server = reactor.serve(7, { host: '::1', answer: 'ignore' });
    const connected = new TCP6ClientEndpoint(reactor, 'localhost', 7).connect(Factory.forProtocol(Recorder));
    reactor.advance(1);
    const failure = expectFailure(connected, ConnectingCancelledError);
    connected.cancel();
    const error = failure();
    expect(String(error.address)).to.include('localhost');
    server.stop();
    reactor.advance(0);
    reactor.assertClean();
  });
});
