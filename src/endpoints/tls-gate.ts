/**
 * What stands between an endpoint and the factory of somebody who wants TLS over it: a protocol that lets nobody through
 * before the handshake is over.
 *
 *     shaking ──handshakeCompleted──▶ through ──connectionLost──▶ lost
 *        ╰──────────connectionLost, or cancel───────────────────────▲
 *
 * Then it builds the user's protocol, gives it the transport, and passes everything on.
 */
import type { Buffer } from 'node:buffer';
import type { Address } from '../addresses.ts';
import { Failure } from '../deferred/failure.ts';
import { NoProtocol } from '../errors.ts';
import type {
  DrainableProtocol,
  HalfCloseableProtocol,
  HandshakeListener,
  HookResult,
  ProtocolFactoryOf,
  StreamProtocol,
} from '../interfaces/protocol.ts';
import type { TLSOptions } from '../interfaces/tls-engine.ts';
import type { StartTLSOptions, Transport } from '../interfaces/transport.ts';

/** The user's protocol may have any of the hooks that are optional. */
type AnyProtocol = StreamProtocol & Partial<HalfCloseableProtocol & HandshakeListener & DrainableProtocol>;

/** How to shake hands. */
export interface GateTLS {
  readonly tls: () => TLSOptions;
  readonly options: StartTLSOptions;
}

/** Is told how it went, once. */
export interface GateOutcome<P extends StreamProtocol> {
  /** The protocol has its connection. */
  passed(protocol: P): void;
  /** The handshake has failed, or the factory has; the connection is lost, or about to be. */
  failed(reason: Failure): void;
}

export class TLSGate<P extends StreamProtocol> implements HandshakeListener, DrainableProtocol {
  // Present only if the user's protocol has them: having them is what opts in to half-close.
  declare readConnectionLost?: () => HookResult;
  declare writeConnectionLost?: () => HookResult;

  readonly #factory: ProtocolFactoryOf<P>;
  readonly #address: Address;
  readonly #how: GateTLS;
  readonly #outcome: GateOutcome<P>;
  #transport: Transport | undefined;
  /** Of the user. */
  #protocol: (P & AnyProtocol) | undefined;
  #state: 'shaking' | 'through' | 'lost' = 'shaking';

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

  /** Gives up, if nobody has been let through. Nothing is told. */
  cancel(): void {
    if (this.#state !== 'shaking') return;
    this.#state = 'lost';
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
      this.#fail(new Failure(error));
    }
  }

  handshakeCompleted(): HookResult {
    if (this.#state === 'through') return this.#protocol?.handshakeCompleted?.();
    if (this.#state === 'lost' || this.#transport === undefined) return undefined;
    let protocol: (P & AnyProtocol) | null;
    try {
      protocol = this.#factory.buildProtocol(this.#address);
    } catch (error) {
      this.#fail(new Failure(error));
      return undefined;
    }
    if (protocol === null) {
      this.#fail(new Failure(new NoProtocol()));
      return undefined;
    }
    return this.#letThrough(protocol, this.#transport);
  }

  dataReceived(data: Buffer): HookResult {
    return this.#protocol?.dataReceived(data);
  }

  connectionDraining(): HookResult {
    return this.#protocol?.connectionDraining?.();
  }

  connectionLost(reason: Failure): HookResult {
    const state = this.#state;
    this.#state = 'lost';
    if (state === 'through') return this.#protocol?.connectionLost(reason);
    if (state === 'shaking') this.#outcome.failed(reason);
    return undefined;
  }

  #letThrough(protocol: P & AnyProtocol, transport: Transport): HookResult {
    this.#state = 'through';
    this.#protocol = protocol;
    if (protocol.readConnectionLost !== undefined) this.readConnectionLost = () => protocol.readConnectionLost?.();
    if (protocol.writeConnectionLost !== undefined) this.writeConnectionLost = () => protocol.writeConnectionLost?.();
    let made: HookResult;
    try {
      made = protocol.makeConnection(transport);
    } catch (error) {
      this.#outcome.failed(new Failure(error));
      // The connection reports it and closes, as for any hook.
      throw error;
    }
    this.#outcome.passed(protocol);
    const completed = transport.disconnecting ? undefined : protocol.handshakeCompleted?.();
    return bothOf(made, completed);
  }

  #fail(reason: Failure): void {
    this.#state = 'lost';
    this.#outcome.failed(reason);
    this.#transport?.abortConnection();
  }
}

/** What two hooks have returned, as the result of one: either may have returned a promise. */
function bothOf(first: HookResult, second: HookResult): HookResult {
  if (first === undefined) return second;
  return second === undefined ? first : Promise.all([first, second]).then(() => undefined);
}
