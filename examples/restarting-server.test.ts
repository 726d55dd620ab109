import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';

const PROGRAM = new URL('restarting-server.ts', import.meta.url).pathname;

/** Two processes are started, on a machine that may be busy. */
const STARTING_MILLISECONDS = 20_000;

describe('the server that restarts', function () {
  this.timeout(STARTING_MILLISECONDS);
  let port: number;
  let first: ChildProcess;
  /** All that were seen, to be ended. */
  const processes = new Set<number>();

  before(function () {
    // Windows has neither SIGHUP nor descriptors of sockets.
    if (process.platform === 'win32') this.skip();
  });

  beforeEach(async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port; // what a server on TCP has
    first = spawn(process.execPath, ['--conditions=ropewalk-source', '--import=tsx', PROGRAM], {
      stdio: ['ignore', 'inherit', 'inherit', descriptorOf(server), 'ipc'],
    });
    server.close(); // the first process has a copy
    await once(first, 'message');
    first.disconnect();
  });

  afterEach(() => {
    first.kill('SIGKILL');
    for (const pid of processes) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
    processes.clear();
  });

  /** Connects and returns the connection with the process that serves it; rejects if it is refused. */
  async function greeted(): Promise<readonly [socket: Socket, pid: number]> {
    const socket = connect(port, '127.0.0.1');
    const [data] = (await once(socket, 'data')) as [Buffer];
    const pid = Number(data.toString().replace('process ', ''));
    processes.add(pid);
    return [socket, pid];
  }

  it('hands its socket to its successor with no connection refused, and serves those it has to their end', async () => {
    const [old, oldPid] = await greeted();
    expect(oldPid).to.equal(first.pid);
    first.kill('SIGHUP');

    let pid = oldPid;
    while (pid === oldPid) {
      const [socket, served] = await greeted();
      pid = served;
      socket.destroy();
    }

    old.write('still there?');
    const [data] = (await once(old, 'data')) as [Buffer];
    expect(data.toString()).to.equal('still there?');
    const exited = once(first, 'exit');
    old.end();
    expect(await exited).to.deep.equal([0, null]);

    const [socket, served] = await greeted();
    expect(served).to.equal(pid);
    socket.destroy();
  });
});

/** Of a server of Node's, which has no public name for it. */
function descriptorOf(server: Server): number {
  return (server as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
}
