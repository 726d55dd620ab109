/**
 * What the conformance suite is put to: reactors on a platform, the streams of one kind between them and the world, and
 * peers that are not reactors. Everything is async, since real worlds are.
 *
 * A suite is a function `(harness: () => Harness) => void` that declares mocha cases; the harness is made anew for
 * each case and closed after it, which fails if anything is left open. A case that needs a feature the harness
 * lacks is skipped, with the reason printed.
 *
 * A flavour is a platform and a kind of streams on it. `NodeHarness` and `VirtualHarness` are the platforms: they make
 * reactors, let time pass and see what is left behind. A kind says how a reactor is asked for such streams
 * (`reactor-calls.ts`), and how a raw peer makes and accepts them; on Node each is an object in a file of its own
 * (`node-tcp.ts`, `node-unix.ts`, ...), which is all that a new one takes. A test file then names the flavour and the
 * suites it is put to: those about streams (`STREAM_SUITES`) run on every flavour, those about the reactor itself
 * once on each platform, and those about TCP and UNIX sockets as such on the flavours of these.
 */
import type {
  Address,
  ClientProtocolFactory,
  ConnectionOptions,
  Connector,
  Failure,
  ListeningPort,
  ListenOptions as PortOptions,
  ProtocolFactory,
  Reactor,
  ReactorOptions,
} from 'ropewalk/core';
import type { DatagramPeer, MulticastInterfaces } from './harness/datagram-peer.ts';
import type { ProgramCall, ProgramName } from './support/programs.ts';

/** What a flavour may lack. */
export type Feature =
  /** The host's own clock runs: time passes by itself, and `advance` waits for it. */
  | 'real-time'
  /** Time moves only by `advance`, so due times are exact. */
  | 'virtual-time'
  /** Signals can be sent to this process. */
  | 'signals'
  /** There is an IPv6 loopback. */
  | 'ipv6'
  /** Groups of IPv4 can be joined on a network interface. */
  | 'multicast'
  /** Groups of IPv6 can be joined on a network interface. */
  | 'ipv6-multicast'
  /** Datagrams to 127.255.255.255 go to everyone on this host. */
  | 'broadcast'
  /** Programs can be started. */
  | 'processes'
  /** They are those of the host. */
  | 'real-programs'
  /** An attempt to connect can be left without an answer, so that it hangs. */
  | 'unanswered-connects'
  /** A stream can be reset, and its other end can tell that from an end. */
  | 'resets'
  /** An encrypted stream that ends without TLS's farewell is told from one that ends in order, unless its options say otherwise. */
  | 'truncation';

export interface Harness {
  /** For the titles: 'TCP on Node', 'UNIX sockets in simulation'. */
  readonly name: string;
  readonly features: ReadonlySet<Feature>;
  /** A reactor on the platform, not yet running. Errors it reports are kept in `errors` unless `options` say otherwise. */
  createReactor(options?: ReactorOptions): Reactor;
  /** The errors that reactors of this harness have reported, in order; a case that expects some takes them out, and `close` fails if any is left. */
  readonly errors: Failure[];
  /** How many sockets, listeners and timers of reactors and peers there are at the moment, whether or not they keep the process alive. */
  readonly openHandleCount: number;
  /**
   * How many connections count as many: on one flavour 10,000 where the tests are thorough, on the others as many as do not take long, since it is the
   * same code for the most part.
   */
  readonly manyCount: number;
  /** More bytes than are under way between two ends of which one does not read, in whatever buffers there are. */
  readonly bulkBytes: number;
  /** Has a reactor listen, by the call for this kind of streams. */
  listen(reactor: Reactor, factory: ProtocolFactory, options?: ListenOptions): ListeningPort;
  /** Has a reactor connect to where a port or a server listens, by the call for this kind of streams. */
  connect(reactor: Reactor, destination: Address, factory: ClientProtocolFactory, options?: ConnectOptions): Connector;
  /** Connects to where a port listens; resolves when the peer's system has the connection. */
  dial(destination: Address, options?: DialOptions): Promise<Peer>;
  /** Listens for connections from a reactor, where nobody else does. */
  serve(options?: ServeOptions): Promise<PeerServer>;
  /** Opens a socket for datagrams, at a free port of 127.0.0.1 or of another address. */
  openDatagrams(host?: string): Promise<DatagramPeer>;
  /** Where groups may be joined; needs 'multicast' or 'ipv6-multicast'. */
  readonly multicastInterfaces: MulticastInterfaces;
  /** How to start a program of the suites, with arguments; needs 'processes'. */
  program(name: ProgramName, ...args: string[]): ProgramCall;
  /** Sends a signal to the process the reactors are in; needs 'signals'. */
  sendSignal(signal: 'SIGINT' | 'SIGTERM'): void;
  /** Lets at least so many seconds pass on the clock of the reactors, and everything happen that is due. */
  advance(seconds: number): Promise<void>;
  /** Lets the world go on until the condition holds; fails, naming `what`, if it does not within a few seconds of real time. */
  until(condition: () => boolean, what?: string): Promise<void>;
  /** Ends all reactors and peers, and fails if a reactor has reported an error that was not taken out. */
  close(): Promise<void>;
}

export interface ListenOptions extends PortOptions {
  /** Where another port listens or did; by default a place where nobody does. */
  readonly destination?: Address;
}

export interface ConnectOptions extends ConnectionOptions {
  readonly timeout?: number;
}

export interface DialOptions {
  /** Whether the peer keeps its writing half open when the reactor closes its own; false by default. */
  readonly allowHalfOpen?: boolean;
  /** Whether the peer reads; true by default. */
  readonly reading?: boolean;
}

export interface ServeOptions {
  /** `refuse`: nobody listens there. `ignore`: attempts get no answer (needs 'unanswered-connects'). */
  readonly answer?: 'accept' | 'refuse' | 'ignore';
  /** For the connections it accepts. */
  readonly allowHalfOpen?: boolean;
  readonly reading?: boolean;
}

/** The far end of a connection. */
export interface Peer {
  /** All that has been received since the start or `clear`. */
  readonly received: Buffer;
  /** `received` as UTF-8. */
  text(): string;
  clear(): void;
  /** Sends; dropped once the peer's writing half has closed. */
  send(data: Uint8Array | string): void;
  /** Closes the writing half, after what was sent. */
  end(): void;
  /** Resets the connection; without 'resets' it closes both halves at once, and drops what is unsent. */
  abort(): void;
  /** Stops reading, so that the reactor cannot send more than buffers hold. */
  pause(): void;
  resume(): void;
  /** The reactor has closed its writing half. */
  readonly ended: boolean;
  /** Both halves have closed, or the connection was reset. */
  readonly closed: boolean;
  /** The connection was reset by the reactor's side. Without 'resets' it may be false all the same. */
  readonly reset: boolean;
  getHost(): Address;
  getPeer(): Address;
}

export interface PeerServer {
  /** Where it listens. */
  readonly destination: Address;
  /** The connections accepted, in order. */
  readonly peers: readonly Peer[];
  /** The next connection not returned yet, as soon as there is one. */
  accept(): Promise<Peer>;
  stop(): Promise<void>;
}
