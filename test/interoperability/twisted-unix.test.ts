/** UNIX sockets and their lock files with Twisted at the other end. */
import { existsSync, lstatSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  CannotListenError,
  ConnectionDone,
  ConnectionRefusedError,
  connectProtocol,
  Echo,
  Factory,
  type ListeningPort,
  UNIXClientEndpoint,
  UNIXServerEndpoint,
} from 'ropewalk';
import { useChildren } from './support/child.ts';
import { requirePeer, TWISTED } from './support/require-peer.ts';
import { useReactor } from './support/running-reactor.ts';
import { HalfCloseWitness } from './support/witness.ts';

/** Twisted's echo on a path, with a lock file; says `ready`, or what went wrong. */
const SERVE_ECHO = `
import sys
from twisted.internet import error, protocol, reactor
from twisted.protocols.wire import Echo
try:
    reactor.listenUNIX(sys.argv[1], protocol.Factory.forProtocol(Echo), wantPID=1)
except error.CannotListenError:
    print("cannot listen", flush=True)
else:
    print("ready", flush=True)
    reactor.run()
`;

describe('over UNIX sockets with Twisted', () => {
  requirePeer(TWISTED);
  const running = useReactor();
  const start = useChildren();
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ropewalk-'));
    path = join(folder, 's');
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const serveEcho = (): ReturnType<typeof start> => start(TWISTED.command, ['-B', '-c', SERVE_ECHO, path]);
  const listen = (): PromiseLike<ListeningPort> =>
    new UNIXServerEndpoint(running().reactor, path, { lockFile: true }).listen(Factory.forProtocol(Echo));
  const errorOf = async (work: PromiseLike<unknown>): Promise<unknown> => {
    try {
      await work;
      return undefined;
    } catch (error) {
      return error;
    }
  };

  it('gets its echo back, and is lost in order', async () => {
    await serveEcho().line(/^ready$/);
    const ours = new HalfCloseWitness({ made: (transport) => transport.write('hello') });
    await connectProtocol(new UNIXClientEndpoint(running().reactor, path), ours);
    await ours.until(() => ours.text === 'hello');
    ours.transport.loseWriteConnection();
    await ours.lost();
    expect(ours.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it("respects the lock of a Twisted that lives, and takes a dead one's over", async () => {
    const twisted = serveEcho();
    await twisted.line(/^ready$/);
    expect(await errorOf(listen())).to.be.instanceOf(CannotListenError);
    await twisted.kill();
    expect(lstatSync(path).isSocket(), 'a killed server leaves its socket').to.be.true;
    const ours = new HalfCloseWitness();
    const refused = await errorOf(connectProtocol(new UNIXClientEndpoint(running().reactor, path), ours));
    expect(refused).to.be.instanceOf(ConnectionRefusedError);
    const port = await listen();
    expect(readlinkSync(`${path}.lock`)).to.equal(String(process.pid));
    await port.stopListening();
    expect(existsSync(path)).to.be.false;
  });

  it('has its own lock respected by Twisted', async () => {
    await listen();
    await serveEcho().line(/^cannot listen$/);
    expect(readlinkSync(`${path}.lock`)).to.equal(String(process.pid));
  });
});
