/**
 * The program that `DescriptorSource` runs: opens the sockets it is asked for and sends their handles. It keeps the far
 * ends of connections, which send back what they get, and do what they are told.
 */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { linkSync, renameSync } from 'node:fs';
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';

interface OpenRequest {
  readonly open: 'listening' | 'connected';
  readonly where: ListenOptions;
}

/** A UDP socket, connected to itself if it is to be. */
interface DatagramsRequest {
  readonly open: 'datagrams';
  readonly family: 'udp4' | 'udp6';
  readonly host: string;
  readonly isConnected?: boolean;
}

/** What the far end of a connection may do: send a FIN, close both halves, or reset the connection. */
export type FarEndAction = 'end' | 'close' | 'reset';

/** What may be asked for. */
export type SocketRequest = OpenRequest | DatagramsRequest | { readonly farEnd: FarEndAction };

let farEnd: Socket | undefined;

async function listen(where: ListenOptions): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(where);
  await once(server, 'listening');
  return server;
}

/** The accepted end of a connection. */
async function connected(where: ListenOptions): Promise<Socket> {
  const server = await listen(where);
  const address = server.address();
  if (address === null) throw new Error('the server does not listen');
  const socket = typeof address === 'string' ? connect(address) : connect(address.port, address.address);
  socket.on('data', (data) => void socket.write(data));
  socket.on('error', () => {});
  farEnd = socket;
  const [accepted] = (await once(server, 'connection')) as [Socket];
  server.close();
  return accepted;
}

/** The handle inside, which is sent as it is, too. */
function handleOf(socket: DatagramSocket): Socket {
  const state = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  if (state === undefined) throw new Error('Node keeps the handle elsewhere now');
  return (socket as unknown as Record<symbol, { readonly handle: Socket }>)[state]!.handle;
}

async function serveDatagrams({ family, host, isConnected = false }: DatagramsRequest): Promise<void> {
  const socket = createSocket(family);
  socket.bind(0, host);
  await once(socket, 'listening');
  if (isConnected) {
    socket.connect(socket.address().port, host);
    await once(socket, 'connect');
  }
  process.send?.('opened', handleOf(socket), {}, () => socket.close());
}

function act(action: FarEndAction): void {
  switch (action) {
    case 'end':
      farEnd?.end();
      return;
    case 'close':
      farEnd?.destroy();
      return;
    case 'reset':
      farEnd?.resetAndDestroy();
  }
}

async function serve(request: SocketRequest): Promise<void> {
  if ('farEnd' in request) {
    act(request.farEnd);
    process.send?.('done');
    return;
  }
  if (request.open === 'datagrams') {
    await serveDatagrams(request);
    return;
  }
  const socket = request.open === 'listening' ? await listen(request.where) : await connected(request.where);
  // A server or a socket would be made whole again at the other end, and would then be in use there. The handle is sent as
  // it is, which @types/node does not know of, and closed here once it has been.
  const { _handle: handle } = socket as unknown as { readonly _handle: Socket & { close(): void } };
  process.send?.('opened', handle, {}, () => closeButKeepFile(handle, request));
}

/** Node removes the file of a UNIX socket that it listens on, when that closes. */
function closeButKeepFile(handle: { close(): void }, { open, where: { path } }: OpenRequest): void {
  const isFile = open === 'listening' && path !== undefined && !path.startsWith('\0');
  if (isFile) linkSync(path, `${path}~`);
  handle.close();
  if (isFile) renameSync(`${path}~`, path);
}

process.on('message', (request: SocketRequest) => void serve(request));
