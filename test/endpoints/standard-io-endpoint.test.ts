import { expect } from 'chai';
import {
  type Address,
  CancelledError,
  CannotListenError,
  ConnectionDone,
  Echo,
  Factory,
  type Failure,
  Protocol,
  StandardIOEndpoint,
} from 'ropewalk';
import { failureResultOf, successResultOf, TestReactor } from 'ropewalk/testing';

/** Counts what is asked of it, and builds what it is told to. */
class RecordingFactory extends Factory {
  readonly calls: string[] = [];
  readonly #build: () => Protocol | null;

  constructor(build: () => Protocol | null) {
    super();
    this.#build = build;
  }

  override startFactory(): void {
    this.calls.push('start');
  }

  override stopFactory(): void {
    this.calls.push('stop');
  }

  override buildProtocol(address: Address): Protocol | null {
    this.calls.push(`build ${String(address)}`);
    return this.#build();
  }
}

describe('StandardIOEndpoint', () => {
  let reactor: TestReactor;

  beforeEach(() => {
    reactor = new TestReactor({ running: false });
  });

  function run(): void {
    void reactor.run();
    reactor.advance(0);
  }

  it('tells the protocol, if it wants to know, that the reactor is about to stop', () => {
    class Draining extends Echo {
      connectionDraining(): void {
        this.transport.write('goodbye');
        this.transport.loseConnection();
      }
    }
    void new StandardIOEndpoint(reactor).listen(Factory.forProtocol(Draining));
    run();
    reactor.stop({ drainSeconds: 10 });
    reactor.advance(0);
    expect(reactor.terminal.text()).to.equal('goodbye');
  });

  it('serves the standard input and output, and stops the factory with the connection', () => {
    const factory = new RecordingFactory(() => new Echo());
    const port = successResultOf(new StandardIOEndpoint(reactor).listen(factory));
    expect(factory.calls).to.deep.equal(['start']);
    reactor.terminal.send('hello');
    run();
    expect(factory.calls).to.deep.equal(['start', 'build UNIXAddress()']);
    expect(reactor.terminal.text()).to.equal('hello');
    reactor.terminal.end();
    reactor.advance(0);
    expect(factory.calls.at(-1)).to.equal('stop');
    expect(String(port.getHost())).to.equal('UNIXAddress()');
    reactor.assertClean();
  });

  it('has a port with nothing to stop', async () => {
    const port = successResultOf(new StandardIOEndpoint(reactor).listen(new RecordingFactory(() => new Echo())));
    expect(successResultOf(port.whenListening())).to.equal(port);
    successResultOf(port.stopListening());
    expect(() => port.startListening()).to.throw(CannotListenError);
    await port[Symbol.asyncDispose]();
    run();
    reactor.terminal.send('still connected');
    reactor.advance(0);
    expect(reactor.terminal.text()).to.equal('still connected');
  });

  it('passes half-close on to a protocol that cares about it', () => {
    const calls: string[] = [];
    class Caring extends Protocol {
      readConnectionLost(): void {
        calls.push('read');
        this.transport.write('the rest');
        this.transport.loseWriteConnection();
      }
      writeConnectionLost(): void {
        calls.push('write');
      }
      override connectionLost(reason: Failure): void {
        calls.push(reason.value.name);
      }
    }
    new StandardIOEndpoint(reactor).listen(new RecordingFactory(() => new Caring()));
    run();
    reactor.terminal.end();
    reactor.advance(0);
    expect(reactor.terminal.text()).to.equal('the rest');
    expect(calls).to.deep.equal(['read', 'write', 'ConnectionDone']);
  });

  it('closes the connection for which there is no protocol', () => {
    const factory = new RecordingFactory(() => null);
    new StandardIOEndpoint(reactor).listen(factory);
    run();
    expect(reactor.terminal.ended).to.be.true;
    expect(factory.calls).to.deep.equal(['start', 'build UNIXAddress()', 'stop']);
    reactor.assertClean();
  });

  it('has an error of the factory reported, and closes the connection', () => {
    const factory = new RecordingFactory(() => {
      throw new Error('thrown by buildProtocol');
    });
    factory.stopFactory = () => {
      throw new Error('thrown by stopFactory');
    };
    new StandardIOEndpoint(reactor).listen(factory);
    run();
    expect(reactor.terminal.ended).to.be.true;
    const errors = reactor.flushErrors().map(({ value }) => value.message);
    expect(errors).to.deep.equal(['thrown by buildProtocol', 'thrown by stopFactory']);
    reactor.assertClean();
  });

  it('throws what startFactory throws, and then has not opened anything', () => {
    const endpoint = new StandardIOEndpoint(reactor);
    const factory = new RecordingFactory(() => new Echo());
    factory.startFactory = () => {
      throw new Error('thrown by startFactory');
    };
    expect(() => endpoint.listen(factory)).to.throw('thrown by startFactory');
    expect(() => endpoint.listen({} as never)).to.throw(TypeError, /^factory has no method doStart/);
    expect(() => new StandardIOEndpoint({} as never)).to.throw(TypeError, /^reactor has no method openStdio/);
    const aborted = endpoint.listen(factory, { signal: AbortSignal.abort('the reason') });
    expect(failureResultOf(aborted, CancelledError).value.cause).to.equal('the reason');
    successResultOf(endpoint.listen(new RecordingFactory(() => new Echo())));
  });

  it('listens once; the factory of the second attempt is counted out', () => {
    const endpoint = new StandardIOEndpoint(reactor);
    let reason: Failure | undefined;
    class Noting extends Protocol {
      override connectionLost(why: Failure): void {
        reason = why;
      }
    }
    endpoint.listen(Factory.forProtocol(Noting));
    const second = new RecordingFactory(() => new Echo());
    expect(() => endpoint.listen(second)).to.throw('have been opened already');
    expect(second.calls).to.deep.equal(['start', 'stop']);
    run();
    reactor.terminal.end();
    reactor.advance(0);
    expect(reason?.check(ConnectionDone)).not.to.equal(undefined);
  });
});
