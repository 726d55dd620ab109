import type { Lingering, StreamHandle } from '../interfaces/stream-platform.ts';
import type { TLSEngine, TLSHandle, TLSOptions, TLSParameters, TLSRole } from '../interfaces/tls-engine.ts';
import type { OutsideWork } from './outside-work.ts';
import type { Scheduler } from './scheduler.ts';
import { VirtualTLSHandle } from './virtual-tls-handle.ts';

/**
 * Real TLS in a virtual world. An engine encrypts and decrypts in its own time, the host's; what it has to report is put into
 * the world's queue of events, so that protocols hear of it only while the world advances.
 */
export class VirtualTLS implements TLSEngine {
  readonly #engine: TLSEngine;
  readonly #scheduler: Scheduler;
  readonly #outside: OutsideWork;

  constructor(engine: TLSEngine, scheduler: Scheduler, outside: OutsideWork) {
    this.#engine = engine;
    this.#scheduler = scheduler;
    this.#outside = outside;
  }

  prepare(options: TLSOptions, role: TLSRole): void {
    this.#engine.prepare(options, role);
  }

  secure(
    stream: StreamHandle,
    parameters: TLSParameters,
    received: Uint8Array | undefined,
    lingering?: Lingering,
  ): TLSHandle {
    this.#outside.use();
    this.#outside.stir();
    return new VirtualTLSHandle(this.#engine.secure(stream, parameters, received, lingering), this.#scheduler);
  }

  nextTurn(): Promise<void> {
    return this.#engine.nextTurn();
  }
}
