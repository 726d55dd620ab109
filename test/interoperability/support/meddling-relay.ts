import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { LOOPBACK } from './running-reactor.ts';

/** Stands between a client and a server, and can do to their one connection what an attacker can. */
export class MeddlingRelay {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Socket[];

  private constructor(server: Server, sockets: Socket[]) {
    // What a server that listens on TCP has.
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    this.#sockets = sockets;
  }

  static async start(serverPort: number): Promise<MeddlingRelay> {
    const sockets: Socket[] = [];
    const server = createServer((client) => {
      const upstream = connect(serverPort, LOOPBACK);
      sockets.push(client, upstream);
      for (const socket of sockets) socket.on('error', () => socket.destroy());
      client.pipe(upstream);
      upstream.pipe(client);
    });
    server.listen(0, LOOPBACK);
    await once(server, 'listening');
    return new MeddlingRelay(server, sockets);
  }

  /** Has the client be sent a record that nobody has encrypted. */
  sendGarbage(): void {
    this.#sockets[0]?.write(Buffer.from('1703030020' + '5a'.repeat(32), 'hex'));
  }

  /** Ends the client's connection as if the server had, but for what TLS would say. */
  cutOff(): void {
    this.#sockets[0]?.end();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
