import type { Peer } from '../harness.ts';
import { End } from './end.ts';
import type { Call } from './program.ts';

/** A raw peer. */
export class PeerEnd extends End {
  /** What comes behind so many bytes is of a handshake that this peer knows nothing of. */
  plainBytesMax: number = Infinity;
  readonly #peer: Peer;
  #state: 'open' | 'ended' | 'aborted' = 'open';

  constructor(peer: Peer) {
    super();
    this.#peer = peer;
  }

  get isOver(): boolean {
    this.look();
    return this.#peer.closed;
  }

  get hasSeenEnd(): boolean {
    return this.#peer.ended;
  }

  /** Whether the connection was reset. */
  get wasReset(): boolean {
    return this.#peer.reset;
  }

  /** Checks what has arrived since the last time. */
  look(): void {
    this.checkReceived(this.#peer.received.subarray(0, this.plainBytesMax - this.receivedBytes));
    this.#peer.clear();
  }

  do(call: Call): void {
    switch (call.name) {
      case 'write':
        this.#send(call.bytes);
        return;
      case 'writeSequence':
        for (const bytes of call.bytes) this.#send(bytes);
        return;
      case 'loseConnection':
      case 'loseWriteConnection':
        this.#end();
        return;
      case 'abortConnection':
        this.look();
        if (!this.#peer.closed) this.hasAborted = true;
        this.#state = 'aborted';
        this.#peer.abort();
        return;
      case 'pauseProducing':
        this.#peer.pause();
        return;
      case 'resumeProducing':
        this.#peer.resume();
        return;
      case 'registerProducer':
      case 'unregisterProducer':
      case 'startTLS':
        return;
    }
  }

  finish(): void {
    this.#peer.resume();
    this.#end();
  }

  #send(bytes: number): void {
    if (this.#state !== 'open' || this.#peer.closed) return;
    const data = this.nextBytes(bytes);
    this.#peer.send(data);
    this.sentBytes += data.length;
  }

  #end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#peer.end();
  }
}
