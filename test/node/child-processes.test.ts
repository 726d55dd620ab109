/** Children that are real programs: what only a host has, its errors, its descriptors, its limits. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  createReactor,
  type Failure,
  getProcessOutput,
  getProcessOutputAndValue,
  getProcessValue,
  ProcessDone,
  ProcessProtocol,
  ProcessStartError,
  Reactor,
} from 'ropewalk';
import { NodePlatform } from '../../src/node/node-platform.ts';
import { NodeProcesses } from '../../src/node/node-processes.ts';
import { OpenHandles } from '../conformance/harness/open-handles.ts';
import { RecordingProcessProtocol } from '../conformance/support/recording-process-protocol.ts';
import { repetitions } from '../support/repetitions.ts';
import { runChild, until } from './harness.ts';

/** How many children there are, one after another: each takes some milliseconds of the system's. */
const CHILDREN = repetitions({ usually: 30, thoroughly: 1000 });

/** For all of them, on a machine that is busy with much else. */
const CHILDREN_MILLISECONDS = repetitions({ usually: 30_000, thoroughly: 120_000 });

describe('child processes on Node', function () {
  let reactor: Reactor;

  before(function () {
    if (process.platform !== 'win32') return;
    this.test?.parent?.eachTest((test) => (test.title += ' (skipped: the programs are those of UNIX)'));
    this.skip();
  });

  beforeEach(() => {
    reactor = createReactor();
    void reactor.run({ installSignalHandlers: false });
  });

  afterEach(async () => {
    await reactor[Symbol.asyncDispose]();
  });

  /** What a program prints, as text, once it has ended. */
  const output = async (...args: Parameters<typeof getProcessOutput> extends [unknown, ...infer Rest] ? Rest : never) =>
    (await getProcessOutput(reactor, ...args)).toString();

  describe('that cannot be started', () => {
    const cases: [what: string, executable: string, options: { cwd?: string }, code: string, message: RegExp][] = [
      ['what is no program', '/etc/passwd', {}, 'EACCES', /^Cannot start \/etc\/passwd: .*EACCES/],
      ['what is below a file', '/etc/passwd/program', {}, 'ENOTDIR', /ENOTDIR/],
      [
        'in a directory that is not there',
        'cat',
        { cwd: '/nonexistent' },
        'ENOENT',
        /^Cannot start cat in \/nonexistent: /,
      ],
    ];
    for (const [what, executable, options, code, message] of cases) {
      it(`end in ProcessStartError with the system's reason: ${what}`, async () => {
        const handles = new OpenHandles();
        const protocol = new RecordingProcessProtocol();
        reactor.spawnProcess(protocol, executable, [], options);
        await until(() => protocol.isEnded);
        const error = protocol.endedBy as ProcessStartError;
        expect(error).to.be.instanceOf(ProcessStartError);
        expect(error.cause).to.include({ code });
        expect(error.message).to.match(message);
        await untilPassed(() => handles.count === 0);
        handles.stopWatching();
      });
    }

    it('end so when there are no descriptors left, and can be started again when there are', async () => {
      const { status, stdout, stderr } = await runChild(
        `
        import { openSync, closeSync } from 'node:fs';
        import { createReactor, getProcessOutput } from 'ropewalk';
        const reactor = createReactor();
        void reactor.run();
        await getProcessOutput(reactor, 'true');
        const taken = [];
        try { for (;;) taken.push(openSync('/dev/null')); } catch {}
        const failed = await getProcessOutput(reactor, 'true').toPromise().catch((error) => error);
        console.log(failed.name, failed.cause.code);
        for (const descriptor of taken) closeSync(descriptor);
        console.log(String(await getProcessOutput(reactor, 'echo', ['again'])));
        reactor.stop();
      `,
        { descriptors: 100 },
      );
      expect({ stdout, stderr }).to.deep.equal({ stdout: 'ProcessStartError EMFILE\nagain\n\n', stderr: '' });
      expect(status).to.equal(0);
    });
  });

  describe('have', () => {
    it('the name they are told', async () => {
      expect(await output(process.execPath, ['-p', 'process.argv0'], { argv0: 'another name' })).to.equal(
        'another name\n',
      );
    });

    it('the directory they are told', async () => {
      expect(await output('pwd', [], { cwd: '/' })).to.equal('/\n');
    });

    it('the user and the group they are told', async function () {
      if (process.getuid?.() !== 0) {
        this.test!.title += ' (skipped: only the superuser may choose)';
        this.skip();
      }
      expect(await output('sh', ['-c', 'id -u; id -g'], { uid: 1, gid: 2, cwd: '/' })).to.equal('1\n2\n');
    });

    it('descriptors of ours, by number', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'ropewalk-'));
      const descriptor = openSync(join(folder, 'output'), 'w');
      const protocol = new RecordingProcessProtocol();
      reactor.spawnProcess(protocol, 'sh', ['-c', 'echo to the file; echo to us >&5'], {
        childFDs: { 1: descriptor, 5: 'r' },
      });
      await until(() => protocol.isEnded);
      closeSync(descriptor);
      expect(readFileSync(join(folder, 'output'), 'utf8')).to.equal('to the file\n');
      expect(protocol.text(5)).to.equal('to us\n');
      rmSync(folder, { recursive: true });
    });

    it('the null device where there is nothing else, and nothing open beyond', async function () {
      const protocol = new RecordingProcessProtocol();
      const script =
        'cat; echo "read nothing"; for fd in 3 4 5 6 7 8 9; do (: <&$fd) 2>/dev/null && echo $fd >&2; done';
      reactor.spawnProcess(protocol, 'sh', ['-c', script], { childFDs: { 2: 'r', 9: 'w' } });
      await until(() => protocol.isEnded);
      expect(protocol.text(2)).to.equal('9\n');
    });

    it('the context in which they were spawned', async () => {
      const capturing = createReactor({ captureContext: true });
      void capturing.run({ installSignalHandlers: false });
      const storage = new AsyncLocalStorage<string>();
      const seen: string[] = [];
      const note = (): void => void seen.push(storage.getStore() ?? 'none');
      class Noting extends ProcessProtocol {
        override connectionMade(): void {
          note();
          this.transport.registerProducer(
            {
              resumeProducing: () => {
                note();
                this.transport.unregisterProducer();
              },
              stopProducing: () => undefined,
            },
            false,
          );
          this.transport.closeStdin();
        }
        override inConnectionLost = note;
        override processExited = note;
        override processEnded = note;
      }
      storage.run('inside', () => capturing.spawnProcess(new Noting(), 'cat'));
      await until(() => seen.length === 5);
      expect(seen).to.deep.equal(Array(5).fill('inside'));
      await capturing[Symbol.asyncDispose]();
    });
  });

  it('work where nothing can be taken over, but for the end of an input that is known with the end of the child', async () => {
    const errors: Failure[] = [];
    const plain = new Reactor(new PlainPlatform(), { errorReporter: (failure) => void errors.push(failure) });
    void plain.run({ installSignalHandlers: false });
    const data = Buffer.alloc(300_000, 'data');
    const cat = new RecordingProcessProtocol();
    const echoing = plain.spawnProcess(cat, 'cat');
    echoing.write(data);
    await until(() => cat.received().length === data.length);
    echoing.closeStdin();
    const early = new RecordingProcessProtocol();
    plain.spawnProcess(early, 'sh', ['-c', 'exec 0<&-; echo closed']);
    await until(() => cat.isEnded && early.isEnded);
    expect(cat.received().equals(data)).to.be.true;
    expect(early.text()).to.equal('closed\n');
    expect(early.calls).to.include('lost 0');
    expect(errors).to.deep.equal([]);
    await plain[Symbol.asyncDispose]();
  });

  it('do not keep the process alive, and outlive it', async () => {
    const { status, stdout } = await runChild(`
      import { createReactor, ProcessProtocol } from 'ropewalk';
      const reactor = createReactor();
      class Stopping extends ProcessProtocol {
        connectionMade() {
          console.log(this.transport.pid);
          reactor.stop();
        }
      }
      reactor.spawnProcess(new Stopping(), 'sleep', ['1000']);
      await reactor.run();
    `);
    expect(status).to.equal(0);
    const pid = Number(stdout);
    process.kill(pid, 'SIGKILL'); // throws if there is no such process
  });

  it('are taken for done when a signal without a name has ended them, which Node does not tell, and are sent none', async function () {
    if (process.platform !== 'linux') {
      this.test!.title += ' (skipped: the signals of real time are those of Linux)';
      this.skip();
    }
    const protocol = new RecordingProcessProtocol();
    const child = reactor.spawnProcess(protocol, 'sh', ['-c', 'read line; kill -40 $$']);
    await until(() => protocol.isMade);
    expect(() => child.signalProcess(40)).to.throw(RangeError, 'signal must be from 0 to 31; got 40');
    child.write('go on\n');
    await until(() => protocol.isEnded);
    expect(protocol.endedBy).to.be.instanceOf(ProcessDone);
  });

  it('are refused a signal by a number that has no name here', async () => {
    const listener = { started: () => started(), startFailed: () => undefined, exited: () => undefined };
    let started = (): void => undefined;
    const isStarted = new Promise<void>((resolve) => (started = resolve));
    const descriptors = new Map();
    const handle = new NodeProcesses('data').spawn({ executable: 'sleep', args: ['1000'], descriptors }, listener);
    await isStarted;
    expect(() => handle.signal(40))
      .to.throw(Error)
      .with.property('code', 'EINVAL');
    handle.signal(0);
    handle.signal(9);
  });

  it('are named in the warning of a program that ends without having run its reactor', async () => {
    const { stderr } = await runChild(`
      import { createReactor, ProcessProtocol } from 'ropewalk';
      createReactor().spawnProcess(new ProcessProtocol(), 'cat');
    `);
    expect(stderr).to.include('A reactor never ran').and.include('program cat (not started)');
  });

  it(`leave nothing behind, ${CHILDREN} of them one after another`, async function () {
    this.timeout(CHILDREN_MILLISECONDS);
    await getProcessOutput(reactor, 'true', [], { stdin: 'x' }); // whatever is made once has been made
    const handles = new OpenHandles();
    const before = census();
    for (let count = 0; count < CHILDREN; count += 1) {
      // Some read their input, some do not; some have all three pipes, some none.
      if (count % 3 === 0) await getProcessValue(reactor, 'true');
      else await getProcessOutputAndValue(reactor, count % 2 === 0 ? 'cat' : 'true', [], { stdin: 'some input' });
    }
    await untilPassed(() => handles.count === 0);
    expect(census()).to.deep.equal(before);
    expect(handles.problems()).to.deep.equal([]);
    handles.stopWatching();
  });

  /** What children could leave: descriptors, children that nobody has waited for, listeners, and what a reactor knows. */
  function census(): object {
    const children = `/proc/${process.pid}/task/${process.pid}/children`;
    return {
      descriptors: existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0,
      children: existsSync(children) ? readFileSync(children, 'utf8') : '',
      listeners: process.eventNames().map((event) => [String(event), process.listenerCount(event)]),
      alive: reactor.inspect(),
    };
  }
});

/** Node, as it would be without what is not documented of it. */
class PlainPlatform extends NodePlatform {
  override readonly processes = new NodeProcesses('onread', (shell) => shell);
}

/** `until` without a timer, which would be one of the handles that are counted. */
async function untilPassed(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
