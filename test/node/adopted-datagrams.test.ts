/** `adoptDatagramPort`, and what the platform does for it, on real sockets. */
import type { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { expect } from 'chai';
import sinon from 'sinon';
import {
  AdoptionError,
  CannotListenError,
  ConnectInProgressError,
  DatagramProtocol,
  type Failure,
  type IPv4Address,
  IPv6Address,
  NotListeningError,
  Reactor,
  type UDPPort,
  UnsupportedError,
} from 'ropewalk/core';
import { failureResultOf, TestReactor } from 'ropewalk/testing';
import { askChildForDatagrams } from '../../src/node/datagram-probe.ts';
import { describeSocket } from '../../src/node/descriptor.ts';
import { NodePlatform } from '../../src/node/node-platform.ts';
import { BuiltPackage } from '../support/built-package.ts';
import { PYTHON } from '../support/python.ts';
import { settle, until } from './harness.ts';
import { DescriptorSource, isOpen } from './support/descriptor-source.ts';

/** Sends back what it gets. */
class Echo extends DatagramProtocol {
  readonly calls: string[] = [];

  override startProtocol(): void {
    this.calls.push('startProtocol');
  }
  override datagramReceived(data: Buffer, from: IPv4Address | IPv6Address): void {
    this.calls.push(data.toString());
    this.transport.write(data, from);
  }
  override stopProtocol(): void {
    this.calls.push('stopProtocol');
  }
}

describe('Adopted sockets for datagrams', function () {
  let source: DescriptorSource;
  let reactor: Reactor;
  let errors: Failure[];
  let running: Promise<void> | undefined;

  before(function () {
    // Windows has no descriptors of sockets.
    if (process.platform === 'win32') this.skip();
    source = DescriptorSource.start();
  });

  after(() => source.stop());

  beforeEach(() => {
    errors = [];
    running = undefined;
    reactor = new Reactor(new NodePlatform(), { errorReporter: (failure) => errors.push(failure) });
  });

  afterEach(async () => {
    if (running === undefined) run();
    await reactor[Symbol.asyncDispose]();
    expect(reactor.inspect().ports).to.deep.equal([]);
    expect(errors.map(String)).to.deep.equal([]);
  });

  function run(): void {
    running = reactor.run({ installSignalHandlers: false });
  }

  /** What comes back. */
  async function exchange(port: UDPPort, text: string, host = port.getHost().host): Promise<string> {
    const peer = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    try {
      peer.send(text, port.getHost().port, host);
      const [answer] = (await once(peer, 'message')) as [Buffer];
      return answer.toString();
    } finally {
      peer.close();
    }
  }

  function codeOf(descriptor: number, protocol = new Echo()): unknown {
    try {
      reactor.adoptDatagramPort(descriptor, protocol);
    } catch (error) {
      if (!(error instanceof AdoptionError)) throw error;
      expect(error.descriptor).to.equal(descriptor);
      return error.cause instanceof Error && 'code' in error.cause ? error.cause.code : undefined;
    }
    throw new Error('nothing was thrown');
  }

  it('are served where they are bound, and closed with the port, which cannot listen again', async () => {
    const descriptor = await source.datagrams();
    const protocol = new Echo();
    const port = reactor.adoptDatagramPort(descriptor, protocol);
    expect(() => port.getHost()).to.throw(NotListeningError, 'Not bound: UDP port');
    expect(await port.whenListening()).to.equal(port);
    expect(String(port.getHost())).to.match(/^IPv4Address\(type='UDP', host='127\.0\.0\.1', port=[1-9]\d*\)$/);
    run();
    expect(await exchange(port, 'hello')).to.equal('hello');
    expect(isOpen(descriptor)).to.equal(true);
    await port.stopListening();
    expect(isOpen(descriptor)).to.equal(false);
    expect(protocol.calls).to.deep.equal(['startProtocol', 'hello', 'stopProtocol']);
    expect(() => port.startListening()).to.throw(CannotListenError, `descriptor ${descriptor} was closed when`);
    expect(failureResultOf(port.whenListening()).value).to.be.instanceOf(CannotListenError);
    expect(codeOf(descriptor, protocol)).to.equal('EBADF');
  });

  it('are served on IPv6', async () => {
    const port = reactor.adoptDatagramPort(await source.datagrams('::1'), new Echo());
    await port.whenListening();
    expect(port.getHost()).to.be.instanceOf(IPv6Address).with.property('host', '::1');
    run();
    expect(await exchange(port, 'hello')).to.equal('hello');
    expect(() => port.write('x', { host: '127.0.0.1', port: 9 })).to.throw('IPv6 addresses only');
  });

  it('answer both families at ::', async () => {
    run();
    const port = reactor.adoptDatagramPort(await source.datagrams('::'), new Echo());
    await port.whenListening();
    expect(await exchange(port, 'over IPv6', '::1')).to.equal('over IPv6');
    expect(await exchange(port, 'over IPv4', '127.0.0.1')).to.equal('over IPv4');
  });

  it('hold what arrives before the reactor runs, as many as backlog, and cut off what is too long', async () => {
    const protocol = new Echo();
    const port = reactor.adoptDatagramPort(await source.datagrams(), protocol, { backlog: 2, maxPacketSize: 3 });
    await port.whenListening();
    const peer = createSocket('udp4');
    for (const text of ['one', 'two two', 'too many']) {
      await new Promise((resolve) => peer.send(text, port.getHost().port, '127.0.0.1', resolve));
    }
    await settle();
    peer.close();
    expect(protocol.calls).to.deep.equal([]);
    run();
    await until(() => protocol.calls.length === 3);
    await settle();
    expect(protocol.calls).to.deep.equal(['startProtocol', 'one', 'two']);
  });

  it('are closed with the reactor', async () => {
    run();
    const descriptor = await source.datagrams();
    await reactor.adoptDatagramPort(descriptor, new Echo()).whenListening();
    reactor.stop();
    await running;
    expect(isOpen(descriptor)).to.equal(false);
  });

  it('are told from what is none, which is left as it was', async function () {
    if (process.platform !== 'linux') this.skip();
    const [listening, connected] = [await source.listening(), await source.connected()];
    const file = openSync(import.meta.filename, 'r');
    const withPeer = await source.datagrams('127.0.0.1', true);
    expect(codeOf(listening)).to.equal('EPROTOTYPE');
    expect(codeOf(connected)).to.equal('EPROTOTYPE');
    expect(codeOf(file)).to.equal('ENOTSOCK');
    expect(codeOf(withPeer)).to.equal('EINVAL');
    const all = [listening, connected, file, withPeer];
    expect(all.filter(isOpen)).to.deep.equal(all);
    for (const descriptor of all) closeSync(descriptor);
    expect(codeOf(file)).to.equal('EBADF');
    expect(reactor.inspect().ports).to.deep.equal([]);
  });

  it('are adopted once, and their protocols serve one port', async () => {
    run();
    const [descriptor, another] = [await source.datagrams(), await source.datagrams()];
    const protocol = new Echo();
    const port = reactor.adoptDatagramPort(descriptor, protocol);
    expect(codeOf(descriptor)).to.equal('EEXIST');
    expect(() => reactor.adoptDatagramPort(another, protocol)).to.throw(ConnectInProgressError);
    await port.whenListening();
    expect(codeOf(descriptor)).to.equal('EEXIST');
    expect(await exchange(port, 'hello')).to.equal('hello');
    await port.stopListening();
    // The protocol is free again, and the other descriptor was left alone.
    const second = reactor.adoptDatagramPort(another, protocol);
    await second.whenListening();
    expect(await exchange(second, 'again')).to.equal('again');
  });

  it('are looked at once, for that may take a child process', async () => {
    const platform = new NodePlatform();
    const look = sinon.spy(platform.adoption!, 'findDatagrams');
    const looking = new Reactor(platform);
    const port = looking.adoptDatagramPort(await source.datagrams(), new Echo());
    await port.whenListening();
    await port.stopListening();
    expect(() => port.startListening()).to.throw(CannotListenError);
    expect(look.callCount).to.equal(1);
  });

  it('fail where another reactor of the process has them, which goes on', async () => {
    run();
    const descriptor = await source.datagrams();
    const port = reactor.adoptDatagramPort(descriptor, new Echo());
    await port.whenListening();
    const other = new Reactor(new NodePlatform(), { errorReporter: (failure) => errors.push(failure) });
    const outcome = await other
      .adoptDatagramPort(descriptor, new Echo())
      .whenListening()
      .addErrback(({ value }) => value);
    expect(outcome).to.be.instanceOf(CannotListenError);
    expect((outcome as CannotListenError).socketError).to.have.property('code', 'EEXIST');
    expect(await exchange(port, 'hello')).to.equal('hello');
  });

  it('refuse arguments that cannot be right', () => {
    const protocol = new Echo();
    expect(() => reactor.adoptDatagramPort(-1, protocol)).to.throw(RangeError, 'descriptor');
    expect(() => reactor.adoptDatagramPort(3, protocol, { backlog: 0 })).to.throw(RangeError, 'backlog');
    expect(() => reactor.adoptDatagramPort(3, protocol, { maxPacketSize: 0 })).to.throw(RangeError, 'maxPacketSize');
    // @ts-expect-error: what a program in JavaScript may do
    expect(() => reactor.adoptDatagramPort(3, {})).to.throw(TypeError, 'protocol');
    // @ts-expect-error: likewise
    expect(() => reactor.adoptDatagramPort(3, protocol, { interface: '::' })).to.throw(TypeError, 'interface');
  });

  it('are not there on a virtual network', () => {
    const virtual = new TestReactor();
    expect(() => virtual.adoptDatagramPort(3, new Echo())).to.throw(UnsupportedError, 'simulation');
    virtual.assertClean();
  });

  describe('whose address is looked up', () => {
    for (const host of ['127.0.0.1', '0.0.0.0', '::1', '::', '::ffff:127.0.0.1']) {
      it(`is found in the tables of the system and by a child alike, at ${host}`, async function () {
        if (process.platform !== 'linux') this.skip();
        const descriptor = await source.datagrams(host);
        const answer = askChildForDatagrams(descriptor);
        expect(answer.family).to.equal(host.includes(':') ? 'IPv6' : 'IPv4');
        expect(answer.address.host).to.equal(host.replace('::ffff:', ''));
        expect(describeSocket(descriptor)).to.deep.equal({ kind: 'udp', state: 'bound', socket: answer });
        expect(isOpen(descriptor)).to.equal(true);
        closeSync(descriptor);
      });
    }

    it('is served at a mapped address, as IPv4', async () => {
      run();
      const port = reactor.adoptDatagramPort(await source.datagrams('::ffff:127.0.0.1'), new Echo());
      await port.whenListening();
      expect(await exchange(port, 'hello')).to.equal('hello');
    });

    it('is not that of a stream, for the child either', async () => {
      const descriptor = await source.listening();
      expect(() => askChildForDatagrams(descriptor))
        .to.throw('it is no UDP socket')
        .with.property('code', 'EPROTOTYPE');
      closeSync(descriptor);
    });

    it('is missing from one that is not bound, and descriptor 0 is never taken', function () {
      this.timeout(20_000); // two programs, one after the other
      const python = spawnSync(
        PYTHON,
        ['-c', PASSES_SOCKETS, process.execPath, ...BuiltPackage.args(ADOPTS_INHERITED)],
        {
          encoding: 'utf8',
          cwd: BuiltPackage.shared.folder,
        },
      );
      if (python.error !== undefined) {
        if (this.test) this.test.title += ' (skipped: there is no python3)';
        this.skip();
      }
      expect(python.stdout.trim().split('\n'), python.stderr).to.deep.equal(['0 ENOTSUP true', '3 EINVAL true']);
    });
  });
});

/** Opens a bound socket as descriptor 0 and one that is not bound as 3, and becomes the program. */
const PASSES_SOCKETS = `
import os, socket, sys
bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
bound.bind(('127.0.0.1', 0))
unbound = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
first = os.dup(unbound.fileno())
os.dup2(bound.fileno(), 0)
os.dup2(first, 3)
os.set_inheritable(3, True)
node = sys.argv[1]
os.execv(node, [node, *sys.argv[2:]])
`;

const ADOPTS_INHERITED = `
  import { fstatSync } from 'node:fs';
  import { createReactor, DatagramProtocol } from 'ropewalk';
  for (const descriptor of [0, 3]) {
    try {
      createReactor().adoptDatagramPort(descriptor, new DatagramProtocol());
    } catch (error) {
      console.log(descriptor, error.cause.code, fstatSync(descriptor).isSocket());
    }
  }
`;
