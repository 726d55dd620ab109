/** Ports for datagrams that have a peer. */
import { expect } from 'chai';
import { ConnectInProgressError, InvalidAddressError, MessageLengthError } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { pattern, settled, takeErrors } from '../support/connections.ts';
import { datagramRoundTrip, openPort, openPortAndPeer } from '../support/datagrams.ts';

export function describeConnectedPorts(harness: () => Harness): void {
  describe('connect of a port for datagrams', () => {
    it('fixes the peer: write needs no address, and nobody else is heard', async () => {
      const { udpPort, protocol, port, peer, reactor } = await openPortAndPeer(harness());
      udpPort.connect('127.0.0.1', peer.getHost().port);
      udpPort.write('one');
      udpPort.write('two', peer.getHost());
      udpPort.writeSequence(['th', 'ree']);
      await harness().until(() => peer.received.length === 3, 'all have arrived');
      expect(peer.texts()).to.deep.equal(['one', 'two', 'three']);
      const stranger = await harness().openDatagrams();
      stranger.send('let me in', port);
      peer.send('hello', port);
      await harness().until(() => protocol.received.length === 1, 'the peer is heard');
      await datagramRoundTrip(harness(), reactor);
      expect(protocol.texts).to.deep.equal(['hello']);
      expect(() => udpPort.write('x', stranger.getHost())).to.throw(InvalidAddressError, 'connected to');
      expect(() => udpPort.write(pattern(65_508))).to.throw(MessageLengthError);
    });

    it('takes one address, once, and no name [77]', async () => {
      const { udpPort, peer } = await openPortAndPeer(harness());
      const { port } = peer.getHost();
      expect(() => udpPort.connect('localhost', port)).to.throw(InvalidAddressError, 'not a name');
      expect(() => udpPort.connect('::1', port)).to.throw(InvalidAddressError, 'IPv4 addresses only');
      expect(() => udpPort.connect('127.0.0.1', 0)).to.throw(RangeError, 'port');
      udpPort.connect('127.0.0.1', port);
      expect(() => udpPort.connect('127.0.0.1', port)).to.throw(ConnectInProgressError, 'is connected to');
      udpPort.write('still connected');
      await harness().until(() => peer.received.length === 1, 'it has arrived');
    });

    it('brings connectionRefused when nobody is there, and leaves the port open for when somebody is [77]', async () => {
      const { udpPort, protocol, peer, reactor } = await openPortAndPeer(harness());
      const { port } = peer.getHost();
      peer.close();
      await datagramRoundTrip(harness(), reactor);
      udpPort.connect('127.0.0.1', port);
      for (const count of [1, 2]) {
        udpPort.write('anybody?');
        await harness().until(() => protocol.refusals === count, `the refusal number ${count}`);
      }
      const late = await openPort(harness(), {}, { reactor, port });
      udpPort.write('at last');
      await harness().until(() => late.protocol.received.length === 1, 'it has arrived');
      late.udpPort.write('yes', udpPort.getHost());
      await harness().until(() => protocol.received.length === 1, 'the answer has arrived');
      expect(protocol.texts).to.deep.equal(['yes']);
      expect(protocol.calls).to.deep.equal([
        'startProtocol',
        'connectionRefused',
        'connectionRefused',
        'datagramReceived',
      ]);
      expect(protocol.nested).to.deep.equal([]);
    });

    it('lets connectionRefused write again, and stop', async () => {
      const { udpPort, protocol, reactor } = await openPort(harness(), {
        connectionRefused: (self) => {
          if (self.refusals < 3) self.transport.write('again');
          else self.transport.stopListening();
        },
      });
      const gone = await harness().openDatagrams();
      gone.close();
      await datagramRoundTrip(harness(), reactor);
      udpPort.connect('127.0.0.1', gone.getHost().port);
      udpPort.write('anybody?');
      await harness().until(() => protocol.calls.includes('stopProtocol'), 'the port has stopped');
      expect(protocol.refusals).to.equal(3);
      expect(takeErrors(harness())).to.deep.equal([]);
    });

    it('may come from startProtocol', async () => {
      const peer = await harness().openDatagrams();
      const { protocol, udpPort } = await openPort(harness(), {
        startProtocol: ({ transport }) => {
          transport.connect('127.0.0.1', peer.getHost().port);
          transport.write('hello');
        },
      });
      await harness().until(() => peer.received.length === 1, 'it has arrived');
      peer.send('hello yourself', udpPort.getHost().port);
      await harness().until(() => protocol.received.length === 1, 'the answer has arrived');
    });

    it('is forgotten when the port stops', async () => {
      const { udpPort, peer, protocol } = await openPortAndPeer(harness());
      udpPort.connect('127.0.0.1', peer.getHost().port);
      await settled(harness(), udpPort.stopListening(), 'the port is closed');
      udpPort.write('dropped');
      udpPort.startListening();
      await settled(harness(), udpPort.whenListening(), 'the port is bound again');
      const other = await harness().openDatagrams();
      other.send('hello', udpPort.getHost().port);
      await harness().until(() => protocol.received.length === 1, 'anybody is heard');
      expect(peer.received).to.deep.equal([]);
    });
  });
}
