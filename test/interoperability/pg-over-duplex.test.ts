import { once } from 'node:events';
import { expect } from 'chai';
import { Client, type ClientConfig, type Notification, Pool } from 'pg';
import {
  createConnection,
  type DuplexProtocol,
  Factory,
  type StreamClientEndpoint,
  TCP4ClientEndpoint,
  UNIXClientEndpoint,
} from 'ropewalk';
import { freePort } from './support/free-port.ts';
import { PostgresProtocol, QueryError, type QueryResult } from './support/postgres-protocol.ts';
import { POSTGRES, POSTGRES_STARTING_MILLISECONDS, PostgresServer } from './support/postgres-server.ts';
import { requirePeer } from './support/require-peer.ts';
import { LOOPBACK } from './support/running-reactor.ts';
import { RealWorld, type StreamWorld, VirtualWorld } from './support/stream-worlds.ts';

/** What connects a client by an endpoint; the streams it makes are added to `streams`. */
function configuration(world: StreamWorld, endpoint: StreamClientEndpoint, streams: DuplexProtocol[]): ClientConfig {
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

/** What holds with any server. */
function describeClient(world: () => StreamWorld, reach: () => Promise<StreamClientEndpoint>): void {
  let streams: DuplexProtocol[];
  let settings: ClientConfig;

  beforeEach(async () => {
    streams = [];
    settings = configuration(world(), await reach(), streams);
  });

  async function connect(): Promise<Client> {
    const client = new Client(settings);
    await world().until(client.connect());
    return client;
  }

  it('asks and is answered, with parameters and without', async () => {
    const client = await connect();
    expect((await world().until(client.query("SELECT 'plain' AS text"))).rows).to.deep.equal([{ text: 'plain' }]);
    const { rows } = await world().until(client.query('SELECT $1::text AS text, $2::text AS other', ['您好', null]));
    expect(rows).to.deep.equal([{ text: '您好', other: null }]);
    await world().until(client.end());
    expect(streams.map(({ errored }) => errored)).to.deep.equal([null]);
  });

  it('sends and receives megabytes', async () => {
    const client = await connect();
    const text = 'a long text, '.repeat(200_000);
    const answered = await world().until(
      client.query<{ text: string; other: string }>('SELECT $1::text AS text, $2::text AS other', [text, '']),
    );
    expect(answered.rows[0]?.text === text).to.be.true;
    const many = await world().until(client.query('SELECT generate_series(1, 20000)::text AS number'));
    expect(many.rows).to.have.length(20_000);
    await world().until(client.end());
  });

  it('is told of errors, and goes on', async () => {
    const client = await connect();
    for (const parameters of [undefined, ['a parameter']]) {
      const text = parameters === undefined ? 'SELECT nonsense' : 'SELECT nonsense, $1::text';
      const error = await world().until(client.query(text, parameters).catch((reason: unknown) => reason));
      expect(error).to.have.property('code', '42703');
    }
    expect((await world().until(client.query("SELECT 'plain' AS text"))).rows).to.deep.equal([{ text: 'plain' }]);
    await world().until(client.end());
  });

  it('shares connections in a pool', async () => {
    const pool = new Pool({ ...settings, max: 3 });
    const texts = Array.from({ length: 50 }, (_, index) => `text ${index}`);
    const answers = await world().until(
      Promise.all(
        texts.map((text) =>
          pool.query<{ text: string }>('SELECT $1::text AS text, $2::text AS other', [text, 'the same']),
        ),
      ),
    );
    expect(answers.map(({ rows }) => rows[0]?.text)).to.deep.equal(texts);
    expect(streams).to.have.length(3);
    await world().until(pool.end());
  });

  it('fails what is asked when the connection breaks', async () => {
    const client = await connect();
    client.on('error', () => undefined);
    const asked = client.query("SELECT 'plain' AS text").catch((reason: unknown) => reason);
    streams[0]?.transport?.abortConnection();
    expect(await world().until(asked)).to.be.instanceOf(Error);
  });
}

describe('pg over a Duplex on TCP, with PostgreSQL as the server', () => {
  requirePeer(POSTGRES);
  let server: PostgresServer;
  let world: RealWorld;

  before(async function () {
    this.timeout(POSTGRES_STARTING_MILLISECONDS);
    server = await PostgresServer.start(freePort);
  });
  beforeEach(() => {
    world = new RealWorld();
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

  describeClient(
    () => world,
    () => Promise.resolve(tcp()),
  );

  it('is answered over a UNIX socket as well', async () => {
    const client = new Client(configuration(world, new UNIXClientEndpoint(world.reactor, server.socketPath), []));
    await client.connect();
    const { rows } = await client.query<{ sum: number }>('SELECT $1::int + 1 AS sum', [41]);
    expect(rows).to.deep.equal([{ sum: 42 }]);
    await client.end();
  });

  it('hears what others notify it of', async () => {
    const listener = new Client(configuration(world, tcp(), []));
    const notifier = new Client(configuration(world, tcp(), []));
    await Promise.all([listener.connect(), notifier.connect()]);
    await listener.query('LISTEN news');
    const heard = once(listener, 'notification');
    await notifier.query("NOTIFY news, 'something has happened'");
    const [notification] = (await heard) as [Notification];
    expect(notification.payload).to.equal('something has happened');
    await Promise.all([listener.end(), notifier.end()]);
  });
});

describe('pg over a Duplex on the virtual network', () => {
  let world: VirtualWorld;

  beforeEach(() => {
    world = new VirtualWorld();
  });
  afterEach(() => world.close());

  describeClient(
    () => world,
    () => {
      const factory = new Factory();
      factory.buildProtocol = () => new PostgresProtocol(answer);
      return world.listen(factory);
    },
  );
});

/** The queries of these tests, answered as PostgreSQL does. */
function answer(query: string, parameters: readonly (string | null)[]): QueryResult {
  if (query === "SELECT 'plain' AS text") return { columns: ['text'], rows: [['plain']] };
  if (query === 'SELECT $1::text AS text, $2::text AS other') return { columns: ['text', 'other'], rows: [parameters] };
  if (query === 'SELECT generate_series(1, 20000)::text AS number') {
    return { columns: ['number'], rows: Array.from({ length: 20_000 }, (_, index) => [String(index + 1)]) };
  }
  throw new QueryError('42703', 'column "nonsense" does not exist');
}
