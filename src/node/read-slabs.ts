/**
 * The memory that sockets are read into by `onread`.
 *
 * Node reads into the buffer it was given and gives it out again for the next read, so a delivered Buffer must not be
 * part of it. One slab serves all sockets of a platform: what was read is copied out before the next read of any
 * socket, which for the small messages of most protocols costs less than a buffer per read, and no memory per
 * connection. Copying is only a loss in bulk, so a connection whose read filled the slab, where more is likely to come,
 * gets slabs of its own: each is handed over as it is, and replaced for as long as reads fill them. The first read that
 * does not has emptied the socket, and brings it back to the shared one, so that a connection at rest has no slab.
 * (One for each would take 320 MB for 5,000 connections.)
 *
 * The exception is a peer that goes quiet after a read which happened to be full: that connection keeps its slab until
 * its next read or its end. It cannot be taken back, because Node asks for a buffer only after it has used one, and
 * until then libuv points into the old.
 */
import type { OnReadOpts } from 'node:net';
import { Buffer } from 'node:buffer';
import type { ByteSource } from './byte-source.ts';

/** What libuv asks the system for in one read; more would not be filled. */
export const SLAB_BYTES: number = 64 * 1024;

/** From this many bytes on a slab is handed over: less would keep more memory alive than it uses. */
const HAND_OVER_BYTES = SLAB_BYTES / 2;

/** The one shared slab of a platform, made when the first socket needs it. */
export class ReadSlabs {
  #shared: Buffer | undefined;

  get shared(): Buffer {
    return (this.#shared ??= newSlab());
  }
}

/** Reads one socket into slabs, and delivers Buffers that are the receiver's to keep. */
export class SlabSource implements ByteSource {
  readonly #slabs: ReadSlabs;
  #own: Buffer | undefined;
  #asked = false;
  #deliver: (data: Buffer) => boolean = () => false;
  #discard: ((bytes: number) => void) | undefined;

  /** What the socket is made with. */
  readonly onread: OnReadOpts = {
    buffer: () => {
      this.#asked = true;
      return this.#own ?? this.#slabs.shared;
    },
    callback: (bytes, slab) => {
      if (this.#discard === undefined) return this.#read(bytes, slab) || this.#isDiscarding;
      this.#discard(bytes);
      return true;
    },
  };

  constructor(slabs: ReadSlabs) {
    this.#slabs = slabs;
  }

  /** Whether the socket has asked for memory to read into, as it does when it reads this way. */
  get asked(): boolean {
    return this.#asked;
  }

  /** It may be told to while it delivers. */
  get #isDiscarding(): boolean {
    return this.#discard !== undefined;
  }

  deliverTo(deliver: (data: Buffer) => boolean): void {
    this.#deliver = deliver;
  }

  /** Who reads the socket's handle after this has memory of its own. */
  release(): void {
    this.#own = undefined;
    this.#deliver = () => false;
  }

  discard(count: (bytes: number) => void): void {
    this.#own = undefined;
    this.#discard = count;
  }

  /** `slab` is what the socket was given for this read: its own, or else the shared one. */
  #read(bytes: number, slab: Uint8Array): boolean {
    const own = this.#own;
    this.#own = bytes === SLAB_BYTES ? newSlab() : undefined;
    const isHandedOver = own !== undefined && bytes >= HAND_OVER_BYTES;
    return this.#deliver(isHandedOver ? own.subarray(0, bytes) : copyOf(slab, bytes));
  }
}

/** Not from Node's pool: whoever keeps the Buffer keeps this memory and no other. */
function newSlab(): Buffer {
  return Buffer.allocUnsafeSlow(SLAB_BYTES);
}

/** Small copies come from Node's pool, of which no byte is given out twice. */
function copyOf(slab: Uint8Array, bytes: number): Buffer {
  const copy = Buffer.allocUnsafe(bytes);
  copy.set(bytes === slab.length ? slab : slab.subarray(0, bytes));
  return copy;
}
