import { expect } from 'chai';
import { ProcessDone, ProcessProtocol, ProcessStartError } from 'ropewalk';
import { type ScriptedProcess, TestReactor } from 'ropewalk/testing';
import { RecordingProcessProtocol } from '../conformance/support/recording-process-protocol.ts';

describe('TestReactor.installProgram', () => {
  let reactor: TestReactor;
  let protocol: RecordingProcessProtocol;

  beforeEach(() => {
    reactor = new TestReactor();
    protocol = new RecordingProcessProtocol();
  });

  afterEach(() => {
    reactor.assertClean();
  });

  it('makes an executable, whose children are in the hands of the test', () => {
    const program = reactor.installProgram('convert');
    expect(program.executable).to.equal('convert');
    const transport = reactor.spawnProcess(protocol, 'convert', ['a.png', 'b.jpg'], {
      cwd: '/pictures',
      env: { A: '1' },
    });
    expect(program.children).to.deep.equal([]);
    reactor.advance(0);
    const child = program.accept();
    expect(program.children).to.deep.equal([child]);
    expect(child).to.deep.include({ executable: 'convert', argv0: 'convert', cwd: '/pictures', exited: false });
    expect(child.args).to.deep.equal(['a.png', 'b.jpg']);
    expect(child.env).to.deep.equal({ A: '1' });
    expect(child.childFDs).to.deep.equal({ 0: 'w', 1: 'r', 2: 'r' });
    expect(child.pid).to.equal(transport.pid);
    expect(String(child)).to.equal(`convert (process ${child.pid})`);

    transport.write('pixels');
    reactor.advance(0);
    expect(child.stdin.text()).to.equal('pixels');
    child.stdout.send('50 %');
    child.stderr.send('a warning');
    reactor.advance(0);
    expect([protocol.text(1), protocol.text(2)]).to.deep.equal(['50 %', 'a warning']);
    transport.closeStdin();
    reactor.advance(0);
    expect(child.stdin.ended).to.be.true;
    reactor.advance(5);
    expect(child.stdin.connected).to.be.true;
    child.exit();
    expect(child.exited).to.be.true;
    reactor.advance(0);
    expect(protocol.endedBy).to.be.instanceOf(ProcessDone);
  });

  it('tells what was inherited by telling nothing', () => {
    const program = reactor.installProgram('true');
    reactor.spawnProcess(protocol, 'true', [], { argv0: 'yes', uid: 5, gid: 6 });
    reactor.advance(0);
    const child = program.accept();
    expect(child).to.include({ argv0: 'yes', uid: 5, gid: 6, env: undefined, cwd: undefined });
    child.exit();
    reactor.advance(0);
  });

  it('has programs that answer by themselves', () => {
    const main = (child: ScriptedProcess): void => {
      child.stdin.onReceived = (data) => child.stdout.send(data.toString().toUpperCase());
      child.stdin.onEnded = () => child.exit(3);
    };
    reactor.installProgram('shout', { main });
    const transport = reactor.spawnProcess(protocol, 'shout');
    transport.write('hello');
    transport.closeStdin();
    reactor.advance(0);
    expect(protocol.text()).to.equal('HELLO');
    expect(protocol.endedBy).to.include({ exitCode: 3 });
  });

  it('lets what a program of the test throws out of the advance', () => {
    reactor.installProgram('broken', {
      main: () => {
        throw new Error('thrown by main');
      },
    });
    const transport = reactor.spawnProcess(protocol, 'broken', [], { childFDs: {} });
    expect(() => reactor.advance(0)).to.throw('thrown by main');
    void transport.terminate({ killAfter: 0 });
    reactor.advance(0);
  });

  it('gives numbers in order, and children in the order in which they were started', () => {
    const program = reactor.installProgram('true', { main: (child) => child.exit() });
    const transports = [1, 2, 3].map(() => reactor.spawnProcess(new ProcessProtocol(), 'true'));
    reactor.advance(0);
    expect(transports.map(({ pid }) => pid)).to.deep.equal([1000, 1001, 1002]);
    expect([program.accept().pid, program.accept().pid, program.accept().pid]).to.deep.equal([1000, 1001, 1002]);
    expect(() => program.accept()).to.throw('no true has been started that accept() has not returned yet');
  });

  it('is what there is: other executables, and one that was removed, are unknown', () => {
    const program = reactor.installProgram('cat');
    program.remove();
    for (const executable of ['cat', '/bin/sh']) {
      const other = new RecordingProcessProtocol();
      reactor.spawnProcess(other, executable);
      reactor.advance(0);
      expect(other.endedBy).to.be.instanceOf(ProcessStartError);
      expect(other.endedBy?.message).to.equal(`Cannot start ${executable}: spawn ${executable} ENOENT`);
    }
  });

  it('can make one that cannot be started', () => {
    const program = reactor.installProgram('secret', { startError: 'EACCES' });
    reactor.spawnProcess(protocol, 'secret');
    reactor.advance(0);
    expect(protocol.endedBy?.cause).to.include({ code: 'EACCES' });
    expect(program.children).to.deep.equal([]);
  });

  it('refuses what cannot be meant', () => {
    expect(() => reactor.installProgram(5 as never)).to.throw(TypeError, /^executable must be a string/);
    expect(() => reactor.installProgram('cat', { run: () => {} } as object)).to.throw(/^options has no run/);
  });

  describe('a scripted process', () => {
    let child: ScriptedProcess;

    beforeEach(() => {
      const program = reactor.installProgram('program');
      reactor.spawnProcess(protocol, 'program');
      reactor.advance(0);
      child = program.accept();
    });

    afterEach(() => {
      if (!child.exited) child.exit();
      reactor.advance(0);
    });

    it('ends by a signal that ends programs, and takes no notice of others', () => {
      for (const signal of ['CHLD', 'CONT', 'WINCH', 0]) protocol.transport.signalProcess(signal);
      reactor.advance(0);
      expect(child.exited).to.be.false;
      expect(child.signals).to.deep.equal(['SIGCHLD', 'SIGCONT', 'SIGWINCH']);
      protocol.transport.signalProcess('TERM');
      reactor.advance(0);
      expect(protocol.endedBy).to.include({ signal: 'SIGTERM', status: 15 });
    });

    it('may do something else with signals, but for SIGKILL', () => {
      child.onSignal = (signal) => child.stdout.send(signal);
      protocol.transport.signalProcess('TERM');
      protocol.transport.signalProcess('INT');
      reactor.advance(0);
      expect(protocol.text()).to.equal('SIGTERMSIGINT');
      protocol.transport.signalProcess('KILL');
      reactor.advance(0);
      expect(protocol.endedBy).to.include({ signal: 'SIGKILL' });
      expect(child.signals).to.deep.equal(['SIGTERM', 'SIGINT', 'SIGKILL']);
    });

    it('exits with a code or by a signal, once', () => {
      for (const ending of [-1, 256, 1.5, 'NONE'])
        expect(() => child.exit(ending), String(ending)).to.throw(RangeError);
      child.exit('SEGV');
      expect(() => child.exit()).to.throw('program (process 1000) has ended already');
      reactor.advance(0);
      expect(protocol.endedBy).to.include({ signal: 'SIGSEGV', status: 11 });
    });

    it('can leave pipes to an heir', () => {
      child.exit(0, { holding: [1] });
      reactor.advance(0);
      expect(protocol.calls).to.deep.equal(['connectionMade', 'lost 0', 'processExited', 'lost 2']);
      expect(() => reactor.assertClean()).to.throw('program program (process 1000, exited, with open pipes)');
      child.stdout.send('late');
      child.stdout.end();
      reactor.advance(0);
      expect(protocol.text()).to.equal('late');
      expect(protocol.isEnded).to.be.true;
    });

    it('finds its output broken when it is not read any more', () => {
      protocol.transport.closeStdout();
      reactor.advance(0);
      expect(child.stdout.closed).to.be.true;
      child.stdout.send('nobody reads this');
      expect(protocol.calls).to.include('lost 1');
    });

    it('finds its input ended and its output broken when it is left by a reactor that stops', () => {
      reactor.stop();
      reactor.advance(0);
      expect([child.stdin.ended, child.stdout.closed, child.stderr.closed]).to.deep.equal([true, true, true]);
      expect(child.exited).to.be.false;
    });

    it('has closed pipes where there are none', () => {
      expect(child.pipe(7).closed).to.be.true;
      child.pipe(7).send('dropped');
      expect(child.pipe(7)).to.equal(child.pipe(7));
    });

    it('makes its parent wait while it does not read', () => {
      child.stdin.pause();
      expect(protocol.transport.write('x'.repeat(300_000))).to.be.false;
      reactor.advance(0);
      expect(child.stdin.received.length).to.equal(0);
      child.stdin.resume();
      reactor.advance(1);
      expect(child.stdin.received.length).to.equal(300_000);
    });
  });
});

describe('TestReactor.terminal', () => {
  it('is at the other end of the standard input and output', () => {
    const reactor = new TestReactor();
    const { terminal } = reactor;
    terminal.send('typed before');
    expect(terminal.connected).to.be.false;
    const lines: string[] = [];
    const transport = reactor.openStdio({
      makeConnection: (made) => void made.write('your name? '),
      dataReceived: (data) => void lines.push(data.toString()),
      connectionLost: ({ value }) => void lines.push(value.name),
    });
    transport.write('hello\n');
    expect(transport.connected).to.be.false;
    reactor.advance(0);
    expect(transport.connected).to.be.true;
    expect(reactor.terminal).to.equal(terminal);
    expect(terminal.text()).to.equal('hello\nyour name? ');
    expect(lines).to.deep.equal(['typed before']);
    expect(reactor.inspect().connections).to.deep.equal(['connection to the standard input and output']);
    terminal.end();
    reactor.advance(0);
    expect(lines.at(-1)).to.equal('ConnectionDone');
    expect(terminal.ended).to.be.true;
    reactor.assertClean();
  });

  for (const [what, ask, terminalSees] of [
    ['loseConnection', 'loseConnection', 'said before'],
    ['stopProducing', 'stopProducing', 'said before'],
    ['abortConnection', 'abortConnection', ''],
  ] as const) {
    it(`may be left before there is a connection, which is then lost in a later turn: ${what}`, () => {
      const reactor = new TestReactor({ running: false });
      const calls: string[] = [];
      const transport = reactor.openStdio({
        makeConnection: () => void calls.push('made'),
        dataReceived: () => void calls.push('data'),
        connectionLost: ({ value }) => void calls.push(value.name),
      });
      if (what !== 'abortConnection') transport.write('said before');
      transport[ask]();
      reactor.advance(0);
      expect(calls).to.deep.equal([]);
      void reactor.run();
      reactor.advance(0);
      expect(calls).to.deep.equal(['made', what === 'abortConnection' ? 'ConnectionAborted' : 'ConnectionDone']);
      expect(reactor.terminal.text()).to.equal(terminalSees);
      reactor.stop();
      reactor.advance(0);
    });
  }

  it('may be told the end of the output before there is a connection', () => {
    const reactor = new TestReactor();
    const calls: string[] = [];
    const protocol = {
      makeConnection: () => void calls.push('made'),
      dataReceived: () => void calls.push('data'),
      connectionLost: () => void calls.push('lost'),
      readConnectionLost: () => void calls.push('read half'),
      writeConnectionLost: () => void calls.push('write half'),
    };
    const transport = reactor.openStdio(protocol);
    transport.write('all');
    transport.loseWriteConnection();
    reactor.advance(0);
    expect(calls).to.deep.equal(['made', 'write half']);
    expect(reactor.terminal.text()).to.equal('all');
    expect(reactor.terminal.ended).to.be.true;
    reactor.terminal.send('still');
    reactor.terminal.end();
    reactor.advance(0);
    expect(calls).to.deep.equal(['made', 'write half', 'data', 'read half', 'lost']);
    reactor.assertClean();
  });

  it('is one: a second opening is refused', () => {
    const reactor = new TestReactor();
    const protocol = { makeConnection: () => {}, dataReceived: () => {}, connectionLost: () => {} };
    expect(() => reactor.openStdio({} as never)).to.throw(TypeError, /^protocol has no method makeConnection/);
    reactor.openStdio(protocol);
    expect(() => reactor.openStdio(protocol)).to.throw('have been opened already');
    reactor.advance(0);
    reactor.stop();
    reactor.advance(0);
  });
});
