/** Standard input and output, of programs that run on their own: pipes, files, sockets and terminals. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { BuiltPackage } from '../support/built-package.ts';

/** Every program begins with this. It tells on its standard error what becomes of it. */
const PROLOGUE = `
  import { createReactor, Protocol, Factory, Chargen, StandardIOEndpoint } from 'ropewalk';
  const reactor = createReactor();
  const tell = (text) => process.stderr.write(text + '\\n');
  class Telling extends Protocol {
    connectionLost(reason) {
      tell('lost: ' + reason.value.name + (reason.value.cause ? ' ' + reason.value.cause.code : ''));
      if (reactor.running) reactor.stop();
    }
  }
`;

/** Sends back what it receives in capitals. */
const SHOUT = `
  class Shout extends Telling {
    dataReceived(data) { this.transport.write(data.toString().toUpperCase()); }
  }
  reactor.openStdio(new Shout());
  await reactor.run();
  tell('ended');
`;

/** Runs a program on a terminal of its own; Debian's package is bsdutils. */
const TERMINAL_MAKER = 'script';

interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Programs take a while to start, on a machine that is busy with much else. */
const PATIENCE_MILLISECONDS = 20_000;

/** Starts a shell script in which `"$@"` is the program. */
function start(script: string, program: string): ChildProcess {
  return spawn('sh', ['-c', script, 'sh', process.execPath, ...BuiltPackage.args(PROLOGUE + program)], {
    cwd: BuiltPackage.shared.folder,
    timeout: PATIENCE_MILLISECONDS,
  });
}

async function resultOf(child: ChildProcess): Promise<Result> {
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.setEncoding('utf8').on('data', (text: string) => (texts[name] += text));
  }
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, ...texts };
}

/** Waits until a program has printed this to its standard error. */
async function told(child: ChildProcess, text: string): Promise<void> {
  let seen = '';
  await new Promise<void>((resolve) => {
    child.stderr!.on('data', (data: string) => {
      seen += data;
      if (seen.includes(text)) resolve();
    });
  });
}

async function runInShell(script: string, program: string, input = ''): Promise<Result> {
  const child = start(script, program);
  child.stdin!.on('error', () => {}); // it may end before it has read everything
  child.stdin!.end(input);
  return resultOf(child);
}

describe('standard input and output on Node', function () {
  this.timeout(PATIENCE_MILLISECONDS);
  this.slow(PATIENCE_MILLISECONDS);
  let folder: string;

  before(function () {
    if (process.platform !== 'win32') return;
    this.test?.parent?.eachTest((test) => (test.title += ' (skipped: the shell is that of UNIX)'));
    this.skip();
  });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ropewalk-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('are pipes: the end of the input ends a plain protocol, when its output has left', async () => {
    const result = await runInShell(`printf 'hello' | "$@" | cat`, SHOUT);
    expect(result).to.deep.equal({ status: 0, stdout: 'HELLO', stderr: 'lost: ConnectionDone\nended\n' });
  });

  it('are files', async () => {
    const [input, output] = [join(folder, 'in'), join(folder, 'out')];
    writeFileSync(input, 'x'.repeat(200_000));
    const result = await runInShell(`"$@" <${input} >${output}`, SHOUT);
    expect(result).to.deep.equal({ status: 0, stdout: '', stderr: 'lost: ConnectionDone\nended\n' });
    expect(readFileSync(output, 'utf8')).to.equal('X'.repeat(200_000));
  });

  it('are the null device', async () => {
    const result = await runInShell(`"$@" </dev/null >/dev/null`, SHOUT);
    expect(result).to.deep.equal({ status: 0, stdout: '', stderr: 'lost: ConnectionDone\nended\n' });
  });

  it('are sockets, over which much goes both ways', async () => {
    const text = 'some text, '.repeat(200_000);
    const result = await runInShell('exec "$@"', SHOUT, text);
    expect(result.stdout === text.toUpperCase()).to.be.true;
    expect(result.stderr).to.equal('lost: ConnectionDone\nended\n');
    expect(result.status).to.equal(0);
  });

  for (const [what, script] of [
    ['pipe', `"$@" | { cat; echo 'end of output' >&2; cat; }`],
    ['socket', `exec "$@"`],
  ] as const) {
    it(`are closed by halves: whoever reads the output sees its end, on a ${what}, while the program goes on`, async () => {
      const child = start(
        script,
        `
        class Half extends Telling {
          connectionMade() {
            this.transport.write('all I have to say');
            this.transport.loseWriteConnection();
          }
          writeConnectionLost() { console.log('this goes nowhere'); console.error('written'); }
          dataReceived(data) { tell('read ' + data); }
          readConnectionLost() { tell('end of input'); }
        }
        reactor.openStdio(new Half());
        await reactor.run();
        console.log('this neither');
        tell('ended');
        `,
      );
      const result = resultOf(child);
      // Both come only when the output has ended: the program waits for its input.
      if (what === 'socket') await once(child.stdout!, 'end');
      else await told(child, 'end of output');
      child.stdin!.write('still');
      setImmediate(() => child.stdin!.end());
      const { stderr, status } = await result;
      const lines = stderr.trimEnd().split('\n');
      expect(lines).to.include('written');
      // When that is told beside the rest is the system's.
      const others = lines.filter((line) => line !== 'written' && line !== 'end of output');
      expect(others).to.deep.equal(['read still', 'end of input', 'lost: ConnectionDone', 'ended']);
      expect(status).to.equal(0);
    });
  }

  it('have all that was written before the program ends, however slow the reader', async () => {
    const result = await runInShell(
      `"$@" | { sleep 0.2; wc -c; }`,
      `
      const transport = reactor.openStdio(new Telling());
      transport.write(Buffer.alloc(4_000_000));
      transport.loseConnection();
      await reactor.run();
      tell('ended');
      `,
    );
    expect(result).to.deep.equal({ status: 0, stdout: '4000000\n', stderr: 'lost: ConnectionDone\nended\n' });
  });

  it('have what was written before a stop that nothing waits for', async () => {
    const result = await runInShell(
      `"$@" | { sleep 0.2; wc -c; }`,
      `
      class Stopping extends Telling {
        connectionMade() {
          this.transport.write(Buffer.alloc(1_000_000));
          reactor.stop();
        }
      }
      reactor.openStdio(new Stopping());
      await reactor.run();
      `,
    );
    expect(result).to.deep.equal({ status: 0, stdout: '1000000\n', stderr: 'lost: ConnectionLost\n' });
  });

  it('are lost when nobody reads the output any more', async () => {
    const child = start(
      `"$@" | head -c 100 | wc -c`,
      `
      class Ending extends Chargen {
        connectionLost(reason) { tell(reason.value.name + ' ' + reason.value.cause.code); reactor.stop(); }
      }
      reactor.openStdio(new Ending());
      await reactor.run();
      console.log('nobody reads this');
      process.exit();
      `,
    );
    // Its input has no end.
    expect(await resultOf(child)).to.deep.equal({ status: 0, stdout: '100\n', stderr: 'ConnectionLost EPIPE\n' });
  });

  it('do not keep a program alive whose reactor has stopped', async () => {
    const child = start(
      'exec "$@"',
      `
      reactor.openStdio(new Telling());
      reactor.callLater(0, () => reactor.stop());
      await reactor.run();
      tell('ended');
      `,
    );
    // Its input has no end.
    const { status, stderr } = await resultOf(child);
    expect([status, stderr]).to.deep.equal([0, 'lost: ConnectionLost\nended\n']);
  });

  it('wait while they are paused, and go on with what came first', async () => {
    const result = await runInShell(
      `printf 'first second' | "$@"`,
      `
      class Slow extends Telling {
        connectionMade() {
          this.transport.pauseProducing();
          reactor.callLater(0.1, () => { tell('resumed'); this.transport.resumeProducing(); });
        }
        dataReceived(data) { tell('read ' + data); }
      }
      reactor.openStdio(new Slow());
      await reactor.run();
      `,
    );
    expect(result.stderr).to.equal('resumed\nread first second\nlost: ConnectionDone\n');
  });

  it('can be opened once in a process, by whatever reactor, and not again when they have ended', async () => {
    const result = await runInShell(
      '"$@" </dev/null',
      `
      const served = new StandardIOEndpoint(reactor).listen(Factory.forProtocol(Telling));
      served.addCallback((port) => tell(String(port.getHost())));
      const refused = (open) => { try { open(); } catch (error) { tell(error.message); } };
      refused(() => reactor.openStdio(new Telling()));
      refused(() => new StandardIOEndpoint(reactor).listen(new Factory()));
      refused(() => createReactor().openStdio(new Telling()));
      await reactor.run();
      refused(() => createReactor().openStdio(new Telling()));
      `,
    );
    const refusal = 'The standard input and output have been opened already\n';
    expect(result.stderr).to.equal(`UNIXAddress()\n${refusal.repeat(3)}lost: ConnectionDone\n${refusal}`);
  });

  it('are a terminal, whose end of input does not end what is printed', async function () {
    if (spawnSync(TERMINAL_MAKER, ['--version']).error !== undefined) {
      this.test!.title += " (skipped: script is not here; Debian's package: bsdutils)";
      this.skip();
    }
    const program = `
      class Greeter extends Telling {
        connectionMade() { this.transport.write('your name? '); }
        dataReceived(data) { this.transport.write('hello ' + data); }
        readConnectionLost() {
          this.transport.write('goodbye\\n');
          this.transport.loseConnection();
        }
      }
      tell('terminal: ' + process.stdin.isTTY + ' ' + process.stdout.isTTY);
      reactor.openStdio(new Greeter());
      await reactor.run();
      console.log('still printed');
    `;
    // The terminal's discipline turns line ends into CR LF, and echoes what is typed; 4 is Control-D.
    const script = `exec script -qec '"$0" --input-type=module --eval "$PROGRAM"' /dev/null`;
    const child = spawn('sh', ['-c', script.replace('"$0"', `"${process.execPath}"`)], {
      cwd: BuiltPackage.shared.folder,
      env: { ...process.env, PROGRAM: PROLOGUE + program },
      timeout: PATIENCE_MILLISECONDS,
    });
    let seen = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
      if (text.includes('your name?')) child.stdin.write('Ann\n');
      if (text.includes('hello Ann')) child.stdin.write('\u0004');
    });
    const [status] = (await once(child, 'close')) as [number];
    expect(seen.replaceAll('\r\n', '\n')).to.match(
      /^terminal: true true\nyour name\? Ann\nhello Ann\n(\^D.*)?goodbye\nlost: ConnectionDone\nstill printed\n$/s,
    );
    expect(status).to.equal(0);
  });
});
