/**
 * An encrypted stream.
 *
 *     shaking ──▶ secure ──▶ over
 *        ╰───────────────────▲
 *
 * While it shakes hands there is only what it is spoken over. What its owner asks for meanwhile waits: one write, or the end of
 * writing, and whether to read. When it is secure, a handle over Node's TLS socket does everything.
 */
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Address } from '../../addresses.ts';
import type { SystemError } from '../../interfaces/platform.ts';
import type { StreamHandle } from '../../interfaces/stream-platform.ts';
import type { TLSHandle, TLSListener } from '../../interfaces/tls-engine.ts';
import type { NodeStreamHandle } from '../node-stream-handle.ts';
import { toSystemError } from '../../system-error.ts';
import type { HandshakeListener } from './shake-hands.ts';
import type { Underlay } from './underlay.ts';

type State =
  | { readonly name: 'shaking'; unsent: readonly Uint8Array[]; isEnding: boolean }
  | { readonly name: 'secure'; readonly handle: NodeStreamHandle }
  | { readonly name: 'over' };

const OVER: State = { name: 'over' };

export class NodeTLSHandle implements TLSHandle {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  // Present if the stream below has them.
  declare readonly setNoDelay?: (enabled: boolean) => void;
  declare readonly setKeepAlive?: (enabled: boolean) => void;
  readonly #underlay: Underlay;
  #state: State = { name: 'shaking', unsent: [], isEnding: false };
  /** Whether its owner has asked it to read, last. */
  #wantsReading = false;
  #listener: TLSListener | undefined;
  #negotiatedProtocol: string | undefined;
  #peerCertificate: Uint8Array | undefined;

  /** `shakeHands` begins the handshake. */
  constructor(below: StreamHandle, underlay: Underlay, shakeHands: (listener: HandshakeListener) => void) {
    this.localAddress = below.localAddress;
    this.remoteAddress = below.remoteAddress;
    if (below.setNoDelay !== undefined) this.setNoDelay = (enabled) => below.setNoDelay?.(enabled);
    if (below.setKeepAlive !== undefined) this.setKeepAlive = (enabled) => below.setKeepAlive?.(enabled);
    this.#underlay = underlay;
    // A stream that has closed by now, while nobody was reading, tells of that no more.
    if (underlay.stream.closed) {
      setImmediate(() => this.#failed(whyClosed(underlay.stream)));
      return;
    }
    shakeHands({
      secured: (socket, peerCertificate) => this.#secured(socket, peerCertificate),
      failed: (error) => this.#failed(error),
    });
  }

  get negotiatedProtocol(): string | undefined {
    return this.#negotiatedProtocol;
  }

  getPeerCertificate(): Uint8Array | undefined {
    return this.#peerCertificate;
  }

  open(listener: TLSListener): void {
    this.#listener = listener;
    if (this.#state.name === 'secure') this.#state.handle.open(listener);
  }

  resumeReading(): void {
    this.#wantsReading = true;
    if (this.#state.name === 'secure') this.#state.handle.resumeReading();
  }

  pauseReading(): void {
    this.#wantsReading = false;
    if (this.#state.name === 'secure') this.#state.handle.pauseReading();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    switch (this.#state.name) {
      case 'secure':
        return this.#state.handle.write(chunks);
      case 'shaking':
        this.#state.unsent = [...chunks];
        return chunks.length === 0;
      case 'over':
        return false;
    }
  }

  shutdown(): void {
    if (this.#state.name === 'secure') this.#state.handle.shutdown();
    else if (this.#state.name === 'shaking') this.#state.isEnding = true;
  }

  close(): void {
    const state = this.#leave();
    if (state.name === 'secure') state.handle.close();
    else if (state.name === 'shaking') this.#underlay.close();
  }

  reset(): void {
    const state = this.#leave();
    if (state.name === 'secure') state.handle.reset();
    else if (state.name === 'shaking') this.#underlay.reset();
  }

  #leave(): State {
    const state = this.#state;
    this.#state = OVER;
    return state;
  }

  #secured(socket: TLSSocket, peerCertificate: Uint8Array | undefined): void {
    if (this.#state.name !== 'shaking') {
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    const asked = this.#state;
    this.#negotiatedProtocol = typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : undefined;
    this.#peerCertificate = peerCertificate;
    const handle = this.#underlay.handleOf(socket, this);
    this.#state = { name: 'secure', handle };
    const listener = this.#listener;
    if (listener === undefined) return;
    handle.open(listener);
    // What was asked for meanwhile was asked before anything that the listener asks for now.
    if (asked.unsent.length > 0 && handle.write(asked.unsent)) setImmediate(() => this.#sent());
    if (asked.isEnding) handle.shutdown();
    listener.handshakeCompleted();
    // The listener may have asked for something else by now.
    if (this.#wantsReading) this.resumeReading();
  }

  #sent(): void {
    if (this.#state.name === 'secure') this.#listener?.written();
  }

  #failed(error: SystemError): void {
    if (this.#state.name !== 'shaking') return;
    this.#state = OVER;
    this.#underlay.close();
    this.#listener?.failed(error);
  }
}

function whyClosed({ errored }: Duplex): SystemError {
  return toSystemError(errored ?? Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }));
}
