/**
 * Ropewalk on Node: everything for servers and clients. All of `ropewalk/core`, and reactors on real sockets.
 */
export * from './core.ts';
export { createReactor, type CreateReactorOptions } from './node/create-reactor.ts';
export { nodeTLS, type NodeTLSOptions } from './node/tls/node-tls.ts';
export { ListenFDs, type ListenFDsOptions } from './node/listen-fds.ts';
export { adoptDuplex, type AdoptDuplexOptions } from './node/streams/adopt-duplex.ts';
export { createConnection } from './node/streams/create-connection.ts';
export { duplexFactory } from './node/streams/duplex-factory.ts';
export type { DuplexOptions } from './node/streams/duplex-options.ts';
export { DuplexProtocol } from './node/streams/duplex-protocol.ts';
export { ReadableProducer } from './node/streams/readable-producer.ts';
export { WritableConsumer, type WritableConsumerOptions } from './node/streams/writable-consumer.ts';
