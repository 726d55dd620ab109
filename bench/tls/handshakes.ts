/** The load of handshakes: connections that are made, asked one PING, and closed by the client. */
import { connect, type TLSSocket } from 'node:tls';

/** So many at once. */
const CLIENTS = 8;

export type HandshakeKind = 'full' | 'resumed';

/** Makes so many connections, and resolves when all of them are closed. */
export async function shakeHands(port: number, count: number, kind: HandshakeKind): Promise<void> {
  const session = kind === 'resumed' ? await firstSession(port) : undefined;
  let left = count;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const socket = open(port, session);
      socket.once('secureConnect', () => {
        if (session !== undefined && !socket.isSessionReused()) socket.destroy(new Error('no session was resumed'));
      });
      await pingOnce(socket);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

function open(port: number, session: Buffer | undefined): TLSSocket {
  return connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...(session !== undefined && { session }) });
}

/** A ticket comes before the first answer. */
async function firstSession(port: number): Promise<Buffer> {
  const socket = open(port, undefined);
  let session: Buffer | undefined;
  socket.on('session', (ticket) => {
    session = ticket;
  });
  await pingOnce(socket);
  if (session === undefined) throw new Error('the server gives no tickets');
  return session;
}

function pingOnce(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => {
      resolve();
    });
    socket.on('data', () => socket.end());
    socket.write('PING\r\n');
  });
}
