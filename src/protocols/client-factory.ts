import type { Failure } from '../deferred/failure.ts';
import type { Connector } from '../interfaces/connector.ts';
import type { ClientProtocolFactory, HookResult } from '../interfaces/protocol.ts';
import { Factory } from './factory.ts';

/**
 * A factory for `connectTCP`, told about each attempt. Endpoints do not call these hooks: they report through their
 * `Deferred`, and take any `Factory`. Source: Twisted's `internet.protocol.ClientFactory`.
 */
export class ClientFactory extends Factory implements ClientProtocolFactory {
  /** An attempt begins. Called inside `connectTCP` and `connector.connect`; may call `connector.stopConnecting`. */
  startedConnecting(connector: Connector): HookResult {}

  /** The attempt failed, and no protocol was built. May call `connector.connect` to try again. */
  clientConnectionFailed(connector: Connector, reason: Failure): HookResult {}

  /** The connection, once made, is over; its protocol has been told. May call `connector.connect` for a new one. */
  clientConnectionLost(connector: Connector, reason: Failure): HookResult {}
}
