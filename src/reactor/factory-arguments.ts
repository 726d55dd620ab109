/** Checks of the factories given to a reactor: `TypeError` at the call for what cannot serve as one. */
import { describe, requireMethods } from '../arguments.ts';

const FACTORY_METHODS = ['doStart', 'doStop', 'buildProtocol'];
const CLIENT_FACTORY_METHODS = [
  ...FACTORY_METHODS,
  'startedConnecting',
  'clientConnectionFailed',
  'clientConnectionLost',
];

/** For a port. */
export function requireFactory(factory: unknown): void {
  requireMethodsOfFactory(factory, FACTORY_METHODS, 'Factory');
}

/** For a connector. */
export function requireClientFactory(factory: unknown): void {
  requireMethodsOfFactory(factory, CLIENT_FACTORY_METHODS, 'ClientFactory');
}

function requireMethodsOfFactory(factory: unknown, methods: readonly string[], className: string): void {
  if (typeof factory === 'function') {
    throw new TypeError(`factory must be a factory, not ${describe(factory)}; see ${className}.forProtocol`);
  }
  requireMethods(`factory (a ${className})`, factory, methods);
}
