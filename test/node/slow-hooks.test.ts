import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { createReactor, DatagramProtocol, Factory, type Logger, Protocol, type Reactor } from 'ropewalk';
import { until } from './harness.ts';

const BLOCK_SECONDS = 1.05;
const CLIENT_COUNT = 20;
const TIMEOUT_MILLISECONDS = 20_000;

class Blocking extends Protocol {
  override dataReceived(data: Buffer): void {
    if (data.toString() === 'block') {
      const end = performance.now() + BLOCK_SECONDS * 1000;
      while (performance.now() < end);
    }
    this.transport.write(data);
  }
}

class Counting extends DatagramProtocol {
  count = 0;
  override datagramReceived(): void {
    this.count += 1;
  }
}

/** A logger that keeps warnings. */
function keepWarnings(warnings: [fields: object, message: string][]): Logger {
  const ignore = (): void => {};
  return {
    debug: ignore,
    info: ignore,
    error: ignore,
    warn: (fields, message) => void warnings.push([fields, message]),
  };
}

async function dial(reactor: Reactor, port: number): Promise<Socket> {
  const served = reactor.inspect().connections.length;
  const socket = connect(port, '127.0.0.1');
  await until(() => reactor.inspect().connections.length > served);
  return socket;
}

describe('A hook that blocks for a second', () => {
  it('is warned of by default, and nothing is lost of what happens meanwhile', async function () {
    this.timeout(TIMEOUT_MILLISECONDS);
    const warnings: [fields: object, message: string][] = [];
    const reactor = createReactor({ logger: keepWarnings(warnings) });
    const run = reactor.run({ installSignalHandlers: false });
    const listeningPort = reactor.listenTCP(0, Factory.forProtocol(Blocking), { interface: '127.0.0.1' });
    const counting = new Counting();
    const udpPort = await reactor.listenUDP(0, counting, { interface: '127.0.0.1' }).whenListening();
    await listeningPort.whenListening();
    const { port } = listeningPort.getHost() as { readonly port: number };
    const sockets: Socket[] = [];
    for (let count = 0; count < CLIENT_COUNT; count += 1) sockets.push(await dial(reactor, port));
    const texts = new Map<Socket, string>();
    const watch = (socket: Socket): void => {
      socket.on('data', (data: Buffer) => texts.set(socket, (texts.get(socket) ?? '') + data.toString()));
    };
    sockets.forEach(watch);
    const sender = createSocket('udp4');
    const called: string[] = [];

    sockets[0]?.write('block');
    for (const [index, socket] of sockets.entries()) if (index > 0) socket.write(`from ${index}`);
    for (let count = 0; count < CLIENT_COUNT; count += 1) sender.send('datagram', udpPort.getHost().port, '127.0.0.1');
    const late = connect(port, '127.0.0.1');
    watch(late);
    late.write('from another');
    reactor.callLater(0.01, () => called.push('delayed'));
    reactor.callLater(0.02, () => called.push('delayed more'));

    await until(() => texts.size === CLIENT_COUNT + 1 && counting.count === CLIENT_COUNT && called.length === 2);
    expect(sockets.map((socket) => texts.get(socket))).to.deep.equal(
      sockets.map((_, index) => (index === 0 ? 'block' : `from ${index}`)),
    );
    expect(texts.get(late)).to.equal('from another');
    expect(called).to.deep.equal(['delayed', 'delayed more']);
    expect(warnings).to.have.length(1);
    const [[fields, message] = [{}, '']] = warnings;
    expect(fields).to.include({ hook: 'dataReceived', owner: 'Blocking' });
    expect(fields).to.have.property('seconds').that.is.at.least(1);
    expect(message).to.contain('dataReceived of Blocking has kept everything else waiting for 1.');

    for (const socket of [...sockets, late]) socket.destroy();
    sender.close();
    await once(sender, 'close');
    reactor.stop();
    await run;
  });

  it('is called by the name of the user’s class, also in a context of its own', async function () {
    this.timeout(TIMEOUT_MILLISECONDS);
    const warnings: [fields: object, message: string][] = [];
    const logger = keepWarnings(warnings);
    const reactor = createReactor({ logger, slowHookSeconds: 0, captureContext: true });
    const run = reactor.run({ installSignalHandlers: false });
    const listeningPort = reactor.listenTCP(0, Factory.forProtocol(Blocking), { interface: '127.0.0.1' });
    await listeningPort.whenListening();
    const socket = await dial(reactor, (listeningPort.getHost() as { readonly port: number }).port);
    socket.write('hello');
    await once(socket, 'data');
    socket.destroy();
    reactor.stop();
    await run;
    const owners = warnings.map(([fields]) => ('hook' in fields && 'owner' in fields ? fields.owner : undefined));
    expect(owners).to.include('Blocking').and.not.include('Object');
  });
});
