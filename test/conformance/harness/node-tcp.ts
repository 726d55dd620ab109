import type { Socket } from 'node:net';
import { resetSocket } from '../../../src/node/reset-socket.ts';
import { repetitions } from '../../support/repetitions.ts';
import type { Feature, ServeOptions } from '../harness.ts';
import type { NodeKind } from './node-kind.ts';
import { connectRaw, NodePeer, NodePeerServer, rawParts, tcpAddresses } from './node-peers.ts';
import { hostAndPort, TCP_CALLS } from './reactor-calls.ts';
import { UnansweringServer } from './unanswering-server.ts';

const FEATURES: Feature[] = ['resets'];
// The way in which the harness makes a port that does not answer is Linux's.
if (process.platform === 'linux') FEATURES.push('unanswered-connects');

/** TCP on the loopback. */
export const NODE_TCP: NodeKind = {
  ...TCP_CALLS,
  name: 'TCP on Node',
  features: FEATURES,
  manyCount: repetitions({ usually: 1000, thoroughly: 10_000 }),
  platformOptions: {},
  dial: async (destination, options) => tcpPeer(await connectRaw(hostAndPort(destination), options), options),
  serve: async (place, options, until) => {
    if (options.answer === 'ignore') return UnansweringServer.listen();
    const server = await NodePeerServer.listen(hostAndPort(place), (socket) => tcpPeer(socket, options), until);
    if (options.answer === 'refuse') await server.stop();
    return server;
  },
};

/** The same with reactors that read by 'data' events. */
export const NODE_TCP_BY_DATA_EVENTS: NodeKind = {
  ...NODE_TCP,
  name: `${NODE_TCP.name}, read by data events`,
  manyCount: 200,
  platformOptions: { reading: 'data' },
};

function tcpPeer(socket: Socket, options: ServeOptions): NodePeer {
  const abort = (): void => {
    resetSocket(socket);
  };
  return new NodePeer({ ...rawParts(socket), ...tcpAddresses(socket), abort }, options);
}
