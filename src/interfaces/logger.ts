/** Writes one line: `fields` for machines, `message` for people. The order of the arguments is pino's. */
export type LogMethod = (fields: object, message: string) => void;

/**
 * Where a reactor writes what nobody else can be told: errors thrown by hooks, ports that failed to bind, warnings.
 * pino's loggers fit as they are. A logger must not throw; if it does, the error is dropped.
 */
export interface Logger {
  /** For details that would flood a log: what is like something that was warned of just before. */
  readonly debug: LogMethod;
  /** For what happens in the ordinary course; not used so far. */
  readonly info: LogMethod;
  /** For what somebody may want to look into, and goes on all the same: a failed handshake, a port that is full, a slow hook. */
  readonly warn: LogMethod;
  /** An error that nobody else can be told; it is `fields.err`. */
  readonly error: LogMethod;
}
