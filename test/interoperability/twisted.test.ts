import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import { ConnectionAborted, ConnectionDone, ConnectionLost, Discard, Echo, type Protocol, QOTD } from 'ropewalk';
import { bulk, BulkProducer, MEGABYTE } from './support/bulk.ts';
import { requirePeer, STARTING_MILLISECONDS, TWISTED } from './support/require-peer.ts';
import { type RunningReactor, useReactor } from './support/running-reactor.ts';
import { type Role, TwistedPeer } from './support/twisted-peer.ts';
import { digestOf, HalfCloseWitness, Witness } from './support/witness.ts';

const BULK = bulk(20 * MEGABYTE);

for (const role of ['server', 'client'] as const) {
  describe(`with Twisted as the ${role}`, () => {
    requirePeer(TWISTED);
    const running = useReactor();
    const talk = useTwisted(role, running);

    describeMessages(talk);
    describeClosing(talk);
    describeHalfClosing(talk);
    describeAborting(talk);
    describeBulk(talk);
  });
}

/** What a test asks of Twisted: a connection with one of its protocols, and what that tells. */
interface Talk {
  join(name: string, ours: Protocol): Promise<void>;
  told(name: string, event: string): Promise<string>;
  hasTold(name: string, event: string): boolean;
  read(): void;
}

/** One process serves a whole suite: it takes longer to start than all the tests together. */
function useTwisted(role: Role, running: () => RunningReactor): Talk {
  let twisted: TwistedPeer | undefined;
  const peer = (): TwistedPeer => {
    if (twisted === undefined) throw new Error('Twisted is there only while a test runs');
    return twisted;
  };
  before(async function () {
    this.timeout(STARTING_MILLISECONDS);
    twisted = await TwistedPeer.start();
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed') console.warn(peer().log);
  });
  after(() => twisted?.kill());
  return {
    join: (name, ours) => peer().join(role, name, running(), ours),
    told: (name, event) => peer().told(role, name, event),
    hasTold: (name, event) => peer().hasTold(role, name, event),
    read: () => peer().read(),
  };
}

function describeMessages(talk: Talk): void {
  it('gets an echo of what it sends', async () => {
    const ours = new Witness({ made: (transport) => transport.write('绳子 and rope') });
    await talk.join('echo', ours);
    await ours.until(() => ours.text === '绳子 and rope');
    ours.transport.loseConnection();
    await ours.lost();
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    expect(await talk.told('echo', 'lost')).to.equal('ConnectionDone');
  });

  it('echoes what it is sent', async () => {
    await talk.join('asker', new Echo());
    expect(await talk.told('asker', 'heard')).to.equal('True');
    expect(await talk.told('asker', 'lost')).to.equal('ConnectionDone');
  });

  it('speaks lines with a LineReceiver, wherever they are cut', async () => {
    const ours = new Witness({
      made: (transport) => {
        transport.write('one\r\ntw');
        transport.writeSequence(['o\r', '\nthree\r\n']);
      },
      data: (transport) => {
        if (ours.text.endsWith('THREE\r\n')) transport.write('quit\r\nnever read\r\n');
      },
    });
    await talk.join('lines', ours);
    await ours.lost();
    expect(ours.text).to.equal('ONE\r\nTWO\r\nTHREE\r\nBYE\r\n');
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('gets the quote of the day, and the end after it', async () => {
    const ours = new Witness();
    await talk.join('quote', ours);
    await ours.lost();
    expect(ours.text).to.equal('一日之计在于晨\r\n');
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    expect(await talk.told('quote', 'lost')).to.equal('ConnectionDone');
  });

  it('gives the quote of the day, and the end after it', async () => {
    await talk.join('reader', new QOTD());
    expect(await talk.told('reader', 'read')).to.equal(digestOf([Buffer.from('Many strands make a rope.\r\n')]));
    expect(await talk.told('reader', 'lost')).to.equal('ConnectionDone');
  });
}

function describeClosing(talk: Talk): void {
  it('delivers all that was written before loseConnection', async () => {
    const data = BULK.subarray(0, 3 * MEGABYTE);
    const ours = new Witness({
      made: (transport) => {
        transport.write(data);
        transport.loseConnection();
        transport.write('too late');
      },
    });
    await talk.join('reader', ours);
    expect(await talk.told('reader', 'read')).to.equal(digestOf([data]));
    expect(await talk.told('reader', 'lost')).to.equal('ConnectionDone');
    await ours.lost();
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('delivers it also to one who talks on without being listened to', async () => {
    const data = BULK.subarray(0, 3 * MEGABYTE);
    const ours = new Witness({
      made: (transport) => {
        transport.write(data);
        transport.loseConnection();
      },
    });
    await talk.join('talks-and-reads', ours);
    expect(await talk.told('talks-and-reads', 'read')).to.equal(digestOf([data]));
    expect(await talk.told('talks-and-reads', 'lost')).to.equal('ConnectionDone');
    await ours.lost();
    expect(ours.events).to.deep.equal(['made', 'lost']);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('gets all that Twisted wrote before its loseConnection', async () => {
    const ours = new Witness();
    await talk.join('writes-and-leaves', ours);
    const digest = await talk.told('writes-and-leaves', 'wrote');
    await ours.lost();
    expect(ours.receivedBytes).to.equal(3 * MEGABYTE);
    expect(ours.digest).to.equal(digest);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    expect(await talk.told('writes-and-leaves', 'lost')).to.equal('ConnectionDone');
  });
}

function describeHalfClosing(talk: Talk): void {
  it('hears the answer that comes after it has closed its own half', async () => {
    const ours = new HalfCloseWitness({
      made: (transport) => {
        transport.write('that is all');
        transport.loseWriteConnection();
      },
    });
    await talk.join('answers-after-end', ours);
    await talk.told('answers-after-end', 'readLost');
    await ours.lost();
    expect(ours.text).to.equal(digestOf([Buffer.from('that is all')]));
    expect(ours.events).to.deep.equal(['made', 'writeLost', 'data', 'readLost', 'lost']);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    expect(await talk.told('answers-after-end', 'lost')).to.equal('ConnectionDone');
  });

  it('goes on writing after Twisted has closed its half', async () => {
    const ours = new HalfCloseWitness({
      readLost: (transport) => {
        transport.write('heard it');
        transport.loseWriteConnection();
      },
    });
    await talk.join('ends-first', ours);
    expect(await talk.told('ends-first', 'heard')).to.equal('heard it');
    await ours.lost();
    expect(ours.text).to.equal('my last word');
    expect(ours.events).to.deep.equal(['made', 'data', 'readLost', 'writeLost', 'lost']);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    expect(await talk.told('ends-first', 'lost')).to.equal('ConnectionDone');
  });

  it('closes when Twisted closes its half, if the protocol knows no half-closed connections', async () => {
    const ours = new Witness({ made: (transport) => transport.write('before the end') });
    await talk.join('ends-first', ours);
    await ours.lost();
    expect(ours.text).to.equal('my last word');
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    expect(await talk.told('ends-first', 'heard')).to.equal('before the end');
    expect(await talk.told('ends-first', 'lost')).to.equal('ConnectionDone');
  });
}

function describeAborting(talk: Talk): void {
  it('resets the connection by abortConnection', async () => {
    const ours = new Witness();
    await talk.join('reader', ours);
    await talk.told('reader', 'made');
    await ours.until(() => ours.connected);
    ours.transport.abortConnection();
    await ours.lost();
    expect(ours.lostBy).to.be.instanceOf(ConnectionAborted);
    expect(await talk.told('reader', 'lost')).to.equal('ConnectionLost');
  });

  it('sees a reset as ConnectionLost', async () => {
    const ours = new HalfCloseWitness({ made: (transport) => transport.write('anything') });
    await talk.join('aborts', ours);
    await ours.lost();
    expect(ours.events).to.deep.equal(['made', 'lost']);
    expect(ours.lostBy).to.be.instanceOf(ConnectionLost);
    expect(ours.lostBy).not.to.be.instanceOf(ConnectionAborted);
    expect(await talk.told('aborts', 'lost')).to.equal('ConnectionAborted');
  });
}

function describeBulk(talk: Talk): void {
  /** Another conversation in between: by its end, both sides have gone round their loops several times. */
  const meanwhile = async (): Promise<void> => {
    await talk.join('asker', new Echo());
    await talk.told('asker', 'lost');
  };

  it('sends 20 MB at the pace at which they are read', async () => {
    let producer: BulkProducer | undefined;
    const ours = new HalfCloseWitness({
      made: (transport) => {
        producer = new BulkProducer(BULK, transport, () => transport.loseWriteConnection());
        producer.start();
      },
    });
    await talk.join('reads-when-told', ours);
    await ours.until(() => ours.connected);
    await meanwhile();
    // What the two systems hold, and a little more.
    expect(producer!.sentBytes).to.be.within(1, 15 * MEGABYTE);
    talk.read();
    await ours.lost();
    expect(ours.text).to.equal(producer!.digest);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('makes Twisted wait while it does not read, then takes all 20 MB', async () => {
    const ours = new Witness({ made: (transport) => transport.pauseProducing() });
    await talk.join('produces', ours);
    await ours.until(() => ours.connected);
    await talk.told('produces', 'paused');
    await meanwhile();
    expect(talk.hasTold('produces', 'wrote')).to.be.false;
    expect(ours.receivedBytes).to.equal(0);
    ours.transport.resumeProducing();
    const digest = await talk.told('produces', 'wrote');
    await ours.lost();
    expect(ours.receivedBytes).to.equal(20 * MEGABYTE);
    expect(ours.digest).to.equal(digest);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('sends 20 MB and reads their echo at the same time', async () => {
    let producer: BulkProducer | undefined;
    const ours = new Witness({
      made: (transport) => {
        producer = new BulkProducer(BULK, transport, () => {});
        producer.start();
      },
      data: (transport) => {
        if (ours.receivedBytes === BULK.length) transport.loseConnection();
      },
    });
    await talk.join('echo', ours);
    await ours.lost();
    expect(ours.digest).to.equal(producer!.digest);
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    expect(await talk.told('echo', 'lost')).to.equal('ConnectionDone');
  });

  it('echoes 20 MB, reading no faster than it can write', async () => {
    const ours = new Witness({
      made: (transport) => transport.registerProducer(transport, true),
      data: (transport, data) => void transport.write(data),
    });
    await talk.join('hears-its-echo', ours);
    const digest = await talk.told('hears-its-echo', 'wrote');
    expect(await talk.told('hears-its-echo', 'heard')).to.equal(digest);
    await ours.lost();
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
    expect(await talk.told('hears-its-echo', 'lost')).to.equal('ConnectionDone');
  });

  it('discards what it does not want', async () => {
    await talk.join('writes-and-leaves', new Discard());
    expect(await talk.told('writes-and-leaves', 'lost')).to.equal('ConnectionDone');
  });
}
