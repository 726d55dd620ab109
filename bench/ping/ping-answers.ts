/**
 * The answers of the PING server, in the naive style: text is kept in a string, and each reply is one call of `write`.
 * The servers that are compared differ only in where the data comes from and where the replies go.
 */
export class PingAnswers {
  #unread = '';
  readonly #write: (reply: string) => void;

  constructor(write: (reply: string) => void) {
    this.#write = write;
  }

  receive(data: Buffer): void {
    this.#unread += data.toString('latin1');
    for (let end = this.#unread.indexOf('\r\n'); end >= 0; end = this.#unread.indexOf('\r\n')) {
      const line = this.#unread.slice(0, end);
      this.#unread = this.#unread.slice(end + 2);
      if (line === 'PING') this.#write('+PONG\r\n');
      // The load generator asks for the configuration before it begins, and can do without.
      else if (line === 'CONFIG') this.#write('-ERR unknown command\r\n');
    }
  }
}
