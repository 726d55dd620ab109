import type { HostnameResolver } from '../interfaces/resolver.ts';
import type { Platform } from '../interfaces/platform.ts';
import type { ChildProcess } from './child-process.ts';
import type { Connection } from './connection.ts';
import type { Contexts } from './contexts.ts';
import type { ErrorReporter } from './error-reporter.ts';
import type { OutgoingSlab } from './outgoing-slab.ts';
import type { Port } from './port.ts';
import type { StreamConnector } from './stream-connector.ts';
import type { TurnLoop } from './turn-loop.ts';

/** What the parts of one reactor share. */
export interface ReactorParts {
  readonly platform: Platform;
  readonly loop: TurnLoop;
  readonly errors: ErrorReporter;
  readonly outgoingSlab: OutgoingSlab;
  /** Undefined unless the reactor was asked to carry contexts along. */
  readonly contexts: Contexts | undefined;
  /** Changed by `installNameResolver`. */
  nameResolver: HostnameResolver;

  /** All that is alive, so that stopping can end it and tests can see what is left. */
  readonly connections: Set<Connection>;
  /** Ports that are bound, being bound or being closed. */
  readonly ports: Set<Port>;
  /** Connectors with an attempt under way. */
  readonly connectors: Set<StreamConnector>;
  /** Programs that are about to be started, run, or have pipes open. */
  readonly processes: Set<ChildProcess>;
}
