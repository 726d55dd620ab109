import { AsyncLocalStorage } from 'node:async_hooks';
import type { Buffer } from 'node:buffer';
import { expect } from 'chai';
import {
  type Address,
  ClientFactory,
  type Connector,
  Cooperator,
  createReactor,
  Deferred,
  deferLater,
  ensureDeferred,
  Factory,
  type Failure,
  LoopingCall,
  Protocol,
  Reactor,
  UnsupportedError,
} from 'ropewalk';
import { World } from 'ropewalk/simulation';

const storage = new AsyncLocalStorage<string>();

/** Runs the reactor until it is stopped, from a context of its own, which nothing should see. */
function runOutside(reactor: Reactor): Promise<void> {
  return storage.run('outside', () => reactor.run({ installSignalHandlers: false }));
}

function setUp(captureContext = true) {
  const reactor = createReactor({ captureContext });
  const log: string[] = [];
  const say = (what: string): void => void log.push(`${what}: ${storage.getStore()}`);
  const within = <R>(name: string, fn: () => R): R => storage.run(name, fn);
  return { reactor, log, say, within };
}

describe('createReactor({ captureContext: true })', () => {
  it('runs delayed calls in the context in which they were made', async () => {
    const { reactor, log, say, within } = setUp();
    for (const name of ['a', 'b']) {
      within(name, () => {
        reactor.callLater(0, say, `callLater of ${name}`);
        reactor.callSoon(say, `callSoon of ${name}`);
        reactor.callWhenRunning(() => say(`callWhenRunning of ${name}`));
      });
    }
    reactor.callLater(0.005, () => reactor.stop());
    await runOutside(reactor);
    expect(log).to.have.members([
      ...['callWhenRunning of a: a', 'callWhenRunning of b: b', 'callSoon of a: a', 'callSoon of b: b'],
      ...['callLater of a: a', 'callLater of b: b'],
    ]);
  });

  it('keeps the context of a looping call from one call to the next', async () => {
    const { reactor, log, say, within } = setUp();
    const loop = new LoopingCall(reactor, () => {
      say('call');
      if (log.length === 3) reactor.stop();
    });
    within('loop', () => void loop.start(0.001));
    await runOutside(reactor);
    expect(log).to.deep.equal(['call: loop', 'call: loop', 'call: loop']);
  });

  it('keeps the name of the function, for messages', () => {
    const { reactor } = setUp();
    const call = reactor.callLater(1, function sendHeartbeat() {});
    expect(String(call)).to.match(/^sendHeartbeat /);
    call.cancel();
    expect(() => reactor.callLater(1, undefined as never)).to.throw(TypeError);
    expect(() => reactor.listenTCP(0, undefined as never)).to.throw(TypeError);
  });

  it('calls the hooks of connections in the context of listenTCP and connectTCP', async () => {
    const { reactor, log, say, within } = setUp();
    class Server extends Protocol {
      override connectionMade(): void {
        say('server made');
        this.transport.registerProducer(
          {
            resumeProducing: () => {
              say('producer resumed');
              this.transport.unregisterProducer();
            },
            stopProducing: () => {},
          },
          false,
        );
      }
      override dataReceived(data: Buffer): void {
        say('server data');
        this.transport.write(data);
      }
      readConnectionLost(): void {
        say('server half-closed');
        this.transport.loseConnection();
      }
      override connectionLost(): void {
        say('server lost');
      }
    }
    class Client extends Protocol {
      override connectionMade(): void {
        say('client made');
        this.transport.write('x');
      }
      override dataReceived(): void {
        say('client data');
        this.transport.loseWriteConnection();
      }
      override connectionLost(): void {
        say('client lost');
      }
    }
    class ClientsFactory extends ClientFactory {
      override buildProtocol(): Protocol {
        say('client built');
        return new Client();
      }
      override clientConnectionLost(_connector: Connector, _reason: Failure): void {
        say('connector lost');
        reactor.callLater(0.005, () => reactor.stop());
      }
    }
    const port = await within('listen', () =>
      reactor.listenTCP(0, Object.freeze(Factory.forProtocol(Server)), { interface: '127.0.0.1' }).whenListening(),
    );
    const host = port.getHost();
    within('connect', () => reactor.connectTCP('127.0.0.1', 'port' in host ? host.port : 0, new ClientsFactory()));
    await runOutside(reactor);
    expect(log).to.have.members([
      ...['server made: listen', 'producer resumed: listen', 'server data: listen', 'server half-closed: listen'],
      ...['server lost: listen', 'client built: connect', 'client made: connect', 'client data: connect'],
      ...['client lost: connect', 'connector lost: connect'],
    ]);
  });

  it('lets buildProtocol enter a context for each connection', async () => {
    const { reactor, log, say } = setUp();
    let built = 0;
    class Server extends Protocol {
      override connectionLost(): void {
        say('lost');
        if (log.length === 2) reactor.stop();
      }
    }
    class ServerFactory extends Factory {
      override buildProtocol(_address: Address): Protocol {
        built += 1;
        storage.enterWith(`connection ${built}`);
        return new Server();
      }
    }
    class Goodbye extends Protocol {
      override connectionMade(): void {
        this.transport.loseConnection();
      }
    }
    const port = await reactor.listenTCP(0, new ServerFactory(), { interface: '127.0.0.1' }).whenListening();
    const host = port.getHost();
    for (let count = 0; count < 2; count += 1) {
      reactor.connectTCP('127.0.0.1', 'port' in host ? host.port : 0, ClientFactory.forProtocol(Goodbye));
    }
    await runOutside(reactor);
    expect(log).to.have.members(['lost: connection 1', 'lost: connection 2']);
  });

  it('builds each protocol in the context of listenTCP, whatever its hooks and those of others have entered', async () => {
    const { reactor, log, say, within } = setUp();
    let built = 0;
    class Server extends Protocol {
      readonly #number: number;
      constructor(number: number) {
        super();
        this.#number = number;
      }
      override connectionMade(): void {
        say(`${this.#number} made`);
        storage.enterWith('made');
        reactor.callSoon(() => say(`${this.#number} call`));
      }
      override dataReceived(): void {
        say(`${this.#number} data`);
        storage.enterWith('data');
        this.transport.loseConnection();
      }
      override connectionLost(): void {
        say(`${this.#number} lost`);
        if (built === 3) reactor.stop();
        else connect();
      }
    }
    class ServerFactory extends Factory {
      override buildProtocol(_address: Address): Protocol {
        built += 1;
        say(`${built} built`);
        // The second enters none.
        if (built !== 2) storage.enterWith(`connection ${built}`);
        return new Server(built);
      }
    }
    class Hello extends Protocol {
      override connectionMade(): void {
        this.transport.write('hello');
      }
    }
    const port = await within('listen', () =>
      reactor.listenTCP(0, new ServerFactory(), { interface: '127.0.0.1' }).whenListening(),
    );
    const host = port.getHost();
    const connect = (): void => {
      within('connect', () => {
        reactor.connectTCP('127.0.0.1', 'port' in host ? host.port : 0, ClientFactory.forProtocol(Hello));
      });
    };
    connect();
    await runOutside(reactor);
    expect(log).to.have.members(
      ['connection 1', 'listen', 'connection 3'].flatMap((context, index) => {
        const number = index + 1;
        return [
          ...[`${number} built: listen`, `${number} made: ${context}`, `${number} call: made`],
          ...[`${number} data: ${context}`, `${number} lost: ${context}`],
        ];
      }),
    );
  });

  it('ends with a bound function, or a call, what that has entered', async () => {
    const { reactor, log, say, within } = setUp();
    const bound = within('bound', () =>
      reactor.bindContext((entered: string) => {
        say(entered);
        storage.enterWith(entered);
      }),
    );
    within('caller', () => {
      bound('first');
      bound('second');
      say('caller');
    });
    reactor.callSoon(() => storage.enterWith('a call'));
    reactor.callSoon(() => {
      say('another call');
      reactor.stop();
    });
    await runOutside(reactor);
    expect(log).to.deep.equal(['first: bound', 'second: bound', 'caller: caller', 'another call: undefined']);
  });

  it('keeps what a bound generator has entered from step to step, and from its callers', () => {
    const { reactor, log, say, within } = setUp();
    function* work(): Generator<undefined, void> {
      try {
        say('first step');
        storage.enterWith('own');
        yield undefined;
        say('second step');
        storage.enterWith('own again');
        yield undefined;
      } finally {
        say('closed');
      }
    }
    const generators = within('bound', () => [reactor.bindContext(work()), reactor.bindContext(work())]);
    within('caller', () => {
      for (const generator of generators) generator.next();
      say('caller');
      for (const generator of generators) generator.next();
      for (const generator of generators) generator.return();
      say('caller');
    });
    expect(log).to.deep.equal([
      ...['first step: bound', 'first step: bound', 'caller: caller', 'second step: own', 'second step: own'],
      ...['closed: own again', 'closed: own again', 'caller: caller'],
    ]);
  });

  it('binds a generator also for the loop or the other generator that goes through it', () => {
    const { reactor, log, say, within } = setUp();
    function* work(): Generator<string, void> {
      say('step');
      yield 'body';
    }
    function* outer(inner: Generator<string, void>): Generator<string, void> {
      yield* inner;
    }
    const bind = () => reactor.bindContext(work());
    const first = within('bound', bind);
    const second = within('bound', bind);
    within('caller', () => {
      for (const body of first) say(body);
      outer(second).next();
    });
    expect(log).to.deep.equal(['step: bound', 'body: caller', 'step: bound']);
  });

  it('runs the tasks of a Cooperator in the context in which its slice was asked for, unless they are bound', async () => {
    const { reactor, log, say, within } = setUp();
    const cooperator = new Cooperator(reactor);
    function* work(name: string): Generator<undefined, void> {
      say(name);
      yield undefined;
    }
    within('first', () => void cooperator.cooperate(work('a')));
    within('second', () => {
      cooperator.cooperate(work('b'));
      cooperator.cooperate(reactor.bindContext(work('c')));
    });
    reactor.callLater(0.005, () => reactor.stop());
    await runOutside(reactor);
    expect(log).to.deep.equal(['a: first', 'b: first', 'c: second']);
  });

  it('resumes a coroutine that was bound in the context in which that was done', async () => {
    const { reactor, log, say, within } = setUp();
    const gate = new Deferred<undefined>();
    function* work(): Generator<unknown, void> {
      say('begins');
      yield* gate;
      say('goes on');
      try {
        yield* deferLater(reactor, 1);
      } finally {
        say('cancelled');
      }
    }
    const done = within('coroutine', () => ensureDeferred(reactor.bindContext(work())));
    done.addErrback(() => undefined);
    reactor.callLater(0, () => {
      within('other', () => gate.callback(undefined));
      within('another', () => done.cancel());
      reactor.stop();
    });
    await runOutside(reactor);
    expect(log).to.deep.equal(['begins: coroutine', 'goes on: coroutine', 'cancelled: coroutine']);
  });

  it('leaves the callbacks of a Deferred to the context in which it fires', () => {
    const { log, say, within } = setUp();
    const deferred = new Deferred<undefined>();
    within('adds', () => deferred.addCallback(() => say('callback')));
    within('fires', () => deferred.callback(undefined));
    expect(log).to.deep.equal(['callback: fires']);
  });

  it('does nothing of that by default', async () => {
    const { reactor, log, say, within } = setUp(false);
    const fn = (): void => undefined;
    expect(reactor.bindContext(fn)).to.equal(fn);
    for (const name of ['a', 'b']) within(name, () => reactor.callSoon(say, name));
    reactor.callLater(0.005, () => reactor.stop());
    await runOutside(reactor);
    expect(log).not.to.deep.equal(['a: a', 'b: b']);
  });

  it('is refused on a platform that has no contexts', () => {
    expect(() => new Reactor(new World({ seed: 0 }).addHost('host'), { captureContext: true })).to.throw(
      UnsupportedError,
      'captureContext',
    );
  });
});
