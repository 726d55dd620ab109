import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import {
  type Address,
  ConnectError,
  ConnectionDone,
  ConnectionRefusedError,
  ConnectTimeoutError,
  type Deferred,
  DNSLookupError,
  type ErrorClass,
  Factory,
  NoProtocol,
  Protocol,
  TCP4ClientEndpoint,
} from 'ropewalk';
import { assertNoResult, successResultOf, TestReactor } from 'ropewalk/testing';
import { expectFailure } from './expect-failure.ts';
import { Recorder, RecordingFactory } from './recorder.ts';

describe('TCP4ClientEndpoint', () => {
  let reactor: TestReactor;
  let endpoint: TCP4ClientEndpoint;

  beforeEach(() => {
    reactor = new TestReactor();
    endpoint = new TCP4ClientEndpoint(reactor, '127.0.0.1', 7);
  });

  it("delivers the factory's own protocol, after its connectionMade has returned", () => {
    reactor.serve(7);
    const protocol = new Recorder();
    const connected = endpoint.connect(new RecordingFactory(() => protocol)).addCallback((result) => {
      protocol.events.push('fired');
      return result;
    });
    assertNoResult(connected);
    reactor.advance(0);
    expect(successResultOf(connected)).to.equal(protocol);
    expect(protocol.events).to.deep.equal(['made', 'fired']);
  });

  it('gives the protocol its data and its loss', () => {
    const server = reactor.serve(7);
    const protocol = new Recorder();
    endpoint.connect(new RecordingFactory(() => protocol));
    reactor.advance(0);
    const peer = server.accept();
    protocol.transport.write('question');
    peer.send('answer');
    peer.end();
    reactor.advance(0);
    expect(peer.text()).to.equal('question');
    expect(protocol.events).to.deep.equal(['made', 'data answer', 'lost ConnectionDone']);
    server.stop();
    reactor.advance(0);
    reactor.assertClean();
  });

  it('says what it delivers, as far as the factory does', () => {
    class RecorderFactory extends Factory {
      override buildProtocol(address: Address): Recorder {
        return new Recorder();
      }
    }
    reactor.serve(7);
    const one = endpoint.connect(new RecorderFactory());
    const other = endpoint.connect(Factory.forProtocol(Recorder));
    expectTypeOf(one).toEqualTypeOf<Deferred<Recorder>>();
    expectTypeOf(other).toEqualTypeOf<Deferred<Recorder>>();
    reactor.advance(0);
    expect(successResultOf(one)).to.be.an.instanceOf(Recorder);
    expect(successResultOf(other)).to.be.an.instanceOf(Recorder);
  });

  it('makes a new connection with each call', () => {
    const server = reactor.serve(7);
    const factory = Factory.forProtocol(Recorder);
    const first = endpoint.connect(factory);
    const second = endpoint.connect(factory);
    reactor.advance(0);
    expect(server.peers).to.have.lengthOf(2);
    expect(successResultOf(first)).not.to.equal(successResultOf(second));
  });

  it('starts and stops the factory, but keeps the hooks of connectors to itself', () => {
    const server = reactor.serve(7);
    const factory = new RecordingFactory(() => new Recorder());
    endpoint.connect(factory);
    expect(factory.events).to.deep.equal(['start']);
    reactor.advance(0);
    server.accept().end();
    reactor.advance(0);
    expect(factory.events).to.deep.equal(['start', 'build', 'stop']);

    const refused = new RecordingFactory(() => new Recorder());
    failLater(new TCP4ClientEndpoint(reactor, '127.0.0.1', 8).connect(refused), ConnectionRefusedError);
    expect(refused.events).to.deep.equal(['start', 'stop']);
  });

  it('forwards half-close to a protocol that takes it', () => {
    class HalfCloseable extends Recorder {
      readConnectionLost(): void {
        this.events.push('read lost');
        this.transport.write('last words');
        this.transport.loseWriteConnection();
      }

      writeConnectionLost(): void {
        this.events.push('write lost');
      }
    }
    const server = reactor.serve(7);
    const protocol = new HalfCloseable();
    endpoint.connect(new RecordingFactory(() => protocol));
    reactor.advance(0);
    const peer = server.accept();
    peer.end();
    reactor.advance(0);
    expect(peer.text()).to.equal('last words');
    expect(protocol.events).to.deep.equal(['made', 'read lost', 'write lost', 'lost ConnectionDone']);
  });

  it('connects to a name', () => {
    const server = reactor.serve(7);
    const connected = new TCP4ClientEndpoint(reactor, 'localhost', 7).connect(Factory.forProtocol(Recorder));
    reactor.advance(0);
    expect(successResultOf(connected).transport.getPeer().toString()).to.include("host='127.0.0.1'");
    expect(server.peers).to.have.lengthOf(1);
  });

  describe('fails', () => {
    it('with the reason of the attempt', () => {
      reactor.serve(7, { answer: 'refuse' });
      failLater(endpoint.connect(Factory.forProtocol(Recorder)), ConnectionRefusedError);
      const unknown = new TCP4ClientEndpoint(reactor, 'nowhere.invalid', 7);
      failLater(unknown.connect(Factory.forProtocol(Recorder)), DNSLookupError);
    });

    it('when its timeout runs out', () => {
      reactor.serve(7, { answer: 'ignore' });
      const impatient = new TCP4ClientEndpoint(reactor, '127.0.0.1', 7, { timeout: 5 });
      const connected = impatient.connect(Factory.forProtocol(Recorder));
      reactor.advance(4.9);
      assertNoResult(connected);
      const failure = expectFailure(connected, ConnectTimeoutError);
      reactor.advance(0.2);
      failure();
    });

    it('with NoProtocol if the factory builds none, and closes the connection', () => {
      const server = reactor.serve(7);
      failLater(endpoint.connect(new RecordingFactory(() => null)), NoProtocol);
      const peer = server.accept();
      reactor.advance(0);
      expect(peer.connected).to.be.false;
      server.stop();
      reactor.advance(0);
      reactor.assertClean();
    });

    it('with the error of buildProtocol, and closes the connection', () => {
      const server = reactor.serve(7);
      const factory = new RecordingFactory(() => {
        throw new RangeError('full');
      });
      expect(failLater(endpoint.connect(factory), RangeError).message).to.equal('full');
      const peer = server.accept();
      reactor.advance(0);
      expect(peer.connected).to.be.false;
      server.stop();
      reactor.advance(0);
      reactor.assertClean();
    });

    it('with the error of connectionMade, which also is reported and loses the connection', () => {
      class Broken extends Recorder {
        override connectionMade(): void {
          throw new RangeError('not like this');
        }
      }
      const server = reactor.serve(7);
      const protocol = new Broken();
      expect(failLater(endpoint.connect(new RecordingFactory(() => protocol)), RangeError).message).to.equal(
        'not like this',
      );
      expect(protocol.events).to.deep.equal(['lost RangeError']);
      const peer = server.accept();
      reactor.advance(0);
      expect(peer.reason?.check(ConnectionDone)).to.equal(ConnectionDone);
      expect(reactor.flushErrors(RangeError)).to.have.lengthOf(1);
      server.stop();
      reactor.advance(0);
      reactor.assertClean();
    });

    it('when the reactor stops under the attempt', async () => {
      const stopping = new TestReactor({ running: false });
      const ended = stopping.run();
      stopping.serve(7, { answer: 'ignore' });
      const connected = new TCP4ClientEndpoint(stopping, '127.0.0.1', 7).connect(Factory.forProtocol(Recorder));
      stopping.advance(0);
      assertNoResult(connected);
      const failure = expectFailure(connected, ConnectError);
      stopping.stop();
      stopping.advance(0);
      failure();
      await stopping.advanceAsync(0);
      await ended;
    });
  });

  it('throws at the call for what could never work', () => {
    const connect = (host: string, port: number): unknown =>
      new TCP4ClientEndpoint(reactor, host, port).connect(Factory.forProtocol(Recorder));
    expect(() => connect('127.0.0.1', 70_000)).to.throw(RangeError, /port/);
    expect(() => connect('', 7)).to.throw(RangeError, /host/);
    // @ts-expect-error -- a port where the reactor should be
    expect(() => new TCP4ClientEndpoint(7, '127.0.0.1')).to.throw(TypeError, /reactor/);
    // @ts-expect-error -- a class is not a factory
    expect(() => endpoint.connect(Protocol)).to.throw(TypeError, /factory.*buildProtocol/);
    // @ts-expect-error -- nor is an object with the one method alone
    expect(() => endpoint.connect({ buildProtocol: () => new Recorder() })).to.throw(TypeError, /factory.*doStart/);
    reactor.assertClean();
  });

  /** The error the Deferred has after all that is due has been done. */
  function failLater(connected: Deferred<unknown>, type: ErrorClass): Error {
    const failure = expectFailure(connected, type);
    reactor.advance(0);
    return failure();
  }
});
