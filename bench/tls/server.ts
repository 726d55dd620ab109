/**
 * One server of the comparison, in a process of its own: `server.ts ropewalk|ropewalk-duplex|node-tls`. */
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { createReactor, Factory, nodeTLS, Protocol, type TLSEngine, type TLSOptions } from 'ropewalk';
import { generate } from 'selfsigned';
import { PingAnswers } from '../ping/ping-answers.ts';
import { reportUsage } from '../support/report-usage.ts';

const BACKLOG = 511;

class PingProtocol extends Protocol {
  readonly #answers = new PingAnswers((reply) => this.transport.write(reply));

  override dataReceived(data: Buffer): void {
    this.#answers.receive(data);
  }
}

async function serveWithRopewalk(engine: TLSEngine, tls: TLSOptions): Promise<number> {
  const reactor = createReactor({ tls: engine });
  const options = { interface: '127.0.0.1', backlog: BACKLOG };
  const port = reactor.listenTLS(0, Factory.forProtocol(PingProtocol), tls, options);
  await port.whenListening();
  void reactor.run();
  const address = port.getHost();
  if (!('port' in address)) throw new Error('listening on something that has no port');
  return address.port;
}

async function serveWithNode(tls: { readonly key: string; readonly cert: string }): Promise<number> {
  const server = createServer({ ...tls, minVersion: 'TLSv1.2' }, (socket) => {
    socket.setNoDelay(true);
    const answers = new PingAnswers((reply) => socket.write(reply));
    socket.on('data', (data: Buffer) => {
      answers.receive(data);
    });
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', BACKLOG, resolve));
  // A server bound to an address has one with a port.
  return (server.address() as AddressInfo).port;
}

const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec' });
const tls = { key, cert };

async function serve(): Promise<number> {
  switch (process.argv[2]) {
    case 'ropewalk':
      return serveWithRopewalk(nodeTLS(), tls);
    case 'ropewalk-duplex':
      return serveWithRopewalk(nodeTLS({ detectTruncation: true }), tls);
    default:
      return serveWithNode(tls);
  }
}

reportUsage(await serve());
