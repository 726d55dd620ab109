/** TLS that begins when the connection has broken already, while nobody was reading. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect } from 'chai';
import { IPv4Address, nodeTLS, type SystemError, type TLSRole } from 'ropewalk';
import { DataEventSource } from '../../../src/node/byte-source.ts';
import { NodeLingering } from '../../../src/node/linger.ts';
import { TCPStreamHandle } from '../../../src/node/node-stream-handle.ts';
import { testCertificates } from '../../support/certificates.ts';

const { server: SERVER, ca } = await testCertificates();
const ADDRESS = new IPv4Address('TCP', '127.0.0.1', 1);
const ignore = (): void => undefined;

/** An accepted, paused connection, which its peer has reset. */
async function resetConnection(): Promise<TCPStreamHandle> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  const handle = new TCPStreamHandle({
    socket,
    source: new DataEventSource(socket),
    localAddress: ADDRESS,
    remoteAddress: ADDRESS,
    linger: new NodeLingering(),
  });
  const listener = { dataReceived: ignore, endReceived: ignore, written: ignore, shutDown: ignore, failed: ignore };
  handle.open(listener);
  handle.resumeReading();
  handle.pauseReading();
  // Node reads on until it has something that nobody takes.
  client.resetAndDestroy();
  await new Promise((resolve) => socket.once('close', resolve));
  return handle;
}

describe('TLS on a connection that has been reset while paused', () => {
  for (const role of ['client', 'server'] satisfies TLSRole[]) {
    it(`fails at once, as a ${role}`, async () => {
      const options = role === 'client' ? { ca } : SERVER;
      const handle = nodeTLS().secure(await resetConnection(), { role, options, servername: 'localhost' }, undefined);
      const error = await new Promise<SystemError>((resolve) => {
        handle.open({
          dataReceived: ignore,
          endReceived: ignore,
          written: ignore,
          shutDown: ignore,
          handshakeCompleted: ignore,
          failed: resolve,
        });
      });
      expect(error.code).to.equal('ECONNRESET');
    });
  }
});
