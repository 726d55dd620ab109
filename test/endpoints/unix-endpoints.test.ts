import { expect } from 'chai';
import {
  CancelledError,
  CannotListenError,
  ClientFactory,
  ConnectError,
  ConnectingCancelledError,
  type Deferred,
  Echo,
  Factory,
  type ListeningPort,
  Protocol,
  UNIXClientEndpoint,
  UNIXServerEndpoint,
} from 'ropewalk';
import { failureResultOf, successResultOf, TestReactor } from 'ropewalk/testing';

const PATH = '/run/echo';

describe('UNIXServerEndpoint and UNIXClientEndpoint', () => {
  let reactor: TestReactor;

  beforeEach(() => {
    reactor = new TestReactor();
  });

  afterEach(() => {
    reactor.stop();
    reactor.advance(3);
    reactor.assertClean();
  });

  const listen = (options = {}): Deferred<ListeningPort> =>
    new UNIXServerEndpoint(reactor, PATH).listen(Factory.forProtocol(Echo), options);
  const connect = (options = {}): Deferred<Protocol> =>
    new UNIXClientEndpoint(reactor, PATH, { timeout: 5 }).connect(ClientFactory.forProtocol(Protocol), options);

  it('deliver the port once it is bound, and the protocol once it is connected', () => {
    const listening = listen();
    reactor.advance(0);
    expect(String(successResultOf(listening).getHost())).to.equal(`UNIXAddress('${PATH}')`);
    const connected = connect();
    reactor.advance(0);
    expect(String(successResultOf(connected).transport.getPeer())).to.equal(`UNIXAddress('${PATH}')`);
  });

  it('fail with the reasons of the port and of the connector', () => {
    const missing = connect();
    reactor.advance(0);
    expect(failureResultOf(missing).value).to.be.instanceOf(ConnectError);
    listen();
    const taken = listen();
    reactor.advance(0);
    expect(failureResultOf(taken).value).to.be.instanceOf(CannotListenError);
  });

  it('can be cancelled, by hand and by a signal', () => {
    const listening = listen();
    listening.cancel();
    expect(failureResultOf(listening).value).to.be.instanceOf(CancelledError);
    const abort = new AbortController();
    const connected = connect({ signal: abort.signal });
    abort.abort();
    const error = failureResultOf(connected).value;
    expect(error).to.be.instanceOf(ConnectingCancelledError);
    expect(error.message).to.contain(PATH);
    reactor.advance(0);
    expect(reactor.inspect().ports).to.deep.equal([]);
  });

  it('need a reactor that has UNIX sockets', () => {
    // @ts-expect-error: what a program in JavaScript may do
    expect(() => new UNIXServerEndpoint({}, PATH)).to.throw(TypeError, 'listenUNIX');
    // @ts-expect-error: likewise
    expect(() => new UNIXClientEndpoint({}, PATH)).to.throw(TypeError, 'connectUNIX');
  });

  it('keep paths to the host they are on', () => {
    listen();
    reactor.advance(0);
    const elsewhere = new TestReactor();
    const connected = new UNIXClientEndpoint(elsewhere, PATH).connect(Factory.forProtocol(Protocol));
    elsewhere.advance(0);
    expect(failureResultOf(connected).value).to.be.instanceOf(ConnectError);
    elsewhere.assertClean();
  });
});
