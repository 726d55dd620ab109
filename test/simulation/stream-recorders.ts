import type { Address } from 'ropewalk';
import type { SystemError } from '../../src/interfaces/platform.ts';
import type {
  StreamConnectListener,
  StreamHandle,
  StreamListener,
  StreamListenListener,
} from '../../src/interfaces/stream-platform.ts';

/** Writes down what a stream reports; `inHook` lets a test act from inside a report. */
export class RecordingStream implements StreamListener {
  readonly reports: string[] = [];
  readonly received: Buffer[] = [];
  inHook: (report: string) => void = () => undefined;

  get bytes(): Buffer {
    return Buffer.concat(this.received);
  }

  dataReceived(data: Buffer): void {
    this.received.push(data);
    this.#note(data.length > 20 ? `data of ${String(data.length)}` : `data ${data.toString()}`);
  }
  endReceived(): void {
    this.#note('end');
  }
  written(): void {
    this.#note('written');
  }
  shutDown(): void {
    this.#note('shutDown');
  }
  failed(error: SystemError): void {
    this.#note(`failed ${error.code} ${error.syscall ?? ''}`);
  }

  #note(report: string): void {
    this.reports.push(report);
    this.inHook(report);
  }
}

export class RecordingConnect implements StreamConnectListener {
  handle: StreamHandle | undefined;
  error: SystemError | undefined;

  connected(handle: StreamHandle): void {
    this.handle = handle;
  }
  connectFailed(error: SystemError): void {
    this.error = error;
  }
}

export class RecordingListen implements StreamListenListener {
  readonly reports: string[] = [];
  readonly accepts: StreamHandle[] = [];
  address: Address | undefined;

  listening(address: Address): void {
    this.address = address;
    this.reports.push('listening');
  }
  listenFailed(error: SystemError): void {
    this.reports.push(`listenFailed ${error.code}`);
  }
  accepted(handle: StreamHandle): void {
    this.accepts.push(handle);
    this.reports.push('accepted');
  }
  acceptFailed(error: SystemError): void {
    this.reports.push(`acceptFailed ${error.code}`);
  }
  closed(): void {
    this.reports.push('closed');
  }
}
