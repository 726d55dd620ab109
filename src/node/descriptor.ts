/**
 * What a descriptor is, as far as that can be found out without taking it over.
 *
 * Node has no call that looks at a socket and leaves it alone: once it has opened a descriptor it closes it, also when
 * that was a mistake. So mistakes have to be seen before. Whether a descriptor is open, and a socket, `fstat` says
 * everywhere. The rest is in the tables of Linux under /proc, by the number of the socket's inode (proc(5)). A socket that is not
 * in them may be a good one all the same: a TCP socket that is bound and does not listen, a UDP socket that is not bound, one of another network
 * namespace, or one of another system than Linux. About those nothing is known here.
 */
import { Buffer } from 'node:buffer';
import { fstatSync, readFileSync } from 'node:fs';
import { endianness } from 'node:os';
import type { IPv4Address, IPv6Address } from '../addresses.ts';
import { toMappedAddress, udpAddress } from './socket-addresses.ts';
import { systemError } from './make-system-error.ts';

/** What is known about a socket. */
export type SocketFacts =
  | { readonly kind: 'tcp'; readonly state: SocketState }
  | { readonly kind: 'unix'; readonly state: SocketState; readonly path: string | undefined }
  | { readonly kind: 'udp'; readonly state: SocketState; readonly socket: UDPSocketFacts }
  /** None of these, and what it is instead. */
  | { readonly kind: 'other'; readonly description: string }
  | { readonly kind: 'unknown' };

/** What has to be known of a UDP socket to use it. */
export interface UDPSocketFacts {
  /** The family of the socket. One of IPv6 that is bound to a mapped address has an address of IPv4. */
  readonly family: 'IPv4' | 'IPv6';
  readonly address: IPv4Address | IPv6Address;
}

/** `bound`: neither of the others yet. */
export type SocketState = 'listening' | 'connected' | 'bound';

/** States in the tables of TCP (the kernel's tcp_states.h). */
const TCP_LISTEN = '0A';
const TCP_ESTABLISHED = '01';

/** Of an address of IPv4 in the tables. */
const IPV4_DIGITS = 8;

/** The first 12 bytes of an address of IPv4 as IPv6 has it (RFC 4291, section 2.5.5.2). */
const IPV4_MAPPED: Buffer = Buffer.from('00000000000000000000ffff', 'hex');

/** Of the table of UNIX sockets (net.h). */
const UNIX_ACCEPTS_CONNECTIONS = 0x10000;
const UNIX_CONNECTED = '03';
const UNIX_TYPES: ReadonlyMap<string, string> = new Map([
  ['0002', 'a UNIX socket for datagrams'],
  ['0005', 'a UNIX socket for sequenced packets'],
]);

/** What a table writes in front of a name that has no file, for the NUL that is there. */
const ABSTRACT_MARK = '@';

/** Throws the system's error for a descriptor that is not open (EBADF), or is no socket (ENOTSOCK). */
export function describeSocket(descriptor: number): SocketFacts {
  const status = fstatSync(descriptor);
  if (!status.isSocket()) throw systemError('ENOTSOCK', 'it is no socket');
  const inode = String(status.ino);
  return unixSocket(inode) ?? tcpSocket(inode) ?? udpSocket(inode) ?? { kind: 'unknown' };
}

function unixSocket(inode: string): SocketFacts | undefined {
  // Num RefCount Protocol Flags Type St Inode [Path]; a path may have blanks in it.
  const row = tableRows('unix').find((line) => columns(line)[6] === inode);
  if (row === undefined) return undefined;
  const [, , , flags = '', type = '', state] = columns(row);
  const description = UNIX_TYPES.get(type);
  if (description !== undefined) return { kind: 'other', description };
  const isListening = (Number.parseInt(flags, 16) & UNIX_ACCEPTS_CONNECTIONS) !== 0;
  const path = /^\s*(?:\S+\s+){6}\S+ (.+)$/s.exec(row)?.[1];
  return {
    kind: 'unix',
    state: isListening ? 'listening' : state === UNIX_CONNECTED ? 'connected' : 'bound',
    path: path?.startsWith(ABSTRACT_MARK) ? `\0${path.slice(ABSTRACT_MARK.length)}` : path,
  };
}

function tcpSocket(inode: string): SocketFacts | undefined {
  const row = internetSocket(['tcp', 'tcp6'], inode);
  return row && { kind: 'tcp', state: row[3] === TCP_LISTEN ? 'listening' : 'connected' };
}

function udpSocket(inode: string): SocketFacts | undefined {
  const row = internetSocket(['udp', 'udp6'], inode);
  if (row === undefined) return undefined;
  const [, local = '', , state] = row;
  const [host = '', port = ''] = local.split(':');
  const family = host.length > IPV4_DIGITS ? 'IPv6' : 'IPv4';
  const bytes = networkOrder(host);
  const name = family === 'IPv4' ? [...bytes].join('.') : ipv6Literal(bytes);
  return {
    kind: 'udp',
    // What UDP sockets with a peer are called too.
    state: state === TCP_ESTABLISHED ? 'connected' : 'bound',
    socket: { family, address: udpAddress(family, name, Number.parseInt(port, 16)) },
  };
}

/** The tables write an address as words of 32 bits, each as the processor has it. */
function networkOrder(host: string): Buffer {
  const bytes = Buffer.from(host, 'hex');
  return endianness() === 'LE' ? bytes.swap32() : bytes;
}

function ipv6Literal(bytes: Buffer): string {
  const isMapped = bytes.subarray(0, 12).equals(IPV4_MAPPED);
  if (isMapped) return toMappedAddress([...bytes.subarray(12)].join('.'));
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** Its columns: sl local_address rem_address st queues timer retransmits uid timeout inode … */
function internetSocket(tables: readonly string[], inode: string): string[] | undefined {
  for (const table of tables) {
    const row = tableRows(table).find((line) => columns(line)[9] === inode);
    if (row !== undefined) return columns(row);
  }
  return undefined;
}

/** Empty where there are no such tables, or where they may not be read. */
function tableRows(table: string): string[] {
  try {
    return readFileSync(`/proc/self/net/${table}`, 'utf8').split('\n').slice(1);
  } catch {
    return [];
  }
}

function columns(row: string): string[] {
  return row.trim().split(/\s+/);
}
