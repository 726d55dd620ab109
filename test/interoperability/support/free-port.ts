import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { LOOPBACK } from './running-reactor.ts';

/** A port of this machine on which nobody listens, for a program that has to be told one. Somebody may take it first. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // what a server on TCP has
  server.close();
  await once(server, 'close');
  return port;
}
