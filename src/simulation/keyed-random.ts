/**
 * Random numbers that depend on three things only: the seed, the name of the stream and how many were drawn from that
 * stream before. Drawing from one stream never shifts another, so an edit in one corner of a program leaves the
 * chance in all others as it was.
 */
import type { RandomSource } from '../interfaces/platform.ts';

/** What chooses one run of a world among all. */
export type Seed = number | string;

export class KeyedRandom implements RandomSource {
  readonly #keyHigh: number;
  readonly #keyLow: number;
  #counter = 0;

  constructor(seed: Seed, streamName: string) {
    // The type of the seed belongs to the key, and its length, so that no two pairs spell the same text.
    const seedText = `${typeof seed}:${String(seed)}`;
    const text = `${String(seedText.length)}:${seedText}${streamName}`;
    this.#keyHigh = hashText(text, 0x9e3779b9);
    this.#keyLow = hashText(text, 0x85ebca6b);
  }

  next(): number {
    const counter = this.#counter;
    this.#counter += 1;
    // A number has 53 bits of precision: 27 from one word and 26 from another.
    const high = draw(this.#keyHigh, counter) >>> 5;
    const low = draw(this.#keyLow, counter) >>> 6;
    return (high * 0x4000000 + low) / 0x20000000000000;
  }
}

/** FNV-1a over the UTF-16 units, finished by a mixer because FNV alone leaves neighbours alike. */
function hashText(text: string, start: number): number {
  let hash = (0x811c9dc5 ^ start) | 0;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return mix(hash);
}

function draw(key: number, counter: number): number {
  // The counter may go beyond 32 bits; its upper part is mixed in first.
  const upper = mix((key + Math.floor(counter / 0x100000000)) | 0);
  return mix(mix((upper ^ counter) | 0) ^ key);
}

/** The finisher of MurmurHash3: each bit of the input changes each bit of the result with probability a half. */
function mix(word: number): number {
  let mixed = word;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
