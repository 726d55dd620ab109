import { inspect } from 'node:util';
import type { Logger } from '../interfaces/logger.ts';

/** What a `ConsoleLogger` writes. */
export interface ConsoleLoggerOptions {
  /** Whether `debug` is written too; false by default. */
  readonly debug?: boolean;
}

/**
 * Writes for people, to stderr: a line per event with the time, the level, the message and the fields, and below it
 * the stack of each field that is an error, with its causes.
 */
export class ConsoleLogger implements Logger {
  readonly #debugEnabled: boolean;

  constructor({ debug = false }: ConsoleLoggerOptions = {}) {
    this.#debugEnabled = debug;
  }

  debug(fields: object, message: string): void {
    if (this.#debugEnabled) print('DEBUG', fields, message);
  }

  info(fields: object, message: string): void {
    print('INFO', fields, message);
  }

  warn(fields: object, message: string): void {
    print('WARN', fields, message);
  }

  error(fields: object, message: string): void {
    print('ERROR', fields, message);
  }
}

function print(level: string, fields: object, message: string): void {
  const line = [new Date().toISOString(), level, message];
  const stacks: string[] = [];
  // Object.entries gives `any` values for an `object`; nothing is assumed about them.
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    if (value instanceof Error) stacks.push(inspect(value).replaceAll(/^/gm, '    '));
    else if (value !== undefined) line.push(`${name}=${inspect(value, { breakLength: Infinity })}`);
  }
  console.error([line.join(' '), ...stacks].join('\n'));
}
