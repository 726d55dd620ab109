/**
 * `Failure`: an error on its way down a callback chain. It exists so that a chain can tell an error that happened from
 * an error object that is merely data. Twisted: `twisted.python.failure`, without captured frames, which JavaScript
 * keeps in the error's own `stack`.
 */

/** A class whose instances are errors, abstract classes included. */
export type ErrorClass = abstract new (...args: never[]) => Error;

/** How many causes `getTraceback` follows; a chain of causes may be endless or circular. */
const CAUSES_MAX = 10;

/**
 * An error that has happened, as errbacks and `connectionLost` are given it. A value of this class is always an error to a
 * callback chain, whereas an `Error` that a callback returns is a value like any other. Never changes.
 */
export class Failure {
  /** The error itself, always an `Error`; this is what `await` and `raiseException` throw. */
  readonly value: Error;

  /** Where the `Deferred` that reports it was made and fired, several lines; only while debugging (`setDebugging`). */
  readonly history: string | undefined;

  /**
   * Wraps what was thrown or rejected. An `Error` is kept as it is, one from another realm too. Another `Failure` is
   * unwrapped: both share one `value`. Anything else becomes an `Error` that says what was thrown and has it as `cause`.
   */
  constructor(reason: unknown, options: { readonly history?: string } = {}) {
    this.value = reason instanceof Failure ? reason.value : toError(reason);
    this.history = options.history;
  }

  /** The class of `value`. */
  get type(): ErrorClass {
    const constructor: unknown = this.value.constructor;
    // An error found in `value` was made by some constructor; only an error without a prototype chain has none.
    return typeof constructor === 'function' ? (constructor as ErrorClass) : Error;
  }

  /** The first of `types` that `value` is an instance of, superclasses included, or undefined if there is none. */
  check<C extends readonly ErrorClass[]>(...types: C): C[number] | undefined {
    return types.find((type) => this.value instanceof type);
  }

  /**
   * Like `check`, but throws `value` itself if no type fits. At the head of an errback it lets through exactly the
   * errors the errback knows how to handle; the others go on down the chain unchanged.
   */
  trap<C extends readonly ErrorClass[]>(...types: C): C[number] {
    return this.check(...types) ?? this.raiseException();
  }

  /** The message of the error, without its class. */
  getErrorMessage(): string {
    return this.value.message;
  }

  /** The stack of the error and of its causes, and the history if any, for a log. Several lines; not stable across engines. */
  getTraceback(): string {
    const parts: string[] = [];
    for (let error: unknown = this.value; error instanceof Error && parts.length <= CAUSES_MAX; error = error.cause) {
      parts.push(error.stack ?? `${className(error)}: ${error.message}`);
    }
    const traceback =
      parts.length === 0 ? `${className(this.value)}: ${this.value.message}` : parts.join('\nCaused by: ');
    return this.history === undefined ? traceback : `${traceback}\n${this.history}`;
  }

  /** Throws `value`. */
  raiseException(): never {
    throw this.value;
  }

  /** One line with the class and the message, for people; the form is Twisted's. */
  toString(): string {
    return `[Failure instance: Traceback (failure with no frames): ${className(this.value)}: ${this.getErrorMessage()}]`;
  }
}

function toError(reason: unknown): Error {
  if (reason instanceof Error || isForeignError(reason)) return reason;
  return new Error(`A value that is not an Error was thrown: ${describe(reason)}`, { cause: reason });
}

/** Errors of another realm (a vm context, a frame) are no instances of this realm's `Error`, but have its tag. */
function isForeignError(reason: unknown): reason is Error {
  return Object.prototype.toString.call(reason) === '[object Error]';
}

/**
 * The name an error was given, or the name of its class: `class Refused extends Error {}` inherits the name 'Error'
 * and yet should be told from one.
 */
function className(error: Error): string {
  const constructor: unknown = error.constructor;
  if (typeof constructor !== 'function') return error.name;
  const prototype: unknown = constructor.prototype;
  const isNamed =
    Object.hasOwn(error, 'name') ||
    (typeof prototype === 'object' && prototype !== null && Object.hasOwn(prototype, 'name'));
  return isNamed || constructor.name === '' ? error.name : constructor.name;
}

function describe(reason: unknown): string {
  if (typeof reason === 'string') return JSON.stringify(reason);
  try {
    return String(reason);
  } catch {
    // An object without a usable toString, such as Object.create(null).
    return Object.prototype.toString.call(reason);
  }
}
