/** The cases about TLS as such; the peers of the reactors are plain sockets, for what has to go wrong. */
import { nodeTLS } from 'ropewalk';
import { describeConformance, TLS_SUITES } from './all-suites.ts';
import { NodeHarness } from './harness/node-harness.ts';
import type { NodeKind } from './harness/node-kind.ts';
import { NODE_TCP } from './harness/node-tcp.ts';
import { VirtualHarness } from './harness/virtual-harness.ts';
import { VIRTUAL_TCP, type VirtualKind } from './harness/virtual-kind.ts';

const ON_SOCKETS: NodeKind = { ...NODE_TCP, name: 'TLS itself on Node' };

const OVER_DUPLEX: NodeKind = {
  ...NODE_TCP,
  name: 'TLS itself over a Duplex on Node',
  features: [...NODE_TCP.features, 'truncation'],
  platformOptions: { tls: nodeTLS({ detectTruncation: true }) },
};

const IN_SIMULATION: VirtualKind = {
  ...VIRTUAL_TCP,
  name: 'TLS itself in simulation',
  features: [...VIRTUAL_TCP.features, 'truncation'],
  worldOptions: { tls: nodeTLS() },
};

for (const kind of [ON_SOCKETS, OVER_DUPLEX]) describeConformance(kind.name, () => new NodeHarness(kind), TLS_SUITES);
describeConformance(IN_SIMULATION.name, () => new VirtualHarness(IN_SIMULATION), TLS_SUITES);
