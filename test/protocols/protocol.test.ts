import { expect } from 'chai';
import { ConnectionDone, Factory, Failure, Protocol, type Transport } from 'ropewalk';
import { StringTransport, StringTransportWithDisconnection, TestReactor } from 'ropewalk/testing';

class Recorder extends Protocol {
  readonly events: string[] = [];

  override connectionMade(): void {
    this.events.push(`made connected=${this.connected}`);
  }

  override dataReceived(data: Buffer): void {
    this.events.push(`data ${data.toString()}`);
  }

  override connectionLost(reason: Failure): void {
    this.events.push(`lost ${reason.type.name} connected=${this.connected}`);
  }
}

describe('Protocol', () => {
  it('has its transport when connectionMade is called', () => {
    const transport = new StringTransport();
    class Greeter extends Protocol {
      override connectionMade(): void {
        this.transport.write('hello');
      }
    }
    const protocol = new Greeter();
    protocol.makeConnection(transport);
    expect(protocol.transport).to.equal(transport);
    expect(transport.value().toString()).to.equal('hello');
  });

  it('passes on what connectionMade returns, so that the rejection of an async hook is seen', async () => {
    class Async extends Protocol {
      override async connectionMade(): Promise<void> {
        await Promise.resolve();
        throw new Error('too late');
      }
    }
    const error = await Promise.resolve(new Async().makeConnection(new StringTransport())).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.be.an.instanceOf(Error).with.property('message', 'too late');
  });

  it('is not connected, and has no transport, before makeConnection', () => {
    const protocol = new Protocol();
    expect(protocol.connected).to.be.false;
    expect('transport' in protocol).to.be.false;
    expect(protocol.factory).to.be.undefined;
  });

  it('is connected while its transport is, without any hook of its own', () => {
    const protocol = new Recorder();
    const transport = new StringTransportWithDisconnection();
    transport.protocol = protocol;
    protocol.makeConnection(transport);
    expect(protocol.connected).to.be.true;
    transport.loseConnection();
    expect(protocol.connected).to.be.false;
  });

  it('sees its hooks called in order on a reactor, and is not connected any more when it is told of the loss', () => {
    const reactor = new TestReactor();
    const protocol = new Recorder();
    const factory = new Factory();
    factory.buildProtocol = () => protocol;
    const port = reactor.listenTCP(7, factory);
    const peer = reactor.dial(7);
    peer.send('abc');
    peer.end();
    reactor.advance(0);
    expect(protocol.events).to.deep.equal(['made connected=true', 'data abc', 'lost ConnectionDone connected=false']);
    port.stopListening();
    reactor.advance(0);
    reactor.assertClean();
  });

  it('does nothing by default', () => {
    const protocol = new Protocol();
    const transport = new StringTransport();
    expect(protocol.makeConnection(transport)).to.be.undefined;
    expect(protocol.dataReceived(Buffer.from('x'))).to.be.undefined;
    expect(protocol.connectionLost(new Failure(new ConnectionDone()))).to.be.undefined;
    expect(transport.value()).to.have.lengthOf(0);
    expect(transport.disconnecting).to.be.false;
  });

  it('lets a subclass narrow transport and factory without resetting them', () => {
    class CountingFactory extends Factory {
      count = 0;
    }
    class Counted extends Protocol {
      declare factory: CountingFactory;
      declare transport: Transport;

      override connectionMade(): void {
        this.factory.count += 1;
        this.transport.setTcpNoDelay(true);
      }
    }
    const reactor = new TestReactor();
    const factory = CountingFactory.forProtocol(Counted);
    reactor.listenTCP(7, factory);
    reactor.dial(7);
    reactor.advance(0);
    expect(factory.count).to.equal(1);
    expect(reactor.errors).to.have.lengthOf(0);
  });
});
