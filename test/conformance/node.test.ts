import { hasEveryKind } from '../support/repetitions.ts';
import {
  DATAGRAM_SUITES,
  describeConformance,
  PROCESS_SUITES,
  REACTOR_SUITES,
  STREAM_SUITES,
  TCP_SUITES,
  UNIX_SUITES,
} from './all-suites.ts';
import { NodeHarness } from './harness/node-harness.ts';
import type { NodeKind } from './harness/node-kind.ts';
import { NODE_TCP, NODE_TCP_BY_DATA_EVENTS } from './harness/node-tcp.ts';
import { NODE_UNIX } from './harness/node-unix.ts';

function describeOnNode(kind: NodeKind, suites: typeof STREAM_SUITES): void {
  describeConformance(kind.name, () => new NodeHarness(kind), suites);
}

describeOnNode(NODE_TCP, [...REACTOR_SUITES, ...STREAM_SUITES, ...TCP_SUITES, ...DATAGRAM_SUITES, ...PROCESS_SUITES]);
if (hasEveryKind()) describeOnNode(NODE_TCP_BY_DATA_EVENTS, STREAM_SUITES);
// What Node calls so on Windows are named pipes.
if (process.platform !== 'win32') describeOnNode(NODE_UNIX, [...STREAM_SUITES, ...UNIX_SUITES]);
