/**
 * Checks of what users pass in. Each throws at the call and names the argument: `TypeError` for the wrong kind of
 * value, `RangeError` for one that is out of range.
 */

/** A number of seconds that may be waited for: finite and not negative. */
export function requireDelay(name: string, value: number): void {
  requireNumber(name, value);
  if (!(value >= 0 && value < Infinity)) {
    throw new RangeError(`${name} must be a finite number of seconds, 0 or more; got ${String(value)}`);
  }
}

export function requireFinite(name: string, value: number): void {
  requireNumber(name, value);
  if (!Number.isFinite(value)) throw new RangeError(`${name} must be a finite number; got ${String(value)}`);
}

/** A port number from `lowest` (0 to listen, where it means any; 1 to connect) to 65535. */
export function requirePort(name: string, value: number, lowest: 0 | 1): void {
  requireIntegerFrom(name, value, lowest);
  if (value > 65535) throw new RangeError(`${name} must be at most 65535; got ${String(value)}`);
}

/** A whole number that is `lowest` or more. */
export function requireIntegerFrom(name: string, value: number, lowest: number): void {
  requireNumber(name, value);
  if (!Number.isInteger(value) || value < lowest) {
    throw new RangeError(`${name} must be a whole number, ${String(lowest)} or more; got ${String(value)}`);
  }
}

export function requireFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`${name} must be a function; got ${describe(value)}`);
}

export function requireBoolean(name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be true or false; got ${describe(value)}`);
}

export function requireString(name: string, value: unknown): void {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string; got ${describe(value)}`);
}

/** An object whose properties are all among `keys`: an option that is not known would be ignored without a word. */
export function requireOptions(name: string, value: object, keys: readonly string[]): void {
  const given: unknown = value;
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`${name} must be an object; got ${describe(given)}`);
  }
  const unknown = Object.keys(given).filter((key) => !keys.includes(key));
  if (unknown.length > 0) throw new TypeError(`${name} has no ${unknown.join(', ')}; there is ${keys.join(', ')}`);
}

/** A class, as far as that can be told: something `new` may be used on. */
export function requireClass(name: string, value: unknown): void {
  if (typeof value !== 'function' || value.prototype === undefined) {
    throw new TypeError(`${name} must be a class; got ${describe(value)}`);
  }
}

/** An object that has all the methods named. */
export function requireMethods(name: string, value: unknown, methods: readonly string[]): void {
  if (typeof value !== 'object' || value === null) {
    throw new TypeError(`${name} must be an object with ${methods.join(', ')}; got ${describe(value)}`);
  }
  const missing = methods.filter((method) => typeof Reflect.get(value, method) !== 'function');
  if (missing.length > 0) throw new TypeError(`${name} has no method ${missing.join(', ')}`);
}

function requireNumber(name: string, value: unknown): void {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number; got ${describe(value)}`);
}

/** How much of a string a message quotes. */
const SHOWN_LENGTH_MAX = 60;

/** What may be written: the bytes themselves, or a string that stands for its UTF-8. */
export function requireData(data: Uint8Array | string): void {
  if (typeof data !== 'string' && !(data instanceof Uint8Array)) throw dataError(data);
}

/** What `requireData` throws, for a path so hot that it does the check in place. */
export function dataError(data: unknown): TypeError {
  return new TypeError(`data must be a Uint8Array or a string; got ${describe(data)}`);
}

/** What a value is, in a word or two, for messages. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'object':
      return `an object (${Object.prototype.toString.call(value)})`;
    case 'function':
      return value.name === '' ? 'a function' : `the function or class ${value.name}`;
    case 'string':
      return `the string '${value.length > SHOWN_LENGTH_MAX ? `${value.slice(0, SHOWN_LENGTH_MAX)}…` : value}'`;
    case 'number':
    case 'bigint':
    case 'boolean':
    case 'symbol':
      return value.toString();
    default:
      return 'undefined';
  }
}
