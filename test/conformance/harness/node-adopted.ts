import type { Socket } from 'node:net';
import {
  DuplexProtocol,
  Reactor,
  type StreamConnectHandle,
  type StreamConnectListener,
  type StreamHandle,
  type StreamListenHandle,
  type StreamListenListener,
  type StreamPlatform,
  type StreamProtocol,
  type StreamTarget,
  type ListenTarget,
  UNIXAddress,
  WebStreamProtocol,
} from 'ropewalk';
import { DataEventSource } from '../../../src/node/byte-source.ts';
import { NodeLingering } from '../../../src/node/linger.ts';
import { NodeConnectHandle } from '../../../src/node/node-connect-handle.ts';
import { NodeListenHandle } from '../../../src/node/node-listen-handle.ts';
import { NodePlatform } from '../../../src/node/node-platform.ts';
import { NodeStreamHandle } from '../../../src/node/node-stream-handle.ts';
import { DuplexHandle } from '../../../src/node/streams/duplex-handle.ts';
import { WebStreamHandle } from '../../../src/protocols/streams/web-stream-handle.ts';
import type { ClosableStreams, NodeKind } from './node-kind.ts';
import { NODE_UNIX } from './node-unix.ts';

/** The two ends of a connection. */
interface Ends {
  readonly localAddress: UNIXAddress;
  readonly remoteAddress: UNIXAddress;
}

/** Makes a handle of a connected, paused socket, and gives it to `made`, in a later turn if it likes. */
type Adapt = (socket: Socket, ends: Ends, made: (handle: StreamHandle) => void) => void;

/** UNIX sockets whose reactors see no socket in them, but only a Duplex. */
export const NODE_DUPLEX: NodeKind = {
  ...NODE_UNIX,
  name: 'a Duplex on Node',
  manyCount: 200,
  makeStreams: () =>
    new AdaptedSockets((socket, ends, made) => {
      made(new DuplexHandle({ ...ends, duplex: socket, linger: new NodeLingering() }));
    }),
};

/** UNIX sockets of one reactor, made into Duplexes and adopted by another. */
export const NODE_DUPLEX_OF_TRANSPORT: NodeKind = {
  ...NODE_UNIX,
  name: 'a Duplex over a transport',
  manyCount: 200,
  makeStreams: () =>
    overTransports((reactor, ends, made) => {
      const duplex = new DuplexProtocol(reactor, { allowHalfOpen: true });
      duplex.once('connect', () => made(new DuplexHandle({ ...ends, duplex, linger: new NodeLingering() })));
      return duplex;
    }),
};

/** The same with Web Streams. */
export const NODE_WEB_STREAMS_OF_TRANSPORT: NodeKind = {
  ...NODE_UNIX,
  name: 'Web Streams over a transport',
  manyCount: 200,
  makeStreams: () =>
    overTransports((_reactor, { localAddress, remoteAddress }, made) => {
      const streams = new WebStreamProtocol();
      made(
        new WebStreamHandle(streams, { hostAddress: localAddress, peerAddress: remoteAddress }, new NodeLingering()),
      );
      return streams;
    }),
};

/** The sockets are served by a reactor of their own; `build` makes the protocols on them, and handles of these. */
function overTransports(
  build: (reactor: Reactor, ends: Ends, made: (handle: StreamHandle) => void) => StreamProtocol,
): ClosableStreams {
  // It is not for it to keep the process alive, nor for the harness to find that it does.
  const { clock, streams, resolver, random } = new NodePlatform();
  const below = new Reactor({ name: 'below', clock, streams, resolver, random });
  void below.run({ installSignalHandlers: false });
  const adapt: Adapt = (socket, ends, made) => {
    const handle = new NodeStreamHandle({
      ...ends,
      socket,
      source: new DataEventSource(socket),
      linger: new NodeLingering(),
    });
    below.adoptStreamHandle(handle, { doStart() {}, doStop() {}, buildProtocol: () => build(below, ends, made) });
  };
  return new AdaptedSockets(adapt, () => below[Symbol.asyncDispose]());
}

/** Connects and listens as a reactor on Node does, but makes other handles of the sockets. */
class AdaptedSockets implements StreamPlatform {
  readonly close: () => PromiseLike<void>;
  readonly #adapt: Adapt;

  constructor(adapt: Adapt, close: () => PromiseLike<void> = () => Promise.resolve()) {
    this.#adapt = adapt;
    this.close = close;
  }

  connect(target: StreamTarget, listener: StreamConnectListener): StreamConnectHandle {
    let isWanted = true;
    const attempt = new NodeConnectHandle(target, undefined, {
      connected: (socket) => {
        const ends = { localAddress: new UNIXAddress(undefined), remoteAddress: addressOf(target) };
        this.#adapt(socket, ends, (handle) => {
          if (isWanted) listener.connected(handle);
          else handle.close();
        });
      },
      connectFailed: (error) => listener.connectFailed(error),
    });
    return {
      cancel: () => {
        isWanted = false;
        attempt.cancel();
      },
    };
  }

  listen(target: ListenTarget, listener: StreamListenListener): StreamListenHandle {
    const ends = { localAddress: addressOf(target), remoteAddress: new UNIXAddress(undefined) };
    // A server makes its handles at once; those made later are told beside it.
    let made: StreamHandle | undefined;
    let isListening = true;
    const server = new NodeListenHandle(
      target,
      { ...bound(listener), accepted: () => undefined },
      (socket): StreamHandle => {
        this.#adapt(socket, ends, (handle) => {
          made = handle;
          if (isListening) listener.accepted(handle);
          else handle.close();
        });
        // It may not be there yet; nobody looks at it.
        return made!;
      },
    );
    return {
      close: () => {
        isListening = false;
        server.close();
      },
    };
  }
}

function bound(listener: StreamListenListener): StreamListenListener {
  return {
    listening: (address) => listener.listening(address),
    listenFailed: (error) => listener.listenFailed(error),
    accepted: (handle) => listener.accepted(handle),
    acceptFailed: (error) => listener.acceptFailed(error),
    closed: () => listener.closed(),
  };
}

function addressOf(target: StreamTarget | ListenTarget): UNIXAddress {
  if (target.kind !== 'unix') throw new Error('These are UNIX sockets');
  return new UNIXAddress(target.path);
}
