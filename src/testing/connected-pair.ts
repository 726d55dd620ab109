import { ConnectionLost } from '../errors.ts';
import type { ClientProtocolFactory, ProtocolFactory, StreamProtocol } from '../interfaces/protocol.ts';
import { TestReactor } from './test-reactor.ts';

/** Moves what two joined protocols have to say to each other. */
export interface Pump {
  /**
   * Delivers everything both have to say, answers included, until neither has more. Throws the first error that a hook
   * has thrown meanwhile.
   */
  flush(): void;
}

/** Two protocols that have been joined. */
export interface ConnectedPair<S extends StreamProtocol, C extends StreamProtocol> {
  /** The protocol that was given as the server. */
  readonly server: S;
  /** The protocol that was given as the client. */
  readonly client: C;
  /** Delivers what they write. */
  readonly pump: Pump;
}

const PORT = 1;

/**
 * Joins two protocols by a connection in memory: when this returns both have been made (`connectionMade`), and have
 * exchanged their greetings. Their transports are those of a `TestReactor` of their own, whose time stands still. Throws the
 * first error that a hook has thrown.
 */
export function connectedPair<S extends StreamProtocol, C extends StreamProtocol>(
  server: S,
  client: C,
): ConnectedPair<S, C> {
  const reactor = new TestReactor();
  const pump: Pump = {
    flush: () => {
      reactor.advance(0);
      const first = reactor.flushErrors()[0];
      if (first !== undefined) throw first.value;
    },
  };
  const port = reactor.listenTCP(PORT, factoryFor(server));
  reactor.connectTCP('127.0.0.1', PORT, factoryFor(client));
  pump.flush();
  port.stopListening();
  pump.flush();
  return { server, client, pump };
}

/** A factory for the one protocol it is given. */
function factoryFor(protocol: StreamProtocol): ProtocolFactory & ClientProtocolFactory {
  return {
    doStart: () => undefined,
    doStop: () => undefined,
    buildProtocol: () => protocol,
    startedConnecting: () => undefined,
    clientConnectionFailed: (_connector, reason) => {
      throw new ConnectionLost('two protocols could not be joined', { cause: reason.value });
    },
    clientConnectionLost: () => undefined,
  };
}
