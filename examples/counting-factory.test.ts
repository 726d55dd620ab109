import { expect } from 'chai';
import { TestReactor } from 'ropewalk/testing';
import { CountingFactory } from './counting-factory.ts';

describe('the counting factory', () => {
  it('knows how many connections are alive, however they end', () => {
    const reactor = new TestReactor();
    const factory = new CountingFactory();
    const port = reactor.listenTCP(21212, factory);

    const first = reactor.dial(21212);
    const second = reactor.dial(21212);
    reactor.advance(0);
    expect(first.text()).to.equal('当前连接数：1\r\n');
    expect(second.text()).to.equal('当前连接数：2\r\n');
    expect(factory.liveConnections).to.equal(2);

    first.end();
    reactor.advance(0);
    expect(factory.liveConnections).to.equal(1);

    second.abort();
    reactor.advance(0);
    expect(factory.liveConnections).to.equal(0);

    port.stopListening();
    reactor.advance(0);
    reactor.assertClean();
  });
});
