/** The descriptors that systemd hands to a service: socket activation, and what it keeps across restarts (sd_listen_fds(3)). */

/** Where systemd begins to count, after the three descriptors of standard input and output. */
const FIRST_DESCRIPTOR = 3;

/** More than a process may have open, unless an administrator has raised Linux's own limit. */
const DESCRIPTORS_MAX = 1_048_576;

/** The name that systemd gives to a descriptor without one. */
const NO_NAME = 'unknown';

/** What systemd tells; the last comes with its version 258, and is about the process as LISTEN_PID is. */
const VARIABLES = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'] as const;

/** The options of `ListenFDs.fromEnvironment`, for tests above all. */
export interface ListenFDsOptions {
  /** The variables to look at, and to take away from; `process.env` by default. */
  readonly environ?: Record<string, string | undefined>;
  /** The number of the first descriptor; 3 by default, as it is with systemd. */
  readonly start?: number;
  /** For which process the descriptors must be meant; this one by default. */
  readonly pid?: number;
}

/**
 * The descriptors a service has inherited from systemd, to be adopted with `adoptStreamPort`, `adoptStreamConnection` or
 * `AdoptedStreamServerEndpoint`. Source: Twisted's `python.systemd.ListenFDs`.
 */
export class ListenFDs {
  readonly #descriptors: readonly number[];
  readonly #names: readonly string[];

  /** `names` are those of the descriptors, in the same order. Throws `RangeError` if there are more or fewer. */
  constructor(descriptors: readonly number[], names: readonly string[] = descriptors.map(() => NO_NAME)) {
    if (names.length !== descriptors.length) {
      throw new RangeError(`names must be ${descriptors.length}, as many as descriptors; got ${names.length}`);
    }
    this.#descriptors = [...descriptors];
    this.#names = [...names];
  }

  /**
   * Reads LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES. There are no descriptors if LISTEN_PID is absent or names another
   * process (a parent's variables, inherited), or LISTEN_FDS is absent or 0. Variables meant for this process are
   * taken out of the environment, so that its children do not think that they are meant, and a second call finds nothing;
   * those meant for another stay.
   *
   * Throws `RangeError` if LISTEN_PID is no number, and, after it has taken the variables away, if LISTEN_FDS is none, or if
   * LISTEN_FDNAMES has more or fewer names than there are descriptors. (Twisted takes all of that for no descriptors.)
   * Without names, or with an empty LISTEN_FDNAMES, each is called `unknown`, as systemd calls those without one.
   */
  static fromEnvironment(options: ListenFDsOptions = {}): ListenFDs {
    const { environ = process.env, start = FIRST_DESCRIPTOR, pid = process.pid } = options;
    const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = environ;
    if (LISTEN_PID === undefined || wholeNumber('LISTEN_PID', LISTEN_PID, Number.MAX_SAFE_INTEGER) !== pid) {
      return new ListenFDs([]);
    }
    for (const name of VARIABLES) Reflect.deleteProperty(environ, name);
    const count = LISTEN_FDS === undefined ? 0 : wholeNumber('LISTEN_FDS', LISTEN_FDS, DESCRIPTORS_MAX);
    const descriptors = Array.from({ length: count }, (_, index) => start + index);
    if (LISTEN_FDNAMES === undefined || LISTEN_FDNAMES === '') return new ListenFDs(descriptors);
    const names = LISTEN_FDNAMES.split(':');
    if (names.length !== count) {
      throw new RangeError(`LISTEN_FDNAMES must have ${count} names, as LISTEN_FDS says; got '${LISTEN_FDNAMES}'`);
    }
    return new ListenFDs(descriptors, names);
  }

  /** All of them, in the order of the socket unit. Each call gives a new array. */
  inheritedDescriptors(): number[] {
    return [...this.#descriptors];
  }

  /**
   * The descriptors by their names (`FileDescriptorName=`; by default the name of the socket unit). All sockets of one
   * unit have one name, so that there is an array for each. (Twisted keeps the last.)
   */
  inheritedNamedDescriptors(): Map<string, number[]> {
    const named = new Map<string, number[]>();
    for (const [index, descriptor] of this.#descriptors.entries()) {
      // The constructor has seen to it that there is one for each.
      const name = this.#names[index] ?? NO_NAME;
      const others = named.get(name);
      if (others === undefined) named.set(name, [descriptor]);
      else others.push(descriptor);
    }
    return named;
  }
}

function wholeNumber(variable: string, value: string, max: number): number {
  if (/^\d+$/.test(value) && Number(value) <= max) return Number(value);
  throw new RangeError(`${variable} must be a whole number of at most ${max}; got '${value}'`);
}
