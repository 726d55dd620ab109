import { testCertificates } from '../support/certificates.ts';
import { hasEveryKind } from '../support/repetitions.ts';
import { describeConformance, STREAM_SUITES } from './all-suites.ts';
import { NodeHarness } from './harness/node-harness.ts';
import { nodeTLSOnSockets, nodeTLSOverDuplex } from './harness/node-tls.ts';
import { VirtualHarness } from './harness/virtual-harness.ts';
import { virtualTLS } from './harness/virtual-tls.ts';

const certificates = await testCertificates();

const kinds = [nodeTLSOnSockets(certificates)];
// It is the path of TLS in simulation as well.
if (hasEveryKind()) kinds.push(nodeTLSOverDuplex(certificates));

for (const kind of kinds) {
  describeConformance(kind.name, () => new NodeHarness(kind), STREAM_SUITES);
}

const virtual = virtualTLS(certificates);
describeConformance(virtual.name, () => new VirtualHarness(virtual), STREAM_SUITES);
