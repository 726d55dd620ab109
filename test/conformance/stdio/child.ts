/** The process in which a program of the suite runs on Node: `argv` names it, and the standard error is what it tells. */
import { createReactor } from 'ropewalk';
import { STDIO_PROGRAMS, type StdioProgramName } from './programs.ts';

const reactor = createReactor();
const tell = (text: string): void => void process.stderr.write(`${text}\n`);
STDIO_PROGRAMS[process.argv[2] as StdioProgramName]({ reactor, tell });
await reactor.run();
tell('ended');
