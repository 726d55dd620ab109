import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import {
  type Consumer,
  consumerToProtocol,
  Failure,
  Protocol,
  protocolToConsumer,
  UnsupportedError,
} from 'ropewalk/core';
import { StringTransport, TestReactor } from 'ropewalk/testing';

class Recorder extends Protocol {
  readonly chunks: Buffer[] = [];

  override dataReceived(data: Buffer): void {
    this.chunks.push(data);
  }
}

const producer = { pauseProducing() {}, resumeProducing() {}, stopProducing() {} };

describe('protocolToConsumer', () => {
  it('gives what is written to the protocol, as bytes of its own', () => {
    const recorder = new Recorder();
    const consumer = protocolToConsumer(recorder);
    const bytes = new Uint8Array([1, 2, 3]);
    expect(consumer.write(bytes)).to.be.true;
    expect(consumer.write('文')).to.be.true;
    bytes.fill(0);
    expect(recorder.chunks).to.deep.equal([Buffer.from([1, 2, 3]), Buffer.from('文')]);
  });

  it('takes push producers, and refuses those that it would have to ask', () => {
    const consumer = protocolToConsumer(new Recorder());
    consumer.registerProducer(producer, true);
    consumer.unregisterProducer();
    expect(() => consumer.registerProducer(producer, false)).to.throw(UnsupportedError, 'PullToPush');
  });

  it('lets what the protocol throws out, and reports the rejection of an async one', async () => {
    const consumer = protocolToConsumer({
      dataReceived: () => {
        throw new RangeError('a bug');
      },
    });
    expect(() => consumer.write('anything')).to.throw(RangeError);
    const reactor = new TestReactor();
    const later = protocolToConsumer({
      dataReceived: async () => {
        throw new RangeError('a bug, later');
      },
    });
    reactor.callSoon(() => later.write('anything'));
    await reactor.advanceAsync(0);
    expect(reactor.flushErrors(RangeError)).to.have.length(1);
    reactor.assertClean();
  });

  it('refuses what is no protocol', () => {
    expect(() => protocolToConsumer({} as never)).to.throw(TypeError);
  });
});

describe('consumerToProtocol', () => {
  it('writes what it receives to the consumer, with the transport as the producer', () => {
    const calls: unknown[][] = [];
    const consumer: Consumer = {
      registerProducer: (...args: unknown[]) => void calls.push(['register', ...args]),
      unregisterProducer: () => void calls.push(['unregister']),
      write: (data) => calls.push(['write', String(data)]) > 0,
    };
    const reasons: unknown[] = [];
    const protocol = consumerToProtocol(consumer, (reason) => reasons.push(reason));
    const transport = new StringTransport();
    void protocol.makeConnection(transport);
    void protocol.dataReceived(Buffer.from('hello'));
    const reason = new Failure(new Error('any'));
    void protocol.connectionLost(reason);
    expect(calls).to.deep.equal([['register', transport, true], ['write', 'hello'], ['unregister']]);
    expect(reasons).to.deep.equal([reason]);
  });

  it('joins two connections, the slower of which slows the other down', async () => {
    const reactor = new TestReactor();
    const out = new Recorder();
    const servers = [
      reactor.listenTCP(7, { buildProtocol: () => out, doStart() {}, doStop() {} }),
      reactor.listenTCP(8, { buildProtocol: () => consumerToProtocol(out.transport), doStart() {}, doStop() {} }),
    ];
    const slow = reactor.dial(7, { reading: false });
    await reactor.advanceAsync(0);
    const fast = reactor.dial(8);
    const sent = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 7) % 251));
    fast.send(sent);
    fast.end();
    await reactor.advanceAsync(10);
    expect(reactor.inspect().connections).to.have.length(2);
    slow.resume();
    await reactor.advanceAsync(10);
    expect(sent.equals(slow.received)).to.be.true;
    out.transport.loseConnection();
    for (const port of servers) void port.stopListening();
    await reactor.advanceAsync(0);
    reactor.assertClean();
  });

  it('closes the connection when the consumer is gone', async () => {
    const reactor = new TestReactor();
    const gone = new Recorder();
    const servers = [
      reactor.listenTCP(7, { buildProtocol: () => gone, doStart() {}, doStop() {} }),
      reactor.listenTCP(8, { buildProtocol: () => consumerToProtocol(gone.transport), doStart() {}, doStop() {} }),
    ];
    reactor.dial(7).abort();
    const leaver = reactor.dial(7);
    await reactor.advanceAsync(0);
    leaver.abort();
    await reactor.advanceAsync(0);
    const peer = reactor.dial(8);
    await reactor.advanceAsync(0);
    expect(peer.closed).to.be.true;
    for (const port of servers) void port.stopListening();
    await reactor.advanceAsync(0);
    reactor.assertClean();
  });

  it('refuses what is no consumer', () => {
    expect(() => consumerToProtocol({} as Consumer)).to.throw(TypeError);
  });
});
