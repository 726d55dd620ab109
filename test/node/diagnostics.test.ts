/** What a reactor publishes for tools: every channel of `node:diagnostics_channel`, with real subscribers. */
import { hasSubscribers, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import {
  ConnectionDone,
  createReactor,
  Echo,
  Factory,
  Failure,
  type ObservedConnection,
  type Reactor,
  type ReactorObserver,
} from 'ropewalk';
import { DiagnosticsObserver } from '../../src/node/diagnostics.ts';
import { until } from './harness.ts';

/** Every channel there is, and the names of what its messages carry, in order. */
const CHANNELS: Readonly<Record<string, readonly string[]>> = {
  'ropewalk:connection:made': ['connection'],
  'ropewalk:connection:lost': ['connection', 'reason'],
  'ropewalk:data:received': ['connection', 'bytes'],
  'ropewalk:data:sent': ['connection', 'bytes'],
  'ropewalk:delayed-call:run': ['call', 'lateSeconds', 'seconds'],
  'ropewalk:hook:slow': ['name', 'seconds', 'connection', 'owner'],
  'ropewalk:error': ['failure', 'message'],
};

type Message = Readonly<Record<string, unknown>>;

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

describe('On node:diagnostics_channel', () => {
  const messages = new Map<string, Message[]>();
  const listeners = new Map(
    Object.keys(CHANNELS).map((name) => [
      name,
      // Only objects are published.
      (message: unknown) => void messages.get(name)?.push(message as Message),
    ]),
  );

  beforeEach(() => {
    for (const [name, listener] of listeners) {
      messages.set(name, []);
      subscribe(name, listener);
    }
  });

  afterEach(() => {
    for (const [name, listener] of listeners) unsubscribe(name, listener);
  });

  const first = (name: string): Message => messages.get(name)?.[0] ?? {};

  it('there is a channel for each method of an observer, and no other', () => {
    const observer = new DiagnosticsObserver();
    const methods = Object.getOwnPropertyNames(DiagnosticsObserver.prototype).filter((name) => name !== 'constructor');
    expect(methods).to.have.length(Object.keys(CHANNELS).length);
    for (const method of methods) expect(Reflect.get(observer, method), method).to.be.a('function');
  });

  it('all that happens is published, the arguments by name, and told to the observer too', async () => {
    const told: string[] = [];
    const observer: ReactorObserver = {
      connectionMade: () => told.push('connectionMade'),
      connectionLost: () => told.push('connectionLost'),
      dataReceived: () => told.push('dataReceived'),
      dataSent: () => told.push('dataSent'),
      delayedCallRun: () => told.push('delayedCallRun'),
      hookSlow: () => told.push('hookSlow'),
      errorReported: () => told.push('errorReported'),
    };
    const reactor = createReactor({ observer, logger: silent, slowHookSeconds: 0 });
    await serveOnce(reactor);
    for (const [name, keys] of Object.entries(CHANNELS)) {
      expect(messages.get(name)?.length, name).to.be.greaterThan(0);
      expect(Object.keys(first(name)), name).to.deep.equal(keys);
    }
    const { connection } = first('ropewalk:connection:made') as { readonly connection: ObservedConnection };
    expect(connection).to.include({ role: 'server', bytesReceived: 5, bytesSent: 5 });
    expect(first('ropewalk:connection:lost')['connection']).to.equal(connection);
    expect(first('ropewalk:connection:lost')['reason']).to.have.property('value').instanceOf(ConnectionDone);
    expect(first('ropewalk:data:received')).to.deep.equal({ connection, bytes: 5 });
    expect(first('ropewalk:data:sent')).to.deep.equal({ connection, bytes: 5 });
    expect(first('ropewalk:delayed-call:run')['lateSeconds']).to.be.at.least(0);
    expect(first('ropewalk:error')['failure']).to.be.instanceOf(Failure);
    expect(first('ropewalk:error')['message']).to.contain('An error in a delayed call');
    const slow = messages.get('ropewalk:hook:slow')?.find(({ name }) => name === 'dataReceived');
    expect(slow).to.include({ connection }).and.have.property('owner').instanceOf(Echo);
    expect(new Set(told)).to.have.keys(Object.keys(observer));
  });

  it('a subscriber that throws does not break the reactor', async () => {
    const uncaught: unknown[] = [];
    const isOurs = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => uncaught.push(error));
    const fail = (): never => {
      throw new Error('I cannot write this down');
    };
    subscribe('ropewalk:data:received', fail);
    try {
      await serveOnce(createReactor({ logger: silent }));
      await until(() => uncaught.length > 0); // Node throws it in a later tick, as for any channel
    } finally {
      unsubscribe('ropewalk:data:received', fail);
      process.removeAllListeners('uncaughtException');
      for (const listener of isOurs) process.on('uncaughtException', listener);
    }
    expect(uncaught).to.have.length(1).and.property('0').has.property('message', 'I cannot write this down');
    expect(messages.get('ropewalk:data:received')).to.have.length(1);
  });

  it('a method is not there, and costs nothing, while nobody has subscribed and there is no observer', () => {
    for (const [name, listener] of listeners) unsubscribe(name, listener);
    const observer: ReactorObserver = new DiagnosticsObserver();
    for (const name of Object.keys(CHANNELS)) expect(hasSubscribers(name), name).to.equal(false);
    expect(observer.dataReceived).to.equal(undefined);
    expect(observer.hookSlow).to.equal(undefined);
    const listener = (): void => {};
    subscribe('ropewalk:data:received', listener);
    expect(observer.dataReceived).to.be.a('function');
    unsubscribe('ropewalk:data:received', listener);
    expect(observer.dataReceived).to.equal(undefined);
  });
});

/** Has a reactor serve one connection, run a delayed call that fails, and stop. */
async function serveOnce(reactor: Reactor): Promise<void> {
  const run = reactor.run({ installSignalHandlers: false });
  const port = await reactor.listenTCP(0, Factory.forProtocol(Echo), { interface: '127.0.0.1' }).whenListening();
  const socket = connect((port.getHost() as { readonly port: number }).port, '127.0.0.1');
  socket.write('hello');
  await once(socket, 'data');
  socket.end();
  await until(() => reactor.inspect().connections.length === 0);
  reactor.callLater(0, () => {
    throw new Error('of no consequence');
  });
  reactor.callLater(0, () => reactor.stop());
  await run;
}
