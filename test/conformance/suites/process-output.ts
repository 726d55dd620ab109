/** Programs that are run for what they print, or for the code they end with. */
import { expect } from 'chai';
import type { Context } from 'mocha';
import {
  CancelledError,
  ConnectionLost,
  getProcessOutput,
  getProcessOutputAndValue,
  getProcessValue,
  ProcessOutputLimitError,
  ProcessStartError,
  ProcessTerminated,
  type Deferred,
  type Reactor,
  UnexpectedErrorOutput,
} from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { MEBIBYTE, pattern, settled, skipUnless, startReactor } from '../support/connections.ts';
import type { ProgramName } from '../support/programs.ts';

export function describeProcessOutput(harness: () => Harness): void {
  describe('the output of a program', () => {
    describeOutput(harness);
    describeValue(harness);
    describeGivingUp(harness);
  });
}

/** A running reactor, and how to call a program of the suite on it. */
function begin(context: Context, h: Harness): { reactor: Reactor; call: Call } {
  skipUnless(context, h, 'processes');
  const call = (name: ProgramName, ...args: string[]): [string, readonly string[]] => {
    const program = h.program(name, ...args);
    return [program.executable, program.args];
  };
  return { reactor: startReactor(h), call };
}

type Call = (name: ProgramName, ...args: string[]) => [executable: string, args: readonly string[]];

/** The error that a Deferred fails with. */
async function failureOf<E extends Error>(
  h: Harness,
  deferred: Deferred<unknown>,
  errorClass: new (...args: never[]) => E,
): Promise<E> {
  try {
    await settled(h, deferred, 'it has failed');
  } catch (error) {
    expect(error).to.be.instanceOf(errorClass);
    // Asserted by the line above.
    return error as E;
  }
  throw new Error('it did not fail');
}

function describeOutput(harness: () => Harness): void {
  it('is what it has printed, all of it', async function () {
    const h = harness();
    const { reactor, call } = begin(this, h);
    const output = await settled(h, getProcessOutput(reactor, ...call('print', 'hello', '')), 'it has ended');
    expect(output.toString()).to.equal('hello');
    expect(reactor.inspect().processes).to.deep.equal([]);
  });

  it('is what it makes of its input', async function () {
    const h = harness();
    const { reactor, call } = begin(this, h);
    const stdin = pattern(2 * MEBIBYTE);
    const output = await settled(h, getProcessOutput(reactor, ...call('cat'), { stdin }), 'it has ended');
    expect(output.equals(stdin)).to.be.true;
    const none = await settled(h, getProcessOutput(reactor, ...call('cat'), { stdin: '' }), 'it has ended');
    expect(none.length).to.equal(0);
  });

  it('fails if it prints to its standard error, with all of that, when the program has ended [90]', async function () {
    const h = harness();
    const { reactor, call } = begin(this, h);
    const output = getProcessOutput(reactor, ...call('report', 'printed', 'a warning', '0'));
    const error = await failureOf(h, output, UnexpectedErrorOutput);
    expect(error.message).to.equal('The program wrote to its standard error: a warning');
    expect(error.output.stderr.toString()).to.equal('a warning');
    expect(error.output.stdout.toString()).to.equal('printed');
    expect(error.cause).to.equal(undefined);
    expect(reactor.inspect().processes).to.deep.equal([]);
    const failed = getProcessOutput(reactor, ...call('report', '', 'e'.repeat(300), '2'));
    const both = await failureOf(h, failed, UnexpectedErrorOutput);
    expect(both.message).to.have.length.lessThan(300);
    expect(both.cause).to.include({ exitCode: 2 });
  });

  it('has what it prints to its standard error in it, if that is wanted', async function () {
    const h = harness();
    const { reactor, call } = begin(this, h);
    const output = getProcessOutput(reactor, ...call('report', 'out', 'err', '0'), { errorToo: true });
    const text = (await settled(h, output, 'it has ended')).toString();
    // Between two pipes the order is the system's.
    expect(['outerr', 'errout']).to.include(text);
  });

  it('fails if the program does, with what it had printed', async function () {
    const h = harness();
    const { reactor, call } = begin(this, h);
    const failed = getProcessOutput(reactor, ...call('report', 'some', '', '3'));
    const error = await failureOf(h, failed, ProcessTerminated);
    expect(error).to.include({ exitCode: 3 });
    expect(error.output?.stdout.toString()).to.equal('some');
    const crashed = await failureOf(h, getProcessOutput(reactor, ...call('crash', 'more')), ProcessTerminated);
    expect(crashed).to.include({ exitCode: undefined, signal: 'SIGSEGV' });
    expect(crashed.output?.stdout.toString()).to.equal('more');
  });

  it('fails if it cannot be started, or is left by a reactor that stops', async function () {
    const h = harness();
    const { reactor, call } = begin(this, h);
    await failureOf(h, getProcessOutput(reactor, '/nonexistent/program'), ProcessStartError);
    await failureOf(h, getProcessValue(reactor, '/nonexistent/program'), ProcessStartError);
    const left = getProcessOutput(reactor, ...call('sleep'), { stopSignal: 'KILL' });
    await h.until(() => reactor.inspect().processes.some((child) => child.includes('running')), 'it runs');
    reactor.stop();
    await failureOf(h, left, ConnectionLost);
  });
}

function describeValue(harness: () => Harness): void {
  it('can be left aside for the code, which a signal is not [90]', async function () {
    const h = harness();
    const { reactor, call } = begin(this, h);
    expect(await settled(h, getProcessValue(reactor, ...call('exit', '0')), 'it has ended')).to.equal(0);
    expect(await settled(h, getProcessValue(reactor, ...call('exit', '7')), 'it has ended')).to.equal(7);
    const error = await failureOf(h, getProcessValue(reactor, ...call('crash', '')), ProcessTerminated);
    expect(error).to.include({ exitCode: undefined, signal: 'SIGSEGV' });
  });

  it('comes with the code, if both are wanted, whatever it is; a signal is a failure with both [90]', async function () {
    const h = harness();
    const { reactor, call } = begin(this, h);
    const reported = getProcessOutputAndValue(reactor, ...call('report', 'out', 'err', '5'));
    const { stdout, stderr, exitCode } = await settled(h, reported, 'it has ended');
    expect([stdout.toString(), stderr.toString(), exitCode]).to.deep.equal(['out', 'err', 5]);
    const crashed = getProcessOutputAndValue(reactor, ...call('crash', 'out'));
    const error = await failureOf(h, crashed, ProcessTerminated);
    expect(error).to.include({ exitCode: undefined, signal: 'SIGSEGV', status: 11 });
    expect(error.output?.stdout.toString()).to.equal('out');
    expect(error.output?.stderr.length).to.equal(0);
  });
}

function describeGivingUp(harness: () => Harness): void {
  it('is limited; a program that prints more is killed', async function () {
    const h = harness();
    const { reactor, call } = begin(this, h);
    const most = getProcessOutput(reactor, ...call('pour', '1000'), { maxOutputBytes: 1000 });
    expect((await settled(h, most, 'it has ended')).length).to.equal(1000);
    const more = getProcessOutput(reactor, ...call('pour', String(64 * MEBIBYTE)), { maxOutputBytes: 999 });
    const error = await failureOf(h, more, ProcessOutputLimitError);
    expect(error.limitBytes).to.equal(999);
    await h.until(() => reactor.inspect().processes.length === 0, 'the program has gone');
  });

  it('is given up with the Deferred, and the program is killed', async function () {
    const h = harness();
    const { reactor, call } = begin(this, h);
    for (const get of [getProcessOutput, getProcessValue, getProcessOutputAndValue]) {
      const running = get(reactor, ...call('sleep'));
      await h.until(() => reactor.inspect().processes.some((child) => child.includes('running')), 'it runs');
      running.cancel();
      await failureOf(h, running as Deferred<unknown>, CancelledError);
      await h.until(() => reactor.inspect().processes.length === 0, 'the program has gone');
    }
  });

  it('is given up with the signal, whose reason is the cause', async function () {
    const h = harness();
    const { reactor, call } = begin(this, h);
    const controller = new AbortController();
    const running = getProcessOutput(reactor, ...call('sleep'), { signal: controller.signal });
    await h.until(() => reactor.inspect().processes.some((child) => child.includes('running')), 'it runs');
    controller.abort('the reason');
    const error = await failureOf(h, running, CancelledError);
    expect(error.cause).to.equal('the reason');
    await h.until(() => reactor.inspect().processes.length === 0, 'the program has gone');
    const early = getProcessOutput(reactor, ...call('sleep'), { signal: AbortSignal.abort('too early') });
    expect((await failureOf(h, early, CancelledError)).cause).to.equal('too early');
    await h.until(() => reactor.inspect().processes.length === 0, 'the program has never been there');
  });

  it('refuses what cannot be meant', function () {
    const h = harness();
    const { reactor } = begin(this, h);
    const anything = reactor as never;
    expect(() => getProcessOutput({} as never, 'cat')).to.throw(TypeError, /^reactor has no method spawnProcess/);
    expect(() => getProcessOutput(reactor, '')).to.throw(RangeError, /^executable must not be empty/);
    expect(() => getProcessOutput(anything, 'cat', [], { path: '' } as object)).to.throw(/^options has no path/);
    expect(() => getProcessValue(anything, 'cat', [], { maxOutputBytes: 1 } as object)).to.throw(/^options has no max/);
    expect(() => getProcessOutput(reactor, 'cat', [], { maxOutputBytes: -1 })).to.throw(RangeError, /^maxOutputBytes/);
    expect(() => getProcessOutput(reactor, 'cat', [], { stdin: 5 as never })).to.throw(TypeError, /^stdin must be/);
    expect(reactor.inspect().processes).to.deep.equal([]);
  });
}
