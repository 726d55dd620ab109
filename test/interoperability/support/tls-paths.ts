import { nodeTLS, type TLSEngine } from 'ropewalk';

export interface TLSPath {
  readonly name: string;
  readonly engine: () => TLSEngine;
  /** Whether an end without close_notify is told from one with it. */
  readonly isTruncationDetected: boolean;
}

/** The two ways in which TLS is spoken over a socket. */
export const TLS_PATHS: readonly TLSPath[] = [
  { name: 'on the socket itself', engine: () => nodeTLS(), isTruncationDetected: false },
  { name: 'through a Duplex', engine: () => nodeTLS({ detectTruncation: true }), isTruncationDetected: true },
];
