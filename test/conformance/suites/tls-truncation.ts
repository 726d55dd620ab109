/** Encrypted connections that somebody cuts off: an end without TLS's farewell. */
import { expect } from 'chai';
import { ConnectionDone, ConnectionLost, type TLSOptions } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { KIBIBYTE, listen, pattern, untilLost } from '../support/connections.ts';
import type { Hooks, RecordingProtocol } from '../support/recording-protocol.ts';
import { CERTIFICATES, secureFactory, startLoggingReactor, TRUST } from '../support/tls.ts';
import { cut, joinByRelay, Relay, type Relayed, throughRelay } from '../support/tls-relay.ts';

export function describeTLSTruncation(harness: () => Harness): void {
  describe('an encrypted connection that somebody cuts off', () => {
    describeDetection(harness);
    describeDefault(harness);
  });
}

function describeDetection(harness: () => Harness): void {
  describe('with detectTruncation', () => {
    const tls: TLSOptions = { detectTruncation: true };

    it('is lost with ConnectionLost [68]', async () => {
      const h = harness();
      const relayed = await joinByRelay(h, {}, tls);
      await cut(h, relayed, 'end');
      for (const end of [relayed.client, relayed.server]) {
        await untilLost(h, end);
        expectTruncation(end);
      }
    });

    it('is lost with ConnectionLost behind the data before it, in the midst of a record, too [68]', async () => {
      const h = harness();
      const relayed = await joinByRelay(h, {}, tls);
      await cutRecord(h, relayed);
      await untilLost(h, relayed.client);
      expect(relayed.client.text).to.equal('whole');
      expect(relayed.client.lostBy).to.be.instanceOf(ConnectionLost);
    });

    it('tells a half-closed protocol of no end', async () => {
      const h = harness();
      const relayed = await joinByRelay(h, {}, tls);
      const told = tellOfEnd(relayed.client);
      await cut(h, relayed, 'end');
      await untilLost(h, relayed.client);
      expectTruncation(relayed.client);
      expect(told).to.deep.equal([]);
    });

    it('is lost with ConnectionLost by startTLS, too', async () => {
      const h = harness();
      const { reactor } = startLoggingReactor(h);
      const start = (options: TLSOptions): Hooks => ({
        connectionMade: ({ transport }) => transport.startTLS({ ...options, ...tls }),
      });
      const serverFactory = secureFactory(start(CERTIFICATES.server));
      const clientFactory = secureFactory(start(TRUST));
      const relay = await Relay.to(h, (await listen(h, reactor, serverFactory)).destination);
      h.connect(reactor, relay.destination, clientFactory);
      const relayed = { reactor, relay, ...(await throughRelay(relay, serverFactory, clientFactory)) };
      await cut(h, relayed, 'end');
      for (const end of [relayed.client, relayed.server]) {
        await untilLost(h, end);
        expectTruncation(end);
      }
    });
  });
}

function describeDefault(harness: () => Harness): void {
  // Over a socket, Node tells of such an end as of any other; see nodeTLS().
  const isTold = (h: Harness): boolean => h.features.has('truncation');

  it('is lost with ConnectionLost where that is told from an end in order, and else with ConnectionDone [68]', async () => {
    const h = harness();
    const relayed = await joinByRelay(h);
    await cut(h, relayed, 'end');
    for (const end of [relayed.client, relayed.server]) {
      await untilLost(h, end);
      if (isTold(h)) expectTruncation(end);
      else expect(end.lostBy).to.be.instanceOf(ConnectionDone);
    }
  });

  it('delivers all that came before, however it ends', async () => {
    const h = harness();
    const relayed = await joinByRelay(h);
    const { relay, server, client } = relayed;
    const bytes = pattern(100 * KIBIBYTE);
    client.transport.pauseProducing();
    server.transport.write(bytes);
    const before = relay.heard.server.length;
    await relay.until(() => relay.heard.server.length > before + bytes.length, 'all has passed');
    await cut(h, relayed, 'end');
    client.transport.resumeProducing();
    await untilLost(h, client);
    expect(client.received.equals(bytes)).to.be.true;
    expect(client.lostBy).to.be.instanceOf(isTold(h) ? ConnectionLost : ConnectionDone);
  });

  it('delivers nothing of a record that has not come whole', async () => {
    const h = harness();
    const relayed = await joinByRelay(h);
    await cutRecord(h, relayed);
    await untilLost(h, relayed.client);
    expect(relayed.client.text).to.equal('whole');
    expect(relayed.client.lostBy).to.be.instanceOf(isTold(h) ? ConnectionLost : ConnectionDone);
  });

  it('tells a half-closed protocol of an end only where it is taken for one', async () => {
    const h = harness();
    const relayed = await joinByRelay(h);
    const { client } = relayed;
    const told = tellOfEnd(client);
    await cut(h, relayed, 'end');
    await h.until(() => client.isLost || told.length > 0, 'it has been told');
    client.transport.loseConnection();
    await untilLost(h, client);
    expect(told).to.deep.equal(isTold(h) ? [] : ['readConnectionLost']);
    expect(client.lostBy).to.be.instanceOf(isTold(h) ? ConnectionLost : ConnectionDone);
  });
}

/** Lets a whole record pass to the client, and then all but the last byte of another. */
async function cutRecord(h: Harness, relayed: Relayed): Promise<void> {
  const { relay, server, client } = relayed;
  server.transport.write('whole');
  await relay.until(() => client.text === 'whole', 'the first record has come');
  relay.filter = (_speaker, data) => data.subarray(0, data.length - 1);
  server.transport.write('not whole');
  const before = relay.heard.server.length;
  await relay.until(() => relay.heard.server.length > before, 'the second has been cut');
  await cut(h, relayed, 'end');
}

function expectTruncation({ lostBy }: RecordingProtocol): void {
  expect(lostBy).to.be.instanceOf(ConnectionLost);
  expect(lostBy?.message).to.contain('close_notify');
}

/** Gives a protocol the hook for the end of the peer's half, and keeps what it is told. */
function tellOfEnd(protocol: RecordingProtocol): readonly string[] {
  const told: string[] = [];
  Object.assign(protocol, { readConnectionLost: () => void told.push('readConnectionLost') });
  return told;
}
