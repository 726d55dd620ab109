/** Writing no faster than the bytes leave, for adapters that must say of each write when it has left. */
import type { Consumer, PullProducer } from '../interfaces/producer.ts';
import { Deferred } from './deferred.ts';
import { succeed } from './succeed-fail.ts';

/** A larger array is written in pieces of this size, so that none runs into the limit of what may wait. */
const PIECE_BYTES = 65_536;

/**
 * Fires when everything that was written to the consumer has left: with true; or with false when the consumer takes
 * no more, at once if it is gone. To be called with something waiting to leave. The consumer has a producer meanwhile, so
 * nobody else can register one.
 */
export function whenDrained(consumer: Consumer): Deferred<boolean> {
  return new DrainWatch(consumer).drained;
}

/**
 * Writes the chunks in order, stopping while the consumer is full. Fires with true when all have left and may be changed
 * again, with false when the consumer takes no more.
 */
export function writeAndDrain(consumer: Consumer, chunks: readonly Uint8Array[]): Deferred<boolean> {
  const pieces = chunks.flatMap(piecesOf);
  if (pieces.length === 0) return succeed(true);
  let written = 0;
  const writeMore = (): Deferred<boolean> => {
    for (let hasRoom = true; hasRoom; written += 1) {
      const piece = pieces[written];
      if (piece === undefined) break;
      hasRoom = consumer.write(piece);
    }
    return whenDrained(consumer).addCallback((hasLeft) => (hasLeft && written < pieces.length ? writeMore() : hasLeft));
  };
  return writeMore();
}

/** None for an empty chunk: nothing would ever tell that it has left. */
function piecesOf(chunk: Uint8Array): Uint8Array[] {
  if (chunk.length <= PIECE_BYTES) return chunk.length === 0 ? [] : [chunk];
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < chunk.length; start += PIECE_BYTES) {
    pieces.push(chunk.subarray(start, start + PIECE_BYTES));
  }
  return pieces;
}

/** A pull producer that produces nothing: a consumer asks one for more exactly when everything has left. */
class DrainWatch implements PullProducer {
  readonly drained: Deferred<boolean> = new Deferred<boolean>();
  readonly #consumer: Consumer;
  #state: 'registering' | 'waiting' | 'over' = 'registering';

  constructor(consumer: Consumer) {
    this.#consumer = consumer;
    consumer.registerProducer(this, false);
    if (this.#isRegistering()) this.#state = 'waiting';
  }

  resumeProducing(): void {
    if (this.#state !== 'waiting') return; // the first call comes from inside registerProducer
    this.#state = 'over';
    this.#consumer.unregisterProducer();
    this.drained.callback(true);
  }

  stopProducing(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.drained.callback(false);
  }

  /** A consumer that is gone stops its producer from inside registerProducer. */
  #isRegistering(): boolean {
    return this.#state === 'registering';
  }
}
