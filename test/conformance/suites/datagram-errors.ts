/** Errors in the hooks of datagram protocols. */
import { expect } from 'chai';
import type { Harness } from '../harness.ts';
import { settled, takeErrors } from '../support/connections.ts';
import { datagramRoundTrip, openPort, openPortAndPeer } from '../support/datagrams.ts';
import type { DatagramHookName } from '../support/recording-datagram-protocol.ts';

/** The two ways in which a hook can fail. */
const FAILURES: Readonly<Record<string, (error: Error) => () => Promise<void> | never>> = {
  'thrown by': (error) => () => {
    throw error;
  },
  'rejecting the promise of': (error) => async () => {
    throw error;
  },
};

export function describeDatagramErrors(harness: () => Harness): void {
  describe('An error', () => {
    for (const [how, failing] of Object.entries(FAILURES)) {
      it(`${how} datagramReceived is reported, and the port stays open [74]`, async () => {
        const error = new Error('a bug');
        const fail = failing(error);
        const { protocol, port, peer, udpPort } = await openPortAndPeer(harness(), {
          datagramReceived: (self, data, address) => {
            if (String(data) === 'bad') return fail();
            self.transport.write(data, address);
            return undefined;
          },
        });
        for (const text of ['bad', 'good', 'bad', 'better']) peer.send(text, port);
        await harness().until(() => peer.received.length === 2, 'the good ones have come back');
        await harness().until(() => harness().errors.length === 2, 'the bad ones have been reported');
        expect(takeErrors(harness())).to.deep.equal([error, error]);
        expect(protocol.texts).to.deep.equal(['bad', 'good', 'bad', 'better']);
        expect(udpPort.getHost().port).to.equal(port);
      });

      it(`${how} startProtocol is reported, and the port works and is stopped like any other`, async () => {
        const error = new Error('a bug');
        const { protocol, port, peer, udpPort } = await openPortAndPeer(harness(), { startProtocol: failing(error) });
        await harness().until(() => harness().errors.length === 1, 'it has been reported');
        expect(takeErrors(harness())).to.deep.equal([error]);
        peer.send('hello', port);
        await harness().until(() => protocol.received.length === 1, 'it receives');
        await settled(harness(), udpPort.stopListening(), 'the port is closed');
        expect(protocol.calls).to.deep.equal(['startProtocol', 'datagramReceived', 'stopProtocol']);
      });

      it(`${how} connectionRefused or stopProtocol is reported, and changes nothing`, async () => {
        const error = new Error('a bug');
        const { protocol, udpPort, reactor } = await openPort(harness(), {
          connectionRefused: failing(error),
          stopProtocol: failing(error),
        });
        const gone = await harness().openDatagrams();
        gone.close();
        await datagramRoundTrip(harness(), reactor);
        udpPort.connect('127.0.0.1', gone.getHost().port);
        for (const count of [1, 2]) {
          udpPort.write('anybody?');
          await harness().until(() => protocol.refusals === count, 'a refusal');
        }
        await settled(harness(), udpPort.stopListening(), 'the port is closed');
        await harness().until(() => harness().errors.length === 3, 'all have been reported');
        expect(takeErrors(harness())).to.deep.equal([error, error, error]);
        expect(reactor.inspect().ports).to.deep.equal([]);
      });
    }

    it('costs no other port', async () => {
      const error = new Error('a bug');
      const hooks: DatagramHookName[] = [];
      const { port, peer, reactor } = await openPortAndPeer(harness(), {
        datagramReceived: () => {
          throw error;
        },
      });
      const other = await openPort(
        harness(),
        { datagramReceived: () => void hooks.push('datagramReceived') },
        { reactor },
      );
      peer.send('x', port);
      peer.send('x', other.port);
      await harness().until(() => hooks.length === 1 && harness().errors.length === 1, 'both have been called');
      expect(takeErrors(harness())).to.deep.equal([error]);
    });
  });
}
