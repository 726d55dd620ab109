import { connect, type Socket } from 'node:net';

/** How many clients ask at a time. */
export const CLIENT_COUNT = 16;

/** Questions without a pause from several clients, each of which asks anew as soon as it has its answer. */
export class RequestLoad {
  /** How many questions each server has answered, by its name. */
  readonly answered = new Map<string, number>();
  readonly failures: unknown[] = [];
  readonly #port: number;
  readonly #clients: Promise<void>[];
  readonly #sockets = new Set<Socket>();
  #left: number;

  /** Asks `count` questions, or goes on until it is stopped. */
  constructor(port: number, count = Infinity) {
    this.#port = port;
    this.#left = count;
    this.#clients = Array.from({ length: CLIENT_COUNT }, () => this.#runClient());
  }

  get answeredCount(): number {
    return [...this.answered.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Resolves when all questions have been answered or have failed. */
  async ended(): Promise<void> {
    await Promise.all(this.#clients);
  }

  async stop(): Promise<void> {
    this.#left = 0;
    await this.ended();
  }

  /** Stops, and leaves unanswered what has no answer yet: that counts as failed. */
  async abandon(): Promise<void> {
    this.#left = 0;
    for (const socket of this.#sockets) socket.destroy();
    await this.ended();
  }

  async #runClient(): Promise<void> {
    while (this.#left > 0) {
      this.#left -= 1;
      try {
        const [name = ''] = (await this.#ask(`question ${String(this.#left)}`)).split(' ');
        this.answered.set(name, (this.answered.get(name) ?? 0) + 1);
      } catch (error) {
        this.failures.push(error);
      }
    }
  }

  /** Asks over a connection of its own; resolves with the whole answer when the server has closed. */
  #ask(question: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let answer = '';
      const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true }, () =>
        socket.write(`${question}\n`),
      );
      this.#sockets.add(socket);
      socket.setEncoding('utf8');
      socket.on('data', (text: string) => (answer += text));
      socket.on('error', reject);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        if (answer.endsWith(` ${question}\r\n`)) resolve(answer);
        else reject(new Error(`'${question}' was answered with '${answer}'`));
      });
    });
  }
}
