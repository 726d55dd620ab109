/** What a port for datagrams makes of reports that the platforms here do not give by themselves. */
import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import {
  type DatagramHandle,
  type DatagramListener,
  type Failure,
  IPv4Address,
  MessageLengthError,
  Reactor,
  type SystemError,
} from 'ropewalk/core';
import { World } from 'ropewalk/simulation';
import { RecordingDatagramProtocol } from '../conformance/support/recording-datagram-protocol.ts';

const ADDRESS = new IPv4Address('UDP', '127.0.0.1', 5000);

/** A socket that keeps what it is asked, and reports what the test has it report. */
class Socket implements DatagramHandle {
  readonly calls: string[] = [];
  listener: DatagramListener | undefined;
  /** What the setters throw. */
  error: SystemError | undefined;

  bind(listener: DatagramListener): this {
    this.listener = listener;
    return this;
  }
  send(data: Uint8Array): void {
    this.calls.push(`send ${Buffer.from(data).toString()}`);
  }
  connect(): void {
    this.calls.push('connect');
  }
  setBroadcast(): void {
    this.#set('setBroadcast');
  }
  setMulticastTTL(hops: number): void {
    this.#set('setMulticastTTL');
    if (hops > 100) throw systemError('EINVAL');
  }
  setMulticastLoopback(): void {
    this.#set('setMulticastLoopback');
  }
  setMulticastInterface(): void {
    this.#set('setMulticastInterface');
  }
  joinGroup(): void {
    this.#set('joinGroup');
  }
  leaveGroup(): void {
    this.#set('leaveGroup');
  }
  close(): void {
    this.calls.push('close');
  }

  #set(name: string): void {
    this.calls.push(name);
    if (this.error !== undefined) throw this.error;
  }
}

function systemError(code: string): SystemError {
  return Object.assign(new Error(`send ${code}`), { code });
}

function setUp({ running = true, backlog = 256 } = {}) {
  const world = new World();
  const { name, clock, streams, resolver, random } = world.addHost('one');
  const socket = new Socket();
  const errors: Failure[] = [];
  const messages: string[] = [];
  const datagrams = { bind: (_target: unknown, listener: DatagramListener) => socket.bind(listener) };
  const reactor = new Reactor(
    { name, clock, streams, resolver, random, datagrams },
    {
      errorReporter: (failure, message) => {
        errors.push(failure);
        messages.push(message);
      },
    },
  );
  if (running) void reactor.run();
  world.advance(0);
  const protocol = new RecordingDatagramProtocol();
  const port = reactor.listenUDP(5000, protocol, { backlog });
  const listener = socket.listener;
  if (listener === undefined) throw new Error('it does not bind inside the call');
  return { world, reactor, socket, listener, errors, messages, protocol, port };
}

describe('A port for datagrams', () => {
  it('reports what could not be sent, once for each code, until it is bound anew', () => {
    const { listener, errors, messages, port, world } = setUp();
    listener.bound(ADDRESS);
    for (const code of ['ENETUNREACH', 'ENETUNREACH', 'EMSGSIZE', 'ENETUNREACH', 'EMSGSIZE']) {
      listener.sendFailed(systemError(code));
    }
    expect(errors.map(({ value }) => value.message)).to.deep.equal(['send ENETUNREACH', 'send EMSGSIZE']);
    expect(errors[1]?.value).to.be.instanceOf(MessageLengthError).and.have.nested.property('cause.code', 'EMSGSIZE');
    expect(messages[0]).to.equal(
      'The UDP port 5000 of 127.0.0.1 could not send a datagram; further failures with ENETUNREACH are not reported',
    );
    port.stopListening();
    listener.closed();
    world.advance(0);
    port.startListening();
    listener.bound(ADDRESS);
    listener.sendFailed(systemError('EMSGSIZE'));
    expect(errors).to.have.length(3);
  });

  it('takes a refusal for one only when it has a peer, by either code', () => {
    const { listener, errors, protocol, port } = setUp();
    listener.bound(ADDRESS);
    listener.sendFailed(systemError('ECONNREFUSED'));
    expect(protocol.calls).to.deep.equal(['startProtocol']);
    port.connect('127.0.0.1', 9);
    listener.sendFailed(systemError('ECONNREFUSED'));
    listener.sendFailed(systemError('ECONNRESET'));
    expect(protocol.calls).to.deep.equal(['startProtocol', 'connectionRefused', 'connectionRefused']);
    expect(errors).to.deep.equal([]);
  });

  it('holds refusals with datagrams while the reactor does not run, as many as the backlog', () => {
    const { listener, protocol, port, reactor, world } = setUp({ running: false, backlog: 2 });
    listener.bound(ADDRESS);
    port.connect('127.0.0.1', 9);
    listener.sendFailed(systemError('ECONNREFUSED'));
    listener.datagramReceived(Buffer.from('one'), ADDRESS);
    listener.sendFailed(systemError('ECONNREFUSED'));
    listener.datagramReceived(Buffer.from('two'), ADDRESS);
    void reactor.run();
    world.advance(0);
    expect(protocol.calls).to.deep.equal(['startProtocol', 'connectionRefused', 'datagramReceived']);
    expect(protocol.texts).to.deep.equal(['one']);
  });

  it('passes on what a setter throws, and remembers nothing then', () => {
    const { listener, port, socket } = setUp();
    listener.bound(ADDRESS);
    socket.error = systemError('EPERM');
    expect(() => port.setBroadcastAllowed(true)).to.throw('EPERM');
    expect(() => port.setTTL(4)).to.throw('EPERM');
    expect(() => port.setLoopbackMode(false)).to.throw('EPERM');
    expect([port.getBroadcastAllowed(), port.getTTL(), port.getLoopbackMode()]).to.deep.equal([false, 1, true]);
  });

  it('reports what a call throws that was made before it was bound, and goes on with the others', () => {
    const { listener, port, socket, errors, messages } = setUp();
    socket.error = systemError('EPERM');
    port.setBroadcastAllowed(true);
    port.write('after it', { host: '127.0.0.1', port: 9 });
    expect(socket.calls).to.deep.equal([]);
    listener.bound(ADDRESS);
    expect(socket.calls).to.deep.equal(['setBroadcast', 'send after it']);
    expect(errors.map(({ value }) => value)).to.deep.equal([socket.error]);
    expect(messages).to.deep.equal(['An error in a call made before a port was bound']);
  });

  it('remembers of the options that were set before it was bound the last one that the socket has taken', () => {
    const { listener, port } = setUp();
    port.setTTL(101);
    port.setTTL(7);
    expect(port.getTTL()).to.equal(7);
    listener.bound(ADDRESS);
    expect(port.getTTL()).to.equal(7);

    const other = setUp();
    other.port.setTTL(7);
    other.port.setTTL(101);
    other.listener.bound(ADDRESS);
    expect(other.port.getTTL()).to.equal(7);
  });

  it('may be stopped by the callback of a call that waited, and then is never started', () => {
    const { listener, port, protocol, socket, world } = setUp();
    port.joinGroup('239.1.2.3').addCallback(() => void port.stopListening());
    port.write('dropped', { host: '127.0.0.1', port: 9 });
    let listening: unknown;
    port.whenListening().addBoth((result) => void (listening = result));
    listener.bound(ADDRESS);
    listener.closed();
    world.advance(0);
    expect(socket.calls).to.deep.equal(['joinGroup', 'close']);
    expect(protocol.calls).to.deep.equal([]);
    expect(String(listening)).to.contain('stopListening was called');
  });

  it('may be told to bind again by those who hear that it could not', () => {
    const { listener, port, protocol, socket, errors } = setUp();
    const log: string[] = [];
    port.joinGroup('239.1.2.3').addErrback(() => {
      port.startListening();
      port.whenListening().addCallback(() => void log.push('bound after all'));
    });
    port.whenListening().addErrback(() => void log.push('not bound'));
    listener.bindFailed(systemError('EADDRINUSE'));
    expect(log).to.deep.equal(['not bound']);
    socket.listener?.bound(ADDRESS);
    expect(log).to.deep.equal(['not bound', 'bound after all']);
    expect(protocol.calls).to.deep.equal(['startProtocol']);
    expect(errors).to.deep.equal([]);
  });
});
