/**
 * A service that is started with its sockets open already. It serves each listening one, answering each connection with the
 * name of the socket and what it is sent, until a connection says `stop`. Called with the number of a descriptor, or
 * with `connection`, it serves one connection instead, as inetd's services do, and ends with it.
 */
import { fstatSync } from 'node:fs';
import { AdoptedStreamServerEndpoint, createReactor, Factory, ListenFDs, Protocol } from 'ropewalk';

const reactor = createReactor();

/** Answers, and tells what has become of it. */
class Answering extends Protocol {
  readonly #name: string;
  readonly #stopsReactor: boolean;

  constructor(name: string, stopsReactor: boolean) {
    super();
    this.#name = name;
    this.#stopsReactor = stopsReactor;
  }

  override connectionMade(): void {
    this.transport.write(`${this.#name}, from ${String(this.transport.getHost())}: `);
  }

  override dataReceived(data: Buffer): void {
    if (data.toString() === 'stop') {
      reactor.stop();
      return;
    }
    this.transport.write(data);
    this.transport.loseConnection();
  }

  override connectionLost(): void {
    if (this.#stopsReactor) reactor.stop();
  }
}

class AnsweringFactory extends Factory {
  readonly #build: () => Answering;

  constructor(name: string, stopsReactor = false) {
    super();
    this.#build = () => new Answering(name, stopsReactor);
  }

  override buildProtocol(): Answering {
    return this.#build();
  }
}

function isOpen(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isSocket();
  } catch {
    return false;
  }
}

const inherited = ListenFDs.fromEnvironment();
const [, , mode] = process.argv;

if (mode === undefined) {
  for (const [name, descriptors] of inherited.inheritedNamedDescriptors()) {
    for (const descriptor of descriptors) {
      const port = await new AdoptedStreamServerEndpoint(reactor, descriptor).listen(new AnsweringFactory(name));
      console.error(`serving ${name} at ${String(port.getHost())}`);
    }
  }
} else {
  const [connection = Number(mode)] = inherited.inheritedDescriptors();
  reactor.adoptStreamConnection(connection, new AnsweringFactory(mode, true));
}

await reactor.run();
const left = inherited.inheritedDescriptors().filter(isOpen);
console.error(`ended with ${left.length} descriptors open, ${process.env['LISTEN_FDS'] ?? 'none'} in the environment`);
