import { requireMethods } from '../arguments.ts';
import { UnsupportedError } from '../errors.ts';
import type { StreamProtocol } from '../interfaces/protocol.ts';
import { Connection } from './connection.ts';
import { EarlyRequests } from './early-requests.ts';
import type { ReactorParts } from './reactor-parts.ts';

/** Connects a protocol with the standard input and output, in the next turn. */
export function openStdio(parts: ReactorParts, protocol: StreamProtocol): Connection {
  requireMethods('protocol', protocol, ['makeConnection', 'dataReceived', 'connectionLost']);
  const { stdio, name } = parts.platform;
  if (stdio === undefined) throw new UnsupportedError(`openStdio: the platform ${name} has no input and output`);
  const connection = new StdioConnection(
    parts,
    stdio.open(),
    parts.contexts?.bindObject(protocol) ?? protocol,
    () => undefined,
  );
  parts.loop.callSoon(() => {
    connection.start();
  });
  return connection;
}

/** A connection that is handed out before it has begun. To be closed is the one thing it has to be asked for again then. */
class StdioConnection extends Connection {
  readonly #early = new EarlyRequests();

  override start(): void {
    super.start();
    for (const { run } of this.#early.end()) run();
  }

  // Whatever has been asked of it by then ends the output.

  override write(data: Uint8Array | string): boolean {
    return !this.#early.isAsked && super.write(data);
  }

  override writeSequence(pieces: Iterable<Uint8Array | string>): boolean {
    return !this.#early.isAsked && super.writeSequence(pieces);
  }

  override loseConnection(): void {
    this.#early.askOnce('loseConnection', () => super.loseConnection());
  }

  override abortConnection(): void {
    this.#early.askOnce('abortConnection', () => super.abortConnection());
  }

  override loseWriteConnection(): void {
    this.#early.askOnce('loseWriteConnection', () => super.loseWriteConnection());
  }

  override toString(): string {
    return 'connection to the standard input and output';
  }
}
