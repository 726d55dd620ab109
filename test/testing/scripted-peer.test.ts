import { expect, use } from 'chai';
import {
  Chargen,
  CannotListenError,
  ClientFactory,
  ConnectionAborted,
  ConnectionDone,
  ConnectionLost,
  ConnectionRefusedError,
  ConnectTimeoutError,
  type Connector,
  Echo,
  Factory,
  type Failure,
  NotListeningError,
  Protocol,
} from 'ropewalk';
import { type ScriptedPeer, TestReactor } from 'ropewalk/testing';
import { ropewalkChai } from 'ropewalk/testing/chai';

use(ropewalkChai);

class Recorder extends Protocol {
  heard = '';
  reason: Failure | undefined;
  override dataReceived(data: Buffer): void {
    this.heard += data.toString();
  }
  override connectionLost(reason: Failure): void {
    this.reason = reason;
  }
}

class HalfCloser extends Recorder {
  readEnded = false;
  readConnectionLost(): void {
    this.readEnded = true;
  }
  writeConnectionLost(): void {}
}

let reactor: TestReactor;

beforeEach(() => {
  reactor = new TestReactor();
});

/** A peer that has dialled a protocol. */
function dial<P extends Protocol>(
  protocol: P,
  options?: Parameters<TestReactor['dial']>[1],
): { peer: ScriptedPeer; protocol: P } {
  const factory = new Factory();
  factory.buildProtocol = () => protocol;
  reactor.listenTCP(80, factory);
  const peer = reactor.dial(80, options);
  reactor.advance(0);
  return { peer, protocol };
}

describe('a peer that dials', () => {
  it('is connected during the next advance', () => {
    reactor.listenTCP(80, Factory.forProtocol(Recorder));
    const peer = reactor.dial(80);
    expect(peer).to.include({ connected: false, closed: false, reason: undefined });
    expect(() => peer.getHost()).to.throw('not connected yet; connections are made during advance()');
    reactor.advance(0);
    expect(peer).to.include({ connected: true, ended: false, closed: false });
    expect(String(peer.getPeer())).to.equal("IPv4Address(type='TCP', host='127.0.0.1', port=80)");
    expect(String(peer.getHost())).to.match(/host='127.0.0.1', port=491\d\d/);
  });

  it('is refused where nobody listens', () => {
    const peer = reactor.dial(80);
    peer.send('never');
    reactor.advance(0);
    expect(peer).to.include({ connected: false, closed: true });
    expect(peer.reason).to.be.failureOf(ConnectionRefusedError);
    expect(() => peer.getPeer()).to.throw(/never connected: .*ECONNREFUSED/);
    peer.send('harmless');
    peer.end();
    peer.abort();
  });

  it('may choose the address', () => {
    reactor.listenTCP(80, Factory.forProtocol(Echo), { interface: '::1' });
    const wrong = reactor.dial(80);
    const right = reactor.dial(80, { host: '::1' });
    reactor.advance(0);
    expect(wrong.reason).to.be.failureOf(ConnectionRefusedError);
    expect(right.connected).to.be.true;
  });

  it('sends what it was told to, in order, from before it was connected on', () => {
    reactor.listenTCP(80, Factory.forProtocol(Echo));
    const peer = reactor.dial(80);
    const bytes = Buffer.from('one ');
    peer.send(bytes);
    bytes.fill('!');
    peer.send('两 ');
    peer.send('');
    reactor.advance(0);
    peer.send('three');
    reactor.advance(0);
    expect(peer.text()).to.equal('one 两 three');
    expect(peer.received.equals(Buffer.from('one 两 three'))).to.be.true;
    peer.clear();
    expect(peer.text()).to.equal('');
  });

  it('ends after what it has sent, and is closed when the other side has closed', () => {
    const { peer, protocol } = dial(new Recorder());
    peer.send('bye');
    peer.end();
    peer.end();
    expect(() => peer.send('more')).to.throw('ended its half');
    reactor.advance(0);
    expect(protocol.heard).to.equal('bye');
    expect(protocol.reason).to.be.failureOf(ConnectionDone);
    expect(peer).to.include({ connected: false, ended: true, closed: true });
    expect(peer.reason).to.be.failureOf(ConnectionDone);
    expect(String(peer.getPeer())).to.include('port=80');
  });

  it('answers the end of the other side with its own', () => {
    const { peer, protocol } = dial(new HalfCloser());
    protocol.transport.write('bye');
    protocol.transport.loseWriteConnection();
    reactor.advance(0);
    expect(peer.text()).to.equal('bye');
    expect(peer).to.include({ ended: true, closed: true });
    expect(protocol.readEnded).to.be.true;
  });

  it('goes on after the end of the other side if it may', () => {
    const { peer, protocol } = dial(new HalfCloser(), { allowHalfOpen: true });
    protocol.transport.loseWriteConnection();
    reactor.advance(0);
    expect(peer).to.include({ ended: true, closed: false, connected: true });
    peer.send('still here');
    reactor.advance(0);
    expect(protocol.heard).to.equal('still here');
    peer.end();
    reactor.advance(0);
    expect(peer.reason).to.be.failureOf(ConnectionDone);
    expect(protocol.reason).to.be.failureOf(ConnectionDone);
  });

  it('resets when it aborts, or is reset', () => {
    const { peer, protocol } = dial(new Recorder());
    peer.abort();
    expect(peer.reason).to.be.failureOf(ConnectionAborted);
    reactor.advance(0);
    expect(protocol.reason).to.be.failureOf(ConnectionLost);
    expect(protocol.reason).not.to.be.failureOf(ConnectionAborted);

    reactor = new TestReactor();
    const second = dial(new Recorder());
    second.protocol.transport.abortConnection();
    reactor.advance(0);
    expect(second.peer.reason).to.be.failureOf(ConnectionLost);
    expect(second.peer.ended).to.be.false;
  });

  it('gives up connecting when it aborts', () => {
    reactor.listenTCP(80, Factory.forProtocol(Recorder));
    const peer = reactor.dial(80);
    peer.abort();
    reactor.advance(0);
    expect(reactor.inspect().connections).to.have.length(0);
    expect(peer.reason).to.be.failureOf(ConnectionAborted);
  });

  it('takes in one window an instant, so that a server that never stops comes to rest', () => {
    reactor.listenTCP(19, Factory.forProtocol(Chargen));
    const peer = reactor.dial(19, { window: 1000 });
    reactor.advance(0);
    expect(peer.received).to.have.length(1000);
    reactor.advance(0);
    expect(peer.received).to.have.length(2000);
    reactor.advance(0.05);
    expect(peer.received).to.have.length(3000);
    const whole = peer.text();
    peer.clear();
    reactor.advance(0.05);
    expect(peer.received).to.have.length(1000);
    expect((whole + peer.text()).slice(0, 74)).to.match(/^[ -~]{72}\r\n$/);
    peer.abort();
    reactor.advance(0);
  });

  it('takes in 65,536 bytes an instant by default', () => {
    reactor.listenTCP(19, Factory.forProtocol(Chargen));
    const peer = reactor.dial(19);
    reactor.advance(0);
    expect(peer.received).to.have.length(65_536);
  });

  it('has a whole window at each instant, whatever it took in before', () => {
    const { peer, protocol } = dial(new Recorder());
    for (let second = 0; second < 6; second += 1) {
      protocol.transport.write(Buffer.alloc(10_000));
      reactor.advance(1);
    }
    expect(peer.received).to.have.length(60_000);
    protocol.transport.write(Buffer.alloc(100_000));
    reactor.advance(0);
    expect(peer.received).to.have.length(60_000 + 65_536);
    reactor.advance(0);
    expect(peer.received).to.have.length(160_000);
  });

  it('keeps to one window at an instant, in whatever pieces the bytes come', () => {
    const { peer, protocol } = dial(new Recorder(), { window: 10 });
    protocol.transport.write('012345');
    reactor.advance(1);
    peer.clear();
    protocol.transport.write('6');
    reactor.callLater(1, () => protocol.transport.write('789abcdefghijklm'));
    reactor.callLater(1, () => protocol.transport.write('nopq'));
    reactor.advance(1);
    expect(peer.text()).to.equal('6789abcdefg');
    reactor.advance(0);
    expect(peer.text()).to.equal('6789abcdefghijklmnopq');
  });

  it('takes in the next window 0.1 s later, as time passes', () => {
    const { peer, protocol } = dial(new Recorder());
    protocol.transport.write(Buffer.alloc(200_000));
    protocol.transport.loseConnection();
    reactor.advance(0);
    expect(peer.received).to.have.length(65_536);
    reactor.advance(0.1);
    expect(peer.received).to.have.length(131_072);
    expect(peer.closed).to.be.false;
    reactor.advance(60);
    expect(peer.received).to.have.length(200_000);
    expect(peer.reason).to.be.failureOf(ConnectionDone);
    reactor.advance(0);
    expect(reactor.inspect().connections).to.deep.equal([]);
  });

  it('comes to rest where a server never stops, however long the advance', () => {
    reactor.listenTCP(19, Factory.forProtocol(Chargen));
    const peer = reactor.dial(19);
    reactor.advance(10);
    expect(peer.received.length).to.be.within(100 * 65_536, 102 * 65_536);
    peer.abort();
  });

  it('stops reading when paused, and the other side has to wait', () => {
    const { peer, protocol } = dial(new Recorder(), { window: 10, reading: false });
    protocol.transport.write('0123456789abcde');
    reactor.advance(0);
    expect(peer.text()).to.equal('');
    peer.resume();
    reactor.advance(0);
    expect(peer.text()).to.equal('0123456789');
    peer.pause();
    reactor.advance(1);
    expect(peer.text()).to.equal('0123456789');
    peer.resume();
    reactor.advance(1);
    expect(peer.text()).to.equal('0123456789abcde');
  });

  it('refuses options and data that cannot be right', () => {
    expect(() => reactor.dial(0)).to.throw(RangeError, 'port');
    expect(() => reactor.dial(70_000)).to.throw(RangeError, 'port');
    expect(() => reactor.dial(80, { window: 0 })).to.throw(RangeError, 'window');
    // @ts-expect-error: what a program without types may do
    expect(() => reactor.dial(80).send(5)).to.throw(TypeError, 'data');
  });
});

describe('a scripted server', () => {
  class Client extends ClientFactory {
    readonly protocols: Recorder[] = [];
    failure: Failure | undefined;
    override buildProtocol(): Protocol {
      const protocol = new Recorder();
      this.protocols.push(protocol);
      return protocol;
    }
    override clientConnectionFailed(connector: Connector, reason: Failure): void {
      this.failure = reason;
    }
  }
  let client: Client;

  beforeEach(() => {
    client = new Client();
  });

  it('has a peer for each connection, and gives them out oldest first', () => {
    const server = reactor.serve(80);
    expect(() => server.accept()).to.throw('nobody has connected');
    reactor.connectTCP('127.0.0.1', 80, client);
    reactor.connectTCP('10.0.0.7', 80, client);
    expect(server.peers).to.have.length(0);
    reactor.advance(0);
    expect(server.peers).to.have.length(2);
    const first = server.accept();
    expect(first).to.equal(server.peers[0]);
    expect(server.accept()).to.equal(server.peers[1]);
    expect(() => server.accept()).to.throw('nobody has connected');
    first.send('hello');
    reactor.advance(0);
    expect(client.protocols[0]?.heard).to.equal('hello');
    expect(String(first.getHost())).to.include("host='127.0.0.1', port=80");
  });

  it('hears what the client says, and is told how it ended', () => {
    const server = reactor.serve(80, { window: 4 });
    reactor.connectTCP('127.0.0.1', 80, client);
    reactor.advance(0);
    const peer = server.accept();
    client.protocols[0]?.transport.write('abcdef');
    client.protocols[0]?.transport.loseConnection();
    reactor.advance(0);
    expect(peer.text()).to.equal('abcd');
    reactor.advance(0);
    expect(peer.text()).to.equal('abcdef');
    expect(peer.reason).to.be.failureOf(ConnectionDone);
  });

  it('refuses, or never answers', () => {
    reactor.serve(80, { answer: 'refuse' });
    reactor.connectTCP('127.0.0.1', 80, client);
    reactor.advance(0);
    expect(client.failure).to.be.failureOf(ConnectionRefusedError);

    const waiting = new Client();
    reactor.serve(81, { answer: 'ignore' });
    reactor.connectTCP('127.0.0.1', 81, waiting, { timeout: 5 });
    reactor.advance(4.9);
    expect(waiting.failure).to.equal(undefined);
    reactor.advance(0.1);
    expect(waiting.failure).to.be.failureOf(ConnectTimeoutError);
    reactor.assertClean();
  });

  it('listens at one address if told so, or at a free port', () => {
    reactor = new TestReactor({ names: { two: ['10.0.0.1', '10.0.0.2'] } });
    const server = reactor.serve(80, { host: '10.0.0.2' });
    reactor.connectTCP('two', 80, client);
    reactor.advance(0);
    expect(String(server.accept().getHost())).to.include('10.0.0.2');
    expect(String(reactor.serve(0).getHost())).to.include('port=49154');
  });

  it('stops listening, and its peers live on', () => {
    const server = reactor.serve(80);
    reactor.connectTCP('127.0.0.1', 80, client);
    reactor.advance(0);
    server.stop();
    server.stop();
    expect(() => server.getHost()).to.throw(NotListeningError);
    const late = new Client();
    reactor.connectTCP('127.0.0.1', 80, late);
    server.accept().send('still');
    reactor.advance(0);
    expect(late.failure).to.be.failureOf(ConnectionRefusedError);
    expect(client.protocols[0]?.heard).to.equal('still');
  });

  it('cannot take a port that is taken, nor an answer that is none', () => {
    reactor.listenTCP(80, Factory.forProtocol(Recorder));
    expect(() => reactor.serve(80)).to.throw(CannotListenError, '80');
    // @ts-expect-error: what a program without types may do
    expect(() => reactor.serve(81, { answer: 'perhaps' })).to.throw(RangeError, 'answer');
  });
});

describe('scripted peers at the path of a UNIX socket', () => {
  it('dial a server', () => {
    reactor.listenUNIX('/run/echo', Factory.forProtocol(Echo));
    const peer = reactor.dial('/run/echo');
    peer.send('hello');
    reactor.advance(0);
    expect(peer.text()).to.equal('hello');
    expect(String(peer.getPeer())).to.contain('/run/echo');
  });

  it('are refused where nobody listens', () => {
    const peer = reactor.dial('/run/nobody');
    reactor.advance(0);
    expect(peer.closed).to.be.true;
    expect(peer.reason?.value.cause).to.have.property('code', 'ENOENT');
  });

  it('serve a client, and refuse it, and never answer', () => {
    const server = reactor.serve('/run/served');
    const [protocol, refused] = [new Recorder(), new ClientFactory()];
    const factory = new ClientFactory();
    factory.buildProtocol = () => protocol;
    reactor.connectUNIX('/run/served', factory);
    reactor.advance(0);
    server.accept().send('welcome');
    reactor.advance(0);
    expect(protocol.heard).to.equal('welcome');

    let reason: Failure | undefined;
    refused.clientConnectionFailed = (_connector, failure) => {
      reason = failure;
    };
    reactor.serve('/run/down', { answer: 'refuse' });
    reactor.connectUNIX('/run/down', refused);
    reactor.advance(0);
    expect(reason).to.be.failureOf(ConnectionRefusedError);
    reactor.serve('/run/silent', { answer: 'ignore' });
    reactor.connectUNIX('/run/silent', refused, { timeout: 3 });
    reactor.advance(3);
    expect(reason).to.be.failureOf(ConnectTimeoutError);
  });

  it('say so when the path is taken, and refuse what is no place', () => {
    reactor.serve('/run/served');
    expect(() => reactor.serve('/run/served'))
      .to.throw(CannotListenError)
      .with.property('port', '/run/served');
    expect(() => reactor.dial('')).to.throw(RangeError, 'path');
    expect(() => reactor.dial('/run/served', { host: '127.0.0.1' })).to.throw(TypeError, 'host goes with a port');
    expect(() => reactor.serve('/run/served', { host: '::' })).to.throw(TypeError, 'host goes with a port');
  });
});
