import { expect } from 'chai';
import { type ScriptedPeer, TestReactor } from 'ropewalk/testing';
import { ctime, MessageServerFactory } from './message-server.ts';

const SEPTEMBER = 8; // Date counts months from 0.
const now = (): Date => new Date(2018, SEPTEMBER, 16, 16, 37, 8);

describe('the message server', () => {
  let reactor: TestReactor;
  let peer: ScriptedPeer;

  beforeEach(() => {
    reactor = new TestReactor();
    reactor.listenTCP(21211, new MessageServerFactory(now));
    peer = reactor.dial(21211);
    reactor.advance(0);
  });

  it('answers a message with the time and the message', () => {
    peer.send('hello,1\r\n');
    reactor.advance(0);
    expect(peer.text()).to.equal('服务器回应：[Sun Sep 16 16:37:08 2018]:hello,1\r\n');
  });

  it('answers each of several messages that come in one read', () => {
    peer.send('hello,1\nhello,2\n');
    reactor.advance(0);
    const prefix = '服务器回应：[Sun Sep 16 16:37:08 2018]:';
    expect(peer.text()).to.equal(`${prefix}hello,1\r\n${prefix}hello,2\r\n`);
  });

  it('puts characters together that are split between reads', () => {
    for (const byte of Buffer.from('您好\n')) {
      peer.send(Buffer.of(byte));
      reactor.advance(0);
    }
    expect(peer.text()).to.equal('服务器回应：[Sun Sep 16 16:37:08 2018]:您好\r\n');
  });

  it('closes the connection of a peer whose line never ends', () => {
    peer.send('x'.repeat(20_000));
    reactor.advance(0);
    expect(peer.connected).to.equal(false);
    expect(reactor.flushErrors(RangeError)).to.have.lengthOf(1);
  });

  it('writes the time as C does', () => {
    expect(ctime(now())).to.equal('Sun Sep 16 16:37:08 2018');
    expect(ctime(new Date(2018, SEPTEMBER, 2, 3, 4, 5))).to.equal('Sun Sep  2 03:04:05 2018');
  });
});
