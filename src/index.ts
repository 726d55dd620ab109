/**
 * Ropewalk on Node: everything for servers and clients. All of `ropewalk/core`, and reactors on real sockets.
 */
export * from './core.ts';
export { createReactor, type CreateReactorOptions } from './node/create-reactor.ts';
export { nodeTLS, type NodeTLSOptions } from './node/tls/node-tls.ts';
export { ListenFDs, type ListenFDsOptions } from './node/listen-fds.ts';
