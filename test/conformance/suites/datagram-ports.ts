/** Ports for datagrams: binding, starting, stopping, arguments. */
import { expect } from 'chai';
import {
  CannotListenError,
  ConnectInProgressError,
  DatagramProtocol,
  type DatagramReceiver,
  Echo,
  Factory,
  type ListenMulticastOptions,
  type ListenUDPOptions,
  NotListeningError,
  QueueOverflow,
} from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { hostAndPort } from '../harness/reactor-calls.ts';
import { listen, settled, skipUnless, startReactor, takeErrors } from '../support/connections.ts';
import { datagramRoundTrip, openPort } from '../support/datagrams.ts';
import { RecordingDatagramProtocol } from '../support/recording-datagram-protocol.ts';

const LOOPBACK = { interface: '127.0.0.1' };

async function errorOf(harness: Harness, outcome: PromiseLike<unknown>): Promise<unknown> {
  let result: { readonly error: unknown } | undefined;
  outcome.then(
    () => (result = { error: undefined }),
    (error: unknown) => (result = { error }),
  );
  await harness.until(() => result !== undefined, 'it has come to an end');
  return result?.error;
}

export function describeDatagramPorts(harness: () => Harness): void {
  describe('listenUDP', () => {
    describeBinding(harness);
    describeStarting(harness);
    describeProtocols(harness);
  });
  describe('stopListening of a port for datagrams', () => describeStopping(harness));
  describe('The arguments of listenUDP and listenMulticast', () => describeArguments(harness));
}

function describeBinding(harness: () => Harness): void {
  it('binds without run(), gives port 0 a real number, and never tells from inside the call', async () => {
    const reactor = harness().createReactor();
    const port = reactor.listenUDP(0, new RecordingDatagramProtocol(), LOOPBACK);
    expect(() => port.getHost()).to.throw(NotListeningError, 'binding');
    let isBound = false;
    port.whenListening().addCallback(() => (isBound = true));
    expect(isBound).to.equal(false);
    expect(await settled(harness(), port.whenListening(), 'the port is bound')).to.equal(port);
    expect(port.getHost()).to.include({ family: 'IPv4', type: 'UDP', host: '127.0.0.1' });
    expect(port.getHost().port).to.be.within(1, 65_535);
    expect(await settled(harness(), port.whenListening(), 'it was bound before')).to.equal(port);
  });

  it('binds all IPv4 addresses unless told otherwise, and those of IPv6 where asked to', async function () {
    skipUnless(this, harness(), 'ipv6');
    const { udpPort } = await openPort(harness(), {}, { interface: '' });
    expect(udpPort.getHost()).to.include({ family: 'IPv4', host: '0.0.0.0' });
    const other = await openPort(harness(), {}, { interface: '::1' });
    expect(other.udpPort.getHost()).to.include({ family: 'IPv6', host: '::1', type: 'UDP' });
  });

  it('fails with CannotListenError for a port that is taken, and may be told to bind again', async () => {
    const { port: taken, udpPort: first, reactor } = await openPort(harness());
    const protocol = new RecordingDatagramProtocol();
    const port = reactor.listenUDP(taken, protocol, LOOPBACK);
    const error = await errorOf(harness(), port.whenListening());
    expect(error).to.be.instanceOf(CannotListenError);
    expect(error).to.include({ interface: '127.0.0.1', port: taken });
    expect(error).to.have.nested.property('cause.code', 'EADDRINUSE');
    expect(await errorOf(harness(), port.whenListening())).to.equal(error);
    expect(protocol.calls).to.deep.equal([]);
    expect(reactor.inspect().ports).to.have.length(1);

    await settled(harness(), first.stopListening(), 'the first port is closed');
    port.startListening();
    await settled(harness(), port.whenListening(), 'the port is bound');
    expect(port.getHost().port).to.equal(taken);
  });

  it('reports a failure to bind that nobody has asked about', async () => {
    const { port: taken, reactor } = await openPort(harness());
    reactor.listenUDP(taken, new RecordingDatagramProtocol(), LOOPBACK);
    await harness().until(() => harness().errors.length > 0, 'the error has been reported');
    expect(takeErrors(harness())).to.have.length(1).and.property('0').instanceOf(CannotListenError);
  });

  it('shares no numbers with TCP', async () => {
    const reactor = startReactor(harness());
    const { destination } = await listen(harness(), reactor, Factory.forProtocol(Echo));
    const { port } = hostAndPort(destination);
    const { udpPort } = await openPort(harness(), {}, { reactor, port });
    expect(udpPort.getHost()).to.include({ type: 'UDP', port });
  });

  it('shares a number among those who all ask to, and with nobody else', async () => {
    const multiple = { listenMultiple: true };
    const { port, reactor } = await openPort(harness(), {}, multiple);
    await openPort(harness(), {}, { reactor, port, ...multiple });
    const other = reactor.listenMulticast(port, new RecordingDatagramProtocol(), LOOPBACK);
    expect(await errorOf(harness(), other.whenListening())).to.be.instanceOf(CannotListenError);
    const { port: alone } = await openPort(harness(), {}, { reactor });
    const late = reactor.listenMulticast(alone, new RecordingDatagramProtocol(), { ...LOOPBACK, ...multiple });
    expect(await errorOf(harness(), late.whenListening())).to.be.instanceOf(CannotListenError);
  });
}

function describeStarting(harness: () => Harness): void {
  it('starts the protocol when the port is bound and the reactor runs, before whenListening fires', async () => {
    const reactor = startReactor(harness());
    const log: string[] = [];
    const protocol = new RecordingDatagramProtocol({
      startProtocol: ({ transport }) => void log.push(`started at ${transport.getHost().host}`),
    });
    const port = reactor.listenUDP(0, protocol, LOOPBACK);
    expect(protocol.calls).to.deep.equal([]);
    expect(protocol).not.to.have.property('transport');
    await settled(
      harness(),
      port.whenListening().addCallback(() => void log.push('bound')),
      'the port is bound',
    );
    expect(log).to.deep.equal(['started at 127.0.0.1', 'bound']);
    expect(protocol.transport).to.equal(port);
    expect(protocol.numPorts).to.equal(1);
  });

  it('waits for run() before it starts the protocol, and holds what arrives', async () => {
    const reactor = harness().createReactor();
    const protocol = new RecordingDatagramProtocol();
    const port = reactor.listenUDP(0, protocol, { ...LOOPBACK, backlog: 3 });
    await settled(harness(), port.whenListening(), 'the port is bound');
    const peer = await harness().openDatagrams();
    for (const text of ['one', 'two', 'three', 'beyond the backlog']) peer.send(text, port.getHost().port);
    const echo = await harness().openDatagrams();
    // On a real network nothing tells when these have arrived but that later ones have.
    peer.send('done', echo.getHost().port);
    await harness().until(() => echo.received.length === 1, 'all has arrived');
    await harness().advance(0);
    expect(protocol.calls).to.deep.equal([]);

    void reactor.run({ installSignalHandlers: false });
    await harness().until(() => protocol.received.length === 3, 'what was held is delivered');
    expect(protocol.calls[0]).to.equal('startProtocol');
    await datagramRoundTrip(harness(), reactor);
    expect(protocol.texts).to.deep.equal(['one', 'two', 'three']);
    peer.send('after', port.getHost().port);
    await harness().until(() => protocol.received.length === 4, 'there is room again');
  });

  it('holds what arrives after crash() for the next run', async () => {
    const { reactor, protocol, port } = await openPort(harness());
    const peer = await harness().openDatagrams();
    reactor.crash();
    peer.send('while it does not run', port);
    const witness = await harness().openDatagrams();
    peer.send('done', witness.getHost().port);
    await harness().until(() => witness.received.length === 1, 'all has arrived');
    await harness().advance(0);
    expect(protocol.received).to.deep.equal([]);
    void reactor.run({ installSignalHandlers: false });
    await harness().until(() => protocol.received.length === 1, 'it is delivered');
    expect(protocol.calls).to.deep.equal(['startProtocol', 'datagramReceived']);
  });

  it('does in order what is asked of a port before it is bound', async () => {
    const reactor = startReactor(harness());
    const peer = await harness().openDatagrams();
    const port = reactor.listenUDP(0, new RecordingDatagramProtocol(), LOOPBACK);
    port.write('one', peer.getHost());
    port.setTTL(3);
    port.writeSequence(['t', Buffer.from('w'), 'o'], peer.getHost());
    const { host, port: number } = peer.getHost();
    port.connect(host, number);
    port.write('three');
    expect(port.getTTL()).to.equal(3);
    await harness().until(() => peer.received.length === 3, 'all have arrived');
    expect(peer.texts()).to.deep.equal(['one', 'two', 'three']);
  });

  it('takes no more calls than the backlog before it is bound', async () => {
    const reactor = startReactor(harness());
    const peer = await harness().openDatagrams();
    const port = reactor.listenUDP(0, new RecordingDatagramProtocol(), { ...LOOPBACK, backlog: 2 });
    port.write('one', peer.getHost());
    port.write('two', peer.getHost());
    expect(() => port.write('three', peer.getHost())).to.throw(QueueOverflow, '2 calls');
    expect(() => port.setTTL(2)).to.throw(QueueOverflow);
    expect(port.getTTL()).to.equal(1);
    await settled(harness(), port.whenListening(), 'the port is bound');
    port.write('four', peer.getHost());
    await harness().until(() => peer.received.length === 3, 'they have arrived');
    expect(peer.texts()).to.deep.equal(['one', 'two', 'four']);
  });

  it('drops what was asked of a port that could not be bound, and fails what is waited for', async () => {
    const { port: taken, reactor } = await openPort(harness());
    const peer = await harness().openDatagrams();
    const port = reactor.listenUDP(taken, new RecordingDatagramProtocol(), LOOPBACK);
    port.write('never', peer.getHost());
    const joined = errorOf(harness(), port.joinGroup('239.255.1.1'));
    expect(await errorOf(harness(), port.whenListening())).to.be.instanceOf(CannotListenError);
    expect(await joined)
      .to.have.property('cause')
      .instanceOf(NotListeningError);
    await datagramRoundTrip(harness(), reactor);
    expect(peer.received).to.deep.equal([]);
  });
}

function describeProtocols(harness: () => Harness): void {
  it('serves one port with one protocol: a second is refused at the call [78]', async () => {
    const reactor = startReactor(harness());
    const protocol = new RecordingDatagramProtocol();
    const port = reactor.listenUDP(0, protocol, LOOPBACK);
    expect(() => reactor.listenUDP(0, protocol, LOOPBACK)).to.throw(ConnectInProgressError, 'serves a port already');
    await settled(harness(), port.whenListening(), 'the port is bound');
    expect(() => reactor.listenMulticast(0, protocol, LOOPBACK)).to.throw(ConnectInProgressError);
    const elsewhere = harness().createReactor();
    expect(() => elsewhere.listenUDP(0, protocol, LOOPBACK)).to.throw(ConnectInProgressError);
    expect(() => protocol.makeConnection(port)).to.throw(ConnectInProgressError);
    expect(protocol.transport).to.equal(port);
    expect(reactor.inspect().ports).to.have.length(1);
  });

  it('lets a protocol whose port has stopped, without its transport in stopProtocol, serve another [78]', async () => {
    const transports: unknown[] = [];
    const { protocol, udpPort, reactor } = await openPort(harness(), {
      stopProtocol: (self) => void transports.push(self.transport),
    });
    await settled(harness(), udpPort.stopListening(), 'the port is closed');
    expect(transports).to.deep.equal([undefined]);
    expect(protocol.numPorts).to.equal(0);
    const other = reactor.listenUDP(0, protocol, LOOPBACK);
    await settled(harness(), other.whenListening(), 'the other port is bound');
    expect(protocol.transport).to.equal(other);
    expect(protocol.calls).to.deep.equal(['startProtocol', 'stopProtocol', 'startProtocol']);
  });
}

function describeStopping(harness: () => Harness): void {
  it('fires in a later turn, after stopProtocol, and nothing is delivered any more', async () => {
    const log: string[] = [];
    const { protocol, udpPort, port, reactor } = await openPort(harness(), {
      stopProtocol: () => void log.push('stopped'),
    });
    const peer = await harness().openDatagrams();
    peer.send('too late', port);
    udpPort.stopListening().addCallback(() => void log.push('closed'));
    expect(log).to.deep.equal([]);
    expect(() => udpPort.getHost()).to.throw(NotListeningError, 'closing');
    peer.send('much too late', port);
    await harness().until(() => log.length === 2, 'the port is closed');
    expect(log).to.deep.equal(['stopped', 'closed']);
    await datagramRoundTrip(harness(), reactor);
    expect(protocol.calls).to.deep.equal(['startProtocol', 'stopProtocol']);
    expect(reactor.inspect().ports).to.deep.equal([]);
  });

  it('may be called again, while the port closes and after it', async () => {
    const { udpPort, protocol } = await openPort(harness());
    const [one, other] = [udpPort.stopListening(), udpPort.stopListening()];
    await settled(harness(), one, 'the port is closed');
    await settled(harness(), other, 'the port is closed');
    await udpPort[Symbol.asyncDispose]();
    expect(protocol.calls).to.deep.equal(['startProtocol', 'stopProtocol']);
  });

  it('lets what was written before still leave', async () => {
    const { udpPort } = await openPort(harness());
    const peer = await harness().openDatagrams();
    udpPort.write('a last word', peer.getHost());
    await settled(harness(), udpPort.stopListening(), 'the port is closed');
    await harness().until(() => peer.received.length === 1, 'it has arrived');
    expect(peer.texts()).to.deep.equal(['a last word']);
  });

  it('makes every method harmless from then on', async () => {
    const { udpPort, reactor } = await openPort(harness());
    const peer = await harness().openDatagrams();
    const closed = udpPort.stopListening();
    for (let round = 0; round < 2; round += 1) {
      udpPort.write('dropped', peer.getHost());
      udpPort.writeSequence(['dropped'], peer.getHost());
      udpPort.connect('127.0.0.1', peer.getHost().port);
      udpPort.setBroadcastAllowed(true);
      udpPort.setLoopbackMode(false);
      udpPort.setTTL(7);
      expect(udpPort.getTTL()).to.equal(7);
      const left = await errorOf(harness(), udpPort.leaveGroup('239.255.1.1'));
      expect(left).to.have.property('cause').instanceOf(NotListeningError);
      expect(await errorOf(harness(), udpPort.setOutgoingInterface('127.0.0.1'))).to.be.instanceOf(NotListeningError);
      await settled(harness(), closed, 'the port is closed');
    }
    await datagramRoundTrip(harness(), reactor);
    expect(peer.received).to.deep.equal([]);
  });

  it('before run() neither starts nor stops the protocol', async () => {
    const reactor = harness().createReactor();
    const protocol = new RecordingDatagramProtocol();
    const port = reactor.listenUDP(0, protocol, LOOPBACK);
    await settled(harness(), port.whenListening(), 'the port is bound');
    const peer = await harness().openDatagrams();
    peer.send('held, then dropped', port.getHost().port);
    await harness().advance(0.005);
    await settled(harness(), port.stopListening(), 'the port is closed');
    port.startListening();
    await settled(harness(), port.whenListening(), 'the port is bound again');
    void reactor.run({ installSignalHandlers: false });
    await datagramRoundTrip(harness(), reactor);
    expect(protocol.calls).to.deep.equal(['startProtocol']);
  });

  it('while the port binds fails those who wait for it, and never starts the protocol', async () => {
    const reactor = startReactor(harness());
    const protocol = new RecordingDatagramProtocol();
    const port = reactor.listenUDP(0, protocol, LOOPBACK);
    const bound = errorOf(harness(), port.whenListening());
    await settled(harness(), port.stopListening(), 'the port is closed');
    expect(await bound)
      .to.be.instanceOf(CannotListenError)
      .and.have.property('message')
      .that.includes('stopListening');
    expect(await errorOf(harness(), port.whenListening())).to.be.instanceOf(CannotListenError);
    expect(protocol.calls).to.deep.equal([]);
  });

  it('may come from startProtocol and from datagramReceived', async () => {
    for (const hook of ['startProtocol', 'datagramReceived'] as const) {
      const reactor = startReactor(harness());
      const protocol = new RecordingDatagramProtocol({
        [hook]: (self: RecordingDatagramProtocol) => void self.transport.stopListening(),
      });
      const port = reactor.listenUDP(0, protocol, LOOPBACK);
      if (hook === 'datagramReceived') {
        await settled(harness(), port.whenListening(), 'the port is bound');
        const peer = await harness().openDatagrams();
        for (const text of ['one', 'two']) peer.send(text, port.getHost().port);
      }
      await harness().until(() => reactor.inspect().ports.length === 0, 'the port is closed');
      expect(protocol.calls.at(-1)).to.equal('stopProtocol');
      expect(protocol.received.length).to.be.lessThan(2);
      expect(protocol.nested).to.deep.equal([]);
    }
  });

  it('frees the port, and startListening binds it again with everything as at first', async () => {
    const { udpPort, protocol, reactor } = await openPort(harness());
    const peer = await harness().openDatagrams();
    udpPort.connect('127.0.0.1', peer.getHost().port);
    udpPort.setTTL(9);
    await settled(harness(), udpPort.stopListening(), 'the port is closed');
    udpPort.startListening();
    expect(() => udpPort.startListening()).to.throw(CannotListenError, 'binding');
    await settled(harness(), udpPort.whenListening(), 'the port is bound again');
    expect(() => udpPort.startListening()).to.throw(CannotListenError, 'already');
    expect(udpPort.getTTL()).to.equal(1);
    expect(() => udpPort.write('to whom?')).to.throw(TypeError, 'address');
    peer.send('hello', udpPort.getHost().port);
    await harness().until(() => protocol.received.length === 1, 'it receives again');
    expect(protocol.calls).to.deep.equal(['startProtocol', 'stopProtocol', 'startProtocol', 'datagramReceived']);
    expect(reactor.inspect().ports).to.have.length(1);
  });

  it('is what the end of a run does, in the during phase', async () => {
    const log: string[] = [];
    const reactor = harness().createReactor();
    reactor.addSystemEventTrigger('before', 'shutdown', () => void log.push('before'));
    reactor.addSystemEventTrigger('after', 'shutdown', () => void log.push('after'));
    let hasEnded = false;
    void reactor.run({ installSignalHandlers: false }).then(() => (hasEnded = true));
    const { udpPort } = await openPort(harness(), { stopProtocol: () => void log.push('stopProtocol') }, { reactor });
    expect(reactor.inspect().ports).to.deep.equal([`UDP port ${udpPort.getHost().port} of 127.0.0.1`]);
    reactor.stop();
    await harness().until(() => hasEnded, 'the run has ended');
    expect(log).to.deep.equal(['before', 'stopProtocol', 'after']);
    expect(reactor.inspect().ports).to.deep.equal([]);
  });
}

function describeArguments(harness: () => Harness): void {
  it('are checked at the call, by name', () => {
    const reactor = harness().createReactor();
    const protocol = new RecordingDatagramProtocol();
    for (const port of [65_536, -1, 1.5, NaN]) {
      expect(() => reactor.listenUDP(port, protocol), String(port)).to.throw(RangeError, 'port');
    }
    expect(() => reactor.listenUDP('53' as unknown as number, protocol)).to.throw(TypeError, 'port');
    expect(() => reactor.listenUDP(0, DatagramProtocol as unknown as DatagramProtocol)).to.throw(TypeError, 'protocol');
    expect(() => reactor.listenUDP(0, {} as unknown as DatagramReceiver)).to.throw(TypeError, 'makeConnection');
    expect(() => reactor.listenUDP(0, protocol, { interface: 'eth0' })).to.throw(RangeError, "got 'eth0'");
    for (const maxPacketSize of [0, -1, 1.5]) {
      expect(() => reactor.listenUDP(0, protocol, { maxPacketSize })).to.throw(RangeError, 'maxPacketSize');
    }
    expect(() => reactor.listenUDP(0, protocol, { backlog: 0 })).to.throw(RangeError, 'backlog');
    const misspelt = { host: '127.0.0.1' } as unknown as ListenUDPOptions;
    expect(() => reactor.listenUDP(0, protocol, misspelt)).to.throw(TypeError, 'no host; there is interface');
    const multiple = { listenMultiple: true } as ListenUDPOptions;
    expect(() => reactor.listenUDP(0, protocol, multiple)).to.throw(TypeError, 'no listenMultiple');
    const wrong = { listenMultiple: 1 } as unknown as ListenMulticastOptions;
    expect(() => reactor.listenMulticast(0, protocol, wrong)).to.throw(TypeError, 'listenMultiple');
    expect(reactor.inspect().ports).to.deep.equal([]);
    expect(protocol.calls).to.deep.equal([]);
  });
}
