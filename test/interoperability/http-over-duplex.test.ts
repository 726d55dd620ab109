import type { Buffer } from 'node:buffer';
import { once } from 'node:events';
import {
  Agent,
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type RequestListener,
  type RequestOptions,
  type Server,
} from 'node:http';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import {
  ConnectionRefusedError,
  createConnection,
  duplexFactory,
  type DuplexProtocol,
  fail,
  type StreamClientEndpoint,
} from 'ropewalk';
import { TestReactor } from 'ropewalk/testing';
import { bulk, MEGABYTE } from './support/bulk.ts';
import { describeInWorlds, type StreamWorld } from './support/stream-worlds.ts';
import { digestOf } from './support/witness.ts';

/** A server of Node's that listens on a port of a reactor, and a client that reaches it by an endpoint. */
class Exchange {
  readonly server: Server;
  readonly agent: Agent;
  readonly sockets: DuplexProtocol[] = [];
  readonly #world: StreamWorld;

  private constructor(world: StreamWorld, endpoint: StreamClientEndpoint, server: Server) {
    this.#world = world;
    this.server = server;
    this.agent = new Agent({ keepAlive: true });
    this.agent.createConnection = () => {
      const socket = createConnection(world.reactor, endpoint);
      this.sockets.push(socket);
      return socket;
    };
  }

  static async start(world: StreamWorld, listener: RequestListener): Promise<Exchange> {
    const server = createServer(listener);
    const factory = duplexFactory(world.reactor, (duplex) => server.emit('connection', duplex), {
      allowHalfOpen: true,
    });
    return new Exchange(world, await world.listen(factory), server);
  }

  request(options: RequestOptions = {}): ClientRequest {
    return request({ agent: this.agent, host: 'server.example', ...options });
  }

  /** Sends a body, and resolves with the answer. */
  async send(
    body: Buffer | string,
    options: RequestOptions = {},
  ): Promise<{ response: IncomingMessage; body: string }> {
    const asked = this.request({ method: 'POST', ...options });
    asked.end(body);
    return this.#world.until(
      (async () => {
        const [response] = (await once(asked, 'response')) as [IncomingMessage];
        return { response, body: await text(response) };
      })(),
    );
  }
}

describeInWorlds('node:http over a Duplex', (world) => {
  it('answers requests, and uses a connection again', async () => {
    const exchange = await Exchange.start(world(), (asked, answer) => {
      void text(asked).then((body) => answer.end(`${asked.method ?? ''} ${asked.url ?? ''}: ${body}`));
    });
    expect((await exchange.send('one', { path: '/first' })).body).to.equal('POST /first: one');
    const { response, body } = await exchange.send('two', { path: '/second' });
    expect(body).to.equal('POST /second: two');
    expect(response.statusCode).to.equal(200);
    expect(exchange.sockets).to.have.length(1);
    exchange.agent.destroy();
  });

  it('streams megabytes both ways at once', async () => {
    const exchange = await Exchange.start(world(), (asked, answer) => asked.pipe(answer));
    const sent = bulk(3 * MEGABYTE);
    const asked = exchange.request({ method: 'POST' });
    asked.end(sent);
    const received = await world().until(
      (async () => {
        const [response] = (await once(asked, 'response')) as [IncomingMessage];
        return (await response.toArray()) as Buffer[]; // it has no encoding
      })(),
    );
    expect(digestOf(received)).to.equal(digestOf([sent]));
    exchange.agent.destroy();
  });

  it('has the server wait for a client that does not read', async () => {
    const body = bulk(8 * MEGABYTE);
    let waited = 0;
    const exchange = await Exchange.start(world(), (_asked, answer) => {
      if (!answer.write(body)) waited += 1;
      answer.on('drain', () => answer.end());
    });
    const asked = exchange.request();
    asked.end();
    const [response] = (await world().until(once(asked, 'response'))) as [IncomingMessage];
    expect(waited).to.equal(1);
    const received = (await world().until(response.toArray())) as Buffer[];
    expect(digestOf(received)).to.equal(digestOf([body]));
    exchange.agent.destroy();
  });

  it('closes the connection behind an answer that says so', async () => {
    const exchange = await Exchange.start(world(), (_asked, answer) => {
      answer.setHeader('connection', 'close');
      answer.end('goodbye');
    });
    expect((await exchange.send('')).body).to.equal('goodbye');
    const [socket] = exchange.sockets;
    if (socket?.closed === false) await world().until(once(socket, 'close'));
    expect(socket?.errored).to.equal(null);
    expect((await exchange.send('')).body).to.equal('goodbye');
    expect(exchange.sockets).to.have.length(2);
    exchange.agent.destroy();
  });

  it('continues a request that asks whether it may', async () => {
    const exchange = await Exchange.start(
      world(),
      (asked, answer) => void text(asked).then((body) => answer.end(body)),
    );
    const asked = exchange.request({ method: 'POST', headers: { expect: '100-continue' } });
    asked.on('continue', () => asked.end('may I'));
    asked.flushHeaders();
    const [response] = (await world().until(once(asked, 'response'))) as [IncomingMessage];
    expect(await world().until(text(response))).to.equal('may I');
    exchange.agent.destroy();
  });

  it('upgrades to another protocol', async () => {
    const exchange = await Exchange.start(world(), (_asked, answer) => answer.end());
    exchange.server.on('upgrade', (_asked: IncomingMessage, socket: DuplexProtocol, head: Buffer) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n');
      socket.write(head);
      socket.pipe(socket);
    });
    const asked = exchange.request({ headers: { connection: 'upgrade', upgrade: 'echo' } });
    asked.end();
    const [, socket] = (await world().until(once(asked, 'upgrade'))) as [IncomingMessage, DuplexProtocol];
    socket.end('no longer HTTP');
    expect(await world().until(text(socket))).to.equal('no longer HTTP');
    exchange.agent.destroy();
  });

  it('tells the client when the connection breaks in the middle of an answer', async () => {
    const exchange = await Exchange.start(world(), (_asked, answer) => {
      answer.write('the beginning', () => answer.socket?.destroy(new Error('the server has had enough')));
      answer.on('error', () => undefined);
    });
    const asked = exchange.request();
    asked.on('error', () => undefined);
    asked.end();
    const [response] = (await world().until(once(asked, 'response'))) as [IncomingMessage];
    const failure = await world().until(text(response).catch((error: unknown) => error as Error));
    expect(failure).to.have.property('code', 'ECONNRESET');
  });

  it('tells the server when the client gives up', async () => {
    let gone: Promise<unknown> | undefined;
    const exchange = await Exchange.start(world(), (_asked, answer) => {
      gone = once(answer, 'close');
      answer.write('the beginning');
    });
    const asked = exchange.request();
    asked.on('error', () => undefined);
    asked.end();
    await world().until(once(asked, 'response'));
    asked.destroy();
    await world().until(gone!);
  });

  it('fails a request that cannot connect', async () => {
    const exchange = await Exchange.start(world(), (_asked, answer) => answer.end());
    const nowhere: StreamClientEndpoint = { connect: () => fail(new ConnectionRefusedError()) };
    exchange.agent.createConnection = () => createConnection(world().reactor, nowhere);
    const asked = exchange.request();
    asked.end();
    const [error] = (await world().until(once(asked, 'error'))) as [Error];
    expect(error).to.have.property('code', 'ERR_CONNECTION_REFUSED');
  });
});

describe('node:http over a Duplex in a test', () => {
  it('closes its idle connections when the reactor drains, and the others behind their answers', async () => {
    const reactor = new TestReactor();
    let isDraining = false;
    let answerSlowly = (): void => undefined;
    const server = createServer((asked, answer) => {
      const respond = (): void => {
        if (isDraining) answer.setHeader('connection', 'close');
        answer.end('done');
      };
      if (asked.url === '/slow') answerSlowly = respond;
      else respond();
    });
    server.emit('listening'); // has it keep account of its connections
    const factory = duplexFactory(
      reactor,
      (duplex) => {
        server.emit('connection', duplex);
        duplex.once('draining', () => {
          isDraining = true;
          server.closeIdleConnections();
        });
      },
      { allowHalfOpen: true },
    );
    reactor.listenTCP(80, factory);
    const [idle, busy] = [reactor.dial(80), reactor.dial(80)];
    await reactor.advanceAsync(0);
    idle.send('GET / HTTP/1.1\r\nhost: server.example\r\n\r\n');
    busy.send('GET /slow HTTP/1.1\r\nhost: server.example\r\n\r\n');
    await reactor.advanceAsync(0);
    expect(idle.text()).to.match(/done$/);
    reactor.stop({ drainSeconds: 60 });
    await reactor.advanceAsync(1);
    expect([idle.closed, busy.closed]).to.deep.equal([true, false]);
    answerSlowly();
    await reactor.advanceAsync(0);
    expect(busy.text()).to.match(/connection: close[^]*done$/i);
    expect(busy.closed).to.be.true;
    expect(reactor.running, 'nothing was left to wait for').to.be.false;
    server.close();
    reactor.assertClean();
  });

  it('closes an idle connection when the clock of the test says so', async () => {
    const reactor = new TestReactor();
    const server = createServer((_asked, answer) => answer.end('hello'));
    server.keepAliveTimeout = 60_000;
    const factory = duplexFactory(reactor, (duplex) => server.emit('connection', duplex), { allowHalfOpen: true });
    const port = reactor.listenTCP(80, factory);
    const peer = reactor.dial(80);
    await reactor.advanceAsync(0);
    peer.send('GET / HTTP/1.1\r\nhost: server.example\r\n\r\n');
    await reactor.advanceAsync(0);
    expect(peer.text()).to.match(/hello$/);
    await reactor.advanceAsync(59);
    expect(peer.connected).to.be.true;
    await reactor.advanceAsync(10);
    expect(peer.closed).to.be.true;
    void port.stopListening();
    await reactor.advanceAsync(0);
    reactor.assertClean();
  });

  it('answers requests that come together, in order', async () => {
    const reactor = new TestReactor();
    const server = createServer((asked, answer) => answer.end(asked.url));
    const factory = duplexFactory(reactor, (duplex) => server.emit('connection', duplex), { allowHalfOpen: true });
    const port = reactor.listenTCP(80, factory);
    const peer = reactor.dial(80);
    await reactor.advanceAsync(0);
    peer.send(
      ['/one', '/two', '/three'].map((path) => `GET ${path} HTTP/1.1\r\nhost: server.example\r\n\r\n`).join(''),
    );
    await reactor.advanceAsync(0);
    expect(peer.text().match(/\/(one|two|three)/g)).to.deep.equal(['/one', '/two', '/three']);
    peer.end();
    await reactor.advanceAsync(0);
    expect(peer.closed).to.be.true;
    void port.stopListening();
    await reactor.advanceAsync(0);
    reactor.assertClean();
  });
});
