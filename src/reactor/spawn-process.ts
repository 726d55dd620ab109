import {
  describe,
  requireDelay,
  requireIntegerFrom,
  requireMethods,
  requireOptions,
  requireString,
} from '../arguments.ts';
import { UnsupportedError } from '../errors.ts';
import type { ChildDescriptor, ProcessProgram } from '../interfaces/process-platform.ts';
import type { ChildProcessProtocol, ProcessTransport, SpawnProcessOptions } from '../interfaces/process.ts';
import { KILL_AFTER_SECONDS, type StopOrder } from './child-order.ts';
import { ChildProcess } from './child-process.ts';
import { CONNECTION_OPTIONS, connectionLimits } from './connection-limits.ts';
import type { ReactorParts } from './reactor-parts.ts';
import { requireSignal } from './process-signals.ts';

const PROTOCOL_METHODS = [
  'makeConnection',
  'childDataReceived',
  'childConnectionLost',
  'processExited',
  'processEnded',
];

const OPTIONS = ['env', 'cwd', 'uid', 'gid', 'argv0', 'childFDs', 'stopSignal', 'stopTimeout', ...CONNECTION_OPTIONS];

const DEFAULT_CHILD_FDS: Readonly<Record<number, ChildDescriptor>> = { 0: 'w', 1: 'r', 2: 'r' };

/** Hosts take the descriptors as a list, in which those between are named too. */
const CHILD_FD_MAX = 255;

/** Checks the arguments of `spawnProcess` and makes the child. */
export function spawnProcess(
  parts: ReactorParts,
  protocol: ChildProcessProtocol,
  executable: string,
  args: readonly string[],
  options: SpawnProcessOptions,
): ProcessTransport {
  requireMethods('protocol (a ProcessProtocol)', protocol, PROTOCOL_METHODS);
  requireOptions('options', options, OPTIONS);
  const program = programOf(executable, args, options);
  const whenReactorStops = stopOrderOf(options);
  const limits = connectionLimits(options);
  const { processes, name } = parts.platform;
  if (processes === undefined) throw new UnsupportedError(`spawnProcess: the platform ${name} has no programs`);
  const bound = parts.contexts?.bindObject(protocol) ?? protocol;
  const child = new ChildProcess(parts, processes, bound, { program, whenReactorStops, limits });
  child.start();
  return child.transport;
}

function programOf(executable: string, args: readonly string[], options: SpawnProcessOptions): ProcessProgram {
  const { env, cwd, uid, gid, argv0, childFDs = DEFAULT_CHILD_FDS } = options;
  requireText('executable', executable);
  if (executable === '') throw new RangeError('executable must not be empty');
  // JavaScript programs pass other things.
  const given: unknown = args;
  if (!Array.isArray(given)) throw new TypeError(`args must be an array of strings; got ${describe(given)}`);
  args.forEach((arg, index) => {
    requireText(`args[${String(index)}]`, arg);
  });
  if (env !== undefined) requireEnvironment(env);
  if (cwd !== undefined) requireText('cwd', cwd);
  if (argv0 !== undefined) requireText('argv0', argv0);
  if (uid !== undefined) requireIntegerFrom('uid', uid, 0);
  if (gid !== undefined) requireIntegerFrom('gid', gid, 0);
  return {
    executable,
    args: [...args],
    descriptors: descriptorsOf(childFDs),
    ...(env && { env: { ...env } }),
    ...(cwd !== undefined && { cwd }),
    ...(argv0 !== undefined && { argv0 }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  };
}

/** The system ends a string at its first NUL, and would start something else than what was written. */
function requireText(name: string, value: string): void {
  requireString(name, value);
  if (value.includes('\0')) throw new RangeError(`${name} must not have a NUL in it`);
}

function requireEnvironment(env: Readonly<Record<string, string>>): void {
  const given: unknown = env;
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`env must be an object of strings; got ${describe(given)}`);
  }
  for (const [name, value] of Object.entries(env)) {
    requireText(`env.${name}`, value);
    if (name === '' || /[=\0]/.test(name))
      throw new RangeError(`env has no place for a variable named ${describe(name)}`);
  }
}

function descriptorsOf(childFDs: Readonly<Record<number, ChildDescriptor>>): ReadonlyMap<number, ChildDescriptor> {
  const given: unknown = childFDs;
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`childFDs must be an object such as { 0: 'w', 1: 'r' }; got ${describe(given)}`);
  }
  const entries = Object.entries(childFDs).map(([key, descriptor]) => {
    const childFD = Number(key);
    requireIntegerFrom(`childFDs: the descriptor ${describe(key)}`, childFD, 0);
    if (childFD > CHILD_FD_MAX) throw new RangeError(`childFDs may go to ${String(CHILD_FD_MAX)}; got ${key}`);
    requireDescriptor(`childFDs[${key}]`, descriptor);
    return [childFD, descriptor] as const;
  });
  return new Map(entries);
}

function requireDescriptor(name: string, descriptor: ChildDescriptor): void {
  if (typeof descriptor === 'number') requireIntegerFrom(name, descriptor, 0);
  else if (!['w', 'r'].includes(descriptor)) {
    throw new RangeError(`${name} must be 'w', 'r' or a descriptor's number; got ${describe(descriptor)}`);
  }
}

function stopOrderOf({ stopSignal, stopTimeout = KILL_AFTER_SECONDS }: SpawnProcessOptions): StopOrder | undefined {
  requireDelay('stopTimeout', stopTimeout);
  if (stopSignal === undefined) return undefined;
  return { signal: requireSignal('stopSignal', stopSignal), killAfterSeconds: stopTimeout };
}
