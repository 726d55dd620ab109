/** A connection as a consumer: the producer registered with it, and the closing that waits for it. */
import { expect } from 'chai';
import { ConnectionAborted, ConnectionDone, ConnectionLost, type Transport } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import {
  join,
  KIBIBYTE,
  MEBIBYTE,
  roundTrip,
  serve,
  serveHalfClose,
  skipUnless,
  takeErrors,
  untilLost,
} from '../support/connections.ts';
import { RecordingProducer } from '../support/recording-producer.ts';

const HIGH_WATER_MARK_BYTES = 65_536;

export function describeProducers(harness: () => Harness): void {
  describe('producers', () => {
    describePushProducers(harness);
    describePullProducers(harness);
    describeRegistration(harness);
    describeEnd(harness);
    describeLoseConnectionWithProducer(harness);
    describeProducerErrors(harness);
  });
}

function describePushProducers(harness: () => Harness): void {
  describe('a push producer', () => {
    it('is paused when more than 65,536 bytes wait, not at just as many, from inside write [60]', async () => {
      const h = harness();
      const producer = new RecordingProducer();
      const { protocol } = await serve(h);
      const { transport } = protocol;
      transport.registerProducer(producer, true);
      expect(transport.write(new Uint8Array(HIGH_WATER_MARK_BYTES))).to.be.true;
      expect(producer.calls).to.deep.equal([]);
      expect(transport.write('x')).to.be.false;
      expect(producer.calls).to.deep.equal(['pauseProducing']);
    });

    it('is resumed only when nothing waits any more [60]', async () => {
      const h = harness();
      let couldTakeAMark: boolean | undefined;
      const producer = new RecordingProducer({
        resumeProducing: () => {
          couldTakeAMark = transport.write(new Uint8Array(HIGH_WATER_MARK_BYTES));
        },
      });
      const { protocol, peer, reactor } = await serve(h, {}, { reading: false });
      const { transport } = protocol;
      transport.registerProducer(producer, true);
      transport.write(new Uint8Array(h.bulkBytes));
      await roundTrip(h, reactor);
      // This waits behind what the system has been given already.
      transport.write(new Uint8Array(h.bulkBytes));
      await roundTrip(h, reactor);
      expect(producer.calls).to.deep.equal(['pauseProducing', 'pauseProducing']);
      peer.resume();
      await h.until(() => producer.calls.length > 2, 'the producer has been resumed');
      expect(couldTakeAMark).to.be.true;
      await h.until(() => peer.received.length === 2 * h.bulkBytes + HIGH_WATER_MARK_BYTES, 'all has come');
      expect(producer.calls).to.deep.equal(['pauseProducing', 'pauseProducing', 'resumeProducing']);
    });

    it('is paused again on each write while full, and resumed once [61]', async () => {
      const h = harness();
      const producer = new RecordingProducer();
      const { protocol, peer, reactor } = await serve(h);
      const { transport } = protocol;
      transport.registerProducer(producer, true);
      transport.write(new Uint8Array(HIGH_WATER_MARK_BYTES + 1));
      transport.write('x');
      transport.writeSequence(['y', 'z']);
      expect(producer.count('pauseProducing')).to.equal(4);
      await h.until(() => producer.count('resumeProducing') > 0, 'the producer has been resumed');
      await h.until(() => peer.received.length === HIGH_WATER_MARK_BYTES + 4, 'all has come');
      transport.write('little');
      await h.until(() => peer.text().endsWith('little'), 'the bytes have come');
      await roundTrip(h, reactor);
      expect(producer.calls.slice(4)).to.deep.equal(['resumeProducing']);
    });

    it('is not resumed if it was never paused [65]', async () => {
      const h = harness();
      const producer = new RecordingProducer();
      const { protocol, peer, reactor } = await serve(h);
      protocol.transport.registerProducer(producer, true);
      protocol.transport.write('little');
      await h.until(() => peer.text() === 'little', 'the bytes have come');
      await roundTrip(h, reactor);
      expect(producer.calls).to.deep.equal([]);
    });

    it('registered while much waits is paused by the next write only, and so resumed once', async () => {
      const h = harness();
      const producer = new RecordingProducer();
      const { protocol, peer, reactor } = await serve(h);
      const { transport } = protocol;
      transport.write(new Uint8Array(HIGH_WATER_MARK_BYTES + 1));
      transport.registerProducer(producer, true);
      expect(producer.calls).to.deep.equal([]);
      await h.until(() => peer.received.length === HIGH_WATER_MARK_BYTES + 1, 'all has come');
      await roundTrip(h, reactor);
      expect(producer.calls).to.deep.equal([]);
    });

    it('feels that the reader at the far end has paused', async () => {
      const h = harness();
      const piece = new Uint8Array(64 * KIBIBYTE);
      let sentBytes = 0;
      const pump = (transport: Transport): void => {
        const pausesBefore = producer.count('pauseProducing');
        while (producer.count('pauseProducing') === pausesBefore && sentBytes < h.bulkBytes) {
          sentBytes += piece.length;
          transport.write(piece);
        }
      };
      const { server, client, reactor } = await join(h, {
        client: { connectionMade: ({ transport }) => transport.pauseProducing() },
      });
      const producer: RecordingProducer = new RecordingProducer({ resumeProducing: () => pump(server.transport) });
      server.transport.registerProducer(producer, true);
      pump(server.transport);
      await roundTrip(h, reactor);
      expect(sentBytes).to.be.lessThan(h.bulkBytes);
      expect(client.receivedBytes).to.equal(0);
      client.transport.resumeProducing();
      await h.until(() => client.receivedBytes === h.bulkBytes, 'all has come');
      expect(sentBytes).to.equal(h.bulkBytes);
    });
  });
}

function describePullProducers(harness: () => Harness): void {
  describe('a pull producer', () => {
    it('is asked inside registerProducer, then once for each time that all has left, and never paused [62]', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serve(h);
      const { transport } = protocol;
      const piece = new Uint8Array(HIGH_WATER_MARK_BYTES + 1);
      const producer = new RecordingProducer({
        resumeProducing: () => {
          transport.write(piece);
          if (producer.count('resumeProducing') === 5) transport.unregisterProducer();
        },
      });
      transport.registerProducer(producer, false);
      expect(producer.calls).to.deep.equal(['resumeProducing']);
      await h.until(() => peer.received.length === 5 * piece.length, 'all has come');
      await roundTrip(h, reactor);
      expect(producer.calls).to.deep.equal(Array.from({ length: 5 }, () => 'resumeProducing'));
    });

    it('is not asked while the reader at the far end does not read [62]', async () => {
      const h = harness();
      const { protocol, peer, reactor } = await serve(h, {}, { reading: false });
      const { transport } = protocol;
      const producer = new RecordingProducer({ resumeProducing: () => void transport.write(new Uint8Array(MEBIBYTE)) });
      transport.registerProducer(producer, false);
      await roundTrip(h, reactor);
      const asked = producer.calls.length;
      await roundTrip(h, reactor);
      // A system may go on taking some megabytes for a while; it must end.
      expect(asked).to.be.lessThan(64);
      transport.unregisterProducer();
      peer.resume();
      await h.until(() => peer.received.length === producer.calls.length * MEBIBYTE, 'all has come');
    });

    it('may write nothing, and write later by itself', async () => {
      const h = harness();
      const { protocol, peer } = await serve(h);
      const producer = new RecordingProducer();
      protocol.transport.registerProducer(producer, false);
      protocol.transport.write('later');
      await h.until(() => peer.text() === 'later' && producer.calls.length === 2, 'it has been asked again');
      protocol.transport.unregisterProducer();
    });

    it('may be registered without pauseProducing', async () => {
      const h = harness();
      const { protocol, peer } = await serve(h);
      const { transport } = protocol;
      transport.registerProducer(
        {
          resumeProducing: () => {
            transport.write(new Uint8Array(2 * HIGH_WATER_MARK_BYTES));
            transport.unregisterProducer();
          },
          stopProducing: () => {},
        },
        false,
      );
      transport.loseConnection();
      await h.until(() => peer.ended, 'the FIN has come');
      expect(peer.received.length).to.equal(2 * HIGH_WATER_MARK_BYTES);
    });
  });
}

function describeRegistration(harness: () => Harness): void {
  describe('registerProducer', () => {
    it('throws an Error if there is a producer already, which stays [63]', async () => {
      const h = harness();
      const { protocol } = await serve(h);
      const { transport } = protocol;
      const first = new RecordingProducer();
      const second = new RecordingProducer();
      transport.registerProducer(first, true);
      expect(() => transport.registerProducer(second, true)).to.throw(Error, /already/);
      expect(() => transport.registerProducer(second, false)).to.throw(Error, /already/);
      transport.write(new Uint8Array(HIGH_WATER_MARK_BYTES + 1));
      expect(first.calls).to.deep.equal(['pauseProducing']);
      expect(second.calls).to.deep.equal([]);
    });

    it('calls stopProducing on a lost or closing connection, and keeps nothing [63]', async () => {
      const h = harness();
      const { protocol } = await serve(h);
      const { transport } = protocol;
      for (const state of ['closing', 'lost']) {
        if (state === 'closing') transport.loseConnection();
        else await untilLost(h, protocol);
        for (const streaming of [true, false]) {
          const producer = new RecordingProducer();
          if (streaming) transport.registerProducer(producer, true);
          else transport.registerProducer(producer, false);
          expect(producer.calls, `${state}, ${streaming}`).to.deep.equal(['stopProducing']);
        }
      }
    });

    it('throws TypeError for what is no producer, on a lost connection too', async () => {
      const h = harness();
      const { protocol, peer } = await serve(h);
      const { transport } = protocol;
      // A caller without types may pass anything.
      const register = transport.registerProducer.bind(transport) as (producer: unknown, streaming: unknown) => void;
      const check = (): void => {
        expect(() => register(undefined, true)).to.throw(TypeError, /^producer must be/);
        expect(() => register({}, true)).to.throw(TypeError, /^producer has no method pauseProducing/);
        expect(() => register({ resumeProducing: () => {} }, false)).to.throw(TypeError, /stopProducing/);
        expect(() => register(new RecordingProducer(), 'yes')).to.throw(TypeError, /^streaming must be/);
      };
      check();
      peer.end();
      await untilLost(h, protocol);
      check();
    });

    it('takes another producer once the first has unregistered, which may be done without one', async () => {
      const h = harness();
      const { protocol } = await serve(h);
      const { transport } = protocol;
      transport.unregisterProducer();
      const first = new RecordingProducer();
      const second = new RecordingProducer();
      transport.registerProducer(first, true);
      transport.unregisterProducer();
      transport.unregisterProducer();
      transport.registerProducer(second, true);
      transport.write(new Uint8Array(HIGH_WATER_MARK_BYTES + 1));
      expect(first.calls).to.deep.equal([]);
      expect(second.calls).to.deep.equal(['pauseProducing']);
    });
  });
}

function describeEnd(harness: () => Harness): void {
  describe('the end of a connection', () => {
    it('calls stopProducing once and before connectionLost, for either kind of producer [64]', async () => {
      const h = harness();
      for (const streaming of [true, false]) {
        const log: string[] = [];
        const producer = new RecordingProducer({}, log);
        const { protocol, peer } = await serve(h, { connectionLost: () => void log.push('connectionLost') });
        if (streaming) protocol.transport.registerProducer(producer, true);
        else protocol.transport.registerProducer(producer, false);
        log.length = 0;
        peer.abort();
        await untilLost(h, protocol);
        protocol.transport.unregisterProducer();
        expect(log, String(streaming)).to.deep.equal(['stopProducing', 'connectionLost']);
      }
    });

    it('by abortConnection does not wait for the producer', async () => {
      const h = harness();
      const producer = new RecordingProducer();
      const { protocol } = await serve(h);
      protocol.transport.registerProducer(producer, true);
      protocol.transport.loseConnection();
      protocol.transport.abortConnection();
      await untilLost(h, protocol);
      expect(producer.calls).to.deep.equal(['stopProducing']);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionAborted);
    });

    it('by the FIN of the peer stops the producer of a plain protocol, and sends what it wrote', async () => {
      const h = harness();
      const producer = new RecordingProducer();
      const { protocol, peer } = await serve(h, {}, { allowHalfOpen: true });
      protocol.transport.registerProducer(producer, true);
      protocol.transport.write('written');
      peer.end();
      await untilLost(h, protocol);
      await h.until(() => peer.closed, 'both halves are closed');
      expect(producer.calls).to.deep.equal(['stopProducing']);
      expect(peer.text()).to.equal('written');
      expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
    });

    it('by a hook that throws does not wait for the producer', async () => {
      const h = harness();
      const error = new Error('a bug');
      const producer = new RecordingProducer();
      const { protocol, peer } = await serve(h, {
        dataReceived: ({ transport }) => {
          transport.registerProducer(producer, true);
          transport.write('written');
          throw error;
        },
      });
      peer.send('x');
      await untilLost(h, protocol);
      await h.until(() => peer.closed, 'the peer has closed too');
      expect(takeErrors(h)).to.deep.equal([error]);
      expect(producer.calls).to.deep.equal(['stopProducing']);
      expect(peer.text()).to.equal('written');
    });
  });
}

/** How a producer stands when the connection is to be lost. */
const PRODUCERS: Readonly<Record<string, (transport: Transport, producer: RecordingProducer) => void>> = {
  'an unpaused push producer': (transport, producer) => transport.registerProducer(producer, true),
  'a paused push producer': (transport, producer) => {
    transport.registerProducer(producer, true);
    transport.write(new Uint8Array(2 * HIGH_WATER_MARK_BYTES));
  },
  'a pull producer': (transport, producer) => transport.registerProducer(producer, false),
};

function describeLoseConnectionWithProducer(harness: () => Harness): void {
  describe('loseConnection', () => {
    for (const [kind, register] of Object.entries(PRODUCERS)) {
      it(`waits for ${kind} to unregister, and sends what it writes until then [42]`, async () => {
        const h = harness();
        const producer = new RecordingProducer();
        const { protocol, peer, reactor } = await serve(h);
        const { transport } = protocol;
        register(transport, producer);
        transport.loseConnection();
        peer.send('not delivered');
        await roundTrip(h, reactor);
        expect(protocol.calls).to.deep.equal(['connectionMade']);
        expect(transport.disconnecting).to.be.true;
        peer.clear();
        transport.write('from the producer');
        await h.until(() => peer.text() === 'from the producer', 'what the producer wrote has come');
        transport.write(', the end');
        transport.unregisterProducer();
        expect(transport.write('dropped')).to.be.false;
        await untilLost(h, protocol);
        await h.until(() => peer.closed, 'the peer has closed too');
        expect(peer.text()).to.equal('from the producer, the end');
        expect(producer.count('stopProducing')).to.equal(0);
        expect(protocol.calls).to.deep.equal(['connectionMade', 'connectionLost']);
        expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
      });
    }

    it('lets a push producer be paused and resumed while it waits [42]', async () => {
      const h = harness();
      const { protocol, peer } = await serve(h);
      const { transport } = protocol;
      const producer = new RecordingProducer({
        resumeProducing: () => {
          transport.write('the end');
          transport.unregisterProducer();
        },
      });
      transport.registerProducer(producer, true);
      transport.loseConnection();
      transport.write(new Uint8Array(HIGH_WATER_MARK_BYTES + 1));
      await untilLost(h, protocol);
      await h.until(() => peer.closed, 'the peer has closed too');
      expect(producer.calls).to.deep.equal(['pauseProducing', 'resumeProducing']);
      expect(peer.received.length).to.equal(HIGH_WATER_MARK_BYTES + 1 + 'the end'.length);
    });

    it('that waits for a producer discards input, of a paused connection too, so that the peer can finish', async () => {
      const h = harness();
      const { server, client } = await join(h, {
        server: { connectionMade: ({ transport }) => transport.pauseProducing() },
      });
      server.transport.registerProducer(new RecordingProducer(), true);
      server.transport.loseConnection();
      const producerOfClient = new RecordingProducer();
      client.transport.registerProducer(producerOfClient, true);
      client.transport.write(new Uint8Array(h.bulkBytes));
      await h.until(() => producerOfClient.count('resumeProducing') > 0, 'all of the client has left');
      expect(server.calls).to.deep.equal(['connectionMade']);
    });

    it('that waits for a producer ends when the peer resets', async function () {
      const h = harness();
      skipUnless(this, h, 'resets');
      const producer = new RecordingProducer();
      const { protocol, peer } = await serve(h);
      protocol.transport.registerProducer(producer, true);
      protocol.transport.loseConnection();
      peer.abort();
      await untilLost(h, protocol);
      expect(producer.calls).to.deep.equal(['stopProducing']);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionLost);
    });
  });

  describe('loseWriteConnection', () => {
    it('waits for a producer to unregister, too', async () => {
      const h = harness();
      const producer = new RecordingProducer();
      const { protocol, peer, reactor } = await serveHalfClose(h, {}, { allowHalfOpen: true });
      const { transport } = protocol;
      transport.registerProducer(producer, true);
      transport.loseWriteConnection();
      transport.write('from the producer');
      await roundTrip(h, reactor);
      expect(peer.ended).to.be.false;
      transport.unregisterProducer();
      await h.until(() => peer.ended && protocol.calls.length === 2, 'the FIN has gone and come');
      expect(peer.text()).to.equal('from the producer');
      expect(protocol.calls).to.deep.equal(['connectionMade', 'writeConnectionLost']);
    });
  });
}

function describeProducerErrors(harness: () => Harness): void {
  describe('an error thrown by a producer', () => {
    it('in pauseProducing does not leave write, and loses the connection', async () => {
      const h = harness();
      const error = new Error('a bug');
      const producer = new RecordingProducer({
        pauseProducing: () => {
          throw error;
        },
      });
      const { protocol, peer } = await serve(h);
      protocol.transport.registerProducer(producer, true);
      protocol.transport.write(new Uint8Array(HIGH_WATER_MARK_BYTES + 1));
      expect(protocol.isLost).to.be.false;
      await untilLost(h, protocol);
      await h.until(() => peer.closed, 'the peer has closed too');
      expect(takeErrors(h)).to.deep.equal([error]);
      expect(protocol.lostBy).to.equal(error);
      expect(producer.calls).to.deep.equal(['pauseProducing', 'stopProducing']);
      expect(peer.received.length).to.equal(HIGH_WATER_MARK_BYTES + 1);
    });

    it('in resumeProducing loses the connection', async () => {
      const h = harness();
      const error = new Error('a bug');
      const producer = new RecordingProducer({
        resumeProducing: () => {
          throw error;
        },
      });
      const { protocol } = await serve(h);
      protocol.transport.registerProducer(producer, false);
      expect(protocol.isLost).to.be.false;
      await untilLost(h, protocol);
      expect(takeErrors(h)).to.deep.equal([error]);
      expect(protocol.lostBy).to.equal(error);
    });

    it('in stopProducing is only reported', async () => {
      const h = harness();
      const error = new Error('a bug');
      const producer = new RecordingProducer({
        stopProducing: () => {
          throw error;
        },
      });
      const { protocol, peer } = await serve(h);
      protocol.transport.registerProducer(producer, true);
      peer.end();
      await untilLost(h, protocol);
      expect(takeErrors(h)).to.deep.equal([error]);
      expect(protocol.lostBy).to.be.instanceOf(ConnectionDone);
    });
  });
}
