/** The conformance suite: every case, by what it is about. */
import type { Harness } from './harness.ts';
import { describeConnecting } from './suites/connecting.ts';
import { describeConnections } from './suites/connections.ts';
import { describeDatagrams } from './suites/datagrams.ts';
import { describeDraining } from './suites/draining.ts';
import { describeErrors } from './suites/errors.ts';
import { describeFactoryErrors } from './suites/factory-errors.ts';
import { describeHalfClose } from './suites/half-close.ts';
import { describeLifecycle } from './suites/lifecycle.ts';
import { describeLimits } from './suites/limits.ts';
import { describeMany } from './suites/many.ts';
import { describeObserving } from './suites/observing.ts';
import { describePorts } from './suites/ports.ts';
import { describeProcessEndpoint } from './suites/process-endpoint.ts';
import { describeProcessOutput } from './suites/process-output.ts';
import { describeProcessPipes } from './suites/process-pipes.ts';
import { describeProcessStop } from './suites/process-stop.ts';
import { describeProcesses } from './suites/processes.ts';
import { describeProducers } from './suites/producers.ts';
import { describeRegressions } from './suites/regressions.ts';
import { describeReusePort } from './suites/reuse-port.ts';
import { describeSlowHooks } from './suites/slow-hooks.ts';
import { describeStartTLS } from './suites/start-tls.ts';
import { describeStopping } from './suites/stopping.ts';
import { describeTCPConnecting } from './suites/tcp-connecting.ts';
import { describeTCPPorts } from './suites/tcp-ports.ts';
import { describeTime } from './suites/time.ts';
import { describeTLSCertificates } from './suites/tls-certificates.ts';
import { describeTLSConnecting } from './suites/tls-connecting.ts';
import { describeTLSHandshakes } from './suites/tls-handshakes.ts';
import { describeTLSNames } from './suites/tls-names.ts';
import { describeTLSStreams } from './suites/tls-streams.ts';
import { describeTLSTruncation } from './suites/tls-truncation.ts';
import { describeAbstractNames, describeUNIXErrors } from './suites/unix-errors.ts';
import { describeUNIX } from './suites/unix.ts';
import { harnessPerTest } from './support/harness-per-test.ts';

type Suite = (harness: () => Harness) => void;

/** About streams, whatever kind they are of: for every flavour. */
export const STREAM_SUITES: readonly Suite[] = [
  describePorts,
  describeConnecting,
  describeConnections,
  describeHalfClose,
  describeProducers,
  describeFactoryErrors,
  describeStopping,
  describeLimits,
  describeDraining,
  describeObserving,
  describeSlowHooks,
  describeMany,
  describeRegressions,
];

/** About a reactor and its clock, without any stream: once for each platform. */
export const REACTOR_SUITES: readonly Suite[] = [describeTime, describeLifecycle, describeErrors];

/** About TCP as such. */
export const TCP_SUITES: readonly Suite[] = [describeTCPPorts, describeTCPConnecting, describeReusePort];

/** About programs and their pipes. */
export const PROCESS_SUITES: readonly Suite[] = [
  describeProcesses,
  describeProcessPipes,
  describeProcessStop,
  describeProcessOutput,
  describeProcessEndpoint,
];

/** About datagrams, of which there is one kind. */
export const DATAGRAM_SUITES: readonly Suite[] = [describeDatagrams];

/** About UNIX sockets as such. */
export const UNIX_SUITES: readonly Suite[] = [describeUNIX, describeUNIXErrors, describeAbstractNames];

/** About TLS as such. */
export const TLS_SUITES: readonly Suite[] = [
  describeTLSConnecting,
  describeTLSCertificates,
  describeTLSNames,
  describeStartTLS,
  describeTLSHandshakes,
  describeTLSStreams,
  describeTLSTruncation,
];

/** Declares the cases of some suites; each gets a harness of its own, made by `create` and closed after it. */
export function describeConformance(name: string, create: () => Harness, suites: readonly Suite[]): void {
  describe(`Conformance of ${name}`, () => {
    const harness = harnessPerTest(create);

    for (const describeSuite of suites) describeSuite(harness);
  });
}
