import { once } from 'node:events';
import { expect } from 'chai';
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';
import {
  createConnection,
  type DuplexProtocol,
  Factory,
  type Reactor,
  type StreamClientEndpoint,
  TCP4ClientEndpoint,
} from 'ropewalk';
import { TestReactor } from 'ropewalk/testing';
import { RedisServer } from './support/redis-server.ts';
import { REDIS, requirePeer, STARTING_MILLISECONDS } from './support/require-peer.ts';
import { RESPServer } from './support/resp-server.ts';
import { LOOPBACK } from './support/running-reactor.ts';
import { RealWorld, type StreamWorld, VirtualWorld } from './support/stream-worlds.ts';

/** What the connector of the library has to return. */
type NetStream = Awaited<ReturnType<AbstractConnector['connect']>>;

/** A client whose connections are made by an endpoint, and the streams of all of them. */
function client(
  reactor: Reactor,
  endpoint: StreamClientEndpoint,
  options: Pick<
    RedisOptions,
    'connectTimeout' | 'retryStrategy' | 'enableReadyCheck' | 'disableClientInfo' | 'protocol'
  > = {},
): { readonly redis: Redis; readonly streams: DuplexProtocol[] } {
  const streams: DuplexProtocol[] = [];
  class EndpointConnector extends AbstractConnector {
    constructor() {
      super(2000);
    }
    override connect(): Promise<NetStream> {
      this.connecting = true;
      const duplex = createConnection(reactor, endpoint);
      streams.push(duplex);
      // It is no net.Socket, but has all of one that the library uses.
      this.stream = duplex as unknown as NetStream;
      return Promise.resolve(this.stream);
    }
  }
  return { redis: new Redis({ ...options, Connector: EndpointConnector, lazyConnect: true }), streams };
}

/** What holds with any server. */
function describeClient(world: () => StreamWorld, reach: () => Promise<StreamClientEndpoint>): void {
  it('sends commands and gets their answers', async () => {
    const { redis, streams } = client(world().reactor, await reach());
    await world().until(redis.connect());
    expect(await world().until(redis.set('键', '值'))).to.equal('OK');
    expect(await world().until(redis.get('键'))).to.equal('值');
    expect(await world().until(redis.get('nothing'))).to.equal(null);
    expect(await world().until(redis.echo('back'))).to.equal('back');
    expect(streams).to.have.length(1);
    expect(streams[0]).to.include({ remoteAddress: LOOPBACK });
    redis.disconnect();
  });

  it('gets the answers to thousands of pipelined commands in their order', async () => {
    const { redis } = client(world().reactor, await reach());
    await world().until(redis.connect());
    const pipeline = redis.pipeline();
    for (let index = 0; index < 2000; index += 1) pipeline.echo(`value ${index}`);
    const answers = await world().until(pipeline.exec());
    expect(answers?.map(([error, value]) => error ?? value)).to.deep.equal(
      Array.from({ length: 2000 }, (_, index) => `value ${index}`),
    );
    await world().until(Promise.all(Array.from({ length: 500 }, () => redis.incr('counter'))));
    expect(await world().until(redis.incr('counter'))).to.equal(501);
    redis.disconnect();
  });

  it('ends in order when it quits', async () => {
    const { redis, streams } = client(world().reactor, await reach());
    await world().until(redis.connect());
    const ended = once(redis, 'end');
    expect(await world().until(redis.quit())).to.equal('OK');
    await world().until(ended);
    expect(streams[0]?.errored).to.equal(null);
  });
}

describe('ioredis over a Duplex on TCP, with Redis as the server', () => {
  requirePeer(REDIS);
  let server: RedisServer;
  let world: RealWorld;

  before(async function () {
    this.timeout(STARTING_MILLISECONDS);
    server = await RedisServer.start();
  });
  beforeEach(() => {
    world = new RealWorld();
  });
  afterEach(() => world.close());
  // Where the suite is skipped, it was never started.
  after(() => (server as RedisServer | undefined)?.kill());

  describeClient(
    () => world,
    () => Promise.resolve(new TCP4ClientEndpoint(world.reactor, LOOPBACK, server.port)),
  );
});

describe('ioredis over a Duplex on the virtual network', () => {
  let world: VirtualWorld;

  beforeEach(() => {
    world = new VirtualWorld();
  });
  afterEach(() => world.close());

  function serve(): Promise<StreamClientEndpoint> {
    const values = new Map<string, string>();
    const factory = new Factory();
    factory.buildProtocol = () => new RESPServer(values);
    return world.listen(factory);
  }

  describeClient(() => world, serve);
});

describe('ioredis over a Duplex in a test', () => {
  it('gives up on a server that does not answer when the clock of the test says so', async () => {
    const reactor = new TestReactor();
    reactor.serve(6379, { answer: 'ignore' });
    const endpoint = new TCP4ClientEndpoint(reactor, LOOPBACK, 6379);
    const { redis } = client(reactor, endpoint, { connectTimeout: 60_000, retryStrategy: () => null });
    const errors: Error[] = [];
    redis.on('error', (error: Error) => errors.push(error));
    const connecting = redis.connect().catch((error: unknown) => error);
    await reactor.advanceAsync(29);
    expect(errors).to.deep.equal([]);
    await reactor.advanceAsync(2);
    expect(errors.map(({ name }) => name)).to.deep.equal(['ConnectTimeoutError']);
    expect(await connecting).to.be.instanceOf(Error);
    reactor.assertClean();
  });

  it('is told when the connection breaks, and connects again', async () => {
    const reactor = new TestReactor();
    const server = reactor.serve(6379);
    const endpoint = new TCP4ClientEndpoint(reactor, LOOPBACK, 6379);
    const { redis, streams } = client(reactor, endpoint, {
      retryStrategy: () => 1,
      enableReadyCheck: false,
      disableClientInfo: true,
      protocol: 2,
    });
    const errors: string[] = [];
    redis.on('error', (error: Error) => errors.push(error.name));
    const connected = redis.connect();
    for (let round = 0; round < 5; round += 1) await reactor.advanceAsync(0);
    await connected;
    const asked = redis.get('key');
    await reactor.advanceAsync(0);
    const first = server.accept();
    expect(first.text()).to.include('get');
    const state = { isConnected: false };
    redis.once('connect', () => {
      state.isConnected = true;
    });
    first.abort();
    await reactor.advanceAsync(0);
    expect(errors).to.deep.equal(['ConnectionLost']);
    // The library waits for a real millisecond.
    for (let round = 0; !state.isConnected && round < 1000; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      await reactor.advanceAsync(0);
    }
    const second = server.accept();
    for (let round = 0; round < 5; round += 1) await reactor.advanceAsync(0);
    expect(second.text()).to.include('get');
    second.send('$5\r\nvalue\r\n');
    await reactor.advanceAsync(0);
    expect(await asked).to.equal('value');
    expect(streams).to.have.length(2);
    redis.disconnect();
    await reactor.advanceAsync(0);
    server.stop();
    reactor.assertClean();
  });
});
