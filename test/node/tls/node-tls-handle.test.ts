/** Encrypted handles over streams whose every step is the test's. */
import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import { type Address, nodeTLS, UNIXAddress } from 'ropewalk';
import type { StreamHandle, StreamListener } from '../../../src/interfaces/stream-platform.ts';
import type { TLSHandle, TLSListener, TLSParameters } from '../../../src/interfaces/tls-engine.ts';
import { testCertificates } from '../../support/certificates.ts';
import { settle, until } from '../harness.ts';

const CERTIFICATES = await testCertificates();
const CLIENT: TLSParameters = { role: 'client', options: { ca: CERTIFICATES.ca }, servername: 'localhost' };
const SERVER: TLSParameters = { role: 'server', options: CERTIFICATES.server, servername: undefined };

/** One end of a stream in memory. What is written arrives a pass of the event loop later; a FIN leaves when it is let go. */
class LooseEnd implements StreamHandle {
  readonly localAddress: Address = new UNIXAddress(undefined);
  readonly remoteAddress: Address = new UNIXAddress(undefined);
  other!: LooseEnd;
  #listener: StreamListener | undefined;
  #letGo: () => void = () => undefined;
  #isOver = false;

  static pair(): [LooseEnd, LooseEnd] {
    const [near, far] = [new LooseEnd(), new LooseEnd()];
    near.other = far;
    far.other = near;
    return [near, far];
  }

  open(listener: StreamListener): void {
    this.#listener = listener;
  }
  resumeReading(): void {}
  pauseReading(): void {}
  write(chunks: readonly Uint8Array[]): boolean {
    const data = Buffer.concat(chunks);
    setImmediate(() => this.other.#told((listener) => listener.dataReceived(data)));
    return true;
  }
  shutdown(): void {
    this.#letGo = () => {
      this.#told((listener) => listener.shutDown());
      this.other.#told((listener) => listener.endReceived());
    };
  }
  close(): void {
    this.#isOver = true;
  }
  reset(): void {
    this.#isOver = true;
  }

  /** Has the FIN that was asked for leave. */
  letGo(): void {
    this.#letGo();
  }

  #told(tell: (listener: StreamListener) => void): void {
    if (!this.#isOver && this.#listener !== undefined) tell(this.#listener);
  }
}

/** Writes down what it is told. */
function recording(events: string[], handle: TLSHandle, does: Partial<TLSListener> = {}): TLSListener {
  return {
    handshakeCompleted: () => {
      events.push('handshakeCompleted');
      handle.resumeReading();
    },
    dataReceived: (data) => events.push(data.toString()),
    endReceived: () => {
      events.push('endReceived');
      does.endReceived?.();
    },
    written: () => events.push('written'),
    shutDown: () => events.push('shutDown'),
    failed: (error) => events.push(error.message),
  };
}

describe('An encrypted stream over any other', () => {
  it('has closed its half when its farewell has left, and so before the peer answers it', async () => {
    const engine = nodeTLS();
    const [near, far] = LooseEnd.pair();
    const client = engine.secure(near, CLIENT, undefined);
    const server = engine.secure(far, SERVER, undefined);
    const events: string[] = [];
    client.open(recording(events, client));
    server.open(recording([], server, { endReceived: () => server.shutdown() }));
    await until(() => events.includes('handshakeCompleted'));
    client.shutdown();
    // The FIN of neither side ever leaves.
    await until(() => events.includes('endReceived'));
    expect(events).to.deep.equal(['handshakeCompleted', 'shutDown', 'endReceived']);
    near.letGo();
    far.letGo();
    await settle();
    expect(events).to.have.length(3);
    client.close();
    server.close();
  });
});
