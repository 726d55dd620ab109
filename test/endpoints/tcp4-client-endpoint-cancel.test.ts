import { expect } from 'chai';
import { getEventListeners } from 'node:events';
import {
  ConnectingCancelledError,
  ConnectionLost,
  ConnectionRefusedError,
  type Deferred,
  Factory,
  IPv4Address,
  type Protocol,
  TCP4ClientEndpoint,
} from 'ropewalk';
import { assertNoResult, failureResultOf, successResultOf, TestReactor } from 'ropewalk/testing';
import { expectFailure } from './expect-failure.ts';
import { Recorder, RecordingFactory } from './recorder.ts';

describe('Cancelling TCP4ClientEndpoint.connect', () => {
  let reactor: TestReactor;
  let endpoint: TCP4ClientEndpoint;

  beforeEach(() => {
    reactor = new TestReactor();
    endpoint = new TCP4ClientEndpoint(reactor, '127.0.0.1', 7);
  });

  it('fails at once, says where it was going, and stops the attempt', () => {
    const server = reactor.serve(7, { answer: 'ignore' });
    const factory = new RecordingFactory(() => new Recorder());
    const connected = endpoint.connect(factory);
    reactor.advance(0);
    const failure = expectFailure(connected, ConnectingCancelledError);
    connected.cancel();
    const error = failure();
    expect(error.address).to.satisfy((address: IPv4Address) => address.equals(new IPv4Address('TCP', '127.0.0.1', 7)));
    expect(factory.events).to.deep.equal(['start', 'stop']);
    server.stop();
    reactor.advance(0);
    reactor.assertClean();
  });

  it('works before the attempt has begun, and then the peer sees nothing', () => {
    const server = reactor.serve(7);
    const connected = endpoint.connect(Factory.forProtocol(Recorder));
    connected.cancel();
    failureResultOf(connected, ConnectingCancelledError);
    reactor.advance(0);
    expect(server.peers).to.have.lengthOf(0);
  });

  it('works while the name is being resolved', () => {
    const connected = new TCP4ClientEndpoint(reactor, 'localhost', 7).connect(Factory.forProtocol(Recorder));
    const failure = expectFailure(connected, ConnectingCancelledError);
    connected.cancel();
    const error = failure();
    expect(String(error.address)).to.include('localhost');
    reactor.advance(0);
    reactor.assertClean();
  });

  it('has no effect once there is a connection', () => {
    const server = reactor.serve(7);
    const connected = endpoint.connect(Factory.forProtocol(Recorder));
    reactor.advance(0);
    connected.cancel();
    reactor.advance(0);
    expect(successResultOf(connected).connected).to.be.true;
    expect(server.accept().connected).to.be.true;
  });

  it('inside buildProtocol closes the connection, and the protocol never sees it', () => {
    const server = reactor.serve(7);
    const protocol = new Recorder();
    const connected: Deferred<Protocol> = endpoint.connect(
      new RecordingFactory(() => {
        connected.cancel();
        return protocol;
      }),
    );
    const failure = expectFailure(connected, ConnectingCancelledError);
    reactor.advance(0);
    failure();
    expect(protocol.events).to.deep.equal([]);
    expect(server.accept().connected).to.be.false;
    server.stop();
    reactor.advance(0);
    reactor.assertClean();
  });

  it('inside connectionMade aborts the connection', () => {
    class Fickle extends Recorder {
      override connectionMade(): void {
        super.connectionMade();
        connected.cancel();
      }
    }
    const server = reactor.serve(7);
    const protocol = new Fickle();
    const connected: Deferred<Protocol> = endpoint.connect(new RecordingFactory(() => protocol));
    const failure = expectFailure(connected, ConnectingCancelledError);
    reactor.advance(0);
    failure();
    expect(protocol.events).to.deep.equal(['made', 'lost ConnectionAborted']);
    expect(server.accept().reason?.check(ConnectionLost)).to.equal(ConnectionLost);
    server.stop();
    reactor.advance(0);
    reactor.assertClean();
  });

  describe('by a signal', () => {
    it("fails with the signal's reason as the cause", () => {
      reactor.serve(7, { answer: 'ignore' });
      const controller = new AbortController();
      const connected = endpoint.connect(Factory.forProtocol(Recorder), { signal: controller.signal });
      reactor.advance(0);
      assertNoResult(connected);
      const reason = new Error('the user pressed Escape');
      controller.abort(reason);
      expect(failureResultOf(connected, ConnectingCancelledError).value.cause).to.equal(reason);
      expect(getEventListeners(controller.signal, 'abort')).to.have.lengthOf(0);
    });

    it('that was aborted before fails inside the call, and the peer sees nothing', () => {
      const server = reactor.serve(7);
      const signal = AbortSignal.abort('too late');
      const connected = endpoint.connect(Factory.forProtocol(Recorder), { signal });
      expect(failureResultOf(connected, ConnectingCancelledError).value.cause).to.equal('too late');
      reactor.advance(0);
      expect(server.peers).to.have.lengthOf(0);
      server.stop();
      reactor.advance(0);
      reactor.assertClean();
    });

    it('has no cause if it was cancel() that was called', () => {
      const { signal } = new AbortController();
      const connected = endpoint.connect(Factory.forProtocol(Recorder), { signal });
      connected.cancel();
      expect(failureResultOf(connected, ConnectingCancelledError).value).not.to.have.own.property('cause');
      expect(getEventListeners(signal, 'abort')).to.have.lengthOf(0);
    });

    it('leaves no listener behind, whether the attempt succeeds or fails', () => {
      reactor.serve(7);
      const { signal } = new AbortController();
      const connected = endpoint.connect(Factory.forProtocol(Recorder), { signal });
      const nowhere = new TCP4ClientEndpoint(reactor, '127.0.0.1', 8);
      const refused = expectFailure(nowhere.connect(Factory.forProtocol(Recorder), { signal }), ConnectionRefusedError);
      expect(getEventListeners(signal, 'abort')).to.have.lengthOf(2);
      reactor.advance(0);
      successResultOf(connected);
      refused();
      expect(getEventListeners(signal, 'abort')).to.have.lengthOf(0);
    });

    it('has no effect on a connection once it is made', () => {
      reactor.serve(7);
      const controller = new AbortController();
      const connected = endpoint.connect(Factory.forProtocol(Recorder), { signal: controller.signal });
      reactor.advance(0);
      controller.abort();
      reactor.advance(0);
      expect(successResultOf(connected).connected).to.be.true;
    });
  });
});
