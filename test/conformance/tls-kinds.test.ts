/** TLS over what TLS itself, and each kind of stream, is made of. It is the code of other kinds, so only the thorough tests do it. */
import { testCertificates } from '../support/certificates.ts';
import { isThorough } from '../support/repetitions.ts';
import { describeConformance, STREAM_SUITES } from './all-suites.ts';
import { NodeHarness } from './harness/node-harness.ts';
import { nodeTLSInTLS, nodeTLSOnUNIX } from './harness/node-tls.ts';
import { VirtualHarness } from './harness/virtual-harness.ts';
import { virtualTLSOnUNIX } from './harness/virtual-tls.ts';

/** In TLS in TLS, 128 MiB are encrypted twice. */
const PATIENCE_MILLISECONDS = 30_000;

if (isThorough()) {
  const certificates = await testCertificates();
  const kinds = [nodeTLSInTLS(certificates)];
  // What Node calls UNIX sockets on Windows are named pipes.
  if (process.platform !== 'win32') {
    kinds.push(nodeTLSOnUNIX(certificates, false), nodeTLSOnUNIX(certificates, true));
  }
  const virtual = virtualTLSOnUNIX(certificates);

  describe('TLS above and below', function () {
    this.timeout(PATIENCE_MILLISECONDS);
    for (const kind of kinds) describeConformance(kind.name, () => new NodeHarness(kind), STREAM_SUITES);
    describeConformance(virtual.name, () => new VirtualHarness(virtual), STREAM_SUITES);
  });
}
