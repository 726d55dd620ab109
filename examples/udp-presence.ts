/**
 * Who is there? Each program says its name to a multicast group every five seconds, and lists those it has heard in the last
 * fifteen. Try it: `npm run example examples/udp-presence.ts alice`, and the same as bob in another terminal.
 */
import {
  createReactor,
  DatagramProtocol,
  type HookResult,
  type IPv4Address,
  LoopingCall,
  type ReactorTime,
} from 'ropewalk';
import { isMain } from './support/is-main.ts';

export const GROUP = '239.255.21.20';
export const PORT = 21220;
const ANNOUNCE_SECONDS = 5;
const FORGET_SECONDS = 15;

/** The longest name that is believed; a stranger may send anything. */
const NAME_BYTES_MAX = 64;

export class Presence extends DatagramProtocol {
  readonly #clock: ReactorTime;
  readonly #name: string;
  readonly #changed: (names: readonly string[]) => void;
  readonly #heardAt = new Map<string, number>();
  readonly #announcing: LoopingCall;

  /** `changed` is told who is there whenever somebody comes or goes. */
  constructor(clock: ReactorTime, name: string, changed: (names: readonly string[]) => void) {
    super();
    this.#clock = clock;
    this.#name = name;
    this.#changed = changed;
    this.#announcing = new LoopingCall(clock, () => this.#announce());
  }

  override startProtocol(): HookResult {
    return this.transport.joinGroup(GROUP).addCallback(() => {
      void this.#announcing.start(ANNOUNCE_SECONDS);
    });
  }

  override datagramReceived(data: Buffer, address: IPv4Address): void {
    if (data.length > NAME_BYTES_MAX) return;
    const name = `${data.toString()} at ${address.host}`;
    const isNew = !this.#heardAt.has(name);
    this.#heardAt.set(name, this.#clock.seconds());
    if (isNew) this.#tell();
  }

  override stopProtocol(): void {
    if (this.#announcing.running) this.#announcing.stop();
  }

  #announce(): void {
    this.transport.write(this.#name, { host: GROUP, port: PORT });
    const countBefore = this.#heardAt.size;
    for (const [name, heardAt] of this.#heardAt) {
      if (this.#clock.seconds() - heardAt >= FORGET_SECONDS) this.#heardAt.delete(name);
    }
    if (this.#heardAt.size < countBefore) this.#tell();
  }

  #tell(): void {
    this.#changed([...this.#heardAt.keys()].sort());
  }
}

export async function main(name = 'somebody'): Promise<void> {
  const reactor = createReactor();
  const presence = new Presence(reactor, name, (names) => console.log(names.join(', ')));
  reactor.listenMulticast(PORT, presence, { listenMultiple: true });
  await reactor.run(); // until Control-C
}

if (isMain(import.meta)) await main(process.argv[2]);
