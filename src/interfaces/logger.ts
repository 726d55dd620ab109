/** Writes one line: `fields` for machines, `message` for people. The order of the arguments is pino's. */
export type LogMethod = (fields: object, message: string) => void;

/**
 * Where a reactor writes what nobody else can be told: errors thrown by hooks, ports that failed to bind, warnings.
 * pino's loggers fit as they are. A logger must not throw; if it does, the error is dropped.
 */
export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
}
