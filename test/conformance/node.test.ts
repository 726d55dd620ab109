import { describeConformance } from './all-suites.ts';
import { NodeHarness } from './harness/node-harness.ts';

describeConformance('node (onread)', () => new NodeHarness('onread'));
describeConformance('node (data)', () => new NodeHarness('data'));
