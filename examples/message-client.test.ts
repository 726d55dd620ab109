import { expect } from 'chai';
import { ConnectionLost, ConnectionRefusedError } from 'ropewalk';
import { failureResultOf, successResultOf, TestReactor } from 'ropewalk/testing';
import { MessageClientFactory } from './message-client.ts';

describe('the message client', () => {
  let reactor: TestReactor;
  let printed: string[];
  let factory: MessageClientFactory;

  beforeEach(() => {
    reactor = new TestReactor();
    printed = [];
    factory = new MessageClientFactory(['hello,1', 'hello,2'], (line) => printed.push(line));
  });

  it('sends each message when the one before has been answered, then closes', () => {
    const server = reactor.serve(21211);
    reactor.connectTCP('127.0.0.1', 21211, factory);
    reactor.advance(0);
    const peer = server.accept();
    expect(peer.text()).to.equal('hello,1\r\n');

    peer.send('first answer\r\n');
    reactor.advance(0);
    expect(peer.text()).to.equal('hello,1\r\nhello,2\r\n');

    peer.send('second answer\r\n');
    reactor.advance(0);
    expect(printed).to.deep.equal([
      "connecting to IPv4Address(type='TCP', host='127.0.0.1', port=21211)",
      "connected to IPv4Address(type='TCP', host='127.0.0.1', port=21211)",
      'sent: hello,1',
      'received: first answer',
      'sent: hello,2',
      'received: second answer',
      'connection lost: [Failure instance: Traceback (failure with no frames): ConnectionDone: Connection was closed cleanly.]',
    ]);
    successResultOf(factory.finished);

    server.stop();
    reactor.advance(0);
    reactor.assertClean();
  });

  it('puts characters together that are split between reads', () => {
    const server = reactor.serve(21211);
    reactor.connectTCP('127.0.0.1', 21211, factory);
    reactor.advance(0);
    const peer = server.accept();
    for (const byte of Buffer.from('您好\r\n')) {
      peer.send(Buffer.of(byte));
      reactor.advance(0);
    }
    expect(printed).to.include('received: 您好');
  });

  it('says that the server refused', () => {
    reactor.serve(21211, { answer: 'refuse' });
    reactor.connectTCP('127.0.0.1', 21211, factory);
    reactor.advance(0);
    expect(printed.at(-1)).to.match(/^connection failed: .*ConnectionRefusedError/);
    failureResultOf(factory.finished, ConnectionRefusedError);
  });

  it('says that the connection broke', () => {
    const server = reactor.serve(21211);
    reactor.connectTCP('127.0.0.1', 21211, factory);
    reactor.advance(0);
    server.accept().abort();
    reactor.advance(0);
    expect(printed.at(-1)).to.match(/^connection lost: .*ConnectionLost/);
    failureResultOf(factory.finished, ConnectionLost);
  });
});
