import { Buffer } from 'node:buffer';
import { Protocol } from 'ropewalk';

/** As much of a Redis server (RESP 2) as a client needs to believe in it: PING, SET, GET, INCR, ECHO, INFO, CLIENT. */
export class RESPServer extends Protocol {
  readonly #values: Map<string, string>;
  #unparsed: Buffer = Buffer.alloc(0);

  /** `values` is shared by all connections to one server. */
  constructor(values: Map<string, string>) {
    super();
    this.#values = values;
  }

  override dataReceived(data: Buffer): void {
    this.#unparsed = Buffer.concat([this.#unparsed, data]);
    for (let words = this.#takeCommand(); words !== undefined; words = this.#takeCommand()) this.#obey(words);
  }

  #obey([command = '', key = '', value = '']: readonly string[]): void {
    switch (command.toUpperCase()) {
      case 'PING':
        this.transport.write('+PONG\r\n');
        return;
      case 'ECHO':
        this.#reply(key);
        return;
      case 'SET':
        this.#values.set(key, value);
        this.transport.write('+OK\r\n');
        return;
      case 'GET':
        this.#reply(this.#values.get(key));
        return;
      case 'INCR':
        this.#values.set(key, String(Number(this.#values.get(key) ?? 0) + 1));
        this.transport.write(`:${this.#values.get(key) ?? ''}\r\n`);
        return;
      case 'INFO':
        this.#reply('redis_version:7.0.0\r\nloading:0\r\n');
        return;
      case 'CLIENT':
        this.transport.write('+OK\r\n');
        return;
      case 'QUIT':
        this.transport.write('+OK\r\n');
        this.transport.loseConnection();
        return;
      default:
        this.transport.write(`-ERR unknown command '${command}'\r\n`);
    }
  }

  #reply(text: string | undefined): void {
    this.transport.write(text === undefined ? '$-1\r\n' : `$${Buffer.byteLength(text)}\r\n${text}\r\n`);
  }

  /** The words of the next command that has come whole: an array of bulk strings. */
  #takeCommand(): string[] | undefined {
    const bytes = this.#unparsed;
    let position = 0;
    const takeLength = (): number | undefined => {
      const end = bytes.indexOf('\r\n', position);
      if (end < 0) return undefined;
      const length = Number(bytes.toString('latin1', position + 1, end));
      position = end + 2;
      return length;
    };
    const count = takeLength();
    if (count === undefined) return undefined;
    const words: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const length = takeLength();
      if (length === undefined || bytes.length < position + length + 2) return undefined;
      words.push(bytes.toString('utf8', position, position + length));
      position += length + 2;
    }
    this.#unparsed = bytes.subarray(position);
    return words;
  }
}
