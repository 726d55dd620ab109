import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { setImmediate as nextPass } from 'node:timers/promises';
import { expect } from 'chai';
import { createConnection, duplexFactory, type StreamClientEndpoint } from 'ropewalk';
import { type ClientOptions, type RawData, type ServerOptions, WebSocket, WebSocketServer } from 'ws';
import { bulk, MEGABYTE } from './support/bulk.ts';
import { describeInWorlds, type StreamWorld } from './support/stream-worlds.ts';

const MESSAGES = 200;

/** A server that listens on a port of a reactor. */
interface Served {
  readonly server: WebSocketServer;
  readonly endpoint: StreamClientEndpoint;
}

async function serve(world: StreamWorld, options: ServerOptions = {}): Promise<Served> {
  const http: Server = createServer();
  const server = new WebSocketServer({ ...options, server: http });
  const factory = duplexFactory(world.reactor, (duplex) => http.emit('connection', duplex), { allowHalfOpen: true });
  return { server, endpoint: await world.listen(factory) };
}

function open(world: StreamWorld, { endpoint }: Served, options: ClientOptions = {}): WebSocket {
  // Its types ask for a function that makes a socket; that it makes a stream is enough for node:http.
  const create = (): unknown => createConnection(world.reactor, endpoint);
  return new WebSocket('ws://server.example/', {
    ...options,
    createConnection: create as NonNullable<ClientOptions['createConnection']>,
  });
}

async function connect(world: StreamWorld, served: Served): Promise<WebSocket> {
  const socket = open(world, served);
  await world.until(once(socket, 'open'));
  return socket;
}

describeInWorlds('ws over a Duplex', (world) => {
  it('exchanges messages, and closes with a code', async () => {
    const served = await serve(world());
    served.server.on('connection', (socket) => {
      socket.on('message', (data: RawData, isBinary) => socket.send(data, { binary: isBinary }));
    });
    const client = await connect(world(), served);
    client.send('文字');
    const [text, isBinary] = (await world().until(once(client, 'message'))) as [Buffer, boolean];
    expect(String(text)).to.equal('文字');
    expect(isBinary).to.be.false;
    const sent = bulk(2 * MEGABYTE);
    client.send(sent);
    const [received] = (await world().until(once(client, 'message'))) as [Buffer];
    expect(sent.equals(received)).to.be.true;
    client.close(4321, 'enough');
    const [code, reason] = (await world().until(once(client, 'close'))) as [number, Buffer];
    expect([code, String(reason)]).to.deep.equal([4321, 'enough']);
  });

  it('keeps the order of many messages, compressed too', async () => {
    for (const perMessageDeflate of [false, { threshold: 0 }]) {
      const served = await serve(world(), { perMessageDeflate });
      served.server.on('connection', (socket) => {
        for (let index = 0; index < MESSAGES; index += 1) socket.send(`message ${index}`);
        socket.close();
      });
      const messages: string[] = [];
      const client = open(world(), served, { perMessageDeflate: perMessageDeflate !== false });
      client.on('message', (data: Buffer) => messages.push(String(data)));
      await world().until(once(client, 'close'));
      expect(messages).to.deep.equal(Array.from({ length: MESSAGES }, (_, index) => `message ${index}`));
    }
  });

  it('pings, and is told when the other side is terminated', async () => {
    const served = await serve(world());
    served.server.on('connection', (socket) => socket.on('pong', () => socket.terminate()));
    const client = await connect(world(), served);
    for (const socket of served.server.clients) socket.ping();
    const [code] = (await world().until(once(client, 'close'))) as [number];
    expect(code).to.equal(1006);
  });

  it('refuses a message that is too large, with the code for it', async () => {
    const served = await serve(world(), { maxPayload: 100 });
    served.server.on('connection', (socket) => socket.on('error', () => undefined));
    const client = await connect(world(), served);
    client.send(Buffer.alloc(101));
    const [code] = (await world().until(once(client, 'close'))) as [number];
    expect(code).to.equal(1009);
  });

  it('waits for a client that does not read', async () => {
    const served = await serve(world());
    const sent = bulk(12 * MEGABYTE);
    let hasLeft = false;
    const connected = once(served.server, 'connection');
    const client = await connect(world(), served);
    client.pause();
    const [server] = (await world().until(connected)) as [WebSocket];
    server.send(sent, () => {
      hasLeft = true;
    });
    const passes = (async () => {
      for (let pass = 0; pass < 100; pass += 1) await nextPass();
    })();
    await world().until(passes);
    expect(hasLeft).to.be.false;
    expect(server.bufferedAmount).to.be.above(0);
    client.resume();
    const [received] = (await world().until(once(client, 'message'))) as [Buffer];
    expect(sent.equals(received)).to.be.true;
    client.close();
    await world().until(once(client, 'close'));
    expect(hasLeft).to.be.true;
  });
});
