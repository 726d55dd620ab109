/* eslint-disable max-lines -- a list of small classes, which is looked up in one place */
/**
 * Every error class of Ropewalk, grouped by whose fault the error is.
 *
 * Misuse by local code throws one of these at the call. What the world did is delivered: in a `Failure` given to
 * `connectionLost`, `clientConnectionFailed` or an errback. Each class has a stable `code`, `ERR_` and the class name
 * in capitals without a final `Error`, so that programs can tell errors apart without reading messages, and across
 * two copies of this package. The classes and their hierarchy are Twisted's (`twisted.internet.error`, `.defer`).
 */
import type { Buffer } from 'node:buffer';
import { requireIntegerFrom } from './arguments.ts';
import type { Failure } from './deferred/failure.ts';

/** Gives a class its `name` and `code` once, on the prototype, so that stack traces begin with the right name. */
function identify(errorClass: { readonly prototype: object }, name: string, code: string): void {
  Object.defineProperty(errorClass.prototype, 'name', { value: name, configurable: true, writable: true });
  Object.defineProperty(errorClass.prototype, 'code', { value: code, configurable: true, enumerable: true });
}

/** The root of all errors made by this package. */
export abstract class RopewalkError extends Error {
  /** Stable across releases; compare this rather than the message. */
  declare readonly code: string;
}

// ---------------------------------------------------------------------------------------------------------------
// Why an established connection ended. Delivered to `connectionLost`.

/** The base of all reasons given to `connectionLost` by a transport. */
export abstract class ConnectionClosed extends RopewalkError {}

/** The connection ended in order: the peer closed it, or `loseConnection` did. */
export class ConnectionDone extends ConnectionClosed {
  static {
    identify(this, 'ConnectionDone', 'ERR_CONNECTION_DONE');
  }
  constructor(detail?: string, options?: ErrorOptions) {
    super(withDetail('Connection was closed cleanly', detail), options);
  }
}

/** The connection broke: reset by the peer, a failed read or write, or the reactor stopped under it. */
export class ConnectionLost extends ConnectionClosed {
  static {
    identify(this, 'ConnectionLost', 'ERR_CONNECTION_LOST');
  }
  constructor(detail?: string, options?: ErrorOptions) {
    super(withDetail('Connection was lost before it was closed', detail), options);
  }
}

/** This side called `abortConnection`. The peer sees a reset, and so `ConnectionLost`. */
export class ConnectionAborted extends ConnectionLost {
  static {
    identify(this, 'ConnectionAborted', 'ERR_CONNECTION_ABORTED');
  }
  constructor(detail?: string, options?: ErrorOptions) {
    super(detail ?? 'abortConnection was called on this side', options);
  }
}

/**
 * More bytes were waiting to be sent on one connection than its limit allows, so it was aborted. The cure is flow
 * control: stop writing while `write` returns false, or register a producer.
 */
export class WriteBufferLimitError extends ConnectionLost {
  static {
    identify(this, 'WriteBufferLimitError', 'ERR_WRITE_BUFFER_LIMIT');
  }
  /** How many bytes would have been waiting. */
  readonly bufferedBytes: number;
  /** How many may. */
  readonly limitBytes: number;
  constructor(bufferedBytes: number, limitBytes: number, options?: ErrorOptions) {
    super(`${String(bufferedBytes)} bytes were waiting to be sent, and at most ${String(limitBytes)} may`, options);
    this.bufferedBytes = bufferedBytes;
    this.limitBytes = limitBytes;
  }
}

// ---------------------------------------------------------------------------------------------------------------
// Why a connection could not be made. Delivered to `clientConnectionFailed` and to the errback of `connect()`.

/** The base of all reasons why an outgoing connection was not made; itself for causes without a class of their own. */
export class ConnectError extends RopewalkError {
  static {
    identify(this, 'ConnectError', 'ERR_CONNECT');
  }
}

/** The local address asked for with `bindAddress` could not be used. */
export class ConnectBindError extends ConnectError {
  static {
    identify(this, 'ConnectBindError', 'ERR_CONNECT_BIND');
  }
}

/** The system knows no host at the address. */
export class UnknownHostError extends ConnectError {
  static {
    identify(this, 'UnknownHostError', 'ERR_UNKNOWN_HOST');
  }
}

/** There is no route to the address. */
export class NoRouteError extends ConnectError {
  static {
    identify(this, 'NoRouteError', 'ERR_NO_ROUTE');
  }
}

/** The peer refused: nobody listens there. */
export class ConnectionRefusedError extends ConnectError {
  static {
    identify(this, 'ConnectionRefusedError', 'ERR_CONNECTION_REFUSED');
  }
}

/** The system gave up waiting for the peer's answer (ETIMEDOUT), before our own timeout did. */
export class TCPTimedOutError extends ConnectError {
  static {
    identify(this, 'TCPTimedOutError', 'ERR_TCP_TIMED_OUT');
  }
}

/** The `timeout` of the attempt ran out; it covers name resolution and every address tried. */
export class ConnectTimeoutError extends ConnectError {
  static {
    identify(this, 'ConnectTimeoutError', 'ERR_CONNECT_TIMEOUT');
  }
}

/** The name could not be resolved to any address. */
export class DNSLookupError extends ConnectError {
  static {
    identify(this, 'DNSLookupError', 'ERR_DNS_LOOKUP');
  }
}

/** Local code gave the attempt up: `stopConnecting` or `disconnect` on the connector. */
export class UserError extends ConnectError {
  static {
    identify(this, 'UserError', 'ERR_USER');
  }
}

// ---------------------------------------------------------------------------------------------------------------
// Why a TLS handshake failed. Delivered to `clientConnectionFailed`, to the errback of `connect()`, and after `startTLS`
// to `connectionLost`; a server that listens for TLS logs it.

/** The two sides could not agree: what the peer sent is no TLS, or no version, cipher or protocol is spoken by both. */
export class SSLError extends ConnectError {
  static {
    identify(this, 'SSLError', 'ERR_SSL');
  }
}

/** A handshake took more time than it was given. */
export class TLSHandshakeTimeoutError extends ConnectError {
  static {
    identify(this, 'TLSHandshakeTimeoutError', 'ERR_TLS_HANDSHAKE_TIMEOUT');
  }
}

/** The peer's certificate could not be verified: nobody we trust has signed it, or it has expired, or was revoked. */
export class VerifyError extends RopewalkError {
  static {
    identify(this, 'VerifyError', 'ERR_VERIFY');
  }
  /** Whom we wanted to speak to; for a client's certificate, its host. */
  readonly hostname: string;
  /** What was wrong, as Node and OpenSSL name it: `CERT_HAS_EXPIRED`, `DEPTH_ZERO_SELF_SIGNED_CERT`, … */
  readonly reason: string;
  constructor(message: string, hostname: string, reason: string, options?: ErrorOptions) {
    super(message, options);
    this.hostname = hostname;
    this.reason = reason;
  }
}

/** The peer did not accept our certificate, or that we have none. */
export class PeerVerifyError extends VerifyError {
  static {
    identify(this, 'PeerVerifyError', 'ERR_PEER_VERIFY');
  }
}

/** The peer's certificate is for somebody else, or it has sent none. */
export class CertificateError extends RopewalkError {
  static {
    identify(this, 'CertificateError', 'ERR_CERTIFICATE');
  }
  /** Whom we wanted to speak to; for a client's certificate, its host. */
  readonly hostname: string;
  constructor(message: string, hostname: string, options?: ErrorOptions) {
    super(message, options);
    this.hostname = hostname;
  }
}

// ---------------------------------------------------------------------------------------------------------------
// Programs.

/** What somebody had collected of a program's output when it ended. */
export interface CollectedOutput {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** The program ended with code 0. Delivered to `processExited` and `processEnded`. */
export class ProcessDone extends ConnectionDone {
  static {
    identify(this, 'ProcessDone', 'ERR_PROCESS_DONE');
  }
  /** Always 0: any other code is a `ProcessTerminated`. */
  readonly exitCode: number = 0;
  /** What `wait` gave. */
  readonly status: number = 0;
  constructor(detail = 'The program ended with exit code 0.', options?: ErrorOptions) {
    super(detail, options);
  }
}

/** What is known of a program that ended badly. */
export interface ProcessTermination {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly status?: number | undefined;
  readonly output?: CollectedOutput | undefined;
}

/** The program ended with another code than 0, or by a signal. Delivered to `processExited` and `processEnded`. */
export class ProcessTerminated extends ConnectionLost {
  static {
    identify(this, 'ProcessTerminated', 'ERR_PROCESS_TERMINATED');
  }
  /** What it ended with; undefined if a signal ended it. */
  readonly exitCode: number | undefined;
  /** The name of the signal that ended it, `SIGKILL` for instance. */
  readonly signal: string | undefined;
  /** What `wait` has for the two: the code times 256, or the number of the signal. */
  readonly status: number | undefined;
  /** What it had printed, where somebody collected that: `getProcessOutput` and its like. */
  readonly output: CollectedOutput | undefined;
  constructor({ exitCode, signal, status, output }: ProcessTermination = {}, options?: ErrorOptions) {
    super(
      signal === undefined
        ? `The program ended with exit code ${String(exitCode)}.`
        : `The program was ended by ${signal}.`,
      options,
    );
    this.exitCode = exitCode;
    this.signal = signal;
    this.status = status;
    this.output = output;
  }
}

/** The program could not be started; `cause` is the system's error. Delivered to `processEnded`. */
export class ProcessStartError extends ConnectError {
  static {
    identify(this, 'ProcessStartError', 'ERR_PROCESS_START');
  }
}

/** A signal for a program that has ended. Thrown at the call. */
export class ProcessExitedAlready extends RopewalkError {
  static {
    identify(this, 'ProcessExitedAlready', 'ERR_PROCESS_EXITED_ALREADY');
  }
  constructor(message = 'The program has ended already', options?: ErrorOptions) {
    super(message, options);
  }
}

/** `getProcessOutput` was to fail if the program prints anything to its standard error, and it did. */
export class UnexpectedErrorOutput extends RopewalkError {
  static {
    identify(this, 'UnexpectedErrorOutput', 'ERR_UNEXPECTED_ERROR_OUTPUT');
  }
  /** All that it printed, to either. */
  readonly output: CollectedOutput;
  constructor(output: CollectedOutput, options?: ErrorOptions) {
    super(`The program wrote to its standard error: ${excerptOf(output.stderr)}`, options);
    this.output = output;
  }
}

/** A program whose output was collected printed more than was to be kept, and has been killed for it. */
export class ProcessOutputLimitError extends RopewalkError {
  static {
    identify(this, 'ProcessOutputLimitError', 'ERR_PROCESS_OUTPUT_LIMIT');
  }
  /** How much was to be kept at most. */
  readonly limitBytes: number;
  constructor(limitBytes: number, options?: ErrorOptions) {
    super(`The program printed more than ${String(limitBytes)} bytes`, options);
    this.limitBytes = limitBytes;
  }
}

// ---------------------------------------------------------------------------------------------------------------
// Why a port does not listen.

/** The base of errors about binding a local address. */
export abstract class BindError extends RopewalkError {}

/** Listening failed: the port or path is taken, the interface is not ours, or binding is not permitted. */
export class CannotListenError extends BindError {
  static {
    identify(this, 'CannotListenError', 'ERR_CANNOT_LISTEN');
  }
  /** The local address that was asked for; `''` is every IPv4 address, or that of a UNIX socket, which has none. */
  readonly interface: string;
  /** The port that was asked for, the path of a UNIX socket, or for a stream socket that was adopted `descriptor` and its number. */
  readonly port: number | string;
  /** The system's error, also the `cause`. */
  readonly socketError: Error;
  constructor(interfaceName: string, port: number | string, socketError: Error) {
    const where = typeof port === 'string' ? port : `${interfaceName || 'any interface'}, port ${String(port)}`;
    super(`Cannot listen on ${where}: ${socketError.message}`, { cause: socketError });
    this.interface = interfaceName;
    this.port = port;
    this.socketError = socketError;
  }
}

/**
 * A descriptor that cannot be adopted: it is not open, is no socket of the kind asked for, or has been adopted already.
 * Thrown at the call; the descriptor is as it was. What is wrong is the `cause`, with the system's code (`EBADF`, …).
 */
export class AdoptionError extends RopewalkError {
  static {
    identify(this, 'AdoptionError', 'ERR_ADOPTION');
  }
  /** Its number. */
  readonly descriptor: number;
  constructor(descriptor: number, cause: Error) {
    super(`Cannot adopt descriptor ${String(descriptor)}: ${cause.message}`, { cause });
    this.descriptor = descriptor;
  }
}

// ---------------------------------------------------------------------------------------------------------------
// Datagrams.

/** A datagram is longer than its network can carry: thrown by `write`, or reported when only the system knew. */
export class MessageLengthError extends RopewalkError {
  static {
    identify(this, 'MessageLengthError', 'ERR_MESSAGE_LENGTH');
  }
  constructor(message = 'The datagram is too long to be sent', options?: ErrorOptions) {
    super(message, options);
  }
}

/** A datagram cannot go there: the host is no address, or of another family than the port, or not the one it is connected to. */
export class InvalidAddressError extends RopewalkError {
  static {
    identify(this, 'InvalidAddressError', 'ERR_INVALID_ADDRESS');
  }
  /** The host as it was given. */
  readonly address: string;
  constructor(address: string, message: string, options?: ErrorOptions) {
    super(`${message}; got '${address}'`, options);
    this.address = address;
  }
}

/** A multicast group could not be joined or left; the system's error is the `cause`. */
export class MulticastJoinError extends RopewalkError {
  static {
    identify(this, 'MulticastJoinError', 'ERR_MULTICAST_JOIN');
  }
}

// ---------------------------------------------------------------------------------------------------------------
// Endpoints.

/** The `Deferred` of `endpoint.connect()` was cancelled. (That of `listen()` fails with `CancelledError`.) */
export class ConnectingCancelledError extends RopewalkError {
  static {
    identify(this, 'ConnectingCancelledError', 'ERR_CONNECTING_CANCELLED');
  }
  /** Where the attempt was going. */
  readonly address: unknown;
  constructor(address: unknown, options?: ErrorOptions) {
    super(`Connecting to ${String(address)} was cancelled`, options);
    this.address = address;
  }
}

/** `listen` on an endpoint that can be used once, as that of an adopted socket. Delivered. */
export class AlreadyListened extends RopewalkError {
  static {
    identify(this, 'AlreadyListened', 'ERR_ALREADY_LISTENED');
  }
}

/** The factory's `buildProtocol` returned null, so `endpoint.connect()` has no protocol to give. */
export class NoProtocol extends RopewalkError {
  static {
    identify(this, 'NoProtocol', 'ERR_NO_PROTOCOL');
  }
  constructor(message = 'The factory built no protocol for the connection', options?: ErrorOptions) {
    super(message, options);
  }
}

// ---------------------------------------------------------------------------------------------------------------
// Operations that do not fit the state of the thing. Thrown at the call.

/**
 * `cancel`, `delay` or `reset` on a delayed call that has run. `AlreadyCalledError` has the same code; tell the two
 * apart by class or `name`.
 */
export class AlreadyCalled extends RopewalkError {
  static {
    identify(this, 'AlreadyCalled', 'ERR_ALREADY_CALLED');
  }
  constructor(message = 'The delayed call has already been called', options?: ErrorOptions) {
    super(message, options);
  }
}

/** `cancel`, `delay` or `reset` on a delayed call that was cancelled. */
export class AlreadyCancelled extends RopewalkError {
  static {
    identify(this, 'AlreadyCancelled', 'ERR_ALREADY_CANCELLED');
  }
  constructor(message = 'The delayed call has already been cancelled', options?: ErrorOptions) {
    super(message, options);
  }
}

/** `stopConnecting` on a connector that is not connecting. */
export class NotConnectingError extends RopewalkError {
  static {
    identify(this, 'NotConnectingError', 'ERR_NOT_CONNECTING');
  }
}

/**
 * `connect` on a connector that is connecting or connected, or on a datagram port that has a peer; a second port for a datagram
 * protocol that serves one.
 */
export class ConnectInProgressError extends RopewalkError {
  static {
    identify(this, 'ConnectInProgressError', 'ERR_CONNECT_IN_PROGRESS');
  }
}

/** `startTLS` on a connection whose handshake is under way. */
export class HandshakeInProgressError extends RopewalkError {
  static {
    identify(this, 'HandshakeInProgressError', 'ERR_HANDSHAKE_IN_PROGRESS');
  }
}

/** `getHost` on a port that is not bound (yet, or any more). */
export class NotListeningError extends RopewalkError {
  static {
    identify(this, 'NotListeningError', 'ERR_NOT_LISTENING');
  }
}

/** `stop` or `crash` on a reactor that is not running, or that is stopping already. */
export class ReactorNotRunning extends RopewalkError {
  static {
    identify(this, 'ReactorNotRunning', 'ERR_REACTOR_NOT_RUNNING');
  }
}

/** `run` on a reactor that is running. */
export class ReactorAlreadyRunning extends RopewalkError {
  static {
    identify(this, 'ReactorAlreadyRunning', 'ERR_REACTOR_ALREADY_RUNNING');
  }
}

/** The platform lacks what was asked for; the message names both. */
export class UnsupportedError extends RopewalkError {
  static {
    identify(this, 'UnsupportedError', 'ERR_UNSUPPORTED');
  }
}

/**
 * Turns at one instant of a virtual clock reached the limit: calls keep re-arming without time passing. The message
 * names those still pending.
 */
export class TurnLimitError extends RopewalkError {
  static {
    identify(this, 'TurnLimitError', 'ERR_TURN_LIMIT');
  }
}

// ---------------------------------------------------------------------------------------------------------------
// Deferreds.

/**
 * A `Deferred` was fired twice. Thrown at the second `callback` or `errback`. `AlreadyCalled`, of delayed calls, has the
 * same code; tell the two apart by class or `name`.
 */
export class AlreadyCalledError extends RopewalkError {
  static {
    identify(this, 'AlreadyCalledError', 'ERR_ALREADY_CALLED');
  }
  constructor(message = 'The Deferred has already been fired', options?: ErrorOptions) {
    super(message, options);
  }
}

/** A `Deferred` was cancelled. Delivered to its errbacks. */
export class CancelledError extends RopewalkError {
  static {
    identify(this, 'CancelledError', 'ERR_CANCELLED');
  }
  constructor(message = 'The Deferred was cancelled', options?: ErrorOptions) {
    super(message, options);
  }
}

/** The first failure among several `Deferred`s, from `gatherResults` or a `DeferredList` that fires on one errback. */
export class FirstError extends RopewalkError {
  static {
    identify(this, 'FirstError', 'ERR_FIRST');
  }
  /** The failure itself; its error is also the `cause`. */
  readonly subFailure: Failure;
  /** Which of the inputs it came from, counted from 0. */
  readonly index: number;
  constructor(subFailure: Failure, index: number) {
    super(`Deferred ${String(index)} failed: ${subFailure.getErrorMessage()}`, { cause: subFailure.value });
    this.subFailure = subFailure;
    this.index = index;
  }
}

/** Every input of `race` failed; `failures` are in the order of the inputs, and so are the `errors` of the cause. */
export class FailureGroup extends RopewalkError {
  static {
    identify(this, 'FailureGroup', 'ERR_FAILURE_GROUP');
  }
  /** One for each input, in their order. */
  readonly failures: readonly Failure[];
  constructor(failures: readonly Failure[]) {
    const messages = failures.map((failure) => failure.getErrorMessage());
    super(`All ${String(failures.length)} Deferreds failed: ${messages.join('; ')}`, {
      cause: new AggregateError(failures.map((failure) => failure.value)),
    });
    this.failures = failures;
  }
}

/** The time that `addTimeout` gave a `Deferred` was up. Delivered in place of the `CancelledError`, which is the `cause`. */
export class TimeoutError extends RopewalkError {
  static {
    identify(this, 'TimeoutError', 'ERR_TIMEOUT');
  }
  /** The time it was given. */
  readonly timeoutSeconds: number;
  constructor(timeoutSeconds: number, options?: ErrorOptions) {
    super(`The Deferred had no result after ${String(timeoutSeconds)} seconds`, options);
    this.timeoutSeconds = timeoutSeconds;
  }
}

/** `inlineCallbacks` was given a function that returned no generator, or `ensureDeferred` nothing to wait for. Thrown. */
export class NotACoroutineError extends RopewalkError {
  static {
    identify(this, 'NotACoroutineError', 'ERR_NOT_A_COROUTINE');
  }
}

/** `put` on a `DeferredQueue` that holds as many values as it may. Thrown at the call. */
export class QueueOverflow extends RopewalkError {
  static {
    identify(this, 'QueueOverflow', 'ERR_QUEUE_OVERFLOW');
  }
}

/** As many wait already as may: `get` on a `DeferredQueue`, `acquire` of a lock or semaphore. Thrown at the call. */
export class QueueUnderflow extends RopewalkError {
  static {
    identify(this, 'QueueUnderflow', 'ERR_QUEUE_UNDERFLOW');
  }
}

// ---------------------------------------------------------------------------------------------------------------
// Tasks: looping calls, cooperative tasks, `react`.

/** `start` on a looping call that runs, or whose last call has not ended yet. */
export class LoopingCallAlreadyRunning extends RopewalkError {
  static {
    identify(this, 'LoopingCallAlreadyRunning', 'ERR_LOOPING_CALL_ALREADY_RUNNING');
  }
}

/** `stop` or `reset` on a looping call that is not running. */
export class LoopingCallNotRunning extends RopewalkError {
  static {
    identify(this, 'LoopingCallNotRunning', 'ERR_LOOPING_CALL_NOT_RUNNING');
  }
}

/** The base of errors about a `Cooperator` and its tasks. */
export abstract class SchedulerError extends RopewalkError {}

/** The `Cooperator` of a task was stopped. Delivered to those who wait for the task, thrown by its methods afterwards. */
export class SchedulerStopped extends SchedulerError {
  static {
    identify(this, 'SchedulerStopped', 'ERR_SCHEDULER_STOPPED');
  }
  constructor(message = 'The cooperator has been stopped', options?: ErrorOptions) {
    super(message, options);
  }
}

/** The base of the errors that say how a task has ended; its methods throw them from then on. */
export abstract class TaskFinished extends SchedulerError {}

/** The task's iterator is exhausted. */
export class TaskDone extends TaskFinished {
  static {
    identify(this, 'TaskDone', 'ERR_TASK_DONE');
  }
  constructor(message = 'The task is done', options?: ErrorOptions) {
    super(message, options);
  }
}

/** The task's `stop` was called. Also delivered to those who wait for the task. */
export class TaskStopped extends TaskFinished {
  static {
    identify(this, 'TaskStopped', 'ERR_TASK_STOPPED');
  }
  constructor(message = 'The task has been stopped', options?: ErrorOptions) {
    super(message, options);
  }
}

/** The task's iterator threw, or a `Deferred` that it yielded failed; `cause` is that error. */
export class TaskFailed extends TaskFinished {
  static {
    identify(this, 'TaskFailed', 'ERR_TASK_FAILED');
  }
  constructor(message = 'The task has failed', options?: ErrorOptions) {
    super(message, options);
  }
}

/** `resume` on a task that is not paused. */
export class NotPaused extends SchedulerError {
  static {
    identify(this, 'NotPaused', 'ERR_NOT_PAUSED');
  }
  constructor(message = 'The task is not paused', options?: ErrorOptions) {
    super(message, options);
  }
}

/** The main function of `react` ends with this error to choose the exit code. It is not logged. */
export class SystemExit extends RopewalkError {
  static {
    identify(this, 'SystemExit', 'ERR_SYSTEM_EXIT');
  }
  /** The status of the program, from 0 to 255. */
  readonly exitCode: number;
  /** Throws `RangeError` for a number that is no status of a program, `TypeError` for what is no number. */
  constructor(exitCode: number, options?: ErrorOptions) {
    requireIntegerFrom('exitCode', exitCode, 0);
    if (exitCode > 255) throw new RangeError(`exitCode must be at most 255; got ${String(exitCode)}`);
    super(`The program ends with status ${String(exitCode)}`, options);
    this.exitCode = exitCode;
  }
}

/**
 * `Connection was closed cleanly` → `Connection was closed cleanly.` or `Connection was closed cleanly: detail.` A detail
 * with a full stop at its end is a sentence that stands for itself.
 */
function withDetail(sentence: string, detail: string | undefined): string {
  if (detail?.endsWith('.') === true) return detail;
  return detail === undefined ? `${sentence}.` : `${sentence}: ${detail}.`;
}

/** How much of an output a message quotes. */
const EXCERPT_BYTES_MAX = 200;

function excerptOf(output: Buffer): string {
  const text = output.toString('utf8', 0, EXCERPT_BYTES_MAX).trimEnd();
  return output.length > EXCERPT_BYTES_MAX ? `${text}…` : text;
}
