import type { TLSHandle, TLSRole } from '../interfaces/tls-engine.ts';
import type { ConnectionLimits } from './connection-limits.ts';

/** Where a connection comes from, and what bounds it. */
export interface ConnectionOrigin {
  /** Which side of a TLS handshake this is, unless `startTLS` says otherwise. */
  readonly role: TLSRole;
  /** The host that was asked for, if one was. */
  readonly host: string | undefined;
  /** The handle, if it is an encrypted one whose handshake has been completed. */
  readonly tls?: TLSHandle | undefined;
  readonly limits?: ConnectionLimits;
  /** The protocol is a part of the reactor, and calls the user's hooks itself: nobody is told of a connection. */
  readonly isInternal?: boolean;
  /** Whom its certificate is for, where that has been verified. */
  readonly servername?: string | undefined;
}

/** Of one that a port has accepted. */
export const ACCEPTED: ConnectionOrigin = { role: 'server', host: undefined };
