/** Wherever the reactor enters the program's code it measures how long that takes. */
import { expect } from 'chai';
import type { DrainableProtocol, HookResult, Logger, Reactor } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { spawn, untilEnded as untilChildEnded } from '../support/children.ts';
import { listen, nthProtocol, settled, skipUnless, untilLost } from '../support/connections.ts';
import { openPort } from '../support/datagrams.ts';
import { RecordingFactory } from '../support/recording-factory.ts';
import { RecordingProducer } from '../support/recording-producer.ts';
import { HalfCloseRecordingProtocol, RecordingProtocol } from '../support/recording-protocol.ts';

/** With this every hook is slow. */
const SLOW_HOOK_SECONDS = 0;

/** Has all the hooks that a protocol of a connection may have, but for that of TLS. */
class AllHooks extends HalfCloseRecordingProtocol implements DrainableProtocol {
  connectionDraining(): HookResult {
    this.transport.loseConnection();
  }
}

/** A running reactor, and what it calls slow: hook and class of the owner. */
function startMeasured(h: Harness): { readonly reactor: Reactor; readonly slow: Set<string> } {
  const slow = new Set<string>();
  const reactor = h.createReactor({
    slowHookSeconds: SLOW_HOOK_SECONDS,
    observer: {
      hookSlow: (name, seconds, connection, owner) => {
        expect(seconds).to.be.at.least(0);
        const side = connection === undefined ? '' : ` of a ${connection.role}`;
        slow.add(`${name}${side}${owner === undefined ? '' : `: ${owner.constructor.name}`}`);
      },
    },
  });
  void reactor.run({ installSignalHandlers: false });
  return { reactor, slow };
}

export function describeSlowHooks(harness: () => Harness): void {
  describe('the time that is measured', () => {
    it('is that of every hook of protocols, factories and producers', async () => {
      const h = harness();
      const { reactor, slow } = startMeasured(h);
      const factory = new RecordingFactory({ buildProtocol: () => new AllHooks() });
      const { destination, listeningPort } = await listen(h, reactor, factory, { highWaterMark: 10 });
      const clientFactory = new RecordingFactory({ buildProtocol: () => new AllHooks() });
      h.connect(reactor, destination, clientFactory);
      const client = await nthProtocol(h, clientFactory, 0);
      const server = await nthProtocol(h, factory, 0);
      const producer = new RecordingProducer();
      server.transport.registerProducer(producer, true);
      server.transport.write('more than ten bytes');
      await h.until(() => producer.calls.length === 2 && client.receivedBytes > 0, 'it has been paused and resumed');
      client.transport.loseWriteConnection();
      await h.until(() => server.calls.includes('readConnectionLost'), 'the server knows');
      server.transport.unregisterProducer();
      server.transport.loseConnection();
      await untilLost(h, client);
      await settled(h, listeningPort.stopListening(), 'the port has closed');
      h.connect(reactor, (await h.serve({ answer: 'refuse' })).destination, clientFactory);
      await h.until(() => clientFactory.calls.includes('clientConnectionFailed'), 'nobody is there');
      slow.delete('handshakeCompleted of a client: AllHooks');
      slow.delete('handshakeCompleted of a server: AllHooks');
      expect([...slow].sort()).to.deep.equal([
        'buildProtocol: RecordingFactory',
        'clientConnectionFailed: RecordingFactory',
        'clientConnectionLost: RecordingFactory',
        'connectionLost of a client: AllHooks',
        'connectionLost of a server: AllHooks',
        'connectionMade of a client: AllHooks',
        'connectionMade of a server: AllHooks',
        'dataReceived of a client: AllHooks',
        'doStop: RecordingFactory',
        'pauseProducing: RecordingProducer',
        'readConnectionLost of a client: AllHooks',
        'readConnectionLost of a server: AllHooks',
        'resumeProducing: RecordingProducer',
        'startedConnecting: RecordingFactory',
        'writeConnectionLost of a client: AllHooks',
      ]);
    });

    it('is that of connectionDraining, of stopProducing, and of triggers', async () => {
      const h = harness();
      const { reactor, slow } = startMeasured(h);
      const factory = new RecordingFactory({ buildProtocol: () => new AllHooks() });
      const { destination } = await listen(h, reactor, factory);
      await h.dial(destination);
      const { transport } = await nthProtocol(h, factory, 0);
      transport.registerProducer(new RecordingProducer(), true);
      reactor.addSystemEventTrigger('before', 'shutdown', function save() {});
      reactor.addSystemEventTrigger('after', 'shutdown', () => undefined);
      reactor.stop({ drainSeconds: 0.02 });
      await h.advance(0.03);
      await h.until(() => !reactor.running, 'it has stopped');
      expect([...slow]).to.include.members([
        'connectionDraining of a server: AllHooks',
        'stopProducing: RecordingProducer',
        'before shutdown trigger save',
        'after shutdown trigger anonymous function',
      ]);
    });

    it('is that of calls, by the names of their functions', async () => {
      const h = harness();
      const { reactor, slow } = startMeasured(h);
      let calls = 0;
      reactor.callSoon(function ring() {
        calls += 1;
      });
      reactor.callLater(0, function wait() {
        calls += 1;
      });
      reactor.callLater(0, () => (calls += 1));
      await h.advance(0.001);
      await h.until(() => calls === 3, 'they have been made');
      expect([...slow].sort()).to.deep.equal([
        'delayed call anonymous function',
        'delayed call wait',
        'queued call ring',
      ]);
    });

    it('is that of hooks about datagrams', async () => {
      const h = harness();
      const { reactor, slow } = startMeasured(h);
      const { udpPort, port, protocol } = await openPort(h, {}, { reactor });
      const peer = await h.openDatagrams();
      peer.send('hello', port);
      await h.until(() => protocol.received.length === 1, 'it has come');
      await settled(h, udpPort.stopListening(), 'the port has closed');
      const refused = await openPort(h, {}, { reactor });
      refused.protocol.transport.connect('127.0.0.1', port);
      refused.protocol.transport.write('nobody is there');
      await h.until(() => refused.protocol.refusals === 1, 'it has been refused');
      const whose = 'RecordingDatagramProtocol';
      expect([...slow].sort()).to.deep.equal(
        ['connectionRefused', 'datagramReceived', 'startProtocol', 'stopProtocol'].map((hook) => `${hook}: ${whose}`),
      );
    });

    it('is that of hooks about child processes', async function () {
      const h = harness();
      skipUnless(this, h, 'processes');
      const { reactor, slow } = startMeasured(h);
      const { child, protocol } = spawn(h, reactor, 'cat');
      child.write('to and fro');
      await h.until(() => protocol.text() === 'to and fro', 'it has come back');
      child.closeStdin();
      await untilChildEnded(h, protocol);
      const hooks = ['childConnectionLost', 'childDataReceived', 'connectionMade', 'processEnded', 'processExited'];
      expect([...slow].sort()).to.deep.equal(hooks.map((hook) => `${hook}: RecordingProcessProtocol`));
    });

    it('is worth a warning, which names the hook and the class of its owner', async () => {
      const h = harness();
      const warnings: (readonly [fields: object, message: string])[] = [];
      const ignore = (): void => {};
      const logger: Logger = {
        debug: ignore,
        info: ignore,
        error: ignore,
        warn: (fields, message) => warnings.push([fields, message]),
      };
      const reactor = h.createReactor({ logger, slowHookSeconds: SLOW_HOOK_SECONDS });
      void reactor.run({ installSignalHandlers: false });
      const factory = new RecordingFactory({ buildProtocol: () => new AllHooks() });
      const { destination } = await listen(h, reactor, factory);
      const peer = await h.dial(destination);
      peer.send('hello');
      await h.until(() => factory.protocols[0]?.text === 'hello', 'it has come');
      const found = warnings.find(([fields]) => 'hook' in fields && fields.hook === 'dataReceived');
      expect(found?.[0]).to.include({ hook: 'dataReceived', owner: 'AllHooks' }).and.have.property('seconds');
      expect(found?.[1]).to.match(/^dataReceived of AllHooks has kept everything else waiting for \d+\.\d{3} s$/);
    });

    it('does not break a hook, or the reactor, by a logger that throws', async () => {
      const h = harness();
      const fail = (): never => {
        throw new Error('the disk is full');
      };
      const logger: Logger = { debug: fail, info: fail, warn: fail, error: fail };
      const reactor = h.createReactor({ logger, slowHookSeconds: SLOW_HOOK_SECONDS });
      void reactor.run({ installSignalHandlers: false });
      const factory = new RecordingFactory({
        buildProtocol: () =>
          new RecordingProtocol({ dataReceived: ({ transport }, data) => void transport.write(data) }),
      });
      const { destination } = await listen(h, reactor, factory, { maxConnections: 1 });
      const peer = await h.dial(destination);
      const refused = await h.dial(destination).catch(() => undefined);
      await h.until(() => refused === undefined || refused.closed, 'one too many is closed');
      peer.send('hello');
      await h.until(() => peer.text() === 'hello', 'it has been answered');
    });

    it('is nobody’s affair where slowHookSeconds is Infinity', async () => {
      const h = harness();
      const reactor = h.createReactor({
        slowHookSeconds: Infinity,
        observer: { hookSlow: (name) => expect.fail(name) },
      });
      void reactor.run({ installSignalHandlers: false });
      let isCalled = false;
      reactor.callSoon(() => (isCalled = true));
      await h.until(() => isCalled, 'it has been called');
      for (const slowHookSeconds of [-1, NaN]) {
        expect(() => h.createReactor({ slowHookSeconds })).to.throw(RangeError, 'slowHookSeconds');
      }
    });
  });
}
