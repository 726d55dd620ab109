/**
 * The programs of the process suites, twice: as a script for the shell, and as what a scripted process does. Each does the
 * same on both, and none depends on time: one that is to do something later waits for a line at descriptor 3, which
 * a case gives it (`goOn`), or for its end.
 */
import type { ScriptedProcess } from 'ropewalk/testing';

export interface TestProgram {
  /** Its arguments are `$1` and so on. */
  readonly script: string;
  readonly main: (child: ScriptedProcess) => void;
}

/** What it does once descriptor 3 has a line for it. */
function whenToldTo(child: ScriptedProcess, action: () => void): void {
  child.pipe(3).onReceived = action;
}

/** More than is under way to a reader who does not read. */
const BABBLE_LINES = 500_000;

export const PROGRAMS = {
  /** Copies its input to its output, and ends with it. */
  cat: {
    script: 'exec cat',
    main: (child) => {
      child.stdin.onReceived = (data) => child.stdout.send(data);
      child.stdin.onEnded = () => child.exit();
    },
  },
  /** Ends with the code that is its argument. */
  exit: {
    script: 'exit "$1"',
    main: (child) => child.exit(Number(child.args[0])),
  },
  /** Prints its arguments, one to its output and one to its standard error. */
  print: {
    script: 'printf %s "$1"; printf %s "$2" >&2',
    main: (child) => {
      child.stdout.send(child.args[0]!);
      child.stderr.send(child.args[1]!);
      child.exit();
    },
  },
  /** Prints a variable of its environment, how many arguments it has, and the arguments. */
  tell: {
    script: 'printf %s "$ROPEWALK_TEST|$#|$*"',
    main: (child) => {
      const variable = child.env === undefined ? 'inherited' : (child.env['ROPEWALK_TEST'] ?? '');
      child.stdout.send([variable, child.args.length, child.args.join(' ')].join('|'));
      child.exit();
    },
  },
  /** Prints its arguments and ends with a code: the first, the second to its standard error, the third. */
  report: {
    script: 'printf %s "$1"; printf %s "$2" >&2; exit "$3"',
    main: (child) => {
      child.stdout.send(child.args[0]!);
      child.stderr.send(child.args[1]!);
      child.exit(Number(child.args[2]));
    },
  },
  /** Prints its argument, and is then ended by a signal. */
  crash: {
    script: 'printf %s "$1"; kill -SEGV $$',
    main: (child) => {
      child.stdout.send(child.args[0]!);
      child.exit('SEGV');
    },
  },
  /** Prints so many bytes of 0. */
  pour: {
    script: 'exec head -c "$1" /dev/zero',
    main: (child) => {
      child.stdout.send(new Uint8Array(Number(child.args[0])));
      child.exit();
    },
  },
  /** Does nothing until a signal ends it. */
  sleep: { script: 'exec sleep 1000', main: () => undefined },
  /** The same, but is not ended by SIGTERM. Says when it is ready for it. */
  deaf: {
    script: 'trap "" TERM; printf ready; exec sleep 1000',
    main: (child) => {
      child.onSignal = () => undefined;
      child.stdout.send('ready');
    },
  },
  /** Ends at once; its heir, which has its pipes, prints once it is told to, and ends then. */
  bequeath: {
    script: '(read line <&3; printf late) & printf now',
    main: (child) => {
      child.stdout.send('now');
      whenToldTo(child, () => {
        child.stdout.send('late');
        for (const pipe of [child.stdout, child.stderr]) pipe.end();
        child.pipe(3).abort();
      });
      child.exit(0, { holding: [1, 2, 3] });
    },
  },
  /** Ends at once; its heir has its input, and prints what comes there. */
  bequeathInput: {
    script: 'exec 4<&0; (exec cat <&4) & exit 0',
    main: (child) => {
      child.stdin.onReceived = (data) => child.stdout.send(data);
      child.stdin.onEnded = () => {
        for (const pipe of [child.stdout, child.stderr]) pipe.end();
        child.stdin.abort();
      };
      child.exit(0, { holding: [0, 1, 2] });
    },
  },
  /** Prints for ever, as fast as it is read. */
  babble: {
    script: 'exec yes',
    main: (child) => {
      child.stdout.send('y\n'.repeat(BABBLE_LINES));
    },
  },
  /** Closes its input, says so, and goes on until it is told not to. */
  closeInput: {
    script: 'exec 0<&-; printf closed; read line <&3',
    main: (child) => {
      child.stdin.abort();
      child.stdout.send('closed');
      whenToldTo(child, () => child.exit());
    },
  },
  /** Closes its output, and goes on until it is told not to. */
  closeOutput: {
    script: 'exec 1>&-; read line <&3',
    main: (child) => {
      child.stdout.end();
      whenToldTo(child, () => child.exit());
    },
  },
  /** Reads from its output, and says when that has ended. */
  readOutput: {
    script: 'cat <&1; printf ended >&2',
    main: (child) => {
      child.stdout.onEnded = () => {
        child.stderr.send('ended');
        child.exit();
      };
    },
  },
  /** Does not read its input until it is told to; ends with it. */
  sink: {
    script: 'read line <&3; exec cat >/dev/null',
    main: (child) => {
      child.stdin.pause();
      child.stdin.onEnded = () => child.exit();
      whenToldTo(child, () => child.stdin.resume());
    },
  },
  /** Prints to descriptor 4 what it reads from descriptor 3. */
  descriptors: {
    script: 'exec cat <&3 >&4',
    main: (child) => {
      child.pipe(3).onReceived = (data) => child.pipe(4).send(data);
      child.pipe(3).onEnded = () => child.exit();
    },
  },
} satisfies Record<string, TestProgram>;

export type ProgramName = keyof typeof PROGRAMS;

/** How `spawnProcess` is to be called for a program. */
export interface ProgramCall {
  readonly executable: string;
  readonly args: readonly string[];
}
