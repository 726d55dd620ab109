/** The suite about the standard input and output, on all that these can be. */
import { Bundle } from '../support/bundle.ts';
import { hasEveryKind } from '../support/repetitions.ts';
import {
  NODE_PIPES,
  NODE_SOCKETS,
  NODE_TERMINAL,
  type NodeStdioKind,
  NodeStdioHarness,
  whyNoKind,
} from './stdio/node-stdio-harness.ts';
import type { StdioHarness } from './stdio/stdio-harness.ts';
import { VirtualStdioHarness } from './stdio/virtual-stdio-harness.ts';
import { describeStdio } from './suites/stdio.ts';
import { harnessPerTest } from './support/harness-per-test.ts';

/** Programs take a while to start, on a machine that is busy with much else. */
const PATIENCE_MILLISECONDS = 20_000;

function describeStdioOn(name: string, create: () => StdioHarness): void {
  describe(name, () => {
    describeStdio(harnessPerTest(create));
  });
}

describe('Conformance of the standard input and output', () => {
  describeStdioOn('in simulation', () => new VirtualStdioHarness());

  describe('on Node', function () {
    this.timeout(PATIENCE_MILLISECONDS);
    this.slow(PATIENCE_MILLISECONDS);
    let program: Bundle;

    before(() => {
      program = new Bundle('test/conformance/stdio/child.ts');
    });

    after(() => {
      program[Symbol.dispose]();
    });

    const kinds: NodeStdioKind[] = [NODE_PIPES];
    if (hasEveryKind()) kinds.push(NODE_SOCKETS, NODE_TERMINAL);
    for (const kind of kinds) {
      describe(`with ${kind.name}`, () => {
        before(function () {
          const reason = whyNoKind(kind);
          if (reason === undefined) return;
          this.test?.parent?.eachTest((test) => (test.title += ` (skipped: ${reason})`));
          this.skip();
        });

        describeStdioOn('as they are', () => new NodeStdioHarness(kind, program));
      });
    }
  });
});
