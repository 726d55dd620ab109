/** The conformance suite: every case, for one platform. */
import type { Harness } from './harness.ts';
import { describeConnecting } from './suites/connecting.ts';
import { describeConnections } from './suites/connections.ts';
import { describeErrors } from './suites/errors.ts';
import { describeHalfClose } from './suites/half-close.ts';
import { describeLifecycle } from './suites/lifecycle.ts';
import { describeMany } from './suites/many.ts';
import { describePorts } from './suites/ports.ts';
import { describeProducers } from './suites/producers.ts';
import { describeRegressions } from './suites/regressions.ts';
import { describeReusePort } from './suites/reuse-port.ts';
import { describeTime } from './suites/time.ts';
import { describeUNIXErrors } from './suites/unix-errors.ts';
import { describeUNIX } from './suites/unix.ts';

const SUITES: readonly ((harness: () => Harness) => void)[] = [
  describeTime,
  describeLifecycle,
  describeErrors,
  describePorts,
  describeReusePort,
  describeConnections,
  describeHalfClose,
  describeProducers,
  describeConnecting,
  describeMany,
  describeUNIX,
  describeUNIXErrors,
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
