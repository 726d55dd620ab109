import type { Buffer } from 'node:buffer';
import type { Address } from '../addresses.ts';
import type { SystemError } from './platform.ts';

/** Where a stream goes to. Hosts are address literals; names have been resolved above. */
export type StreamTarget =
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      /** The local end to connect from, where one was asked for; port 0 lets the system choose. */
      readonly local?: { readonly host: string; readonly port: number };
    }
  | {
      readonly kind: 'unix';
      /** One that begins with NUL is an abstract name (Linux). Too long a path fails with ENAMETOOLONG. */
      readonly path: string;
    };

/** Where to listen. An empty host never comes here: the reactor has put `0.0.0.0` in its place. */
export type ListenTarget =
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly backlog: number;
      /** Whether others who say so too may have the same address. Where that cannot be, `listen` throws `UnsupportedError`. */
      readonly reusePort?: boolean;
      /** Whether to keep the port from processes that share theirs otherwise, where there are such. */
      readonly exclusive?: boolean;
    }
  | {
      readonly kind: 'unix';
      /** As in `StreamTarget`. The file is removed when the listener closes. */
      readonly path: string;
      readonly backlog: number;
      /** The permissions that the file gets, where there are files. */
      readonly mode?: number;
      /**
       * Whether to hold a lock beside the path while listening, and to remove the socket of an owner that has died. Means
       * nothing where no process can die and leave its files.
       */
      readonly lockFile?: boolean;
    };

/** Makes and accepts streams. */
export interface StreamPlatform {
  /** Begins to connect. Reports `connected` or `connectFailed`, once. */
  connect(target: StreamTarget, listener: StreamConnectListener): StreamConnectHandle;
  /** Begins to listen; the address is taken from this call on. Reports `listening` or `listenFailed`, once. */
  listen(target: ListenTarget, listener: StreamListenListener): StreamListenHandle;
}

/** Is told how an attempt to connect ended: one of the two, once. */
export interface StreamConnectListener {
  /** Connected. The handle is silent until it is opened; whoever does not want it any more calls `reset` or `close`. */
  connected(handle: StreamHandle): void;
  /** Not connected. `syscall` is `bind` when it was the local address that could not be had. */
  connectFailed(error: SystemError): void;
}

/** An attempt under way. */
export interface StreamConnectHandle {
  /** Gives it up; nothing is reported afterwards. Harmless once it has succeeded or failed. */
  cancel(): void;
}

/** Is told what happens at one place where we listen. */
export interface StreamListenListener {
  /** Bound; the address has the real port. */
  listening(address: Address): void;
  /** The address could not be had, and nothing listens: nothing follows. */
  listenFailed(error: SystemError): void;
  /** A connection. The handle is silent until it is opened; whoever does not want it calls `reset` or `close`. */
  accepted(handle: StreamHandle): void;
  /** Accepting failed (EMFILE and the like); the listener lives on. */
  acceptFailed(error: SystemError): void;
  /** The listening handle has closed and its address is free. Comes once after `close`. */
  closed(): void;
}

/** A place where we listen, or are about to. */
export interface StreamListenHandle {
  /** Stops listening; connections accepted before live on. `closed` is reported, and `accepted` no more. */
  close(): void;
}

/** How a stream comes to its end that was given up in order, where the platform does not see to it: one that others have made. */
export interface Lingering {
  /** For how many seconds what was written may still leave, and what the peer sends is discarded. */
  readonly seconds: number;
  /** How many bytes are discarded at most. */
  readonly bytes: number;
  /**
   * Calls `giveUp` when the seconds are over, whether or not the reactor runs, and never from inside this call; disposing of
   * the result takes it back. Does not keep the process alive.
   */
  begin(giveUp: () => void): Disposable;
}

/** One connected stream. */
export interface StreamHandle {
  /** Our end; readable after the stream has closed, too. */
  readonly localAddress: Address;
  /** The peer's end; readable after the stream has closed, too. */
  readonly remoteAddress: Address;

  /**
   * Sets who is told. Called before all other methods but `close` and `reset`; reading begins paused. Whoever takes an open
   * stream over calls it again, while reading is paused and nothing is being written: the new listener is told of
   * everything from then on.
   */
  open(listener: StreamListener): void;

  /** Reports what arrives, from now on, beginning with what arrived while paused. */
  resumeReading(): void;
  /** Reports no data and no end until resumed; what has arrived is kept in order, and the peer is slowed down. */
  pauseReading(): void;

  /**
   * Sends the chunks in order, in one system call where possible. They are not copied and must not be changed until
   * they have left; the array itself is not kept. Called again only after everything before has left.
   * Returns true if all has left already; otherwise `written` is reported once it has.
   */
  write(chunks: readonly Uint8Array[]): boolean;

  /** Sends a FIN; called once, when everything written has left. Reports `shutDown` when the system has taken it. */
  shutdown(): void;

  /**
   * Gives the stream up in order: a FIN if none was sent, then whatever arrives is discarded, for a bounded time and
   * amount, until the peer's FIN, so that unread input does not turn into a reset which destroys what was sent.
   * Reports nothing afterwards.
   */
  close(): void;

  /** Destroys the stream at once, with a reset where the transport has one. Reports nothing afterwards. */
  reset(): void;

  /** Whether small writes leave at once (Nagle's algorithm off). Absent where the transport has no such option. */
  setNoDelay?(enabled: boolean): void;
  /** Whether the system probes an idle connection. Absent where the transport has no such option. */
  setKeepAlive?(enabled: boolean): void;
}

/** Is told what happens on one stream: one report at a time, in order, never from inside a call made on the platform. */
export interface StreamListener {
  /** Bytes; the receiver's to keep. Never empty. */
  dataReceived(data: Buffer): void;
  /** The peer has closed its writing half; no data follows. */
  endReceived(): void;
  /** Everything given to `write` has left. */
  written(): void;
  /** The FIN asked for with `shutdown` has been taken by the system. */
  shutDown(): void;
  /**
   * Reading or writing failed; the stream is dead and has freed its resources. Nothing follows. A failed write is
   * reported also while reading is paused; a failed read only in its turn, after the data that came before it.
   */
  failed(error: SystemError): void;
}
