import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { PYTHON } from '../../support/python.ts';

/** The options of a UDP socket, as its system has them. */
export interface UDPOptions {
  readonly hops: number;
  readonly loopback: number;
  readonly broadcast: number;
  /** Where datagrams to groups leave: an address of IPv4, or the number of an interface. */
  readonly interface: string | number;
}

/** Node has no call that reads them, so another program does, which inherits the socket. */
const READER = `
import json, socket
inherited = socket.socket(fileno=3)
isIPv6 = inherited.family == socket.AF_INET6
level = socket.IPPROTO_IPV6 if isIPv6 else socket.IPPROTO_IP
def option(name, *size):
    return inherited.getsockopt(level, getattr(socket, ('IPV6_' if isIPv6 else 'IP_') + name), *size)
print(json.dumps({
    'hops': option('MULTICAST_HOPS' if isIPv6 else 'MULTICAST_TTL'),
    'loopback': option('MULTICAST_LOOP'),
    'broadcast': inherited.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST),
    'interface': option('MULTICAST_IF') if isIPv6 else socket.inet_ntoa(option('MULTICAST_IF', 4)),
}))
`;

/** Why they cannot be read here; undefined if they can. */
export function whyOptionsCannotBeRead(): string | undefined {
  if (process.platform !== 'linux') return 'a socket is looked for in /proc, which is Linux';
  const { error } = spawnSync(PYTHON, ['--version']);
  return error && 'there is no python3';
}

/** Of the one socket of this process that is bound to a port. */
export function readUDPOptions(port: number): UDPOptions {
  const link = `socket:[${inodeAt(port)}]`;
  const descriptor = readdirSync('/proc/self/fd').find((candidate) => linkOf(candidate) === link);
  if (descriptor === undefined) throw new Error(`no socket of this process is bound to ${port}`);
  const { stdout, stderr } = spawnSync(PYTHON, ['-I', '-S', '-c', READER], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe', Number(descriptor)],
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as UDPOptions;
}

/** The number under which the system has the socket: see proc(5). */
function inodeAt(port: number): string | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = ['udp', 'udp6'].flatMap((table) => readFileSync(`/proc/self/net/${table}`, 'utf8').split('\n'));
  return rows.map((row) => row.trim().split(/\s+/)).find((columns) => columns[1]?.endsWith(suffix))?.[9];
}

function linkOf(descriptor: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return undefined; // the one that has listed the directory
  }
}
