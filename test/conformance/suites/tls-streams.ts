/** Encrypted connections once they are made: how bytes leave, and how it ends. */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { ConnectionAborted, ConnectionDone, ConnectionLost } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { KIBIBYTE, MEBIBYTE, nthProtocol, pattern, roundTrip, settled, untilLost } from '../support/connections.ts';
import { RecordingFactory } from '../support/recording-factory.ts';
import { RecordingProducer } from '../support/recording-producer.ts';
import { type Hooks, SecureHalfCloseProtocol } from '../support/recording-protocol.ts';
import { connectTLS, joinTLS, listenTLS, MADE, secureFactory, startLoggingReactor } from '../support/tls.ts';
import { cut, joinByRelay, Relay, type Relayed } from '../support/tls-relay.ts';

/** TLS records (RFC 8446, section 5.1): their head, and the type of those that carry data. */
const RECORD_HEAD_BYTES = 5;
const APPLICATION_DATA = 23;

export function describeTLSStreams(harness: () => Harness): void {
  describe('an encrypted connection', () => {
    describeWriting(harness);
    describeClosing(harness);
    describeDamage(harness);
    describeHalfClose(harness);
    describePausing(harness);
    describeManyOfThem(harness);
  });
}

/** The types of the records that a flow of bytes consists of, and how long they are. */
function recordsIn(bytes: Buffer): readonly { readonly type: number; readonly length: number }[] {
  const records = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt16BE(at + 3);
    records.push({ type: bytes.readUInt8(at), length });
    at += RECORD_HEAD_BYTES + length;
  }
  return records;
}

function describeWriting(harness: () => Harness): void {
  it('sends all that is written in one turn in one record, if it fits [69]', async () => {
    const h = harness();
    const { relay, server, client } = await joinByRelay(h);
    const before = relay.heard.server.length;
    for (let count = 0; count < 100; count += 1) server.transport.write(`line ${count}\r\n`);
    server.transport.writeSequence([new Uint8Array(3000), 'end']);
    await relay.until(() => client.text.endsWith('end'), 'all has come');
    const records = recordsIn(relay.heard.server.subarray(before));
    expect(records.map(({ type }) => type)).to.deep.equal([APPLICATION_DATA]);
  });

  it('sends what is written last before loseConnection [67, 69]', async () => {
    const h = harness();
    const { server, client } = await joinTLS(h);
    for (let count = 0; count < 50; count += 1) server.transport.write(`${count},`);
    server.transport.loseConnection();
    expect(server.transport.write('too late')).to.be.false;
    await untilLost(h, client);
    expect(client.text).to.equal(Array.from({ length: 50 }, (_, index) => `${index},`).join(''));
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('carries MiBs both ways at once, with pauses, and changes nothing', async () => {
    const h = harness();
    const bytes = { server: pattern(MEBIBYTE, 3), client: pattern(MEBIBYTE, 5) };
    const pausing: Hooks = {
      dataReceived: ({ transport, chunks }) => {
        if (chunks.length % 7 !== 0) return;
        transport.pauseProducing();
        // Later than in this turn, and in the midst of others.
        resumes.push(() => transport.resumeProducing());
      },
    };
    const resumes: (() => void)[] = [];
    const { server, client } = await joinTLS(h, { serverHooks: pausing, clientHooks: pausing });
    for (let at = 0; at < bytes.server.length; at += 100_000) {
      server.transport.write(bytes.server.subarray(at, at + 100_000));
      client.transport.write(bytes.client.subarray(at, at + 100_000));
    }
    await h.until(() => {
      for (const resume of resumes.splice(0)) resume();
      return server.receivedBytes === bytes.client.length && client.receivedBytes === bytes.server.length;
    }, 'all has come');
    expect(hashOf(server.chunks)).to.equal(hashOf([bytes.client]));
    expect(hashOf(client.chunks)).to.equal(hashOf([bytes.server]));
    expect([...server.nested, ...client.nested]).to.deep.equal([]);
  });

  it('pauses a push producer that writes more than leaves, and resumes it, once each [70]', async () => {
    const h = harness();
    const { server, client } = await joinTLS(h, {
      clientHooks: { connectionMade: ({ transport }) => transport.pauseProducing() },
    });
    let writtenBytes = 0;
    let isPaused = false;
    const total = 2 * MEBIBYTE;
    const produce = (): void => {
      while (!isPaused && writtenBytes < total) {
        writtenBytes += 30_000;
        server.transport.write(new Uint8Array(30_000));
      }
      if (writtenBytes < total) return;
      server.transport.unregisterProducer();
      server.transport.loseConnection();
    };
    const producer = new RecordingProducer({
      pauseProducing: () => {
        isPaused = true;
      },
      resumeProducing: () => {
        isPaused = false;
        produce();
      },
    });
    server.transport.registerProducer(producer, true);
    produce();
    expect(isPaused).to.be.true;
    client.transport.resumeProducing();
    await untilLost(h, client);
    expect(client.receivedBytes).to.equal(writtenBytes);
    const doubled = producer.calls.filter((call, index) => call === producer.calls[index - 1]);
    expect(doubled).to.deep.equal([]);
  });

  it('asks a pull producer for more each time that everything has left [70]', async () => {
    const h = harness();
    const { server, client } = await joinTLS(h);
    let asked = 0;
    const producer = new RecordingProducer({
      resumeProducing: () => {
        asked += 1;
        server.transport.write(new Uint8Array(10_000));
        if (asked < 50) return;
        server.transport.unregisterProducer();
        server.transport.loseConnection();
      },
    });
    server.transport.registerProducer(producer, false);
    await untilLost(h, client);
    expect(client.receivedBytes).to.equal(500_000);
    expect(producer.count('pauseProducing')).to.equal(0);
  });
}

function describeClosing(harness: () => Harness): void {
  it('is lost in a later turn than loseConnection, which does not wait for the peer [67]', async () => {
    const h = harness();
    const { relay, server, client } = await joinByRelay(h);
    // Nothing of what the server says, its farewell included, gets to the client.
    relay.filter = (speaker, data) => (speaker === 'client' ? data : undefined);
    server.transport.loseConnection();
    expect(server.isLost).to.be.false;
    await h.until(() => server.isLost, 'the server has lost its connection');
    expect(server.lostBy).to.be.instanceOf(ConnectionDone);
    expect(client.isLost).to.be.false;
    const before = relay.heard.server.length;
    await relay.until(() => relay.heard.server.length > before, 'the farewell has arrived');
    const farewell = recordsIn(relay.heard.server.subarray(before));
    // close_notify: an alert, which TLS 1.3 wraps up as if it were data.
    expect(farewell.map(({ type }) => type)).to.deep.equal([APPLICATION_DATA]);
    expect(farewell[0]?.length).to.be.lessThan(30);
  });

  it('discards what still comes after loseConnection, so that what was sent is not destroyed', async () => {
    const h = harness();
    const reply = pattern(MEBIBYTE);
    const { server, client } = await joinTLS(h, {
      serverHooks: {
        dataReceived: ({ transport, calls }) => {
          if (calls.filter((call) => call === 'dataReceived').length > 1) return;
          transport.write(reply);
          transport.loseConnection();
        },
      },
    });
    client.transport.write(new Uint8Array(500 * KIBIBYTE));
    await untilLost(h, client);
    expect(client.received.equals(reply)).to.be.true;
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
    expect(server.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('by both sides at once ends cleanly for both', async () => {
    const h = harness();
    const { server, client } = await joinTLS(h);
    server.transport.loseConnection();
    client.transport.loseConnection();
    await untilLost(h, server);
    await untilLost(h, client);
    expect(server.lostBy).to.be.instanceOf(ConnectionDone);
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('is reset by abortConnection, and so lost for the peer [68]', async () => {
    const h = harness();
    const { server, client } = await joinTLS(h);
    server.transport.write(new Uint8Array(5_000_000));
    server.transport.abortConnection();
    expect(server.isLost).to.be.false;
    await untilLost(h, server);
    await untilLost(h, client);
    expect(server.lostBy).to.be.instanceOf(ConnectionAborted);
    expect(client.lostBy).to.be.instanceOf(ConnectionLost).and.not.instanceOf(ConnectionDone);
  });

  it('is lost with ConnectionLost when the reactor stops, and closed for the peer', async () => {
    const h = harness();
    const { reactor, relay, server, client } = await joinByRelay(h);
    reactor.stop();
    await relay.until(() => server.isLost && client.isLost, 'both are lost');
    expect(server.lostBy).to.be.instanceOf(ConnectionLost);
    const [near, far] = relay.ends;
    await relay.until(() => (near.ended || near.closed) && (far.ended || far.closed), 'the relay knows');
    expect(reactor.inspect()).to.deep.include({ connections: [], handshakes: [], delayedCalls: [] });
  });
}

function describeDamage(harness: () => Harness): void {
  it('that is reset is lost with ConnectionLost [68]', async () => {
    const h = harness();
    const relayed = await joinByRelay(h);
    await cut(h, relayed, 'abort');
    for (const end of [relayed.client, relayed.server]) {
      await untilLost(h, end);
      expect(end.lostBy).to.be.instanceOf(ConnectionLost);
    }
  });

  it('in which something has been changed is lost with ConnectionLost, behind the data before it [68]', async () => {
    const h = harness();
    const { relay, server, client } = await joinByRelay(h);
    server.transport.write('true');
    await relay.until(() => client.text === 'true', 'the first record has come');
    relay.filter = (_speaker, data) => {
      const changed = Buffer.from(data);
      changed[changed.length - 1]! ^= 1;
      return changed;
    };
    server.transport.write('false');
    await relay.until(() => client.isLost && server.isLost, 'both are lost');
    expect(client.text).to.equal('true');
    expect(client.lostBy).to.be.instanceOf(ConnectionLost);
    expect(client.lostBy?.message).to.match(
      /^Connection was lost before it was closed: (bad record mac|decryption failed or bad record mac)\.$/,
    );
    expect(server.lostBy).to.be.instanceOf(ConnectionLost);
  });

  it('delivers what came before such a change even if it was paused meanwhile', async () => {
    const h = harness();
    const { reactor, relay, server, client } = await joinByRelay(h);
    client.transport.pauseProducing();
    server.transport.write('true');
    const before = relay.heard.server.length;
    await relay.until(() => relay.heard.server.length > before, 'the first record has passed');
    relay.filter = (_speaker, data) => {
      const changed = Buffer.from(data);
      changed[changed.length - 1]! ^= 1;
      return changed;
    };
    server.transport.write('false');
    const between = relay.heard.server.length;
    await relay.until(() => relay.heard.server.length > between, 'the second has passed');
    await roundTrip(h, reactor);
    expect(client.isLost).to.be.false;
    client.transport.resumeProducing();
    await relay.until(() => client.isLost, 'it is lost');
    expect(client.text).to.equal('true');
    expect(client.lostBy).to.be.instanceOf(ConnectionLost);
  });
}

function describeHalfClose(harness: () => Harness): void {
  const join = async (h: Harness): Promise<Relayed> => {
    const { reactor } = startLoggingReactor(h);
    const protocols = { buildProtocol: () => new SecureHalfCloseProtocol() };
    const [serverFactory, clientFactory] = [new RecordingFactory(protocols), new RecordingFactory(protocols)];
    const { destination } = await listenTLS(h, reactor, serverFactory);
    const relay = await Relay.to(h, destination);
    connectTLS(reactor, relay.destination, clientFactory);
    await relay.accept();
    const both = [serverFactory, clientFactory];
    await relay.until(() => both.every(({ protocols: built }) => built.length > 0), 'both are connected');
    return { reactor, relay, server: serverFactory.protocols[0]!, client: clientFactory.protocols[0]! };
  };

  it('can be closed in one direction: the other goes on, and then it is lost by itself [73]', async () => {
    const h = harness();
    const { relay, server, client } = await join(h);
    client.transport.write('question');
    client.transport.loseWriteConnection();
    await relay.until(() => server.calls.includes('readConnectionLost'), 'the server has heard the end');
    expect(server.calls).to.deep.equal([...MADE, 'dataReceived', 'readConnectionLost']);
    expect(server.text).to.equal('question');
    const answer = pattern(300 * KIBIBYTE);
    server.transport.write(answer);
    await relay.until(() => client.receivedBytes === answer.length, 'the answer has come');
    expect(client.received.equals(answer)).to.be.true;
    expect(client.calls).to.include('writeConnectionLost').and.not.include('connectionLost');
    expect(client.transport.write('more')).to.be.false;
    server.transport.loseWriteConnection();
    await relay.until(() => server.isLost && client.isLost, 'both are lost');
    for (const { calls, lostBy } of [server, client]) {
      expect(lostBy).to.be.instanceOf(ConnectionDone);
      expect(calls.at(-1)).to.equal('connectionLost');
      expect(calls.filter((call) => call === 'writeConnectionLost').length).to.be.at.most(1);
    }
  });

  it('closes the stream below in that direction, too [73]', async () => {
    const h = harness();
    const { relay, client } = await join(h);
    client.transport.loseWriteConnection();
    const [near] = relay.ends;
    await relay.until(() => near.ended, 'the FIN has come');
    expect(near.closed).to.be.false;
  });

  it('is closed by the end of the peer for a protocol that does not live on half-closed, after what was written', async () => {
    const h = harness();
    const bytes = pattern(2 * MEBIBYTE);
    const { server, client } = await joinTLS(h, {
      serverHooks: { connectionMade: ({ transport }) => void transport.write(bytes) },
    });
    client.transport.loseWriteConnection();
    await untilLost(h, server);
    await untilLost(h, client);
    expect(client.received.equals(bytes)).to.be.true;
    expect(server.lostBy).to.be.instanceOf(ConnectionDone);
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
  });
}

function describePausing(harness: () => Harness): void {
  it('holds data and the end while paused, and delivers both in order', async () => {
    const h = harness();
    const { reactor, server, client } = await joinTLS(h, {
      clientHooks: { connectionMade: ({ transport }) => transport.pauseProducing() },
    });
    server.transport.write('last words');
    server.transport.loseConnection();
    await untilLost(h, server);
    await roundTrip(h, reactor);
    expect(client.calls).to.deep.equal(MADE);
    client.transport.resumeProducing();
    await untilLost(h, client);
    expect(client.calls).to.deep.equal([...MADE, 'dataReceived', 'connectionLost']);
    expect(client.text).to.equal('last words');
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('slows the peer down while paused', async () => {
    const h = harness();
    const { reactor, server, client } = await joinTLS(h, {
      clientHooks: { connectionMade: ({ transport }) => transport.pauseProducing() },
    });
    const producer = new RecordingProducer();
    server.transport.registerProducer(producer, true);
    server.transport.write(new Uint8Array(h.bulkBytes));
    await roundTrip(h, reactor);
    expect(producer.calls).to.deep.equal(['pauseProducing']);
    server.transport.unregisterProducer();
    client.transport.resumeProducing();
    await h.until(() => client.receivedBytes === h.bulkBytes, 'all has come');
  });

  it('can be paused and closed in the same hook', async () => {
    const h = harness();
    const { server, client } = await joinTLS(h, {
      clientHooks: {
        dataReceived: ({ transport }) => {
          transport.pauseProducing();
          transport.write('bye');
          transport.loseConnection();
        },
      },
    });
    server.transport.write('x');
    await untilLost(h, client);
    await untilLost(h, server);
    expect(server.text).to.equal('bye');
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
  });
}

function describeManyOfThem(harness: () => Harness): void {
  it('leaves nothing behind, one after another, failed ones and resumed ones among them', async () => {
    const h = harness();
    const { reactor, destination, listeningPort, clientFactory, serverFactory, client } = await joinTLS(h);
    client.transport.loseConnection();
    await h.until(() => reactor.inspect().connections.length === 0, 'the first is over');
    await h.advance(0);
    const before = h.openHandleCount;
    for (let index = 1; index <= 12; index += 1) {
      const garbage = await h.dial(destination);
      garbage.send('no TLS');
      connectTLS(reactor, destination, clientFactory);
      const protocol = await nthProtocol(h, clientFactory, index);
      protocol.transport.write('x');
      protocol.transport.loseConnection();
      await h.until(() => garbage.closed && protocol.isLost, 'both are over');
    }
    await h.until(() => serverFactory.lostCount === 13, 'all are lost for the server');
    await h.until(() => h.openHandleCount <= before, 'all handles are gone');
    expect(reactor.inspect()).to.deep.include({ connections: [], handshakes: [], connectors: [], delayedCalls: [] });
    expect(serverFactory.protocols.slice(1).every(({ text }) => text === 'x')).to.be.true;
    await settled(h, listeningPort.stopListening(), 'the port has stopped');
  });

  it('can be had by the dozen at once', async () => {
    const h = harness();
    const { reactor } = startLoggingReactor(h);
    const serverFactory = secureFactory({ dataReceived: ({ transport }, data) => void transport.write(data) });
    const { destination } = await listenTLS(h, reactor, serverFactory);
    const clientFactory = secureFactory({
      connectionMade: ({ transport }) => void transport.write(String(transport.getHost())),
      dataReceived: (protocol) => {
        if (protocol.text === String(protocol.transport.getHost())) protocol.transport.loseConnection();
      },
    });
    for (let count = 0; count < 12; count += 1) connectTLS(reactor, destination, clientFactory);
    await h.until(() => clientFactory.lostCount === 12 && serverFactory.lostCount === 12, 'all have had their answer');
    expect(clientFactory.protocols.every(({ lostBy }) => lostBy instanceof ConnectionDone)).to.be.true;
  });
}

function hashOf(chunks: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}
