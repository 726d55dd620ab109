import { describeConformance } from './all-suites.ts';
import { VirtualHarness } from './harness/virtual-harness.ts';

describeConformance('simulation', () => new VirtualHarness());
