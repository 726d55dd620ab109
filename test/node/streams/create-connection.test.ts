import { expect } from 'chai';
import { ConnectionRefusedError, createConnection, TCP4ClientEndpoint } from 'ropewalk';
import { TestReactor } from 'ropewalk/testing';
import { eventsOf } from './support/served-duplex.ts';

describe('createConnection', () => {
  let reactor: TestReactor;

  beforeEach(() => {
    reactor = new TestReactor();
  });

  afterEach(() => reactor.assertClean());

  it('returns a stream at once, which connects', async () => {
    const server = reactor.serve(7);
    const duplex = createConnection(reactor, new TCP4ClientEndpoint(reactor, '127.0.0.1', 7));
    const events = eventsOf(duplex);
    expect(duplex.connecting).to.be.true;
    duplex.end('hello');
    await reactor.advanceAsync(0);
    const peer = server.accept();
    expect(peer.text()).to.equal('hello');
    expect(duplex.connecting).to.be.false;
    expect(events).to.deep.equal(['connect', 'finish', 'end', 'close']);
  });

  it('fails with the error of the endpoint', async () => {
    const duplex = createConnection(reactor, new TCP4ClientEndpoint(reactor, '127.0.0.1', 7));
    const events = eventsOf(duplex);
    await reactor.advanceAsync(0);
    expect(duplex.errored).to.be.instanceOf(ConnectionRefusedError);
    expect(events).to.deep.equal(['ConnectionRefusedError', 'close']);
  });

  it('fails a write that waits for the connection with it', async () => {
    const duplex = createConnection(reactor, new TCP4ClientEndpoint(reactor, '127.0.0.1', 7));
    const events = eventsOf(duplex);
    duplex.write('never', (error) => void (events as string[]).push(`write: ${String(error?.name)}`));
    await reactor.advanceAsync(0);
    expect(events).to.include.members(['write: ConnectionRefusedError', 'ConnectionRefusedError', 'close']);
  });

  it('gives the attempt up when it is destroyed', async () => {
    reactor.serve(7, { answer: 'ignore' });
    const duplex = createConnection(reactor, new TCP4ClientEndpoint(reactor, '127.0.0.1', 7));
    const events = eventsOf(duplex);
    await reactor.advanceAsync(1);
    expect(reactor.inspect().connectors).to.have.length(1);
    duplex.destroy();
    await reactor.advanceAsync(0);
    expect(reactor.inspect().connectors).to.deep.equal([]);
    expect(events).to.deep.equal(['close']);
  });

  it('emits connect again for a library that asks it to connect when it has', async () => {
    const server = reactor.serve(7);
    const duplex = createConnection(reactor, new TCP4ClientEndpoint(reactor, '127.0.0.1', 7));
    const events = eventsOf(duplex);
    duplex.connect();
    await reactor.advanceAsync(0);
    duplex.connect();
    await reactor.advanceAsync(0);
    expect(events).to.deep.equal(['connect', 'connect']);
    server.accept().end();
    await reactor.advanceAsync(0);
  });
});
