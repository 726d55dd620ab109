/**
 * Echo over TLS: a server, and a client that verifies it and asks once. Try it: `npm run example examples/tls-echo.ts`, which makes
 * a certificate for localhost in memory. With files, `npm run example examples/tls-echo.ts key.pem cert.pem`, it serves until
 * Control-C and reads them again at each SIGHUP; then `openssl s_client -connect localhost:21300 -CAfile cert.pem`.
 */
import { readFileSync } from 'node:fs';
import {
  connectProtocol,
  createReactor,
  Deferred,
  Echo,
  Factory,
  type Failure,
  type ListeningPort,
  Protocol,
  type Reactor,
  TCP4ClientEndpoint,
  type TLSOptions,
  type TLSSource,
  wrapClientTLS,
} from 'ropewalk';
import { generate } from 'selfsigned';
import { isMain } from './support/is-main.ts';

export const PORT = 21300;

export interface Identity {
  readonly key: string;
  readonly cert: string;
}

/** A certificate that is its own authority, for this program only. */
export async function certificateFor(name: string): Promise<Identity> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }],
  });
  return { key, cert };
}

/** A function for `tls` is asked for each connection, so that a new certificate needs no restart. */
export function serve(reactor: Reactor, tls: TLSSource): ListeningPort {
  return reactor.listenTLS(PORT, Factory.forProtocol(Echo), tls, { interface: '127.0.0.1' });
}

class Asker extends Protocol {
  readonly answer = new Deferred<string>();
  readonly #question: string;
  #text = '';

  constructor(question: string) {
    super();
    this.#question = question;
  }

  /** The server has been verified by now, so that it may be told a secret. */
  override connectionMade(): void {
    this.transport.write(this.#question);
  }

  override dataReceived(data: Buffer): void {
    this.#text += data.toString();
    if (this.#text.length >= this.#question.length) this.transport.loseConnection();
  }

  /** An echo that says how long it is does not depend on how the connection ends. */
  override connectionLost(reason: Failure): void {
    if (this.#text.length >= this.#question.length) this.answer.callback(this.#text);
    else this.answer.errback(reason);
  }
}

/** Fires with the answer of the server at localhost, whose certificate must be one that `tls` trusts. */
export function ask(reactor: Reactor, tls: TLSOptions, question: string): Deferred<string> {
  const endpoint = wrapClientTLS(
    { servername: 'localhost', ...tls },
    new TCP4ClientEndpoint(reactor, '127.0.0.1', PORT),
  );
  return connectProtocol(endpoint, new Asker(question)).addCallback((asker) => asker.answer);
}

/** Serves with the key and certificate of two files, which it reads again at each SIGHUP. */
async function serveFiles(keyFile: string, certFile: string): Promise<void> {
  const read = (): TLSOptions => ({ key: readFileSync(keyFile), cert: readFileSync(certFile) });
  let tls = read();
  process.on('SIGHUP', () => {
    tls = read();
    console.log('New connections get the new certificate');
  });
  const reactor = createReactor();
  await serve(reactor, () => tls).whenListening();
  console.log(`Serving on port ${String(PORT)} until Control-C`);
  await reactor.run();
}

/** Serves and asks, with a certificate made for it; prints, and ends. */
async function playBoth(): Promise<void> {
  const identity = await certificateFor('localhost');
  const reactor = createReactor();
  await serve(reactor, identity).whenListening();
  reactor.callWhenRunning(() => {
    const ca = identity.cert;
    ask(reactor, { ca }, 'Is this encrypted?')
      .addCallback((answer) => console.log(`The server that we trust answers: ${answer}`))
      .addCallback(() => ask(reactor, {}, 'And who are you?'))
      .addErrback((failure: Failure) => console.log(`Without ca we trust nobody: ${failure.getErrorMessage()}`))
      .addCallback(() => {
        if (reactor.running) reactor.stop();
      });
  });
  await reactor.run();
}

export async function main(files: readonly string[]): Promise<void> {
  const [keyFile, certFile] = files;
  if (keyFile !== undefined && certFile !== undefined) await serveFiles(keyFile, certFile);
  else await playBoth();
}

if (isMain(import.meta)) await main(process.argv.slice(2));
