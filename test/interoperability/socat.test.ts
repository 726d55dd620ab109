import { expect } from 'chai';
import { ConnectionDone, Echo } from 'ropewalk';
import { bulk, MEGABYTE } from './support/bulk.ts';
import { type Child, useChildren } from './support/child.ts';
import { requirePeer, SOCAT } from './support/require-peer.ts';
import { LOOPBACK, useReactor } from './support/running-reactor.ts';
import { digestOf, HalfCloseWitness } from './support/witness.ts';

/** How long socat goes on with one direction after the other has ended; its half second is short for a busy machine. */
const PATIENCE = ['-t', '30'];

/** The port that the system chose for a socat that listens; it says so at this level of messages. */
const TELL_PORT = ['-d', '-d'];

async function portOf(socat: Child): Promise<number> {
  const [, port] = await socat.line(/listening on .*:(\d+)$/);
  return Number(port);
}

describe('with socat as the server', () => {
  requirePeer(SOCAT);
  const running = useReactor();
  const start = useChildren();

  it('closes its half and still hears all that cat sends back', async () => {
    const socat = start(SOCAT.command, [...PATIENCE, ...TELL_PORT, `TCP-LISTEN:0,bind=${LOOPBACK}`, 'EXEC:cat']);
    const data = bulk(MEGABYTE);
    const ours = new HalfCloseWitness({
      made: (transport) => {
        transport.write(data);
        transport.loseWriteConnection();
      },
    });
    await running().connect(await portOf(socat), ours);
    await ours.lost();
    expect(ours.receivedBytes).to.equal(data.length);
    expect(ours.digest).to.equal(digestOf([data]));
    // Where its own end falls among the data is the system's affair.
    expect(ours.events.filter((event) => event !== 'data')).to.deep.equal(['made', 'writeLost', 'readLost', 'lost']);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    expect(await socat.ended()).to.equal(0);
  });

  it('hears the end of a program that answers without having been asked', async () => {
    const socat = start(SOCAT.command, [
      ...PATIENCE,
      ...TELL_PORT,
      `TCP-LISTEN:0,bind=${LOOPBACK},shut-down`,
      'EXEC:echo hello',
    ]);
    const ours = new HalfCloseWitness({ readLost: (transport) => transport.loseWriteConnection() });
    await running().connect(await portOf(socat), ours);
    await ours.lost();
    expect(ours.text).to.equal('hello\n');
    expect(ours.events).to.deep.equal(['made', 'data', 'readLost', 'writeLost', 'lost']);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    expect(await socat.ended()).to.equal(0);
  });

  it('holds many connections at once, each with a process of its own', async () => {
    const socat = start(SOCAT.command, [
      ...PATIENCE,
      ...TELL_PORT,
      `TCP-LISTEN:0,bind=${LOOPBACK},fork,backlog=64`,
      'EXEC:cat',
    ]);
    const port = await portOf(socat);
    const connections = await Promise.all(
      Array.from({ length: 40 }, () => running().connect(port, new HalfCloseWitness())),
    );
    connections.forEach((ours, index) => ours.transport.write(`I am ${index}`));
    await Promise.all(connections.map((ours, index) => ours.until(() => ours.text === `I am ${index}`)));
    expect(connections.every(({ connected }) => connected)).to.be.true;
    for (const ours of connections) ours.transport.loseWriteConnection();
    await Promise.all(connections.map((ours) => ours.lost()));
    for (const ours of connections) expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });
});

describe('with socat as the client', () => {
  requirePeer(SOCAT);
  const running = useReactor();
  const start = useChildren();

  it('answers after socat has closed its half', async () => {
    const ours = new HalfCloseWitness({
      readLost: (transport) => {
        transport.write(`heard ${ours.text}`);
        transport.loseConnection();
      },
    });
    const port = await running().serve(() => ours);
    const socat = start(SOCAT.command, [...PATIENCE, 'STDIO', `TCP:${LOOPBACK}:${port},shut-down`]);
    socat.send('a question');
    socat.endInput();
    expect(await socat.ended()).to.equal(0);
    expect(socat.output.toString()).to.equal('heard a question');
    expect(ours.events).to.deep.equal(['made', 'data', 'readLost', 'lost']);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('closes its half and hears what a socat that ignores the end goes on sending', async () => {
    const ours = new HalfCloseWitness({
      made: (transport) => {
        transport.write('my last word');
        transport.loseWriteConnection();
      },
    });
    const port = await running().serve(() => ours);
    const socat = start(SOCAT.command, [...PATIENCE, 'STDIO', `TCP:${LOOPBACK}:${port},ignoreeof`]);
    await socat.printed('my last word');
    await ours.until(() => ours.events.includes('writeLost'));
    socat.send('there is more');
    await ours.until(() => ours.text === 'there is more');
    expect(ours.connected).to.be.true;
    socat.endInput();
    await ours.lost();
    expect(ours.events).to.deep.equal(['made', 'writeLost', 'data', 'readLost', 'lost']);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('echoes to many clients, of which each gets its own', async () => {
    const port = await running().serve(() => new Echo());
    const clients = Array.from({ length: 10 }, (_, index) => {
      const socat = start(SOCAT.command, [...PATIENCE, 'STDIO', `TCP:${LOOPBACK}:${port}`]);
      socat.send(`I am ${index}`);
      return socat;
    });
    await Promise.all(clients.map((socat, index) => socat.printed(`I am ${index}`)));
    for (const socat of clients) socat.endInput();
    expect(await Promise.all(clients.map((socat) => socat.ended()))).to.deep.equal(clients.map(() => 0));
  });
});
