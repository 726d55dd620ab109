/**
 * The small services of the early Internet: good for a first try of a new transport, and for tests. Source: Twisted's
 * `protocols.wire`; RFC 862 to 865.
 */
import { Buffer } from 'node:buffer';
import type { PullProducer } from '../interfaces/producer.ts';
import { Protocol } from './protocol.ts';

/** Sends back what it receives (RFC 862). */
export class Echo extends Protocol {
  override dataReceived(data: Buffer): void {
    this.transport.write(data);
  }
}

/** Receives and says nothing (RFC 863). */
export class Discard extends Protocol {}

/** Sends a quote and closes (RFC 865). */
export class QOTD extends Protocol {
  override connectionMade(): void {
    this.transport.write(this.getQuote());
    this.transport.loseConnection();
  }

  /** The quote, at most 512 characters and with its line end; for a subclass to override. */
  getQuote(): string | Uint8Array {
    return 'Many strands make a rope.\r\n';
  }
}

/**
 * Sends a rotating pattern of characters for as long as the peer reads, and ignores what it receives (RFC 864). It is
 * a pull producer, so it makes more only once the peer has taken what was made before.
 */
export class Chargen extends Protocol implements PullProducer {
  override connectionMade(): void {
    this.transport.registerProducer(this, false);
  }

  /** Sends the whole pattern once: after 95 lines it begins anew. */
  resumeProducing(): void {
    this.transport.write(chargenPattern);
  }

  stopProducing(): void {}
}

/** 95 lines of 72 characters. Each begins one character further along the ring of the printable ones than the last. */
function makeChargenPattern(): Buffer {
  const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index)).join('');
  const ring = printable + printable;
  // The example in the RFC begins with the character after the space.
  const lines = Array.from({ length: 95 }, (_, index) => {
    const start = (index + 1) % 95;
    return `${ring.slice(start, start + 72)}\r\n`;
  });
  return Buffer.from(lines.join(''));
}

// Written as it is to every connection, and never changed.
const chargenPattern = makeChargenPattern();
