/**
 * A listening socket.
 *
 *   binding ──listening──▶ listening ──close──▶ closed
 *   binding ──listenFailed──▶ failed ──close──▶ closed
 *   binding ──close──▶ closed
 */
import { chmodSync } from 'node:fs';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { type Address, isAbstractPath, UNIXAddress } from '../addresses.ts';
import type { SystemError } from '../interfaces/platform.ts';
import type {
  ListenTarget,
  StreamHandle,
  StreamListenHandle,
  StreamListenListener,
} from '../interfaces/stream-platform.ts';
import { SocketLock } from './socket-lock.ts';
import { tcpAddress } from './socket-addresses.ts';
import { toSystemError } from '../system-error.ts';
import { pathError, withPrintablePath } from './unix-path.ts';
import { WATER_MARKS } from './water-marks.ts';

/** A socket that is there already. */
export interface AdoptedListenTarget {
  readonly kind: 'adopted';
  readonly descriptor: number;
  readonly backlog: number;
  /** Where it is bound if it is a UNIX socket, as far as that is known: Node does not tell. */
  readonly path: string | undefined;
}

/** With what the types of Node 20 do not know yet. */
interface ReusableListenOptions extends ListenOptions {
  readonly reusePort?: boolean;
}

export class NodeListenHandle implements StreamListenHandle {
  readonly #target: ListenTarget | AdoptedListenTarget;
  readonly #listener: StreamListenListener;
  readonly #makeHandle: (socket: Socket) => StreamHandle;
  readonly #server: Server;
  #lock: SocketLock | undefined;
  #state: 'binding' | 'listening' | 'failed' | 'closed' = 'binding';

  /** `makeHandle` makes a handle of an accepted, paused socket. */
  constructor(
    target: ListenTarget | AdoptedListenTarget,
    listener: StreamListenListener,
    makeHandle: (socket: Socket) => StreamHandle,
  ) {
    this.#target = target;
    this.#listener = listener;
    this.#makeHandle = makeHandle;
    this.#server = createServer({
      pauseOnConnect: true,
      allowHalfOpen: true,
      noDelay: target.kind !== 'unix',
      // For the sockets that are not taken over, in both directions: see there.
      highWaterMark: WATER_MARKS.readableHighWaterMark,
    });
    this.#server.on('listening', this.#bound);
    this.#server.on('error', this.#errorReported);
    this.#server.on('connection', this.#accepted);
    try {
      this.#listen();
    } catch (error) {
      // The lock cannot be had, or Node may not listen at all (`--permission`); the listener is not called from inside.
      setImmediate(() => this.#errorReported(error));
    }
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#closeServer();
    // The server's own 'close' waits for the connections it counts; the socket itself is closed by now.
    setImmediate(() => this.#listener.closed());
  }

  #listen(): void {
    const target = this.#target;
    if (target.kind === 'unix') {
      const error = pathError(target.path, 'listen');
      if (error !== undefined) throw error;
      if (target.lockFile === true && !isAbstractPath(target.path)) this.#lock = new SocketLock(target.path);
    }
    // The one way to listen in which Node takes the backlog only beside the options.
    if (target.kind === 'adopted') this.#server.listen({ fd: target.descriptor }, target.backlog);
    else this.#server.listen(listenOptions(target));
  }

  /** Closing removes the socket's file; the lock outlives it. */
  #closeServer(): void {
    this.#server.close();
    try {
      this.#lock?.release();
    } catch {
      // A lock that cannot be removed is stale once this process has ended.
    }
    this.#lock = undefined;
  }

  readonly #bound = (): void => {
    if (this.#state !== 'binding') return;
    this.#server.unref();
    try {
      if (this.#target.kind === 'unix' && this.#target.mode !== undefined && !isAbstractPath(this.#target.path)) {
        chmodSync(this.#target.path, this.#target.mode);
      }
    } catch (error) {
      this.#errorReported(error);
      return;
    }
    this.#state = 'listening';
    this.#listener.listening(this.#address());
  };

  readonly #errorReported = (error: unknown): void => {
    switch (this.#state) {
      case 'binding':
        this.#state = 'failed';
        this.#closeServer();
        this.#listener.listenFailed(this.#worded(toSystemError(error)));
        break;
      case 'listening':
        this.#listener.acceptFailed(toSystemError(error));
        break;
      case 'failed':
      case 'closed':
        break;
    }
  };

  #worded(error: SystemError): SystemError {
    return this.#target.kind === 'unix' ? withPrintablePath(error, this.#target.path) : error;
  }

  readonly #accepted = (socket: Socket): void => {
    if (this.#state === 'listening') this.#listener.accepted(this.#makeHandle(socket));
    else socket.destroy();
  };

  #address(): Address {
    const address = this.#server.address();
    if (address !== null && typeof address === 'object') {
      return tcpAddress(address.family, address.address, address.port);
    }
    return new UNIXAddress(address ?? (this.#target.kind === 'adopted' ? this.#target.path : undefined));
  }
}

/** A lock is of one process: in a worker of `node:cluster` its socket is not shared with the other workers either. */
function listenOptions(target: ListenTarget): ReusableListenOptions {
  const { backlog } = target;
  if (target.kind === 'unix') return { path: target.path, backlog, exclusive: target.lockFile ?? false };
  const { host, port, reusePort = false, exclusive = false } = target;
  return { host, port, backlog, reusePort, exclusive };
}
