/** What the system's codes mean: the one table from codes to error classes, for the real world and virtual ones. */
import {
  ConnectBindError,
  ConnectError,
  ConnectionLost,
  ConnectionRefusedError,
  MessageLengthError,
  NoRouteError,
  TCPTimedOutError,
  UnknownHostError,
} from '../errors.ts';
import type { SystemError } from '../interfaces/platform.ts';

type ConnectErrorClass = new (message?: string, options?: ErrorOptions) => ConnectError;

const CONNECT_ERRORS: ReadonlyMap<string, ConnectErrorClass> = new Map<string, ConnectErrorClass>([
  ['ECONNREFUSED', ConnectionRefusedError],
  ['ENETUNREACH', NoRouteError],
  ['EHOSTUNREACH', NoRouteError],
  ['ETIMEDOUT', TCPTimedOutError],
  ['EHOSTDOWN', UnknownHostError],
]);

/** The class for a connection attempt that failed so. */
export function connectErrorClass(error: SystemError): ConnectErrorClass {
  if (error.syscall === 'bind') return ConnectBindError;
  return CONNECT_ERRORS.get(error.code) ?? ConnectError;
}

/** The reason for an established connection that broke so. */
export function connectionLostFor(error: SystemError): ConnectionLost {
  return new ConnectionLost(error.message, { cause: error });
}

/** What is reported of a datagram that the system would not send. */
export function sendErrorFor(error: SystemError): Error {
  return error.code === 'EMSGSIZE' ? new MessageLengthError(error.message, { cause: error }) : error;
}
