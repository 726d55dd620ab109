/**
 * Carries contexts from where something is made to where it is called, for reactors that were asked to
 * (`captureContext`). Other reactors have no `Contexts` and pay nothing.
 *
 * A call runs in the context in which it was made, a factory's methods in that of `listenTCP` or `connectTCP`, and a
 * protocol's hooks in the one that `buildProtocol` left, so that it may enter one of its own for each connection.
 * What any other function or hook enters lasts until it returns. A generator is one function that returns many times: what
 * one step enters, the next steps are in.
 */
import type { ContextPlatform, RunInContext } from '../interfaces/context.ts';
import type { ProtocolFactory } from '../interfaces/protocol.ts';

/** Where a bound function keeps the one that it stands for. */
const ORIGINAL: unique symbol = Symbol('original');

export class Contexts {
  readonly #platform: ContextPlatform;

  constructor(platform: ContextPlatform) {
    this.#platform = platform;
  }

  /** The function, to be called in the present context; `nameOf` knows its name. What is no function stays as it is. */
  bindFunction<F extends (...args: never[]) => unknown>(fn: F): F {
    // JavaScript programs pass other things; whoever takes the result refuses them.
    const given: unknown = fn;
    if (typeof given !== 'function') return fn;
    const run = this.#platform.capture();
    const bound = (...args: Parameters<F>): unknown => run(() => fn(...args));
    // To define another `name` would take longer than all the rest.
    bound[ORIGINAL] = fn;
    // The arguments and the result are those of `fn`; its other properties nobody asks a callback for.
    return bound as unknown as F;
  }

  /** The generator, whose first step runs in the present context, and each other in that which the last one left. */
  bindGenerator<T, R, N>(generator: Generator<T, R, N>): Generator<T, R, N> {
    let run = this.#platform.capture();
    return bindMethods(
      generator,
      (step) => run(step),
      (_name, result) => {
        run = this.#platform.capture();
        return result;
      },
    );
  }

  /** The object, whose methods run in the present context: a producer, for example. */
  bindObject<T extends object>(object: T): T {
    return bindMethods(object, this.#platform.capture());
  }

  /** The factory in the present context, and each protocol in the one in which it was built. */
  bindFactory<F extends ProtocolFactory>(factory: F): F {
    return bindMethods(factory, this.#platform.capture(), (name, result) =>
      name === 'buildProtocol' && isObject(result) ? this.bindObject(result) : result,
    );
  }
}

/** The name of a function, also of one that `bindFunction` has bound, for messages. */
export function nameOf(fn: { readonly name: string; readonly [ORIGINAL]?: { readonly name: string } }): string {
  return (fn[ORIGINAL] ?? fn).name;
}

/** `finish` sees what a method has returned, in the same context. */
function bindMethods<T extends object>(
  object: T,
  run: RunInContext,
  finish: (name: string | symbol, result: unknown) => unknown = (_name, result) => result,
): T {
  if (!isObject(object)) return object;
  // A proxy of the object itself could not stand for one that is frozen.
  const stand: unknown = Object.create(Object.getPrototypeOf(object) as object | null);
  // Everything that is asked of it is answered by the object.
  const bound: T = new Proxy(stand as T, {
    get(_stand, name): unknown {
      const member: unknown = Reflect.get(object, name, object);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown =>
        run(() => {
          const result: unknown = Reflect.apply(member, object, args);
          // `yield*` and `for … of` ask a generator for its iterator, and would go past the context with it.
          return result === object ? bound : finish(name, result);
        });
    },
    set: (_stand, name, value) => Reflect.set(object, name, value, object),
    has: (_stand, name) => Reflect.has(object, name),
  });
  return bound;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
