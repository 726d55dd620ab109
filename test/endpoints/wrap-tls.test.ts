import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import {
  CertificateError,
  ConnectingCancelledError,
  ConnectionLost,
  ConnectionRefusedError,
  type Deferred,
  type EndpointOptions,
  Factory,
  type Failure,
  type ListeningPort,
  type Logger,
  nodeTLS,
  NoProtocol,
  Protocol,
  SSLError,
  type StreamClientEndpoint,
  type StreamServerEndpoint,
  TCP4ClientEndpoint,
  TCP4ServerEndpoint,
  TLSHandshakeTimeoutError,
  type TLSOptions,
  UNIXClientEndpoint,
  UNIXServerEndpoint,
  UnsupportedError,
  VerifyError,
  wrapClientTLS,
  wrapServerTLS,
} from 'ropewalk';
import { assertNoResult, failureResultOf, successResultOf, TestReactor } from 'ropewalk/testing';
import { testCertificates } from '../support/certificates.ts';
import { expectFailure } from './expect-failure.ts';
import { Recorder, RecordingFactory } from './recorder.ts';

const CERTIFICATES = await testCertificates();
const TRUST: TLSOptions = { ca: CERTIFICATES.ca, servername: 'localhost' };
const PATH = '/run/secure';

/** Tells of handshakes as well. */
class SecureRecorder extends Recorder {
  handshakeCompleted(): void {
    this.events.push('completed');
  }
}

class LogOfWarnings implements Logger {
  readonly errors: unknown[] = [];
  debug(): void {}
  info(): void {}
  error(): void {}
  warn(fields: object): void {
    this.errors.push('err' in fields ? fields.err : undefined);
  }
}

describe('wrapClientTLS and wrapServerTLS', () => {
  let reactor: TestReactor;
  let serverFactory: RecordingFactory;
  let accepted: SecureRecorder[];
  let log: LogOfWarnings;

  beforeEach(() => {
    reactor = new TestReactor({ tls: nodeTLS() });
    log = new LogOfWarnings();
    accepted = [];
    serverFactory = new RecordingFactory(() => {
      const protocol = new SecureRecorder();
      accepted.push(protocol);
      return protocol;
    });
  });

  afterEach(async () => {
    for (const protocol of accepted) protocol.transport.loseConnection();
    reactor.stop();
    await reactor.advanceAsync(3);
    reactor.assertClean();
  });

  const serverEndpoint = (
    tls: TLSOptions | (() => TLSOptions) = CERTIFICATES.server,
    handshakeTimeout = 30,
  ): StreamServerEndpoint =>
    wrapServerTLS(tls, new UNIXServerEndpoint(reactor, PATH), { logger: log, handshakeTimeout });
  const clientEndpoint = (tls: TLSOptions = TRUST, handshakeTimeout = 30): StreamClientEndpoint =>
    wrapClientTLS(tls, new UNIXClientEndpoint(reactor, PATH), { handshakeTimeout });

  const listen = (tls?: TLSOptions | (() => TLSOptions)): ListeningPort => {
    const listening = serverEndpoint(tls).listen(serverFactory);
    reactor.advance(0);
    return successResultOf(listening);
  };
  const recording = (): RecordingFactory => new RecordingFactory(() => new SecureRecorder());
  const connect = (factory: RecordingFactory, tls?: TLSOptions, options?: EndpointOptions): Deferred<Protocol> =>
    clientEndpoint(tls).connect(factory, options);

  describe('connect', () => {
    it('delivers the protocol when the handshake is over and it has its connection', async () => {
      listen();
      const factory = recording();
      const connected = connect(factory);
      reactor.advance(0);
      assertNoResult(connected);
      expect(factory.events).to.deep.equal(['start']);
      expect(serverFactory.events).to.deep.equal(['start']);
      await reactor.advanceAsync(0);
      const client = recorderOf(connected);
      expect(client.events).to.deep.equal(['made', 'completed']);
      expect(accepted[0]?.events).to.deep.equal(['made', 'completed']);
      expect(factory.events).to.deep.equal(['start', 'build']);
      expect(client.transport.getPeerCertificate()).to.be.instanceOf(Uint8Array);
      client.transport.write('question');
      accepted[0]?.transport.write('answer');
      await reactor.advanceAsync(0);
      expect(client.events.at(-1)).to.equal('data answer');
      expect(accepted[0]?.events.at(-1)).to.equal('data question');
      client.transport.loseConnection();
      await reactor.advanceAsync(0);
      expect(client.events.at(-1)).to.equal('lost ConnectionDone');
      expect(accepted[0]?.events.at(-1)).to.equal('lost ConnectionDone');
      expect(factory.events).to.deep.equal(['start', 'build', 'stop']);
    });

    it('verifies the certificate for the host of the endpoint, if that knows one', async () => {
      const tls = { ca: CERTIFICATES.ca };
      const listening = wrapServerTLS(CERTIFICATES.server, new TCP4ServerEndpoint(reactor, 443)).listen(serverFactory);
      reactor.advance(0);
      successResultOf(listening);
      const toServer = wrapClientTLS(tls, new TCP4ClientEndpoint(reactor, 'localhost', 443)).connect(recording());
      await reactor.advanceAsync(0);
      successResultOf(toServer).transport.loseConnection();
      const elsewhere = new TCP4ClientEndpoint(reactor, '127.0.0.2', 443);
      const failure = expectFailure(wrapClientTLS(tls, elsewhere).connect(recording()), CertificateError);
      await reactor.advanceAsync(0);
      expect(failure().hostname).to.equal('127.0.0.2');
    });

    it('fails with TypeError where no name is known to verify', async () => {
      listen();
      const factory = recording();
      const connected = connect(factory, { ca: CERTIFICATES.ca });
      const failure = expectFailure(connected, TypeError);
      await reactor.advanceAsync(0);
      expect(failure().message).to.contain('servername');
      expect(factory.events).to.deep.equal(['start', 'stop']);
      expect(serverFactory.events).to.deep.equal(['start']);
    });

    const faults: readonly (readonly [
      what: string,
      server: TLSOptions,
      type: abstract new (...args: never[]) => Error,
    ])[] = [
      ['cannot be verified', CERTIFICATES.expired, VerifyError],
      ['is for somebody else', CERTIFICATES.wrongHost, CertificateError],
    ];
    for (const [what, server, type] of faults) {
      it(`fails with ${type.name} if the certificate of the server ${what}; nothing is built`, async () => {
        listen(server);
        const factory = recording();
        const failure = expectFailure(connect(factory), type);
        await reactor.advanceAsync(0);
        expect(failure()).to.have.property('hostname', 'localhost');
        expect(factory.events).to.deep.equal(['start', 'stop']);
      });
    }

    it('fails with SSLError if the server speaks no TLS', async () => {
      const plain = new UNIXServerEndpoint(reactor, PATH).listen(Factory.forProtocol(Greeter));
      reactor.advance(0);
      successResultOf(plain);
      const factory = recording();
      const failure = expectFailure(connect(factory), SSLError);
      await reactor.advanceAsync(0);
      expect(failure().message).to.contain('localhost');
      expect(factory.events).to.deep.equal(['start', 'stop']);
    });

    it('fails with TLSHandshakeTimeoutError if the server says nothing', async () => {
      successResultOf(listenPlainly(new Protocol()));
      const factory = recording();
      const failure = expectFailure(clientEndpoint(TRUST, 5).connect(factory), TLSHandshakeTimeoutError);
      await reactor.advanceAsync(4);
      expect(failure).to.throw();
      await reactor.advanceAsync(2);
      expect(failure().message).to.contain('5 s');
      expect(factory.events).to.deep.equal(['start', 'stop']);
    });

    it('fails with ConnectionLost if the server closes', async () => {
      class Closer extends Protocol {
        override dataReceived(): void {
          this.transport.loseConnection();
        }
      }
      successResultOf(listenPlainly(new Closer()));
      const factory = recording();
      const failure = expectFailure(connect(factory), ConnectionLost);
      await reactor.advanceAsync(0);
      failure();
      expect(factory.events).to.deep.equal(['start', 'stop']);
    });

    it('fails with the reason of the endpoint if no connection comes about', () => {
      const failed = wrapClientTLS(TRUST, new TCP4ClientEndpoint(reactor, '127.0.0.1', 443)).connect(recording());
      reactor.advance(0);
      failureResultOf(failed, ConnectionRefusedError);
    });

    it('fails with NoProtocol if the factory builds none, and closes', async () => {
      listen();
      const factory = new RecordingFactory(() => null);
      const failure = expectFailure(connect(factory), NoProtocol);
      await reactor.advanceAsync(0);
      failure();
      expect(factory.events).to.deep.equal(['start', 'build', 'stop']);
      expect(accepted[0]?.events).to.deep.equal(['made', 'completed', 'lost ConnectionDone']);
    });

    it('fails with what buildProtocol throws, and closes', async () => {
      listen();
      const factory = new RecordingFactory(() => {
        throw new RangeError('boom');
      });
      const failure = expectFailure(connect(factory), RangeError);
      await reactor.advanceAsync(0);
      expect(failure().message).to.equal('boom');
      expect(factory.events).to.deep.equal(['start', 'build', 'stop']);
      expect(accepted[0]?.events.at(-1)).to.equal('lost ConnectionDone');
    });

    it('fails with what connectionMade throws, which is reported as well', async () => {
      listen();
      class Thrower extends SecureRecorder {
        override connectionMade(): void {
          super.connectionMade();
          throw new RangeError('boom');
        }
      }
      const protocol = new Thrower();
      const failure = expectFailure(connect(new RecordingFactory(() => protocol)), RangeError);
      await reactor.advanceAsync(0);
      failure();
      expect(reactor.flushErrors(RangeError)).to.have.lengthOf(1);
      expect(protocol.events).to.deep.equal(['made', 'lost RangeError']);
    });

    it('reports what handshakeCompleted throws, after it has delivered the protocol', async () => {
      listen();
      class Thrower extends Recorder {
        handshakeCompleted(): void {
          throw new RangeError('boom');
        }
      }
      const connected = connect(new RecordingFactory(() => new Thrower()));
      await reactor.advanceAsync(0);
      const protocol = recorderOf(connected);
      expect(reactor.flushErrors(RangeError)).to.have.lengthOf(1);
      expect(protocol.events).to.deep.equal(['made', 'lost RangeError']);
    });

    it('watches the promises of both hooks', async () => {
      listen();
      for (const hook of ['connectionMade', 'handshakeCompleted'] as const) {
        const events: string[] = [];
        const note = (called: string): Promise<void> => {
          events.push(called);
          return called === hook ? Promise.reject(new RangeError(hook)) : Promise.resolve();
        };
        class Rejecter extends Protocol {
          override connectionMade(): Promise<void> {
            return note('connectionMade');
          }
          handshakeCompleted(): Promise<void> {
            return note('handshakeCompleted');
          }
          override connectionLost(reason: Failure): void {
            events.push(`lost ${reason.value.name}`);
          }
        }
        const connected = connect(new RecordingFactory(() => new Rejecter()));
        await reactor.advanceAsync(0);
        successResultOf(connected);
        expect(reactor.flushErrors(RangeError).map(({ value }) => value.message)).to.deep.equal([hook]);
        expect(events).to.deep.equal(['connectionMade', 'handshakeCompleted', 'lost RangeError']);
      }
    });

    it('reports one error if connectionMade rejects and handshakeCompleted throws', async () => {
      listen();
      class Thrower extends Protocol {
        override connectionMade(): Promise<void> {
          return Promise.reject(new RangeError('rejected'));
        }
        handshakeCompleted(): void {
          throw new RangeError('thrown');
        }
      }
      const connected = connect(new RecordingFactory(() => new Thrower()));
      await reactor.advanceAsync(0);
      successResultOf(connected);
      expect(reactor.flushErrors(RangeError).map(({ value }) => value.message)).to.deep.equal(['thrown']);
    });

    it('tells handshakeCompleted to nobody who has closed in connectionMade', async () => {
      listen();
      class Closer extends SecureRecorder {
        override connectionMade(): void {
          super.connectionMade();
          this.transport.loseConnection();
        }
      }
      const connected = connect(new RecordingFactory(() => new Closer()));
      await reactor.advanceAsync(0);
      expect(recorderOf(connected).events).to.deep.equal(['made', 'lost ConnectionDone']);
    });

    it('lets its protocol start TLS once more', async () => {
      class Doubling extends SecureRecorder {
        readonly tls: TLSOptions;
        constructor(tls: TLSOptions) {
          super();
          this.tls = tls;
        }
        override handshakeCompleted(): void {
          super.handshakeCompleted();
          if (this.events.filter((event) => event === 'completed').length === 1) this.transport.startTLS(this.tls);
        }
      }
      serverFactory = new RecordingFactory(() => {
        const protocol = new Doubling(CERTIFICATES.server);
        accepted.push(protocol);
        return protocol;
      });
      listen();
      const connected = connect(new RecordingFactory(() => new Doubling(TRUST)));
      await reactor.advanceAsync(0);
      const client = recorderOf(connected);
      expect(client.events).to.deep.equal(['made', 'completed', 'completed']);
      expect(accepted[0]?.events).to.deep.equal(['made', 'completed', 'completed']);
    });
  });

  describe('half-closed connections', () => {
    class HalfCloser extends SecureRecorder {
      readConnectionLost(): void {
        this.events.push('read lost');
      }
      writeConnectionLost(): void {
        this.events.push('write lost');
      }
    }

    it('live on for a protocol that opts in', async () => {
      serverFactory = new RecordingFactory(() => {
        const protocol = new HalfCloser();
        accepted.push(protocol);
        return protocol;
      });
      listen();
      const connected = connect(new RecordingFactory(() => new HalfCloser()));
      await reactor.advanceAsync(0);
      const client = recorderOf(connected);
      client.transport.loseWriteConnection();
      await reactor.advanceAsync(0);
      expect(client.events).to.deep.equal(['made', 'completed', 'write lost']);
      expect(accepted[0]?.events).to.deep.equal(['made', 'completed', 'read lost']);
      accepted[0]?.transport.write('answer');
      accepted[0]?.transport.loseConnection();
      await reactor.advanceAsync(0);
      expect(client.events.slice(3)).to.deep.equal(['data answer', 'read lost', 'lost ConnectionDone']);
    });

    it('are closed for one that does not', async () => {
      listen();
      const connected = connect(new RecordingFactory(() => new HalfCloser()));
      await reactor.advanceAsync(0);
      recorderOf(connected).transport.loseWriteConnection();
      await reactor.advanceAsync(0);
      expect(accepted[0]?.events.at(-1)).to.equal('lost ConnectionDone');
    });
  });

  describe('cancelling connect', () => {
    it('gives the endpoint’s attempt up', async () => {
      const factory = recording();
      const connected = connect(factory);
      const failure = expectFailure(connected, ConnectingCancelledError);
      connected.cancel();
      failure();
      expect(factory.events).to.deep.equal(['start', 'stop']);
      await reactor.advanceAsync(0);
    });

    it('gives the handshake up, and says where it was going', async () => {
      successResultOf(listenPlainly(new Protocol()));
      const factory = recording();
      const connected = connect(factory);
      const failure = expectFailure(connected, ConnectingCancelledError);
      await reactor.advanceAsync(1);
      expect(reactor.inspect().connections).to.have.lengthOf(2);
      connected.cancel();
      expect(String(failure().address)).to.contain(PATH);
      await reactor.advanceAsync(0);
      expect(factory.events).to.deep.equal(['start', 'stop']);
      expect(reactor.inspect().connections).to.deep.equal([]);
    });

    it('in buildProtocol or connectionMade closes the connection, and nobody is told of a protocol', async () => {
      listen();
      for (const phase of ['build', 'made'] as const) {
        const protocol = new (class extends SecureRecorder {
          override connectionMade(): void {
            super.connectionMade();
            if (phase === 'made') connected.cancel();
          }
        })();
        const factory = new RecordingFactory(() => {
          if (phase === 'build') connected.cancel();
          return protocol;
        });
        const connected = connect(factory);
        const failure = expectFailure(connected, ConnectingCancelledError);
        await reactor.advanceAsync(0);
        failure();
        expect(reactor.inspect().connections, phase).to.deep.equal([]);
        expect(protocol.events, phase).to.deep.equal(phase === 'build' ? [] : ['made', 'lost ConnectionAborted']);
      }
    });

    it('after it has fired changes nothing', async () => {
      listen();
      const connected = connect(recording());
      await reactor.advanceAsync(0);
      connected.cancel();
      const client = recorderOf(connected);
      await reactor.advanceAsync(0);
      expect(client.events).to.deep.equal(['made', 'completed']);
    });

    it('by a signal has its reason as the cause, in each phase, and listens to it no longer', async () => {
      const reason = new Error('changed my mind');
      for (const phase of ['before', 'connecting', 'handshake'] as const) {
        const port = phase === 'handshake' ? successResultOf(listenPlainly(new Protocol())) : undefined;
        const controller = new AbortController();
        if (phase === 'before') controller.abort(reason);
        const factory = recording();
        const connected = connect(factory, TRUST, { signal: controller.signal });
        const failure = expectFailure(connected, ConnectingCancelledError);
        if (phase === 'handshake') await reactor.advanceAsync(0);
        controller.abort(reason);
        expect(failure().cause, phase).to.equal(reason);
        expect(getEventListeners(controller.signal, 'abort')).to.deep.equal([]);
        await reactor.advanceAsync(0);
        expect(factory.events, phase).to.deep.equal(['start', 'stop']);
        port?.stopListening();
        await reactor.advanceAsync(0);
      }
    });

    it('listens to no signal once it has connected or failed', async () => {
      listen();
      const { signal } = new AbortController();
      const connected = connect(recording(), TRUST, { signal });
      const failing = connect(recording(), { ...TRUST, servername: 'third.example' }, { signal });
      const failure = expectFailure(failing, CertificateError);
      await reactor.advanceAsync(0);
      successResultOf(connected);
      failure();
      expect(getEventListeners(signal, 'abort')).to.deep.equal([]);
    });
  });

  describe('listen', () => {
    it('fires with the port, and warns of handshakes that fail', async () => {
      const port = listen();
      expect(String(port.getHost())).to.contain(PATH);
      const plain = new UNIXClientEndpoint(reactor, PATH).connect(Factory.forProtocol(Greeter));
      await reactor.advanceAsync(0);
      successResultOf(plain);
      expect(log.errors).to.have.lengthOf(1);
      expect(log.errors[0]).to.be.instanceOf(SSLError);
      expect(serverFactory.events).to.deep.equal(['start']);
    });

    it('warns of a client that says nothing', async () => {
      const listening = serverEndpoint(CERTIFICATES.server, 5).listen(serverFactory);
      const plain = new UNIXClientEndpoint(reactor, PATH).connect(Factory.forProtocol(Recorder));
      await reactor.advanceAsync(6);
      successResultOf(listening);
      expect(log.errors[0]).to.be.instanceOf(TLSHandshakeTimeoutError);
      expect(successResultOf(plain).events).to.deep.equal(['made', 'lost ConnectionDone']);
    });

    it('refuses at the call what no options of a server can be', () => {
      const endpoint = new UNIXServerEndpoint(reactor, PATH);
      const { cert } = CERTIFICATES.server;
      expect(() => wrapServerTLS({}, endpoint)).to.throw(TypeError, 'needs key and cert');
      expect(() => wrapServerTLS({ cert }, endpoint)).to.throw(TypeError, 'needs key and cert');
      const misspelt = { ...CERTIFICATES.server, requestCerts: true };
      expect(() => wrapServerTLS(misspelt, endpoint)).to.throw(TypeError, 'tls has no requestCerts');
    });

    it('asks a function for each connection', async () => {
      const identities = [
        CERTIFICATES.server,
        { key: CERTIFICATES.otherServer.key, cert: CERTIFICATES.otherServer.cert },
      ];
      listen(() => identities.shift()!);
      const first = connect(recording());
      await reactor.advanceAsync(0);
      successResultOf(first);
      const second = connect(recording(), { ...TRUST, servername: CERTIFICATES.otherServer.name });
      await reactor.advanceAsync(0);
      successResultOf(second);
    });

    it('reports what such a function throws, or what is wrong with its result, and drops that connection', async () => {
      const answers: (() => TLSOptions)[] = [
        () => {
          throw new RangeError('boom');
        },
        () => ({}),
        () => CERTIFICATES.server,
      ];
      listen(() => answers.shift()!());
      for (const type of [RangeError, TypeError]) {
        const failure = expectFailure(connect(recording()), ConnectionLost);
        await reactor.advanceAsync(0);
        failure();
        expect(reactor.flushErrors(type)).to.have.lengthOf(1);
      }
      const connected = connect(recording());
      await reactor.advanceAsync(0);
      successResultOf(connected);
      expect(log.errors).to.deep.equal([]);
    });

    it('reports what buildProtocol throws, and closes that connection', async () => {
      serverFactory = new RecordingFactory(() => {
        throw new RangeError('boom');
      });
      listen();
      const connected = connect(recording());
      await reactor.advanceAsync(0);
      expect(recorderOf(connected).events).to.deep.equal(['made', 'completed', 'lost ConnectionDone']);
      expect(reactor.flushErrors(RangeError)).to.have.lengthOf(1);
      expect(log.errors).to.deep.equal([]);
    });

    it('closes a connection for which no protocol is built, without a word', async () => {
      serverFactory = new RecordingFactory(() => null);
      listen();
      const connected = connect(recording());
      await reactor.advanceAsync(0);
      expect(recorderOf(connected).events.at(-1)).to.equal('lost ConnectionDone');
      expect(log.errors).to.deep.equal([]);
    });

    it('can be cancelled, by hand and by a signal', async () => {
      const controller = new AbortController();
      const listening = serverEndpoint().listen(serverFactory, { signal: controller.signal });
      const failure = expectFailure(listening, Error);
      controller.abort(new Error('changed my mind'));
      expect(failure().cause).to.be.instanceOf(Error);
      await reactor.advanceAsync(0);
      expect(serverFactory.events).to.deep.equal(['start', 'stop']);
    });

    it('starts the factory with the port, and stops it with it', async () => {
      const port = listen();
      const connected = connect(recording());
      await reactor.advanceAsync(0);
      successResultOf(connected);
      expect(serverFactory.events).to.deep.equal(['start', 'build']);
      port.stopListening();
      await reactor.advanceAsync(0);
      expect(serverFactory.events).to.deep.equal(['start', 'build', 'stop']);
      expect(accepted[0]?.events).to.deep.equal(['made', 'completed']);
    });
  });

  it('an endpoint that is not wrapped tells a protocol that starts TLS by itself', async () => {
    const listening = new UNIXServerEndpoint(reactor, PATH).listen(
      new RecordingFactory(() => starting(CERTIFICATES.server)),
    );
    const connected = new UNIXClientEndpoint(reactor, PATH).connect(new RecordingFactory(() => starting(TRUST)));
    await reactor.advanceAsync(0);
    successResultOf(listening);
    const client = recorderOf(connected);
    expect(client.events).to.deep.equal(['made', 'completed']);
    expect(accepted[0]?.events).to.deep.equal(['made', 'completed']);
  });

  describe('arguments', () => {
    it('are refused at the call', () => {
      const server = new UNIXServerEndpoint(reactor, PATH);
      const client = new UNIXClientEndpoint(reactor, PATH);
      expect(() => wrapServerTLS(CERTIFICATES.server, {} as never)).to.throw(TypeError, 'listen');
      expect(() => wrapClientTLS(TRUST, {} as never)).to.throw(TypeError, 'connect');
      expect(() => wrapServerTLS(CERTIFICATES.server, server, { timeout: 3 } as never)).to.throw(TypeError, 'timeout');
      expect(() => wrapClientTLS(TRUST, client, { logger: log } as never)).to.throw(TypeError, 'logger');
      for (const handshakeTimeout of [-1, NaN, Infinity]) {
        expect(() => wrapServerTLS(CERTIFICATES.server, server, { handshakeTimeout })).to.throw(RangeError);
        expect(() => wrapClientTLS(TRUST, client, { handshakeTimeout })).to.throw(RangeError);
      }
      for (const tls of [undefined, null, 'cert']) {
        expect(() => wrapServerTLS(tls as never, server)).to.throw(TypeError, 'tls');
        expect(() => wrapClientTLS(tls as never, client)).to.throw(TypeError, 'tls');
      }
      expect(() => wrapServerTLS(CERTIFICATES.server, server).listen({} as never)).to.throw(TypeError, 'factory');
      expect(() => wrapClientTLS(TRUST, client).connect({} as never)).to.throw(TypeError, 'factory');
    });

    it('need a reactor with TLS: without it connect fails with UnsupportedError', () => {
      const bare = new TestReactor();
      bare.serve(443);
      const endpoint = new TCP4ClientEndpoint(bare, 'localhost', 443);
      const failure = expectFailure(wrapClientTLS(TRUST, endpoint).connect(recording()), UnsupportedError);
      bare.advance(0);
      expect(failure().message).to.contain('nodeTLS()');
      bare.assertClean();
    });
  });

  function starting(tls: TLSOptions): SecureRecorder {
    const protocol = new (class extends SecureRecorder {
      override connectionMade(): void {
        super.connectionMade();
        this.transport.startTLS(tls);
      }
    })();
    accepted.push(protocol);
    return protocol;
  }

  /** A server in plain text, with this protocol for its one client. */
  function listenPlainly(protocol: Protocol): Deferred<ListeningPort> {
    const listening = new UNIXServerEndpoint(reactor, PATH).listen(
      new (class extends Factory {
        override buildProtocol(): Protocol {
          return protocol;
        }
      })(),
    );
    reactor.advance(0);
    return listening;
  }
});

/** The protocol that was delivered. */
function recorderOf(connected: Deferred<Protocol>): Recorder {
  const protocol = successResultOf(connected);
  if (protocol instanceof Recorder) return protocol;
  throw new Error('another protocol than the factory has built');
}

/** Says something that is no TLS. */
class Greeter extends Protocol {
  override connectionMade(): void {
    this.transport.write('220 ready when you are, no TLS here\r\n');
  }
}
