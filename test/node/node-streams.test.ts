import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect as connectSocket, Server, type Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { spy } from 'sinon';
import { NodePlatform } from '../../src/node/node-platform.ts';
import type { ListenTarget } from '../../src/interfaces/stream-platform.ts';
import { OpenHandles } from '../conformance/harness/open-handles.ts';
import {
  acceptedPair,
  connectTo,
  listenOn,
  rawServer,
  RecordingConnectListener,
  RecordingListener,
  RecordingListenListener,
  runChild,
  settle,
  until,
} from './harness.ts';

const LOCALHOST: ListenTarget = { kind: 'tcp', host: '127.0.0.1', port: 0, backlog: 50 };

/** The link-local IPv6 address of this machine, with its scope, if it has one. */
function linkLocalAddress(): string | undefined {
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    const found = addresses?.find(({ address }) => address.startsWith('fe80::'));
    if (found !== undefined) return `${found.address}%${name}`;
  }
  return undefined;
}

/** What `listen` resolves to, and the `net.Server` behind it, which only Node knows. */
async function capturingServer<T>(listen: () => Promise<T>): Promise<{ server: Server; listening: T }> {
  const listens = spy(Server.prototype, 'listen');
  try {
    const listening = await listen();
    // `thisValues` is untyped; a method of Server was called.
    return { server: listens.thisValues[0] as Server, listening };
  } finally {
    listens.restore();
  }
}

for (const reading of ['onread', 'data'] as const) {
  describe(`the streams of Node, read by ${reading}`, () => {
    const { streams } = new NodePlatform({ reading });

    describe('listening', () => {
      it('reports the real port, never from inside the call', async () => {
        const listener = new RecordingListenListener();
        const listen = streams.listen(LOCALHOST, listener);
        expect(listener.events).to.deep.equal([]);
        await until(() => listener.events.length > 0);
        expect(listener.address).to.have.property('port').that.is.greaterThan(0);
        listen.close();
      });

      it('reports a port that is in use, also by itself', async () => {
        const { listen, port } = await listenOn(streams);
        const listener = new RecordingListenListener();
        const second = streams.listen({ ...LOCALHOST, port }, listener);
        expect(listener.events).to.deep.equal([]);
        await until(() => listener.events.length > 0);
        expect(listener.events).to.deep.equal(['listenFailed']);
        expect(listener.error).to.include({ code: 'EADDRINUSE', syscall: 'listen' });
        second.close();
        listen.close();
      });

      it('reports an address that this machine does not have', async () => {
        const listener = new RecordingListenListener();
        streams.listen({ ...LOCALHOST, host: '192.0.2.1' }, listener);
        await until(() => listener.events.length > 0);
        expect(listener.events).to.deep.equal(['listenFailed']);
        expect(listener.error?.code).to.equal('EADDRNOTAVAIL');
      });

      it('frees the address when it reports that it has closed, though connections live on', async () => {
        const { listen, listener, port } = await listenOn(streams);
        const peer = connectSocket(port, '127.0.0.1');
        await until(() => listener.handles.length === 1);
        listen.close();
        expect(listener.events).to.deep.equal(['listening']);
        await until(() => listener.events.includes('closed'));
        const again = await listenOn(streams, { ...LOCALHOST, port });
        again.listen.close();

        const recorder = new RecordingListener();
        listener.handles[0]!.open(recorder);
        listener.handles[0]!.resumeReading();
        peer.write('alive');
        await until(() => recorder.text === 'alive');
        listener.handles[0]!.reset();
        peer.destroy();
        listen.close();
        await settle();
        expect(listener.events).to.deep.equal(['listening', 'closed']);
      });

      it('reports nothing but closed when closed while it binds', async () => {
        const listener = new RecordingListenListener();
        streams.listen(LOCALHOST, listener).close();
        await until(() => listener.events.length > 0);
        await settle();
        expect(listener.events).to.deep.equal(['closed']);
      });

      it('accepts IPv4 on the IPv6 wildcard too', async () => {
        const { listen, listener, port } = await listenOn(streams, { ...LOCALHOST, host: '::' });
        expect(listener.address?.family).to.equal('IPv6');
        const peer = connectSocket(port, '127.0.0.1');
        await until(() => listener.handles.length === 1);
        expect(listener.handles[0]!.remoteAddress).to.include({ family: 'IPv4', host: '127.0.0.1' });
        expect(listener.handles[0]!.localAddress).to.include({ family: 'IPv4', host: '127.0.0.1', port });
        listener.handles[0]!.reset();
        peer.on('error', () => {}).destroy();
        listen.close();
      });

      it('reports that accepting failed, and lives on', async () => {
        const { server, listening } = await capturingServer(() => listenOn(streams));
        const { listen, listener, port } = listening;
        server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE', syscall: 'accept' }));
        expect(listener.events).to.deep.equal(['listening', 'acceptFailed']);
        expect(listener.error?.code).to.equal('EMFILE');
        const peer = connectSocket(port, '127.0.0.1');
        await until(() => listener.handles.length === 1);
        listener.handles[0]!.reset();
        peer.on('error', () => {}).destroy();
        listen.close();
      });
    });

    describe('connecting', () => {
      it('reports a refusal, never from inside the call', async () => {
        const { server, port } = await rawServer();
        server.close();
        await once(server, 'close');
        const listener = new RecordingConnectListener();
        streams.connect({ kind: 'tcp', host: '127.0.0.1', port }, listener);
        expect(listener.events).to.deep.equal([]);
        await until(() => listener.events.length > 0);
        expect(listener.events).to.deep.equal(['connectFailed']);
        expect(listener.error).to.include({ code: 'ECONNREFUSED', syscall: 'connect' });
      });

      it('connects from the local address asked for', async () => {
        const { server, port } = await rawServer();
        const target = { kind: 'tcp', host: '127.0.0.1', port, local: { host: '127.0.0.2', port: 0 } } as const;
        const { handle } = await connectTo(streams, target);
        expect(handle!.localAddress).to.include({ family: 'IPv4', host: '127.0.0.2' });
        expect(handle!.remoteAddress).to.include({ family: 'IPv4', host: '127.0.0.1', port });
        handle!.reset();
        server.close();
      });

      for (const [what, host, local] of [
        ['one that this machine does not have', '127.0.0.1', '192.0.2.1'],
        ['one of another family', '127.0.0.1', '::1'],
        ['one that is no address', '127.0.0.1', 'nowhere'],
      ] as const) {
        it(`blames bind for a bad local address: ${what}`, async () => {
          const listener = await connectTo(streams, { kind: 'tcp', host, port: 9, local: { host: local, port: 0 } });
          expect(listener.events).to.deep.equal(['connectFailed']);
          expect(listener.error?.syscall).to.equal('bind');
        });
      }

      it('blames bind for a local port in use', async () => {
        const { server, port } = await rawServer();
        const inUse = await listenOn(streams);
        const local = { host: '127.0.0.1', port: inUse.port };
        const listener = await connectTo(streams, { kind: 'tcp', host: '127.0.0.1', port, local });
        expect(listener.error).to.include({ code: 'EADDRINUSE', syscall: 'bind' });
        inUse.listen.close();
        server.close();
      });

      it('blames bind for a local port that is connected to the same peer already', async () => {
        const { server, port } = await rawServer();
        const target = { kind: 'tcp', host: '127.0.0.1', port } as const;
        const first = await connectTo(streams, { ...target, local: { host: '127.0.0.1', port: 0 } });
        const { localAddress } = first.handle!;
        const localPort = 'port' in localAddress ? localAddress.port : 0;
        const second = await connectTo(streams, { ...target, local: { host: '127.0.0.1', port: localPort } });
        expect(second.events).to.deep.equal(['connectFailed']);
        expect(second.error?.syscall).to.equal('bind');
        first.handle!.reset();
        server.close();
      });

      it('reports nothing after it was cancelled, and connects to nothing', async () => {
        const { server, port } = await rawServer();
        const listener = new RecordingConnectListener();
        streams.connect({ kind: 'tcp', host: '127.0.0.1', port }, listener).cancel();
        const refused = new RecordingConnectListener();
        const attempt = streams.connect({ kind: 'tcp', host: '127.0.0.1', port: 1 }, refused);
        await new Promise((resolve) => process.nextTick(resolve));
        attempt.cancel();
        await settle();
        expect([...listener.events, ...refused.events]).to.deep.equal([]);
        server.close();
      });

      it('may be cancelled after it has succeeded, without effect', async () => {
        const { server, port } = await rawServer();
        const listener = new RecordingConnectListener();
        const attempt = streams.connect({ kind: 'tcp', host: '127.0.0.1', port }, listener);
        await until(() => listener.events.length > 0);
        attempt.cancel();
        const recorder = new RecordingListener();
        listener.handle!.open(recorder);
        expect(listener.handle!.write([Buffer.from('still here')])).to.equal(true);
        listener.handle!.reset();
        server.close();
      });

      it('reaches a link-local address by its scope', async function () {
        const host = linkLocalAddress();
        // A machine without IPv6 has none.
        if (host === undefined) this.skip();
        const { listen, listener, port } = await listenOn(streams, { ...LOCALHOST, host });
        const { handle } = await connectTo(streams, { kind: 'tcp', host, port });
        expect(handle?.remoteAddress).to.include({ family: 'IPv6', port });
        await until(() => listener.handles.length === 1);
        listener.handles[0]!.reset();
        handle?.reset();
        listen.close();
      });
    });

    describe('UNIX sockets', () => {
      let folder: string;
      beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'ropewalk-'))));
      afterEach(() => rmSync(folder, { recursive: true }));

      it('carry data both ways, know their addresses and have no options of TCP', async () => {
        const path = join(folder, 'socket');
        const { listen, listener } = await listenOn(streams, { kind: 'unix', path, backlog: 5, mode: 0o600 });
        expect(String(listener.address)).to.equal(`UNIXAddress('${path}')`);
        expect(statSync(path).mode & 0o777).to.equal(0o600);
        const { handle: client } = await connectTo(streams, { kind: 'unix', path });
        await until(() => listener.handles.length === 1);
        const server = listener.handles[0]!;
        expect([server.localAddress, server.remoteAddress].map(String)).to.deep.equal([
          `UNIXAddress('${path}')`,
          'UNIXAddress()',
        ]);
        expect(String(client!.remoteAddress)).to.equal(`UNIXAddress('${path}')`);
        expect(client).not.to.have.property('setNoDelay');
        expect(server).not.to.have.property('setNoDelay');

        const [clientListener, serverListener] = [new RecordingListener(), new RecordingListener()];
        client!.open(clientListener);
        server.open(serverListener);
        client!.resumeReading();
        server.resumeReading();
        client!.write([Buffer.from('ping')]);
        await until(() => serverListener.text === 'ping');
        server.write([Buffer.from('pong')]);
        await until(() => clientListener.text === 'pong');
        server.reset();
        await until(() => clientListener.events.length > 1);
        client!.close();
        listen.close();
        await until(() => listener.events.includes('closed'));
        expect(() => statSync(path)).to.throw('ENOENT');
      });

      it('report a path that cannot be had, and one where nobody listens', async () => {
        const path = join(folder, 'missing', 'socket');
        const listener = new RecordingListenListener();
        streams.listen({ kind: 'unix', path, backlog: 5 }, listener);
        expect(listener.events).to.deep.equal([]);
        await until(() => listener.events.length > 0);
        expect(listener.events).to.deep.equal(['listenFailed']);
        expect(listener.error?.code).to.be.oneOf(['EACCES', 'ENOENT']);
        expect((await connectTo(streams, { kind: 'unix', path })).error?.code).to.equal('ENOENT');
      });
    });

    it('sends many chunks in one vectored write, and one chunk in one write', async () => {
      const pair = await acceptedPair(streams);
      // The socket is protected, and its handle is Node's: only there can calls be counted.
      const { socket } = pair.handle as unknown as { socket: Socket & { _handle: Record<string, () => unknown> } };
      const calls: string[] = [];
      for (const name of ['writev', 'writeBuffer', 'writeUtf8String', 'writeLatin1String']) {
        const original = socket._handle[name]!;
        socket._handle[name] = function (this: unknown, ...args: []) {
          calls.push(name);
          return original.apply(this, args);
        };
      }
      pair.handle.write(Array.from({ length: 100 }, (_, index) => Buffer.from(`line ${index}\n`)));
      pair.handle.write([Buffer.from('last')]);
      expect(calls).to.deep.equal(['writev', 'writeBuffer']);
      pair.close();
    });

    if (reading === 'onread') {
      it('takes accepted connections off the server that accepted them', async () => {
        const { server, listening } = await capturingServer(() => listenOn(streams));
        const peer = connectSocket(listening.port, '127.0.0.1');
        await until(() => listening.listener.handles.length === 1);
        const count = await new Promise((resolve) => server.getConnections((_, connections) => resolve(connections)));
        expect(count).to.equal(0);
        listening.listener.handles[0]!.reset();
        peer.on('error', () => {}).destroy();
        listening.listen.close();
        await once(server, 'close');
      });
    }

    it('leaves nothing behind after 2,000 connections', async function () {
      this.timeout(20_000);
      const handles = new OpenHandles();
      const { listen, listener, port } = await listenOn(streams, { ...LOCALHOST, backlog: 511 });
      let ended = 0;
      for (let round = 0; round < 20; round += 1) {
        const peers = Array.from({ length: 100 }, () => connectSocket(port, '127.0.0.1'));
        for (const peer of peers) peer.on('error', () => {}).on('close', () => (ended += 1));
        await until(() => listener.handles.length === 100);
        for (const [index, handle] of listener.handles.splice(0).entries()) {
          handle.open(new RecordingListener());
          handle.resumeReading();
          handle.write([Buffer.from('hello')]);
          if (index % 2 === 0) handle.close();
          else handle.reset();
        }
        for (const peer of peers) peer.resume();
        await until(() => ended === (round + 1) * 100);
      }
      expect(handles.count, 'the listener is seen').to.be.greaterThan(0);
      listen.close();
      // The wait is by immediates: a timer of its own would be counted.
      while (handles.count > 0) await settle();
      handles.stopWatching();
    });
  });
}

describe('the life of the process', () => {
  it('does not depend on listeners, connections, or their timers', async () => {
    const { status, stdout, stderr } = await runChild(`
      import { connect } from 'node:net';
      platform.clock.attach(() => {});
      platform.clock.wakeAt(platform.clock.now() + 1000);
      platform.streams.listen({ kind: 'tcp', host: '127.0.0.1', port: 0, backlog: 50 }, {
        listening: ({ port }) => {
          for (const end of ['keep', 'keep', 'close']) {
            platform.streams.connect({ kind: 'tcp', host: '127.0.0.1', port }, {
              connected: (handle) => {
                handle.open({});
                handle.resumeReading();
                if (end === 'close') handle.close();
                console.log(end);
              },
            });
          }
        },
        accepted: (handle) => {
          handle.open({});
          handle.resumeReading();
        },
      });
    `);
    expect(stderr).to.equal('');
    expect(stdout).to.equal('keep\nkeep\nclose\n');
    expect(status).to.equal(0);
  });

  it('lasts until a bind and a close under way have been reported', async () => {
    const { status, stdout } = await runChild(`
      let closed;
      const listen = await new Promise((resolve) => {
        const handle = platform.streams.listen({ kind: 'tcp', host: '127.0.0.1', port: 0, backlog: 50 }, {
          listening: () => resolve(handle),
          closed: () => closed(),
        });
      });
      console.log('bound');
      await new Promise((resolve) => { closed = resolve; listen.close(); });
      console.log('closed');
    `);
    expect(stdout).to.equal('bound\nclosed\n');
    expect(status).to.equal(0);
  });

  it('may end while a connection lingers; the peer has everything', async () => {
    const { server, port } = await rawServer();
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const child = runChild(`
      platform.streams.connect({ kind: 'tcp', host: '127.0.0.1', port: ${port} }, {
        connected: (handle) => {
          handle.open({});
          handle.write([Buffer.from('farewell')]);
          handle.close();
        },
      });
    `);
    const [peer] = await accepted;
    const { status } = await child;
    const [data] = (await once(peer.resume(), 'data')) as [Buffer];
    await once(peer, 'end');
    expect(data.toString()).to.equal('farewell');
    expect(status).to.equal(0);
    peer.destroy();
    server.close();
  });
});
