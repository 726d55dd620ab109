import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { type Failure, type HalfCloseableProtocol, type HandshakeListener, Protocol, type Transport } from 'ropewalk';
import { Changes } from './changes.ts';

/** What a witness does in its hooks besides remembering them. */
export interface Reactions {
  readonly made?: (transport: Transport) => void;
  readonly data?: (transport: Transport, data: Buffer) => void;
  readonly readLost?: (transport: Transport) => void;
  readonly writeLost?: (transport: Transport) => void;
  readonly secured?: (transport: Transport) => void;
}

/** `secured` is `handshakeCompleted`. */
export type WitnessEvent = 'made' | 'secured' | 'data' | 'readLost' | 'writeLost' | 'lost';

/** A protocol on our side of the wire: remembers what happens to its connection, and lets a test wait for it. */
export class Witness extends Protocol implements HandshakeListener {
  declare transport: Transport;
  /** In order; data that follows data is not told again. */
  readonly events: WitnessEvent[] = [];
  /** The error the connection ended with. */
  lostBy: Error | undefined;
  receivedBytes: number = 0;
  protected readonly reactions: Reactions;
  readonly #changes = new Changes();
  readonly #chunks: Buffer[] = [];

  constructor(reactions: Reactions = {}) {
    super();
    this.reactions = reactions;
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.received.toString();
  }

  get digest(): string {
    return digestOf(this.#chunks);
  }

  until(condition: () => boolean): Promise<void> {
    return this.#changes.until(condition);
  }

  /** Waits for the connection's end. */
  lost(): Promise<void> {
    return this.until(() => this.events.at(-1) === 'lost');
  }

  override connectionMade(): void {
    this.happened('made');
    this.reactions.made?.(this.transport);
  }

  handshakeCompleted(): void {
    this.happened('secured');
    this.reactions.secured?.(this.transport);
  }

  override dataReceived(data: Buffer): void {
    this.#chunks.push(data);
    this.receivedBytes += data.length;
    this.happened('data');
    this.reactions.data?.(this.transport, data);
  }

  override connectionLost(reason: Failure): void {
    this.lostBy = reason.value;
    this.happened('lost');
  }

  protected happened(event: WitnessEvent): void {
    if (event !== 'data' || this.events.at(-1) !== 'data') this.events.push(event);
    this.#changes.happened();
  }
}

/** One whose connection may be half closed. */
export class HalfCloseWitness extends Witness implements HalfCloseableProtocol {
  readConnectionLost(): void {
    this.happened('readLost');
    this.reactions.readLost?.(this.transport);
  }

  writeConnectionLost(): void {
    this.happened('writeLost');
    this.reactions.writeLost?.(this.transport);
  }
}

/** The SHA-256 of the pieces in order, in hexadecimal. */
export function digestOf(pieces: Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
