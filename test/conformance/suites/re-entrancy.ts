/** Law 7: every transport method may be called from every hook, and none of them calls a hook from inside itself. */
import { expect } from 'chai';
import type { Transport } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { join, roundTrip, type Served, serveHalfClose, untilLost } from '../support/connections.ts';
import type { HookName, Hooks, RecordingProtocol } from '../support/recording-protocol.ts';

const SILENT_PRODUCER = { pauseProducing: () => {}, resumeProducing: () => {}, stopProducing: () => {} };

/** Everything that can be asked of a transport, by what it is called. */
export const METHODS: Readonly<Record<string, (transport: Transport) => unknown>> = {
  write: (transport) => transport.write('bytes'),
  'write of much': (transport) => transport.write(new Uint8Array(100_000)),
  writeSequence: (transport) => transport.writeSequence(['some', 'bytes']),
  loseConnection: (transport) => transport.loseConnection(),
  abortConnection: (transport) => transport.abortConnection(),
  loseWriteConnection: (transport) => transport.loseWriteConnection(),
  'registerProducer (push)': (transport) => transport.registerProducer(SILENT_PRODUCER, true),
  'registerProducer (pull)': (transport) => transport.registerProducer(SILENT_PRODUCER, false),
  unregisterProducer: (transport) => transport.unregisterProducer(),
  pauseProducing: (transport) => transport.pauseProducing(),
  resumeProducing: (transport) => transport.resumeProducing(),
  stopProducing: (transport) => transport.stopProducing(),
  'pauseProducing, resumeProducing': (transport) => {
    transport.pauseProducing();
    transport.resumeProducing();
  },
  'write, loseConnection, abortConnection': (transport) => {
    transport.write('bytes');
    transport.loseConnection();
    transport.abortConnection();
  },
  getHost: (transport) => transport.getHost(),
  getPeer: (transport) => transport.getPeer(),
  getTcpNoDelay: (transport) => transport.getTcpNoDelay(),
  setTcpNoDelay: (transport) => transport.setTcpNoDelay(false),
  getTcpKeepAlive: (transport) => transport.getTcpKeepAlive(),
  setTcpKeepAlive: (transport) => transport.setTcpKeepAlive(true),
  connected: (transport) => transport.connected,
  disconnecting: (transport) => transport.disconnecting,
};

/** Those of every stream. */
type Hook = Exclude<HookName, 'handshakeCompleted'>;

/** How each hook is brought about on a new connection. */
const PROVOCATIONS: Readonly<Record<Hook, (served: Served) => void>> = {
  connectionMade: () => {},
  dataReceived: ({ peer }) => peer.send('x'),
  readConnectionLost: ({ peer }) => peer.end(),
  writeConnectionLost: ({ protocol }) => protocol.transport.loseWriteConnection(),
  connectionLost: ({ peer, protocol }) => {
    // It is told as a reset, or by writing where there are none.
    peer.abort();
    protocol.transport.write('x');
  },
};

export function describeReEntrancy(harness: () => Harness): void {
  describe('transport methods', () => {
    for (const hook of Object.keys(PROVOCATIONS) as Hook[]) {
      it(`may all be called in ${hook}, and call no hook from inside`, async () => {
        for (const [name, method] of Object.entries(METHODS)) await callInHook(harness(), hook, name, method);
      });
    }

    it('may all be called after connectionLost, and do nothing', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serveHalfClose(h);
      peer.end();
      await h.until(() => protocol.calls.length === 2, 'the FIN has come');
      protocol.transport.loseConnection();
      await untilLost(h, protocol);
      const calls = [...protocol.calls];
      for (const method of Object.values(METHODS)) method(protocol.transport);
      await roundTrip(h, reactor);
      expect(protocol.calls).to.deep.equal(calls);
      expect(peer.received.length).to.equal(0);
    });

    it('may be called on the other connection of the same reactor, from inside its peer’s hooks', async () => {
      const h = harness();
      const ends: RecordingProtocol[] = [];
      const { server, client } = await join(h, {
        client: {
          dataReceived: ({ transport }) => {
            ends[0]?.transport.abortConnection();
            transport.write('x');
            transport.loseConnection();
          },
        },
      });
      ends.push(server);
      server.transport.write('go');
      await untilLost(h, server);
      await untilLost(h, client);
      expect([...server.nested, ...client.nested]).to.deep.equal([]);
    });
  });
}

async function callInHook(
  h: Harness,
  hook: Hook,
  name: string,
  method: (transport: Transport) => unknown,
): Promise<void> {
  let called = 0;
  const hooks: Hooks = {
    [hook]: ({ transport, calls }: RecordingProtocol) => {
      called += 1;
      if (called > 1) return;
      const before = [...calls];
      method(transport);
      expect(calls, `${name} has called a hook`).to.deep.equal(before);
    },
  };
  const served = await serveHalfClose(h, hooks);
  const { protocol, listeningPort } = served;
  PROVOCATIONS[hook](served);
  await h.until(() => called > 0, `${hook} has been called, for ${name}`);
  protocol.transport.abortConnection();
  await untilLost(h, protocol);
  expect(protocol.nested, name).to.deep.equal([]);
  expect(protocol.calls[0], name).to.equal('connectionMade');
  expect(protocol.calls.indexOf('connectionLost'), name).to.equal(protocol.calls.length - 1);
  expect(h.errors.map(String), name).to.deep.equal([]);
  listeningPort.stopListening();
}
