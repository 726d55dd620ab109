import { testCertificates } from '../support/certificates.ts';
import { describeConformance, STREAM_SUITES } from './all-suites.ts';
import { NodeHarness } from './harness/node-harness.ts';
import { nodeTLSOnSockets, nodeTLSOverDuplex } from './harness/node-tls.ts';
import { VirtualHarness } from './harness/virtual-harness.ts';
import { virtualTLS } from './harness/virtual-tls.ts';

const certificates = await testCertificates();

for (const kind of [nodeTLSOnSockets(certificates), nodeTLSOverDuplex(certificates)]) {
  describeConformance(kind.name, () => new NodeHarness(kind), STREAM_SUITES);
}

const virtual = virtualTLS(certificates);
describeConformance(virtual.name, () => new VirtualHarness(virtual), STREAM_SUITES);
