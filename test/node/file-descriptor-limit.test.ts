import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { BuiltPackage } from '../support/built-package.ts';

/** Serves an echo; needs some thirty descriptors before it listens. */
const SERVER = `
  import { createReactor, Echo, Factory } from 'ropewalk';
  const reactor = createReactor();
  const port = reactor.listenTCP(0, Factory.forProtocol(Echo), { interface: '127.0.0.1' });
  await port.whenListening();
  console.log('listening', port.getHost().port);
  await reactor.run();
`;

const DESCRIPTORS_MAX = 64;
const PATIENCE_MILLISECONDS = 4000;

describe('A port whose process has run out of file descriptors', () => {
  it('closes whom it cannot accept, serves those it has, and accepts again when some are free', async function () {
    if (process.platform === 'win32') this.skip();
    this.timeout(4 * PATIENCE_MILLISECONDS);
    const command = `ulimit -n ${DESCRIPTORS_MAX}; exec "$0" "$@"`;
    const server = spawn('sh', ['-c', command, process.execPath, ...BuiltPackage.args(SERVER)], {
      cwd: BuiltPackage.shared.folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const sockets: Socket[] = [];
    try {
      let output = '';
      server.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
      await until(() => output.includes('listening'));
      const port = Number(/listening (\d+)/.exec(output)?.[1]);

      const first = await dial(port, sockets);
      for (let count = 0; count < DESCRIPTORS_MAX; count += 1) void dial(port, sockets).catch(() => undefined);
      // libuv keeps a descriptor in reserve, with which it accepts those for whom there is none, and closes them at once.
      await until(() => sockets.some(({ destroyed }) => destroyed));
      first.write('still served');
      const [data] = (await once(first, 'data')) as [Buffer];
      expect(data.toString()).to.equal('still served');

      for (const socket of sockets.splice(1)) socket.destroy();
      const next = await dialUntilServed(port, sockets);
      expect(next).to.equal('served again');
      expect(server.exitCode).to.equal(null);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.kill();
      await once(server, 'exit');
    }
  });
});

async function dial(port: number, sockets: Socket[]): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** The server learns in its own time that others have gone, and closes whom it cannot accept. */
async function dialUntilServed(port: number, sockets: Socket[]): Promise<string | undefined> {
  const end = performance.now() + PATIENCE_MILLISECONDS;
  while (performance.now() < end) {
    const socket = await dial(port, sockets);
    socket.write('served again');
    const answer = await new Promise<string | undefined>((resolve) => {
      socket.once('data', (data: Buffer) => resolve(data.toString()));
      socket.once('close', () => resolve(undefined));
    });
    if (answer !== undefined) return answer;
  }
  return undefined;
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MILLISECONDS;
  while (!condition()) {
    if (performance.now() > end) throw new Error('It never came to pass');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
