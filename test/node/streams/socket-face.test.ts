import { expect } from 'chai';
import {
  createConnection,
  createReactor,
  DuplexProtocol,
  duplexFactory,
  nodeTLS,
  TCP4ClientEndpoint,
  TCP4ServerEndpoint,
  UNIXClientEndpoint,
} from 'ropewalk';
import { TestReactor } from 'ropewalk/testing';
import { testCertificates } from '../../support/certificates.ts';
import { closeServed, type ServedDuplex, serveDuplex } from './support/served-duplex.ts';

describe('DuplexProtocol as a socket', () => {
  let served: ServedDuplex;

  afterEach(async () => {
    await closeServed(served);
  });

  it('has the addresses of both ends, also after the loss', async () => {
    served = await serveDuplex();
    const { duplex, peer, reactor } = served;
    const check = (): void => {
      expect(duplex).to.include({ localAddress: '127.0.0.1', localPort: 7, localFamily: 'IPv4' });
      const port = (peer.getHost() as { readonly port: number }).port; // of an IPv4Address
      expect(duplex).to.include({ remoteAddress: '127.0.0.1', remotePort: port, remoteFamily: 'IPv4' });
      expect(duplex.address()).to.deep.equal({ address: '127.0.0.1', family: 'IPv4', port: 7 });
    };
    check();
    duplex.destroy();
    await reactor.advanceAsync(0);
    check();
  });

  it('says in which state it is', async () => {
    served = await serveDuplex();
    const { duplex } = served;
    expect(duplex).to.include({ connecting: false, pending: false, readyState: 'open', encrypted: false });
    expect(duplex.alpnProtocol, 'as of a socket without TLS').to.equal(undefined);
    expect(duplex.getPeerX509Certificate()).to.equal(undefined);
    duplex.destroy();
    expect(duplex.readyState).to.equal('closed');
  });

  it('passes the options of TCP on to the transport', async () => {
    served = await serveDuplex();
    const { duplex } = served;
    expect(duplex.setNoDelay(false)).to.equal(duplex);
    expect(duplex.transport?.getTcpNoDelay()).to.be.false;
    duplex.setNoDelay();
    expect(duplex.transport?.getTcpNoDelay()).to.be.true;
    expect(duplex.setKeepAlive(true)).to.equal(duplex);
    expect(duplex.transport?.getTcpKeepAlive()).to.be.true;
    duplex.setKeepAlive();
    expect(duplex.transport?.getTcpKeepAlive()).to.be.false;
  });

  it('can be referenced, unreferenced and connected, which changes nothing', async () => {
    served = await serveDuplex();
    const { duplex, reactor } = served;
    expect(duplex.ref().unref().connect()).to.equal(duplex);
    await reactor.advanceAsync(0);
    expect(served.events).to.deep.equal(['connect']);
    expect(duplex.destroyed).to.be.false;
  });

  describe('setTimeout', () => {
    it('emits timeout when nothing has happened for so many milliseconds of the clock, and does nothing else', async () => {
      served = await serveDuplex();
      const { duplex, reactor, peer } = served;
      let calls = 0;
      expect(duplex.setTimeout(2000, () => void (calls += 1))).to.equal(duplex);
      expect(duplex.timeout).to.equal(2000);
      await reactor.advanceAsync(1.5);
      peer.send('something');
      await reactor.advanceAsync(1.5);
      expect(served.events).to.deep.equal([]);
      await reactor.advanceAsync(0.5);
      expect(served.events).to.deep.equal(['timeout']);
      expect(calls).to.equal(1);
      expect(duplex.destroyed).to.be.false;
    });

    it('waits again only from the next activity on', async () => {
      served = await serveDuplex();
      const { duplex, reactor } = served;
      duplex.setTimeout(1000);
      await reactor.advanceAsync(10);
      expect(served.events).to.deep.equal(['timeout']);
      duplex.write('something');
      await reactor.advanceAsync(10);
      expect(served.events).to.deep.equal(['timeout', 'timeout']);
    });

    it('is taken back by 0, with its callback', async () => {
      served = await serveDuplex();
      const { duplex, reactor } = served;
      const callback = (): void => {
        throw new Error('it should have been forgotten');
      };
      duplex.setTimeout(1000, callback);
      duplex.setTimeout(0, callback);
      expect(duplex.timeout).to.equal(undefined);
      await reactor.advanceAsync(10);
      expect(duplex.listenerCount('timeout')).to.equal(1);
      expect(served.events).to.deep.equal([]);
    });

    it('ends with the stream', async () => {
      served = await serveDuplex();
      served.duplex.setTimeout(1000);
      served.duplex.destroy();
      await served.reactor.advanceAsync(0);
      expect(served.reactor.getDelayedCalls()).to.deep.equal([]);
    });
  });
});

describe('DuplexProtocol over other transports', () => {
  it('has no addresses of UNIX sockets, as sockets have none', async () => {
    const reactor = new TestReactor();
    let server: DuplexProtocol | undefined;
    const port = reactor.listenUNIX(
      '/socket',
      duplexFactory(reactor, (duplex) => void (server = duplex)),
    );
    const client = createConnection(reactor, new UNIXClientEndpoint(reactor, '/socket'));
    client.end('over a path');
    await reactor.advanceAsync(0);
    expect(String(server?.read())).to.equal('over a path');
    for (const duplex of [server, client]) {
      expect(duplex).to.include({ remoteAddress: undefined, remotePort: undefined, localFamily: undefined });
      expect(duplex?.address()).to.deep.equal({});
    }
    server?.resume();
    client.resume();
    void port.stopListening();
    await reactor.advanceAsync(0);
    reactor.assertClean();
  });

  it('knows that it is encrypted, what was agreed on, and who the peer is', async () => {
    const { ca, server: identity } = await testCertificates();
    const reactor = new TestReactor({ tls: nodeTLS() });
    const ALPNProtocols = ['acme'];
    let server: DuplexProtocol | undefined;
    const port = reactor.listenTLS(
      443,
      duplexFactory(reactor, (duplex) => void (server = duplex)),
      { ...identity, ALPNProtocols },
    );
    const client = new DuplexProtocol(reactor);
    const unused = (): void => {};
    reactor.connectTLS(
      '127.0.0.1',
      443,
      {
        buildProtocol: () => client,
        ...{ doStart: unused, doStop: unused, startedConnecting: unused },
        ...{ clientConnectionFailed: unused, clientConnectionLost: unused },
      },
      { ca, ALPNProtocols },
    );
    const events: string[] = [];
    for (const name of ['connect', 'secureConnect']) client.on(name, () => events.push(name));
    client.end('a secret');
    await reactor.advanceAsync(0);
    expect(String(server?.read())).to.equal('a secret');
    expect(events).to.deep.equal(['connect', 'secureConnect']);
    expect(client).to.include({ encrypted: true, alpnProtocol: 'acme' });
    expect(server).to.include({ encrypted: true, alpnProtocol: 'acme' });
    expect(client.getPeerX509Certificate()?.subject).to.equal('CN=localhost');
    server?.resume();
    client.resume();
    void port.stopListening();
    await reactor.advanceAsync(0);
    reactor.assertClean();
  });

  it('carries megabytes both ways over TCP', async () => {
    const reactor = createReactor();
    const finished = reactor.run({ installSignalHandlers: false });
    const endpoint = new TCP4ServerEndpoint(reactor, 0, { interface: '127.0.0.1' });
    const port = await endpoint.listen(duplexFactory(reactor, (duplex) => duplex.pipe(duplex)));
    const address = port.getHost();
    if (address.family !== 'IPv4') throw new Error('it was asked for');
    const client = createConnection(reactor, new TCP4ClientEndpoint(reactor, '127.0.0.1', address.port));
    const sent = Buffer.alloc(5_000_000, 'some of it is like the rest, but not all\n');
    client.end(sent);
    const chunks: Buffer[] = [];
    for await (const chunk of client) chunks.push(chunk as Buffer); // it has no encoding
    expect(sent.equals(Buffer.concat(chunks))).to.be.true;
    reactor.stop();
    await finished;
  });
});
