import { expect } from 'chai';
import { ConnectionDone, type Failure, Protocol } from 'ropewalk';
import { connectedPair } from 'ropewalk/testing';

class Talker extends Protocol {
  readonly #greeting: string;
  heard = '';
  reason: Failure | undefined;

  constructor(greeting: string) {
    super();
    this.#greeting = greeting;
  }

  override connectionMade(): void {
    this.transport.write(this.#greeting);
  }
  override dataReceived(data: Buffer): void {
    this.heard += data.toString();
    if (this.heard.endsWith('?')) this.transport.write('yes');
    if (this.heard.endsWith('boom')) throw new Error('a hook failed');
  }
  override connectionLost(reason: Failure): void {
    this.reason = reason;
  }
}

describe('connectedPair', () => {
  it('joins two protocols, which have greeted each other', () => {
    const server = new Talker('hello');
    const client = new Talker('hi');
    const pair = connectedPair(server, client);
    expect(pair.server).to.equal(server);
    expect(pair.client).to.equal(client);
    expect([server.heard, client.heard]).to.deep.equal(['hi', 'hello']);
    expect(server.transport.getPeer().equals(client.transport.getHost())).to.be.true;
  });

  it('delivers on flush, answers included', () => {
    const { server, client, pump } = connectedPair(new Talker(''), new Talker(''));
    client.transport.write('ready?');
    expect(server.heard).to.equal('');
    pump.flush();
    expect([server.heard, client.heard]).to.deep.equal(['ready?', 'yes']);
  });

  it('closes as a connection does', () => {
    const { server, client, pump } = connectedPair(new Talker(''), new Talker(''));
    server.transport.write('last');
    server.transport.loseConnection();
    server.transport.write('dropped');
    pump.flush();
    expect(client.heard).to.equal('last');
    expect(server.reason?.check(ConnectionDone)).to.equal(ConnectionDone);
    expect(client.reason?.check(ConnectionDone)).to.equal(ConnectionDone);
  });

  it('throws the error of a hook', () => {
    const { client, pump } = connectedPair(new Talker(''), new Talker(''));
    client.transport.write('boom');
    expect(() => pump.flush()).to.throw('a hook failed');
    pump.flush();
    expect(() => connectedPair(new Talker(''), new Talker('boom'))).to.throw('a hook failed');
  });
});
