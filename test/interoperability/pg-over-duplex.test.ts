import { once } from 'node:events';
import { expect } from 'chai';
import { Client, type ClientConfig, type Notification, Pool } from 'pg';
import {
  createConnection,
  type DuplexProtocol,
  type StreamClientEndpoint,
  TCP4ClientEndpoint,
  UNIXClientEndpoint,
} from 'ropewalk';
import { POSTGRES, POSTGRES_STARTING_MILLISECONDS, PostgresServer } from './support/postgres-server.ts';
import { freePort } from './support/free-port.ts';
import { requirePeer } from './support/require-peer.ts';
import { LOOPBACK } from './support/running-reactor.ts';
import { RealWorld } from './support/stream-worlds.ts';

describe('pg over a Duplex, with PostgreSQL as the server', () => {
  requirePeer(POSTGRES);
  let server: PostgresServer;
  let world: RealWorld;
  let streams: DuplexProtocol[];

  before(async function () {
    this.timeout(POSTGRES_STARTING_MILLISECONDS);
    server = await PostgresServer.start(freePort);
  });
  beforeEach(() => {
    world = new RealWorld();
    streams = [];
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') console.warn(server.log);
    await world.close();
  });
  // Where the suite is skipped, it was never started.
  after(() => (server as PostgresServer | undefined)?.kill());

  function tcp(): StreamClientEndpoint {
    return new TCP4ClientEndpoint(world.reactor, LOOPBACK, server.port);
  }

  function configuration(endpoint: StreamClientEndpoint = tcp()): ClientConfig {
    return {
      user: 'test',
      database: 'postgres',
      stream: () => {
        const duplex = createConnection(world.reactor, endpoint);
        streams.push(duplex);
        return duplex;
      },
    };
  }

  it('asks and is answered, over TCP and over a UNIX socket', async () => {
    for (const endpoint of [tcp(), new UNIXClientEndpoint(world.reactor, server.socketPath)]) {
      const client = new Client(configuration(endpoint));
      await client.connect();
      const { rows } = await client.query<{ sum: number; text: string }>(
        'SELECT $1::int + 1 AS sum, $2::text AS text',
        [41, '您好'],
      );
      expect(rows).to.deep.equal([{ sum: 42, text: '您好' }]);
      await client.end();
    }
    expect(streams.map(({ errored }) => errored)).to.deep.equal([null, null]);
  });

  it('sends and receives megabytes', async () => {
    const client = new Client(configuration());
    await client.connect();
    const text = 'a long text, '.repeat(200_000);
    const { rows } = await client.query<{ text: string; length: number }>(
      'SELECT $1::text AS text, length($1) AS length',
      [text],
    );
    expect(rows[0]?.length).to.equal(text.length);
    expect(rows[0]?.text === text).to.be.true;
    const many = await client.query('SELECT generate_series(1, 20000) AS number');
    expect(many.rows).to.have.length(20_000);
    await client.end();
  });

  it('is told of errors, and goes on', async () => {
    const client = new Client(configuration());
    await client.connect();
    const error = await client.query('SELECT nonsense').catch((reason: unknown) => reason);
    expect(error).to.have.property('code', '42703');
    expect((await client.query('SELECT 1 AS one')).rows).to.deep.equal([{ one: 1 }]);
    await client.end();
  });

  it('hears what others notify it of', async () => {
    const listener = new Client(configuration());
    const notifier = new Client(configuration());
    await Promise.all([listener.connect(), notifier.connect()]);
    await listener.query('LISTEN news');
    const heard = once(listener, 'notification');
    await notifier.query("NOTIFY news, 'something has happened'");
    const [notification] = (await heard) as [Notification];
    expect(notification.payload).to.equal('something has happened');
    await Promise.all([listener.end(), notifier.end()]);
  });

  it('shares connections in a pool', async () => {
    const pool = new Pool({ ...configuration(), max: 3 });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => pool.query<{ number: number }>('SELECT $1::int AS number', [index])),
    );
    expect(answers.map(({ rows }) => rows[0]?.number)).to.deep.equal(Array.from({ length: 50 }, (_, index) => index));
    expect(streams).to.have.length(3);
    await pool.end();
  });

  it('fails what is asked when the connection breaks', async () => {
    const client = new Client(configuration());
    client.on('error', () => undefined);
    await client.connect();
    const asked = client.query('SELECT pg_sleep(60)').catch((reason: unknown) => reason);
    streams[0]?.transport?.abortConnection();
    expect(await asked).to.be.instanceOf(Error);
  });
});
