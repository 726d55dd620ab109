/** UNIX sockets on a real file system: modes, files that are in the way, locks, names without a file. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  CannotListenError,
  ClientFactory,
  ConnectError,
  ConnectionRefusedError,
  createReactor,
  Echo,
  Factory,
  type ListeningPort,
  Protocol,
  type Reactor,
  UNIXAddress,
  UNIXClientEndpoint,
  UNIXServerEndpoint,
} from 'ropewalk';

/** More than any address has room for. */
const TOO_LONG = 'x'.repeat(200);

describe('UNIX sockets on Node', function () {
  let folder: string;
  let path: string;
  let reactor: Reactor;

  before(function () {
    if (process.platform !== 'win32') return;
    this.test?.parent?.eachTest((test) => (test.title += ' (skipped: Windows has no UNIX sockets in Node)'));
    this.skip();
  });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ropewalk-'));
    path = join(folder, 's');
    reactor = createReactor();
    void reactor.run({ installSignalHandlers: false });
  });

  afterEach(async () => {
    await reactor[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const listen = (at: string, options = {}): PromiseLike<ListeningPort> =>
    new UNIXServerEndpoint(reactor, at, options).listen(Factory.forProtocol(Echo));
  const connect = (at: string): PromiseLike<Protocol> =>
    new UNIXClientEndpoint(reactor, at).connect(ClientFactory.forProtocol(Protocol));
  const errorOf = async (work: PromiseLike<unknown>): Promise<unknown> => {
    try {
      await work;
    } catch (error) {
      return error;
    }
    throw new Error('it should have failed');
  };

  /** A process that is no more. */
  function deadProcess(): number {
    const { pid } = spawnSync(process.execPath, ['--version']);
    return pid;
  }

  /** Leaves a socket behind, as a process does that is killed. */
  async function leaveSocket(): Promise<void> {
    const script = 'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))';
    spawnSync(process.execPath, ['-e', script, path]);
    expect(lstatSync(path).isSocket()).to.be.true;
    expect(await errorOf(connect(path))).to.be.instanceOf(ConnectionRefusedError);
  }

  it('have the mode asked for, by default one that lets everyone in, and are removed with their port [80]', async () => {
    const open = await listen(path);
    expect(statSync(path).mode & 0o777).to.equal(0o666);
    await open.stopListening();
    expect(existsSync(path)).to.be.false;
    const closed = await listen(path, { mode: 0o600 });
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    await closed.stopListening();
    expect(existsSync(path)).to.be.false;
  });

  it('refuse a connection to a socket that nobody listens on any more, with the path named', async () => {
    await leaveSocket();
    const error = await errorOf(connect(path));
    expect(error).to.be.instanceOf(ConnectionRefusedError);
    expect(error).to.have.property('message').that.contains(path);
  });

  it('do not take the place of something else', async () => {
    writeFileSync(path, 'precious');
    expect(await errorOf(listen(path))).to.be.instanceOf(CannotListenError);
    expect(statSync(path).isFile()).to.be.true;
    expect(await errorOf(listen(join(folder, 'missing', 's')))).to.be.instanceOf(CannotListenError);
  });

  it('leave a stale socket alone without a lock', async () => {
    await leaveSocket();
    expect(await errorOf(listen(path))).to.be.instanceOf(CannotListenError);
    // With a lock file nobody has died over it, so whose socket that is cannot be known.
    expect(await errorOf(listen(path, { lockFile: true }))).to.be.instanceOf(CannotListenError);
    expect(lstatSync(path).isSocket()).to.be.true;
    expect(existsSync(`${path}.lock`), 'the lock is gone when binding has failed').to.be.false;
  });

  it('remove a stale socket if its lock names a dead process [80]', async () => {
    await leaveSocket();
    symlinkSync(String(deadProcess()), `${path}.lock`);
    const port = await listen(path, { lockFile: true });
    expect(readlinkSync(`${path}.lock`)).to.equal(String(process.pid));
    expect((await connect(path)).connected).to.be.true;
    await port.stopListening();
    expect(existsSync(path)).to.be.false;
    expect(lstatSync(`${path}.lock`, { throwIfNoEntry: false })).to.be.undefined;
  });

  it('remove nothing but a socket, whatever the lock says', async () => {
    writeFileSync(path, 'precious');
    symlinkSync(String(deadProcess()), `${path}.lock`);
    expect(await errorOf(listen(path, { lockFile: true }))).to.be.instanceOf(CannotListenError);
    expect(statSync(path).isFile()).to.be.true;
  });

  it('respect the lock of a process that lives', async () => {
    symlinkSync(String(process.ppid), `${path}.lock`);
    const error = await errorOf(listen(path, { lockFile: true }));
    expect(error).to.be.instanceOf(CannotListenError);
    expect(error).to.have.property('message').that.contains(`process ${process.ppid} holds ${path}.lock`);
    expect(readlinkSync(`${path}.lock`)).to.equal(String(process.ppid));
  });

  it('respect a lock of their own process, and one that names no process', async () => {
    const port = await listen(path, { lockFile: true });
    expect(await errorOf(listen(path, { lockFile: true }))).to.be.instanceOf(CannotListenError);
    expect(readlinkSync(`${path}.lock`)).to.equal(String(process.pid));
    await port.stopListening();
    symlinkSync('somebody', `${path}.lock`);
    expect(await errorOf(listen(path, { lockFile: true }))).to.be.instanceOf(CannotListenError);
    rmSync(`${path}.lock`);
    writeFileSync(`${path}.lock`, '');
    const error = await errorOf(listen(path, { lockFile: true }));
    expect(error).to.have.property('message').that.contains('something else than a lock');
    expect(statSync(`${path}.lock`).isFile()).to.be.true;
  });

  it('fail in so many words with a path that is too long, and touch no other file', async () => {
    const long = join(folder, TOO_LONG);
    const cannotListen = await errorOf(listen(long, { lockFile: true }));
    expect(cannotListen).to.be.instanceOf(CannotListenError);
    expect(cannotListen).to.have.property('message').that.contains('ENAMETOOLONG').and.contains(long);
    const cannotConnect = await errorOf(connect(long));
    expect(cannotConnect).to.be.instanceOf(ConnectError);
    expect(cannotConnect).to.have.property('message').that.contains('ENAMETOOLONG');
    expect(spawnSync('ls', ['-A', folder]).stdout.toString()).to.equal('');
  });

  it('take a path of the greatest length, of Linux and elsewhere alike', async function () {
    const bytesMax = process.platform === 'linux' ? 107 : 103;
    const longest = join(folder, 'x'.repeat(bytesMax - Buffer.byteLength(folder) - 1));
    await listen(longest);
    expect(lstatSync(longest).isSocket()).to.be.true;
    expect((await connect(longest)).transport.getPeer()).to.deep.equal(new UNIXAddress(longest));
  });

  it('may have an abstract name on Linux, with neither file nor mode', async function () {
    if (process.platform !== 'linux') {
      if (this.test) this.test.title += ' (skipped: not on Linux)';
      this.skip();
    }
    const name = `\0ropewalk $& ${path}`;
    const port = await listen(name, { mode: 0o600 });
    expect(port.getHost()).to.deep.equal(new UNIXAddress(name));
    expect((await connect(name)).connected).to.be.true;
    const taken = await errorOf(listen(name));
    expect(taken).to.be.instanceOf(CannotListenError);
    expect(String(taken))
      .to.contain(`@${name.slice(1)}`)
      .and.not.contain('\0');
    await port.stopListening();
    expect(await errorOf(connect(name))).to.be.instanceOf(ConnectionRefusedError);
  });

  it('reach servers that are none of ours', async () => {
    const server = createServer((socket) => socket.end('hello'));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const lost = new Promise<string>((resolve) => {
      class Reader extends Protocol {
        #text = '';
        override dataReceived(data: Buffer): void {
          this.#text += data.toString();
        }
        override connectionLost(): void {
          resolve(this.#text);
        }
      }
      reactor.connectUNIX(path, ClientFactory.forProtocol(Reader));
    });
    expect(await lost).to.equal('hello');
    await new Promise((resolve) => server.close(resolve));
  });
});
