import {
  DATAGRAM_SUITES,
  describeConformance,
  PROCESS_SUITES,
  REACTOR_SUITES,
  STREAM_SUITES,
  TCP_SUITES,
  UNIX_SUITES,
} from './all-suites.ts';
import { VirtualHarness } from './harness/virtual-harness.ts';
import { VIRTUAL_TCP, VIRTUAL_UNIX, type VirtualKind } from './harness/virtual-kind.ts';

function describeInSimulation(kind: VirtualKind, suites: typeof STREAM_SUITES): void {
  describeConformance(kind.name, () => new VirtualHarness(kind), suites);
}

describeInSimulation(VIRTUAL_TCP, [
  ...REACTOR_SUITES,
  ...STREAM_SUITES,
  ...TCP_SUITES,
  ...DATAGRAM_SUITES,
  ...PROCESS_SUITES,
]);
describeInSimulation(VIRTUAL_UNIX, [...STREAM_SUITES, ...UNIX_SUITES]);
