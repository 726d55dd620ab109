import { expect } from 'chai';
import { CannotListenError } from 'ropewalk';
import { failureResultOf, successResultOf, TestReactor } from 'ropewalk/testing';
import { QOTDFactory } from './qotd-server.ts';
import { playSeed } from './seed.ts';

const now = (): Date => new Date(2018, 8, 16, 16, 37, 8);

describe('the seed', () => {
  it('has the client talk to both servers', () => {
    const reactor = new TestReactor();
    const printed: string[] = [];
    const played = playSeed(reactor, now, (line) => printed.push(line));
    reactor.advance(0);
    successResultOf(played);
    const transcript = printed.filter((line) => /started|sent|received|closed/.test(line));
    expect(transcript).to.deep.equal([
      '[client] received: 您好！欢迎您的登录，再见！',
      '[client] connection lost: [Failure instance: Traceback (failure with no frames): ConnectionDone: Connection was closed cleanly.]',
      '[client] sent: hello,1',
      '[client] received: 服务器回应：[Sun Sep 16 16:37:08 2018]:hello,1',
      '[client] sent: hello,2',
      '[client] received: 服务器回应：[Sun Sep 16 16:37:08 2018]:hello,2',
      '[client] sent: 您好,3',
      '[client] received: 服务器回应：[Sun Sep 16 16:37:08 2018]:您好,3',
      '[client] connection lost: [Failure instance: Traceback (failure with no frames): ConnectionDone: Connection was closed cleanly.]',
    ]);
    expect(printed.filter((line) => line.includes('connection from'))).to.have.lengthOf(2);
  });

  it('fails if its port is taken', () => {
    const reactor = new TestReactor();
    reactor.listenTCP(21210, new QOTDFactory(), { interface: '127.0.0.1' });
    const played = playSeed(reactor, now, () => undefined);
    reactor.advance(0);
    failureResultOf(played, CannotListenError);
  });
});
