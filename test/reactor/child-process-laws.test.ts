/**
 * The laws of child processes, put to random programs: a parent and its child do what they like, in any order, and whatever they
 * do, the hooks come in their order, each as often as it may, with all the data there was.
 */
import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  ConnectionLost,
  type Failure,
  ProcessDone,
  ProcessExitedAlready,
  ProcessProtocol,
  ProcessStartError,
  ProcessTerminated,
  type ProcessTransport,
  Reactor,
} from 'ropewalk/core';
import { World } from 'ropewalk/simulation';
import type { ScriptedProcess } from 'ropewalk/testing';
import { ScriptedProgram } from '../../src/testing/scripted-program.ts';
import { pattern } from '../conformance/support/connections.ts';

/** What either side does. Sizes go beyond what a pipe holds. */
type Action =
  | { readonly type: 'write' | 'print'; readonly fd: number; readonly bytes: number }
  | { readonly type: 'close' | 'childCloses'; readonly fd: number }
  | { readonly type: 'exit'; readonly ending: number | string; readonly holding: readonly number[] }
  | { readonly type: 'signal'; readonly signal: string }
  | { readonly type: 'terminate'; readonly killAfter: number }
  | { readonly type: 'advance'; readonly seconds: number }
  | { readonly type: 'throwInNextHook' | 'lose' | 'pause' | 'resume' | 'produce' | 'unproduce' }
  | { readonly type: 'childPauses' | 'childResumes' | 'childIgnoresSignals' | 'crashAndRun' | 'stop' };

const bytes = fc.oneof(fc.nat(10), fc.integer({ min: 1, max: 200_000 }));
/** What a child has besides the usual three, if it has more: another pipe each way. */
const MORE_FDS = { 0: 'w', 1: 'r', 2: 'r', 3: 'w', 4: 'r' } as const;
const WRITTEN_FDS = [0, 3];
const READ_FDS = [1, 2, 4];
const fd = fc.nat(4);
const constant = <T extends Action['type']>(...types: T[]): fc.Arbitrary<{ type: T }> =>
  fc.record({ type: fc.constantFrom(...types) });

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.oneof(
      fc.record({ type: fc.constant('write' as const), fd: fc.constantFrom(0, 0, 3), bytes }),
      fc.record({ type: fc.constant('print' as const), fd: fc.constantFrom(1, 1, 2, 4), bytes }),
    ),
  },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('advance' as const), seconds: fc.constantFrom(0, 0, 0.1) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('close' as const, 'childCloses' as const), fd }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('exit' as const),
      ending: fc.constantFrom(0, 0, 3, 'SEGV'),
      holding: fc.uniqueArray(fd, { maxLength: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('signal' as const), signal: fc.constantFrom('TERM', 'CHLD') }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('terminate' as const), killAfter: fc.constantFrom(0, 0.05) }) },
  { weight: 4, arbitrary: constant('pause', 'resume', 'childPauses', 'childResumes', 'produce', 'unproduce') },
  { weight: 1, arbitrary: constant('lose', 'throwInNextHook', 'childIgnoresSignals', 'crashAndRun') },
  { weight: 1, arbitrary: constant('stop') },
);

/** Records its hooks, and what they must not do. */
class Watching extends ProcessProtocol {
  readonly calls: string[] = [];
  readonly violations: string[] = [];
  readonly received: Record<number, Buffer[]> = { 1: [], 2: [], 4: [] };
  exitReason: Failure | undefined;
  endReason: Failure | undefined;
  isPaused = false;
  throwsNext = false;
  throwCount = 0;
  /** While a method of the transport is being called. */
  isCalling = false;
  #running: string | undefined;

  override connectionMade(): void {
    this.#hook('made');
  }

  override childDataReceived(childFD: number, data: Buffer): void {
    if (this.isPaused) this.violations.push(`data from ${childFD} while paused`);
    if (this.calls.includes(`lost ${childFD}`)) this.violations.push(`data from ${childFD} after its end`);
    this.received[childFD]?.push(data);
    this.#hook(`data ${childFD}`);
  }

  override childConnectionLost(childFD: number): void {
    this.#hook(`lost ${childFD}`);
  }

  override processExited(reason: Failure): void {
    this.exitReason = reason;
    this.#hook('exited');
  }

  override processEnded(reason: Failure): void {
    this.endReason = reason;
    this.#hook('ended');
  }

  #hook(name: string): void {
    if (this.isCalling) this.violations.push(`${name} from inside a method`);
    if (this.#running !== undefined) this.violations.push(`${name} inside ${this.#running}`);
    if (this.calls.includes('ended')) this.violations.push(`${name} after the end`);
    if (!name.startsWith('data')) this.calls.push(name);
    if (!this.throwsNext) return;
    this.throwsNext = false;
    this.throwCount += 1;
    throw new Error('thrown by a hook');
  }
}

/** One run of a script. */
class Run {
  readonly world = new World();
  readonly host = this.world.addHost('host');
  readonly errors: Failure[] = [];
  readonly reactor = new Reactor(this.host, { errorReporter: (failure) => void this.errors.push(failure) });
  readonly program = new ScriptedProgram(this.world, this.host.virtualProcesses, 'program', {});
  readonly protocol = new Watching();
  readonly transport: ProcessTransport;
  /** What either side has sent, whether or not it was taken. */
  readonly sent: Record<number, Buffer[]> = { 0: [], 1: [], 2: [], 3: [], 4: [] };
  /** The descriptors that are pipes. */
  readonly fds: readonly number[];
  /** Descriptors of which it cannot be said any more that all must arrive. */
  readonly cutOff = new Set<number>();
  #producerIsThere = false;
  /** The pipes whose end has been asked for. */
  readonly #endsAsked = new Set<number>();
  #isRunning = true;

  constructor(stopSignal: string | undefined, hasMore: boolean) {
    this.fds = hasMore ? [0, 1, 2, 3, 4] : [0, 1, 2];
    void this.reactor.run();
    this.transport = this.reactor.spawnProcess(this.protocol, 'program', [], {
      ...(hasMore && { childFDs: MORE_FDS }),
      ...(stopSignal !== undefined && { stopSignal, stopTimeout: 0.05 }),
    });
  }

  get child(): ScriptedProcess | undefined {
    return this.program.children[0];
  }

  do(next: Action): void {
    if ('fd' in next && !this.fds.includes(next.fd)) return;
    switch (next.type) {
      case 'write': {
        const data = Buffer.from(pattern(next.bytes, next.bytes + 1));
        // What is written after the end was asked for is dropped, unless a producer is still waited for.
        const isTaken = !this.#endsAsked.has(next.fd) || (next.fd === 0 && this.#producerIsThere);
        if (isTaken) this.sent[next.fd]?.push(data);
        this.#call(() => this.transport.writeToChild(next.fd, data));
        return;
      }
      case 'print':
        this.#childSends(next.fd, next.bytes);
        return;
      case 'close':
        if (WRITTEN_FDS.includes(next.fd)) this.#endsAsked.add(next.fd);
        else this.cutOff.add(next.fd);
        this.#call(() => this.transport.closeChildFD(next.fd));
        return;
      case 'childCloses':
        if (WRITTEN_FDS.includes(next.fd)) {
          this.cutOff.add(next.fd);
          this.child?.pipe(next.fd).abort();
        } else {
          this.child?.pipe(next.fd).end();
        }
        return;
      case 'exit':
        if (this.child?.exited === false) {
          this.cutOff.add(0).add(3);
          this.child.exit(next.ending, { holding: next.holding.filter((held) => this.fds.includes(held)) });
        }
        return;
      case 'signal':
        this.#cutAllOff();
        this.#call(() => this.transport.signalProcess(next.signal));
        return;
      case 'terminate':
        this.#cutAllOff();
        void this.#call(() => this.transport.terminate({ killAfter: next.killAfter }));
        return;
      case 'advance':
        this.world.advance(next.seconds);
        return;
      default:
        this.#doSimple(next.type);
    }
  }

  /** Everything comes to its end: the child exits, nobody is paused, heirs let go, time passes. */
  finish(): void {
    this.do({ type: 'resume' });
    this.do({ type: 'childResumes' });
    this.do({ type: 'unproduce' });
    this.world.advance(10);
    const { child } = this;
    for (const childFD of this.#only(WRITTEN_FDS)) {
      if (this.cutOff.has(childFD) || child === undefined) continue;
      const all = Buffer.concat(this.sent[childFD] ?? []).length;
      expect(child.pipe(childFD).received.length, `the child has read all from ${childFD}`).to.equal(all);
    }
    if (child?.exited === false) child.exit();
    for (const childFD of this.#only(READ_FDS)) child?.pipe(childFD).end();
    for (const childFD of this.#only(WRITTEN_FDS)) child?.pipe(childFD).abort();
    this.cutOff.add(0).add(3);
    this.world.advance(20);
  }

  #doSimple(
    type: Exclude<Action, { bytes: number } | { fd: number } | { ending: unknown } | { signal: string }>['type'],
  ): void {
    switch (type) {
      case 'throwInNextHook':
        this.#cutAllOff();
        this.protocol.throwsNext = true;
        return;
      case 'lose':
        this.#endsAsked.add(0);
        this.cutOff.add(1).add(2);
        this.#call(() => this.transport.loseConnection());
        return;
      case 'pause':
        this.protocol.isPaused = true;
        this.#call(() => this.transport.pauseProducing());
        return;
      case 'resume':
        this.protocol.isPaused = false;
        this.#call(() => this.transport.resumeProducing());
        return;
      case 'produce': {
        if (this.#producerIsThere) return;
        this.#producerIsThere = true;
        const stopped = (): void => void (this.#producerIsThere = false);
        const producer = { pauseProducing: () => {}, resumeProducing: () => {}, stopProducing: stopped };
        this.#call(() => this.transport.registerProducer(producer, true));
        return;
      }
      case 'unproduce':
        this.#producerIsThere = false;
        this.#call(() => this.transport.unregisterProducer());
        return;
      case 'childPauses':
        this.child?.stdin.pause();
        return;
      case 'childResumes':
        this.child?.stdin.resume();
        return;
      case 'childIgnoresSignals':
        if (this.child !== undefined) this.child.onSignal = () => undefined;
        return;
      case 'crashAndRun':
        if (!this.#isRunning) return;
        this.reactor.crash();
        this.world.advance(0);
        void this.reactor.run();
        return;
      case 'stop':
        if (!this.#isRunning) return;
        this.#isRunning = false;
        this.#cutAllOff();
        this.reactor.stop();
        return;
      case 'terminate':
      case 'advance':
        throw new Error('done elsewhere');
    }
  }

  #childSends(childFD: number, size: number): void {
    const { child } = this;
    if (child === undefined || child.exited) return;
    const data = Buffer.from(pattern(size, size + childFD));
    try {
      child.pipe(childFD).send(data);
      this.sent[childFD]?.push(data);
    } catch {
      // It has closed that pipe itself.
    }
  }

  /** Those of these descriptors that there are. */
  #only(fds: readonly number[]): readonly number[] {
    return fds.filter((childFD) => this.fds.includes(childFD));
  }

  #cutAllOff(): void {
    for (const childFD of this.fds) this.cutOff.add(childFD);
  }

  /** Calls a method of the transport, during which no hook may be called. */
  #call<R>(method: () => R): R | undefined {
    this.protocol.isCalling = true;
    try {
      return method();
    } catch (error) {
      if (!(error instanceof ProcessExitedAlready)) throw error;
      return undefined;
    } finally {
      this.protocol.isCalling = false;
    }
  }
}

function checkOrder({ protocol, child, fds }: Run): void {
  const { calls } = protocol;
  expect(protocol.violations).to.deep.equal([]);
  expect(new Set(calls).size, calls.join(', ')).to.equal(calls.length);
  expect(calls.at(-1)).to.equal('ended');
  const error = protocol.endReason?.value;
  if (calls.length === 1) {
    expect(error instanceof ConnectionLost || error instanceof ProcessStartError).to.be.true;
    return;
  }
  expect(calls[0]).to.equal('made');
  expect(calls).to.include.members(fds.map((childFD) => `lost ${childFD}`));
  if (calls.includes('exited')) {
    expect(protocol.endReason).to.equal(protocol.exitReason);
    expect(error instanceof ProcessDone || error instanceof ProcessTerminated).to.be.true;
    expect(child?.exited).to.be.true;
  } else {
    expect(error!.message).to.include('left running');
  }
}

function checkData({ protocol, child, fds, sent, cutOff }: Run): void {
  const isPrefix = (part: Buffer, whole: Buffer): boolean => whole.subarray(0, part.length).equals(part);
  for (const childFD of READ_FDS) {
    const received = Buffer.concat(protocol.received[childFD] ?? []);
    const all = Buffer.concat(sent[childFD] ?? []);
    expect(isPrefix(received, all), `what came from ${childFD} is in order`).to.be.true;
    if (!cutOff.has(childFD)) expect(received.length, `all came from ${childFD}`).to.equal(all.length);
  }
  for (const childFD of WRITTEN_FDS.filter((written) => fds.includes(written))) {
    const read = child?.pipe(childFD).received ?? Buffer.alloc(0);
    expect(isPrefix(read, Buffer.concat(sent[childFD] ?? [])), `what the child has read from ${childFD}`).to.be.true;
  }
}

function checkNothingIsLeft({ reactor, world, errors, protocol }: Run): void {
  expect(reactor.inspect()).to.deep.include({ processes: [], connections: [], delayedCalls: [] });
  expect(errors.map(String)).to.have.length(protocol.throwCount);
  expect(world.census()).to.include({ streams: 0, events: 0 });
}

describe('The laws of child processes', () => {
  it('hold, whatever parent and child do', function () {
    this.timeout(60_000);
    const stopSignal = fc.constantFrom(undefined, undefined, 'TERM', 'KILL');
    const script = fc.tuple(fc.array(action, { maxLength: 25 }), stopSignal, fc.boolean());
    fc.assert(
      fc.property(script, ([actions, signal, hasMore]) => {
        const run = new Run(signal, hasMore);
        for (const next of actions) run.do(next);
        run.finish();
        checkOrder(run);
        checkData(run);
        checkNothingIsLeft(run);
        expect(run.world.census().processes).to.equal(0);
      }),
      { numRuns: 300 },
    );
  });
});
