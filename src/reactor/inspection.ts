import type { DelayedCall } from '../interfaces/delayed-call.ts';
import type { ReactorParts } from './reactor-parts.ts';

/** What is alive on a reactor; the strings are for people. */
export interface ReactorInspection {
  /** Pending delayed calls, in the order in which they will run. */
  readonly delayedCalls: readonly DelayedCall[];
  /** How many calls wait for the next turn. */
  readonly queuedCallCount: number;
  readonly connections: readonly string[];
  /** TLS handshakes of accepted connections that have no protocol yet. */
  readonly handshakes: readonly string[];
  /** Attempts to connect that are under way. */
  readonly connectors: readonly string[];
  /** Ports that are bound, being bound or being closed. */
  readonly ports: readonly string[];
  /** Programs that are about to be started, run, or have pipes open. */
  readonly processes: readonly string[];
}

export function inspect(parts: ReactorParts): ReactorInspection {
  return {
    delayedCalls: parts.loop.timers.getDelayedCalls(),
    queuedCallCount: parts.loop.queuedCallCount,
    connections: [...parts.connections].map(String),
    handshakes: [...parts.handshakes].map(String),
    connectors: [...parts.connectors].map(String),
    ports: [...parts.ports].map(String),
    processes: [...parts.processes].map(String),
  };
}

/** One line for everything that is alive; empty if nothing is. */
export function describeInspection(inspection: ReactorInspection): readonly string[] {
  const { delayedCalls, queuedCallCount, connections, handshakes, connectors, ports, processes } = inspection;
  return [
    ...delayedCalls.map((call) => `delayed call: ${String(call)}`),
    ...(queuedCallCount > 0 ? [`calls queued for the next turn: ${String(queuedCallCount)}`] : []),
    ...connections,
    ...handshakes,
    ...connectors,
    ...ports,
    ...processes,
  ];
}
