import { renameSync } from 'node:fs';
import type { Socket } from 'node:net';
import { type Address, UNIXAddress } from 'ropewalk/core';
import type { ServeOptions } from '../harness.ts';
import type { NodeKind, RawServer, Until } from './node-kind.ts';
import { connectRaw, NodePeer, NodePeerServer, type PeerParts, rawParts } from './node-peers.ts';
import { pathOf, UNIX_CALLS } from './reactor-calls.ts';

/** The end that connects has no name. */
export const UNNAMED = new UNIXAddress(undefined);

/** UNIX sockets at paths. An attempt cannot be left without an answer: where the queue is full, Linux fails it at once. */
export const NODE_UNIX: NodeKind = {
  ...UNIX_CALLS,
  name: 'UNIX sockets on Node',
  features: [],
  manyCount: 200,
  platformOptions: {},
  dial: async (destination, options) => {
    const socket = await connectRaw({ path: pathOf(destination) }, options);
    return unixPeer(socket, { host: UNNAMED, peer: destination }, options);
  },
  serve: (place, options, until) => {
    const toPeer = (socket: Socket): NodePeer => unixPeer(socket, { host: place, peer: UNNAMED }, options);
    return serveUNIX(place, toPeer, options.answer, until);
  },
};

/** A raw server at a path; one that refuses has left its file there. */
export async function serveUNIX(
  place: Address,
  toPeer: (socket: Socket) => NodePeer,
  answer: ServeOptions['answer'],
  until: Until,
): Promise<RawServer> {
  const server = await NodePeerServer.listen({ path: pathOf(place) }, toPeer, until);
  if (answer === 'refuse') await leaveBehind(server, place);
  return server;
}

function unixPeer(socket: Socket, addresses: Pick<PeerParts, 'host' | 'peer'>, options: ServeOptions): NodePeer {
  const abort = (): void => {
    socket.destroy();
  };
  return new NodePeer({ ...rawParts(socket), ...addresses, abort }, options);
}

/** Stops a server as if its process had died: its file stays. libuv removes the file it made, unless it is elsewhere. */
async function leaveBehind(server: NodePeerServer, place: Address): Promise<void> {
  const path = pathOf(place);
  renameSync(path, `${path}.aside`);
  await server.stop();
  renameSync(`${path}.aside`, path);
}
