import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Duplex, duplexPair, PassThrough } from 'node:stream';
import { setImmediate as nextPass } from 'node:timers/promises';
import { connect as connectTLS, createServer as createTLSServer } from 'node:tls';
import { expect } from 'chai';
import {
  adoptDuplex,
  ConnectionAborted,
  ConnectionDone,
  ConnectionLost,
  createReactor,
  Factory,
  type Failure,
  IPv4Address,
  Protocol,
  type Reactor,
} from 'ropewalk';
import { TestReactor } from 'ropewalk/testing';
import { testCertificates } from '../../support/certificates.ts';
import { pattern } from './support/served-duplex.ts';

/** Keeps what it is told. */
class Recorder extends Protocol {
  readonly chunks: Buffer[] = [];
  reason: Failure | undefined;
  onConnection: (recorder: Recorder) => void = () => undefined;

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }

  override connectionMade(): void {
    this.onConnection(this);
  }

  override dataReceived(data: Buffer): void {
    this.chunks.push(data);
  }

  override connectionLost(reason: Failure): void {
    this.reason = reason;
  }
}

class RecorderFactory extends Factory {
  readonly recorder = new Recorder();
  readonly calls: string[] = [];

  override startFactory(): void {
    this.calls.push('startFactory');
  }

  override stopFactory(): void {
    this.calls.push('stopFactory');
  }

  override buildProtocol(address: unknown): Protocol {
    this.calls.push(`buildProtocol ${String(address)}`);
    return this.recorder;
  }
}

/** Lets the event loop go round until it is so. */
async function until(condition: () => boolean, reactor?: TestReactor): Promise<void> {
  const end = performance.now() + 4000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`never: ${String(condition)}`);
    await reactor?.advanceAsync(0);
    await nextPass();
  }
}

describe('adoptDuplex', () => {
  let reactor: TestReactor;

  beforeEach(() => {
    reactor = new TestReactor();
  });

  afterEach(() => reactor.assertClean());

  function adopt(duplex: Duplex): RecorderFactory {
    const factory = new RecorderFactory();
    adoptDuplex(reactor, duplex, factory);
    return factory;
  }

  it('runs a protocol on a Duplex, from the next turn until it is lost', async () => {
    const [near, far] = duplexPair();
    far.write('first words');
    const { recorder, calls } = adopt(near);
    recorder.onConnection = ({ transport }) => void transport.write('greetings');
    expect(calls).to.deep.equal(['startFactory']);
    await until(() => recorder.text === 'first words', reactor);
    expect(calls).to.deep.equal(['startFactory', 'buildProtocol UNIXAddress()']);
    expect(String((await once(far, 'data'))[0])).to.equal('greetings');
    far.resume();
    far.end('last words');
    await until(() => recorder.reason !== undefined, reactor);
    expect(recorder.text).to.equal('first wordslast words');
    expect(recorder.reason?.value).to.be.instanceOf(ConnectionDone);
    expect(calls.at(-1)).to.equal('stopFactory');
  });

  it('waits for the reactor to run', async () => {
    const idle = new TestReactor({ running: false });
    const [near, far] = duplexPair();
    far.resume();
    far.end('early');
    const factory = new RecorderFactory();
    adoptDuplex(idle, near, factory);
    await idle.advanceAsync(1);
    expect(factory.calls).to.deep.equal(['startFactory']);
    void idle.run();
    await until(() => factory.recorder.reason !== undefined, idle);
    expect(factory.recorder.text).to.equal('early');
    idle.assertClean();
  });

  it('gives the addresses that it is given', async () => {
    const [near, far] = duplexPair();
    const factory = new RecorderFactory();
    const hostAddress = new IPv4Address('TCP', '10.0.0.1', 1);
    const peerAddress = new IPv4Address('TCP', '10.0.0.2', 2);
    adoptDuplex(reactor, near, factory, { hostAddress, peerAddress });
    await until(() => factory.calls.length > 1, reactor);
    expect(factory.calls.at(-1)).to.equal(`buildProtocol ${String(peerAddress)}`);
    expect(factory.recorder.transport.getHost()).to.equal(hostAddress);
    far.resume();
    far.end();
    await until(() => factory.recorder.reason !== undefined, reactor);
  });

  it('pauses the Duplex with the transport', async () => {
    const [near, far] = duplexPair();
    const { recorder } = adopt(near);
    recorder.onConnection = ({ transport }) => transport.pauseProducing();
    const sent = pattern(300_000);
    far.end(sent);
    far.resume();
    for (let round = 0; round < 10; round += 1) {
      await reactor.advanceAsync(0);
      await nextPass();
    }
    expect(recorder.chunks).to.deep.equal([]);
    recorder.transport.resumeProducing();
    await until(() => recorder.reason !== undefined, reactor);
    expect(sent.equals(Buffer.concat(recorder.chunks))).to.be.true;
    expect(Math.max(...recorder.chunks.map(({ length }) => length))).to.be.at.most(65_536);
  });

  it('slows a producer down that the Duplex cannot follow', async () => {
    const [near, far] = duplexPair();
    const { recorder } = adopt(near);
    const calls: string[] = [];
    recorder.onConnection = ({ transport }) => {
      transport.registerProducer(
        {
          pauseProducing: () => void calls.push('pause'),
          resumeProducing: () => void calls.push('resume'),
          stopProducing: () => void calls.push('stop'),
        },
        true,
      );
      transport.write(pattern(1_000_000));
    };
    await until(() => calls.length > 0, reactor);
    for (let round = 0; round < 10; round += 1) {
      await reactor.advanceAsync(0);
      await nextPass();
    }
    expect(calls).to.deep.equal(['pause']);
    far.resume();
    await until(() => calls.length > 1, reactor);
    expect(calls).to.deep.equal(['pause', 'resume']);
    recorder.transport.abortConnection();
    await until(() => recorder.reason !== undefined, reactor);
  });

  it('reports nothing from inside a call, to an echo neither', async () => {
    // What is written to a PassThrough can be read from it, and an event may tell so at once.
    const factory = new RecorderFactory();
    const { recorder } = factory;
    const order: string[] = [];
    recorder.onConnection = ({ transport }) => {
      transport.write('echo');
      order.push('written');
      transport.loseWriteConnection();
    };
    recorder.dataReceived = (data) => {
      order.push(String(data));
    };
    adoptDuplex(reactor, new PassThrough(), factory);
    await until(() => recorder.reason !== undefined, reactor);
    expect(order).to.deep.equal(['written', 'echo']);
    expect(recorder.reason?.value).to.be.instanceOf(ConnectionDone);
  });

  it('does not starve anybody over a stream that never ends', async () => {
    const endless = new Duplex({
      read() {
        this.push(Buffer.alloc(65_536));
      },
      write(_chunk, _encoding, callback) {
        callback();
      },
    });
    const { recorder } = adopt(endless);
    await until(() => recorder.chunks.length > 20, reactor);
    recorder.transport.abortConnection();
    await until(() => recorder.reason !== undefined, reactor);
    expect(endless.destroyed).to.be.true;
  });

  it('goes on writing when the other side has ended, whatever the Duplex was made for', async () => {
    const [near, far] = duplexPair({ allowHalfOpen: false });
    const factory = new RecorderFactory();
    class HalfOpen extends Recorder {
      readConnectionLost(): void {
        this.transport.write('afterwards');
        this.transport.loseConnection();
      }
      writeConnectionLost(): void {}
    }
    const protocol = new HalfOpen();
    factory.buildProtocol = () => protocol;
    adoptDuplex(reactor, near, factory);
    far.allowHalfOpen = true;
    const received = far.toArray();
    far.end();
    await until(() => protocol.reason !== undefined, reactor);
    expect(Buffer.concat((await received) as Buffer[]).toString()).to.equal('afterwards');
  });

  describe('a Duplex that is destroyed', () => {
    it('with an error loses the connection, with the error as the cause', async () => {
      const [near] = duplexPair();
      const { recorder } = adopt(near);
      await reactor.advanceAsync(0);
      const error = Object.assign(new Error('pulled out'), { code: 'EIO' });
      near.destroy(error);
      await until(() => recorder.reason !== undefined, reactor);
      expect(recorder.reason?.value).to.be.instanceOf(ConnectionLost);
      expect(recorder.reason?.value.cause).to.equal(error);
    });

    it('without a word loses the connection, too', async () => {
      const [near] = duplexPair();
      const { recorder } = adopt(near);
      await reactor.advanceAsync(0);
      near.destroy();
      await until(() => recorder.reason !== undefined, reactor);
      expect(recorder.reason?.value.cause).to.have.property('code', 'ERR_STREAM_PREMATURE_CLOSE');
    });

    it('before it was adopted loses the connection as soon as it is made', async () => {
      for (const error of [undefined, new Error('long ago')]) {
        const [near] = duplexPair();
        near.on('error', () => undefined);
        near.destroy(error);
        await nextPass();
        const { recorder, calls } = adopt(near);
        await until(() => recorder.reason !== undefined, reactor);
        expect(recorder.reason?.value).to.be.instanceOf(ConnectionLost);
        expect(calls).to.have.length(3);
      }
    });

    it('between the call and the turn does so as well', async () => {
      const [near] = duplexPair();
      const { recorder } = adopt(near);
      near.destroy();
      await nextPass();
      await until(() => recorder.reason !== undefined, reactor);
      expect(recorder.reason?.value).to.be.instanceOf(ConnectionLost);
    });

    it('while the connection is paused tells those who write', async () => {
      const [near] = duplexPair();
      const { recorder } = adopt(near);
      recorder.onConnection = ({ transport }) => transport.pauseProducing();
      await reactor.advanceAsync(0);
      near.destroy();
      for (let round = 0; round < 5; round += 1) {
        await reactor.advanceAsync(0);
        await nextPass();
      }
      expect(recorder.reason).to.equal(undefined);
      recorder.transport.write('anybody there?');
      await until(() => recorder.reason !== undefined, reactor);
    });

    it('while the connection is paused tells one who ends', async () => {
      const [near] = duplexPair();
      const { recorder } = adopt(near);
      recorder.onConnection = ({ transport }) => transport.pauseProducing();
      await reactor.advanceAsync(0);
      near.destroy();
      await nextPass();
      recorder.transport.loseConnection();
      await until(() => recorder.reason !== undefined, reactor);
    });
  });

  it('destroys the Duplex when the connection is aborted, and when nobody wants it', async () => {
    const [near] = duplexPair();
    const { recorder } = adopt(near);
    recorder.onConnection = ({ transport }) => transport.abortConnection();
    await until(() => recorder.reason !== undefined, reactor);
    expect(recorder.reason?.value).to.be.instanceOf(ConnectionAborted);
    expect(near.destroyed).to.be.true;

    const [unwanted] = duplexPair();
    const factory = new RecorderFactory();
    factory.buildProtocol = () => null as unknown as Protocol; // the base class says that it may
    adoptDuplex(reactor, unwanted, factory);
    await reactor.advanceAsync(0);
    expect(unwanted.writableEnded).to.be.true;
    expect(factory.calls).to.deep.equal(['startFactory', 'stopFactory']);
    unwanted.destroy();
  });

  it('is destroyed by an error also if the Duplex does not destroy itself', async () => {
    const fragile = new Duplex({ autoDestroy: false, read() {}, write() {} });
    const { recorder } = adopt(fragile);
    await reactor.advanceAsync(0);
    fragile.emit('error', new Error('pulled out'));
    await until(() => recorder.reason !== undefined, reactor);
    expect(fragile.destroyed).to.be.true;
  });

  it('destroys a Duplex that stalls when it has lingered, by the clock of the reactor, which may have stopped', async () => {
    const stalled = new Duplex({ read() {}, write() {} });
    const { recorder } = adopt(stalled);
    recorder.onConnection = ({ transport }) => void transport.write('never taken');
    await reactor.advanceAsync(0);
    reactor.stop();
    await reactor.advanceAsync(1.9);
    expect(recorder.reason?.value).to.be.instanceOf(ConnectionLost);
    expect(stalled.destroyed, 'while it lingers').to.be.false;
    await reactor.advanceAsync(0.1);
    expect(stalled.destroyed).to.be.true;
  });

  it('refuses what cannot be adopted, and leaves it as it was', () => {
    const factory = new RecorderFactory();
    const [duplex] = duplexPair();
    const read = duplexPair()[0].on('data', () => undefined);
    const decoded = duplexPair()[0].setEncoding('utf8');
    const objects = new PassThrough({ objectMode: true });
    const connecting = connect({ port: 1, host: '127.0.0.1' }).on('error', () => undefined);
    for (const wrong of [{} as never, read, decoded, objects, connecting]) {
      expect(() => adoptDuplex(reactor, wrong, factory)).to.throw(TypeError);
    }
    expect(() => adoptDuplex(reactor, duplex, {} as never)).to.throw(TypeError);
    expect(() => adoptDuplex(reactor, duplex, factory, { peer: 1 } as object)).to.throw(TypeError);
    expect(() => reactor.adoptStreamHandle({} as never, factory)).to.throw(TypeError);
    expect(duplex.listenerCount('error')).to.equal(0);
    expect(factory.calls).to.deep.equal([]);
    connecting.destroy();
  });
});

describe('adoptDuplex of a socket', () => {
  let reactor: Reactor;
  let finished: Promise<void>;
  let server: Server;
  const accepted: Socket[] = [];

  beforeEach(async () => {
    reactor = createReactor();
    finished = reactor.run({ installSignalHandlers: false });
    server = createServer((socket) => accepted.push(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(async () => {
    reactor.stop();
    await finished;
    server.close();
    for (const socket of accepted.splice(0)) socket.destroy();
  });

  async function connectedPair(): Promise<{ near: Socket; far: Socket }> {
    const { port } = server.address() as AddressInfo; // what a server on TCP has
    const near = connect({ port, host: '127.0.0.1' });
    await once(near, 'connect');
    await until(() => accepted.length > 0);
    return { near, far: accepted.shift()! };
  }

  it('has its addresses, what it has read already, and its bytes', async () => {
    const { near, far } = await connectedPair();
    far.write('before, ');
    await once(near, 'readable');
    near.removeAllListeners('readable');
    await nextPass();
    const factory = new RecorderFactory();
    adoptDuplex(reactor, near, factory);
    await until(() => factory.recorder.text === 'before, ');
    const { port } = server.address() as AddressInfo;
    expect(String(factory.recorder.transport.getPeer())).to.equal(String(new IPv4Address('TCP', '127.0.0.1', port)));
    far.end('after');
    const received = far.toArray();
    factory.recorder.transport.write('an answer');
    await until(() => factory.recorder.reason !== undefined);
    expect(factory.recorder.text).to.equal('before, after');
    expect(factory.recorder.reason?.value).to.be.instanceOf(ConnectionDone);
    expect(Buffer.concat((await received) as Buffer[]).toString()).to.equal('an answer');
  });

  it('resets it when the connection is aborted', async () => {
    const { near, far } = await connectedPair();
    const factory = new RecorderFactory();
    adoptDuplex(reactor, near, factory);
    factory.recorder.onConnection = ({ transport }) => transport.abortConnection();
    far.resume();
    const [error] = (await once(far, 'error')) as [Error];
    expect(error).to.have.property('code', 'ECONNRESET');
  });

  it('has the error when the peer resets it', async () => {
    const { near, far } = await connectedPair();
    const factory = new RecorderFactory();
    adoptDuplex(reactor, near, factory);
    await until(() => factory.calls.length > 1);
    far.resetAndDestroy();
    await until(() => factory.recorder.reason !== undefined);
    expect(factory.recorder.reason?.value).to.be.instanceOf(ConnectionLost);
    expect(factory.recorder.reason?.value.cause).to.have.property('code', 'ECONNRESET');
  });

  describe('with the linger of the reactor', () => {
    /** How long it takes from the loss of the connection to the end of the stream, in milliseconds. */
    async function lingering(own: Reactor, duplex: Duplex): Promise<number> {
      const run = own.run({ installSignalHandlers: false });
      const factory = new RecorderFactory();
      factory.recorder.onConnection = ({ transport }) => transport.loseConnection();
      adoptDuplex(own, duplex, factory);
      await until(() => factory.recorder.reason !== undefined);
      const begin = performance.now();
      if (!duplex.destroyed) await once(duplex, 'close');
      const took = performance.now() - begin;
      own.stop();
      await run;
      return took;
    }

    it('destroys a socket whose peer does not end', async () => {
      const { near, far } = await connectedPair();
      far.allowHalfOpen = true;
      far.resume();
      expect(await lingering(createReactor({ lingerSeconds: 0.05 }), near)).to.be.below(1000);
    });

    it('destroys any other Duplex whose peer does not end', async () => {
      const [near, far] = duplexPair();
      far.resume();
      expect(await lingering(createReactor({ lingerSeconds: 0.05 }), near)).to.be.below(1000);
    });

    it('discards no more than it is told to', async () => {
      const [near, far] = duplexPair();
      far.resume();
      const flood = setInterval(() => void far.write(Buffer.alloc(100)), 1);
      const took = await lingering(createReactor({ lingerSeconds: 1000, lingerBytes: 1000 }), near);
      clearInterval(flood);
      expect(took).to.be.below(3000);
    });

    it('under TLS is that of the stream below', async () => {
      const { ca, server: identity } = await testCertificates();
      const [near, far] = duplexPair();
      const own = createReactor({ lingerSeconds: 0.05 });
      const run = own.run({ installSignalHandlers: false });
      const factory = new RecorderFactory();
      const { recorder } = factory;
      recorder.onConnection = ({ transport }) => transport.startTLS(identity, { isServer: true });
      Object.assign(recorder, { handshakeCompleted: () => recorder.transport.loseConnection() });
      adoptDuplex(own, near, factory);
      const client = connectTLS({ socket: far, servername: 'localhost', ca });
      client.on('error', () => undefined);
      client.pause(); // so that it does not see the end, and end as well
      await until(() => recorder.reason !== undefined);
      const begin = performance.now();
      if (!near.destroyed) await once(near, 'close');
      expect(performance.now() - begin).to.be.below(1000);
      client.destroy();
      own.stop();
      await run;
    });
  });

  it('can be made with TLS by others, or become so afterwards', async () => {
    const { ca, server: identity } = await testCertificates();
    const secured = createTLSServer(identity, (socket) => socket.end(`hello ${String(socket.authorized)}`));
    secured.listen(0, '127.0.0.1');
    await once(secured, 'listening');
    const { port } = secured.address() as AddressInfo;

    const done = connectTLS({ port, host: '127.0.0.1', servername: 'localhost', ca });
    await once(done, 'secureConnect');
    const first = new RecorderFactory();
    adoptDuplex(reactor, done, first);
    await until(() => first.recorder.reason !== undefined);
    expect(first.recorder.text).to.equal('hello false');
    expect(first.recorder.reason?.value).to.be.instanceOf(ConnectionDone);

    const plain = connect({ port, host: '127.0.0.1' });
    await once(plain, 'connect');
    const second = new RecorderFactory();
    second.recorder.onConnection = ({ transport }) => {
      transport.startTLS({ ca, servername: 'localhost' }, { isServer: false });
    };
    adoptDuplex(reactor, plain, second);
    await until(() => second.recorder.reason !== undefined);
    expect(second.recorder.text).to.equal('hello false');
    secured.close();
  });
});
