import type { HostnameResolver } from '../interfaces/resolver.ts';
import type { DatagramReceiver } from '../interfaces/datagram-transport.ts';
import type { Logger } from '../interfaces/logger.ts';
import type { Platform } from '../interfaces/platform.ts';
import type { ChildProcess } from './child-process.ts';
import type { Connection } from './connection.ts';
import type { Contexts } from './contexts.ts';
import type { DatagramPort } from './datagram-port.ts';
import type { Drain } from './drain.ts';
import type { ErrorReporter } from './error-reporter.ts';
import type { HookWatch } from './hook-watch.ts';
import type { Observation } from './observation.ts';
import type { OutgoingSlab } from './outgoing-slab.ts';
import type { Port } from './port.ts';
import type { StreamConnector } from './stream-connector.ts';
import type { TLSHandshake } from './tls-handshake.ts';
import type { TurnLoop } from './turn-loop.ts';

/** What the parts of one reactor share. */
export interface ReactorParts {
  readonly platform: Platform;
  readonly loop: TurnLoop;
  readonly errors: ErrorReporter;
  /** For what is worth a note but is nobody's error. */
  readonly logger: Logger | undefined;
  /** Undefined unless somebody watches. */
  readonly observation: Observation | undefined;
  /** Measures what the user's code takes; undefined unless somebody wants to know. */
  readonly hookWatch: HookWatch | undefined;
  readonly outgoingSlab: OutgoingSlab;
  /** Undefined unless the reactor was asked to carry contexts along. */
  readonly contexts: Contexts | undefined;
  /** Changed by `installNameResolver`. */
  nameResolver: HostnameResolver;

  /** While the reactor gives its connections time to finish. */
  drain: Drain | undefined;

  /** All that is alive, so that stopping can end it and tests can see what is left. */
  readonly connections: Set<Connection>;
  /** Ports that are bound, being bound or being closed. */
  readonly ports: Set<Port | DatagramPort>;
  /** The protocols of those for datagrams, of which each may serve one. */
  readonly datagramProtocols: Set<DatagramReceiver>;
  /** Handshakes of accepted connections, which have no protocol yet. */
  readonly handshakes: Set<TLSHandshake>;
  /** Connectors with an attempt under way. */
  readonly connectors: Set<StreamConnector>;
  /** Programs that are about to be started, run, or have pipes open. */
  readonly processes: Set<ChildProcess>;
}
