import { DatagramProtocol, type IPv4Address, type IPv6Address, type UDPPort } from 'ropewalk';
import { Changes } from './changes.ts';
import { LOOPBACK, type RunningReactor } from './running-reactor.ts';

/** A datagram protocol on our side of the wire: remembers what arrives, and lets a test wait for it. */
export class DatagramWitness extends DatagramProtocol {
  readonly received: { readonly data: Buffer; readonly address: IPv4Address | IPv6Address }[] = [];
  refusals = 0;
  readonly #react: (self: DatagramWitness, data: Buffer, address: IPv4Address | IPv6Address) => void;
  readonly #changes = new Changes();

  constructor(react: (self: DatagramWitness, data: Buffer, address: IPv4Address | IPv6Address) => void = () => {}) {
    super();
    this.#react = react;
  }

  /** One that sends back what it gets. */
  static echo(): DatagramWitness {
    return new DatagramWitness((self, data, address) => self.transport.write(data, address));
  }

  get texts(): readonly string[] {
    return this.received.map(({ data }) => data.toString());
  }

  until(condition: () => boolean): Promise<void> {
    return this.#changes.until(condition);
  }

  override datagramReceived(data: Buffer, address: IPv4Address | IPv6Address): void {
    this.received.push({ data, address });
    this.#react(this, data, address);
    this.#changes.happened();
  }

  override connectionRefused(): void {
    this.refusals += 1;
    this.#changes.happened();
  }
}

/** Opens a free port of the loopback with the protocol, and waits until it is bound. */
export async function openUDP(running: RunningReactor, protocol: DatagramProtocol): Promise<UDPPort> {
  const port = running.reactor.listenUDP(0, protocol, { interface: LOOPBACK });
  await port.whenListening();
  return port;
}
