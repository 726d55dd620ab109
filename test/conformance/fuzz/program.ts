/**
 * Random programs of two ends of a connection: what is called on either, in which order, from outside and from inside
 * hooks. An end is a protocol or a raw peer; a peer does of a call what it can.
 */
import * as fc from 'fast-check';

/** The near end is always a protocol. */
export type Side = 'near' | 'far';

/** What may be called on an end. */
export type Call =
  | { readonly name: 'write'; readonly bytes: number }
  | { readonly name: 'writeSequence'; readonly bytes: readonly number[] }
  | {
      readonly name:
        | 'loseConnection'
        | 'loseWriteConnection'
        | 'abortConnection'
        | 'pauseProducing'
        | 'resumeProducing'
        | 'unregisterProducer';
    }
  | {
      readonly name: 'registerProducer';
      readonly streaming: boolean;
      /** How much it writes each time it is resumed, how many times, and whether it unregisters itself then. */
      readonly bytes: number;
      readonly times: number;
      readonly unregisters: boolean;
    }
  /** The protocols at both ends agree on TLS; with a raw peer the near end begins alone, if the peer is to be misled. */
  | { readonly name: 'startTLS'; readonly initiatorServes: boolean; readonly misleads: boolean };

export interface SideCall {
  readonly side: Side;
  readonly call: Call;
}

/** What happens inside a hook of a protocol, or in a method of its producer. */
export interface Reaction {
  readonly calls: readonly SideCall[];
  /** Whether the hook throws in the end. */
  readonly throws: boolean;
}

export type Step =
  | { readonly kind: 'call'; readonly call: SideCall }
  /** Lets everything happen that is due. */
  | { readonly kind: 'wait' }
  /** Stops the reactor of the near end in its tracks, and runs it again. */
  | { readonly kind: 'crash' | 'run' };

export interface Program {
  /** What the far end is, and which end connects to the other. */
  readonly far: 'protocol' | 'peer that dials' | 'peer that serves';
  /** Whether the ends opt in to half-closed connections. */
  readonly halfCloseable: Readonly<Record<Side, boolean>>;
  /** Whether a protocol at the far end is on the reactor of the near one. */
  readonly oneReactor: boolean;
  readonly steps: readonly Step[];
  /** What each end does in its hooks, one after the other; nothing when none is left. */
  readonly reactions: Readonly<Record<Side, readonly Reaction[]>>;
}

/** Small ones, those around what the system takes at once, and what is more than the high-water mark. */
const bytes = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 2, arbitrary: fc.constantFrom(4096, 16_384, 16_385, 65_536) },
  { weight: 2, arbitrary: fc.constantFrom(65_537, 150_000) },
);

/** The calls that end a connection are rare, or programs would be short. */
const PLAIN_CALLS: fc.WeightedArbitrary<Call>[] = [
  { weight: 10, arbitrary: fc.record({ name: fc.constant('write' as const), bytes }) },
  {
    weight: 2,
    arbitrary: fc.record({ name: fc.constant('writeSequence' as const), bytes: fc.array(bytes, { maxLength: 3 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ name: fc.constantFrom('pauseProducing' as const, 'resumeProducing', 'resumeProducing') }),
  },
  { weight: 2, arbitrary: fc.record({ name: fc.constantFrom('loseWriteConnection' as const, 'unregisterProducer') }) },
  {
    weight: 2,
    arbitrary: fc.record({ name: fc.constantFrom('loseConnection' as const, 'loseConnection', 'abortConnection') }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      name: fc.constant('registerProducer' as const),
      streaming: fc.boolean(),
      bytes,
      times: fc.integer({ min: 0, max: 4 }),
      unregisters: fc.boolean(),
    }),
  },
];

/** A peer that is misled comes to grief, so that is rare. */
const START_TLS: fc.WeightedArbitrary<Call> = {
  weight: 2,
  arbitrary: fc.record({
    name: fc.constant('startTLS' as const),
    initiatorServes: fc.boolean(),
    misleads: fc.integer({ min: 0, max: 9 }).map((drawn) => drawn === 9),
  }),
};

const side = fc.constantFrom<Side>('near', 'far');

/** Of three hooks two do nothing, and one in thirty throws. */
function reactionsOf(sideCall: fc.Arbitrary<SideCall>): fc.Arbitrary<readonly Reaction[]> {
  return fc.array(
    fc.record({
      calls: fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.array(sideCall, { minLength: 1, maxLength: 3 }) },
      ),
      throws: fc.integer({ min: 0, max: 29 }).map((drawn) => drawn === 29),
    }),
    { maxLength: 15, size: '+1' },
  );
}

function stepsOf(sideCall: fc.Arbitrary<SideCall>): fc.Arbitrary<readonly Step[]> {
  return fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.record({ kind: fc.constant('call' as const), call: sideCall }) },
      { weight: 5, arbitrary: fc.constant<Step>({ kind: 'wait' }) },
      { weight: 1, arbitrary: fc.constantFrom<Step>({ kind: 'crash' }, { kind: 'run' }) },
    ),
    { minLength: 5, maxLength: 40, size: '+1' },
  );
}

function programsOf(calls: readonly fc.WeightedArbitrary<Call>[]): fc.Arbitrary<Program> {
  const sideCall: fc.Arbitrary<SideCall> = fc.record({ side, call: fc.oneof(...calls) });
  const reactions = reactionsOf(sideCall);
  return fc.record({
    far: fc.constantFrom<Program['far']>('protocol', 'protocol', 'peer that dials', 'peer that serves'),
    halfCloseable: fc.record({ near: fc.boolean(), far: fc.boolean() }),
    oneReactor: fc.boolean(),
    steps: stepsOf(sideCall),
    reactions: fc.record({ near: reactions, far: reactions }),
  });
}

export const programs: fc.Arbitrary<Program> = programsOf([...PLAIN_CALLS, START_TLS]);

/** Without TLS, whose bytes are others each time. */
export const plainPrograms: fc.Arbitrary<Program> = programsOf(PLAIN_CALLS);
