/** `startTLS`: a connection that goes on encrypted, from the middle, with no byte lost or read twice at the seam. */
import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import {
  CertificateError,
  ConnectionDone,
  HandshakeInProgressError,
  PeerVerifyError,
  type StartTLSOptions,
  type TLSOptions,
  VerifyError,
} from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { hostAndPort } from '../harness/reactor-calls.ts';
import { KIBIBYTE, MEBIBYTE, pattern, roundTrip, serve, takeErrors, untilLost } from '../support/connections.ts';
import { RecordingProducer } from '../support/recording-producer.ts';
import type { Hooks, RecordingProtocol } from '../support/recording-protocol.ts';
import { CERTIFICATES, joinTCP, joinTLS, type Joined, MADE, startBoth, TRUST, untilSecure } from '../support/tls.ts';
import { METHODS } from './re-entrancy.ts';

const { server: SERVER, otherServer, untrusted, ca } = CERTIFICATES;

export function describeStartTLS(harness: () => Harness): void {
  describe('startTLS', () => {
    describeAgreement(harness);
    describeSeam(harness);
    describeBackpressure(harness);
    describeProducers(harness);
    describeTwice(harness);
    describeVerification(harness);
    describeClosed(harness);
    describeArguments(harness);
  });
}

/** A server that agrees to TLS when it is asked for it in a line, and answers in plain text first. */
function agreeing(tls: TLSOptions = SERVER): Hooks {
  return {
    dataReceived: ({ transport, calls }, data) => {
      if (calls.includes('handshakeCompleted')) {
        transport.write(data);
        return;
      }
      transport.write('go ahead');
      transport.startTLS(tls);
    },
  };
}

/** A client that asks for TLS, and begins when it has been agreed to. */
function asking(tls: TLSOptions = TRUST): Hooks {
  return {
    connectionMade: ({ transport }) => void transport.write('STARTTLS'),
    dataReceived: ({ transport, calls }) => {
      if (!calls.includes('handshakeCompleted')) transport.startTLS(tls);
    },
    handshakeCompleted: ({ transport }) => void transport.write('hello'),
  };
}

function describeAgreement(harness: () => Harness): void {
  it('encrypts from then on, on the same transport, and calls handshakeCompleted [71]', async () => {
    const h = harness();
    const { server, client } = await joinTCP(h, { server: agreeing(), client: asking() });
    const { transport } = client;
    await h.until(() => client.text.endsWith('hello'), 'the encrypted echo has come');
    expect(client.transport).to.equal(transport);
    expect(client.text).to.equal('go aheadhello');
    expect(server.text).to.equal('STARTTLShello');
    for (const { calls, nested } of [server, client]) {
      expect(calls).to.deep.equal(['connectionMade', 'dataReceived', 'handshakeCompleted', 'dataReceived']);
      expect(nested).to.deep.equal([]);
    }
    client.transport.loseConnection();
    await untilLost(h, client);
    await untilLost(h, server);
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
    expect(server.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('knows what the handshake has told', async () => {
    const h = harness();
    const joined = await joinTCP(h);
    const { server, client } = joined;
    server.transport.startTLS({ ...SERVER, ALPNProtocols: ['xmpp'] });
    client.transport.startTLS({ ...TRUST, ALPNProtocols: ['xmpp'] });
    expect(client.transport.getPeerCertificate()).to.be.undefined;
    expect(client.transport.negotiatedProtocol).to.be.undefined;
    await untilSecure(h, joined);
    const certificate = new X509Certificate(client.transport.getPeerCertificate()!);
    expect(certificate.subject).to.equal('CN=localhost');
    expect(server.transport.getPeerCertificate()).to.be.undefined;
    for (const { transport } of [server, client]) {
      expect(transport.negotiatedProtocol).to.equal('xmpp');
      expect(transport.connected).to.be.true;
      expect(transport.getHost().family).to.equal('IPv4');
    }
  });

  it('can be called first by the server, which then waits for the client', async () => {
    const h = harness();
    const joined = await joinTCP(h);
    const { reactor, server, client } = joined;
    server.transport.startTLS(SERVER);
    await roundTrip(h, reactor);
    expect([...server.calls, ...client.calls]).to.deep.equal(['connectionMade', 'connectionMade']);
    client.transport.startTLS(TRUST);
    await untilSecure(h, joined);
  });

  it('can be called first by the client, whose first words the server then has been given', async () => {
    const h = harness();
    const joined = await joinTCP(h, {
      server: {
        dataReceived: ({ transport, calls }, data) => {
          if (!calls.includes('handshakeCompleted')) transport.startTLS(SERVER, { received: data });
        },
      },
    });
    joined.client.transport.startTLS(TRUST);
    await untilSecure(h, joined);
    expect(joined.server.calls).to.deep.equal(['connectionMade', 'dataReceived', 'handshakeCompleted']);
  });

  it('can be called in connectionMade', async () => {
    const h = harness();
    const joined = await joinTCP(h, {
      server: {
        connectionMade: ({ transport }) => {
          transport.startTLS(SERVER);
          transport.write('encrypted');
        },
      },
      client: { connectionMade: ({ transport }) => transport.startTLS(TRUST) },
    });
    await untilSecure(h, joined);
    await h.until(() => joined.client.text === 'encrypted', 'the bytes have come');
    expect(joined.client.calls).to.deep.equal([...MADE, 'dataReceived']);
  });

  it('has the side that connected be the server, if both say so', async () => {
    const h = harness();
    const joined = await joinTCP(h);
    const { server: accepting, client: connecting } = joined;
    connecting.transport.startTLS(SERVER, { isServer: true });
    accepting.transport.startTLS({ ...TRUST, servername: 'localhost' }, { isServer: false });
    await untilSecure(h, joined);
    expect(connecting.transport.getPeerCertificate()).to.be.undefined;
    expect(accepting.transport.getPeerCertificate()).to.be.instanceOf(Uint8Array);
    connecting.transport.write('x');
    await h.until(() => accepting.text === 'x', 'the byte has come');
  });

  it('lets every method of the transport be called in handshakeCompleted, and calls no hook from inside', async () => {
    const h = harness();
    for (const [name, method] of Object.entries(METHODS)) {
      let called = false;
      const { server, client } = await joinTCP(h, {
        server: {
          connectionMade: ({ transport }) => transport.startTLS(SERVER),
          handshakeCompleted: ({ transport, calls }) => {
            const before = [...calls];
            method(transport);
            expect(calls, `${name} has called a hook`).to.deep.equal(before);
            called = true;
          },
        },
        client: { connectionMade: ({ transport }) => transport.startTLS(TRUST) },
      });
      await h.until(() => called, `the handshake is over, for ${name}`);
      server.transport.abortConnection();
      await untilLost(h, server);
      await untilLost(h, client);
      expect(server.nested, name).to.deep.equal([]);
      expect(takeErrors(h), name).to.deep.equal([]);
    }
  });
}

function describeSeam(harness: () => Harness): void {
  it('sends plain text that was written before in the same turn, and encrypts what is written after', async () => {
    const h = harness();
    const { server, client } = await joinTCP(h, {
      client: {
        dataReceived: ({ transport, text }) => {
          if (text !== 'plain, ') return;
          transport.startTLS(TRUST);
          transport.write('encrypted, ');
          transport.writeSequence(['and ', 'more']);
        },
      },
    });
    server.transport.write('pl');
    server.transport.write('ain, ');
    server.transport.startTLS(SERVER);
    server.transport.write('encrypted, ');
    server.transport.writeSequence(['and ', 'more']);
    await h.until(() => server.text.endsWith('more') && client.text.endsWith('more'), 'everything has come');
    expect(client.text).to.equal('plain, encrypted, and more');
    expect(server.text).to.equal('encrypted, and more');
    expect(client.calls.slice(0, 3)).to.deep.equal(['connectionMade', 'dataReceived', 'handshakeCompleted']);
  });

  it('takes the bytes of the handshake that came with the line that agreed on it [71]', async () => {
    const h = harness();
    const line = 'STARTTLS\r\n';
    const { server, client } = await joinTCP(h, {
      server: {
        dataReceived: (protocol) => {
          if (protocol.calls.includes('handshakeCompleted')) return;
          // A line may come in pieces, and what stands behind it is the client's handshake.
          if (!protocol.text.includes('\r\n')) return;
          const behind = protocol.received.subarray(line.length);
          protocol.transport.startTLS(SERVER, { received: behind });
        },
      },
      client: {
        connectionMade: ({ transport }) => {
          // Does not wait for an answer.
          transport.write(line);
          transport.startTLS(TRUST);
          transport.write('hello');
        },
      },
    });
    await h.until(() => server.text.endsWith('hello'), 'the encrypted bytes have come');
    await h.until(() => client.calls.includes('handshakeCompleted'), 'the client knows, too');
  });

  it('takes such bytes from a peer that sends all of it at once, and one byte at a time', async () => {
    const h = harness();
    // A client's first flight, recorded: the server answers it.
    const hello = await clientHello(h);
    for (const split of [0, 1, 5, hello.length - 1, hello.length]) {
      const { protocol, peer } = await serve(h, {
        dataReceived: ({ transport }, data) => transport.startTLS(SERVER, { received: data.subarray(1) }),
      });
      peer.send(Buffer.concat([Buffer.from('!'), hello.subarray(0, split)]));
      await h.until(() => protocol.calls.length === 2, 'the handshake has begun');
      for (const byte of hello.subarray(split, split + 20)) peer.send(Buffer.of(byte));
      peer.send(hello.subarray(split + 20));
      await h.until(() => peer.received.length > 100, `the server has answered, for ${split} bytes`);
      expect(peer.received[0]).to.equal(22); // a record of a handshake
      expect(protocol.receivedBytes).to.equal(split + 1);
      peer.end();
      await untilLost(h, protocol);
    }
  });

  it('takes bytes that came while reading was paused', async () => {
    const h = harness();
    const { reactor, server, client } = await joinTCP(h, {
      server: {
        dataReceived: ({ transport, calls }) => {
          if (!calls.includes('handshakeCompleted')) transport.pauseProducing();
        },
      },
    });
    client.transport.write('ready?');
    await h.until(() => server.text === 'ready?', 'it has paused');
    client.transport.startTLS(TRUST);
    client.transport.write('hello');
    await roundTrip(h, reactor);
    server.transport.startTLS(SERVER);
    await h.until(() => server.calls.includes('handshakeCompleted'), 'the handshake goes on while paused');
    await roundTrip(h, reactor);
    expect(server.text).to.equal('ready?');
    server.transport.resumeProducing();
    await h.until(() => server.text === 'ready?hello', 'the encrypted bytes have come');
  });

  it('delivers what was encrypted only after handshakeCompleted, however much comes with it', async () => {
    const h = harness();
    const bytes = pattern(300 * KIBIBYTE);
    const { server, client } = await joinTCP(h);
    client.transport.startTLS(TRUST);
    client.transport.write(bytes);
    server.transport.startTLS(SERVER);
    server.transport.write(bytes);
    for (const end of [server, client]) {
      await h.until(() => end.receivedBytes === bytes.length, 'all has come');
      expect(end.calls.slice(0, 2)).to.deep.equal(MADE);
      expect(end.received.equals(bytes)).to.be.true;
    }
  });
}

function describeBackpressure(harness: () => Harness): void {
  it('sends MiBs of plain text first, to a peer that reads slowly, before the handshake begins', async () => {
    const h = harness();
    const plain = pattern(4 * MEBIBYTE);
    const encrypted = pattern(2 * MEBIBYTE, 7);
    const state = { plainBytes: 0 };
    const joined = await joinTCP(h, {
      client: {
        connectionMade: ({ transport }) => transport.pauseProducing(),
        dataReceived: ({ transport, receivedBytes }) => {
          // Exactly so much is plain: a client that counts knows when to begin.
          if (receivedBytes < plain.length || state.plainBytes > 0) return;
          state.plainBytes = receivedBytes;
          transport.startTLS(TRUST);
        },
      },
    });
    const { reactor, server, client } = joined;
    server.transport.write(plain.subarray(0, MEBIBYTE));
    await roundTrip(h, reactor);
    // Behind what is on its way already.
    server.transport.write(plain.subarray(MEBIBYTE));
    server.transport.startTLS(SERVER);
    server.transport.write(encrypted);
    await roundTrip(h, reactor);
    expect(server.calls).to.deep.equal(['connectionMade']);
    client.transport.resumeProducing();
    await untilSecure(h, joined);
    await h.until(() => client.receivedBytes === plain.length + encrypted.length, 'all has come');
    expect(state.plainBytes).to.equal(plain.length);
    expect(client.received.equals(Buffer.concat([plain, encrypted]))).to.be.true;
  });

  it('answers false from write, and pauses a producer, by what waits on both sides of the seam', async () => {
    const h = harness();
    const { server, client } = await joinTCP(h);
    const producer = new RecordingProducer();
    server.transport.registerProducer(producer, true);
    server.transport.startTLS(SERVER);
    expect(server.transport.write(new Uint8Array(60_000))).to.be.true;
    expect(server.transport.write(new Uint8Array(60_000))).to.be.false;
    expect(producer.calls).to.deep.equal(['pauseProducing']);
    client.transport.startTLS(TRUST);
    await h.until(() => client.receivedBytes === 120_000, 'all has come');
    await h.until(() => producer.calls.length > 1, 'the producer has been told');
    expect(producer.calls).to.deep.equal(['pauseProducing', 'resumeProducing']);
  });
}

function describeProducers(harness: () => Harness): void {
  it('leaves a registered push producer registered, which goes on [71]', async () => {
    const h = harness();
    const joined = await joinTCP(h);
    const { server, client } = joined;
    const producer = new RecordingProducer();
    server.transport.registerProducer(producer, true);
    server.transport.write('plain');
    await h.until(() => client.text === 'plain', 'the plain text has come');
    startBoth(joined);
    await untilSecure(h, joined);
    server.transport.write(new Uint8Array(100_000));
    expect(producer.count('pauseProducing')).to.equal(1);
    await h.until(() => producer.count('resumeProducing') === 1, 'it has been resumed');
    expect(() => server.transport.registerProducer(producer, true)).to.throw(Error);
    server.transport.unregisterProducer();
    server.transport.loseConnection();
    await untilLost(h, client);
    expect(client.receivedBytes).to.equal(100_005);
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
    expect(producer.count('stopProducing')).to.equal(0);
  });

  it('leaves a registered pull producer registered, which is asked for more as things leave [70, 71]', async () => {
    const h = harness();
    const plainPieces = 3;
    const piece = 'piece, ';
    const { server, client } = await joinTCP(h, {
      client: {
        dataReceived: ({ transport, receivedBytes }) => {
          if (receivedBytes === plainPieces * piece.length) transport.startTLS(TRUST);
        },
      },
    });
    let asked = 0;
    const producer = new RecordingProducer({
      resumeProducing: () => {
        asked += 1;
        server.transport.write(piece);
        if (asked === plainPieces) server.transport.startTLS(SERVER);
        if (asked < 40) return;
        server.transport.unregisterProducer();
        server.transport.loseConnection();
      },
    });
    server.transport.registerProducer(producer, false);
    await untilLost(h, client);
    expect(asked).to.equal(40);
    expect(client.text).to.equal(piece.repeat(40));
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
    expect(client.calls.filter((call) => call === 'handshakeCompleted')).to.have.length(1);
  });
}

function describeTwice(harness: () => Harness): void {
  it('throws HandshakeInProgressError while a handshake is under way, and changes nothing', async () => {
    const h = harness();
    const joined = await joinTCP(h);
    const { server, client } = joined;
    server.transport.startTLS(SERVER);
    expect(() => server.transport.startTLS(SERVER)).to.throw(HandshakeInProgressError, 'handshake is under way');
    client.transport.startTLS(TRUST);
    await roundTrip(h, joined.reactor);
    await untilSecure(h, joined);
    expect(server.calls).to.deep.equal(MADE);
  });

  it('may be called again afterwards: TLS in TLS', async () => {
    const h = harness();
    const joined = await joinTCP(h);
    const { server, client } = joined;
    startBoth(joined);
    await untilSecure(h, joined);
    server.transport.write('once');
    await h.until(() => client.text === 'once', 'the bytes have come');
    server.transport.startTLS({ key: otherServer.key, cert: otherServer.cert });
    client.transport.startTLS({ ...TRUST, servername: otherServer.name });
    await h.until(() => server.calls.length > 2 && client.calls.length > 3, 'both are secure once more');
    expect(server.calls).to.deep.equal([...MADE, 'handshakeCompleted']);
    const certificate = new X509Certificate(client.transport.getPeerCertificate()!);
    expect(certificate.subject).to.equal(`CN=${otherServer.name}`);
    const bytes = pattern(MEBIBYTE);
    server.transport.write(bytes);
    client.transport.write(bytes);
    await h.until(() => server.receivedBytes === bytes.length, 'all has come to the server');
    await h.until(() => client.receivedBytes === bytes.length + 4, 'all has come to the client');
    expect(server.received.equals(bytes)).to.be.true;
    server.transport.loseConnection();
    await untilLost(h, client);
    await untilLost(h, server);
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
    expect(server.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('may be called again on a connection by connectTLS, in handshakeCompleted and connectionMade too', async () => {
    const h = harness();
    for (const hook of ['connectionMade', 'handshakeCompleted'] as const) {
      const again = (tls: TLSOptions): Hooks => ({
        [hook]: ({ transport, calls }: RecordingProtocol) => {
          const handshakes = calls.filter((call) => call === 'handshakeCompleted').length;
          if (handshakes <= 1) transport.startTLS(tls);
        },
      });
      const joined = await joinTLS(h, { serverHooks: again(SERVER), clientHooks: again(TRUST) });
      const { server, client } = joined;
      const expected = hook === 'connectionMade' ? MADE : [...MADE, 'handshakeCompleted'];
      await h.until(
        () => server.calls.length === expected.length && client.calls.length === expected.length,
        `all handshakes are over, begun in ${hook}`,
      );
      client.transport.write('x');
      await h.until(() => server.text === 'x', 'the byte has come');
      expect(server.calls).to.deep.equal([...expected, 'dataReceived']);
    }
  });
}

function describeVerification(harness: () => Harness): void {
  const failing = async (h: Harness, server: TLSOptions, client: TLSOptions): Promise<Joined> => {
    const joined = await joinTCP(h);
    joined.server.transport.startTLS(server);
    joined.client.transport.startTLS(client);
    await untilLost(h, joined.client);
    await untilLost(h, joined.server);
    return joined;
  };

  it('loses a connection whose certificate cannot be verified, with VerifyError [68]', async () => {
    const h = harness();
    const { client, clientFactory } = await failing(h, { key: untrusted.key, cert: untrusted.cert }, TRUST);
    expect(client.calls).to.deep.equal(['connectionMade', 'connectionLost']);
    expect(client.lostBy).to.be.instanceOf(VerifyError);
    expect(client.lostBy).to.include({ hostname: '127.0.0.1' });
    expect(clientFactory.reasons).to.deep.equal([client.lostBy]);
  });

  it('loses one that is with somebody else, with CertificateError [68]', async () => {
    const h = harness();
    const { client } = await failing(h, CERTIFICATES.wrongHost, TRUST);
    expect(client.calls).to.deep.equal(['connectionMade', 'connectionLost']);
    expect(client.lostBy).to.be.instanceOf(CertificateError);
    expect(client.lostBy).to.include({ hostname: '127.0.0.1' });
    const named = await failing(h, SERVER, { ...TRUST, servername: 'third.example' });
    expect(named.client.lostBy).to.be.instanceOf(CertificateError);
    expect(named.client.lostBy).to.include({ hostname: 'third.example' });
  });

  it('tells the server that a client has sent no certificate, and the client that it should have', async () => {
    const h = harness();
    const { server, client } = await failing(h, { ...SERVER, ca, requestCert: true }, TRUST);
    expect(server.calls).to.deep.equal(['connectionMade', 'connectionLost']);
    expect(server.lostBy).to.be.instanceOf(CertificateError);
    expect(server.lostBy).to.include({
      hostname: '127.0.0.1',
      message: 'The TLS handshake with 127.0.0.1 failed: peer did not return a certificate',
    });
    expect(client.lostBy).to.be.instanceOf(PeerVerifyError);
    expect(client.lostBy).to.include({
      hostname: '127.0.0.1',
      message: '127.0.0.1 did not accept our certificate: tlsv13 alert certificate required',
    });
    expect(client.calls).to.deep.equal([...MADE, 'connectionLost']);
  });

  it('verifies the name of the host that was connected to', async () => {
    const h = harness();
    const { reactor, destination } = await joinTCP(h, {
      server: { connectionMade: ({ transport }) => transport.startTLS(SERVER) },
    });
    const { port } = hostAndPort(destination);
    const { clientFactory } = await joinTCP(h);
    reactor.connectTCP('localhost', port, clientFactory);
    await h.until(() => clientFactory.protocols.length > 1, 'a second client is connected');
    const client = clientFactory.protocols[1]!;
    await h.until(() => client.calls.length > 0, 'it knows');
    client.transport.startTLS(TRUST);
    await h.until(() => client.calls.length > 1, 'the handshake is over');
    expect(client.calls).to.deep.equal(MADE);
  });
}

function describeClosed(harness: () => Harness): void {
  it('does nothing on a connection that is being closed or is lost', async () => {
    const h = harness();
    const { server, client } = await joinTCP(h);
    client.transport.loseConnection();
    client.transport.startTLS(TRUST);
    await untilLost(h, client);
    await untilLost(h, server);
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
    expect(server.lostBy).to.be.instanceOf(ConnectionDone);
    for (const { transport, calls } of [server, client]) {
      transport.startTLS(SERVER, { isServer: true });
      transport.startTLS(SERVER, { isServer: true });
      expect(calls).to.deep.equal(['connectionMade', 'connectionLost']);
    }
  });

  it('does nothing once the writing half is closed or being closed', async () => {
    const h = harness();
    const { server, client } = await joinTCP(h);
    client.transport.loseWriteConnection();
    client.transport.startTLS(TRUST);
    await untilLost(h, client);
    await untilLost(h, server);
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
    expect(client.calls).to.deep.equal(['connectionMade', 'connectionLost']);
  });
}

function describeArguments(harness: () => Harness): void {
  it('throws for what cannot be right, and goes on unencrypted', async () => {
    const h = harness();
    const { server, client } = await joinTCP(h);
    const start = (tls: unknown, options?: unknown) => () =>
      client.transport.startTLS(tls as TLSOptions, options as StartTLSOptions);
    expect(start(undefined)).to.throw(TypeError, 'tls must be an object');
    expect(start({ certificate: 'x' })).to.throw(TypeError, 'certificate');
    expect(start({ minVersion: 'SSLv3' })).to.throw(RangeError, 'SSLv3');
    expect(start(TRUST, null)).to.throw(TypeError, 'options');
    expect(start(TRUST, { timeout: 3 })).to.throw(TypeError, 'timeout');
    expect(start(TRUST, { handshakeTimeout: -1 })).to.throw(RangeError, 'handshakeTimeout');
    expect(start(TRUST, { handshakeTimeout: Infinity })).to.throw(RangeError, 'handshakeTimeout');
    expect(start(TRUST, { received: 'bytes' })).to.throw(TypeError, 'received');
    expect(start(TRUST, { isServer: 'no' })).to.throw(TypeError, 'isServer');
    expect(start({}, { isServer: true })).to.throw(TypeError, 'needs key and cert');
    expect(start({ key: 'x', cert: 'y' }, { isServer: true })).to.throw(Error);
    expect(start({ ca: 'no certificate', key: 'x', cert: 'y' })).to.throw(Error);
    // The side that was connected to knows no name.
    expect(() => server.transport.startTLS(TRUST, { isServer: false })).to.throw(TypeError, 'servername');
    server.transport.write('plain');
    await h.until(() => client.text === 'plain', 'the plain text has come');
  });
}

/** The first flight of a client. */
async function clientHello(h: Harness): Promise<Buffer> {
  const { protocol, peer } = await serve(h);
  protocol.transport.startTLS({ ...TRUST, servername: 'localhost' }, { isServer: false });
  await h.until(() => peer.received.length > 200, 'the client has spoken');
  const hello = Buffer.from(peer.received);
  protocol.transport.abortConnection();
  await untilLost(h, protocol);
  return hello;
}
