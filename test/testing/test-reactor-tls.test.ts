import { X509Certificate } from 'node:crypto';
import { expect, use } from 'chai';
import {
  CertificateError,
  ClientFactory,
  ConnectionDone,
  ConnectionLost,
  ConnectionRefusedError,
  Echo,
  Factory,
  type Failure,
  nodeTLS,
  Protocol,
  SSLError,
  type TLSOptions,
  UnsupportedError,
  VerifyError,
} from 'ropewalk';
import { TestReactor } from 'ropewalk/testing';
import { ropewalkChai } from 'ropewalk/testing/chai';
import { testCertificates } from '../support/certificates.ts';

use(ropewalkChai);

const CERTIFICATES = await testCertificates();
const { server: SERVER, client } = CERTIFICATES;
const TRUST: TLSOptions = { ca: CERTIFICATES.ca };

class Recorder extends Protocol {
  readonly events: string[] = [];

  override connectionMade(): void {
    this.events.push('made');
  }
  handshakeCompleted(): void {
    this.events.push('completed');
  }
  override dataReceived(data: Buffer): void {
    this.events.push(data.toString());
  }
  override connectionLost(reason: Failure): void {
    this.events.push(`lost ${reason.value.name}`);
  }
}

class RecorderFactory extends ClientFactory {
  readonly protocols: Recorder[] = [];
  readonly reasons: Error[] = [];

  override buildProtocol(): Recorder {
    const protocol = new Recorder();
    this.protocols.push(protocol);
    return protocol;
  }
  override clientConnectionFailed(_connector: unknown, reason: Failure): void {
    this.reasons.push(reason.value);
  }
}

describe('TestReactor with tls', () => {
  let reactor: TestReactor;

  beforeEach(() => {
    reactor = new TestReactor({ tls: nodeTLS() });
  });

  describe('a reactor that stops', () => {
    for (const [what, seconds, isWhole] of [
      ['has what was written sent to a peer that reads in time', 1, true],
      ['waits no longer than it lingers for a peer that does not read', 3, false],
    ] as const) {
      it(what, async () => {
        const bytes = 1_000_000;
        class Bulk extends Protocol {
          override connectionMade(): void {
            this.transport.write(Buffer.alloc(bytes));
          }
        }
        reactor.listenTLS(443, Factory.forProtocol(Bulk), SERVER);
        const peer = reactor.dial(443, { tls: { ...TRUST, servername: 'localhost' }, reading: false });
        await reactor.advanceAsync(0);
        expect(peer.connected).to.be.true;
        reactor.stop();
        await reactor.advanceAsync(seconds);
        peer.resume();
        await reactor.advanceAsync(5);
        expect(peer.closed).to.be.true;
        expect(peer.received.length === bytes).to.equal(isWhole);
        expect(peer.reason).to.be.failureOf(isWhole ? ConnectionDone : ConnectionLost);
      });
    }
  });

  describe('time', () => {
    it('stands still until a handshake is over, however much is to pass', async () => {
      const factory = new RecorderFactory();
      const times: number[] = [];
      reactor.listenTLS(443, Factory.forProtocol(Echo), SERVER);
      class Noting extends Protocol {
        override connectionMade(): void {
          times.push(reactor.seconds());
          this.transport.write('x');
        }
        override dataReceived(): void {
          times.push(reactor.seconds());
          this.transport.loseConnection();
        }
        override connectionLost(): void {
          times.push(reactor.seconds());
        }
      }
      reactor.connectTLS('localhost', 443, ClientFactory.forProtocol(Noting), TRUST);
      const ticks: number[] = [];
      const tick = (): void => {
        ticks.push(reactor.seconds());
        if (ticks.length < 30) reactor.callLater(1, tick);
      };
      reactor.callLater(1, tick);
      await reactor.advanceAsync(30);
      expect(times).to.deep.equal([0, 0, 0]);
      expect(ticks).to.have.lengthOf(30);
      expect(factory.reasons).to.deep.equal([]);
    });

    it('is not enough in advance alone, which completes no handshake; advanceAsync(0) does', async () => {
      const serverFactory = new RecorderFactory();
      const clientFactory = new RecorderFactory();
      reactor.listenTLS(443, serverFactory, SERVER);
      reactor.connectTLS('localhost', 443, clientFactory, TRUST, { timeout: 60 });
      for (let count = 0; count < 5; count += 1) reactor.advance(1);
      expect(serverFactory.protocols).to.deep.equal([]);
      expect(clientFactory.protocols).to.deep.equal([]);
      await reactor.advanceAsync(0);
      expect(serverFactory.protocols[0]?.events).to.deep.equal(['made', 'completed']);
      expect(clientFactory.protocols[0]?.events).to.deep.equal(['made', 'completed']);
      expect(reactor.seconds()).to.equal(5);
    });

    it('runs on for a peer that says nothing, to the limit of the handshake', async () => {
      const factory = new RecorderFactory();
      const warnings: string[] = [];
      const note = (): undefined => undefined;
      reactor = new TestReactor({
        tls: nodeTLS(),
        logger: { debug: note, info: note, error: note, warn: (_fields, message) => warnings.push(message) },
      });
      reactor.listenTLS(443, factory, SERVER, { handshakeTimeout: 10 });
      const peer = reactor.dial(443);
      await reactor.advanceAsync(9);
      expect(peer.connected).to.be.true;
      await reactor.advanceAsync(2);
      expect(peer.reason).to.be.failureOf(ConnectionLost);
      expect(warnings).to.have.lengthOf(1);
      expect(factory.protocols).to.deep.equal([]);
    });

    it('may pass in many steps while data flows', async () => {
      reactor.listenTLS(443, Factory.forProtocol(Echo), SERVER);
      const peer = reactor.dial(443, { host: '127.0.0.1', tls: TRUST, window: 1_000_000 });
      for (let count = 0; count < 20; count += 1) {
        peer.send(`${count},`);
        await reactor.advanceAsync(0.25);
      }
      expect(peer.text()).to.equal(Array.from({ length: 20 }, (_, index) => `${index},`).join(''));
      expect(reactor.seconds()).to.equal(5);
    });

    it('carries much at one instant', async () => {
      reactor.listenTLS(443, Factory.forProtocol(Echo), SERVER);
      const bytes = Buffer.alloc(2_000_000, 'The quick brown fox. ');
      const peer = reactor.dial(443, { tls: TRUST, window: 4_000_000 });
      peer.send(bytes);
      peer.end();
      await reactor.advanceAsync(0);
      expect(peer.received.equals(bytes)).to.be.true;
      expect(peer.reason).to.be.failureOf(ConnectionDone);
    });
  });

  describe('dial with tls', () => {
    it('connects a peer when the handshake is over', async () => {
      const factory = new RecorderFactory();
      reactor.listenTLS(443, factory, SERVER);
      const peer = reactor.dial(443, { tls: TRUST });
      peer.send('sent before it was connected');
      reactor.advance(0);
      expect(peer.connected).to.be.false;
      await reactor.advanceAsync(0);
      expect(peer.connected).to.be.true;
      expect(factory.protocols[0]?.events).to.deep.equal(['made', 'completed', 'sent before it was connected']);
      factory.protocols[0]?.transport.write('answer');
      factory.protocols[0]?.transport.loseConnection();
      await reactor.advanceAsync(0);
      expect(peer.text()).to.equal('answer');
      expect(peer.ended).to.be.true;
      expect(peer.reason).to.be.failureOf(ConnectionDone);
    });

    it('verifies the server for the host, 127.0.0.1 by default, or for servername', async () => {
      reactor.listenTLS(443, new RecorderFactory(), SERVER);
      const peers = [
        reactor.dial(443, { tls: TRUST }),
        reactor.dial(443, { tls: TRUST, host: '127.0.0.2' }),
        reactor.dial(443, { tls: { ...TRUST, servername: 'localhost' }, host: '127.0.0.2' }),
        reactor.dial(443, { tls: { ...TRUST, servername: 'third.example' } }),
        reactor.dial(443, { tls: {} }),
        reactor.dial(443, { tls: { rejectUnauthorized: false }, host: '127.0.0.2' }),
      ];
      await reactor.advanceAsync(0);
      expect(peers.map(({ connected }) => connected)).to.deep.equal([true, false, true, false, false, true]);
      expect(peers[1]?.reason).to.be.failureOf(CertificateError);
      expect(peers[3]?.reason).to.be.failureOf(CertificateError);
      expect(peers[4]?.reason).to.be.failureOf(VerifyError);
    });

    it('has a peer with a certificate of its own', async () => {
      const factory = new RecorderFactory();
      reactor.listenTLS(443, factory, { ...SERVER, ca: CERTIFICATES.ca, requestCert: true });
      reactor.dial(443, { tls: { ...TRUST, key: client.key, cert: client.cert } });
      await reactor.advanceAsync(0);
      const der = factory.protocols[0]?.transport.getPeerCertificate();
      expect(new X509Certificate(der!).subject).to.equal(`CN=${client.name}`);
    });

    it('fails where nobody listens, or nobody speaks TLS', async () => {
      reactor.listenTCP(80, Factory.forProtocol(Echo));
      const refused = reactor.dial(443, { tls: TRUST });
      const misled = reactor.dial(80, { tls: TRUST });
      await reactor.advanceAsync(0);
      expect(refused.reason).to.be.failureOf(ConnectionRefusedError);
      expect(misled.reason).to.be.failureOf(SSLError);
    });

    it('can be aborted while the handshake goes on', async () => {
      const factory = new RecorderFactory();
      reactor.listenTLS(443, factory, SERVER);
      const peer = reactor.dial(443, { tls: TRUST });
      reactor.advance(0);
      peer.abort();
      await reactor.advanceAsync(0);
      expect(peer.closed).to.be.true;
      expect(factory.protocols).to.deep.equal([]);
      expect(reactor.inspect().handshakes).to.deep.equal([]);
    });

    it('honours half-close, pausing and the window', async () => {
      const factory = new RecorderFactory();
      reactor.listenTLS(443, factory, SERVER);
      const peer = reactor.dial(443, { tls: TRUST, allowHalfOpen: true, reading: false, window: 1000 });
      await reactor.advanceAsync(0);
      const [protocol] = factory.protocols;
      protocol?.transport.write(Buffer.alloc(2500));
      protocol?.transport.loseWriteConnection();
      await reactor.advanceAsync(1);
      expect(peer.received.length).to.equal(0);
      peer.resume();
      await reactor.advanceAsync(0);
      expect(peer.received.length).to.be.within(1, 1000);
      await reactor.advanceAsync(1);
      expect(peer.received.length).to.equal(2500);
      expect(peer.ended).to.be.true;
      expect(peer.connected).to.be.true;
      peer.send('and an answer');
      peer.end();
      await reactor.advanceAsync(0);
      expect(protocol?.events.slice(2)).to.deep.equal(['and an answer', 'lost ConnectionDone']);
    });
  });

  describe('serve with tls', () => {
    it('has its peers connected when their handshakes are over', async () => {
      const server = reactor.serve(443, { tls: SERVER });
      const factory = new RecorderFactory();
      reactor.connectTLS('localhost', 443, factory, TRUST);
      await reactor.advanceAsync(0);
      const peer = server.accept();
      expect(peer.connected).to.be.true;
      peer.send('220 hello');
      await reactor.advanceAsync(0);
      expect(factory.protocols[0]?.events).to.deep.equal(['made', 'completed', '220 hello']);
      peer.end();
      await reactor.advanceAsync(0);
      expect(factory.protocols[0]?.events.at(-1)).to.equal('lost ConnectionDone');
      expect(peer.reason).to.be.failureOf(ConnectionDone);
    });

    it('plays servers that are not to be trusted', async () => {
      reactor.serve(443, { tls: CERTIFICATES.expired });
      const factory = new RecorderFactory();
      reactor.connectTLS('localhost', 443, factory, TRUST);
      await reactor.advanceAsync(0);
      expect(factory.reasons[0]).to.be.instanceOf(VerifyError);
      expect(factory.protocols).to.deep.equal([]);
    });

    it('tells why the handshake of a peer failed', async () => {
      const server = reactor.serve(443, { tls: SERVER });
      reactor.dial(443).send('GET / HTTP/1.0\r\n\r\n');
      await reactor.advanceAsync(0);
      expect(server.accept().reason).to.be.failureOf(SSLError);
    });
  });

  describe('assertClean', () => {
    it('lists handshakes, and what they wait for', async () => {
      reactor.listenTLS(443, new RecorderFactory(), SERVER);
      const peer = reactor.dial(443);
      await reactor.advanceAsync(0);
      expect(() => reactor.assertClean()).to.throw(/TLS handshake of .*443.* with /s);
      peer.abort();
      await reactor.advanceAsync(0);
      expect(reactor.inspect()).to.deep.include({ handshakes: [], delayedCalls: [] });
    });

    it('says nothing when everything has been closed', async () => {
      const port = reactor.listenTLS(443, Factory.forProtocol(Echo), SERVER);
      const factory = new RecorderFactory();
      reactor.connectTLS('localhost', 443, factory, TRUST);
      await reactor.advanceAsync(0);
      factory.protocols[0]?.transport.loseConnection();
      port.stopListening();
      await reactor.advanceAsync(0);
      reactor.assertClean();
    });

    it('is done by await using, too', async () => {
      await using scoped = new TestReactor({ tls: nodeTLS() });
      const port = scoped.listenTLS(443, Factory.forProtocol(Echo), SERVER);
      const peer = scoped.dial(443, { tls: TRUST });
      peer.send('x');
      await scoped.advanceAsync(0);
      expect(peer.text()).to.equal('x');
      peer.end();
      port.stopListening();
    });
  });

  it('does without turns of the host as long as nothing is encrypted', async () => {
    reactor.listenTCP(80, Factory.forProtocol(Echo));
    const peer = reactor.dial(80);
    peer.send('plain');
    reactor.advance(0);
    expect(peer.text()).to.equal('plain');
  });

  it('gives other reactors of the same engine a world of their own', async () => {
    const tls = nodeTLS();
    const reactors = [new TestReactor({ tls }), new TestReactor({ tls })];
    const peers = reactors.map((each) => {
      each.listenTLS(443, Factory.forProtocol(Echo), SERVER);
      const peer = each.dial(443, { tls: TRUST });
      peer.send('x');
      return peer;
    });
    await Promise.all(reactors.map((each) => each.advanceAsync(1)));
    expect(peers.map((peer) => peer.text())).to.deep.equal(['x', 'x']);
  });
});

describe('TestReactor without tls', () => {
  it('refuses everything that needs it, saying what is missing', () => {
    const reactor = new TestReactor();
    const factory = new RecorderFactory();
    const missing = /nodeTLS\(\)|option tls/;
    expect(() => reactor.listenTLS(443, factory, SERVER)).to.throw(UnsupportedError, missing);
    expect(() => reactor.connectTLS('localhost', 443, factory, TRUST)).to.throw(UnsupportedError, missing);
    expect(() => reactor.dial(443, { tls: TRUST })).to.throw(UnsupportedError, missing);
    expect(() => reactor.serve(443, { tls: SERVER })).to.throw(UnsupportedError, missing);
    reactor.listenTCP(80, factory);
    const peer = reactor.dial(80);
    reactor.advance(0);
    const [protocol] = factory.protocols;
    expect(() => protocol?.transport.startTLS(SERVER)).to.throw(UnsupportedError, missing);
    protocol?.transport.write('goes on in plain text');
    protocol?.transport.loseConnection();
    reactor.advance(0);
    expect(peer.text()).to.equal('goes on in plain text');
  });
});
