import { Buffer } from 'node:buffer';
import { type Failure, type HandshakeListener, Protocol, type TLSOptions, type Transport } from 'ropewalk';

/** As much of a server for mail (RFC 5321, RFC 3207) as it takes to agree on TLS, and to be used afterwards. */
export class SubmissionServer extends Protocol implements HandshakeListener {
  declare transport: Transport;
  /** The commands it has been given, those that came encrypted marked. */
  readonly commands: string[] = [];
  lostBy: Error | undefined;
  readonly #tls: TLSOptions;
  #unread = '';
  #isSecure = false;

  constructor(tls: TLSOptions) {
    super();
    this.#tls = tls;
  }

  override connectionMade(): void {
    this.transport.write('220 rope.test ESMTP\r\n');
  }

  handshakeCompleted(): void {
    this.#isSecure = true;
  }

  override dataReceived(data: Buffer): void {
    this.#unread += data.toString('latin1');
    for (let end = this.#unread.indexOf('\r\n'); end >= 0; end = this.#unread.indexOf('\r\n')) {
      const line = this.#unread.slice(0, end);
      this.#unread = this.#unread.slice(end + 2);
      this.#command(line);
    }
  }

  override connectionLost(reason: Failure): void {
    this.lostBy = reason.value;
  }

  #command(line: string): void {
    this.commands.push(this.#isSecure ? `${line} (encrypted)` : line);
    if (line.startsWith('EHLO'))
      this.transport.write(`250-rope.test\r\n250 ${this.#isSecure ? 'AUTH' : 'STARTTLS'}\r\n`);
    else if (line === 'STARTTLS') this.#startTLS();
    else if (line === 'QUIT') {
      this.transport.write('221 bye\r\n');
      this.transport.loseConnection();
    } else this.transport.write('250 ok\r\n');
  }

  #startTLS(): void {
    this.transport.write('220 go ahead\r\n');
    // What came behind the line can only be the handshake: it is not read as a command, now or later.
    const received = Buffer.from(this.#unread, 'latin1');
    this.#unread = '';
    this.transport.startTLS(this.#tls, { received });
  }
}
