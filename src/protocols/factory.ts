import type { Address } from '../addresses.ts';
import { requireClass } from '../arguments.ts';
import type { HookResult, ProtocolFactory, ProtocolFactoryOf } from '../interfaces/protocol.ts';
import type { Protocol } from './protocol.ts';

/** A protocol class whose instances can be made without arguments. */
export type ProtocolClass<P extends Protocol = Protocol> = new () => P;

/**
 * Builds one protocol for each connection and outlives them all, so what connections share is kept here. One factory may
 * serve several ports and connectors at once. Source: Twisted's `internet.protocol.Factory`.
 */
export class Factory implements ProtocolFactory {
  /**
   * The class `buildProtocol` makes instances of. Set it in a subclass (`override protocol = Echo`), use `forProtocol`,
   * or override `buildProtocol` and leave it alone.
   */
  protocol: ProtocolClass | undefined = undefined;

  #numPorts = 0;

  /**
   * A factory of the class it is called on, for protocols of class `protocol`. The arguments go to the factory's
   * constructor. The type of the result promises that `buildProtocol` builds such protocols: a factory class that
   * overrides it to build others must not be made this way.
   */
  static forProtocol<F extends Factory, P extends Protocol, Args extends readonly unknown[]>(
    this: new (...args: Args) => F,
    protocol: ProtocolClass<P>,
    ...args: Args
  ): F & ProtocolFactoryOf<P> {
    requireClass('protocol', protocol);
    const factory = new this(...args);
    factory.protocol = protocol;
    // True of buildProtocol below, and promised in the contract above for those who override it.
    return factory as F & ProtocolFactoryOf<P>;
  }

  /** How many ports and connectors use the factory now. */
  get numPorts(): number {
    return this.#numPorts;
  }

  /**
   * A protocol for a new connection with the peer at `address`. By default a new instance of `protocol`, with its
   * `factory` set to this factory; throws `TypeError` without a `protocol`. An override may return null to refuse the
   * connection, which then is closed. An error thrown here closes it as well, and is reported.
   */
  buildProtocol(address: Address): Protocol | null {
    if (this.protocol === undefined) {
      throw new TypeError(`${this.constructor.name} has no protocol class: set 'protocol' or override buildProtocol()`);
    }
    const protocol = new this.protocol();
    protocol.factory = this;
    return protocol;
  }

  /** The factory is about to be used, by its first port or connector. The place to open what connections share. */
  startFactory(): HookResult {}

  /** The last port or connector is done with it. Connections accepted before may live on. It may be started again. */
  stopFactory(): HookResult {}

  /** Counts a port or connector in; the first calls `startFactory`. If that throws, it has not been counted. */
  doStart(): HookResult {
    const started = this.#numPorts === 0 ? this.startFactory() : undefined;
    this.#numPorts += 1;
    return started;
  }

  /** Counts a port or connector out; the last calls `stopFactory`. Does nothing if none was counted in. */
  doStop(): HookResult {
    if (this.#numPorts === 0) return undefined;
    this.#numPorts -= 1;
    return this.#numPorts === 0 ? this.stopFactory() : undefined;
  }
}
