/**
 * Scripts made at random from a fixed seed. They stay clear of what is known to differ (known-differences.ts), and of
 * rings of Deferreds that wait for each other, in which Twisted does not end.
 */
import * as fc from 'fast-check';
import type { Ending, Operation, Script } from './scripts.ts';
import { look, NOTHING, PASS } from './scripts.ts';

const POOL = ['a', 'b', 'c', 'd'] as const;

const label = fc.nat(99).map((number) => `f${number}`);
const value = fc.nat(9);
const message = fc.constantFrom('x', 'y', 'z');
const quarters = fc.integer({ min: 1, max: 12 }).map((count) => count / 4);

/** What may be done to a Deferred from anywhere. */
const firing: fc.Arbitrary<Operation> = fc.oneof(
  fc.tuple(fc.constant('callback' as const), fc.constantFrom(...POOL), value),
  fc.tuple(fc.constant('errback' as const), fc.constantFrom(...POOL), message),
  fc.tuple(fc.constantFrom('cancel' as const, 'called' as const), fc.constantFrom(...POOL)),
);

/** How a function of `POOL[index]` ends; it may return a Deferred that comes later in the pool. */
function endingOf(index: number): fc.Arbitrary<Ending> {
  const plain: fc.Arbitrary<Ending>[] = [
    fc.constant(PASS),
    fc.tuple(fc.constant('value' as const), value),
    fc.tuple(fc.constantFrom('raise' as const, 'fail' as const), message),
  ];
  const later = POOL.slice(index + 1);
  if (later.length > 0) plain.push(fc.tuple(fc.constant('deferred' as const), fc.constantFrom(...later)));
  const ending = fc.oneof(...plain);
  return fc.oneof(
    { weight: 4, arbitrary: ending },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constant('do' as const), fc.array(firing, { minLength: 1, maxLength: 3 }), ending),
    },
  );
}

function operationOn(index: number): fc.Arbitrary<Operation[]> {
  const name = POOL[index]!;
  const ending = endingOf(index);
  const side = fc.constantFrom('callback' as const, 'errback' as const, 'both' as const);
  const later = POOL.slice(index + 1);
  const operations: fc.Arbitrary<Operation[]>[] = [
    fc.tuple(side, label, ending).map((rest) => [['add', name, ...rest]]),
    fc.tuple(side, label, ending).map((rest) => [['add', name, ...rest]]),
    fc.tuple(label, ending, label, ending).map((rest) => [['addPair', name, ...rest]]),
    fc.array(firing, { minLength: 1, maxLength: 4 }).map((held) => [['pause', name], ...held, ['unpause', name]]),
    fc.constant<Operation[]>([['pause', name]]),
  ];
  if (later.length > 0) operations.push(fc.constantFrom(...later).map((other) => [['chain', name, other]]));
  return fc.oneof(...operations);
}

/** Undoes the pauses that nothing has undone: an error under a pause that came after it is reported otherwise. */
function releases(operations: Script): Operation[] {
  return POOL.flatMap((name) => {
    const count = (type: string): number =>
      operations.filter(([operation, on]) => operation === type && on === name).length;
    return Array.from({ length: count('pause') - count('unpause') }, (): Operation => ['unpause', name]);
  });
}

const deferreds: fc.Arbitrary<Script> = fc
  .tuple(
    fc.array(fc.constantFrom(undefined, 'idle' as const, 'callback' as const, 'errback' as const), {
      minLength: POOL.length,
      maxLength: POOL.length,
    }),
    fc.array(
      fc.oneof(
        firing.map((operation) => [operation]),
        ...POOL.map((_name, index) => operationOn(index)),
      ),
      {
        maxLength: 20,
      },
    ),
  )
  .map(([cancellers, operations]) => [
    ...POOL.map((name, index): Operation => {
      const canceller = cancellers[index];
      return canceller === undefined ? ['new', name] : ['new', name, canceller];
    }),
    ...operations.flat(),
    ...releases(operations.flat()),
  ]);

const lists: fc.Arbitrary<Script> = fc
  .tuple(
    fc.subarray([...POOL]),
    fc.record({ fireOnOneCallback: fc.boolean(), fireOnOneErrback: fc.boolean(), consumeErrors: fc.boolean() }),
    fc.boolean(),
    fc.array(firing, { maxLength: 10 }),
    fc.nat(10),
  )
  .map(([names, options, isGathered, operations, cancelAt]) => [
    ...POOL.map((name, index): Operation => (index % 2 === 0 ? ['new', name] : ['new', name, 'idle'])),
    isGathered ? ['gather', 'all', names, { consumeErrors: options.consumeErrors }] : ['list', 'all', names, options],
    look('all'),
    ...operations.slice(0, cancelAt),
    ['cancel', 'all'],
    ...operations.slice(cancelAt),
    ...POOL.map((name) => look(name)),
  ]);

/** Loops whose calls take time; they are not started again, as counting differs then. */
const slowLoops: fc.Arbitrary<Script> = fc
  .tuple(
    fc.array(fc.option(quarters), { minLength: 1, maxLength: 4 }),
    quarters,
    fc.boolean(),
    fc.array(
      fc.oneof(
        { weight: 3, arbitrary: quarters.map((seconds): Operation => ['advance', seconds]) },
        {
          weight: 1,
          arbitrary: fc.constantFrom<Operation>(['reset', 'l'], ['running', 'l'], ['stop', 'l'], ['pending']),
        },
      ),
      { maxLength: 12 },
    ),
  )
  .map(([durations, interval, now, operations]) => [
    [
      'loop',
      'l',
      durations.map((seconds): Ending =>
        seconds === null ? NOTHING : ['do', [['deferLater', 'slow', seconds]], ['deferred', 'slow']],
      ),
      true,
    ],
    ['start', 'l', 'done', interval, now],
    look('done'),
    ...operations,
  ]);

const quickLoops: fc.Arbitrary<Script> = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: quarters.map((seconds): Operation => ['advance', seconds]) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(quarters, fc.boolean())
          .map(([interval, now]): Operation => ['start', 'l', 'done', interval, now]),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom<Operation>(['reset', 'l'], ['stop', 'l'], ['running', 'l'], ['pending']),
      },
    ),
    { maxLength: 20 },
  )
  .map((operations) => [['loop', 'l', [NOTHING]], ...operations]);

/** Without the pauses after a stop: Twisted counts a wait that the stop has ended as a pause. */
function untilStopped(operations: Script): Script {
  const stop = operations.findIndex(([operation]) => operation === 'stop');
  return operations.filter(
    ([operation], index) => stop === -1 || index <= stop || (operation !== 'pauseTask' && operation !== 'resume'),
  );
}

/** One task, as the order among several differs when one ends; a pause that is undone, as that of a waiting task differs. */
const tasks: fc.Arbitrary<Script> = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.constant<Ending>(NOTHING) },
        { weight: 2, arbitrary: fc.constantFrom(...POOL).map((name): Ending => ['deferred', name]) },
        { weight: 1, arbitrary: fc.constant<Ending>(['raise', 'x']) },
      ),
      { maxLength: 8 },
    ),
    fc.integer({ min: 1, max: 3 }),
    fc.array(
      fc.oneof(
        { weight: 3, arbitrary: quarters.map((seconds): Operation[] => [['advance', seconds]]) },
        {
          weight: 2,
          arbitrary: fc
            .tuple(fc.constantFrom(...POOL), value)
            .map(([name, fired]): Operation[] => [['callback', name, fired]]),
        },
        {
          weight: 1,
          arbitrary: fc
            .tuple(quarters, fc.constantFrom(...POOL))
            .map(([seconds, name]): Operation[] => [
              ['pauseTask', 't'],
              ['callback', name, 1],
              ['advance', seconds],
              ['pending'],
              ['resume', 't'],
            ]),
        },
        { weight: 1, arbitrary: fc.constantFrom<Operation[]>([['pending']], [['stop', 't']]) },
      ),
      { maxLength: 12 },
    ),
  )
  .map(([endings, steps, operations]) => [
    ...POOL.map((name): Operation => ['new', name]),
    ['cooperator', 'cooperator', steps],
    ['cooperate', 'cooperator', 't', endings],
    ['whenDone', 't', 'done'],
    ['add', 'done', 'both', 'done', NOTHING],
    ...untilStopped(operations.flat()),
  ]);

const KINDS = { deferreds, lists, slowLoops, quickLoops, tasks };

/** The same scripts each time. */
export function randomScripts(seed: number, countOfEach: number): [kind: string, script: Script][] {
  return Object.entries(KINDS).flatMap(([kind, scripts]) =>
    fc.sample(scripts, { seed, numRuns: countOfEach }).map((script): [string, Script] => [kind, script]),
  );
}
