/**
 * An encrypted stream in a virtual world: the engine's handle, whose reports wait for the world.
 *
 *     open ──▶ over        closed or reset by its owner, or failed
 *
 * Reports stand in one queue, in the order in which the engine made them. While reading is paused, data and what stands
 * behind it stays there.
 */
import type { Buffer } from 'node:buffer';
import type { Address } from '../addresses.ts';
import type { SystemError } from '../interfaces/platform.ts';
import type { TLSHandle, TLSListener } from '../interfaces/tls-engine.ts';
import type { Scheduler } from './scheduler.ts';

interface Report {
  /** Whether it waits until somebody reads. */
  readonly isRead: boolean;
  readonly tell: (listener: TLSListener) => void;
}

export class VirtualTLSHandle implements TLSHandle, TLSListener {
  // Present if the engine's handle has them.
  declare readonly setNoDelay?: (enabled: boolean) => void;
  declare readonly setKeepAlive?: (enabled: boolean) => void;
  readonly #inner: TLSHandle;
  readonly #scheduler: Scheduler;
  #state: 'open' | 'over' = 'open';
  #listener: TLSListener | undefined;
  #isReading = false;
  #reports: Report[] = [];

  constructor(inner: TLSHandle, scheduler: Scheduler) {
    this.#inner = inner;
    this.#scheduler = scheduler;
    if (inner.setNoDelay !== undefined) this.setNoDelay = (enabled) => inner.setNoDelay?.(enabled);
    if (inner.setKeepAlive !== undefined) this.setKeepAlive = (enabled) => inner.setKeepAlive?.(enabled);
    inner.open(this);
  }

  get localAddress(): Address {
    return this.#inner.localAddress;
  }

  get remoteAddress(): Address {
    return this.#inner.remoteAddress;
  }

  get negotiatedProtocol(): string | undefined {
    return this.#inner.negotiatedProtocol;
  }

  getPeerCertificate(): Uint8Array | undefined {
    return this.#inner.getPeerCertificate();
  }

  open(listener: TLSListener): void {
    this.#listener = listener;
  }

  resumeReading(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#inner.resumeReading();
    if (this.#reports.length > 0) this.#reportSoon();
  }

  pauseReading(): void {
    this.#isReading = false;
    this.#inner.pauseReading();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    return this.#inner.write(chunks);
  }

  shutdown(): void {
    this.#inner.shutdown();
  }

  close(): void {
    this.#leave();
    this.#inner.close();
  }

  reset(): void {
    this.#leave();
    this.#inner.reset();
  }

  // -------------------------------------------------------------------------------------------- what the engine reports

  handshakeCompleted(): void {
    this.#report(false, (listener) => {
      listener.handshakeCompleted();
    });
  }

  dataReceived(data: Buffer): void {
    this.#report(true, (listener) => {
      listener.dataReceived(data);
    });
  }

  endReceived(): void {
    this.#report(true, (listener) => {
      listener.endReceived();
    });
  }

  written(): void {
    this.#report(false, (listener) => {
      listener.written();
    });
  }

  shutDown(): void {
    this.#report(false, (listener) => {
      listener.shutDown();
    });
  }

  failed(error: SystemError): void {
    const isBehindData = this.#reports.some(({ isRead }) => isRead);
    this.#report(isBehindData, (listener) => {
      this.#leave();
      listener.failed(error);
    });
  }

  // --------------------------------------------------------------------------------------------------------- inside

  #report(isRead: boolean, tell: Report['tell']): void {
    if (this.#state === 'over') return;
    this.#reports.push({ isRead, tell });
    this.#reportSoon();
  }

  #reportSoon(): void {
    this.#scheduler.schedule(this.#scheduler.now(), () => {
      this.#tellNext();
    });
  }

  /** Tells the first report that may be told. What is no reading does not wait for it. */
  #tellNext(): void {
    const index = this.#isReading ? 0 : this.#reports.findIndex(({ isRead }) => !isRead);
    const [report] = index < 0 ? [] : this.#reports.splice(index, 1);
    if (report === undefined || this.#listener === undefined) return;
    report.tell(this.#listener);
    if (this.#reports.length > 0) this.#reportSoon();
  }

  #leave(): void {
    this.#state = 'over';
    this.#listener = undefined;
    this.#reports = [];
  }
}
