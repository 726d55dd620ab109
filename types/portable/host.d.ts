// What portable code may use of its host beyond the language itself. Every name here exists in Node, browsers, Bun
// and Deno. Adding one is a decision about where Ropewalk runs; docs/decisions says how such decisions are made.

interface AbortSignal {
  readonly aborted: boolean;
  // Whatever the caller of `abort()` gave.
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
  throwIfAborted(): void;
}

declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

declare class TextEncoder {
  encode(text?: string): Uint8Array;
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(input?: Uint8Array, options?: { stream?: boolean }): string;
}

// Web Streams, as far as src/protocols/streams uses them (docs/decisions/0011).
interface ReadableStreamDefaultController<R> {
  readonly desiredSize: number | null;
  enqueue(chunk: R): void;
  close(): void;
  error(reason?: unknown): void;
}
interface ReadableStreamDefaultReader<R> {
  read(): Promise<{ readonly done: boolean; readonly value?: R }>;
  cancel(reason?: unknown): Promise<void>;
}
declare class ReadableStream<R = unknown> {
  constructor(
    source?: {
      start?(controller: ReadableStreamDefaultController<R>): void;
      pull?(): void;
      cancel?(reason?: unknown): void;
    },
    strategy?: { readonly highWaterMark?: number; size?(chunk: R): number },
  );
  readonly locked: boolean;
  getReader(): ReadableStreamDefaultReader<R>;
}
interface WritableStreamDefaultController {
  error(reason?: unknown): void;
}
interface WritableStreamDefaultWriter<W> {
  readonly closed: Promise<unknown>;
  readonly desiredSize: number | null;
  write(chunk: W): Promise<void>;
  close(): Promise<void>;
  abort(reason?: unknown): Promise<void>;
  releaseLock(): void;
}
declare class WritableStream<W = unknown> {
  constructor(
    sink?: {
      start?(controller: WritableStreamDefaultController): PromiseLike<void>;
      write?(chunk: W): PromiseLike<void>;
      close?(): PromiseLike<void>;
      abort?(reason?: unknown): void;
    },
    strategy?: { readonly highWaterMark?: number; size?(chunk: W): number },
  );
  readonly locked: boolean;
  getWriter(): WritableStreamDefaultWriter<W>;
}

// Only for src/deferred/unhandled.ts (the linter holds it to that).
declare const console: { error(...values: unknown[]): void };

// Only for src/testing/macrotask.ts (the linter holds it to that).
interface MessagePort {
  onmessage: ((event: { data: unknown }) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}
declare class MessageChannel {
  readonly port1: MessagePort;
  readonly port2: MessagePort;
}
