import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { expect } from 'chai';
import {
  adoptWebStreams,
  ConnectionAborted,
  ConnectionDone,
  ConnectionLost,
  Factory,
  type Failure,
  IPv4Address,
  Protocol,
  type WebStreamPair,
} from 'ropewalk/core';
import { createReactor } from 'ropewalk';
import { TestReactor } from 'ropewalk/testing';

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

/** As the standard has it; some types of it leave the signal out. */
interface AbortableController extends WritableStreamDefaultController {
  readonly signal?: AbortSignal;
}

/** The far end of a pair of streams. */
interface Far {
  readonly pair: WebStreamPair;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly written: Uint8Array[];
  readonly calls: string[];
  /** Lets the write that is under way end; writes wait for it if it has been asked for. */
  take: () => void;
}

function makeFar({ isSlow = false, failure }: { isSlow?: boolean; failure?: Error } = {}): Far {
  const written: Uint8Array[] = [];
  const calls: string[] = [];
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const readable = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
    cancel: () => void calls.push('cancel'),
  });
  const writable = new WritableStream<Uint8Array>({
    write: (chunk) => {
      if (failure !== undefined) throw failure;
      written.push(chunk);
      return isSlow ? new Promise<void>((resolve) => (far.take = resolve)) : undefined;
    },
    close: () => void calls.push('close'),
    abort: () => void calls.push('abort'),
  });
  const far: Far = { pair: { readable, writable }, controller: controller!, written, calls, take: () => undefined };
  return far;
}

describe('adoptWebStreams', () => {
  let reactor: TestReactor;

  beforeEach(() => {
    reactor = new TestReactor();
  });

  afterEach(() => reactor.assertClean());

  function adopt(far: Far, onConnection: Recorder['onConnection'] = () => undefined): Recorder {
    const recorder = new Recorder();
    recorder.onConnection = onConnection;
    const factory = new Factory();
    factory.buildProtocol = () => recorder;
    adoptWebStreams(reactor, far.pair, factory);
    return recorder;
  }

  it('runs a protocol on a pair of streams', async () => {
    const far = makeFar();
    far.controller.enqueue(Buffer.from('early, '));
    const recorder = adopt(far, ({ transport }) => void transport.write('greetings'));
    await reactor.advanceAsync(0);
    far.controller.enqueue(Buffer.from('late'));
    await reactor.advanceAsync(0);
    expect(recorder.text).to.equal('early, late');
    far.controller.close();
    await reactor.advanceAsync(0);
    expect(Buffer.concat(far.written).toString()).to.equal('greetings');
    expect(far.calls).to.deep.equal(['close']);
    expect(recorder.reason?.value).to.be.instanceOf(ConnectionDone);
  });

  it('gives the addresses that it is given', async () => {
    const far = makeFar();
    const recorder = new Recorder();
    const factory = new Factory();
    factory.buildProtocol = () => recorder;
    const hostAddress = new IPv4Address('TCP', '10.0.0.1', 1);
    const peerAddress = new IPv4Address('TCP', '10.0.0.2', 2);
    adoptWebStreams(reactor, far.pair, factory, { hostAddress, peerAddress });
    await reactor.advanceAsync(0);
    expect(recorder.transport.getHost()).to.equal(hostAddress);
    expect(recorder.transport.getPeer()).to.equal(peerAddress);
    recorder.transport.abortConnection();
    await reactor.advanceAsync(0);
  });

  it('asks for no more than one chunk while the transport is paused, and keeps the order', async () => {
    const far = makeFar();
    const recorder = adopt(far, ({ transport }) => transport.pauseProducing());
    for (const word of ['one ', 'two ', 'three']) far.controller.enqueue(Buffer.from(word));
    far.controller.close();
    await reactor.advanceAsync(0);
    expect(recorder.chunks).to.deep.equal([]);
    recorder.transport.resumeProducing();
    recorder.transport.pauseProducing();
    recorder.transport.resumeProducing();
    await reactor.advanceAsync(0);
    expect(recorder.text).to.equal('one two three');
    expect(recorder.reason?.value).to.be.instanceOf(ConnectionDone);
  });

  it('delivers a large chunk in pieces', async () => {
    const far = makeFar();
    const recorder = adopt(far);
    const sent = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 251));
    far.controller.enqueue(sent);
    far.controller.enqueue(new Uint8Array(0));
    far.controller.close();
    await reactor.advanceAsync(0);
    expect(Math.max(...recorder.chunks.map(({ length }) => length))).to.equal(65_536);
    expect(sent.equals(Buffer.concat(recorder.chunks))).to.be.true;
  });

  it('slows a producer down that the streams cannot follow', async () => {
    const far = makeFar({ isSlow: true });
    const calls: string[] = [];
    const recorder = adopt(far, ({ transport }) => {
      transport.registerProducer(
        {
          pauseProducing: () => void calls.push('pause'),
          resumeProducing: () => void calls.push('resume'),
          stopProducing: () => void calls.push('stop'),
        },
        true,
      );
      transport.write(new Uint8Array(100_000));
    });
    await reactor.advanceAsync(0);
    expect(calls).to.deep.equal(['pause']);
    far.take();
    await reactor.advanceAsync(0);
    expect(calls).to.deep.equal(['pause', 'resume']);
    recorder.transport.abortConnection();
    await reactor.advanceAsync(0);
    expect(calls).to.deep.equal(['pause', 'resume', 'stop']);
  });

  it('closes the one and cancels the other when the connection is closed', async () => {
    const far = makeFar();
    const recorder = adopt(far, ({ transport }) => {
      transport.write('bye');
      transport.loseConnection();
    });
    await reactor.advanceAsync(0);
    expect(recorder.reason?.value).to.be.instanceOf(ConnectionDone);
    expect(Buffer.concat(far.written).toString()).to.equal('bye');
    expect(far.calls).to.deep.equal(['close', 'cancel']);
  });

  it('aborts the one and cancels the other when the connection is aborted', async () => {
    const far = makeFar();
    const recorder = adopt(far, ({ transport }) => transport.abortConnection());
    await reactor.advanceAsync(0);
    expect(recorder.reason?.value).to.be.instanceOf(ConnectionAborted);
    expect(far.calls).to.have.members(['abort', 'cancel']);
  });

  it('loses the connection when reading fails, with the error as the cause', async () => {
    const errors = [Object.assign(new Error('pulled out'), { code: 'EIO' }), new Error('no code'), 'no error'];
    for (const error of errors) {
      const far = makeFar();
      const recorder = adopt(far);
      await reactor.advanceAsync(0);
      far.controller.error(error);
      await reactor.advanceAsync(0);
      expect(recorder.reason?.value).to.be.instanceOf(ConnectionLost);
      const { cause } = recorder.reason!.value;
      if (error === errors[0]) expect(cause).to.equal(error);
      else expect(cause).to.include({ code: 'UNKNOWN', cause: error });
      expect(far.calls, 'the other stream is let go').to.deep.equal(['abort']);
    }
  });

  it('loses the connection when writing fails, or the end, while it is paused too', async () => {
    const failure = new Error('full');
    const far = makeFar({ failure });
    const recorder = adopt(far, ({ transport }) => transport.pauseProducing());
    await reactor.advanceAsync(0);
    recorder.transport.write('anything');
    await reactor.advanceAsync(0);
    expect(recorder.reason?.value.cause).to.have.property('cause', failure);
    expect(far.calls, 'the other stream is let go').to.deep.equal(['cancel']);

    const other = makeFar();
    const { pair } = other;
    const broken = new WritableStream<Uint8Array>({
      close: () => {
        throw failure;
      },
    });
    const second = adopt({ ...other, pair: { ...pair, writable: broken } }, ({ transport }) =>
      transport.loseConnection(),
    );
    await reactor.advanceAsync(0);
    expect(second.reason?.value.cause).to.have.property('cause', failure);
  });

  it('loses the connection when what comes is no bytes', async () => {
    const far = makeFar();
    const recorder = adopt(far);
    far.controller.enqueue('text' as unknown as Uint8Array);
    await reactor.advanceAsync(0);
    expect(recorder.reason?.value.cause).to.have.property('cause').that.is.instanceOf(TypeError);
  });

  describe('streams that stall', () => {
    /** Takes no write, and says so to nobody. */
    function stalled(): { readonly far: Far; readonly signals: AbortSignal[] } {
      const far = makeFar();
      const signals: AbortSignal[] = [];
      const writable = new WritableStream<Uint8Array>({
        start: ({ signal }: AbortableController) => {
          if (signal !== undefined) signals.push(signal);
        },
        write: () => new Promise<void>(() => undefined),
      });
      return { far: { ...far, pair: { ...far.pair, writable } }, signals };
    }

    it('are aborted and cancelled when the reactor has stopped and they have lingered', async () => {
      const { far, signals } = stalled();
      const recorder = adopt(far, ({ transport }) => void transport.write('never taken'));
      await reactor.advanceAsync(0);
      reactor.stop();
      await reactor.advanceAsync(1.9);
      expect(recorder.reason?.value).to.be.instanceOf(ConnectionLost);
      expect(signals[0]?.aborted, 'while it lingers').to.be.false;
      expect(far.calls).to.deep.equal([]);
      await reactor.advanceAsync(0.1);
      expect(signals[0]?.aborted).to.be.true;
      expect(far.calls).to.deep.equal(['cancel']);
    });

    it('are so also when their end had been asked for already', async () => {
      const far = makeFar();
      const signals: AbortSignal[] = [];
      const writable = new WritableStream<Uint8Array>({
        start: ({ signal }: AbortableController) => {
          if (signal !== undefined) signals.push(signal);
        },
        close: () => new Promise<void>(() => undefined),
      });
      adopt({ ...far, pair: { ...far.pair, writable } }, ({ transport }) => transport.loseConnection());
      await reactor.advanceAsync(1);
      reactor.stop();
      await reactor.advanceAsync(1.9);
      expect(far.calls, 'while it lingers').to.deep.equal([]);
      await reactor.advanceAsync(0.1);
      expect(signals[0]?.aborted).to.be.true;
      expect(far.calls).to.deep.equal(['cancel']);
    });

    it('linger no longer than they need', async () => {
      const far = makeFar();
      adopt(far);
      await reactor.advanceAsync(0);
      reactor.stop();
      await reactor.advanceAsync(0);
      expect(far.calls).to.deep.equal(['close', 'cancel']);
      await reactor.advanceAsync(10);
      expect(far.calls).to.deep.equal(['close', 'cancel']);
    });

    it('linger for as long as a reactor on Node is told to, and without it', async () => {
      const { far, signals } = stalled();
      const real = createReactor({ lingerSeconds: 0.05 });
      const finished = real.run({ installSignalHandlers: false });
      const factory = new Factory();
      const recorder = new Recorder();
      recorder.onConnection = ({ transport }) => {
        transport.write('never taken');
        real.stop();
      };
      factory.buildProtocol = () => recorder;
      adoptWebStreams(real, far.pair, factory);
      await finished;
      expect(recorder.reason?.value).to.be.instanceOf(ConnectionLost);
      const [signal] = signals;
      if (signal?.aborted === false) await once(signal, 'abort');
      expect(far.calls).to.deep.equal(['cancel']);
    });
  });

  it('closes streams that nobody wants', async () => {
    const far = makeFar();
    const factory = new Factory();
    factory.buildProtocol = () => null; // the base class says that it may
    adoptWebStreams(reactor, far.pair, factory);
    await reactor.advanceAsync(0);
    expect(far.calls).to.deep.equal(['close', 'cancel']);
  });

  it('refuses what cannot be adopted', () => {
    const factory = new Factory();
    const locked = makeFar();
    locked.pair.readable.getReader();
    expect(() => adoptWebStreams(reactor, locked.pair, factory)).to.throw(TypeError, 'locked');
    expect(() => adoptWebStreams(reactor, {} as WebStreamPair, factory)).to.throw(TypeError);
    expect(() => adoptWebStreams(reactor, makeFar().pair, {} as never)).to.throw(TypeError);
    expect(() => adoptWebStreams(reactor, makeFar().pair, factory, { host: 1 } as object)).to.throw(TypeError);
  });
});
