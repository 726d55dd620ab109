/**
 * The server's side of PostgreSQL's protocol, version 3.0 (its manual, chapter "Frontend/Backend Protocol"), as far as a client needs it
 * to believe in a server: startup without a password, simple queries, extended queries, errors, the end.
 *
 *     starting ──StartupMessage──▶ ready ──Terminate──▶ closed
 *
 * Of the extended protocol there is one statement and one portal, the unnamed ones. After an error all is skipped up to Sync.
 */
import { Buffer } from 'node:buffer';
import { Protocol } from 'ropewalk';

/** What a query gives: the columns, all of them text, and the rows. */
export interface QueryResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** What a server answers to a query and its parameters, in text; it may throw a `QueryError`. */
export type QueryHandler = (text: string, parameters: readonly (string | null)[]) => QueryResult;

/** An error that the client is told, with a code of SQLSTATE. */
export class QueryError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const PROTOCOL_VERSION = 196_608;
const SSL_REQUEST = 80_877_103;
const TEXT_OID = 25;
/** A message of a client is not larger than this, so that one that is no client does not make us wait for ever. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

export class PostgresProtocol extends Protocol {
  readonly #answer: QueryHandler;
  #unparsed: Buffer = Buffer.alloc(0);
  #state: 'starting' | 'ready' | 'skipping' | 'closed' = 'starting';
  /** The unnamed statement, and its parameters once it is bound. */
  #statement = '';
  #parameters: readonly (string | null)[] = [];
  #result: QueryResult | undefined;

  constructor(answer: QueryHandler) {
    super();
    this.#answer = answer;
  }

  override dataReceived(data: Buffer): void {
    this.#unparsed = this.#unparsed.length === 0 ? data : Buffer.concat([this.#unparsed, data]);
    while (this.#state !== 'closed') {
      const message = this.#takeMessage();
      if (message === undefined) return;
      if (message.type === '') this.#start(message.body);
      else this.#obey(message.type, message.body);
    }
  }

  /** The first message has no type. */
  #takeMessage(): { readonly type: string; readonly body: Buffer } | undefined {
    const typeLength = this.#state === 'starting' ? 0 : 1;
    if (this.#unparsed.length < typeLength + 4) return undefined;
    const end = typeLength + this.#unparsed.readUInt32BE(typeLength);
    if (end > MESSAGE_BYTES_MAX) throw new RangeError(`a message of ${end} bytes`);
    if (this.#unparsed.length < end) return undefined;
    const type = this.#unparsed.toString('latin1', 0, typeLength);
    const body = this.#unparsed.subarray(typeLength + 4, end);
    this.#unparsed = this.#unparsed.subarray(end);
    return { type, body };
  }

  #start(body: Buffer): void {
    const version = body.readUInt32BE(0);
    if (version === SSL_REQUEST) {
      this.transport.write('N');
      return;
    }
    if (version !== PROTOCOL_VERSION) {
      this.#fail(new QueryError('0A000', `unsupported frontend protocol ${version >> 16}.${version & 0xffff}`));
      this.#close();
      return;
    }
    this.#state = 'ready';
    this.#send('R', int32(0)); // AuthenticationOk
    this.#send('S', text('server_version'), text('15.0'));
    this.#send('S', text('client_encoding'), text('UTF8'));
    this.#send('K', int32(1), int32(0));
    this.#send('Z', Buffer.from('I'));
  }

  #obey(type: string, body: Buffer): void {
    if (this.#state === 'skipping' && type !== 'S' && type !== 'X') return;
    try {
      this.#obeyUnlessItFails(type, body);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      this.#fail(error);
      if (type === 'Q') this.#send('Z', Buffer.from('I'));
      else this.#state = 'skipping';
    }
  }

  #obeyUnlessItFails(type: string, body: Buffer): void {
    switch (type) {
      case 'Q':
        this.#query(new Fields(body).text());
        return;
      case 'P':
        this.#parse(new Fields(body));
        return;
      case 'B':
        this.#bind(new Fields(body));
        return;
      case 'D':
        this.#describe(this.#run());
        return;
      case 'E':
        this.#sendRows(this.#run());
        return;
      case 'C':
        this.#send('3');
        return;
      case 'H':
        return; // everything is sent at the end of the turn
      case 'S':
        this.#state = 'ready';
        this.#send('Z', Buffer.from('I'));
        return;
      case 'X':
        this.#close();
        return;
      default:
        throw new QueryError('08P01', `invalid frontend message type ${type}`);
    }
  }

  #query(query: string): void {
    const result = this.#answer(query, []);
    this.#describe(result);
    this.#sendRows(result);
    this.#send('Z', Buffer.from('I'));
  }

  #parse(fields: Fields): void {
    if (fields.text() !== '') throw new QueryError('0A000', 'only the unnamed statement is supported');
    this.#statement = fields.text();
    this.#send('1');
  }

  #bind(fields: Fields): void {
    fields.text(); // the portal
    fields.text(); // the statement
    const formats = fields.list(() => fields.int16());
    if (formats.includes(1)) throw new QueryError('0A000', 'parameters are supported in text only');
    this.#parameters = fields.list(() => fields.value());
    this.#result = undefined;
    this.#send('2');
  }

  /** Once, however often it is asked for. */
  #run(): QueryResult {
    this.#result ??= this.#answer(this.#statement, this.#parameters);
    return this.#result;
  }

  #describe({ columns }: QueryResult): void {
    const described = columns.map((name) =>
      Buffer.concat([text(name), int32(0), int16(0), int32(TEXT_OID), int16(0xffff), int32(0xffff_ffff), int16(0)]),
    );
    this.#send('T', int16(columns.length), ...described);
  }

  #sendRows({ rows }: QueryResult): void {
    for (const row of rows) {
      const values = row.map((value) => {
        if (value === null) return int32(0xffff_ffff);
        const bytes = Buffer.from(value);
        return Buffer.concat([int32(bytes.length), bytes]);
      });
      this.#send('D', int16(row.length), ...values);
    }
    this.#send('C', text(`SELECT ${rows.length}`));
  }

  #fail({ code, message }: QueryError): void {
    this.#send('E', ...[`SERROR`, `VERROR`, `C${code}`, `M${message}`].map(text), Buffer.from([0]));
  }

  #close(): void {
    this.#state = 'closed';
    this.transport.loseConnection();
  }

  #send(type: string, ...parts: readonly Buffer[]): void {
    const body = Buffer.concat(parts);
    this.transport.writeSequence([type, int32(body.length + 4), body]);
  }
}

/** The fields of one message, one after another. */
class Fields {
  readonly #body: Buffer;
  #position = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  text(): string {
    const end = this.#body.indexOf(0, this.#position);
    const value = this.#body.toString('utf8', this.#position, end);
    this.#position = end + 1;
    return value;
  }

  int16(): number {
    this.#position += 2;
    return this.#body.readUInt16BE(this.#position - 2);
  }

  /** As many as a number before them says. */
  list<T>(next: () => T): T[] {
    return Array.from({ length: this.int16() }, next);
  }

  /** A length and as many bytes; a length of -1 is null. */
  value(): string | null {
    const length = this.#body.readInt32BE(this.#position);
    this.#position += 4 + Math.max(0, length);
    return length < 0 ? null : this.#body.toString('utf8', this.#position - length, this.#position);
  }
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
