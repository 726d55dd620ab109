import { fileURLToPath } from 'node:url';
import type { Protocol, TLSOptions } from 'ropewalk';
import type { CertificateFiles } from './certificate-files.ts';
import { Child } from './child.ts';
import { LOOPBACK, type RunningReactor } from './running-reactor.ts';
import { TWISTED } from './require-peer.ts';

const PROGRAM = fileURLToPath(new URL('../twisted/peer.py', import.meta.url));
const TLS_PROGRAM = fileURLToPath(new URL('../twisted/tls_peer.py', import.meta.url));

/** Which side Twisted is on. */
export type Role = 'server' | 'client';

/** A process with a Twisted reactor. Its protocols are in `twisted/protocols.py`. */
export class TwistedPeer {
  readonly #child: Child;
  readonly #ports: ReadonlyMap<string, number>;

  private constructor(child: Child, ports: ReadonlyMap<string, number>) {
    this.#child = child;
    this.#ports = ports;
  }

  static start(): Promise<TwistedPeer> {
    return TwistedPeer.#start([PROGRAM]);
  }

  /** One that speaks TLS, and whom the certificates of the tests belong to. */
  static startTLS({ caFile, server, client, bothIn }: CertificateFiles): Promise<TwistedPeer> {
    return TwistedPeer.#start([TLS_PROGRAM, caFile, bothIn(server), bothIn(client)]);
  }

  static async #start(program: readonly string[]): Promise<TwistedPeer> {
    const child = Child.start(TWISTED.command, ['-B', ...program]); // -B: leaves no compiled files behind
    try {
      const ports = new Map<string, number>();
      for (;;) {
        const [, name, port] = await child.line(/^(?:serving (\S+) (\d+)|ready)$/);
        if (name === undefined) return new TwistedPeer(child, ports);
        ports.set(name, Number(port));
      }
    } catch (error) {
      await child.kill();
      throw error;
    }
  }

  get log(): string {
    return this.#child.log;
  }

  /** Joins one of its protocols and ours by a connection, Twisted being on that side of it. */
  async join(role: Role, name: string, running: RunningReactor, ours: Protocol): Promise<void> {
    if (role === 'client') this.connect(name, await running.serve(() => ours));
    else await running.connect(this.port(name), ours);
  }

  /** The same by TLS. */
  async joinTLS(role: Role, name: string, running: RunningReactor, ours: Protocol, tls: TLSOptions): Promise<void> {
    if (role === 'client') this.connect(name, await running.serveTLS(() => ours, tls));
    else await running.connectTLS(this.port(name), ours, tls);
  }

  /** Where it serves the protocol. */
  port(name: string): number {
    const port = this.#ports.get(name);
    if (port === undefined) throw new Error(`Twisted serves no ${name} on ${LOOPBACK}`);
    return port;
  }

  /** Has one of its protocols connect; by TLS it wants a certificate for `host`. */
  connect(name: string, port: number, host: string = 'localhost'): void {
    this.#child.send(`connect ${name} ${port} ${host}\n`);
  }

  /** Waits until the protocol tells the event, and returns its details. */
  async told(role: Role, name: string, event: string): Promise<string> {
    const [, details = ''] = await this.#child.line(new RegExp(`^${role} ${name} ${event}(?: (.*))?$`));
    return details;
  }

  /** Whether the protocol has told the event by now, after those that were waited for. */
  hasTold(role: Role, name: string, event: string): boolean {
    return this.#child.hasLine(new RegExp(`^${role} ${name} ${event}( |$)`));
  }

  /** Lets `reads-when-told` read. */
  read(): void {
    this.#child.send('read\n');
  }

  kill(): Promise<void> {
    return this.#child.kill();
  }
}
