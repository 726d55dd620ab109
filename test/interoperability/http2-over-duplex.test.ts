import { Buffer } from 'node:buffer';
import { type EventEmitter, once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createSecureServer,
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import {
  createConnection,
  duplexFactory,
  type DuplexProtocol,
  type IPv4Address,
  TCP4ClientEndpoint,
  TCP4ServerEndpoint,
  wrapClientTLS,
  wrapServerTLS,
} from 'ropewalk';
import { testCertificates } from '../support/certificates.ts';
import { bulk, MEGABYTE } from './support/bulk.ts';
import { LOOPBACK } from './support/running-reactor.ts';
import { describeInWorlds, RealWorld, type StreamWorld } from './support/stream-worlds.ts';
import { digestOf } from './support/witness.ts';

type Listener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** A server that listens on a port of a reactor, and a client that reaches it by an endpoint. */
interface Sessions {
  readonly client: ClientHttp2Session;
  readonly server: Promise<ServerHttp2Session>;
  /** What the client runs over. */
  readonly socket: () => DuplexProtocol;
}

async function open(world: StreamWorld, listener: Listener): Promise<Sessions> {
  const server = createServer();
  server.on('stream', listener);
  const session = once(server, 'session').then(([first]) => first as ServerHttp2Session);
  const endpoint = await world.listen(
    duplexFactory(world.reactor, (duplex) => server.emit('connection', duplex), { allowHalfOpen: true }),
  );
  const sockets: DuplexProtocol[] = [];
  const client = connect('http://server.example', {
    createConnection: () => {
      const socket = createConnection(world.reactor, endpoint);
      sockets.push(socket);
      return socket;
    },
  });
  return { client, server: session, socket: () => sockets[0]! };
}

async function close(world: StreamWorld, client: ClientHttp2Session): Promise<void> {
  const closed = once(client, 'close');
  client.close();
  await world.until(closed);
}

function ask(client: ClientHttp2Session, headers: OutgoingHttpHeaders, body: Buffer | string = ''): ClientHttp2Stream {
  const stream = client.request({ ':method': 'POST', ...headers });
  stream.end(body);
  return stream;
}

describeInWorlds('node:http2 over a Duplex', (world) => {
  it('answers many requests at once over one connection', async () => {
    const { client } = await open(world(), (stream, headers) => {
      void text(stream).then((body) => {
        stream.respond({ ':status': 200 });
        stream.end(`${headers[':path'] ?? ''}: ${body}`);
      });
    });
    const bodies = Array.from({ length: 50 }, (_, index) =>
      text(ask(client, { ':path': `/${index}` }, `body ${index}`)),
    );
    expect(await world().until(Promise.all(bodies))).to.deep.equal(
      Array.from({ length: 50 }, (_, index) => `/${index}: body ${index}`),
    );
    expect(world().reactor.inspect().connections).to.have.length(2);
    await close(world(), client);
  });

  it('streams megabytes both ways at once', async () => {
    const { client } = await open(world(), (stream) => {
      stream.respond();
      stream.pipe(stream);
    });
    const sent = bulk(3 * MEGABYTE);
    const received = (await world().until(ask(client, {}, sent).toArray())) as Buffer[]; // it has no encoding
    expect(digestOf(received)).to.equal(digestOf([sent]));
    await close(world(), client);
  });

  it('tells the server when the client gives a request up, and goes on', async () => {
    let given: Promise<unknown> | undefined;
    const { client } = await open(world(), (stream, headers) => {
      stream.respond();
      if (headers[':path'] === '/slow') {
        stream.on('error', () => undefined);
        given = once(stream, 'close').then(() => stream.rstCode);
      } else stream.end('still here');
    });
    const slow = ask(client, { ':path': '/slow' });
    await world().until(once(slow, 'response'));
    slow.close(constants.NGHTTP2_CANCEL);
    expect(await world().until(given!)).to.equal(constants.NGHTTP2_CANCEL);
    expect(await world().until(text(ask(client, { ':path': '/' })))).to.equal('still here');
    await close(world(), client);
  });

  it('pings, and ends when the server does', async () => {
    const { client, server } = await open(world(), (stream) => stream.respond());
    const session = await world().until(server);
    const echoed = new Promise<Buffer>((resolve, reject) => {
      session.ping(Buffer.from('12345678'), (error, _duration, payload) => (error ? reject(error) : resolve(payload)));
    });
    expect(String(await world().until(echoed))).to.equal('12345678');
    const closed = once(client, 'close');
    session.close();
    await world().until(closed);
  });

  it('tells both sides when the connection breaks', async () => {
    const { client, server, socket } = await open(world(), (stream) => stream.on('error', () => undefined).respond());
    const stream = ask(client, {});
    await world().until(once(stream, 'response'));
    const session = await world().until(server);
    const over = Promise.all([stream, client, session].map(closing));
    socket().transport?.abortConnection();
    await world().until(over);
    expect([client.destroyed, session.destroyed]).to.deep.equal([true, true]);
    expect(stream.rstCode, 'it was not answered in full').to.not.equal(constants.NGHTTP2_NO_ERROR);
  });
});

describe('node:http2 over a Duplex with TLS', () => {
  let current: RealWorld;
  const world = (): StreamWorld => current;

  beforeEach(() => {
    current = new RealWorld();
  });
  afterEach(() => current.close());

  it('speaks what was agreed on, HTTP/1 with those who know no other', async () => {
    const { ca, server: identity } = await testCertificates();
    const { reactor } = world();
    const server = createSecureServer({ allowHTTP1: true });
    server.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => {
      response.end(`HTTP/${request.httpVersion}`);
    });
    const factory = duplexFactory(
      reactor,
      (duplex) => {
        Object.assign(duplex, { server }); // where Node looks for it when a client speaks HTTP/1
        duplex.once('secureConnect', () => server.emit('secureConnection', duplex));
      },
      { allowHalfOpen: true },
    );
    const place = new TCP4ServerEndpoint(reactor, 0, { interface: LOOPBACK });
    const tls = { ...identity, ALPNProtocols: ['h2', 'http/1.1'] };
    const listening = await world().until(wrapServerTLS(tls, place).listen(factory));
    const port = (listening.getHost() as IPv4Address).port;
    const endpoint = new TCP4ClientEndpoint(reactor, LOOPBACK, port);
    const dial = (ALPNProtocols: readonly string[]): DuplexProtocol =>
      createConnection(reactor, wrapClientTLS({ ca, ALPNProtocols, servername: 'localhost' }, endpoint));

    const modern = dial(['h2']);
    await world().until(once(modern, 'secureConnect'));
    const client = connect('https://localhost', { createConnection: () => modern });
    expect(await world().until(text(ask(client, {})))).to.equal('HTTP/2.0');
    await close(world(), client);

    for (const protocols of [['http/1.1'], []]) {
      const old = dial(protocols);
      old.end('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
      expect(await world().until(text(old))).to.match(/HTTP\/1\.1$/);
    }
  });
});

/** Whether it has an error is not the same in all versions of Node. */
function closing(emitter: EventEmitter): Promise<void> {
  emitter.on('error', () => undefined);
  return new Promise((resolve) => {
    emitter.once('close', () => resolve());
  });
}
