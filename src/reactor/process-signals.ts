import { describe } from '../arguments.ts';
import { ProcessExitedAlready } from '../errors.ts';
import type { ProcessHandle } from '../interfaces/process-platform.ts';

/** The signals of POSIX, Linux, macOS and Windows; each host has most of them. */
const SIGNAL_NAMES: ReadonlySet<string> = new Set(
  (
    'ABRT ALRM BREAK BUS CHLD CONT FPE HUP ILL INFO INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP ' +
    'SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ'
  ).split(' '),
);

const PREFIX = 'SIG';

/**
 * Signals with a name have numbers up to this; 0 only asks whether there is a program. Those beyond, of real time, have none, and hosts that
 * tell of the end of a program by the name of the signal (Node) call what they end a success.
 */
const SIGNAL_NUMBER_MAX = 31;

/** The signal as the platform takes it: `'TERM'` becomes `'SIGTERM'`. Throws `TypeError` or `RangeError` for what is none. */
export function requireSignal(name: string, signal: string | number): string | number {
  if (typeof signal === 'number') {
    if (Number.isInteger(signal) && signal >= 0 && signal <= SIGNAL_NUMBER_MAX) return signal;
    throw new RangeError(`${name} must be from 0 to ${String(SIGNAL_NUMBER_MAX)}; got ${String(signal)}`);
  }
  if (typeof signal !== 'string') throw new TypeError(`${name} must be a name or a number; got ${describe(signal)}`);
  const short = signal.startsWith(PREFIX) ? signal.slice(PREFIX.length) : signal;
  if (!SIGNAL_NAMES.has(short))
    throw new RangeError(`${name} must be a signal such as 'TERM'; got ${describe(signal)}`);
  return `${PREFIX}${short}`;
}

/** Sends a signal, and puts what the system says against it in the classes it has here. */
export function sendSignal(handle: ProcessHandle, signal: string | number): void {
  try {
    handle.signal(signal);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ESRCH') throw new ProcessExitedAlready(undefined, { cause: error });
    if (code === 'EINVAL') throw new RangeError(`the host has no signal ${String(signal)}`, { cause: error });
    throw error;
  }
}
