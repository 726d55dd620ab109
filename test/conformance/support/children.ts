/** How the process suites come by children, and wait for them. */
import type { Context } from 'mocha';
import type { ProcessTransport, Reactor, SpawnProcessOptions } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { skipUnless, startReactor } from './connections.ts';
import type { ProgramName } from './programs.ts';
import { type ProcessHooks, RecordingProcessProtocol } from './recording-process-protocol.ts';

/** Descriptors with one beside the usual three, by which a program is told to go on. */
export const WITH_CONTROL: Pick<SpawnProcessOptions, 'childFDs'> = { childFDs: { 0: 'w', 1: 'r', 2: 'r', 3: 'w' } };

/** Tells a program that waits for it to go on. */
export function goOn(child: ProcessTransport): void {
  child.writeToChild(3, 'go on\n');
}

export interface SpawnOptions extends SpawnProcessOptions {
  readonly args?: readonly string[];
  readonly hooks?: ProcessHooks;
}

export interface Spawned {
  readonly child: ProcessTransport;
  readonly protocol: RecordingProcessProtocol;
}

export interface Running extends Spawned {
  readonly reactor: Reactor;
}

/** Starts a program of the suite. It is killed when the reactor stops, unless the options say otherwise. */
export function spawn(harness: Harness, reactor: Reactor, name: ProgramName, options: SpawnOptions = {}): Spawned {
  const { args = [], hooks = {}, ...rest } = options;
  const program = harness.program(name, ...args);
  const protocol = new RecordingProcessProtocol(hooks);
  const child = reactor.spawnProcess(protocol, program.executable, program.args, { stopSignal: 'KILL', ...rest });
  return { child, protocol };
}

/** The same on a reactor of its own, which runs; waits until the program does. Skips the case where there are no programs. */
export async function run(
  context: Context,
  harness: Harness,
  name: ProgramName,
  options: SpawnOptions = {},
): Promise<Running> {
  skipUnless(context, harness, 'processes');
  const reactor = startReactor(harness);
  const spawned = spawn(harness, reactor, name, options);
  await harness.until(() => spawned.protocol.isMade || spawned.protocol.isEnded, `${name} has been started`);
  return { reactor, ...spawned };
}

export async function untilEnded(harness: Harness, protocol: RecordingProcessProtocol): Promise<void> {
  await harness.until(() => protocol.isEnded, `the child has ended; hooks called: ${protocol.calls.join(', ')}`);
}
