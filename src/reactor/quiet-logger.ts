import type { Logger, LogMethod } from '../interfaces/logger.ts';

/** The logger, but that an error which it throws, as it must not, is dropped: it has nobody left to be told. */
export function quietLogger(logger: Logger): Logger {
  const quiet =
    (level: keyof Logger): LogMethod =>
    (fields, message) => {
      try {
        logger[level](fields, message);
      } catch {
        // See above.
      }
    };
  return { debug: quiet('debug'), info: quiet('info'), warn: quiet('warn'), error: quiet('error') };
}
