/** What reviews have found, each a case so that it stays mended. */
import { expect } from 'chai';
import {
  ClientFactory,
  type Connector,
  Factory,
  type HookResult,
  type Protocol,
  type PushProducer,
} from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { listen, nthProtocol, roundTrip, serve, settled, startReactor, takeErrors } from '../support/connections.ts';
import { RecordingFactory } from '../support/recording-factory.ts';
import { RecordingProtocol } from '../support/recording-protocol.ts';

export function describeRegressions(harness: () => Harness): void {
  describe('A hook of a factory or a producer that returns a rejected promise', () => {
    describeRejections(harness);
  });
  describe('Connections held until the reactor runs', () => {
    describeHeldConnections(harness);
  });
  describe('A run', () => {
    describeEndingRun(harness);
  });
  describe('What users supply', () => {
    describeSupplied(harness);
  });
}

/** A promise that is rejected, as an async hook returns it. */
function rejected(): Promise<void> {
  return Promise.reject(new Error('rejected'));
}

async function expectOneReport(harness: Harness): Promise<void> {
  await harness.until(() => harness.errors.length > 0, 'the rejection is reported');
  expect(takeErrors(harness).map((error) => error.message)).to.deep.equal(['rejected']);
}

function describeRejections(harness: () => Harness): void {
  class AsyncFactory extends ClientFactory {
    readonly #failing: string;
    constructor(failing: string) {
      super();
      this.#failing = failing;
    }
    override startFactory(): HookResult {
      return this.#failing === 'startFactory' ? rejected() : undefined;
    }
    override stopFactory(): HookResult {
      return this.#failing === 'stopFactory' ? rejected() : undefined;
    }
    override startedConnecting(): HookResult {
      return this.#failing === 'startedConnecting' ? rejected() : undefined;
    }
    override buildProtocol(): Protocol {
      return new RecordingProtocol();
    }
    override clientConnectionFailed(): HookResult {
      return this.#failing === 'clientConnectionFailed' ? rejected() : undefined;
    }
    override clientConnectionLost(): HookResult {
      return this.#failing === 'clientConnectionLost' ? rejected() : undefined;
    }
  }

  for (const hook of ['startFactory', 'stopFactory', 'startedConnecting', 'clientConnectionFailed']) {
    it(`has it reported, once: ${hook}`, async () => {
      const reactor = startReactor(harness());
      const server = await harness().serve({ answer: 'refuse' });
      harness().connect(reactor, server.destination, new AsyncFactory(hook));
      await expectOneReport(harness());
    });
  }

  it('has it reported, once: clientConnectionLost', async () => {
    const reactor = startReactor(harness());
    const server = await harness().serve();
    harness().connect(reactor, server.destination, new AsyncFactory('clientConnectionLost'));
    (await server.accept()).end();
    await expectOneReport(harness());
  });

  it('has it reported, and loses the connection: a producer', async () => {
    const { protocol } = await serve(harness());
    const producer: PushProducer = { pauseProducing: rejected, resumeProducing: rejected, stopProducing: () => {} };
    protocol.transport.registerProducer(producer, true);
    protocol.transport.write(new Uint8Array(65_537));
    await harness().until(() => protocol.isLost, 'the connection is lost');
    expect(protocol.lostBy?.message).to.equal('rejected');
    for (const error of takeErrors(harness())) expect(error.message).to.equal('rejected');
  });
}

function describeHeldConnections(harness: () => Harness): void {
  it('come before those that the system accepts just after run()', async () => {
    const reactor = harness().createReactor();
    const factory = new RecordingFactory();
    const { destination } = await listen(harness(), reactor, factory);
    const first = await harness().dial(destination);
    first.send('first');
    await harness().advance(0.005);
    const dialled = harness().dial(destination);
    void reactor.run({ installSignalHandlers: false });
    const second = await dialled;
    second.send('second');
    const texts = (): string[] => factory.protocols.map((protocol) => protocol.text);
    await harness().until(() => texts().length === 2 && !texts().includes(''), 'both are served');
    expect(texts()).to.deep.equal(['first', 'second']);
  });

  it('are closed with the port, and no protocol is built for them', async () => {
    const reactor = harness().createReactor();
    const factory = new RecordingFactory();
    const { listeningPort, destination } = await listen(harness(), reactor, factory);
    const peer = await harness().dial(destination);
    await harness().advance(0.005);
    await settled(harness(), listeningPort.stopListening(), 'the port has closed');
    await harness().until(() => peer.ended || peer.closed, 'the connection is closed');
    startReactor(harness());
    void reactor.run({ installSignalHandlers: false });
    await roundTrip(harness(), reactor);
    expect(factory.calls).to.deep.equal(['doStart', 'startFactory', 'doStop', 'stopFactory']);
  });
}

function describeEndingRun(harness: () => Harness): void {
  it('ends also when factories connect again whenever they fail', async () => {
    const reactor = startReactor(harness());
    const server = await harness().serve();
    class Stubborn extends RecordingFactory {
      override clientConnectionFailed(connector: Connector): void {
        connector.connect();
      }
      override clientConnectionLost(connector: Connector): void {
        connector.connect();
      }
    }
    const factory = new Stubborn();
    harness().connect(reactor, server.destination, factory);
    await nthProtocol(harness(), factory, 0);
    reactor.stop();
    await harness().until(() => factory.calls.at(-1) === 'stopFactory', 'the factory has been stopped');
    await harness().until(() => !reactor.running, 'the reactor has stopped');
    expect(reactor.inspect().connectors).to.deep.equal([]);
    expect(factory.numPorts).to.equal(0);
  });
}

function describeSupplied(harness: () => Harness): void {
  it('a factory that builds no protocol but something else has it reported, once, and the connection is closed', async () => {
    const reactor = startReactor(harness());
    class Careless extends Factory {
      // As plain JavaScript may do.
      override buildProtocol(): Protocol {
        return {} as unknown as Protocol;
      }
    }
    const { destination } = await listen(harness(), reactor, new Careless());
    const peer = await harness().dial(destination);
    await harness().until(() => peer.ended || peer.closed, 'the connection is closed');
    const [error, ...others] = takeErrors(harness());
    expect(error).to.be.instanceOf(TypeError);
    expect(error?.message).to.include('makeConnection');
    expect(others).to.deep.equal([]);
  });
}
