/**
 * Sockets that were not made by connecting: accepted ones and the pipes of children, which are to be read by `onread`, and
 * adopted ones.
 *
 * Node offers `onread` only for sockets that connect. A socket that was accepted is a shell around a handle, and a new
 * socket can be made around the same handle, with `onread`. The pipes of a child are such shells too, and there is more to
 * gain there: Node reads on behalf of the shells when the child exits, destroys that of its standard input, and made that one
 * unable to read, so that it cannot tell when its other end has been closed. The properties `_handle` and `handle`, the option
 * `pauseOnCreate`, and what `closeStandardStream` does, are not documented; this file is the only one that uses them, and trusts them no further than it
 * can check at each connection:
 *
 * - the shell has a handle with the method that `onread` needs; Bun's has not;
 * - the new socket has that handle, or it did not take it, and the shell is still whole;
 * - the new socket has asked for its buffer already, which it does when it gives the handle a buffer to read into.
 *   If it did not, it is an ordinary socket, and is read by 'data' events.
 */
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import type { SlabSource } from './read-slabs.ts';
import { WATER_MARKS } from './water-marks.ts';

/** The undocumented part of a socket, as far as it is used. */
interface Shell {
  _handle?: object | null;
}

/**
 * Moves an accepted, paused socket's connection to a socket that reads into `source`, if there is one, paused as well, if the runtime
 * can do that. The accepted socket must not be used afterwards, unless it is what is returned. Whether the socket
 * returned does read into `source` is what `source.asked` says.
 */
export function takeOver(accepted: Socket, source: SlabSource | undefined): Socket {
  // The cast names a property which @types/node, rightly, does not.
  const shell = accepted as unknown as Shell;
  const handle = shell._handle;
  if (!canReadIntoBuffer(handle)) return accepted;

  const options = {
    ...WATER_MARKS,
    handle,
    allowHalfOpen: true,
    // The server has set it on the handle; this is so that the socket knows.
    noDelay: true,
    pauseOnCreate: true,
    ...(source && { onread: source.onread }),
  };
  const socket = new Socket(options);
  // As above.
  if ((socket as unknown as Shell)._handle !== handle) return accepted;

  // Without its handle the shell has nothing to close, but destroying it takes it off the server's count.
  shell._handle = null;
  accepted.destroy();
  return socket;
}

/**
 * A paused socket of a connection by its descriptor, which is the socket's from then on; with `onread` it reads that way. Throws
 * Node's error for a descriptor that it cannot use, which it then leaves alone. Without `pauseOnCreate`, which is as
 * undocumented here, Node would read at once, and an end that has come already would be told to nobody.
 */
export function openDescriptor(descriptor: number, onread: OnReadOpts | undefined): Socket {
  const options: SocketConstructorOpts & { readonly pauseOnCreate: true } = {
    ...WATER_MARKS,
    fd: descriptor,
    allowHalfOpen: true,
    pauseOnCreate: true,
    ...(onread && { onread }),
  };
  return new Socket(options);
}

/**
 * Closes the handle of `process.stdout` or `process.stderr`, where they are sockets. To these two Node gives a `_destroy` of their
 * own, which keeps the handle; this calls that of all sockets, which is documented for those who implement streams, not for those who
 * use them. libuv leaves the descriptor open. What is written later fails.
 */
export function closeStandardStream(stream: Socket): void {
  Socket.prototype._destroy.call(stream, null, () => undefined);
}

/** Whether a socket's handle is libuv's, and can be told where to read to. */
function canReadIntoBuffer(handle: object | null | undefined): handle is object {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    'useUserBuffer' in handle &&
    typeof handle.useUserBuffer === 'function' &&
    'readStop' in handle &&
    typeof handle.readStop === 'function'
  );
}
