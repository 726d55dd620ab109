/** A program as the far end of a stream. */
import { expect } from 'chai';
import type { Context } from 'mocha';
import {
  ConnectingCancelledError,
  ConnectionAborted,
  ConnectionDone,
  ConnectionLost,
  connectProtocol,
  Factory,
  type Logger,
  NoProtocol,
  ProcessDone,
  ProcessEndpoint,
  type ProcessEndpointOptions,
  ProcessStartError,
  ProcessTerminated,
  type Reactor,
  WriteBufferLimitError,
} from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { MEBIBYTE, pattern, settled, skipUnless, startReactor, takeErrors, untilLost } from '../support/connections.ts';
import type { ProgramName } from '../support/programs.ts';
import { RecordingFactory } from '../support/recording-factory.ts';
import { RecordingProducer } from '../support/recording-producer.ts';
import { HalfCloseRecordingProtocol, type Hooks, RecordingProtocol } from '../support/recording-protocol.ts';

export function describeProcessEndpoint(harness: () => Harness): void {
  describe('a connection with a program', () => {
    describeConnection(harness);
    describeEnds(harness);
    describeAttempts(harness);
  });
}

interface EndpointParts extends ProcessEndpointOptions {
  readonly args?: readonly string[];
}

function endpointOf(h: Harness, reactor: Reactor, name: ProgramName, parts: EndpointParts = {}): ProcessEndpoint {
  const { args = [], ...options } = parts;
  const program = h.program(name, ...args);
  return new ProcessEndpoint(reactor, program.executable, program.args, {
    stopSignal: 'KILL',
    standardError: 'drop',
    ...options,
  });
}

/** Connects a recording protocol with a program. */
async function connect(
  context: Context,
  h: Harness,
  name: ProgramName,
  {
    hooks = {},
    protocol,
    ...parts
  }: EndpointParts & { readonly hooks?: Hooks; readonly protocol?: RecordingProtocol } = {},
): Promise<{ reactor: Reactor; protocol: RecordingProtocol }> {
  skipUnless(context, h, 'processes');
  const reactor = startReactor(h);
  const connecting = connectProtocol(endpointOf(h, reactor, name, parts), protocol ?? new RecordingProtocol(hooks));
  return { reactor, protocol: await settled(h, connecting, 'it is connected') };
}

function describeConnection(harness: () => Harness): void {
  it('carries data both ways, and is done when the program is', async function () {
    const h = harness();
    const data = pattern(2 * MEBIBYTE);
    const { reactor, protocol } = await connect(this, h, 'cat', {
      hooks: { connectionMade: ({ transport }) => void transport.write('first ') },
    });
    const { transport } = protocol;
    expect(transport.connected).to.be.true;
    expect(String(transport.getPeer())).to.equal('UNIXAddress()');
    expect(String(transport.getHost())).to.equal('UNIXAddress()');
    transport.writeSequence(['second ', data]);
    await h.until(() => protocol.receivedBytes === data.length + 13, 'it has come back');
    expect(protocol.received.subarray(0, 13).toString()).to.equal('first second ');
    expect(protocol.received.subarray(13).equals(data)).to.be.true;
    transport.loseConnection();
    expect(transport.disconnecting).to.be.true;
    expect(transport.write('too late')).to.be.false;
    await untilLost(h, protocol);
    expect(protocol.lostBy).to.be.instanceOf(ProcessDone).and.instanceOf(ConnectionDone);
    expect(transport.connected).to.be.false;
    expect(protocol.nested).to.deep.equal([]);
    expect(reactor.inspect().processes).to.deep.equal([]);
  });

  it('has what the program prints to its standard error written to a logger, if it is given one', async function () {
    const h = harness();
    const logged: object[] = [];
    const ignore = (): void => undefined;
    const logger: Logger = { debug: ignore, info: ignore, error: ignore, warn: (fields) => void logged.push(fields) };
    const { protocol } = await connect(this, h, 'print', { args: ['out', 'a warning'], standardError: logger });
    await untilLost(h, protocol);
    expect(protocol.text).to.equal('out');
    const { executable } = h.program('print');
    expect(logged).to.deep.equal([{ executable, text: 'a warning' }]);
  });

  it('can be paused, and has producers', async function () {
    const h = harness();
    const { protocol } = await connect(this, h, 'cat');
    const { transport } = protocol;
    transport.pauseProducing();
    const producer = new RecordingProducer();
    transport.registerProducer(producer, true);
    expect(transport.write(pattern(4 * MEBIBYTE))).to.be.false;
    await h.advance(0.02);
    expect(protocol.receivedBytes).to.equal(0);
    transport.resumeProducing();
    await h.until(() => producer.count('resumeProducing') === 1, 'the producer goes on');
    transport.unregisterProducer();
    transport.stopProducing();
    await untilLost(h, protocol);
  });

  it('knows the options of TCP, which do nothing', async function () {
    const h = harness();
    const { protocol } = await connect(this, h, 'cat');
    const { transport } = protocol;
    transport.setTcpNoDelay(false);
    transport.setTcpKeepAlive(true);
    expect([transport.getTcpNoDelay(), transport.getTcpKeepAlive()]).to.deep.equal([false, true]);
  });

  it('can be closed by halves, and answered over the other half', async function () {
    const h = harness();
    const protocol = new HalfCloseRecordingProtocol({
      readConnectionLost: ({ transport }) => transport.loseConnection(),
    });
    await connect(this, h, 'cat', { protocol });
    protocol.transport.write('a question');
    protocol.transport.loseWriteConnection();
    await untilLost(h, protocol);
    expect(protocol.text).to.equal('a question');
    expect(protocol.calls).to.have.members([
      ...['connectionMade', 'writeConnectionLost', 'dataReceived', 'readConnectionLost', 'connectionLost'],
    ]);
    expect(protocol.calls.at(-1)).to.equal('connectionLost');
  });
}

function describeEnds(harness: () => Harness): void {
  it('is lost by how the program has ended', async function () {
    const h = harness();
    const failed = await connect(this, h, 'report', { args: ['out', '', '3'] });
    const crashed = await connect(this, h, 'crash', { args: ['out'] });
    for (const { protocol } of [failed, crashed]) {
      await untilLost(h, protocol);
      expect(protocol.text).to.equal('out');
      expect(protocol.lostBy).to.be.instanceOf(ProcessTerminated).and.instanceOf(ConnectionLost);
    }
    expect(failed.protocol.lostBy).to.include({ exitCode: 3 });
    expect(crashed.protocol.lostBy).to.include({ signal: 'SIGSEGV' });
  });

  it('kills the program when it is aborted', async function () {
    const h = harness();
    const { protocol, reactor } = await connect(this, h, 'deaf');
    await h.until(() => protocol.text === 'ready', 'it ignores what can be ignored');
    protocol.transport.abortConnection();
    expect(protocol.isLost).to.be.false;
    await untilLost(h, protocol);
    expect(protocol.lostBy).to.be.instanceOf(ConnectionAborted);
    protocol.transport.abortConnection();
    expect(reactor.inspect().processes).to.deep.equal([]);
  });

  it('is lost, and the program killed, when more waits to be written than may', async function () {
    const h = harness();
    const hooks: Hooks = { connectionMade: ({ transport }) => transport.pauseProducing() };
    const options = { highWaterMark: 1000, writeBufferLimit: MEBIBYTE };
    const { protocol, reactor } = await connect(this, h, 'deaf', { ...options, hooks });
    const { transport } = protocol;
    expect(transport.writeBufferLimit).to.equal(MEBIBYTE);
    expect(transport.write(new Uint8Array(MEBIBYTE))).to.be.false;
    expect(transport.write('x')).to.be.false;
    await untilLost(h, protocol);
    expect(protocol.lostBy).to.be.instanceOf(WriteBufferLimitError).and.include({ limitBytes: MEBIBYTE });
    expect(transport.connected).to.be.false;
    expect(takeErrors(h)).to.deep.equal([protocol.lostBy]);
    expect(reactor.inspect().processes).to.deep.equal([]);
    const closing = (await connect(this, h, 'deaf', options)).protocol;
    closing.transport.write(new Uint8Array(MEBIBYTE));
    closing.transport.registerProducer(new RecordingProducer(), true);
    closing.transport.loseConnection();
    closing.transport.write('x');
    await untilLost(h, closing);
    expect(closing.lostBy).to.be.instanceOf(WriteBufferLimitError);
    expect(takeErrors(h)).to.have.length(1);
  });

  it('delivers nothing after loseConnection, but lets the program finish, within reason', async function () {
    const h = harness();
    const lose: Hooks = { dataReceived: ({ transport }) => transport.loseConnection() };
    const short = await connect(this, h, 'pour', { args: ['300000'], hooks: lose });
    await untilLost(h, short.protocol);
    expect(short.protocol.chunks).to.have.length(1);
    expect(short.protocol.lostBy).to.be.instanceOf(ProcessDone);
    const long = await connect(this, h, 'pour', { args: [String(64 * MEBIBYTE)], hooks: lose });
    await untilLost(h, long.protocol);
    expect(long.protocol.chunks).to.have.length(1);
    if (h.features.has('real-programs')) expect(long.protocol.lostBy).to.be.instanceOf(ProcessTerminated);
  });

  it('goes on discarding as much as lingerBytes says', async function () {
    const h = harness();
    skipUnless(this, h, 'real-programs');
    const lose: Hooks = { dataReceived: ({ transport }) => transport.loseConnection() };
    const args = [String(4 * MEBIBYTE)];
    const patient = await connect(this, h, 'pour', { args, hooks: lose, lingerBytes: 8 * MEBIBYTE });
    await untilLost(h, patient.protocol);
    expect(patient.protocol.lostBy).to.be.instanceOf(ProcessDone);
    const hasty = await connect(this, h, 'pour', { args: ['900000'], hooks: lose, lingerBytes: 1000 });
    await untilLost(h, hasty.protocol);
    expect(hasty.protocol.lostBy).to.be.instanceOf(ProcessTerminated);
    expect(() => endpointOf(h, hasty.reactor, 'cat', { lingerBytes: -1 })).to.throw(RangeError, 'lingerBytes');
  });

  it('is lost with the error of a hook, which is reported', async function () {
    const h = harness();
    const { protocol } = await connect(this, h, 'cat', {
      hooks: {
        dataReceived: () => {
          throw new Error('thrown by a hook');
        },
      },
    });
    protocol.transport.write('x');
    await untilLost(h, protocol);
    expect(protocol.lostBy?.message).to.equal('thrown by a hook');
    expect(takeErrors(h).map(String)).to.deep.equal(['Error: thrown by a hook']);
  });
}

function describeAttempts(harness: () => Harness): void {
  it('is not made with a program that does not exist, and the factory is told so', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const factory = new RecordingFactory();
    const error = await refused(h, new ProcessEndpoint(reactor, '/nonexistent/program').connect(factory));
    expect(error).to.be.instanceOf(ProcessStartError);
    expect(factory.calls).to.deep.equal(['doStart', 'startFactory', 'doStop', 'stopFactory']);
  });

  it('is not made without a protocol; the program is killed', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const none = endpointOf(h, reactor, 'sleep').connect(new RecordingFactory({ buildProtocol: () => null }));
    expect(await refused(h, none)).to.be.instanceOf(NoProtocol);
    const broken = endpointOf(h, reactor, 'sleep').connect(Factory.forProtocol(Throwing));
    expect((await refused(h, broken)).message).to.equal('thrown when it was built');
    await h.until(() => reactor.inspect().processes.length === 0, 'the programs have gone');
  });

  it('is given up with the Deferred: at once, and the program is killed', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const factory = new RecordingFactory();
    const connecting = endpointOf(h, reactor, 'sleep').connect(factory);
    connecting.cancel();
    expect(factory.calls).to.deep.equal(['doStart', 'startFactory', 'doStop', 'stopFactory']);
    expect(await refused(h, connecting)).to.be.instanceOf(ConnectingCancelledError);
    const controller = new AbortController();
    const other = endpointOf(h, reactor, 'sleep').connect(factory, { signal: controller.signal });
    reactor.callSoon(() => controller.abort('the reason'));
    expect((await refused(h, other)).cause).to.equal('the reason');
    await h.until(() => reactor.inspect().processes.length === 0, 'the programs have gone');
    expect(factory.protocols).to.deep.equal([]);
  });

  it('counts the factory out when it is lost', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const factory = RecordingFactory.withProtocol({});
    const protocol = await settled(h, endpointOf(h, reactor, 'cat').connect(factory), 'it is connected');
    expect(factory.calls).to.deep.equal(['doStart', 'startFactory', 'buildProtocol']);
    protocol.transport.loseConnection();
    await h.until(() => factory.calls.includes('doStop'), 'the factory has been stopped');
  });

  it('refuses arguments that cannot be right, and then begins nothing', function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = h.createReactor();
    const factory = new RecordingFactory();
    expect(() => new ProcessEndpoint(reactor, '').connect(factory)).to.throw(RangeError, /^executable must/);
    expect(() => new ProcessEndpoint(reactor, 'cat', [], { cwd: 5 as never }).connect(factory)).to.throw(/^cwd must/);
    expect(() => new ProcessEndpoint({} as never, 'cat')).to.throw(TypeError, /^reactor has no method spawnProcess/);
    expect(() => new ProcessEndpoint(reactor, 'cat', [], { childFDs: {} } as object)).to.throw(/^options has no child/);
    expect(() => new ProcessEndpoint(reactor, 'cat', [], { standardError: 'x' as never })).to.throw(/^standardError/);
    expect(factory.calls).to.deep.equal([]);
    const failing = Factory.forProtocol(RecordingProtocol);
    failing.startFactory = () => {
      throw new Error('thrown by startFactory');
    };
    expect(() => endpointOf(h, reactor, 'cat').connect(failing)).to.throw('thrown by startFactory');
  });
}

class Throwing extends RecordingProtocol {
  constructor() {
    super();
    throw new Error('thrown when it was built');
  }
}

/** The error that an attempt ends with. */
async function refused(h: Harness, connecting: ReturnType<ProcessEndpoint['connect']>): Promise<Error> {
  try {
    await settled(h, connecting, 'the attempt has failed');
  } catch (error) {
    // Deferreds fail with nothing else.
    return error as Error;
  }
  throw new Error('it did not fail');
}
