/** How children are ended: by `terminate`, and when the reactor stops. */
import { expect } from 'chai';
import { ConnectionLost, ProcessDone, ProcessStartError, ProcessTerminated } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { goOn, run, spawn, untilEnded, WITH_CONTROL } from '../support/children.ts';
import { settled, skipUnless, startReactor } from '../support/connections.ts';
import { type ProcessHooks, RecordingProcessProtocol } from '../support/recording-process-protocol.ts';

export function describeProcessStop(harness: () => Harness): void {
  describe('a child that is to end', () => {
    describeTerminate(harness);
    describeReactorStop(harness);
  });
}

function describeTerminate(harness: () => Harness): void {
  it('is asked with SIGTERM first, and is waited for', async function () {
    const h = harness();
    const { reactor, child, protocol } = await run(this, h, 'sleep');
    await settled(h, child.terminate(), 'it has ended');
    expect(protocol.calls.at(-1)).to.equal('processEnded');
    expect(protocol.endedBy).to.include({ signal: 'SIGTERM' });
    expect(reactor.getDelayedCalls()).to.deep.equal([]);
  });

  it('may be asked with another signal, and by await using', async function () {
    const h = harness();
    const { child, protocol } = await run(this, h, 'sleep');
    await settled(h, child.terminate({ signal: 'HUP' }), 'it has ended');
    expect(protocol.endedBy).to.include({ signal: 'SIGHUP' });
    const other = await run(this, h, 'sleep');
    let isDisposed = false;
    void Promise.resolve(other.child[Symbol.asyncDispose]()).then(() => {
      isDisposed = true;
    });
    await h.until(() => isDisposed, 'it has been disposed of');
    expect(other.protocol.isEnded).to.be.true;
  });

  it('is killed if it does not heed that', async function () {
    const h = harness();
    const { child, protocol } = await run(this, h, 'deaf');
    await h.until(() => protocol.text() === 'ready', 'it ignores the signal by now');
    const ended = child.terminate({ killAfter: 0.05 });
    await h.advance(0.02);
    expect(protocol.isExited).to.be.false;
    await h.advance(0.05);
    await settled(h, ended, 'it has ended');
    expect(protocol.endedBy).to.include({ signal: 'SIGKILL' });
  });

  it('loses the pipes that an heir of its holds, in the end', async function () {
    const h = harness();
    const { child, protocol } = await run(this, h, 'bequeath', WITH_CONTROL);
    await h.until(() => protocol.isExited, 'the program has exited');
    const ended = child.terminate({ killAfter: 0.02 });
    await h.advance(0.03);
    await settled(h, ended, 'it has ended');
    expect(protocol.endedBy).to.be.instanceOf(ProcessDone);
  });

  it('is not waited for by whoever has paused reading: what is unread when it has exited is dropped', async function () {
    const h = harness();
    const { child, protocol, reactor } = await run(this, h, 'babble', { hooks: PAUSED });
    const ended = child.terminate({ killAfter: 60 });
    const before = reactor.seconds();
    await settled(h, ended, 'it has ended');
    expect(reactor.seconds() - before).to.be.below(60);
    expect(protocol.endedBy).to.include({ signal: 'SIGTERM' });
    expect(reactor.getDelayedCalls()).to.deep.equal([]);

    const exited = await run(this, h, 'print', { args: ['unread', ''], hooks: PAUSED });
    await h.until(() => exited.protocol.isExited, 'the program has exited');
    await settled(h, exited.child.terminate({ killAfter: 60 }), 'it has ended');
    expect(exited.protocol.text()).to.equal('');
  });

  it('has the rest read if reading goes on when it exits', async function () {
    const h = harness();
    const { child, protocol } = await run(this, h, 'print', {
      args: ['the rest', ''],
      hooks: { ...PAUSED, processExited: ({ transport }) => transport.resumeProducing() },
    });
    await settled(h, child.terminate({ signal: 0, killAfter: 60 }), 'it has ended');
    expect(protocol.text()).to.equal('the rest');
  });

  it('tells everyone who has asked', async function () {
    const h = harness();
    const { child } = await run(this, h, 'sleep');
    const first = child.terminate();
    const second = child.terminate({ killAfter: 1 });
    await settled(h, first, 'the first is told');
    await settled(h, second, 'the second is told');
  });

  it('refuses what cannot be meant', async function () {
    const h = harness();
    const { child } = await run(this, h, 'sleep');
    expect(() => child.terminate({ signal: 'NONE' })).to.throw(RangeError, /^signal must be/);
    expect(() => child.terminate({ killAfter: -1 })).to.throw(RangeError, /^killAfter must be/);
    expect(() => child.terminate({ after: 1 } as object)).to.throw(TypeError, /^options has no after/);
  });
}

function describeReactorStop(harness: () => Harness): void {
  it('is left running by a reactor that stops, its pipes closed, unless it was asked for otherwise', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = h.createReactor();
    const hasStopped = follow(reactor.run({ installSignalHandlers: false }));
    const program = spawn(h, reactor, 'sleep');
    const { child, protocol } = spawnLeft(h, reactor);
    await h.until(() => protocol.isMade, 'it runs');
    child.write('unsent');
    reactor.stop();
    await h.until(hasStopped, 'the reactor has stopped');
    expect(protocol.calls).to.deep.equal(['connectionMade', 'lost 0', 'lost 1', 'lost 2', 'processEnded']);
    expect(protocol.endedBy).to.be.instanceOf(ConnectionLost).and.not.instanceOf(ProcessTerminated);
    expect(protocol.endedBy?.message).to.include('the program was left running');
    expect(String(child)).to.include('left');
    expect(reactor.inspect().processes).to.deep.equal([]);
    expect(program.protocol.isEnded).to.be.true;
    // It can still be ended.
    child.signalProcess(0);
    let isOver = false;
    child.terminate({ signal: 'KILL' }).addCallback(() => {
      isOver = true;
    });
    expect(isOver).to.be.true;
  });

  it('is ended by a reactor that stops, if it is to be, and waited for', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = h.createReactor();
    const hasStopped = follow(reactor.run({ installSignalHandlers: false }));
    const { protocol } = spawn(h, reactor, 'sleep', { stopSignal: 'INT' });
    const idle = spawn(h, reactor, 'cat', { stopSignal: 15 });
    await h.until(() => protocol.isMade && idle.protocol.isMade, 'they run');
    let endedBefore = false;
    reactor.addSystemEventTrigger('after', 'shutdown', () => {
      endedBefore = protocol.isEnded && idle.protocol.isEnded;
    });
    reactor.stop();
    await h.until(hasStopped, 'the reactor has stopped');
    expect(endedBefore).to.be.true;
    expect(protocol.endedBy).to.include({ signal: 'SIGINT' });
    expect(idle.protocol.endedBy).to.include({ signal: 'SIGTERM' });
  });

  it('is killed by a reactor that stops if it does not heed the signal', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = h.createReactor();
    const hasStopped = follow(reactor.run({ installSignalHandlers: false }));
    const { protocol } = spawn(h, reactor, 'deaf', { stopSignal: 'TERM', stopTimeout: 0.05 });
    await h.until(() => protocol.text() === 'ready', 'it ignores the signal by now');
    reactor.stop();
    await h.advance(0.1);
    await h.until(hasStopped, 'the reactor has stopped');
    expect(protocol.endedBy).to.include({ signal: 'SIGKILL' });
    expect(reactor.getDelayedCalls()).to.deep.equal([]);
  });

  it('does not hold up a reactor that stops with what nobody reads', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = h.createReactor();
    const hasStopped = follow(reactor.run({ installSignalHandlers: false }));
    const { protocol } = spawn(h, reactor, 'babble', { stopSignal: 'TERM', stopTimeout: 60, hooks: PAUSED });
    await h.until(() => protocol.isMade, 'it runs');
    reactor.stop();
    await h.until(hasStopped, 'the reactor has stopped');
    expect(protocol.calls.at(-1)).to.equal('processEnded');
    expect(protocol.endedBy).to.include({ signal: 'SIGTERM' });
  });

  it('is killed by a reactor that stops if the host does not have the signal, which is reported', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = h.createReactor();
    const hasStopped = follow(reactor.run({ installSignalHandlers: false }));
    const { protocol } = spawn(h, reactor, 'sleep', { stopSignal: 'BREAK', stopTimeout: 0.02 });
    const other = spawn(h, reactor, 'sleep', { stopSignal: 'TERM' });
    await h.until(() => protocol.isMade && other.protocol.isMade, 'they run');
    reactor.stop();
    await h.advance(0.05);
    await h.until(hasStopped, 'the reactor has stopped');
    expect(protocol.endedBy).to.include({ signal: 'SIGKILL' });
    expect(other.protocol.endedBy).to.include({ signal: 'SIGTERM' });
    const errors = h.errors.splice(0);
    expect(errors.map(({ value }) => value.message)).to.deep.equal(['the host has no signal SIGBREAK']);
  });

  it('is not started any more by a reactor that stops in the same turn', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = h.createReactor();
    const hasStopped = follow(reactor.run({ installSignalHandlers: false }));
    await h.until(() => reactor.running, 'the reactor runs');
    const { protocol } = spawn(h, reactor, 'sleep');
    reactor.addSystemEventTrigger('before', 'shutdown', () => {
      late = spawn(h, reactor, 'sleep').protocol;
    });
    let late = protocol;
    await h.until(() => protocol.isMade, 'it runs');
    reactor.callSoon(() => reactor.stop());
    await h.until(hasStopped, 'the reactor has stopped');
    expect(late).not.to.equal(protocol);
    expect(late.calls).to.deep.equal(['processEnded']);
    expect(late.endedBy).to.be.instanceOf(ProcessStartError);
  });

  it('is left while it is being started, too', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = h.createReactor();
    const hasStopped = follow(reactor.run({ installSignalHandlers: false }));
    await h.until(() => reactor.running, 'the reactor runs');
    const { child, protocol } = spawnLeft(h, reactor, 'exit', ['0']);
    // After the call that asks the platform for the program, in the same turn.
    reactor.callSoon(() => reactor.stop());
    await h.until(hasStopped, 'the reactor has stopped');
    expect(protocol.calls).to.deep.equal(['processEnded']);
    expect(protocol.endedBy?.message).to.include('left running');
    // It gets its number, and exits, all the same.
    await h.until(() => child.pid !== undefined, 'it has been started');
    await h.until(() => String(child).includes('ended'), 'it has exited');
    expect(protocol.calls).to.deep.equal(['processEnded']);
  });

  it('goes on while the reactor has crashed, and is heard of by the next run', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const { child, protocol } = spawn(h, reactor, 'bequeath', WITH_CONTROL);
    await h.until(() => protocol.isMade, 'it runs');
    const before = [...protocol.calls];
    reactor.crash();
    await h.advance(0.05);
    expect(protocol.calls).to.deep.equal(before);
    void reactor.run({ installSignalHandlers: false });
    await h.until(() => protocol.isExited, 'the exit is told');
    goOn(child);
    await untilEnded(h, protocol);
    expect(protocol.text()).to.equal('nowlate');
  });

  it('can be started by a hook of the one before', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const ended: string[] = [];
    const begin = (count: number): void => {
      spawn(h, reactor, 'exit', {
        args: [String(count)],
        hooks: {
          processEnded: (_protocol, reason) => {
            ended.push(reason.value.message);
            if (count < 3) begin(count + 1);
          },
        },
      });
    };
    begin(1);
    await h.until(() => ended.length === 3, 'three have ended, one after another');
    expect(ended).to.deep.equal([1, 2, 3].map((code) => `The program ended with exit code ${code}.`));
  });
}

/** Reads nothing, from the first. */
const PAUSED: ProcessHooks = { connectionMade: ({ transport }) => transport.pauseProducing() };

/** One that the reactor is not to end. */
function spawnLeft(
  h: Harness,
  reactor: Parameters<typeof spawn>[1],
  name: 'sleep' | 'exit' = 'sleep',
  args: readonly string[] = [],
): ReturnType<typeof spawn> {
  const program = h.program(name, ...args);
  const protocol = new RecordingProcessProtocol();
  return { protocol, child: reactor.spawnProcess(protocol, program.executable, program.args) };
}

/** Whether a promise has been kept. */
function follow(promise: Promise<unknown>): () => boolean {
  let isKept = false;
  void promise.then(() => {
    isKept = true;
  });
  return () => isKept;
}
