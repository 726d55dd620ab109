import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { expect } from 'chai';
import { IPv4Address } from 'ropewalk';
import type { SystemError } from '../../../src/interfaces/platform.ts';
import type { StreamHandle, StreamListener } from '../../../src/interfaces/stream-platform.ts';
import { HandleDuplex } from '../../../src/node/tls/handle-duplex.ts';
import { settle } from '../harness.ts';

const ADDRESS = new IPv4Address('TCP', '127.0.0.1', 1);

/** Writes down what is asked of it, and reports what a test says. */
class FakeHandle implements StreamHandle {
  readonly localAddress = ADDRESS;
  readonly remoteAddress = ADDRESS;
  readonly calls: string[] = [];
  readonly written: string[] = [];
  leavesAtOnce = true;
  listener!: StreamListener;

  open(listener: StreamListener): void {
    this.listener = listener;
    this.calls.push('open');
  }
  resumeReading(): void {
    this.calls.push('resumeReading');
  }
  pauseReading(): void {
    this.calls.push('pauseReading');
  }
  write(chunks: readonly Uint8Array[]): boolean {
    this.written.push(chunks.map((chunk) => Buffer.from(chunk).toString()).join('|'));
    return this.leavesAtOnce;
  }
  shutdown(): void {
    this.calls.push('shutdown');
  }
  close(): void {
    this.calls.push('close');
  }
  reset(): void {
    this.calls.push('reset');
  }
}

describe('HandleDuplex', () => {
  let handle: FakeHandle;

  beforeEach(() => {
    handle = new FakeHandle();
  });

  const duplexOver = (received?: Uint8Array): HandleDuplex => {
    const duplex = new HandleDuplex(handle, received);
    duplex.on('error', () => undefined);
    return duplex;
  };

  it('reads nothing before somebody reads', async () => {
    const duplex = duplexOver();
    await settle();
    expect(handle.calls).to.deep.equal(['open']);
    duplex.resume();
    await settle();
    expect(handle.calls).to.include('resumeReading');
  });

  it('gives what was received before anything that is read, once, and not before it is asked', async () => {
    const duplex = duplexOver(Buffer.from('first, '));
    const chunks: string[] = [];
    expect(duplex.readableLength).to.equal(0);
    duplex.on('data', (chunk: Buffer) => {
      chunks.push(chunk.toString());
    });
    await settle();
    expect(chunks).to.deep.equal(['first, ']);
    expect(handle.calls).to.include('resumeReading');
    handle.listener.dataReceived(Buffer.from('second'));
    expect(chunks).to.deep.equal(['first, ', 'second']);
  });

  it('does not give what was received once it is destroyed', async () => {
    const duplex = duplexOver(Buffer.from('first'));
    duplex.resume();
    await new Promise((resolve) => {
      process.nextTick(resolve);
    });
    duplex.destroy();
    await settle();
    expect(handle.calls.at(-1)).to.equal('close');
  });

  it('pauses the stream below when nobody takes what comes, and resumes it', async () => {
    const duplex = duplexOver();
    duplex.read(0);
    handle.listener.dataReceived(Buffer.alloc(60_000));
    expect(handle.calls).not.to.include('pauseReading');
    handle.listener.dataReceived(Buffer.alloc(60_000));
    expect(handle.calls.at(-1)).to.equal('pauseReading');
    duplex.resume();
    await settle();
    expect(handle.calls.at(-1)).to.equal('resumeReading');
  });

  it('ends when everything before the end has been taken', async () => {
    const duplex = duplexOver();
    duplex.read(0);
    handle.listener.dataReceived(Buffer.from('last'));
    handle.listener.endReceived();
    expect(duplex.hasEnded).to.be.false;
    duplex.resume();
    await once(duplex, 'end');
    expect(duplex.hasEnded).to.be.true;
  });

  it('writes what is given together in one call, and waits until it has left', async () => {
    const duplex = duplexOver();
    handle.leavesAtOnce = false;
    let done = 0;
    const count = (): void => {
      done += 1;
    };
    duplex.write('a', count);
    duplex.write('b', count);
    duplex.write('c', count);
    expect(handle.written).to.deep.equal(['a']);
    handle.listener.written();
    await settle();
    expect(handle.written).to.deep.equal(['a', 'b|c']);
    expect(done).to.equal(1);
    handle.listener.written();
    await settle();
    expect(done).to.equal(3);
    handle.listener.written(); // of nobody's
    expect(done).to.equal(3);
  });

  it('tells once that the next bytes have left, at once or later', async () => {
    const duplex = duplexOver();
    const told: string[] = [];
    duplex.whenSent(() => told.push('first'));
    duplex.write('a');
    duplex.write('b');
    await settle();
    expect(told).to.deep.equal(['first']);
    handle.leavesAtOnce = false;
    duplex.whenSent(() => told.push('second'));
    duplex.write('c');
    await settle();
    expect(told).to.deep.equal(['first']);
    handle.listener.written();
    expect(told).to.deep.equal(['first', 'second']);
  });

  it('shuts the stream down when writing ends, behind what was written', async () => {
    const duplex = duplexOver();
    let isFinished = false;
    duplex.on('finish', () => {
      isFinished = true;
    });
    handle.leavesAtOnce = false;
    duplex.end('last');
    await settle();
    expect(handle.calls).not.to.include('shutdown');
    handle.listener.written();
    await settle();
    expect(handle.calls.at(-1)).to.equal('shutdown');
    expect(isFinished).to.be.false;
    handle.listener.shutDown();
    await settle();
    expect(isFinished).to.be.true;
    expect(handle.calls).not.to.include('close');
  });

  it('closes the stream instead, if it is told to: before the end of writing, or after it', async () => {
    const duplex = duplexOver();
    duplex.closeAtEnd();
    expect(handle.calls).not.to.include('close');
    duplex.end();
    await settle();
    expect(handle.calls).to.include('close').and.not.include('shutdown');

    handle = new FakeHandle();
    const ended = duplexOver();
    ended.end();
    await settle();
    handle.listener.shutDown();
    await settle();
    ended.closeAtEnd();
    expect(handle.calls.at(-1)).to.equal('close');
  });

  it('closes the stream when it is destroyed', async () => {
    duplexOver().destroy();
    await settle();
    expect(handle.calls.at(-1)).to.equal('close');
  });

  it('has the error of the stream be one of reading, unless something is being written', () => {
    const broken = (): SystemError => Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' });
    const idle = duplexOver();
    handle.listener.failed(broken());
    expect(idle.errored).to.include({ code: 'EPIPE', syscall: 'read', message: 'write EPIPE' });
    const writing = duplexOver();
    handle.leavesAtOnce = false;
    writing.write('a');
    handle.listener.failed(broken());
    expect(writing.errored).to.include({ code: 'EPIPE', syscall: 'write' });
  });

  it('is destroyed with the error of the stream', async () => {
    const duplex = new HandleDuplex(handle, undefined);
    const error: SystemError = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    const reported = once(duplex, 'error');
    handle.listener.failed(error);
    expect(await reported).to.deep.equal([error]);
    expect(duplex.destroyed).to.be.true;
  });
});
