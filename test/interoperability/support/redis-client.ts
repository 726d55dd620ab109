import { Buffer } from 'node:buffer';
import { ClientFactory, type Connector, Deferred, type Failure, Protocol } from 'ropewalk';
import { Changes } from './changes.ts';

/** What a reply is made of here: a status, a number, a value or none. */
export type Reply = string | number | Buffer | null;

export class RedisError extends Error {}

const CRLF = Buffer.from('\r\n');

/** As much of Redis's protocol (RESP 2) as the tests speak: commands out, replies in, each paired with its command. */
export class RedisClient extends Protocol {
  #waiting: Deferred<Reply>[] = [];
  #chunks: Buffer[] = [];
  #byteCount = 0;
  /** A reply cannot be whole before there is this much. */
  #neededBytes = 1;

  /** Sends a command at once; its reply comes in its turn. */
  command(...words: readonly (string | Buffer)[]): Deferred<Reply> {
    const pieces: Buffer[] = [Buffer.from(`*${words.length}\r\n`)];
    for (const word of words) {
      const bytes = Buffer.from(word);
      pieces.push(Buffer.from(`$${bytes.length}\r\n`), bytes, CRLF);
    }
    this.transport.writeSequence(pieces);
    const reply = new Deferred<Reply>();
    this.#waiting.push(reply);
    return reply;
  }

  override dataReceived(data: Buffer): void {
    this.#chunks.push(data);
    this.#byteCount += data.length;
    if (this.#byteCount < this.#neededBytes) return; // a large value is put together once, not with each chunk
    let rest = Buffer.concat(this.#chunks);
    for (let used = this.#takeReply(rest); used > 0; used = this.#takeReply(rest)) rest = rest.subarray(used);
    this.#chunks = [rest];
    this.#byteCount = rest.length;
  }

  override connectionLost(reason: Failure): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const reply of waiting) reply.errback(reason);
  }

  /** Delivers the reply that begins the bytes, and returns its length; 0 if it is not whole. */
  #takeReply(bytes: Buffer): number {
    this.#neededBytes = bytes.length + 1;
    const lineEnd = bytes.indexOf(CRLF);
    if (lineEnd < 0) return 0;
    const rest = bytes.toString('latin1', 1, lineEnd);
    const begin = lineEnd + CRLF.length;
    const length = Number(rest);
    switch (String.fromCharCode(bytes[0] ?? 0)) {
      case '+':
        return this.#deliver(rest, begin);
      case '-':
        return this.#deliver(new RedisError(rest), begin);
      case ':':
        return this.#deliver(length, begin);
      case '$': {
        if (length < 0) return this.#deliver(null, begin);
        const end = begin + length + CRLF.length;
        if (bytes.length >= end) return this.#deliver(bytes.subarray(begin, begin + length), end);
        this.#neededBytes = end;
        return 0;
      }
      default:
        throw new Error(`not a reply that is known here: ${bytes.toString('latin1', 0, lineEnd)}`);
    }
  }

  #deliver(reply: Reply | RedisError, usedBytes: number): number {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) throw new Error('a reply that nobody has asked for');
    if (reply instanceof RedisError) waiting.errback(reply);
    else waiting.callback(reply);
    return usedBytes;
  }
}

/** Builds such clients, and remembers what became of each attempt. */
export class RedisClientFactory extends ClientFactory {
  readonly clients: RedisClient[] = [];
  readonly lostBy: Error[] = [];
  readonly failedBy: Error[] = [];
  connector: Connector | undefined;
  readonly #changes = new Changes();

  until(condition: () => boolean): Promise<void> {
    return this.#changes.until(condition);
  }

  override startedConnecting(connector: Connector): void {
    this.connector = connector;
  }

  override buildProtocol(): RedisClient {
    const client = new RedisClient();
    this.clients.push(client);
    this.#changes.happened();
    return client;
  }

  override clientConnectionLost(connector: Connector, reason: Failure): void {
    this.lostBy.push(reason.value);
    this.#changes.happened();
  }

  override clientConnectionFailed(connector: Connector, reason: Failure): void {
    this.failedBy.push(reason.value);
    this.#changes.happened();
  }
}
