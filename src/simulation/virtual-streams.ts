/**
 * The streams of one host: its listeners, by port and by path, and its attempts to connect.
 *
 * An attempt sends a request to the target host over the link there. The request finds a listener, which gets its end of
 * the new stream at that moment, and the answer travels back and gives the caller the other end; or it finds nobody and
 * is refused; or it finds a listener that ignores it, and the system gives up after a long while.
 */
import { type Address, isAbstractPath, printablePath, UNIXAddress } from '../addresses.ts';
import type { SystemError } from '../interfaces/platform.ts';
import type {
  ListenTarget,
  StreamConnectHandle,
  StreamConnectListener,
  StreamListenListener,
  StreamPlatform,
  StreamTarget,
} from '../interfaces/stream-platform.ts';
import { addressOf, parseIPLiteral } from '../ip-literal.ts';
import { PATH_BYTES_MAX_LINUX, tooLongPath } from '../reactor/path-length.ts';
import { Channel, type Link } from './link.ts';
import { destinationFor, sourceFor } from './own-addresses.ts';
import { PortTable } from './port-table.ts';
import type { Scheduler } from './scheduler.ts';
import { VirtualSystemError } from './system-error.ts';
import { ConnectAttempt } from './connect-attempt.ts';
import { type ConnectAnswer, VirtualListener } from './virtual-listener.ts';
import { type StreamLimits, VirtualStream } from './virtual-stream.ts';

/** How a host reaches an address: the streams of the host that has it, and the links there and back. */
export interface Route {
  readonly target: VirtualStreams;
  readonly there: Link;
  readonly back: Link;
}

export interface VirtualStreamsParts {
  readonly scheduler: Scheduler;
  readonly limits: StreamLimits;
  /** The way to an address; undefined if no host has it. */
  readonly route: (from: VirtualStreams, address: string) => Route | undefined;
}

/** What a virtual stream can be given beyond the platform's seam. */
export interface VirtualStreamOptions {
  /** How many bytes may wait unread at this end; for a listener, at the ends it accepts. */
  readonly windowBytes?: number;
  /** What a listener answers to requests; `accept` by default. */
  readonly answer?: ConnectAnswer;
}

/** The ends of a connection to be, as the one who asks for it sees them. */
interface Ends {
  readonly local: Address;
  readonly remote: Address;
  readonly route: Route;
  readonly find: () => VirtualListener | undefined;
  /** What the system says where there is nobody. */
  readonly absentWith: 'ECONNREFUSED' | 'ENOENT';
  readonly releaseLocal: () => void;
}

export class VirtualStreams implements StreamPlatform {
  readonly #parts: VirtualStreamsParts;
  readonly #ports = new PortTable<VirtualListener>();
  readonly #paths = new Map<string, VirtualListener>();
  readonly #listeners = new Set<VirtualListener>();
  readonly #attempts = new Set<ConnectAttempt>();
  #streamCount = 0;

  constructor(parts: VirtualStreamsParts) {
    this.#parts = parts;
  }

  /** How many ends of streams are not gone, listeners not closed, and attempts not over. */
  get streamCount(): number {
    return this.#streamCount;
  }
  get listenerCount(): number {
    return this.#listeners.size;
  }
  get attemptCount(): number {
    return this.#attempts.size;
  }

  connect(
    target: StreamTarget,
    listener: StreamConnectListener,
    options: VirtualStreamOptions = {},
  ): StreamConnectHandle {
    const attempt = new ConnectAttempt(this.#parts.scheduler, listener, () => {
      this.#attempts.delete(attempt);
    });
    this.#attempts.add(attempt);
    const ends = target.kind === 'tcp' ? this.#tcpEnds(target) : this.#pathEnds(target.path);
    if (ends instanceof Error) attempt.failSoon(ends);
    else this.#request(attempt, ends, options);
    return attempt;
  }

  listen(target: ListenTarget, listener: StreamListenListener, options: VirtualStreamOptions = {}): VirtualListener {
    const { scheduler } = this.#parts;
    const created = new VirtualListener(scheduler, listener, options);
    const bound = target.kind === 'tcp' ? this.#bindPort(target, created) : this.#bindPath(target.path, created);
    if (bound instanceof Error) {
      created.bindFailed(bound);
    } else {
      this.#listeners.add(created);
      created.bound(bound.address, () => {
        bound.free();
        this.#listeners.delete(created);
      });
    }
    return created;
  }

  // ------------------------------------------------------------------------------------------------------- binding

  #bindPort(
    target: ListenTarget & { readonly kind: 'tcp' },
    listener: VirtualListener,
  ): { address: Address; free: () => void } | SystemError {
    const { host, port, reusePort } = target;
    const literal = parseIPLiteral(host);
    if (literal === undefined) return bindError('EADDRNOTAVAIL', 'listen', host, port);
    const number = this.#ports.bind(literal, port, listener, reusePort);
    if (number === undefined) return bindError('EADDRINUSE', 'listen', host, port);
    return {
      address: addressOf('TCP', host, number),
      free: () => {
        this.#ports.unbind(number, listener);
      },
    };
  }

  #bindPath(path: string, listener: VirtualListener): { address: Address; free: () => void } | SystemError {
    const tooLong = tooLongPath(path, 'listen', PATH_BYTES_MAX_LINUX);
    if (tooLong !== undefined) return tooLong;
    if (this.#paths.has(path)) return new VirtualSystemError('EADDRINUSE', 'listen', printablePath(path));
    this.#paths.set(path, listener);
    return {
      address: new UNIXAddress(path),
      free: () => {
        this.#paths.delete(path);
      },
    };
  }

  // ---------------------------------------------------------------------------------------------------- connecting

  #tcpEnds(target: StreamTarget & { readonly kind: 'tcp' }): Ends | SystemError {
    const host = destinationFor(target.host);
    const remote = parseIPLiteral(host);
    const route = remote === undefined ? undefined : this.#parts.route(this, host);
    if (remote === undefined) return new VirtualSystemError('ENOTFOUND', 'getaddrinfo', host);
    if (route === undefined) return bindError('EHOSTUNREACH', 'connect', host, target.port);
    const localHost = target.local?.host ?? sourceFor(host, remote);
    const local = parseIPLiteral(localHost);
    const askedPort = target.local?.port ?? 0;
    if (local === undefined) return bindError('EADDRNOTAVAIL', 'bind', localHost, askedPort);
    if (local.family !== remote.family) return bindError('EINVAL', 'bind', localHost, askedPort);
    const port = this.#ports.hold(local, askedPort);
    if (port === undefined) {
      return askedPort === 0
        ? bindError('EADDRNOTAVAIL', 'connect', localHost, askedPort)
        : bindError('EADDRINUSE', 'bind', localHost, askedPort);
    }
    return {
      local: addressOf('TCP', localHost, port),
      remote: addressOf('TCP', host, target.port),
      route,
      find: () => route.target.#ports.find(remote, target.port, port),
      absentWith: 'ECONNREFUSED',
      releaseLocal: () => {
        this.#ports.release(port);
      },
    };
  }

  #pathEnds(path: string): Ends | SystemError {
    const tooLong = tooLongPath(path, 'connect', PATH_BYTES_MAX_LINUX);
    if (tooLong !== undefined) return tooLong;
    const absentWith = isAbstractPath(path) ? 'ECONNREFUSED' : 'ENOENT';
    const route = this.#parts.route(this, '127.0.0.1');
    if (route === undefined) return new VirtualSystemError(absentWith, 'connect', printablePath(path));
    return {
      local: new UNIXAddress(undefined),
      remote: new UNIXAddress(path),
      route: { ...route, target: this },
      find: () => this.#paths.get(path),
      absentWith,
      releaseLocal: () => {},
    };
  }

  #request(attempt: ConnectAttempt, ends: Ends, options: VirtualStreamOptions): void {
    const there = new Channel(ends.route.there);
    const back = new Channel(ends.route.back);
    attempt.whenGivenUp(ends.releaseLocal);
    there.send(0, () => {
      if (!attempt.isPending) return;
      const listener = ends.find();
      switch (listener?.answer ?? 'refuse') {
        case 'accept':
          this.#accept(attempt, ends, options, listener, there, back);
          return;
        case 'refuse':
          back.send(0, () => {
            const code = listener === undefined ? ends.absentWith : 'ECONNREFUSED';
            attempt.fail(new VirtualSystemError(code, 'connect', describeAddress(ends.remote)));
          });
          return;
        case 'ignore':
          attempt.failWhenTimedOut(describeAddress(ends.remote));
      }
    });
  }

  #accept(
    attempt: ConnectAttempt,
    ends: Ends,
    options: VirtualStreamOptions,
    listener: VirtualListener | undefined,
    there: Channel,
    back: Channel,
  ): void {
    const near = this.#createEnd(ends.local, ends.remote, there, options.windowBytes, ends.releaseLocal);
    const far = ends.route.target.#createEnd(ends.remote, ends.local, back, listener?.windowBytes, () => {});
    VirtualStream.join(near, far);
    attempt.accepted(near);
    back.send(0, () => {
      attempt.succeed();
    });
    listener?.deliver(far);
  }

  #createEnd(
    localAddress: Address,
    remoteAddress: Address,
    toPeer: Channel,
    windowBytes: number | undefined,
    release: () => void,
  ): VirtualStream {
    const { scheduler, limits } = this.#parts;
    this.#streamCount += 1;
    return new VirtualStream({
      scheduler,
      localAddress,
      remoteAddress,
      toPeer,
      canReset: localAddress.family !== 'UNIX',
      limits: windowBytes === undefined ? limits : { ...limits, windowBytes },
      gone: () => {
        this.#streamCount -= 1;
        release();
      },
    });
  }
}

function describeAddress(address: Address): string {
  return address instanceof UNIXAddress ? printablePath(address.name ?? '') : hostAndPort(address.host, address.port);
}

function bindError(code: string, syscall: string, host: string, port: number): SystemError {
  return new VirtualSystemError(code, syscall, hostAndPort(host, port));
}

function hostAndPort(host: string, port: number): string {
  return `${host}:${String(port)}`;
}
