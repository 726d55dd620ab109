/**
 * The load for the PING server: redis-benchmark where it is installed, else a generator of our own. Either keeps
 * `PIPELINE` requests under way on each of `CLIENTS` connections and ends after a number of requests.
 */
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { connect as connectTLS } from 'node:tls';
import { promisify } from 'node:util';

const CLIENTS = 50;
const run = promisify(execFile);

export interface Load {
  /** For the report. */
  readonly name: string;
  /** Sends so many requests, by TLS if asked to, and resolves when all have been answered. */
  apply(port: number, requests: number, pipeline: number, transport?: LoadTransport): Promise<void>;
}

/** The server's certificate is not looked at. */
export type LoadTransport = 'tcp' | 'tls';

export async function chooseLoad(): Promise<Load> {
  try {
    const { stdout } = await run('redis-benchmark', ['--version']);
    return { name: stdout.trim(), apply: applyRedisBenchmark };
  } catch {
    return { name: 'own generator (redis-benchmark is not installed)', apply: applyOwnGenerator };
  }
}

async function applyRedisBenchmark(
  port: number,
  requests: number,
  pipeline: number,
  transport: LoadTransport = 'tcp',
): Promise<void> {
  const security = transport === 'tls' ? ['--tls', '--insecure'] : [];
  const load = ['-t', 'ping_inline', '-n', String(requests), '-P', String(pipeline), '-c', String(CLIENTS), '-q'];
  await run('redis-benchmark', ['-h', '127.0.0.1', '-p', String(port), ...security, ...load]);
}

async function applyOwnGenerator(
  port: number,
  requests: number,
  pipeline: number,
  transport: LoadTransport = 'tcp',
): Promise<void> {
  const each = Math.ceil(requests / CLIENTS / pipeline);
  await Promise.all(Array.from({ length: CLIENTS }, () => runClient(port, each, pipeline, transport)));
}

/** Sends `batches` batches of `pipeline` requests, each when the one before it has been answered. */
function runClient(port: number, batches: number, pipeline: number, transport: LoadTransport): Promise<void> {
  const batch = 'PING\r\n'.repeat(pipeline);
  const answerBytes = '+PONG\r\n'.length * pipeline;
  return new Promise((resolve, reject) => {
    const address = { port, host: '127.0.0.1' };
    const socket = transport === 'tls' ? connectTLS({ ...address, rejectUnauthorized: false }) : connect(address);
    let batchesLeft = batches;
    let missingBytes = answerBytes;
    socket.on('error', reject);
    socket.on('close', () => {
      resolve();
    });
    socket.on('data', (data: Buffer) => {
      missingBytes -= data.length;
      if (missingBytes > 0) return;
      missingBytes += answerBytes;
      batchesLeft -= 1;
      if (batchesLeft > 0) socket.write(batch);
      else socket.end();
    });
    socket.write(batch);
  });
}
