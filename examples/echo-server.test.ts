import { expect } from 'chai';
import { Factory } from 'ropewalk';
import { TestReactor } from 'ropewalk/testing';
import { Echo } from './echo-server.ts';

describe('the echo server', () => {
  it('sends back what it receives, in order', () => {
    const reactor = new TestReactor();
    const port = reactor.listenTCP(21200, Factory.forProtocol(Echo));

    const peer = reactor.dial(21200);
    peer.send('one ');
    reactor.advance(0);
    peer.send('two');
    reactor.advance(0);
    expect(peer.text()).to.equal('one two');

    peer.end();
    port.stopListening();
    reactor.advance(0);
    reactor.assertClean();
  });
});
