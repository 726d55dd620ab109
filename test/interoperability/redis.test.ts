import type { Buffer } from 'node:buffer';
import { expect } from 'chai';
import { ConnectionDone, ConnectionRefusedError, gatherResults } from 'ropewalk';
import { bulk, MEGABYTE } from './support/bulk.ts';
import { type RedisClient, RedisClientFactory, RedisError, type Reply } from './support/redis-client.ts';
import { RedisServer } from './support/redis-server.ts';
import { REDIS, requirePeer, STARTING_MILLISECONDS } from './support/require-peer.ts';
import { LOOPBACK, useReactor } from './support/running-reactor.ts';

describe('with Redis as the server', () => {
  requirePeer(REDIS);
  const running = useReactor();
  let server: RedisServer;

  before(async function () {
    this.timeout(STARTING_MILLISECONDS);
    server = await RedisServer.start();
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed') console.warn(server.log);
  });
  // Where the suite is skipped, it was never started.
  after(() => (server as RedisServer | undefined)?.kill());

  async function connect({ port } = server): Promise<{ client: RedisClient; factory: RedisClientFactory }> {
    const factory = new RedisClientFactory();
    running().reactor.connectTCP(LOOPBACK, port, factory);
    await factory.until(() => factory.clients.length > 0);
    const client = factory.clients[0]!;
    return { client, factory };
  }

  it('gets answers', async () => {
    const { client } = await connect();
    expect(await client.command('PING')).to.equal('PONG');
    expect(await client.command('SET', '键', '值')).to.equal('OK');
    expect(String(await client.command('GET', '键'))).to.equal('值');
    expect(await client.command('GET', 'nothing')).to.equal(null);
    expect(await client.command('NONSENSE').then(null, (error: unknown) => error)).to.be.instanceOf(RedisError);
  });

  it('gets the answers to thousands of pipelined commands in their order', async () => {
    const { client } = await connect();
    const commands: PromiseLike<Reply>[] = [];
    const expected: string[] = [];
    for (let index = 0; index < 2000; index += 1) {
      const value = `value ${index}`;
      commands.push(client.command('PING', String(index)), client.command('SET', 'key', value));
      commands.push(client.command('GET', 'key'));
      expected.push(String(index), 'OK', value);
    }
    expect((await Promise.all(commands)).map(String)).to.deep.equal(expected);
  });

  it('keeps a value of 5 MB whole, there and back, amid other commands', async () => {
    const { client } = await connect();
    const value = bulk(5 * MEGABYTE);
    const replies = await gatherResults([
      client.command('PING'),
      client.command('SET', 'large', value),
      client.command('STRLEN', 'large'),
      client.command('GET', 'large'),
      client.command('DEL', 'large'),
    ]);
    expect(replies.filter((reply) => typeof reply !== 'object')).to.deep.equal(['PONG', 'OK', value.length, 1]);
    expect(value.equals(replies[3] as Buffer)).to.be.true; // any other reply has been counted above
  });

  it('is told when Redis closes the connection', async () => {
    const { client, factory } = await connect();
    expect(await client.command('QUIT')).to.equal('OK');
    await factory.until(() => factory.lostBy.length > 0);
    expect(factory.lostBy[0]).to.be.instanceOf(ConnectionDone);
  });

  it('is told when Redis ends, and that it is refused when it tries again', async () => {
    const another = await RedisServer.start();
    try {
      const { client, factory } = await connect(another);
      const unanswered = client.command('SHUTDOWN', 'NOSAVE').then(null, (error: unknown) => error);
      expect(await unanswered).to.be.instanceOf(ConnectionDone);
      expect(await another.ended()).to.equal(0);
      factory.connector?.connect();
      await factory.until(() => factory.failedBy.length > 0);
      expect(factory.failedBy[0]).to.be.instanceOf(ConnectionRefusedError);
    } finally {
      await another.kill();
    }
  });
});
