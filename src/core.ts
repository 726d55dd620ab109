/**
 * All of Ropewalk that is portable: for platforms other than Node, and for libraries of protocols that want to run
 * anywhere. `ropewalk` has the same and the Node platform besides.
 *
 * The code in layers, from the bottom; start with `reactor/reactor.ts`, and `docs/architecture.md`:
 * interfaces, errors, addresses · deferred · task · reactor · protocols · endpoints.
 */
export { type Address, type AddressType, HostnameAddress, IPv4Address, IPv6Address, UNIXAddress } from './addresses.ts';
export { isIPAddress, isIPv6Address } from './ip-literal.ts';
export * from './errors.ts';

export { abortOnCancel, cancelOnAbort } from './deferred/abort-signal.ts';
export type { TimeoutCancelHandler } from './deferred/add-timeout.ts';
export { type CoroutineGenerator, ensureDeferred, inlineCallbacks } from './deferred/coroutine.ts';
export { type CallbackResult, type Canceller, Deferred } from './deferred/deferred.ts';
export {
  DeferredList,
  type DeferredListOptions,
  type DeferredListResult,
  type DeferredOutcome,
  type DeferredOutcomes,
} from './deferred/deferred-list.ts';
export { type BacklogOptions, DeferredLock } from './deferred/deferred-lock.ts';
export { DeferredQueue, type DeferredQueueOptions } from './deferred/deferred-queue.ts';
export { DeferredSemaphore } from './deferred/deferred-semaphore.ts';
export { type ErrorClass, Failure } from './deferred/failure.ts';
export { gatherResults } from './deferred/gather-results.ts';
export { execute, maybeDeferred } from './deferred/maybe-deferred.ts';
export { race } from './deferred/race.ts';
export { fail, succeed } from './deferred/succeed-fail.ts';
export {
  getDebugging,
  setDebugging,
  setUnhandledErrorHandler,
  type UnhandledErrorHandler,
} from './deferred/unhandled.ts';

export type { Connector, ConnectorState } from './interfaces/connector.ts';
export type { DelayedCall } from './interfaces/delayed-call.ts';
export type { ListeningPort } from './interfaces/listening-port.ts';
export type { Logger, LogMethod } from './interfaces/logger.ts';
export type { ObservedConnection, ReactorObserver } from './interfaces/observer.ts';
export type { Consumer, PullProducer, PushProducer } from './interfaces/producer.ts';
export type {
  ClientProtocolFactory,
  DrainableProtocol,
  HalfCloseableProtocol,
  HandshakeListener,
  HookResult,
  ProtocolFactory,
  StreamProtocol,
} from './interfaces/protocol.ts';
export type {
  ConnectionOptions,
  ConnectTCPOptions,
  ConnectTLSOptions,
  ConnectUNIXOptions,
  ListenOptions,
  ListenTCPOptions,
  ListenTLSOptions,
  ListenUNIXOptions,
  ReactorTCP,
  ReactorTLS,
  ReactorUNIX,
  SystemEventPhase,
  SystemEventTriggerID,
  TLSSource,
} from './interfaces/reactor.ts';
export type { AdoptDatagramPortOptions, AdoptStreamPortOptions, ReactorSocket } from './interfaces/reactor-socket.ts';
export type {
  HostnameResolver,
  HostResolution,
  IPFamily,
  ResolutionReceiver,
  ResolveOptions,
} from './interfaces/resolver.ts';
export type {
  DatagramDestination,
  DatagramReceiver,
  DatagramTransport,
  UDPPort,
} from './interfaces/datagram-transport.ts';
export type {
  ListenMulticastOptions,
  ListenUDPOptions,
  ReactorMulticast,
  ReactorUDP,
} from './interfaces/reactor-udp.ts';
export type {
  ChildProcessProtocol,
  ProcessSignal,
  ProcessTransport,
  ProgramOptions,
  ReactorProcess,
  ReactorStdio,
  SpawnProcessOptions,
  TerminateOptions,
} from './interfaces/process.ts';
export type { ReactorStreams } from './interfaces/reactor-streams.ts';
export type { ReactorTime } from './interfaces/time.ts';
export type * from './interfaces/platform.ts';
export type * from './interfaces/context.ts';
export type * from './interfaces/stream-platform.ts';
export type * from './interfaces/datagram-platform.ts';
export type * from './interfaces/process-platform.ts';
export type * from './interfaces/adoption-platform.ts';
export type * from './interfaces/tls-engine.ts';
export type { StartTLSOptions, Transport } from './interfaces/transport.ts';

export type { ReportError } from './reactor/error-reporter.ts';
export { Reactor, type ReactorOptions } from './reactor/reactor.ts';
export type { ReactorInspection } from './reactor/inspection.ts';
export type { RunOptions, StopOptions } from './reactor/lifecycle.ts';
export { CachingResolver, type CachingResolverOptions } from './reactor/caching-resolver.ts';
export type { HostNames } from './reactor/host-table.ts';
export { StaticResolver, type StaticResolverOptions } from './reactor/static-resolver.ts';

export type { ReactorCore } from './interfaces/reactor-core.ts';
export type { CooperativeTask } from './task/cooperative-task.ts';
export { Cooperator, type CooperatorOptions, SLICE_SECONDS, SLICE_STEPS_MAX } from './task/cooperator.ts';
export { deferLater } from './task/defer-later.ts';
export type { WorkerPool } from './interfaces/worker-pool.ts';
export { deferToWorkerPool, type DeferToWorkerPoolOptions } from './task/defer-to-worker-pool.ts';
export { LoopingCall, type LoopingCallStartOptions } from './task/looping-call.ts';
export { type MainResult, react } from './task/react.ts';

export { Protocol } from './protocols/protocol.ts';
export { ProcessProtocol } from './protocols/process-protocol.ts';
export { Factory, type ProtocolClass } from './protocols/factory.ts';
export { ClientFactory } from './protocols/client-factory.ts';
export { DatagramProtocol } from './protocols/datagram-protocol.ts';
export {
  getProcessOutput,
  type GetProcessOutputOptions,
  getProcessOutputAndValue,
  getProcessValue,
  type GetProcessValueOptions,
  OUTPUT_LIMIT_BYTES,
  type ProcessOutputAndValue,
  type ProcessOutputOptions,
} from './protocols/process-output.ts';
export { Chargen, Discard, Echo, QOTD } from './protocols/wire.ts';

export { AsyncConnection, type AsyncConnectionOptions } from './protocols/streams/async-connection.ts';
export {
  AsyncListener,
  type AsyncListenerOptions,
  type ProtocolWithTransport,
} from './protocols/streams/async-listener.ts';
export { adoptWebStreams, type AdoptWebStreamsOptions } from './protocols/streams/adopt-web-streams.ts';
export type { WebStreamAddresses, WebStreamPair } from './protocols/streams/web-stream-handle.ts';
export { WebStreamProtocol, type WebStreamOptions } from './protocols/streams/web-stream-protocol.ts';
export { consumerToProtocol, protocolToConsumer } from './protocols/streams/protocol-consumer.ts';
export { PullToPush } from './protocols/streams/pull-to-push.ts';

export type { EndpointOptions, StreamClientEndpoint, StreamServerEndpoint } from './interfaces/endpoint.ts';
export type { ProtocolFactoryOf } from './interfaces/protocol.ts';
export { AdoptedStreamServerEndpoint } from './endpoints/adopted-stream-server-endpoint.ts';
export { connectProtocol } from './endpoints/connect-protocol.ts';
export { ProcessEndpoint, type ProcessEndpointOptions } from './endpoints/process-endpoint.ts';
export { StandardIOEndpoint } from './endpoints/standard-io-endpoint.ts';
export { TCP4ServerEndpoint, TCP6ServerEndpoint } from './endpoints/tcp-server-endpoints.ts';
export { TCP4ClientEndpoint } from './endpoints/tcp4-client-endpoint.ts';
export { TCP6ClientEndpoint } from './endpoints/tcp6-client-endpoint.ts';
export { UNIXClientEndpoint } from './endpoints/unix-client-endpoint.ts';
export { UNIXServerEndpoint } from './endpoints/unix-server-endpoint.ts';
export {
  wrapClientTLS,
  type WrapClientTLSOptions,
  wrapServerTLS,
  type WrapServerTLSOptions,
} from './endpoints/wrap-tls.ts';
