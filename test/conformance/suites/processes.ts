/** Children: when their hooks come, how they end, and what cannot be started. */
import { expect } from 'chai';
import {
  ConnectionDone,
  ConnectionLost,
  ProcessDone,
  ProcessExitedAlready,
  ProcessProtocol,
  ProcessStartError,
  ProcessTerminated,
  Reactor,
} from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { goOn, run, spawn, untilEnded, WITH_CONTROL } from '../support/children.ts';
import { skipUnless, startReactor, takeErrors } from '../support/connections.ts';
import { RecordingProcessProtocol } from '../support/recording-process-protocol.ts';

export function describeProcesses(harness: () => Harness): void {
  describe('child processes', () => {
    describeStart(harness);
    describeOrder(harness);
    describeExit(harness);
    describeSignals(harness);
    describeHookErrors(harness);
  });
}

function describeStart(harness: () => Harness): void {
  it('are made in a later turn, after what was asked of them by then has been done [84]', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const { child, protocol } = spawn(h, reactor, 'cat', {
      hooks: { connectionMade: ({ transport }) => void transport.write(' and after') },
    });
    expect(child.pid).to.equal(undefined);
    expect(child.write('before')).to.be.true;
    child.writeSequence([' and', ' before']);
    expect(protocol.calls).to.deep.equal([]);
    expect(reactor.inspect().processes).to.deep.equal([String(child)]);
    expect(String(child)).to.match(/^program \w+ \(not started\)$/);
    await h.until(() => protocol.text() === 'before and before and after', 'it has come back, in order');
    expect(protocol.transport).to.equal(child);
    expect(child.pid).to.be.a('number');
    expect(String(child)).to.include(`(process ${child.pid}, running)`);
    child.closeStdin();
    await untilEnded(h, protocol);
    expect(protocol.calls[0]).to.equal('connectionMade');
    expect(protocol.nested).to.deep.equal([]);
    expect(child.pid).to.be.a('number');
    expect(reactor.inspect().processes).to.deep.equal([]);
  });

  it('are not started before the reactor runs', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = h.createReactor();
    const { child, protocol } = spawn(h, reactor, 'print', { args: ['out', 'err'] });
    child.closeStdin();
    await h.advance(0.02);
    expect(protocol.calls).to.deep.equal([]);
    expect(child.pid).to.equal(undefined);
    void reactor.run({ installSignalHandlers: false });
    await untilEnded(h, protocol);
    expect(protocol.text(1)).to.equal('out');
    expect(protocol.text(2)).to.equal('err');
  });

  it('are never started if they have been given up by then', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const { child, protocol } = spawn(h, reactor, 'sleep');
    let isOver = false;
    child.terminate().addCallback(() => {
      isOver = true;
    });
    expect(protocol.calls).to.deep.equal([]);
    await untilEnded(h, protocol);
    expect(protocol.calls).to.deep.equal(['processEnded']);
    expect(protocol.endedBy).to.be.instanceOf(ProcessStartError);
    expect(isOver).to.be.true;
  });

  it('that do not exist end in processEnded, and nothing else, with the cause [89]', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const protocol = new RecordingProcessProtocol();
    const child = reactor.spawnProcess(protocol, '/nonexistent/program', ['argument']);
    child.write('dropped');
    child.signalProcess('TERM');
    const dropped = {
      pauseProducing: () => {},
      resumeProducing: () => {},
      stopProducing: () => void stops.push('stop'),
    };
    const stops: string[] = [];
    child.registerProducer(dropped, true);
    await untilEnded(h, protocol);
    expect(protocol.calls).to.deep.equal(['processEnded']);
    const error = protocol.endedBy as ProcessStartError;
    expect(error).to.be.instanceOf(ProcessStartError);
    expect(error.cause).to.include({ code: 'ENOENT' });
    expect(error.message).to.match(/^Cannot start \/nonexistent\/program: .*ENOENT/);
    expect(stops).to.deep.equal(['stop']);
    expect(reactor.inspect().processes).to.deep.equal([]);
  });

  it('inherit the environment, unless they are given one, which is then the whole of it [82]', async function () {
    const h = harness();
    if (h.features.has('real-programs')) process.env['ROPEWALK_TEST'] = 'inherited';
    try {
      const inherited = await run(this, h, 'tell');
      const given = await run(this, h, 'tell', { env: { ROPEWALK_TEST: 'given' } });
      const empty = await run(this, h, 'tell', { env: {} });
      for (const { protocol } of [inherited, given, empty]) await untilEnded(h, protocol);
      expect(inherited.protocol.text()).to.equal('inherited|0|');
      expect(given.protocol.text()).to.equal('given|0|');
      expect(empty.protocol.text()).to.equal('|0|');
    } finally {
      delete process.env['ROPEWALK_TEST'];
    }
  });

  it('have arguments that do not repeat the name of the program [83]', async function () {
    const h = harness();
    const { protocol } = await run(this, h, 'tell', { args: ['one', 'and two'], env: {} });
    await untilEnded(h, protocol);
    expect(protocol.text()).to.equal('|2|one and two');
  });

  it('may all be called after the end, and do nothing', async function () {
    const h = harness();
    const { child, protocol } = await run(this, h, 'exit', { args: ['0'] });
    await untilEnded(h, protocol);
    expect(child.write('x')).to.be.false;
    expect(child.writeToChild(0, 'x')).to.be.false;
    expect(child.writeSequence(['x'])).to.be.false;
    child.closeStdin();
    child.closeStdout();
    child.closeStderr();
    child.closeChildFD(1);
    child.loseConnection();
    child.pauseProducing();
    child.resumeProducing();
    child.unregisterProducer();
    const calls: string[] = [];
    child.registerProducer({ resumeProducing: () => {}, stopProducing: () => void calls.push('stop') }, false);
    expect(calls).to.deep.equal(['stop']);
    expect(() => child.signalProcess('TERM')).to.throw(ProcessExitedAlready);
    let isOver = false;
    child.terminate().addCallback(() => {
      isOver = true;
    });
    expect(isOver).to.be.true;
    await child[Symbol.asyncDispose]();
    expect(protocol.calls.at(-1)).to.equal('processEnded');
  });

  it('are refused at the call for arguments that cannot be right', function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = h.createReactor();
    const protocol = new ProcessProtocol();
    // What JavaScript programs pass.
    const spawnAnything = reactor.spawnProcess.bind(reactor) as (...args: unknown[]) => unknown;
    const cases: [unknown[], RegExp][] = [
      [[{}, 'cat'], /^protocol \(a ProcessProtocol\) has no method makeConnection/],
      [[protocol, 5], /^executable must be a string/],
      [[protocol, ''], /^executable must not be empty/],
      [[protocol, 'a\0b'], /^executable must not have a NUL/],
      [[protocol, 'cat', 'x'], /^args must be an array/],
      [[protocol, 'cat', [5]], /^args\[0\] must be a string/],
      [[protocol, 'cat', ['a\0']], /^args\[0\] must not have a NUL/],
      [[protocol, 'cat', [], { path: '/' }], /^options has no path/],
      [[protocol, 'cat', [], { usePTY: true }], /^options has no usePTY/],
      [[protocol, 'cat', [], { env: 'A=1' }], /^env must be an object/],
      [[protocol, 'cat', [], { env: { A: 1 } }], /^env.A must be a string/],
      [[protocol, 'cat', [], { env: { 'A=': '1' } }], /^env has no place/],
      [[protocol, 'cat', [], { cwd: 1 }], /^cwd must be a string/],
      [[protocol, 'cat', [], { argv0: 1 }], /^argv0 must be a string/],
      [[protocol, 'cat', [], { uid: -1 }], /^uid must be a whole number/],
      [[protocol, 'cat', [], { gid: 1.5 }], /^gid must be a whole number/],
      [[protocol, 'cat', [], { childFDs: 5 }], /^childFDs must be an object/],
      [[protocol, 'cat', [], { childFDs: { x: 'r' } }], /^childFDs: the descriptor/],
      [[protocol, 'cat', [], { childFDs: { 300: 'r' } }], /^childFDs may go to 255/],
      [[protocol, 'cat', [], { childFDs: { 1: 'x' } }], /^childFDs\[1\] must be 'w', 'r' or/],
      [[protocol, 'cat', [], { childFDs: { 1: -1 } }], /^childFDs\[1\] must be a whole number/],
      [[protocol, 'cat', [], { stopSignal: 'NONE' }], /^stopSignal must be a signal/],
      [[protocol, 'cat', [], { stopSignal: 32 }], /^stopSignal must be from 0 to 31/],
      [[protocol, 'cat', [], { stopTimeout: -1 }], /^stopTimeout must be/],
    ];
    for (const [args, message] of cases) expect(() => spawnAnything(...args), String(message)).to.throw(message);
    expect(reactor.inspect().processes).to.deep.equal([]);
  });
}

function describeOrder(harness: () => Harness): void {
  it('end last, when the program has exited and every pipe has closed [85]', async function () {
    const h = harness();
    const { protocol } = await run(this, h, 'print', { args: ['out', 'err'] });
    await untilEnded(h, protocol);
    expect(protocol.calls[0]).to.equal('connectionMade');
    expect(protocol.calls.at(-1)).to.equal('processEnded');
    expect(protocol.calls.slice(1, -1)).to.have.members([
      ...['received 1', 'received 2', 'lost 0', 'lost 1', 'lost 2', 'processExited'],
    ]);
    for (const fd of [1, 2]) {
      expect(protocol.calls.indexOf(`received ${fd}`)).to.be.lessThan(protocol.calls.indexOf(`lost ${fd}`));
    }
  });

  it('wait for a pipe that an heir of theirs holds, and deliver what comes from it [85]', async function () {
    const h = harness();
    const { reactor, child, protocol } = await run(this, h, 'bequeath', WITH_CONTROL);
    await h.until(() => protocol.isExited && protocol.text() === 'now', 'the program has exited');
    expect(protocol.isEnded).to.be.false;
    expect(reactor.inspect().processes).to.deep.equal([String(child)]);
    expect(String(child)).to.include('exited, with open pipes');
    goOn(child);
    await untilEnded(h, protocol);
    expect(protocol.text()).to.equal('nowlate');
    expect(protocol.calls.indexOf('processExited')).to.be.lessThan(protocol.calls.indexOf('lost 1'));
    expect(protocol.endedBy).to.be.instanceOf(ProcessDone);
  });

  it('can be written to for as long as an heir of theirs reads [85]', async function () {
    const h = harness();
    const { child, protocol } = await run(this, h, 'bequeathInput');
    await h.until(() => protocol.isExited, 'the program has exited');
    child.write('to the heir');
    await h.until(() => protocol.text() === 'to the heir', 'the heir has answered');
    child.closeStdin();
    await untilEnded(h, protocol);
  });

  it('may close their pipes before they exit [85]', async function () {
    const h = harness();
    const { child, protocol } = await run(this, h, 'closeOutput', WITH_CONTROL);
    await h.until(() => protocol.calls.includes('lost 1'), 'its output has closed');
    expect(protocol.isExited).to.be.false;
    goOn(child);
    await untilEnded(h, protocol);
    expect(protocol.endedBy).to.be.instanceOf(ProcessDone);
  });

  it('tell that nobody reads their input any more', async function () {
    const h = harness();
    const { child, protocol } = await run(this, h, 'closeInput', WITH_CONTROL);
    await h.until(() => protocol.calls.includes('lost 0') && protocol.text() === 'closed', 'its input has closed');
    expect(child.write('nobody reads it')).to.be.false;
    expect(protocol.isExited).to.be.false;
    goOn(child);
    await untilEnded(h, protocol);
  });

  it('do not wait for anything where there are no pipes', async function () {
    const h = harness();
    const { child, protocol } = await run(this, h, 'exit', { args: ['3'], childFDs: {} });
    await untilEnded(h, protocol);
    expect(protocol.calls).to.deep.equal(['connectionMade', 'processExited', 'processEnded']);
    expect(child.write('dropped')).to.be.false;
  });
}

function describeExit(harness: () => Harness): void {
  it('are done with code 0, and terminated with any other, or by a signal [86]', async function () {
    const h = harness();
    const done = await run(this, h, 'exit', { args: ['0'] });
    const failed = await run(this, h, 'exit', { args: ['3'] });
    const killed = await run(this, h, 'sleep');
    killed.child.signalProcess('KILL');
    for (const { protocol } of [done, failed, killed]) {
      await untilEnded(h, protocol);
      expect(protocol.endReason).to.equal(protocol.exitReason);
    }
    expect(done.protocol.endedBy).to.be.instanceOf(ProcessDone).and.instanceOf(ConnectionDone);
    expect(done.protocol.endedBy).to.include({ exitCode: 0, status: 0 });
    expect(failed.protocol.endedBy).to.be.instanceOf(ProcessTerminated).and.instanceOf(ConnectionLost);
    expect(failed.protocol.endedBy).to.include({ exitCode: 3, signal: undefined, status: 768 });
    expect(failed.protocol.endedBy?.message).to.equal('The program ended with exit code 3.');
    expect(killed.protocol.endedBy).to.be.instanceOf(ProcessTerminated);
    expect(killed.protocol.endedBy).to.include({ exitCode: undefined, signal: 'SIGKILL', status: 9 });
    expect(killed.protocol.endedBy?.message).to.equal('The program was ended by SIGKILL.');
  });
}

function describeSignals(harness: () => Harness): void {
  it('take signals by name, with or without SIG, and by number [87]', async function () {
    const h = harness();
    const cases: [string | number, string][] = [
      ['TERM', 'SIGTERM'],
      ['SIGHUP', 'SIGHUP'],
      ['INT', 'SIGINT'],
      ['USR1', 'SIGUSR1'],
      [9, 'SIGKILL'],
      [15, 'SIGTERM'],
    ];
    for (const [signal, name] of cases) {
      const { child, protocol } = await run(this, h, 'sleep');
      child.signalProcess(0);
      child.signalProcess(signal);
      expect(protocol.isExited).to.be.false;
      await untilEnded(h, protocol);
      expect(protocol.endedBy).to.include({ signal: name });
    }
  });

  it('throw ProcessExitedAlready once the program has exited, even while its pipes are open [87]', async function () {
    const h = harness();
    const { child, protocol } = await run(this, h, 'bequeath', WITH_CONTROL);
    await h.until(() => protocol.isExited, 'the program has exited');
    expect(() => child.signalProcess('TERM')).to.throw(ProcessExitedAlready);
    expect(() => child.signalProcess(0)).to.throw(ProcessExitedAlready);
    goOn(child);
    await untilEnded(h, protocol);
  });

  it('refuse what is no signal, and one that this host does not have [87]', async function () {
    const h = harness();
    const { child } = await run(this, h, 'sleep');
    // Those from 32 on have no name by which the end of the program could be told.
    for (const signal of ['NONE', 'term', 'SIG', '', -1, 1.5, 32, 40, 64, Number.NaN]) {
      expect(() => child.signalProcess(signal), String(signal)).to.throw(RangeError, /^signal must be/);
    }
    expect(() => child.signalProcess(undefined as unknown as string)).to.throw(TypeError, /^signal must be a name/);
    expect(() => child.signalProcess('BREAK')).to.throw(RangeError, 'the host has no signal SIGBREAK');
  });

  it('get those that were sent before they ran', async function () {
    const h = harness();
    skipUnless(this, h, 'processes');
    const reactor = startReactor(h);
    const { child, protocol } = spawn(h, reactor, 'sleep');
    child.signalProcess('KILL');
    await untilEnded(h, protocol);
    expect(protocol.endedBy).to.include({ signal: 'SIGKILL' });
  });
}

function describeHookErrors(harness: () => Harness): void {
  const thrower = (): never => {
    throw new Error('thrown by a hook');
  };

  it('have an error in connectionMade reported, and their pipes closed', async function () {
    const h = harness();
    const { protocol } = await run(this, h, 'cat', { hooks: { connectionMade: thrower } });
    await untilEnded(h, protocol);
    expect(takeErrors(h).map(String)).to.deep.equal(['Error: thrown by a hook']);
    expect(protocol.calls).to.include.members(['lost 0', 'lost 1', 'lost 2']);
  });

  it('have what was written before an error sent, and deliver nothing after it', async function () {
    const h = harness();
    const { protocol } = await run(this, h, 'cat', {
      hooks: {
        connectionMade: ({ transport }) => void transport.write('first'),
        childDataReceived: async ({ transport }) => {
          transport.write('more');
          return thrower();
        },
      },
    });
    await untilEnded(h, protocol);
    expect(takeErrors(h).map(String)).to.deep.equal(['Error: thrown by a hook']);
    expect(protocol.text()).to.equal('first');
  });

  it('do not wait for a producer after an error', async function () {
    const h = harness();
    const calls: string[] = [];
    const producer = {
      pauseProducing: () => {},
      resumeProducing: () => {},
      stopProducing: () => void calls.push('stop'),
    };
    const { protocol } = await run(this, h, 'cat', {
      hooks: {
        connectionMade: ({ transport }) => {
          transport.registerProducer(producer, true);
          transport.write('x');
        },
        childDataReceived: thrower,
      },
    });
    await untilEnded(h, protocol);
    expect(calls).to.deep.equal(['stop']);
    expect(takeErrors(h)).to.have.length(1);
  });

  for (const hook of ['childConnectionLost', 'processExited', 'processEnded'] as const) {
    it(`end all the same with an error in ${hook}`, async function () {
      const h = harness();
      const { protocol } = await run(this, h, 'exit', { args: ['0'], hooks: { [hook]: thrower } });
      await untilEnded(h, protocol);
      const expected = hook === 'childConnectionLost' ? 3 : 1;
      expect(takeErrors(h).map(String)).to.deep.equal(Array(expected).fill('Error: thrown by a hook'));
    });
  }

  it('cost no other child', async function () {
    const h = harness();
    const { reactor, protocol: broken } = await run(this, h, 'cat', { hooks: { connectionMade: thrower } });
    const { child, protocol } = spawn(h, reactor, 'cat');
    child.write('still here');
    await h.until(() => protocol.text() === 'still here', 'the other goes on');
    await untilEnded(h, broken);
    takeErrors(h);
  });

  it('need a platform that has programs', function () {
    const h = harness();
    const clock = { now: () => 0, attach: () => undefined, wakeAt: () => undefined };
    // What the reactor asks of a platform when it is made.
    const bare = new Reactor({ name: 'bare', clock } as unknown as ConstructorParameters<typeof Reactor>[0]);
    expect(() => bare.spawnProcess(new ProcessProtocol(), 'cat')).to.throw('the platform bare has no programs');
    expect(h.errors).to.deep.equal([]);
  });
}
