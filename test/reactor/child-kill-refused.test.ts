/** A child that may not be killed, as a program that runs as another user: kill() fails with EPERM. */
import { expect } from 'chai';
import { ConnectionLost, Reactor, type SpawnProcessOptions } from 'ropewalk/core';
import { World } from 'ropewalk/simulation';
import { ScriptedProgram } from '../../src/testing/scripted-program.ts';
import { RecordingProcessProtocol } from '../conformance/support/recording-process-protocol.ts';

describe('a child that may not be killed', () => {
  it('has its pipes closed at the deadline all the same, and is waited for', () => {
    const { world, child, protocol, program, errors } = spawn();
    world.advance(0);
    let hasEnded = false;
    child.terminate({ signal: 0, killAfter: 2 }).addCallback(() => {
      hasEnded = true;
    });
    world.advance(1.9);
    expect(protocol.calls).to.deep.equal(['connectionMade']);
    world.advance(0.2);
    expect(protocol.calls).to.deep.equal(['connectionMade', 'lost 0', 'lost 1', 'lost 2']);
    expect(errors.map((error) => error.message)).to.deep.equal(['EPERM']);
    expect(hasEnded).to.be.false;
    program.accept().exit(0);
    world.advance(0);
    expect(hasEnded).to.be.true;
  });

  it('does not hold up a reactor that stops: it is left', () => {
    const { world, reactor, child, protocol, program, errors } = spawn({ stopSignal: 'TERM', stopTimeout: 3 });
    world.advance(0);
    let hasStopped = false;
    reactor.addSystemEventTrigger('after', 'shutdown', () => {
      hasStopped = true;
    });
    reactor.stop();
    world.advance(2.9);
    expect(hasStopped).to.be.false;
    world.advance(0.2);
    expect(hasStopped).to.be.true;
    expect(protocol.calls.at(-1)).to.equal('processEnded');
    expect(protocol.endedBy).to.be.instanceOf(ConnectionLost).with.property('message').that.includes('left running');
    expect(String(child)).to.include('left');
    // The stopSignal, and the KILL.
    expect(errors.map((error) => error.message)).to.deep.equal(['EPERM', 'EPERM']);
    expect(program.accept().exited).to.be.false;
    expect(reactor.getDelayedCalls()).to.deep.equal([]);
  });

  it('is left, too, if the deadline comes before it runs', () => {
    const options = { stopSignal: 'TERM', stopTimeout: 0.5 };
    const { world, reactor, protocol, startAll } = spawn(options, { holdsStart: true });
    world.advance(0);
    let hasStopped = false;
    reactor.addSystemEventTrigger('after', 'shutdown', () => {
      hasStopped = true;
    });
    reactor.stop();
    world.advance(1);
    expect(hasStopped).to.be.false;
    startAll();
    world.advance(0);
    expect(hasStopped).to.be.true;
    expect(protocol.calls.at(-1)).to.equal('processEnded');
  });
});

/** A child on a host that refuses to send signals; with `holdsStart` the host says only later that it runs. */
function spawn(options: SpawnProcessOptions = {}, { holdsStart = false } = {}) {
  const world = new World();
  const host = world.addHost('host');
  const errors: Error[] = [];
  const held: (() => void)[] = [];
  const processes: typeof host.processes = {
    spawn: (order, listener) => {
      host.processes.spawn(order, {
        started: (pid, pipes) => {
          const start = (): void => listener.started(pid, pipes);
          if (holdsStart) held.push(start);
          else start();
        },
        startFailed: (error) => listener.startFailed(error),
        exited: (exit) => listener.exited(exit),
      });
      return {
        signal: (signal) => {
          if (signal !== 0) throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
        },
      };
    },
  };
  const platform = new Proxy(host, {
    get: (target, name): unknown => (name === 'processes' ? processes : Reflect.get(target, name)),
  });
  const reactor = new Reactor(platform, { errorReporter: ({ value }) => void errors.push(value) });
  const program = new ScriptedProgram(world, host.virtualProcesses, 'program', {});
  const protocol = new RecordingProcessProtocol();
  void reactor.run({ installSignalHandlers: false });
  const child = reactor.spawnProcess(protocol, 'program', [], options);
  const startAll = (): void => {
    for (const start of held.splice(0)) start();
  };
  return { world, reactor, errors, program, protocol, child, startAll };
}
