/**
 * What is measured: the same work with `Deferred`s and with native promises, the queue of continuations drained. Both
 * sides call the same functions as often.
 *
 * A deep chain is three things, and each is measured: many callbacks in a row; functions that call one another and each do
 * something with what the next gives; and results that are themselves still to come, each callback returning the next
 * `Deferred` or promise. The last asks most of both: every level makes a result, a closure and a link to the next.
 */
import { Deferred, gatherResults, succeed } from 'ropewalk/core';

export interface Case {
  readonly name: string;
  /** How many operations one round consists of. */
  readonly operations: number;
  readonly deferreds: (operations: number) => void;
  readonly promises: (operations: number) => Promise<void>;
}

/** What callbacks add to, so that no work can be left out. */
let total = 0;
const increment = (value: number): number => value + 1;
const add = (value: number): void => {
  total += value;
};

const CHAIN_DEPTH = 1_000;
const GATHERED = 100;

function callDeep(source: Deferred<number>, depth: number): Deferred<number> {
  return depth === 0 ? source : callDeep(source, depth - 1).addCallback(increment);
}

async function awaitDeep(source: Promise<number>, depth: number): Promise<number> {
  return depth === 0 ? source : increment(await awaitDeep(source, depth - 1));
}

export const cases: readonly Case[] = [
  {
    name: 'make, three callbacks, fire',
    operations: 20_000,
    deferreds(operations) {
      for (let index = 0; index < operations; index += 1) {
        const deferred = new Deferred<number>();
        deferred.addCallback(increment).addCallback(increment).addCallback(add);
        deferred.callback(index);
      }
    },
    async promises(operations) {
      let last: Promise<void> | undefined;
      for (let index = 0; index < operations; index += 1) {
        let resolve: ((value: number) => void) | undefined;
        const promise = new Promise<number>((settle) => {
          resolve = settle;
        });
        last = promise.then(increment).then(increment).then(add);
        resolve?.(index);
      }
      await last;
    },
  },
  {
    name: `a chain of ${String(CHAIN_DEPTH)} callbacks`,
    operations: 20,
    deferreds(operations) {
      for (let index = 0; index < operations; index += 1) {
        const source = new Deferred<number>();
        let chain = source;
        for (let depth = 0; depth < CHAIN_DEPTH; depth += 1) chain = chain.addCallback(increment);
        chain.addCallback(add);
        source.callback(index);
      }
    },
    async promises(operations) {
      for (let index = 0; index < operations; index += 1) {
        let resolve: ((value: number) => void) | undefined;
        let chain = new Promise<number>((settle) => {
          resolve = settle;
        });
        for (let depth = 0; depth < CHAIN_DEPTH; depth += 1) chain = chain.then(increment);
        const done = chain.then(add);
        resolve?.(index);
        await done;
      }
    },
  },
  {
    name: `${String(CHAIN_DEPTH)} functions, each adding to what the next gives; the promises by async and await`,
    operations: 20,
    deferreds(operations) {
      for (let index = 0; index < operations; index += 1) {
        const source = new Deferred<number>();
        callDeep(source, CHAIN_DEPTH).addCallback(add);
        source.callback(index);
      }
    },
    async promises(operations) {
      for (let index = 0; index < operations; index += 1) {
        let resolve: ((value: number) => void) | undefined;
        const source = new Promise<number>((settle) => {
          resolve = settle;
        });
        const done = awaitDeep(source, CHAIN_DEPTH).then(add);
        resolve?.(index);
        await done;
      }
    },
  },
  {
    name: `${String(CHAIN_DEPTH)} deep, each callback returning the next`,
    operations: 20,
    deferreds(operations) {
      for (let index = 0; index < operations; index += 1) {
        const innermost = new Deferred<number>();
        let outer = innermost;
        for (let depth = 0; depth < CHAIN_DEPTH; depth += 1) {
          const inner = outer;
          outer = succeed(depth).addCallback(() => inner);
        }
        outer.addCallback(add);
        innermost.callback(index);
      }
    },
    async promises(operations) {
      for (let index = 0; index < operations; index += 1) {
        let resolve: ((value: number) => void) | undefined;
        let outer = new Promise<number>((settle) => {
          resolve = settle;
        });
        for (let depth = 0; depth < CHAIN_DEPTH; depth += 1) {
          const inner = outer;
          outer = Promise.resolve(depth).then(() => inner);
        }
        const done = outer.then(add);
        resolve?.(index);
        await done;
      }
    },
  },
  {
    name: `gatherResults of ${String(GATHERED)}, Promise.all of as many`,
    operations: 200,
    deferreds(operations) {
      for (let index = 0; index < operations; index += 1) {
        const inputs: Deferred<number>[] = [];
        for (let place = 0; place < GATHERED; place += 1) inputs.push(new Deferred<number>());
        gatherResults(inputs).addCallback((values) => add(values.length));
        for (const input of inputs) input.callback(index);
      }
    },
    async promises(operations) {
      let last: Promise<void> | undefined;
      for (let index = 0; index < operations; index += 1) {
        const resolvers: ((value: number) => void)[] = [];
        const inputs: Promise<number>[] = [];
        for (let place = 0; place < GATHERED; place += 1) {
          inputs.push(new Promise<number>((settle) => resolvers.push(settle)));
        }
        last = Promise.all(inputs).then((values) => add(values.length));
        for (const resolve of resolvers) resolve(index);
      }
      await last;
    },
  },
];

/** Fails if a case did nothing. */
export function requireWorkDone(): void {
  if (total === 0) throw new Error('the benchmark did nothing');
}
