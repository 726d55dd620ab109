import type { Address } from '../addresses.ts';

/** Where a connector stands. */
export type ConnectorState = 'disconnected' | 'connecting' | 'connected';

/** The handle on one outgoing connection, and on its attempts. Source: Twisted's `IConnector`. */
export interface Connector {
  /** `disconnected` before the first attempt and after each end, so inside `clientConnectionLost` and `clientConnectionFailed` too. */
  readonly state: ConnectorState;
  /** Tries again, from `disconnected`; otherwise throws `ConnectInProgressError`. Calls `startedConnecting` before it returns. */
  connect(): void;
  /** `stopConnecting` while connecting, `loseConnection` when connected, otherwise nothing. */
  disconnect(): void;
  /**
   * Gives the attempt up, calling `clientConnectionFailed` with a `UserError` before it returns. Throws
   * `NotConnectingError` when not connecting.
   */
  stopConnecting(): void;
  /** Where it connects to: an IP address, or a `HostnameAddress` if it was given a name. */
  getDestination(): Address;
}
