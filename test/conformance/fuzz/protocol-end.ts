import type { Buffer } from 'node:buffer';
import {
  ConnectionAborted,
  ConnectionDone,
  type Failure,
  Protocol,
  type TLSOptions,
  type Transport,
} from 'ropewalk/core';
import { End } from './end.ts';
import { FuzzedProducer } from './fuzzed-producer.ts';
import type { Call, Reaction } from './program.ts';
import type { Seam } from './seam.ts';

/** What the ends of one program share. */
export interface Scene {
  /** Performs the calls of a reaction, on this end and the other. */
  react(reaction: Reaction): void;
  /** What is going on at the moment, with the outermost first: hooks, and methods of transports. */
  readonly inside: string[];
  /** Everything in order, for the message of a failure. */
  readonly log: string[];
  /** Where TLS begins. */
  readonly seam: Seam;
  /** For either role. */
  readonly tlsOptions: { readonly client: TLSOptions; readonly server: TLSOptions };
  /** An end is to ask the other for TLS. */
  requestTLS(end: ProtocolEnd, call: Call & { readonly name: 'startTLS' }): void;
}

type HookName =
  | 'connectionMade'
  | 'handshakeCompleted'
  | 'dataReceived'
  | 'readConnectionLost'
  | 'writeConnectionLost'
  | 'connectionLost';

/** The error of hooks that throw. */
export class FuzzedError extends Error {}

/** A protocol of ours, which checks each of its hooks against the laws. */
export class ProtocolEnd extends End {
  readonly protocol: Protocol;
  readonly hooks: HookName[] = [];
  reason: Error | undefined;
  thrownCount: number = 0;
  /** The first error thrown while the connection was open: the one it is to be lost by. */
  thrown: FuzzedError | undefined;
  isPaused: boolean = false;
  /** Whether its reactor runs. */
  isRunning: boolean = true;
  readonly #name: string;
  readonly #scene: Scene;
  #reactions: readonly Reaction[];
  #transport: Transport | undefined;
  /** The writing half, as far as this side has closed it. */
  #writing: 'open' | 'closed' = 'open';
  #producer: FuzzedProducer | undefined;
  /** It was open when `abortConnection` was called. */
  #abortedWhileOpen = false;
  /** It has called `startTLS`, and the handshake is not over. */
  #isShaking = false;

  constructor(name: string, halfCloseable: boolean, reactions: readonly Reaction[], scene: Scene) {
    super();
    this.#name = name;
    this.#reactions = reactions;
    this.#scene = scene;
    this.protocol = halfCloseable ? new HalfCloseFuzzedProtocol(this) : new FuzzedProtocol(this);
  }

  get isMade(): boolean {
    return this.hooks.length > 0;
  }

  get isOver(): boolean {
    return this.hooks.at(-1) === 'connectionLost';
  }

  get hasSeenEnd(): boolean {
    const isDone = this.reason instanceof ConnectionDone && !this.hasLeft;
    return this.hooks.includes('readConnectionLost') || isDone;
  }

  /** Whether `startTLS` does something. */
  get canUpgrade(): boolean {
    const transport = this.#transport;
    return transport !== undefined && this.#isOpen(transport) && this.#writing === 'open';
  }

  // ------------------------------------------------------------------------------------------------------- its hooks

  connectionMade(transport: Transport): void {
    this.#transport = transport;
    if (this.hooks.length > 0) this.problems.push('connectionMade is not first');
    this.#hook('connectionMade');
  }

  dataReceived(data: Buffer): void {
    if (data.length === 0) this.problems.push('no data was delivered');
    if (this.hooks.includes('readConnectionLost')) this.problems.push('data after readConnectionLost');
    if (this.#isShaking) this.problems.push('data before the handshake is over');
    const { seam } = this.#scene;
    const own = seam.plainPartOf(this, data);
    this.checkReceived(own);
    // As a protocol does that finds behind a line what it is no longer to read.
    seam.received(this, data.subarray(own.length));
    this.#deliveredByPeer('dataReceived', `${data.length} bytes`);
  }

  handshakeCompleted(): void {
    const isFirst = this.hooks.every((hook) => hook === 'connectionMade');
    if (!this.#isShaking && !isFirst) this.problems.push('handshakeCompleted without startTLS');
    this.#isShaking = false;
    this.#scene.seam.completed(this);
    this.#hook('handshakeCompleted');
  }

  readConnectionLost(): void {
    if (this.hooks.includes('readConnectionLost')) this.problems.push('readConnectionLost twice');
    this.#deliveredByPeer('readConnectionLost');
  }

  writeConnectionLost(): void {
    if (this.hooks.includes('writeConnectionLost')) this.problems.push('writeConnectionLost twice');
    if (this.#writing === 'open') this.problems.push('writeConnectionLost of a half that was not closed');
    this.#hook('writeConnectionLost');
  }

  connectionLost({ value }: Failure): void {
    this.reason = value;
    this.#checkReason(value);
    this.#hook('connectionLost', value.constructor.name);
    if (this.#producer !== undefined) this.problems.push('a producer was not stopped');
  }

  // ------------------------------------------------------------------------------------------- what a program does to it

  do(call: Call): void {
    const transport = this.#transport;
    if (transport === undefined) return;
    switch (call.name) {
      case 'write':
        this.#write(transport, call.bytes);
        return;
      case 'writeSequence':
        this.#writeSequence(transport, call.bytes);
        return;
      case 'loseConnection':
        if (this.#isOpen(transport)) this.hasLeft = true;
        this.#writing = 'closed';
        break;
      case 'loseWriteConnection':
        this.#writing = 'closed';
        break;
      case 'abortConnection':
        if (this.#isOpen(transport)) this.#abortedWhileOpen = true;
        if (transport.connected) this.hasAborted = true;
        break;
      case 'pauseProducing':
        // One that is closing goes on by itself.
        this.isPaused = this.#isOpen(transport);
        break;
      case 'resumeProducing':
        this.isPaused = false;
        break;
      case 'registerProducer':
        this.#registerProducer(transport, call);
        return;
      case 'startTLS':
        this.#scene.requestTLS(this, call);
        return;
      case 'unregisterProducer':
        this.#producer?.retire();
        this.#producer = undefined;
        break;
    }
    this.#call(call.name, () => transport[call.name]());
    if (call.name === 'loseConnection' && transport.connected && !transport.disconnecting) {
      this.problems.push('loseConnection, and it is not disconnecting');
    }
  }

  /** Calls `startTLS`; to be called when it can. */
  upgrade(isServer: boolean, received?: Buffer): void {
    const transport = this.#transport;
    if (transport === undefined) return;
    this.#isShaking = true;
    const { client, server } = this.#scene.tlsOptions;
    const options = { isServer, ...(received !== undefined && received.length > 0 && { received }) };
    this.#call(`startTLS as ${isServer ? 'server' : 'client'}, ${received?.length ?? 0} bytes`, () => {
      transport.startTLS(isServer ? server : client, options);
    });
  }

  finish(): void {
    this.#reactions = [];
    this.do({ name: 'resumeProducing' });
    this.do({ name: 'unregisterProducer' });
    this.do({ name: 'loseWriteConnection' });
  }

  // ----------------------------------------------------------------------------------------------------------- inside

  #isOpen({ connected, disconnecting }: Transport): boolean {
    return connected && !disconnecting;
  }

  /** After its half has been closed, what a registered producer writes is still taken. */
  #takesWrites(transport: Transport): boolean {
    if (!transport.connected || this.hasAborted) return false;
    return (this.#isOpen(transport) && this.#writing === 'open') || (this.#isClosing && this.#producer !== undefined);
  }

  /** This side has closed its half, and nothing else has happened. */
  get #isClosing(): boolean {
    return this.#writing === 'closed' && this.thrown === undefined;
  }

  #write(transport: Transport, bytes: number): void {
    if (this.#scene.seam.holds(this)) return;
    const isTaken = this.#takesWrites(transport);
    const data = this.nextBytes(bytes);
    if (isTaken) this.sentBytes += data.length;
    const result = this.#call(`write(${data.length})`, () => transport.write(data));
    if (!isTaken && result) this.problems.push('write returned true for what was dropped');
  }

  #writeSequence(transport: Transport, lengths: readonly number[]): void {
    if (this.#scene.seam.holds(this)) return;
    const isTaken = this.#takesWrites(transport);
    const before = this.sentBytes;
    const pieces = lengths.map((bytes) => {
      const data = this.nextBytes(bytes);
      this.sentBytes += data.length;
      return data;
    });
    if (!isTaken) this.sentBytes = before;
    const result = this.#call(`writeSequence(${lengths.join(' ')})`, () => transport.writeSequence(pieces));
    if (!isTaken && result) this.problems.push('writeSequence returned true for what was dropped');
  }

  #registerProducer(transport: Transport, call: Call & { readonly name: 'registerProducer' }): void {
    let timesLeft = call.times;
    const producer = new FuzzedProducer(call.streaming, {
      produce: () => {
        if (timesLeft > 0) this.#write(transport, call.bytes);
        timesLeft -= 1;
        if (timesLeft === 0 && call.unregisters) this.do({ name: 'unregisterProducer' });
        this.#react();
      },
      stopped: () => {
        if (this.#producer === producer) this.#producer = undefined;
        if (this.#scene.inside.at(-1)?.endsWith('.loseConnection') === true) {
          this.problems.push('loseConnection did not wait for the producer');
        }
        this.#react();
      },
      problem: (description) => this.problems.push(description),
    });
    const isOccupied = this.#producer !== undefined && this.#takesWrites(transport);
    if (isOccupied) producer.retire();
    else if (this.#takesWrites(transport)) this.#producer = producer;
    let hasThrown = false;
    try {
      this.#call(`registerProducer(${call.streaming})`, () => {
        if (call.streaming) transport.registerProducer(producer, true);
        else transport.registerProducer(producer, false);
      });
    } catch {
      hasThrown = true;
    }
    if (hasThrown !== isOccupied) this.problems.push('registerProducer threw, or did not, and should not have');
  }

  /** Calls a method of a transport, from inside which no hook may be called. */
  #call<T>(description: string, call: () => T): T {
    const { inside, log } = this.#scene;
    log.push(`${this.#name}: ${description}`);
    inside.push(`${this.#name}.${description}`);
    try {
      return call();
    } finally {
      inside.pop();
    }
  }

  /** What the peer has done is not delivered while paused, and not after this side has left. */
  #deliveredByPeer(hook: HookName, detail = ''): void {
    if (this.isPaused) this.problems.push(`${hook} while paused`);
    if (this.hasLeft || this.hasAborted || this.thrown !== undefined) this.problems.push(`${hook} after it has left`);
    this.#hook(hook, detail);
  }

  #hook(hook: HookName, detail = ''): void {
    const { inside, log } = this.#scene;
    log.push(`${this.#name}! ${hook} ${detail}`);
    if (inside.length > 0) this.problems.push(`${hook} inside ${inside.join(' > ')}`);
    if (this.isOver) this.problems.push(`${hook} after connectionLost`);
    if (!this.isRunning) this.problems.push(`${hook} while the reactor does not run`);
    const { connected } = this.#transport ?? { connected: false };
    if (connected !== (hook !== 'connectionLost')) this.problems.push(`connected is ${connected} in ${hook}`);
    this.hooks.push(hook);
    inside.push(`${this.#name}.${hook}`);
    try {
      this.#react();
    } finally {
      inside.pop();
    }
  }

  /** The next reaction, in a hook or in a method of a producer. */
  #react(): void {
    const [reaction, ...rest] = this.#reactions;
    if (reaction === undefined) return;
    this.#reactions = rest;
    this.#scene.react(reaction);
    if (reaction.throws) this.#throw();
  }

  #throw(): never {
    const error = new FuzzedError(`thrown by ${this.#name}`);
    this.#scene.log.push(`${this.#name}: throws`);
    this.thrownCount += 1;
    // A connection that is closing by itself is not lost by an error any more; one that this side closes may be.
    const isOpen = this.#transport !== undefined && this.#isOpen(this.#transport);
    if (isOpen || (this.hasLeft && !this.isOver)) this.thrown ??= error;
    throw error;
  }

  /** Which reasons there are when this side has done something; the laws of both ends are elsewhere. */
  #checkReason(reason: Error): void {
    const isAborted = reason instanceof ConnectionAborted;
    if (isAborted && !this.hasAborted) this.problems.push('ConnectionAborted without abortConnection');
    if (this.#abortedWhileOpen && !isAborted) this.problems.push(`aborted, and lost by ${reason.constructor.name}`);
    if (this.isPaused && reason instanceof ConnectionDone && this.#writing === 'open') {
      this.problems.push('the end of the peer was delivered while paused');
    }
  }
}

class FuzzedProtocol extends Protocol {
  protected readonly end: ProtocolEnd;

  constructor(end: ProtocolEnd) {
    super();
    this.end = end;
  }

  override connectionMade(): void {
    this.end.connectionMade(this.transport);
  }

  override dataReceived(data: Buffer): void {
    this.end.dataReceived(data);
  }

  handshakeCompleted(): void {
    this.end.handshakeCompleted();
  }

  override connectionLost(reason: Failure): void {
    this.end.connectionLost(reason);
  }
}

class HalfCloseFuzzedProtocol extends FuzzedProtocol {
  readConnectionLost(): void {
    this.end.readConnectionLost();
  }

  writeConnectionLost(): void {
    this.end.writeConnectionLost();
  }
}
