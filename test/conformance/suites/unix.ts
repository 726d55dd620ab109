/** Connections over UNIX sockets: the same code as over TCP, on another transport. */
import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import { ConnectionAborted, ConnectionDone, ConnectionLost, UNIXAddress } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { MEBIBYTE, pattern, settled, untilLost } from '../support/connections.ts';
import { RecordingFactory } from '../support/recording-factory.ts';
import { RecordingProducer } from '../support/recording-producer.ts';
import type { Hooks } from '../support/recording-protocol.ts';
import { joinUNIX, listenUNIX, startUNIX } from '../support/unix-connections.ts';

export function describeUNIX(harness: () => Harness): void {
  describe('connections over UNIX sockets', () => {
    describeData(harness);
    describeEnds(harness);
    describeFlow(harness);
  });
}

function describeData(harness: () => Harness): void {
  it('know the path at both ends, and no name of the end that connected', async function () {
    const h = harness();
    const { path, port, server, client, connector, serverFactory, clientFactory } = await joinUNIX(this, h);
    const named = new UNIXAddress(path);
    const unnamed = new UNIXAddress(undefined);
    expect(port.getHost()).to.deep.equal(named);
    expect(connector.getDestination()).to.deep.equal(named);
    expect(connector.state).to.equal('connected');
    expect(client.transport.getPeer()).to.deep.equal(named);
    expect(client.transport.getHost()).to.deep.equal(unnamed);
    expect(server.transport.getHost()).to.deep.equal(named);
    expect(server.transport.getPeer()).to.deep.equal(unnamed);
    expect(serverFactory.addresses).to.deep.equal([unnamed]);
    expect(clientFactory.addresses).to.deep.equal([named]);
  });

  it('carry data both ways, in order, large and small', async function () {
    const h = harness();
    const data = pattern(3 * MEBIBYTE);
    const { server, client } = await joinUNIX(this, h, {
      server: { dataReceived: ({ transport }, received) => void transport.write(received) },
    });
    client.transport.write(data.subarray(0, 1));
    client.transport.writeSequence([data.subarray(1, 1000), data.subarray(1000)]);
    await h.until(() => client.receivedBytes >= data.length, 'all has come back');
    expect(server.received.equals(data)).to.be.true;
    expect(client.received.equals(data)).to.be.true;
    expect(server.nested).to.deep.equal([]);
  });

  it('ignore the options that only TCP has', async function () {
    const h = harness();
    const { client, server } = await joinUNIX(this, h);
    client.transport.setTcpNoDelay(false);
    client.transport.setTcpKeepAlive(true);
    client.transport.write('still here');
    await h.until(() => server.text === 'still here', 'the data has come');
  });

  it('are told apart, many of them on one socket', async function () {
    const h = harness();
    const reactor = startUNIX(this, h);
    const path = h.socketPath('many');
    const echo: Hooks = { dataReceived: ({ transport }, data) => void transport.write(data) };
    await listenUNIX(h, reactor, path, RecordingFactory.withProtocol(echo));
    const clients = RecordingFactory.withProtocol({
      connectionMade: ({ transport }) => void transport.write(`I am ${clients.protocols.length}`),
    });
    for (let count = 0; count < 20; count += 1) reactor.connectUNIX(path, clients);
    const texts = (): string[] => clients.protocols.map(({ text }) => text);
    await h.until(() => texts().filter((text) => text !== '').length === 20, 'each has its answer');
    expect(new Set(texts()).size).to.equal(20);
  });
}

function describeEnds(harness: () => Harness): void {
  it('send all that was written before loseConnection', async function () {
    const h = harness();
    const data = pattern(2 * MEBIBYTE);
    const { client, server } = await joinUNIX(this, h);
    client.transport.write(data);
    client.transport.loseConnection();
    expect(client.transport.write('too late')).to.be.false;
    await untilLost(h, server);
    await untilLost(h, client);
    expect(server.received.equals(data)).to.be.true;
    expect(server.lostBy).to.be.instanceOf(ConnectionDone);
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('can be closed by halves, and answered over the other half', async function () {
    const h = harness();
    const { client, server } = await joinUNIX(this, h, {
      halfClose: true,
      server: {
        readConnectionLost: (protocol) => {
          protocol.transport.write(`heard ${protocol.text}`);
          protocol.transport.loseConnection();
        },
      },
    });
    client.transport.write('a question');
    client.transport.loseWriteConnection();
    await untilLost(h, client);
    await untilLost(h, server);
    expect(client.text).to.equal('heard a question');
    expect(client.calls).to.deep.equal([
      'connectionMade',
      'writeConnectionLost',
      'dataReceived',
      'readConnectionLost',
      'connectionLost',
    ]);
    expect(client.lostBy).to.be.instanceOf(ConnectionDone);
    expect(server.lostBy).to.be.instanceOf(ConnectionDone);
  });

  it('end at once when they are aborted, with nothing sent of what waits', async function () {
    const h = harness();
    const { client, server } = await joinUNIX(this, h);
    server.transport.pauseProducing();
    client.transport.write(pattern(8 * MEBIBYTE));
    client.transport.abortConnection();
    await untilLost(h, client);
    expect(client.lostBy).to.be.instanceOf(ConnectionAborted);
    server.transport.resumeProducing();
    // There is no reset on UNIX sockets: the peer sees an end.
    await untilLost(h, server);
    expect(server.receivedBytes).to.be.lessThan(8 * MEBIBYTE);
  });

  it('are lost when the reactor stops, and their port closes', async function () {
    const h = harness();
    const { client, server, reactor } = await joinUNIX(this, h);
    reactor.stop();
    await untilLost(h, client);
    await untilLost(h, server);
    expect(client.lostBy).to.be.instanceOf(ConnectionLost);
    expect(server.lostBy).to.be.instanceOf(ConnectionLost);
    await h.until(() => reactor.inspect().ports.length === 0, 'the port has closed');
  });

  it('live on when their port stops, and the path is free', async function () {
    const h = harness();
    const { client, server, reactor, port, path } = await joinUNIX(this, h);
    await settled(h, port.stopListening(), 'the port has stopped');
    await listenUNIX(h, reactor, path, new RecordingFactory());
    client.transport.write('still here');
    await h.until(() => server.text === 'still here', 'the data has come');
  });

  it('are made again by a factory that has lost one', async function () {
    const h = harness();
    const reactor = startUNIX(this, h);
    const path = h.socketPath('again');
    const served = RecordingFactory.withProtocol({ connectionMade: ({ transport }) => transport.loseConnection() });
    await listenUNIX(h, reactor, path, served);
    const factory = new RecordingFactory({
      clientConnectionLost: (connector) => {
        if (factory.protocols.length < 3) connector.connect();
      },
    });
    reactor.connectUNIX(path, factory);
    await h.until(() => factory.calls.includes('doStop'), 'the factory has been stopped');
    expect(factory.calls.filter((call) => call === 'clientConnectionLost')).to.have.length(3);
    expect(factory.calls.filter((call) => call === 'doStart')).to.have.length(1);
  });
}

function describeFlow(harness: () => Harness): void {
  it('pause a push producer while the peer does not read, and let a pull producer write piece by piece', async function () {
    const h = harness();
    const piece = pattern(MEBIBYTE);
    const { client, server } = await joinUNIX(this, h);
    server.transport.pauseProducing();
    const push = new RecordingProducer();
    client.transport.registerProducer(push, true);
    for (let count = 0; count < 4; count += 1) client.transport.write(piece);
    server.transport.write('ping');
    await h.until(() => client.text === 'ping', 'there was time for the data to leave');
    expect(push.calls).to.deep.equal(Array.from({ length: 4 }, () => 'pauseProducing'));
    server.transport.resumeProducing();
    await h.until(() => push.count('resumeProducing') === 1, 'the producer goes on');
    client.transport.unregisterProducer();
    let left = 5;
    const pull = new RecordingProducer({
      resumeProducing: () => {
        left -= 1;
        client.transport.write('piece');
        if (left === 0) client.transport.unregisterProducer();
      },
    });
    client.transport.registerProducer(pull, false);
    const expected = Buffer.concat([piece, piece, piece, piece, Buffer.from('piece'.repeat(5))]);
    await h.until(() => server.receivedBytes >= expected.length, 'all has come');
    expect(pull.count('resumeProducing')).to.equal(5);
    expect(server.received.equals(expected)).to.be.true;
  });

  it('deliver nothing while they are paused', async function () {
    const h = harness();
    const { client, server } = await joinUNIX(this, h);
    server.transport.pauseProducing();
    client.transport.write('held');
    server.transport.write('ping');
    await h.until(() => client.text === 'ping', 'the other direction goes on');
    expect(server.text).to.equal('');
    server.transport.resumeProducing();
    await h.until(() => server.text === 'held', 'what was held has come');
  });
}
