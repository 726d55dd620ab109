/** Several ports on one address, `reusePort`. */
import type { Context } from 'mocha';
import { expect } from 'chai';
import { type Address, CannotListenError, IPv4Address, type ListenTCPOptions, UnsupportedError } from 'ropewalk/core';
import type { Harness, Peer } from '../harness.ts';
import { hostAndPort } from '../harness/reactor-calls.ts';
import { settled, startReactor } from '../support/connections.ts';
import { RecordingFactory } from '../support/recording-factory.ts';

const SHARED = { interface: '127.0.0.1', reusePort: true };

/** So many that all are given to one of two listeners by chance once in 10^30 runs. */
const CONNECTION_COUNT = 100;

interface Listening {
  readonly factory: RecordingFactory;
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** Listens, on a reactor of its own, and waits until the port is bound. */
async function listen(harness: Harness, port: number, options: ListenTCPOptions = SHARED): Promise<Listening> {
  const factory = new RecordingFactory();
  const listeningPort = startReactor(harness).listenTCP(port, factory, options);
  await settled(harness, listeningPort.whenListening(), 'the port is bound');
  return {
    factory,
    port: hostAndPort(listeningPort.getHost()).port,
    stop: () => settled(harness, listeningPort.stopListening(), 'the port is closed'),
  };
}

async function expectTaken(harness: Harness, port: number, options: ListenTCPOptions): Promise<void> {
  try {
    await listen(harness, port, options);
  } catch (error) {
    expect(error).to.be.instanceOf(CannotListenError);
    expect((error as CannotListenError).cause).to.include({ code: 'EADDRINUSE' });
    return;
  }
  throw new Error('the port listens');
}

/** Skips the case where the platform says that it has no such thing; `test/node/reuse-port.test.ts` has when that is. */
function skipIfUnsupported(context: Context, harness: Harness): void {
  const reactor = harness.createReactor();
  try {
    void reactor.listenTCP(0, new RecordingFactory(), SHARED).stopListening();
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    expect(reactor.inspect().ports).to.deep.equal([]);
    if (context.currentTest !== undefined) context.currentTest.title += ` (skipped: ${error.message})`;
    context.skip();
  }
}

async function dialMany(harness: Harness, port: number): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (let count = 0; count < CONNECTION_COUNT; count += 1) peers.push(await harness.dial(addressAt(port)));
  return peers;
}

function addressAt(port: number): Address {
  return new IPv4Address('TCP', '127.0.0.1', port);
}

const servedBy = ({ factory }: Listening): number => factory.protocols.length;

export function describeReusePort(harness: () => Harness): void {
  describe('Ports with reusePort', () => {
    beforeEach(function () {
      skipIfUnsupported(this, harness());
    });

    it('share an address, and each connection goes to one of them', async () => {
      const one = await listen(harness(), 0);
      const other = await listen(harness(), one.port);
      const peers = await dialMany(harness(), one.port);
      await harness().until(() => servedBy(one) + servedBy(other) === peers.length, 'all are served');
      expect(servedBy(one), 'one').to.be.greaterThan(0);
      expect(servedBy(other), 'the other').to.be.greaterThan(0);
    });

    it('leave all connections to those that go on listening', async () => {
      const one = await listen(harness(), 0);
      const other = await listen(harness(), one.port);
      await one.stop();
      const peers = await dialMany(harness(), one.port);
      await harness().until(() => servedBy(other) === peers.length, 'all are served');
      await other.stop();
      await expectFailure(harness().dial(addressAt(one.port)));
    });

    it('are kept out by a port that does not share, and keep it out', async () => {
      const alone = await listen(harness(), 0, { interface: '127.0.0.1' });
      await expectTaken(harness(), alone.port, SHARED);
      const shared = await listen(harness(), 0);
      await expectTaken(harness(), shared.port, { interface: '127.0.0.1' });
      await expectTaken(harness(), shared.port, { interface: '0.0.0.0' });
    });

    it('on one address are preferred to those on all', async () => {
      const all = await listen(harness(), 0, { reusePort: true });
      const exact = await listen(harness(), all.port);
      const peers = await dialMany(harness(), all.port);
      await harness().until(() => servedBy(exact) === peers.length, 'all are served');
      expect(servedBy(all)).to.equal(0);
    });
  });
}

async function expectFailure(work: Promise<unknown>): Promise<void> {
  const outcome = await work.then(
    () => 'connected',
    (error: unknown) => error,
  );
  expect(outcome).to.be.instanceOf(Error);
}
