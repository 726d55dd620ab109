/**
 * What stands between an endpoint and the factory of somebody who wants TLS over it: a protocol that lets nobody through
 * before the handshake is over.
 *
 *     shaking ──handshakeCompleted──▶ making ──▶ through ──connectionLost──▶ lost
 *        ╰──────────connectionLost, or cancel──────────────────────────────────▲
 *
 * When the handshake is over it builds the user's protocol, gives it the transport (making), and passes everything on.
 */
import type { Buffer } from 'node:buffer';
import type { Address } from '../addresses.ts';
import { Failure } from '../deferred/failure.ts';
import { NoProtocol } from '../errors.ts';
import type {
  AnyProtocol,
  HandshakeListener,
  HookResult,
  ProtocolFactoryOf,
  StreamProtocol,
} from '../interfaces/protocol.ts';
import type { TLSOptions } from '../interfaces/tls-engine.ts';
import type { StartTLSOptions, Transport } from '../interfaces/transport.ts';
import { passedOn } from './passed-on.ts';

/** How to shake hands. */
export interface GateTLS {
  readonly tls: () => TLSOptions;
  readonly options: StartTLSOptions;
}

/** Is told how it went, once. */
export interface GateOutcome<P extends StreamProtocol> {
  /** The protocol has its connection. */
  passed(protocol: P): void;
  /** The handshake has failed, and the connection is lost. */
  failed(reason: Failure): void;
  /**
   * Nobody could be let through because of this side: the options were wrong, or the factory has thrown, or built no
   * protocol (`NoProtocol`). The connection is about to be lost. What this throws is an error of the hook.
   */
  refused(reason: Failure): void;
}

export class TLSGate<P extends StreamProtocol> implements HandshakeListener {
  readonly #factory: ProtocolFactoryOf<P>;
  readonly #address: Address;
  readonly #how: GateTLS;
  readonly #outcome: GateOutcome<P>;
  #transport: Transport | undefined;
  /** Of the user. */
  #protocol: (P & AnyProtocol) | undefined;
  #state: 'shaking' | 'making' | 'through' | 'lost' = 'shaking';

  constructor(factory: ProtocolFactoryOf<P>, address: Address, how: GateTLS, outcome: GateOutcome<P>) {
    this.#factory = factory;
    this.#address = address;
    this.#how = how;
    this.#outcome = outcome;
  }

  /** Whom it speaks to. */
  get address(): Address {
    return this.#address;
  }

  /**
   * Gives the connection up, unless somebody has been let through. Nothing is told; but a protocol that is being given
   * its connection sees it lost.
   */
  cancel(): void {
    if (this.#state === 'through' || this.#state === 'lost') return;
    if (this.#state === 'shaking') this.#state = 'lost';
    this.#transport?.abortConnection();
  }

  makeConnection(transport: Transport): void {
    this.#transport = transport;
    if (this.#state === 'lost') {
      transport.abortConnection();
      return;
    }
    try {
      transport.startTLS(this.#how.tls(), this.#how.options);
    } catch (error) {
      transport.abortConnection();
      this.#refuse(error);
    }
  }

  handshakeCompleted(): HookResult {
    if (this.#state === 'through') return this.#protocol?.handshakeCompleted?.();
    if (this.#hasGivenUp() || this.#transport === undefined) return undefined;
    let protocol: (P & AnyProtocol) | null;
    try {
      protocol = this.#factory.buildProtocol(this.#address);
    } catch (error) {
      this.#transport.loseConnection();
      this.#refuse(error);
      return undefined;
    }
    if (this.#hasGivenUp()) return undefined;
    if (protocol !== null) return this.#letThrough(protocol, this.#transport);
    this.#transport.loseConnection();
    this.#refuse(new NoProtocol());
    return undefined;
  }

  dataReceived(data: Buffer): HookResult {
    return this.#protocol?.dataReceived(data);
  }

  get readConnectionLost(): (() => HookResult) | undefined {
    return passedOn(this.#protocol, 'readConnectionLost');
  }

  get writeConnectionLost(): (() => HookResult) | undefined {
    return passedOn(this.#protocol, 'writeConnectionLost');
  }

  get connectionDraining(): (() => HookResult) | undefined {
    return passedOn(this.#protocol, 'connectionDraining');
  }

  connectionLost(reason: Failure): HookResult {
    const state = this.#state;
    this.#state = 'lost';
    if (state === 'through') return this.#protocol?.connectionLost(reason);
    if (state === 'shaking') this.#outcome.failed(reason);
    return undefined;
  }

  /** Behind a call, so that the compiler expects the user's code to have changed the state by cancelling. */
  #hasGivenUp(): boolean {
    return this.#state === 'lost';
  }

  #letThrough(protocol: P & AnyProtocol, transport: Transport): HookResult {
    this.#state = 'making';
    this.#protocol = protocol;
    let made: HookResult;
    try {
      made = protocol.makeConnection(transport);
    } catch (error) {
      this.#state = 'through';
      this.#outcome.failed(new Failure(error));
      // The connection reports it and closes, as for any hook.
      throw error;
    }
    this.#state = 'through';
    this.#outcome.passed(protocol);
    return bothOf(made, () => (transport.disconnecting ? undefined : protocol.handshakeCompleted?.()));
  }

  #refuse(error: unknown): void {
    this.#state = 'lost';
    this.#outcome.refused(new Failure(error));
  }
}

/** The results of two hooks as that of one: either may return a promise. */
function bothOf(first: HookResult, callSecond: () => HookResult): HookResult {
  let second: HookResult;
  try {
    second = callSecond();
  } catch (error) {
    // One error of the two is enough, and nobody else would take the other.
    first?.then(undefined, () => undefined);
    throw error;
  }
  if (first === undefined) return second;
  return second === undefined ? first : Promise.all([first, second]).then(() => undefined);
}
