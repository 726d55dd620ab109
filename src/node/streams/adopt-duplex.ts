import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { type Address, UNIXAddress } from '../../addresses.ts';
import { describe, requireOptions } from '../../arguments.ts';
import type { ProtocolFactory } from '../../interfaces/protocol.ts';
import type { ReactorStreams } from '../../interfaces/reactor-streams.ts';
import type { Lingering, StreamHandle } from '../../interfaces/stream-platform.ts';
import { requireFactory } from '../../reactor/factory-arguments.ts';
import { DataEventSource } from '../byte-source.ts';
import { NodeStreamHandle, TCPStreamHandle } from '../node-stream-handle.ts';
import { tcpAddress } from '../socket-addresses.ts';
import { DuplexHandle } from './duplex-handle.ts';

/** The options of `adoptDuplex`. */
export interface AdoptDuplexOptions {
  /** What `getHost` of the transport returns; by default what the stream says, as sockets do, or else a `UNIXAddress` without a name. */
  readonly hostAddress?: Address;
  /** What `getPeer` returns, and `buildProtocol` is given; by default as for `hostAddress`. */
  readonly peerAddress?: Address;
}

/**
 * Runs a protocol on a Node `Duplex`: a connected `net.Socket` or `TLSSocket`, a serial port, one side of a `duplexPair`. It becomes
 * the transport of a connection with all the laws of one: `factory.buildProtocol` is called in the next turn of the running
 * reactor, and the factory counts as in use until the connection is lost. From this call on the stream is the connection's
 * alone. What it had read before is delivered; `unshift` what somebody has taken out of it, such as the `head` of an HTTP upgrade.
 *
 * Closing the connection ends the stream, then discards what still comes, for as long as the reactor's own sockets do
 * (`lingerSeconds` of `createReactor`, 2 by default), and destroys it; aborting destroys
 * it, a TCP socket with a reset. A stream that is destroyed by others loses the connection with `ConnectionLost`, whose
 * cause is the stream's error.
 *
 * Throws `TypeError` for what is no `Duplex`, for one of objects or with an encoding, one that somebody is reading
 * (it has listeners for 'data' or 'readable'), and a socket that is still connecting.
 */
export function adoptDuplex(
  reactor: ReactorStreams,
  duplex: Duplex,
  factory: ProtocolFactory,
  options: AdoptDuplexOptions = {},
): void {
  requireOptions('options', options, ['hostAddress', 'peerAddress']);
  requireByteStream(duplex);
  requireFactory(factory);
  reactor.adoptStreamHandle(handleOf(duplex, options, reactor.lingering), factory);
}

function handleOf(duplex: Duplex, { hostAddress, peerAddress }: AdoptDuplexOptions, linger: Lingering): StreamHandle {
  const parts = {
    localAddress: hostAddress ?? addressOf(duplex, 'local'),
    remoteAddress: peerAddress ?? addressOf(duplex, 'remote'),
    linger,
  };
  // Half-close is for the connection to decide.
  duplex.allowHalfOpen = true;
  const isPlainSocket = duplex instanceof Socket && !(duplex instanceof TLSSocket);
  if (!isPlainSocket || duplex.destroyed || duplex.readableEnded || duplex.writableEnded) {
    return new DuplexHandle({ ...parts, duplex });
  }
  duplex.pause();
  const socketParts = { ...parts, socket: duplex, source: new DataEventSource(duplex) };
  if (duplex.remoteAddress === undefined) return new NodeStreamHandle(socketParts);
  duplex.setNoDelay(true);
  return new TCPStreamHandle(socketParts);
}

function requireByteStream(duplex: Duplex): void {
  const given: unknown = duplex;
  if (!(given instanceof Duplex)) throw new TypeError(`duplex must be a Duplex; got ${describe(given)}`);
  if (given.readableObjectMode || given.writableObjectMode) throw new TypeError('duplex must be a stream of bytes');
  if (given.readableEncoding !== null) throw new TypeError('duplex must have no encoding: its bytes are wanted');
  if (given.listenerCount('data') + given.listenerCount('readable') > 0) {
    throw new TypeError("duplex is read by somebody else: it has listeners for 'data' or 'readable'");
  }
  if (given instanceof Socket && given.connecting) throw new TypeError('duplex must be connected');
}

/** As a socket and those who take after one give it. */
function addressOf(duplex: Duplex, end: 'local' | 'remote'): Address {
  const host: unknown = Reflect.get(duplex, `${end}Address`);
  const port: unknown = Reflect.get(duplex, `${end}Port`);
  const family: unknown = Reflect.get(duplex, `${end}Family`);
  if (typeof host !== 'string' || typeof port !== 'number') return new UNIXAddress(undefined);
  return tcpAddress(typeof family === 'string' ? family : undefined, host, port);
}
