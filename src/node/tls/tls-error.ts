import type { SystemError } from '../../interfaces/platform.ts';
import { toSystemError } from '../../system-error.ts';

/** Node's error as the seam has it, with a message for people where OpenSSL has one besides its own long line. */
export function toTLSError(error: Error): SystemError {
  const systemError = toSystemError(error);
  if (!('reason' in systemError) || typeof systemError.reason !== 'string') return systemError;
  return Object.assign(new Error(systemError.reason, { cause: error }), { code: systemError.code });
}

/** The error of a server that does not take a client for what `authorizationError` says. */
export function notAuthorized(authorizationError: string, cause: Error): SystemError {
  return Object.assign(new Error(`the client is not authorized (${authorizationError})`, { cause }), {
    code: authorizationError,
  });
}
