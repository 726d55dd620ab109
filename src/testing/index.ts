/**
 * `ropewalk/testing`: test doubles for protocols. Start with `TestReactor`: the reactor itself, on a clock that the test
 * advances and a network in memory. `Clock` is enough where only time matters, `StringTransport` where only one protocol
 * does.
 */
export { type DialOptions, type ServeOptions, TestReactor, type TestReactorOptions } from './test-reactor.ts';
export type { ScriptedPeer, ScriptedPeerOptions } from './scripted-peer.ts';
export type { ScriptedExitOptions, ScriptedProcess } from './scripted-process.ts';
export type { ScriptedProgram, ScriptedProgramOptions } from './scripted-program.ts';
export type { ScriptedServer, ScriptedServerOptions } from './scripted-server.ts';
export type { ReceivedDatagram, ScriptedDatagramPeer, ScriptedDatagramPeerOptions } from './scripted-datagram-peer.ts';
export { Clock } from './clock.ts';
export { StringTransport, type StringTransportOptions } from './string-transport.ts';
export { StringTransportWithDisconnection } from './string-transport-with-disconnection.ts';
export {
  FakeDatagramTransport,
  type FakeDatagramTransportOptions,
  type FakeMembership,
} from './fake-datagram-transport.ts';
export { connectedPair, type ConnectedPair, type Pump } from './connected-pair.ts';
export { MemoryWorkerPool, type MemoryWorkerTask, type MemoryWorkerTaskOptions } from './memory-worker-pool.ts';
export { assertNoResult, failureResultOf, successResultOf } from './deferred-results.ts';
