import { createSocket, Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { expect } from 'chai';
import sinon from 'sinon';
import {
  type DatagramHandle,
  type DatagramListener,
  DatagramProtocol,
  IPv4Address,
  IPv6Address,
  Reactor,
  type SystemError,
} from 'ropewalk/core';
import { interfaceAddress } from '../../src/node/interface-address.ts';
import { DEFAULT_UNSENT_BYTES_MAX } from '../../src/node/node-datagram-handle.ts';
import { NodeDatagrams } from '../../src/node/node-datagrams.ts';
import { NodePlatform } from '../../src/node/node-platform.ts';
import { runChild, settle, until } from './harness.ts';

class Recording implements DatagramListener {
  readonly events: string[] = [];
  readonly received: { readonly text: string; readonly from: IPv4Address | IPv6Address }[] = [];
  address: IPv4Address | IPv6Address | undefined;

  bound(address: IPv4Address | IPv6Address): void {
    this.address = address;
    this.events.push('bound');
  }
  bindFailed(error: SystemError): void {
    this.events.push(`bindFailed ${error.code}`);
  }
  datagramReceived(data: Buffer, from: IPv4Address | IPv6Address): void {
    this.received.push({ text: data.toString(), from });
  }
  sendFailed(error: SystemError): void {
    this.events.push(`sendFailed ${error.code}`);
  }
  closed(): void {
    this.events.push('closed');
  }
}

interface Opened {
  readonly handle: DatagramHandle;
  readonly listener: Recording;
  readonly address: IPv4Address | IPv6Address;
}

describe('NodeDatagrams', () => {
  const datagrams = new NodeDatagrams();
  let handles: DatagramHandle[];

  beforeEach(() => {
    handles = [];
  });

  afterEach(() => {
    sinon.restore();
    for (const handle of handles) handle.close();
  });

  function bind(host: string, port = 0): { readonly handle: DatagramHandle; readonly listener: Recording } {
    const listener = new Recording();
    const handle = datagrams.bind({ host, port, shared: false }, listener);
    handles.push(handle);
    return { handle, listener };
  }

  async function open(host = '127.0.0.1'): Promise<Opened> {
    const { handle, listener } = bind(host);
    await until(() => listener.events.length > 0);
    if (listener.address === undefined) throw new Error(`could not bind: ${listener.events.join()}`);
    return { handle, listener, address: listener.address };
  }

  it('reports nothing from inside a call', async () => {
    const { handle, listener } = bind('127.0.0.1');
    expect(listener.events).to.deep.equal([]);
    await until(() => listener.events.length > 0);
    handle.send(Buffer.alloc(65_508), new IPv4Address('UDP', '127.0.0.1', 9));
    handle.send(Buffer.from('no address, and not connected'));
    expect(listener.events).to.deep.equal(['bound']);
    await until(() => listener.events.length > 2);
    expect(listener.events.slice(1)).to.have.members(['sendFailed EMSGSIZE', 'sendFailed ENOTCONN']);
    handle.close();
    expect(listener.events).to.have.length(3);
    await until(() => listener.events.length > 3);
    expect(listener.events[3]).to.equal('closed');
  });

  it('reports a failed bind and nothing else, and closed alone if it was closed before', async () => {
    const { address } = await open();
    const taken = bind('127.0.0.1', address.port);
    expect(taken.listener.events).to.deep.equal([]);
    const closed = [bind('127.0.0.1', address.port), bind('127.0.0.1')];
    for (const { handle } of closed) handle.close();
    await until(() => taken.listener.events.length > 0);
    taken.handle.close();
    await until(() => closed.every(({ listener }) => listener.events.length > 0));
    await settle();
    expect(taken.listener.events).to.deep.equal(['bindFailed EADDRINUSE']);
    expect(closed.map(({ listener }) => listener.events)).to.deep.equal([['closed'], ['closed']]);
  });

  it('reports that a peer could not be had, and sends nothing then', async () => {
    const { handle, listener } = await open();
    // Linux lets nobody connect to the broadcast address who may not broadcast.
    handle.connect(new IPv4Address('UDP', '255.255.255.255', 9));
    await until(() => listener.events.length > 1);
    expect(listener.events[1]).to.match(/^sendFailed E(ACCES|ADDRNOTAVAIL|NETUNREACH)$/);
    handle.send(Buffer.from('x'));
    await until(() => listener.events.length > 2);
    expect(listener.events[2]).to.equal('sendFailed ENOTCONN');
  });

  it('sends what was given to it before close', async () => {
    const [one, other] = [await open(), await open()];
    for (const text of ['one', 'two']) one.handle.send(Buffer.from(text), other.address);
    one.handle.close();
    one.handle.close();
    await until(() => other.listener.received.length === 2);
    expect(one.listener.events).to.deep.equal(['bound', 'closed']);
  });

  it('closes only when what waits for room has left', async () => {
    const { handle, listener, address } = await open();
    const waiting = sinon.stub(Socket.prototype, 'getSendQueueCount').returns(0);
    waiting.onFirstCall().returns(1);
    const close = sinon.spy(Socket.prototype, 'close');
    handle.send(Buffer.from('waits'), address);
    handle.close();
    expect(close.callCount).to.equal(0);
    await until(() => listener.events.includes('closed'));
    expect(close.callCount).to.equal(1);
    expect(listener.received).to.deep.equal([]);
  });

  it('drops what does not fit with the rest that waits for room, and says so', async () => {
    const { handle, listener, address } = await open();
    const size = sinon.stub(Socket.prototype, 'getSendQueueSize').returns(DEFAULT_UNSENT_BYTES_MAX + 1);
    handle.send(Buffer.from('too much'), address);
    size.returns(DEFAULT_UNSENT_BYTES_MAX);
    handle.send(Buffer.from('fits'), address);
    await until(() => listener.received.length > 0);
    expect(listener.received.map(({ text }) => text)).to.deep.equal(['fits']);
    expect(listener.events).to.deep.equal(['bound', 'sendFailed ENOBUFS']);
  });

  it('keeps no more waiting than writeBufferLimit of listenUDP says', async () => {
    const logged: unknown[] = [];
    const reactor = new Reactor(new NodePlatform(), { errorReporter: ({ value }) => void logged.push(value) });
    const run = reactor.run({ installSignalHandlers: false });
    const protocol = new DatagramProtocol();
    const options = { interface: '127.0.0.1', writeBufferLimit: 1000 };
    const port = await reactor.listenUDP(0, protocol, options).whenListening();
    const size = sinon.stub(Socket.prototype, 'getSendQueueSize').returns(1000);
    const send = sinon.spy(Socket.prototype, 'send');
    port.write('fits', port.getHost());
    expect(send.callCount).to.equal(1);
    size.returns(1001);
    port.write('too much', port.getHost());
    expect(send.callCount).to.equal(1);
    await until(() => logged.length > 0);
    expect(logged).to.have.length(1).and.property('0').include({ code: 'ENOBUFS' });
    expect(() => reactor.listenUDP(0, new DatagramProtocol(), { writeBufferLimit: -1 })).to.throw(
      RangeError,
      'writeBufferLimit',
    );
    reactor.stop();
    await run;
  });

  it('keeps the scope of an address of the link, so that it can be answered', async function () {
    const [name, address] =
      Object.entries(networkInterfaces())
        .map(([key, addresses = []]) => [key, addresses.find((one) => /^fe80:/i.test(one.address))?.address] as const)
        .find(([, found]) => found !== undefined) ?? [];
    if (name === undefined || process.platform === 'win32') {
      if (this.test) this.test.title += ' (skipped: no interface has such an address)';
      this.skip();
    }
    const scoped = `${String(address)}%${name}`;
    const [one, other] = [await open(scoped), await open('::')];
    expect(one.address.host).to.equal(scoped);
    one.handle.send(Buffer.from('hello'), new IPv6Address('UDP', scoped, other.address.port));
    await until(() => other.listener.received.length > 0);
    const from = other.listener.received[0]?.from;
    expect(from?.host).to.equal(scoped);
    other.handle.send(Buffer.from('hello yourself'), from);
    await until(() => one.listener.received.length > 0);
  });

  it('lets the process end while a socket is open', async () => {
    const { status, stdout } = await runChild(`
      platform.datagrams.bind({ host: '127.0.0.1', port: 0, shared: false }, { bound: () => console.log('bound') });
    `);
    expect({ status, stdout }).to.deep.equal({ status: 0, stdout: 'bound\n' });
  });

  it('binds a socket that may be shared with one that Node has bound so', async () => {
    const theirs = createSocket({ type: 'udp4', reuseAddr: true });
    await new Promise<void>((resolve) => theirs.bind(0, '127.0.0.1', resolve));
    const listener = new Recording();
    handles.push(datagrams.bind({ host: '127.0.0.1', port: theirs.address().port, shared: true }, listener));
    await until(() => listener.events.length > 0);
    expect(listener.events).to.deep.equal(['bound']);
    theirs.close();
  });
});

describe('interfaceAddress', () => {
  it('leaves alone what the multicast calls of Node understand', () => {
    for (const host of ['127.0.0.1', '0.0.0.0', '::', '::%eth0', 'fe80::1%eth0']) {
      expect(interfaceAddress(host)).to.equal(host);
    }
  });

  it('names the interface that has an IPv6 address, however it is spelled', function () {
    const [name] =
      Object.entries(networkInterfaces()).find(([, all = []]) => all.some((one) => one.address === '::1')) ?? [];
    if (name === undefined || process.platform === 'win32') {
      if (this.test) this.test.title += ' (skipped: there is no IPv6 loopback)';
      this.skip();
    }
    expect(interfaceAddress('::1')).to.equal(`::%${name}`);
    expect(interfaceAddress('0:0:0:0:0:0:0:1')).to.equal(`::%${name}`);
  });

  it('throws what the system would for one that is not of this host', () => {
    expect(() => interfaceAddress('2001:db8::77'))
      .to.throw('2001:db8::77')
      .with.property('code', 'EADDRNOTAVAIL');
  });
});
