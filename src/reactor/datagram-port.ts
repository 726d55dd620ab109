/**
 * A port for datagrams.
 *
 *     idle ──▶ binding ──▶ bound ──▶ started ──▶ closing ──▶ idle
 *                 │  ╰────────┴──────────────────▲
 *                 ╰──▶ idle (failed)
 *
 * - binding: what is asked of the socket waits, at most `backlog` calls, and is done in order when it is bound.
 * - bound: it sends; the protocol waits for the reactor to run.
 * - started: the protocol has its transport, hooks are called.
 * - closing: nothing is delivered any more. A protocol that was started is stopped when the socket has closed.
 *
 * As with other ports, binding and closing go on whether or not the reactor runs, and those who wait are told at once. What
 * arrives while it does not run is held, at most `backlog` datagrams, and the others are dropped, as the system drops them.
 * A report that was held for one socket is nothing to the next: its handle is compared with the present one.
 */
import { Buffer } from 'node:buffer';
import type { IPv4Address, IPv6Address } from '../addresses.ts';
import type { Deferred } from '../deferred/deferred.ts';
import { fail, succeed } from '../deferred/succeed-fail.ts';
import { CannotListenError, ConnectInProgressError, NotListeningError } from '../errors.ts';
import type { DatagramHandle, DatagramListener } from '../interfaces/datagram-platform.ts';
import type { DatagramDestination, DatagramReceiver, UDPPort } from '../interfaces/datagram-transport.ts';
import type { SystemError } from '../interfaces/platform.ts';
import type { IPFamily } from '../interfaces/resolver.ts';
import { familiesAt, toBytes } from './datagram-destination.ts';
import { DatagramOptions } from './datagram-options.ts';
import { DatagramSender } from './datagram-sender.ts';
import { DatagramSocket } from './datagram-socket.ts';
import { ListenWaiters } from './listen-waiters.ts';
import type { ReactorParts } from './reactor-parts.ts';
import { sendErrorFor } from './system-errors.ts';

/** What a port for datagrams is made of. */
export interface DatagramPortParts {
  /** The address that was asked for. */
  readonly host: string;
  readonly port: number;
  /** Begins to bind a socket there. */
  readonly bind: (listener: DatagramListener) => DatagramHandle;
  /** As the user knows it, and as it is called: in its context. */
  readonly protocol: DatagramReceiver;
  readonly receiver: DatagramReceiver;
  /** How many bytes of a datagram are delivered. */
  readonly bytesMax: number;
  /** How many datagrams, or calls, may wait. */
  readonly backlog: number;
}

type State =
  | { readonly name: 'idle'; readonly error: CannotListenError | undefined }
  | { readonly name: 'binding' }
  | { readonly name: 'bound' | 'started'; readonly address: IPv4Address | IPv6Address }
  | { readonly name: 'closing'; readonly wasStarted: boolean };

/** How systems say that nobody is at a port; the second on Windows. */
const REFUSALS: readonly string[] = ['ECONNREFUSED', 'ECONNRESET'];

export class DatagramPort implements UDPPort, DatagramListener {
  readonly #reactor: ReactorParts;
  readonly #parts: DatagramPortParts;
  /** The families it can send to; the first is its own. */
  readonly #families: readonly [IPFamily, ...IPFamily[]];
  #state: State = { name: 'idle', error: undefined };
  /** These belong to one socket; after it has closed they only answer. */
  #socket: DatagramSocket;
  #options: DatagramOptions;
  #sender: DatagramSender;
  /** How many reports wait for the reactor. */
  #heldCount = 0;
  /** Which failures to send have been reported. */
  readonly #reportedCodes = new Set<string>();
  readonly #waiters = new ListenWaiters<UDPPort>();

  constructor(reactor: ReactorParts, parts: DatagramPortParts) {
    this.#reactor = reactor;
    this.#parts = parts;
    this.#families = familiesAt(parts.host);
    this.#socket = new DatagramSocket(reactor.errors, parts.backlog);
    this.#options = new DatagramOptions(reactor, this.#socket, this.#families[0]);
    this.#sender = new DatagramSender(this.#socket, this.#families);
  }

  // -------------------------------------------------------------------------------------------------------- the port

  getHost(): IPv4Address | IPv6Address {
    switch (this.#state.name) {
      case 'bound':
      case 'started':
        return this.#state.address;
      case 'idle':
      case 'binding':
      case 'closing':
        throw new NotListeningError(`Not bound: ${this.toString()}`);
    }
  }

  startListening(): void {
    if (this.#state.name !== 'idle') {
      throw this.#cannotListen(new Error(`the port is ${this.#state.name} already`));
    }
    const { datagramProtocols, ports } = this.#reactor;
    const { protocol, bind, backlog } = this.#parts;
    if (datagramProtocols.has(protocol) || (protocol.numPorts ?? 0) > 0) {
      throw new ConnectInProgressError('The protocol serves a port already; make another one for another port');
    }
    const socket = new DatagramSocket(this.#reactor.errors, backlog);
    socket.open(bind(this));
    this.#socket = socket;
    this.#options = new DatagramOptions(this.#reactor, socket, this.#families[0]);
    this.#sender = new DatagramSender(socket, this.#families);
    this.#reportedCodes.clear();
    this.#state = { name: 'binding' };
    ports.add(this);
    datagramProtocols.add(protocol);
  }

  whenListening(): Deferred<UDPPort> {
    switch (this.#state.name) {
      case 'bound':
      case 'started':
        return succeed<UDPPort>(this);
      case 'idle':
        return fail(this.#state.error ?? this.#cannotListen(new Error('the port has been stopped')));
      case 'closing':
        return fail(this.#cannotListen(new Error('the port is being stopped')));
      case 'binding':
        return this.#waiters.whenListening();
    }
  }

  stopListening(): Deferred<void> {
    const state = this.#state;
    switch (state.name) {
      case 'idle':
        return succeed(undefined);
      case 'binding':
      case 'bound':
      case 'started':
        this.#state = { name: 'closing', wasStarted: state.name === 'started' };
        this.#socket.close();
        this.#waiters.failListening(this.#cannotListen(new Error('stopListening was called')));
        break;
      case 'closing':
        break;
    }
    return this.#waiters.whenClosed();
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.stopListening();
  }

  /** For people: the address, and what it is doing unless it receives. */
  toString(): string {
    const state = this.#state;
    const { host, port } = state.name === 'bound' || state.name === 'started' ? state.address : this.#parts;
    const doing = state.name === 'started' ? '' : ` (${state.name})`;
    return `UDP port ${String(port)} of ${host}${doing}`;
  }

  // --------------------------------------------------------------------------------------------------------- sending

  write(data: Uint8Array | string, address?: DatagramDestination): void {
    this.#sender.send(toBytes(data), address);
  }

  writeSequence(pieces: Iterable<Uint8Array | string>, address?: DatagramDestination): void {
    this.write(Buffer.concat(Array.from(pieces, toBytes)), address);
  }

  connect(host: string, port: number): void {
    this.#sender.connect(host, port);
  }

  // --------------------------------------------------------------------------------------------------------- options

  getBroadcastAllowed(): boolean {
    return this.#options.broadcastAllowed;
  }

  setBroadcastAllowed(enabled: boolean): void {
    this.#options.setBroadcastAllowed(enabled);
  }

  joinGroup(group: string, interfaceHost = ''): Deferred<void> {
    return this.#options.changeMembership('join', group, interfaceHost);
  }

  leaveGroup(group: string, interfaceHost = ''): Deferred<void> {
    return this.#options.changeMembership('leave', group, interfaceHost);
  }

  getOutgoingInterface(): string {
    return this.#options.outgoingInterface;
  }

  setOutgoingInterface(interfaceHost: string): Deferred<void> {
    return this.#options.setOutgoingInterface(interfaceHost);
  }

  getLoopbackMode(): boolean {
    return this.#options.loopbackMode;
  }

  setLoopbackMode(enabled: boolean): void {
    this.#options.setLoopbackMode(enabled);
  }

  getTTL(): number {
    return this.#options.ttl;
  }

  setTTL(hops: number): void {
    this.#options.setTTL(hops);
  }

  // ------------------------------------------------------------------------------------------- what the handle reports

  bound(address: IPv4Address | IPv6Address): void {
    const { loop } = this.#reactor;
    loop.deliverNow(() => {
      this.#socket.bound();
    });
    if (this.#state.name !== 'binding') return; // a callback of a call that waited has stopped it
    this.#state = { name: 'bound', address };
    const socket = this.#socket;
    loop.deliver(() => {
      if (this.#state.name === 'bound' && this.#socket === socket) this.#start(address);
    });
    const waiters = this.#waiters.takeListening();
    loop.deliverNow(() => {
      for (const waiter of waiters) waiter.callback(this);
    });
  }

  bindFailed(error: SystemError): void {
    if (this.#state.name !== 'binding') return;
    const cannotListen = this.#cannotListen(error);
    const waiters = this.#waiters.takeListening();
    this.#reactor.loop.deliverNow(() => {
      this.#becomeIdle(cannotListen);
      this.#socket.failed();
      for (const waiter of waiters) waiter.errback(cannotListen);
    });
    if (waiters.length === 0) {
      this.#reactor.errors.report(cannotListen, 'A port failed to listen, and nobody asked whether it did');
    }
  }

  datagramReceived(data: Buffer, from: IPv4Address | IPv6Address): void {
    const { bytesMax } = this.#parts;
    // Copied, so that a short part does not keep the memory of the whole.
    const delivered = data.length <= bytesMax ? data : Buffer.from(data.subarray(0, bytesMax));
    const { loop } = this.#reactor;
    if (loop.enter()) {
      this.#deliver(delivered, from);
      loop.leave();
    } else {
      this.#hold(() => {
        this.#deliver(delivered, from);
      });
    }
  }

  sendFailed(error: SystemError): void {
    if (!REFUSALS.includes(error.code)) {
      this.#reportOnce(error.code, sendErrorFor(error));
      return;
    }
    if (!this.#sender.isConnected) return; // some systems tell, most do not, and nobody knows whom it is about
    const { loop } = this.#reactor;
    if (loop.holdsReports) {
      this.#hold(() => {
        this.#refused();
      });
    } else {
      loop.deliver(() => {
        this.#refused();
      });
    }
  }

  closed(): void {
    const { loop } = this.#reactor;
    if (loop.running) {
      loop.callSoon(() => {
        this.#finishClosing();
      });
    } else {
      this.#finishClosing();
    }
  }

  // --------------------------------------------------------------------------------------------------------- inside

  #start(address: IPv4Address | IPv6Address): void {
    this.#state = { name: 'started', address };
    const { receiver } = this.#parts;
    this.#reactor.errors.callHook('startProtocol', receiver, () => receiver.makeConnection(this));
  }

  #deliver(data: Buffer, from: IPv4Address | IPv6Address): void {
    if (this.#state.name !== 'started') return;
    this.#sender.heard(from);
    const { errors, hookWatch } = this.#reactor;
    const { receiver } = this.#parts;
    const startedAt = hookWatch?.now();
    try {
      const result = receiver.datagramReceived(data, from);
      if (result !== undefined) errors.watch(result, 'An error in datagramReceived');
    } catch (error) {
      errors.report(error, 'An error in datagramReceived');
    }
    if (startedAt !== undefined) hookWatch?.ended(startedAt, 'datagramReceived', receiver);
  }

  #refused(): void {
    if (this.#state.name !== 'started') return;
    const { receiver } = this.#parts;
    this.#reactor.errors.callHook('connectionRefused', receiver, () => receiver.connectionRefused());
  }

  /** Keeps a report of this socket for when the reactor runs, unless too many wait already. */
  #hold(report: () => void): void {
    if (this.#heldCount >= this.#parts.backlog) return;
    this.#heldCount += 1;
    const socket = this.#socket;
    this.#reactor.loop.hold(() => {
      this.#heldCount -= 1;
      if (this.#socket === socket) report();
    });
  }

  /** A network that is down fails every datagram; one line of log says it. */
  #reportOnce(code: string, error: Error): void {
    if (this.#reportedCodes.has(code)) return;
    this.#reportedCodes.add(code);
    this.#reactor.errors.report(
      error,
      `The ${this.toString()} could not send a datagram; further failures with ${code} are not reported`,
    );
  }

  #finishClosing(): void {
    if (this.#state.name !== 'closing') return;
    const { wasStarted } = this.#state;
    const waiters = this.#waiters.takeClosing();
    this.#becomeIdle(undefined);
    if (wasStarted) {
      const { receiver } = this.#parts;
      this.#reactor.errors.callHook('stopProtocol', receiver, () => receiver.doStop());
    }
    for (const waiter of waiters) waiter.callback(undefined);
  }

  #becomeIdle(error: CannotListenError | undefined): void {
    this.#state = { name: 'idle', error };
    this.#reactor.ports.delete(this);
    this.#reactor.datagramProtocols.delete(this.#parts.protocol);
  }

  #cannotListen(cause: Error): CannotListenError {
    return new CannotListenError(this.#parts.host, this.#parts.port, cause);
  }
}
