import { type OnReadOpts, Socket, type SocketConnectOpts } from 'node:net';
import type { SystemError } from '../interfaces/platform.ts';
import type { StreamConnectHandle, StreamTarget } from '../interfaces/stream-platform.ts';
import { toSystemError } from '../system-error.ts';
import { withSyscall } from './make-system-error.ts';
import { pathError, withPrintablePath } from './unix-path.ts';
import { WATER_MARKS } from './water-marks.ts';

/** Codes of an attempt that failed because of its local end, whichever system call said so. */
const LOCAL_ADDRESS_CODES: ReadonlySet<string> = new Set([
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  // Node's, for a local host that is no address.
  'ERR_INVALID_IP_ADDRESS',
]);

/** Is told, once, how it went. */
export interface SocketConnectListener {
  /** The socket is paused, and has no listeners. */
  connected(socket: Socket): void;
  connectFailed(error: SystemError): void;
}

/** One attempt to connect. */
export class NodeConnectHandle implements StreamConnectHandle {
  readonly #target: StreamTarget;
  readonly #socket: Socket;
  /** Undefined once it has been told, or has cancelled. */
  #listener: SocketConnectListener | undefined;

  /** With `onread` the socket reads that way. */
  constructor(target: StreamTarget, onread: OnReadOpts | undefined, listener: SocketConnectListener) {
    this.#target = target;
    this.#listener = listener;
    this.#socket = new Socket({ ...WATER_MARKS, allowHalfOpen: true, ...(onread && { onread }) });
    this.#socket.on('connect', this.#connected);
    this.#socket.on('error', this.#errorReported);
    try {
      const error = target.kind === 'unix' ? pathError(target.path, 'connect') : undefined;
      if (error !== undefined) throw error;
      this.#socket.connect(connectOptions(target));
    } catch (error) {
      // The path is too long, or Node will not try the arguments. The listener is not called from inside.
      this.#socket.destroy();
      setImmediate(() => this.#failed(toSystemError(error)));
      return;
    }
    this.#socket.pause();
    this.#socket.unref();
  }

  cancel(): void {
    // The listener for errors stays on the socket: one may be on its way.
    if (this.#listener === undefined) return;
    this.#listener = undefined;
    this.#socket.destroy();
  }

  readonly #connected = (): void => {
    const listener = this.#listener;
    const socket = this.#socket;
    if (listener === undefined) return;
    this.#listener = undefined;
    socket.off('connect', this.#connected);
    socket.off('error', this.#errorReported);
    listener.connected(socket);
  };

  readonly #errorReported = (error: Error): void => this.#failed(toSystemError(error));

  #failed(error: SystemError): void {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.connectFailed(this.#worded(error));
  }

  #worded(error: SystemError): SystemError {
    return this.#target.kind === 'unix'
      ? withPrintablePath(error, this.#target.path)
      : blameLocalAddress(error, this.#target.local);
  }
}

/** The system may find out about a local address at `connect` only; where one was asked for, it is the culprit. */
function blameLocalAddress(error: SystemError, local: object | undefined): SystemError {
  if (local === undefined || error.syscall === 'bind' || !LOCAL_ADDRESS_CODES.has(error.code)) return error;
  return withSyscall(error, 'bind');
}

function connectOptions(target: StreamTarget): SocketConnectOpts {
  if (target.kind === 'unix') return { path: target.path };
  const { host, port, local } = target;
  return {
    host,
    port,
    noDelay: true,
    // Hosts are addresses here: there is nothing to select from, and no timer is to be set for it.
    autoSelectFamily: false,
    ...(local && { localAddress: local.host, localPort: local.port }),
  };
}
