/**
 * One attempt to reach a destination.
 *
 *     waiting ──▶ resolving ──▶ connecting ──▶ securing ──▶ ended
 *                                  │  ▲
 *                                  ╰──╯ the next address
 *
 * - resolving: only a name. What it has is tried in order, IPv4 first. A UNIX socket has the one address.
 * - securing: only where TLS is wanted. What fails here is the peer, not its address, so no other is tried.
 *
 * All of it has one time limit. It ends exactly once: with a connected handle, an error or `cancel`.
 */
import type { Address, IPv4Address, IPv6Address, UNIXAddress } from '../addresses.ts';
import { Failure } from '../deferred/failure.ts';
import type { DelayedCall } from '../interfaces/delayed-call.ts';
import type { SystemError } from '../interfaces/platform.ts';
import type { HostResolution, IPFamily } from '../interfaces/resolver.ts';
import type { StreamConnectHandle, StreamHandle, StreamTarget } from '../interfaces/stream-platform.ts';
import type { TLSHandle, TLSParameters } from '../interfaces/tls-engine.ts';
import { ConnectFailures } from './connect-failures.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import type { ReactorParts } from './reactor-parts.ts';
import { TLSHandshake } from './tls-handshake.ts';

export interface ConnectTarget {
  readonly destination: Address;
  readonly timeoutSeconds: number;
  readonly families: readonly IPFamily[];
  readonly local: { readonly host: string; readonly port: number } | undefined;
  /** What bounds the connection. */
  readonly limits: ConnectionLimits;
  /** What to secure the connection with, before it counts as made. */
  readonly tls?: TLSParameters;
}

/** Who is told how the attempt ended; called while the loop dispatches. */
export interface ConnectAttemptListener {
  /** `tls` is the handle as well, if it is encrypted. */
  attemptSucceeded(handle: StreamHandle, tls: TLSHandle | undefined): void;
  attemptFailed(error: Error): void;
}

type Step =
  | { readonly name: 'waiting' | 'ended' }
  | { readonly name: 'resolving'; readonly resolution: HostResolution | undefined }
  | { readonly name: 'connecting'; readonly address: SocketAddress; readonly handle: StreamConnectHandle }
  | { readonly name: 'securing'; readonly address: SocketAddress; readonly handshake: TLSHandshake };

type SocketAddress = IPv4Address | IPv6Address | UNIXAddress;
type IPAddress = IPv4Address | IPv6Address;

export class ConnectAttempt {
  readonly #parts: ReactorParts;
  readonly #target: ConnectTarget;
  readonly #listener: ConnectAttemptListener;
  #step: Step = { name: 'waiting' };
  #timeout: DelayedCall | undefined;
  #untried: SocketAddress[] = [];
  readonly #failures: ConnectFailures;

  constructor(parts: ReactorParts, target: ConnectTarget, listener: ConnectAttemptListener) {
    this.#parts = parts;
    this.#target = target;
    this.#listener = listener;
    this.#failures = new ConnectFailures(target.destination);
  }

  /** Begins, in the next turn: neither the world nor the clock is touched before the reactor runs. */
  start(): void {
    this.#parts.loop.callSoon(() => {
      if (this.#step.name === 'waiting') this.#begin();
    });
  }

  /** Ends it without a word. */
  cancel(): void {
    const step = this.#step;
    this.#end();
    stop(step);
  }

  #begin(): void {
    const { destination, timeoutSeconds } = this.#target;
    this.#timeout = this.#parts.loop.timers.callLater(timeoutSeconds, () => {
      this.#timedOut();
    });
    switch (destination.family) {
      case 'IPv4':
      case 'IPv6':
        if (this.#isWanted(destination)) this.#connect(destination);
        else this.#resolved(destination.host, [], undefined);
        return;
      case 'Hostname':
        try {
          this.#resolve(destination.host, destination.port);
        } catch (error) {
          // A resolver of the user's that breaks its contract.
          this.#resolved(destination.host, [], new Failure(error).value);
        }
        return;
      case 'UNIX':
        this.#connect(destination);
    }
  }

  #resolve(name: string, port: number): void {
    const found: IPAddress[] = [];
    this.#step = { name: 'resolving', resolution: undefined };
    const resolution = this.#parts.nameResolver.resolveHostName(
      {
        resolutionBegan: () => undefined,
        addressResolved: (address) => {
          if (address.family === 'IPv4' || address.family === 'IPv6') found.push(address);
        },
        resolutionComplete: (cause) => {
          this.#parts.loop.deliver(() => {
            if (this.#step.name === 'resolving') this.#resolved(name, found, cause);
          });
        },
      },
      name,
      { port, families: this.#target.families, transport: 'TCP' },
    );
    // A resolver that answers from inside the call has moved the attempt on already.
    if (this.#isResolving()) this.#step = { name: 'resolving', resolution };
  }

  #isWanted(address: IPAddress): boolean {
    return this.#target.families.includes(address.family);
  }

  #isResolving(): boolean {
    return this.#step.name === 'resolving';
  }

  #resolved(name: string, found: readonly IPAddress[], cause: Error | undefined): void {
    const wanted = found.filter((address) => this.#isWanted(address));
    this.#untried = [
      ...wanted.filter((address) => address.family === 'IPv4'),
      ...wanted.filter((address) => address.family === 'IPv6'),
    ];
    const first = this.#untried.shift();
    if (first !== undefined) {
      this.#connect(first);
      return;
    }
    this.#fail(this.#failures.unresolved(name, this.#target.families, cause));
  }

  #connect(address: SocketAddress): void {
    const handle = this.#parts.platform.streams.connect(this.#streamTarget(address), {
      connected: (stream) => {
        this.#parts.loop.deliver(() => {
          this.#connected(stream);
        });
      },
      connectFailed: (error) => {
        this.#parts.loop.deliver(() => {
          if (this.#step.name === 'connecting') this.#addressFailed(address, error);
        });
      },
    });
    this.#step = { name: 'connecting', address, handle };
  }

  #streamTarget(address: SocketAddress): StreamTarget {
    // A destination has a path; only the end that connects has none.
    if (address.family === 'UNIX') return { kind: 'unix', path: address.name ?? '' };
    const { local } = this.#target;
    return { kind: 'tcp', host: address.host, port: address.port, ...(local && { local }) };
  }

  #connected(stream: StreamHandle): void {
    if (this.#step.name !== 'connecting') {
      // The report was held while the reactor did not run, and meanwhile the attempt was given up.
      stream.reset();
      return;
    }
    if (this.#target.tls === undefined) {
      this.#end();
      this.#listener.attemptSucceeded(stream, undefined);
      return;
    }
    this.#secure(stream, this.#step.address, this.#target.tls);
  }

  #secure(stream: StreamHandle, address: SocketAddress, parameters: TLSParameters): void {
    const handshake = new TLSHandshake(this.#parts, stream, parameters, undefined, {
      succeeded: (handle) => {
        this.#end();
        this.#listener.attemptSucceeded(handle, handle);
      },
      failed: (error) => {
        this.#failures.add(address, error.message);
        this.#fail(this.#failures.cannotSecure(error, parameters.servername));
      },
    });
    this.#step = { name: 'securing', address, handshake };
  }

  #addressFailed(address: SocketAddress, error: SystemError): void {
    this.#failures.add(address, error.message);
    const next = this.#untried.shift();
    if (next !== undefined) {
      this.#connect(next);
      return;
    }
    this.#fail(this.#failures.cannotConnect(error));
  }

  #timedOut(): void {
    const step = this.#step;
    stop(step);
    const address = 'address' in step ? step.address : undefined;
    this.#fail(this.#failures.timedOut(this.#target.timeoutSeconds, address, whatWasMissing(step)));
  }

  #fail(error: Error): void {
    this.#end();
    this.#listener.attemptFailed(error);
  }

  #end(): void {
    this.#step = { name: 'ended' };
    if (this.#timeout?.active() === true) this.#timeout.cancel();
    this.#timeout = undefined;
  }
}

/** Takes back what the step is waiting for. */
function stop(step: Step): void {
  switch (step.name) {
    case 'resolving':
      step.resolution?.cancel();
      return;
    case 'connecting':
      step.handle.cancel();
      return;
    case 'securing':
      step.handshake.cancel();
      return;
    case 'waiting':
    case 'ended':
      return;
  }
}

function whatWasMissing(step: Step): string {
  switch (step.name) {
    case 'connecting':
      return 'no answer yet';
    case 'securing':
      return 'the TLS handshake was not completed yet';
    case 'waiting':
    case 'resolving':
    case 'ended':
      return 'the name was not resolved yet';
  }
}
