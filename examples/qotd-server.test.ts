import { expect, use } from 'chai';
import { ConnectionDone } from 'ropewalk';
import { TestReactor } from 'ropewalk/testing';
import { ropewalkChai } from 'ropewalk/testing/chai';
import { QOTDFactory } from './qotd-server.ts';

use(ropewalkChai);

describe('the QOTD server', () => {
  it('greets each client and closes the connection', () => {
    const reactor = new TestReactor();
    const port = reactor.listenTCP(21210, new QOTDFactory());

    const peer = reactor.dial(21210);
    reactor.advance(0);
    expect(peer.text()).to.equal('您好！欢迎您的登录，再见！\r\n');
    expect(peer.reason).to.be.failureOf(ConnectionDone);

    port.stopListening();
    reactor.advance(0);
    reactor.assertClean(); // no call, connection, port or unhandled error is left
  });
});
