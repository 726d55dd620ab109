/** Finds out what a descriptor is where the system does not tell: by trying, in a child process. */
import { execFileSync } from 'node:child_process';
import type { UDPSocketFacts } from './descriptor.ts';
import { udpAddress } from './socket-addresses.ts';
import { systemError } from './make-system-error.ts';
import { toSystemError } from '../system-error.ts';

/** Far more than Node takes to start; a child that hangs must not hang its parent. */
const CHILD_MILLISECONDS = 10_000;

/**
 * The child has a duplicate, which is what Node cannot make in one process. It reads nothing: it has exited before its event loop turns.
 * For Node it does not matter here which family the socket is told to be of, until it sends.
 */
const PROGRAM = `
  const { writeSync } = require('node:fs');
  const socket = require('node:dgram').createSocket('udp4');
  try {
    socket.bind({ fd: 3 });
    writeSync(1, JSON.stringify(socket.address()));
  } catch (error) {
    writeSync(1, JSON.stringify({ code: error.code }));
  }
  process.exit();
`;

/**
 * What is at the descriptor of a socket of which nothing is known. Waits for the child. Throws `EPROTOTYPE` for what is no UDP socket, `EINVAL` for
 * one that is not bound, and what kept the child from being started.
 */
export function askChildForDatagrams(descriptor: number): UDPSocketFacts {
  const answer = runChild(descriptor);
  if (answer.address === undefined) throw systemError('EPROTOTYPE', `it is no UDP socket (${String(answer.code)})`);
  if (answer.port === 0) throw systemError('EINVAL', 'it is a UDP socket that is not bound');
  const family = answer.family === 'IPv6' ? 'IPv6' : 'IPv4';
  return { family, address: udpAddress(family, answer.address, answer.port) };
}

type Answer =
  | { readonly family: string; readonly address: string; readonly port: number }
  | { readonly address?: undefined; readonly code?: string };

function runChild(descriptor: number): Answer {
  try {
    const output = execFileSync(process.execPath, ['--eval', PROGRAM], {
      stdio: ['ignore', 'pipe', 'ignore', descriptor],
      encoding: 'utf8',
      timeout: CHILD_MILLISECONDS,
      // Options for the program are none for the child: one may load a module that prints.
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    // What the program above writes.
    return JSON.parse(output) as Answer;
  } catch (error) {
    throw toSystemError(error);
  }
}
