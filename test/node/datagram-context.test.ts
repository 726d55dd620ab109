import { AsyncLocalStorage } from 'node:async_hooks';
import { expect } from 'chai';
import { createReactor, DatagramProtocol, UnsupportedError } from 'ropewalk';
import { Reactor } from 'ropewalk/core';
import { NodePlatform } from '../../src/node/node-platform.ts';

const storage = new AsyncLocalStorage<string>();

class Teller extends DatagramProtocol {
  readonly log: string[];

  constructor(log: string[]) {
    super();
    this.log = log;
  }

  override startProtocol(): void {
    this.log.push(`start: ${storage.getStore()}`);
    this.transport.write('to myself', this.transport.getHost());
    storage.enterWith('entered by a hook');
  }

  override datagramReceived(): void {
    this.log.push(`datagram: ${storage.getStore()}`);
    this.transport.stopListening();
  }

  override stopProtocol(): void {
    this.log.push(`stop: ${storage.getStore()}`);
  }
}

describe('listenUDP', () => {
  it('runs the hooks in its own context with captureContext, whatever they enter', async () => {
    const log: string[] = [];
    const reactor = createReactor({ captureContext: true });
    const protocol = new Teller(log);
    const port = storage.run('of the call', () => reactor.listenUDP(0, protocol, { interface: '127.0.0.1' }));
    expect(() => reactor.listenUDP(0, protocol)).to.throw('serves a port already');
    port.whenListening().addCallback(() => expect(protocol.transport).to.equal(port));
    reactor.callLater(0, function poll() {
      if (log.length === 3) reactor.stop();
      else reactor.callLater(0.001, poll);
    });
    await storage.run('of the run', () => reactor.run({ installSignalHandlers: false }));
    expect(log).to.deep.equal(['start: of the call', 'datagram: of the call', 'stop: of the call']);
  });

  it('throws UnsupportedError on a platform that has no datagrams', () => {
    const { name, clock, streams, resolver, random } = new NodePlatform();
    const reactor = new Reactor({ name, clock, streams, resolver, random });
    expect(() => reactor.listenUDP(0, new DatagramProtocol())).to.throw(UnsupportedError, 'node has no datagrams');
    expect(reactor.inspect().ports).to.deep.equal([]);
  });

  it('is among what a reactor that never ran is warned about', async () => {
    const platform = new NodePlatform();
    let describe: (() => string | undefined) | undefined;
    const liveness = {
      keepAlive: () => undefined,
      warnBeforeExit: (fn: typeof describe) => void (describe = fn),
    };
    const { name, clock, streams, resolver, random, datagrams } = platform;
    const reactor = new Reactor({ name, clock, streams, resolver, random, datagrams, liveness });
    const port = reactor.listenUDP(0, new DatagramProtocol(), { interface: '127.0.0.1' });
    const warning = describe?.();
    await port.stopListening();
    expect(warning).to.match(/A reactor never ran: .*\n {2}UDP port 0 of 127\.0\.0\.1 \(binding\)$/s);
  });
});
