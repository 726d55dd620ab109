/** The conformance suite: every case, for one platform. */
import type { Harness } from './harness.ts';
import { describeConnecting } from './suites/connecting.ts';
import { describeConnections } from './suites/connections.ts';
import { describeErrors } from './suites/errors.ts';
import { describeHalfClose } from './suites/half-close.ts';
import { describeLifecycle } from './suites/lifecycle.ts';
import { describeMany } from './suites/many.ts';
import { describePorts } from './suites/ports.ts';
import { describeProcessEndpoint } from './suites/process-endpoint.ts';
import { describeProcessOutput } from './suites/process-output.ts';
import { describeProcessPipes } from './suites/process-pipes.ts';
import { describeProcessStop } from './suites/process-stop.ts';
import { describeProcesses } from './suites/processes.ts';
import { describeProducers } from './suites/producers.ts';
import { describeRegressions } from './suites/regressions.ts';
import { describeTime } from './suites/time.ts';
import { describeUNIXErrors } from './suites/unix-errors.ts';
import { describeUNIX } from './suites/unix.ts';

const SUITES: readonly ((harness: () => Harness) => void)[] = [
  describeTime,
  describeLifecycle,
  describeErrors,
  describePorts,
  describeConnections,
  describeHalfClose,
  describeProducers,
  describeConnecting,
  describeMany,
  describeUNIX,
  describeUNIXErrors,
  describeProcesses,
  describeProcessPipes,
  describeProcessStop,
  describeProcessOutput,
  describeProcessEndpoint,
  describeRegressions,
];

/** Declares all cases; each gets a harness of its own, made by `create` and closed after it. */
export function describeConformance(name: string, create: () => Harness): void {
  describe(`Conformance on ${name}`, () => {
    let current: Harness | undefined;

    beforeEach(() => {
      current = create();
    });

    afterEach(async () => {
      const harness = current;
      current = undefined;
      await harness?.close();
    });

    for (const describeSuite of SUITES) {
      describeSuite(() => {
        if (current === undefined) throw new Error('the harness is there only while a case runs');
        return current;
      });
    }
  });
}
