/**
 * The PING server of bench/ping over TLS: on Ropewalk, in both ways in which it speaks TLS, and on `node:tls`. Measured is
 * the CPU time that the server's process uses for one request, and for one connection, handshake and all.
 */
import { chooseLoad } from '../ping/load.ts';
import { compare, MeasuredServer, total, type Usage } from '../support/measured-server.ts';
import { type HandshakeKind, shakeHands } from './handshakes.ts';

const PROGRAM = new URL('server.ts', import.meta.url);
const ROUNDS = 5;
const WARM_UP_REQUESTS = 50_000;
const REQUEST_CASES = [
  { pipeline: 1, requests: 50_000 },
  { pipeline: 16, requests: 400_000 },
] as const;
const HANDSHAKES = 1_000;
const WARM_UP_HANDSHAKES = 500;
const HANDSHAKE_KINDS: readonly HandshakeKind[] = ['full', 'resumed'];

export async function benchTLS(): Promise<void> {
  const load = await chooseLoad();
  const servers = ['ropewalk', 'ropewalk-duplex', 'node-tls'].map((name) => new MeasuredServer(PROGRAM, name));
  try {
    for (const server of servers) {
      await server.start();
      await load.apply(server.port, WARM_UP_REQUESTS, 16, 'tls');
      await shakeHands(server.port, WARM_UP_HANDSHAKES, 'full');
    }
    console.log(`PING server over TLS, CPU time of the server per request. Load: ${load.name}, 50 connections.`);
    for (const { pipeline, requests } of REQUEST_CASES) {
      const usages = await compare(servers, ROUNDS, requests, ({ port }) =>
        load.apply(port, requests, pipeline, 'tls'),
      );
      report(`pipeline ${String(pipeline).padStart(2)}`, servers, usages, ({ name }, usage) => {
        return `${name} ${total(usage).toFixed(2)} µs (${usage.user.toFixed(2)} user)`;
      });
    }
    console.log('Connections with one request each, CPU time of the server per connection.');
    for (const kind of HANDSHAKE_KINDS) {
      const usages = await compare(servers, ROUNDS, HANDSHAKES, ({ port }) => shakeHands(port, HANDSHAKES, kind));
      report(kind.padEnd(8), servers, usages, ({ name }, usage) => {
        return `${name} ${total(usage).toFixed(0)} µs, ${(1e6 / total(usage)).toFixed(0)} a second of CPU`;
      });
    }
  } finally {
    for (const server of servers) server.stop();
  }
}

/** One line: each server, and how many times as much the last one needs. */
function report(
  what: string,
  servers: readonly MeasuredServer[],
  usages: readonly Usage[],
  describe: (server: MeasuredServer, usage: Usage) => string,
): void {
  const peer = usages.at(-1);
  if (peer === undefined) throw new Error('nothing was measured');
  const parts = servers.map((server, index) => {
    const usage = usages[index] ?? peer;
    const ratio = usage === peer ? '' : `, node-tls / it = ${(total(peer) / total(usage)).toFixed(2)}`;
    return `${describe(server, usage)}${ratio}`;
  });
  console.log(`  ${what}: ${parts.join('; ')}`);
}
