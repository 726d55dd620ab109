import type { Buffer } from 'node:buffer';
import type { IPv4Address, IPv6Address } from '../addresses.ts';
import { ConnectInProgressError } from '../errors.ts';
import type { DatagramReceiver, DatagramTransport } from '../interfaces/datagram-transport.ts';
import type { HookResult } from '../interfaces/protocol.ts';

/**
 * The base class of datagram protocols: one instance serves one port, and is told of every datagram that reaches it. An
 * instance whose port has stopped may be given to another. Source: Twisted's `internet.protocol.DatagramProtocol`.
 */
export class DatagramProtocol implements DatagramReceiver {
  /** The port. There from `startProtocol` on, and no longer in `stopProtocol`: it has closed then. */
  declare transport: DatagramTransport;

  #numPorts = 0;

  /** How many ports it serves: 1 from `startProtocol` to `stopProtocol`, otherwise 0. */
  get numPorts(): number {
    return this.#numPorts;
  }

  /**
   * Takes the transport and starts. The port calls this once; so may a test, with a double. Throws `ConnectInProgressError`
   * if there is a transport already, and what `startProtocol` throws.
   */
  makeConnection(transport: DatagramTransport): HookResult {
    if (Object.hasOwn(this, 'transport')) {
      throw new ConnectInProgressError('This protocol serves a port already; make another one for another port');
    }
    this.transport = transport;
    return this.doStart();
  }

  /** Counts a port in and calls `startProtocol`. Twisted's; only `makeConnection` needs it. */
  doStart(): HookResult {
    this.#numPorts += 1;
    return this.#numPorts === 1 ? this.startProtocol() : undefined;
  }

  /** Lets go of the transport, counts the port out and calls `stopProtocol`. Does nothing if none was counted in. */
  doStop(): HookResult {
    if (this.#numPorts === 0) return undefined;
    this.#numPorts -= 1;
    Reflect.deleteProperty(this, 'transport'); // as it was before makeConnection
    return this.#numPorts === 0 ? this.stopProtocol() : undefined;
  }

  /** The port is bound, `transport` is set and the reactor runs. The place to connect, to join groups, to send the first datagram. */
  startProtocol(): HookResult {}

  /** The port has closed, and `transport` is gone. Called whenever `startProtocol` was, also if that threw. */
  stopProtocol(): HookResult {}

  /**
   * One datagram, whole, from this address, to which `this.transport.write` may answer. The buffer is the receiver's to
   * keep.
   */
  datagramReceived(data: Buffer, address: IPv4Address | IPv6Address): HookResult {}

  /**
   * Nobody is there: the peer's system has refused a datagram sent on a port that is connected. The port stays open, and the peer
   * may come. Others are not told: networks do not say so reliably.
   */
  connectionRefused(): HookResult {}
}
