// The part of Node's Buffer that portable code uses: the `buffer` package, which bundlers put in its place, has it too.

declare module 'node:buffer' {
  type Encoding = 'utf8' | 'utf-8' | 'latin1' | 'binary' | 'ascii' | 'hex' | 'base64' | 'base64url';

  export class Buffer extends Uint8Array {
    static alloc(size: number, fill?: number | string): Buffer;
    static allocUnsafe(size: number): Buffer;
    static allocUnsafeSlow(size: number): Buffer;
    static byteLength(text: string | Uint8Array, encoding?: Encoding): number;
    static compare(one: Uint8Array, other: Uint8Array): -1 | 0 | 1;
    static concat(list: readonly Uint8Array[], totalLength?: number): Buffer;
    static from(text: string, encoding?: Encoding): Buffer;
    static from(bytes: Uint8Array | readonly number[]): Buffer;
    static from(memory: ArrayBufferLike, byteOffset?: number, length?: number): Buffer;
    static isBuffer(value: unknown): value is Buffer;

    compare(other: Uint8Array): -1 | 0 | 1;
    copy(target: Uint8Array, targetStart?: number, sourceStart?: number, sourceEnd?: number): number;
    equals(other: Uint8Array): boolean;
    override fill(value: number | string, start?: number, end?: number): this;
    override includes(value: number | string | Uint8Array, from?: number): boolean;
    override indexOf(value: number | string | Uint8Array, from?: number): number;
    override lastIndexOf(value: number | string | Uint8Array, from?: number): number;
    readUInt8(offset?: number): number;
    readUInt16BE(offset?: number): number;
    readUInt32BE(offset?: number): number;
    override subarray(start?: number, end?: number): Buffer;
    override toString(encoding?: Encoding, start?: number, end?: number): string;
    write(text: string, offset?: number, length?: number, encoding?: Encoding): number;
    writeUInt8(value: number, offset?: number): number;
    writeUInt16BE(value: number, offset?: number): number;
    writeUInt32BE(value: number, offset?: number): number;
  }
}
