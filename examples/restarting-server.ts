/**
 * A server that can be replaced by a newer version of itself while clients go on connecting. It serves a socket that it was
 * started with. On SIGHUP it starts its successor with the same socket; once that listens, it takes no more connections,
 * and ends with the last of those it has. Try it:
 *
 *     systemd-socket-activate -l 127.0.0.1:21212 node --conditions=ropewalk-source --import=tsx examples/restarting-server.ts
 *     nc 127.0.0.1 21212
 */
import { spawn } from 'node:child_process';
import {
  AdoptedStreamServerEndpoint,
  createReactor,
  Factory,
  type ListeningPort,
  Protocol,
  type Reactor,
} from 'ropewalk';
import { isMain } from './support/is-main.ts';

/** Where the socket is, here and in every successor. */
const LISTENING_SOCKET = 3;

/** Says who it is, and sends back what it gets. */
class Greeting extends Protocol {
  declare factory: GreetingFactory;

  override connectionMade(): void {
    this.factory.connections.add(this);
    this.transport.write(`process ${String(process.pid)}\n`);
  }

  override dataReceived(data: Buffer): void {
    this.transport.write(data);
  }

  override connectionLost(): void {
    this.factory.connections.delete(this);
    this.factory.stopIfIdle();
  }
}

class GreetingFactory extends Factory {
  readonly connections = new Set<Greeting>();
  readonly #reactor: Reactor;
  #state: 'serving' | 'leaving' = 'serving';

  constructor(reactor: Reactor) {
    super();
    this.#reactor = reactor;
  }

  override buildProtocol(): Greeting {
    const protocol = new Greeting();
    protocol.factory = this;
    return protocol;
  }

  /** Its port has closed: there are no new connections from here on. */
  override stopFactory(): void {
    this.#state = 'leaving';
    this.stopIfIdle();
  }

  stopIfIdle(): void {
    if (this.#state === 'leaving' && this.connections.size === 0 && this.#reactor.running) this.#reactor.stop();
  }
}

function startSuccessor(port: ListeningPort): void {
  const successor = spawn(process.execPath, [...process.execArgv, import.meta.filename], {
    stdio: ['inherit', 'inherit', 'inherit', LISTENING_SOCKET, 'ipc'],
  });
  successor.once('message', () => {
    successor.disconnect();
    successor.unref();
    void port.stopListening();
  });
}

export async function main(): Promise<void> {
  const reactor = createReactor();
  const port = await new AdoptedStreamServerEndpoint(reactor, LISTENING_SOCKET).listen(new GreetingFactory(reactor));
  process.once('SIGHUP', () => startSuccessor(port));
  process.send?.('listening');
  await reactor.run();
}

if (isMain(import.meta)) await main();
