import type { Address } from '../addresses.ts';
import type { Failure } from '../deferred/failure.ts';
import type { DelayedCall } from './delayed-call.ts';

/** A connection as its observer sees it; the same object in all events of one connection, its counts going on. */
export interface ObservedConnection {
  /** Which side has accepted it is the server, whoever shakes hands how. */
  readonly role: 'client' | 'server';
  /** The local address. */
  readonly host: Address;
  /** The address of the peer. */
  readonly peer: Address;
  /** When it was made, in seconds on the reactor's clock. */
  readonly madeAt: number;
  /** Bytes given to `dataReceived` so far. */
  readonly bytesReceived: number;
  /** Bytes that have been handed to the system so far. */
  readonly bytesSent: number;
}

/**
 * Watches a reactor: for metrics, traces and tests. Every method is optional, and costs nothing where it is absent. They are
 * called synchronously, where the thing happens, and must neither take long nor change anything. An error that one throws is
 * reported like any other, and the rest goes on. Whether a method is there is asked when a connection is made, for the
 * events of that connection, and otherwise each time.
 */
export interface ReactorObserver {
  /** Before `connectionMade` of the protocol; after the handshake, on a connection made with TLS. */
  readonly connectionMade?: ((connection: ObservedConnection) => void) | undefined;
  /** After `connectionLost` of the protocol. */
  readonly connectionLost?: ((connection: ObservedConnection, reason: Failure) => void) | undefined;
  /** Before `dataReceived` of the protocol. */
  readonly dataReceived?: ((connection: ObservedConnection, bytes: number) => void) | undefined;
  /** Bytes have been handed to the system; that they have left is not known yet. */
  readonly dataSent?: ((connection: ObservedConnection, bytes: number) => void) | undefined;
  /** A delayed call has run: how much later than it was due, and for how long, in seconds. */
  readonly delayedCallRun?: ((call: DelayedCall, lateSeconds: number, seconds: number) => void) | undefined;
  /**
   * The program's own code has kept everything else waiting for `slowHookSeconds` or longer: a hook of any protocol, factory or
   * producer, a delayed call, a call of `callSoon` or a trigger of a system event. `name` says which: `dataReceived`,
   * `delayed call ping`, `before shutdown trigger save`. `owner` is the protocol, factory or producer whose hook it was. What an
   * async function does after its first `await`, and the callbacks of a Deferred that the program fires itself, are part of
   * whatever fires them, or of nothing.
   */
  readonly hookSlow?:
    | ((name: string, seconds: number, connection: ObservedConnection | undefined, owner: object | undefined) => void)
    | undefined;
  /** An error that nobody else could be told; it is logged as well. */
  readonly errorReported?: ((failure: Failure, message: string) => void) | undefined;
}
