import { expect } from 'chai';
import { Factory, Protocol } from 'ropewalk';
import { TestReactor } from 'ropewalk/testing';
import { spy } from 'sinon';
import { Drain } from '../../src/reactor/drain.ts';

describe('Drain', () => {
  it('is told once of each connection that has ended', () => {
    const connectionEnded = spy(Drain.prototype, 'connectionEnded');
    try {
      const reactor = new TestReactor();
      reactor.listenTCP(7, Factory.forProtocol(Protocol));
      const peers = [reactor.dial(7), reactor.dial(7), reactor.dial(7)];
      reactor.advance(0);
      reactor.stop({ drainSeconds: 10 });
      reactor.advance(0);
      const before = connectionEnded.callCount;
      for (const peer of peers) {
        peer.end();
        reactor.advance(0);
      }
      expect(connectionEnded.callCount - before).to.equal(3);
      expect(reactor.running).to.equal(false);
    } finally {
      connectionEnded.restore();
    }
  });
});
