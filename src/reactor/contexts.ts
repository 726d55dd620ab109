/**
 * Carries contexts from where something is made to where it is called, for reactors that were asked to
 * (`captureContext`). Other reactors have no `Contexts` and pay nothing.
 *
 * A call runs in the context in which it was made, a factory's methods in that of `listenTCP` or `connectTCP`, and a
 * protocol's hooks in the one that `buildProtocol` left, so that it may enter one of its own for each connection.
 */
import type { ContextPlatform, RunInContext } from '../interfaces/context.ts';
import type { ProtocolFactory } from '../interfaces/protocol.ts';

export class Contexts {
  readonly #platform: ContextPlatform;

  constructor(platform: ContextPlatform) {
    this.#platform = platform;
  }

  /** The function, to be called in the present context. Has the same name, for messages. What is no function stays as it is. */
  bindFunction<F extends (...args: never[]) => unknown>(fn: F): F {
    // JavaScript programs pass other things; whoever takes the result refuses them.
    const given: unknown = fn;
    if (typeof given !== 'function') return fn;
    const run = this.#platform.capture();
    const bound = (...args: Parameters<F>): unknown => run(() => fn(...args));
    // The arguments and the result are those of `fn`; its other properties nobody asks a callback for.
    return Object.defineProperty(bound, 'name', { value: fn.name }) as unknown as F;
  }

  /** The generator, each step of which runs in the present context. */
  bindGenerator<T, R, N>(generator: Generator<T, R, N>): Generator<T, R, N> {
    return bindMethods(generator, this.#platform.capture());
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
  return new Proxy(stand as T, {
    get(_stand, name): unknown {
      const member: unknown = Reflect.get(object, name, object);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => run(() => finish(name, Reflect.apply(member, object, args)));
    },
    set: (_stand, name, value) => Reflect.set(object, name, value, object),
    has: (_stand, name) => Reflect.has(object, name),
  });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
