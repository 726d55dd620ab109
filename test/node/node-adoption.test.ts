/** Adoption on the Node platform, by itself: what is a good descriptor, and who owns it when. */
import { Buffer } from 'node:buffer';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { IPv4Address, IPv6Address, UNIXAddress } from 'ropewalk/core';
import { NodePlatform } from '../../src/node/node-platform.ts';
import type { NodeAdoption } from '../../src/node/node-adoption.ts';
import type { ReadingMode } from '../../src/node/node-streams.ts';
import { receiveAll, RecordingListener, RecordingListenListener, settle, until } from './harness.ts';
import { DescriptorSource, isOpen } from './support/descriptor-source.ts';

const BACKLOG = 50;

for (const reading of ['onread', 'data'] satisfies ReadingMode[]) {
  describe(`NodeAdoption (${reading})`, function () {
    let source: DescriptorSource;
    let folder: string;
    let adoption: NodeAdoption;

    before(function () {
      // Windows has no descriptors of sockets.
      if (process.platform === 'win32') this.skip();
      source = DescriptorSource.start();
      folder = mkdtempSync(join(tmpdir(), 'ropewalk-'));
    });

    after(async () => {
      await source.stop();
      rmSync(folder, { recursive: true });
    });

    beforeEach(() => {
      adoption = new NodePlatform({ reading }).adoption as NodeAdoption;
    });

    /** What is thrown, without its stack. */
    function codeOf(call: () => unknown): string {
      try {
        call();
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? String(error);
      }
      return 'nothing thrown';
    }

    async function adoptListener(descriptor: number) {
      const listener = new RecordingListenListener();
      const handle = adoption.adoptListener(descriptor, BACKLOG, listener);
      expect(listener.events).to.deep.equal([]); // nothing is reported from inside the call
      await until(() => listener.events.length > 0);
      return { handle, listener };
    }

    async function closeListener({ handle, listener }: Awaited<ReturnType<typeof adoptListener>>): Promise<void> {
      handle.close();
      await until(() => listener.events.includes('closed'));
    }

    async function echoOnce(adopted: Awaited<ReturnType<typeof adoptListener>>, peer: Socket): Promise<string> {
      const received = receiveAll(peer);
      await until(() => adopted.listener.handles.length > 0);
      const [stream] = adopted.listener.handles;
      const listener = new RecordingListener();
      listener.onData = (data) => stream!.write([data]);
      stream!.open(listener);
      stream!.resumeReading();
      peer.end('hello');
      await until(() => listener.events.includes('end'));
      stream!.close();
      return (await received).toString();
    }

    describe('of listeners', () => {
      it('serves a TCP socket, and closes the descriptor with the listener', async () => {
        const descriptor = await source.listening();
        const adopted = await adoptListener(descriptor);
        const { address } = adopted.listener;
        expect(address).to.be.instanceOf(IPv4Address);
        const { port } = address as IPv4Address;
        expect(String(address)).to.equal(String(new IPv4Address('TCP', '127.0.0.1', port)));
        expect(await echoOnce(adopted, connect(port, '127.0.0.1'))).to.equal('hello');
        expect(String(adopted.listener.handles[0]!.localAddress)).to.equal(String(address));
        expect(adopted.listener.handles[0]!.setNoDelay).to.be.a('function');
        await closeListener(adopted);
        expect(isOpen(descriptor)).to.equal(false);
        expect(adopted.listener.events).to.deep.equal(['listening', 'closed']);
      });

      it('serves a TCP socket on IPv6', async () => {
        const adopted = await adoptListener(await source.listening({ host: '::1', port: 0 }));
        const { address } = adopted.listener;
        expect(address).to.be.instanceOf(IPv6Address);
        expect(await echoOnce(adopted, connect((address as IPv6Address).port, '::1'))).to.equal('hello');
        await closeListener(adopted);
      });

      it('serves a UNIX socket, whose path it knows, and leaves the file', async () => {
        const path = join(folder, 'a path');
        const adopted = await adoptListener(await source.listening({ path }));
        const named = process.platform === 'linux' ? new UNIXAddress(path) : new UNIXAddress(undefined);
        expect(String(adopted.listener.address)).to.equal(String(named));
        expect(await echoOnce(adopted, connect(path))).to.equal('hello');
        expect(String(adopted.listener.handles[0]!.localAddress)).to.equal(String(named));
        expect(adopted.listener.handles[0]!.setNoDelay).to.equal(undefined);
        await closeListener(adopted);
        expect(readdirSync(folder)).to.include('a path');
      });

      it('serves an abstract name', async function () {
        if (process.platform !== 'linux') this.skip();
        const name = `\0ropewalk ${folder}`;
        const adopted = await adoptListener(await source.listening({ path: name }));
        const { address } = adopted.listener;
        // Node 20 fills the name up with NULs, and to the system those are part of it.
        expect((address as UNIXAddress).name?.replace(/@+$/, '')).to.equal(name);
        expect(await echoOnce(adopted, connect(name))).to.equal('hello');
        await closeListener(adopted);
      });

      it('takes what is no listening stream for what it is, and leaves it alone', async function () {
        if (process.platform !== 'linux') this.skip();
        const listener = new RecordingListenListener();
        const adopt = (descriptor: number): string =>
          codeOf(() => adoption.adoptListener(descriptor, BACKLOG, listener));
        const connected = await source.connected();
        expect(adopt(connected)).to.equal('EINVAL');
        const connectedUNIX = await source.connected({ path: join(folder, `connected ${reading}`) });
        expect(adopt(connectedUNIX)).to.equal('EINVAL');
        const file = openSync(import.meta.filename, 'r');
        expect(adopt(file)).to.equal('ENOTSOCK');
        const [datagrams, closeDatagrams] = await udpDescriptor();
        expect(adopt(datagrams)).to.equal('EPROTOTYPE');
        const all = [connected, connectedUNIX, file, datagrams];
        expect(all.filter(isOpen)).to.deep.equal(all);
        for (const descriptor of [connected, connectedUNIX, file]) closeSync(descriptor);
        closeDatagrams();
        expect(adopt(file)).to.equal('EBADF');
        await settle();
        expect(listener.events).to.deep.equal([]);
      });

      it('refuses what it has adopted already, and takes the number again when it has been closed', async () => {
        const descriptor = await source.listening();
        const adopted = await adoptListener(descriptor);
        expect(codeOf(() => adoption.adoptListener(descriptor, BACKLOG, adopted.listener))).to.equal('EEXIST');
        expect(codeOf(() => adoption.adoptStream(descriptor))).to.equal('EEXIST');
        await closeListener(adopted);
        expect(codeOf(() => adoption.adoptListener(descriptor, BACKLOG, adopted.listener))).to.equal('EBADF');
      });

      it('is told by libuv of a socket that another reactor of the process listens on', async () => {
        const descriptor = await source.listening();
        const adopted = await adoptListener(descriptor);
        const other = new NodePlatform({ reading }).adoption!;
        const listener = new RecordingListenListener();
        other.adoptListener(descriptor, BACKLOG, listener);
        await until(() => listener.events.length > 0);
        expect(listener.events).to.deep.equal(['listenFailed']);
        expect(listener.error?.code).to.equal('EEXIST');
        const { port } = adopted.listener.address as IPv4Address;
        expect(await echoOnce(adopted, connect(port, '127.0.0.1'))).to.equal('hello');
        await closeListener(adopted);
      });

      it('keeps connections that came before it was closed', async () => {
        const adopted = await adoptListener(await source.listening());
        const { port } = adopted.listener.address as IPv4Address;
        const peer = connect(port, '127.0.0.1');
        await until(() => adopted.listener.handles.length > 0);
        await closeListener(adopted);
        expect(await echoOnce(adopted, peer)).to.equal('hello');
      });
    });

    describe('of connections', () => {
      async function open(descriptor: number) {
        const handle = adoption.adoptStream(descriptor);
        await settle(); // silent until it is opened
        const listener = new RecordingListener();
        handle.open(listener);
        handle.resumeReading();
        return { handle, listener };
      }

      it('moves bytes both ways, and closes the descriptor with the connection', async () => {
        const descriptor = await source.connected();
        const { handle, listener } = await open(descriptor);
        expect(handle.localAddress).to.be.instanceOf(IPv4Address);
        expect(handle.remoteAddress).to.be.instanceOf(IPv4Address);
        expect((handle.remoteAddress as IPv4Address).port).to.be.greaterThan(0);
        handle.write([Buffer.from('hello')]);
        await until(() => listener.text === 'hello');
        handle.setNoDelay!(false);
        handle.reset();
        expect(isOpen(descriptor)).to.equal(false);
      });

      it('moves bytes over a UNIX socket', async () => {
        const path = join(folder, `stream ${reading}`);
        const { handle, listener } = await open(await source.connected({ path }));
        const named = process.platform === 'linux' ? new UNIXAddress(path) : new UNIXAddress(undefined);
        expect(String(handle.localAddress)).to.equal(String(named));
        expect(String(handle.remoteAddress)).to.equal(String(new UNIXAddress(undefined)));
        expect(handle.setNoDelay).to.equal(undefined);
        handle.write([Buffer.from('hello')]);
        await until(() => listener.text === 'hello');
        handle.close();
      });

      it('tells of an end, and of a reset, that came before it was opened', async () => {
        const ended = await source.connected();
        await source.farEnd('end');
        const { handle, listener } = await open(ended);
        await until(() => listener.events.length > 0);
        expect(listener.events).to.deep.equal(['end']);
        handle.close();
        const handleOfReset = adoption.adoptStream(await source.connected());
        await source.farEnd('reset');
        await settle();
        const listenerOfReset = new RecordingListener();
        handleOfReset.open(listenerOfReset);
        handleOfReset.resumeReading();
        await until(() => listenerOfReset.events.length > 0);
        expect(listenerOfReset.events).to.deep.equal(['failed']);
        expect(listenerOfReset.error?.code).to.equal('ECONNRESET');
      });

      it('refuses what it has adopted already, also while nobody reads it', async () => {
        const descriptor = await source.connected();
        const handle = adoption.adoptStream(descriptor);
        expect(codeOf(() => adoption.adoptStream(descriptor))).to.equal('EEXIST');
        handle.reset();
        expect(isOpen(descriptor)).to.equal(false);
        await settle();
        expect(codeOf(() => adoption.adoptStream(descriptor))).to.equal('EBADF');
      });

      it('takes what is no connected stream for what it is, and leaves it alone', async function () {
        if (process.platform !== 'linux') this.skip();
        const adopt = (descriptor: number): string => codeOf(() => adoption.adoptStream(descriptor));
        const listening = await source.listening();
        expect(adopt(listening)).to.equal('EINVAL');
        const listeningUNIX = await source.listening({ path: join(folder, `listening ${reading}`) });
        expect(adopt(listeningUNIX)).to.equal('EINVAL');
        const file = openSync(import.meta.filename, 'r');
        expect(adopt(file)).to.equal('ENOTSOCK');
        const [datagrams, closeDatagrams] = await udpDescriptor();
        expect(adopt(datagrams)).to.equal('EPROTOTYPE');
        const all = [listening, listeningUNIX, file, datagrams];
        expect(all.filter(isOpen)).to.deep.equal(all);
        for (const descriptor of [listening, listeningUNIX, file]) closeSync(descriptor);
        closeDatagrams();
        expect(adopt(file)).to.equal('EBADF');
      });
    });
  });
}

/** The descriptor of a UDP socket, found by looking before and after. */
async function udpDescriptor(): Promise<readonly [descriptor: number, close: () => void]> {
  const open = (): number[] => readdirSync('/proc/self/fd').map(Number).filter(isOpen);
  const before = open();
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const [descriptor] = open().filter((candidate) => !before.includes(candidate));
  return [descriptor!, () => socket.close()];
}
