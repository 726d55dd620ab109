import { expect } from 'chai';
import {
  type AsyncConnection,
  AsyncListener,
  CannotListenError,
  IPv4Address,
  type Logger,
  type LogMethod,
  type Protocol,
  type StreamServerEndpoint,
  TCP4ServerEndpoint,
  WebStreamProtocol,
} from 'ropewalk/core';
import { failureResultOf, successResultOf, TestReactor } from 'ropewalk/testing';

interface RecordingLogger {
  readonly logger: Logger;
  readonly warnings: readonly object[];
  readonly details: readonly object[];
}

function recordingLogger(): RecordingLogger {
  const warnings: object[] = [];
  const details: object[] = [];
  const ignore = (): void => undefined;
  const to =
    (lines: object[]): LogMethod =>
    (fields, message) =>
      void lines.push({ ...fields, message });
  return { logger: { debug: to(details), info: ignore, warn: to(warnings), error: ignore }, warnings, details };
}

describe('AsyncListener', () => {
  let reactor: TestReactor;

  beforeEach(() => {
    reactor = new TestReactor();
  });

  afterEach(() => reactor.assertClean());

  function listen(backlog?: number, logger?: Logger): AsyncListener {
    const endpoint = new TCP4ServerEndpoint(reactor, 7);
    const listening = AsyncListener.listen(endpoint, {
      ...(backlog !== undefined && { backlog }),
      ...(logger !== undefined && { logger }),
    });
    reactor.advance(0);
    return successResultOf(listening);
  }

  it('gives one connection after another, until the port stops', async () => {
    const listener = listen();
    expect(String(listener.port.getHost())).to.include('7');
    let hasEnded = false;
    const serving = (async () => {
      for await (const connection of listener) void echo(connection);
      hasEnded = true;
    })();
    const peers = [reactor.dial(7), reactor.dial(7)];
    await reactor.advanceAsync(0);
    peers.forEach((peer, index) => peer.send(`from ${String(index)}`));
    await reactor.advanceAsync(0);
    expect(peers.map((peer) => peer.text())).to.deep.equal(['from 0', 'from 1']);
    expect(hasEnded).to.be.false;
    void listener.port.stopListening();
    await reactor.advanceAsync(0);
    await serving;
    for (const peer of peers) peer.end();
    await reactor.advanceAsync(0);
  });

  it('stops the port when the loop is left, and leaves the connections that were taken alone', async () => {
    const listener = listen();
    const taken: AsyncConnection[] = [];
    const serving = (async () => {
      for await (const connection of listener) {
        taken.push(connection);
        break;
      }
    })();
    const first = reactor.dial(7);
    await reactor.advanceAsync(0);
    await serving;
    expect(() => listener.port.getHost()).to.throw('Not bound');
    expect(first.connected).to.be.true;
    const refused = reactor.dial(7);
    await reactor.advanceAsync(0);
    expect(refused.closed).to.be.true;
    void taken[0]!.close();
    await reactor.advanceAsync(0);
  });

  it('closes the connections that nobody has taken', async () => {
    const listener = listen();
    const peers = [reactor.dial(7), reactor.dial(7)];
    await reactor.advanceAsync(0);
    const taken = await listener.accept();
    const closed = listener[Symbol.asyncDispose]();
    await reactor.advanceAsync(0);
    await closed;
    expect(peers.map((peer) => peer.connected)).to.deep.equal([true, false]);
    expect(await listener.accept()).to.equal(undefined);
    void taken?.close();
    await reactor.advanceAsync(0);
  });

  it('lets no more connections wait than its backlog, and pauses those that do', async () => {
    const listener = listen(2);
    const peers = [reactor.dial(7), reactor.dial(7), reactor.dial(7)];
    await reactor.advanceAsync(0);
    expect(peers.map((peer) => peer.connected)).to.deep.equal([true, true, false]);
    peers[0]!.send(new Uint8Array(1_000_000));
    await reactor.advanceAsync(1);
    const first = await listener.accept();
    let received = 0;
    first!.dataReceived = (data) => {
      received += data.length;
    };
    await reactor.advanceAsync(1);
    expect(received, 'what comes while it is not read').to.equal(0);
    const fourth = reactor.dial(7);
    await reactor.advanceAsync(0);
    expect(fourth.connected, 'a place has become free').to.be.true;
    void listener.close();
    first!.transport.abortConnection();
    await reactor.advanceAsync(0);
  });

  it('has no place taken by connections that are lost', async () => {
    const listener = listen(2);
    const dead = [reactor.dial(7), reactor.dial(7)];
    await reactor.advanceAsync(0);
    for (const peer of dead) peer.abort();
    await reactor.advanceAsync(0);
    const alive = reactor.dial(7);
    await reactor.advanceAsync(0);
    expect(alive.connected).to.be.true;
    const connection = await listener.accept();
    expect(String(connection?.transport.getPeer())).to.equal(String(alive.getHost()));
    alive.abort();
    void listener.close();
    await reactor.advanceAsync(0);
  });

  it('gives no connection that was lost before somebody took it', async () => {
    const listener = listen();
    const dead = reactor.dial(7);
    const alive = reactor.dial(7);
    await reactor.advanceAsync(0);
    dead.abort();
    await reactor.advanceAsync(0);
    const connection = await listener.accept();
    expect(String(connection?.transport.getPeer())).to.equal(String(alive.getHost()));
    alive.abort();
    void listener.close();
    await reactor.advanceAsync(0);
  });

  it('warns the logger that it was given when its backlog is full, once for each time', async () => {
    const { logger, warnings, details } = recordingLogger();
    const listener = listen(1, logger);
    const peers = [reactor.dial(7), reactor.dial(7), reactor.dial(7)];
    await reactor.advanceAsync(0);
    const refusal = (peer: number): object => ({
      backlog: 1,
      peer: String(peers[peer]!.getHost()),
      message: 'The port 7 of 0.0.0.0 has as many connections that nobody takes as may wait; more are closed',
    });
    expect(warnings).to.deep.equal([refusal(1)]);
    peers.push(reactor.dial(7));
    await reactor.advanceAsync(0);
    expect(warnings).to.have.length(1);
    expect(details).to.deep.equal([refusal(2), refusal(3)]);
    void (await listener.accept())?.close();
    peers.push(reactor.dial(7), reactor.dial(7));
    await reactor.advanceAsync(0);
    expect(warnings).to.deep.equal([refusal(1), refusal(5)]);
    void listener.close();
    await reactor.advanceAsync(0);
    expect(peers.map((peer) => peer.closed)).to.not.include(false);
  });

  it('warns also of what is refused before it knows its port', async () => {
    const { logger, warnings } = recordingLogger();
    const endpoint = new TCP4ServerEndpoint(reactor, 7);
    const early: StreamServerEndpoint = {
      listen: (factory) => {
        const address = new IPv4Address('TCP', '192.0.2.1', 5000);
        const built = [1, 2, 3].map(() => factory.buildProtocol(address) !== null);
        expect(built).to.deep.equal([true, false, false]);
        return endpoint.listen(factory);
      },
    };
    const listening = AsyncListener.listen(early, { backlog: 1, logger });
    expect(warnings).to.have.length(1);
    expect(warnings[0])
      .to.have.property('message')
      .that.matches(/^The port has as many connections/);
    reactor.advance(0);
    void successResultOf(listening).close();
    await reactor.advanceAsync(0);
  });

  it('tells nobody of a full backlog by default', async () => {
    const { logger, warnings, details } = recordingLogger();
    reactor = new TestReactor({ logger });
    const listener = listen(1);
    const peers = [reactor.dial(7), reactor.dial(7)];
    await reactor.advanceAsync(0);
    expect(peers.map((peer) => peer.connected)).to.deep.equal([true, false]);
    expect([...warnings, ...details]).to.deep.equal([]);
    void listener.close();
    await reactor.advanceAsync(0);
  });

  it('refuses a logger that is none', () => {
    const endpoint = new TCP4ServerEndpoint(reactor, 7);
    expect(() => AsyncListener.listen(endpoint, { logger: {} as Logger })).to.throw(TypeError, 'logger');
  });

  it('ends when the reactor drains, and closes those that nobody has taken', async () => {
    const listener = listen();
    const peers = [reactor.dial(7), reactor.dial(7)];
    await reactor.advanceAsync(0);
    const taken = await listener.accept();
    reactor.stop({ drainSeconds: 60 });
    await reactor.advanceAsync(1);
    expect(await listener.accept()).to.equal(undefined);
    expect(peers.map((peer) => peer.connected)).to.deep.equal([true, false]);
    void taken?.close();
    await reactor.advanceAsync(0);
    expect(reactor.running).to.be.false;
  });

  it('ends when the reactor stops', async () => {
    const listener = listen();
    const accepted = listener.accept();
    reactor.stop();
    await reactor.advanceAsync(0);
    expect(await accepted).to.equal(undefined);
  });

  it('gives the connection that was waited for', async () => {
    const listener = listen();
    const accepted = listener.accept();
    expect(() => listener.accept()).to.throw('already');
    const peer = reactor.dial(7);
    await reactor.advanceAsync(0);
    const connection = await accepted;
    expect(String(connection?.transport.getPeer())).to.equal(String(peer.getHost()));
    void connection?.close();
    void listener.close();
    await reactor.advanceAsync(0);
  });

  it('makes protocols of any class', async () => {
    const listening = AsyncListener.listen(new TCP4ServerEndpoint(reactor, 7), {
      build: () => new WebStreamProtocol(),
    });
    reactor.advance(0);
    const listener = successResultOf(listening);
    const peer = reactor.dial(7);
    await reactor.advanceAsync(0);
    const connection = await listener.accept();
    void connection?.readable.pipeTo(connection.writable);
    peer.send('over the web');
    await reactor.advanceAsync(0);
    expect(peer.text()).to.equal('over the web');
    peer.end();
    void listener.close();
    await reactor.advanceAsync(0);
  });

  it('costs a connection when build throws', async () => {
    const listening = AsyncListener.listen(new TCP4ServerEndpoint(reactor, 7), {
      build: (): Protocol => {
        throw new RangeError('a bug');
      },
    });
    reactor.advance(0);
    const peer = reactor.dial(7);
    reactor.advance(0);
    expect(peer.closed).to.be.true;
    expect(reactor.flushErrors(RangeError)).to.have.length(1);
    void successResultOf(listening).close();
    await reactor.advanceAsync(0);
  });

  it('fails where it cannot listen, and where a signal says so', () => {
    const other = reactor.listenTCP(7, { buildProtocol: () => null, doStart() {}, doStop() {} });
    const failed = AsyncListener.listen(new TCP4ServerEndpoint(reactor, 7));
    const cancelled = AsyncListener.listen(new TCP4ServerEndpoint(reactor, 8), { signal: AbortSignal.abort() });
    reactor.advance(0);
    expect(failureResultOf(failed).value).to.be.instanceOf(CannotListenError);
    expect(failureResultOf(cancelled).value.name).to.equal('CancelledError');
    void other.stopListening();
    reactor.advance(0);
    expect(() => AsyncListener.listen(new TCP4ServerEndpoint(reactor, 7), { backlog: 0 })).to.throw(RangeError);
    expect(() => AsyncListener.listen(new TCP4ServerEndpoint(reactor, 7), { build: 5 as never })).to.throw(TypeError);
  });
});

async function echo(connection: AsyncConnection): Promise<void> {
  for await (const chunk of connection) await connection.write(chunk);
}
