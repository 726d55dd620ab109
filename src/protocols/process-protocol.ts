import type { Buffer } from 'node:buffer';
import type { Failure } from '../deferred/failure.ts';
import type { ChildProcessProtocol, ProcessTransport } from '../interfaces/process.ts';
import type { HookResult } from '../interfaces/protocol.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;

/**
 * The base class of process protocols: one instance for each child, and hooks that do nothing until a subclass overrides
 * them. `childDataReceived` and `childConnectionLost` pass on what concerns descriptors 0, 1 and 2 to the hooks that are named for them; override
 * those two for the others. Source: Twisted's `internet.protocol.ProcessProtocol`.
 */
export class ProcessProtocol implements ChildProcessProtocol {
  /**
   * The child. Set by `makeConnection`, so not there in a constructor, nor in the `processEnded` of a program that could
   * not be started.
   */
  declare transport: ProcessTransport;

  /** Takes the transport and calls `connectionMade`. The reactor calls this once; so may a test, with a double. */
  makeConnection(transport: ProcessTransport): HookResult {
    this.transport = transport;
    return this.connectionMade();
  }

  /** The program runs, `transport` is set. The place to write to it. */
  connectionMade(): HookResult {}

  /** The next bytes from one of the child's descriptors: calls `outReceived` for 1 and `errReceived` for 2. */
  childDataReceived(childFD: number, data: Buffer): HookResult {
    switch (childFD) {
      case STDOUT:
        return this.outReceived(data);
      case STDERR:
        return this.errReceived(data);
      default:
        return undefined;
    }
  }

  /** The next bytes from the child's standard output. Where one chunk ends and the next begins means nothing. */
  outReceived(data: Buffer): HookResult {}

  /** The next bytes from the child's standard error. */
  errReceived(data: Buffer): HookResult {}

  /** The pipe at one of the child's descriptors has closed: calls `inConnectionLost`, `outConnectionLost`, `errConnectionLost`. */
  childConnectionLost(childFD: number, _reason?: Failure): HookResult {
    switch (childFD) {
      case STDIN:
        return this.inConnectionLost();
      case STDOUT:
        return this.outConnectionLost();
      case STDERR:
        return this.errConnectionLost();
      default:
        return undefined;
    }
  }

  /** The child's standard input has closed, from this side or from that. */
  inConnectionLost(): HookResult {}

  /** The child's standard output has closed; no more comes from it. */
  outConnectionLost(): HookResult {}

  /** The child's standard error has closed; no more comes from it. */
  errConnectionLost(): HookResult {}

  /** The program has ended; output may still come. `reason` has a `ProcessDone` or a `ProcessTerminated`. */
  processExited(reason: Failure): HookResult {}

  /**
   * The program has ended and all its pipes have closed; nothing follows. `reason` is as in `processExited`, a
   * `ProcessStartError` if the program could not be started, or a `ConnectionLost` if it was left running by a reactor that stopped.
   */
  processEnded(reason: Failure): HookResult {}
}
