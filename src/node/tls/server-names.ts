/** How a server of several names finds the identity for the one that a client asks for (SNI, RFC 6066). */
import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls';
import { isPromiseLike } from '../../deferred/is-promise-like.ts';
import type { TLSOptions } from '../../interfaces/tls-engine.ts';
import { asciiHostName } from './ascii-host-name.ts';

type NodeSNICallback = NonNullable<TlsOptions['SNICallback']>;

/**
 * Looks names up in a table, however they are spelt: the exact name first, then a `*` in place of its first label. (Node's own
 * table minds the case, and the order in which names were added to it.) Clients that do not know better send the final dot.
 */
export function chooseFromTable(entries: Iterable<readonly [name: string, SecureContext]>): NodeSNICallback {
  const contexts = new Map<string, SecureContext>();
  for (const [name, context] of entries) contexts.set(asciiHostName(name) ?? name, context);
  return (servername, callback) => {
    const name = asciiHostName(servername) ?? servername;
    callback(null, contexts.get(name) ?? contexts.get(name.replace(/^[^.]+/, '*')));
  };
}

/**
 * Asks a callback of the user, and keeps from Node what it cannot bear: an error that is thrown, or comes as the rejection of a
 * promise, would end the process, and so would what is no context. Only the first answer counts.
 */
export function chooseByCallback(choose: NonNullable<TLSOptions['SNICallback']>): NodeSNICallback {
  // Contexts have a class to which Node gives no type.
  const known: object = createSecureContext({ ca: [] });
  const isContext = (value: unknown): value is SecureContext =>
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.getPrototypeOf(known);

  // Typed as void, which an async function is too.
  const ask: (...args: Parameters<typeof choose>) => unknown = choose;

  return (servername, callback) => {
    let hasAnswered = false;
    const answer = (error: unknown, context?: unknown): void => {
      if (hasAnswered) return;
      hasAnswered = true;
      if (error !== null && error !== undefined) {
        callback(error instanceof Error ? error : new Error('SNICallback failed', { cause: error }));
      } else if (context === null || context === undefined || isContext(context)) {
        callback(null, context ?? undefined);
      } else {
        callback(new TypeError('SNICallback called back with what createSecureContext of node:tls has not made'));
      }
    };
    try {
      const result = ask(servername, answer);
      if (isPromiseLike(result)) result.then(undefined, answer);
    } catch (error) {
      answer(error);
    }
  };
}
