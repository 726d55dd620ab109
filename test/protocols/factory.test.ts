import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import {
  type Address,
  ClientFactory,
  ConnectionRefusedError,
  type Connector,
  Factory,
  type Failure,
  IPv4Address,
  Protocol,
} from 'ropewalk';
import { TestReactor } from 'ropewalk/testing';

const address = new IPv4Address('TCP', '192.0.2.1', 4711);

class Chat extends Protocol {
  readonly names: string[] = [];
}

class StartCountingFactory extends Factory {
  readonly events: string[] = [];

  override startFactory(): void {
    this.events.push('start');
  }

  override stopFactory(): void {
    this.events.push('stop');
  }
}

describe('Factory', () => {
  it('builds instances of its protocol class, each of which knows it', () => {
    class ChatFactory extends Factory {
      override protocol = Chat;
    }
    const factory = new ChatFactory();
    const first = factory.buildProtocol(address);
    const second = factory.buildProtocol(address);
    expect(first).to.be.an.instanceOf(Chat);
    expect(first?.factory).to.equal(factory);
    expect(second).not.to.equal(first);
  });

  it('throws a TypeError that names the class if there is nothing to build', () => {
    class Forgetful extends Factory {}
    expect(() => new Forgetful().buildProtocol(address)).to.throw(TypeError, /Forgetful.*protocol/);
  });

  describe('forProtocol', () => {
    it('refuses what is no class', () => {
      // @ts-expect-error -- a function that makes one is not a class
      expect(() => Factory.forProtocol(() => new Chat())).to.throw(TypeError, 'protocol must be a class');
    });

    it('makes a factory for a protocol class', () => {
      const factory = Factory.forProtocol(Chat);
      const protocol = factory.buildProtocol(address);
      expect(protocol).to.be.an.instanceOf(Chat);
      expect(protocol?.factory).to.equal(factory);
      expectTypeOf(protocol).toExtend<Protocol | null>();
    });

    it('makes one of the class it is called on, whose constructor gets the other arguments', () => {
      class RoomFactory extends Factory {
        readonly room: string;
        constructor(room: string) {
          super();
          this.room = room;
        }
      }
      const factory = RoomFactory.forProtocol(Chat, 'lobby');
      expect(factory).to.be.an.instanceOf(RoomFactory);
      expect(factory.room).to.equal('lobby');
      expect(factory.buildProtocol(address)).to.be.an.instanceOf(Chat);
      // @ts-expect-error -- the constructor wants a room
      RoomFactory.forProtocol(Chat);
    });
  });

  describe('doStart and doStop', () => {
    it('start the factory with the first use and stop it with the last', () => {
      const factory = new StartCountingFactory();
      factory.doStart();
      factory.doStart();
      expect(factory.numPorts).to.equal(2);
      factory.doStop();
      expect(factory.events).to.deep.equal(['start']);
      factory.doStop();
      expect(factory.events).to.deep.equal(['start', 'stop']);
      expect(factory.numPorts).to.equal(0);
    });

    it('start it again after it has stopped', () => {
      const factory = new StartCountingFactory();
      factory.doStart();
      factory.doStop();
      factory.doStart();
      expect(factory.events).to.deep.equal(['start', 'stop', 'start']);
    });

    it('ignore a stop that no start preceded', () => {
      const factory = new StartCountingFactory();
      factory.doStop();
      expect(factory.events).to.deep.equal([]);
      factory.doStart();
      expect(factory.numPorts).to.equal(1);
    });

    it('do not count a start that failed', () => {
      class Broken extends Factory {
        override startFactory(): void {
          throw new Error('no disk');
        }
      }
      const factory = new Broken();
      expect(() => factory.doStart()).to.throw('no disk');
      expect(factory.numPorts).to.equal(0);
    });

    it('are called by ports: one factory on two ports starts once and stops with the second', () => {
      const reactor = new TestReactor();
      const factory = new StartCountingFactory();
      const ports = [reactor.listenTCP(7, factory), reactor.listenTCP(9, factory)];
      expect(factory.events).to.deep.equal(['start']);
      expect(factory.numPorts).to.equal(2);
      ports[0]!.stopListening();
      reactor.advance(0);
      expect(factory.events).to.deep.equal(['start']);
      ports[1]!.stopListening();
      reactor.advance(0);
      expect(factory.events).to.deep.equal(['start', 'stop']);
    });
  });
});

describe('ClientFactory', () => {
  it('has hooks for a connector that do nothing', () => {
    const reactor = new TestReactor();
    const server = reactor.serve(7);
    reactor.connectTCP('127.0.0.1', 7, ClientFactory.forProtocol(Chat));
    reactor.connectTCP('127.0.0.1', 8, ClientFactory.forProtocol(Chat));
    reactor.advance(0);
    server.accept().end();
    server.stop();
    reactor.advance(0);
    reactor.assertClean();
  });

  it('is told of an attempt, its failure, and may try again', () => {
    const events: string[] = [];
    class Persistent extends ClientFactory {
      override protocol = Chat;

      override startedConnecting(connector: Connector): void {
        events.push(`started ${connector.state}`);
      }

      override buildProtocol(peer: Address): Protocol | null {
        events.push('build');
        return super.buildProtocol(peer);
      }

      override clientConnectionFailed(connector: Connector, reason: Failure): void {
        events.push(`failed ${reason.check(ConnectionRefusedError)?.name ?? 'otherwise'}`);
        reactor.serve(7);
        connector.connect();
      }
    }
    const reactor = new TestReactor();
    reactor.connectTCP('127.0.0.1', 7, new Persistent());
    reactor.advance(0);
    expect(events).to.deep.equal([
      'started connecting',
      'failed ConnectionRefusedError',
      'started connecting',
      'build',
    ]);
  });
});
