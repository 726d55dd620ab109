/** One server of the comparison, in a process of its own: `server.ts ropewalk|node-net`. */
import { createServer, type AddressInfo } from 'node:net';
import { createReactor, Factory, Protocol } from 'ropewalk';
import { reportUsage } from '../support/report-usage.ts';
import { PingAnswers } from './ping-answers.ts';

class PingProtocol extends Protocol {
  readonly #answers = new PingAnswers((reply) => this.transport.write(reply));

  override dataReceived(data: Buffer): void {
    this.#answers.receive(data);
  }
}

async function serveWithRopewalk(): Promise<number> {
  const reactor = createReactor();
  const port = reactor.listenTCP(0, Factory.forProtocol(PingProtocol), { interface: '127.0.0.1', backlog: 511 });
  await port.whenListening();
  void reactor.run();
  const address = port.getHost();
  if (!('port' in address)) throw new Error('listening on something that has no port');
  return address.port;
}

async function serveWithNodeNet(): Promise<number> {
  const server = createServer((socket) => {
    const answers = new PingAnswers((reply) => socket.write(reply));
    socket.on('data', (data) => {
      answers.receive(data);
    });
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 511, resolve));
  // A server bound to an address has one with a port.
  return (server.address() as AddressInfo).port;
}

reportUsage(await (process.argv[2] === 'ropewalk' ? serveWithRopewalk() : serveWithNodeNet()));
