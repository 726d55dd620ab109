/**
 * Random programs keep the laws of connections (docs/laws.md), on every flavour. `FUZZ_SEED` and `FUZZ_RUNS` in the
 * environment look further than the programs of every day.
 */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { testCertificates } from '../../support/certificates.ts';
import type { Harness } from '../harness.ts';
import { NodeHarness } from '../harness/node-harness.ts';
import { NODE_TCP, NODE_TCP_BY_DATA_EVENTS } from '../harness/node-tcp.ts';
import { nodeTLSOnSockets, nodeTLSOverDuplex } from '../harness/node-tls.ts';
import { NODE_UNIX } from '../harness/node-unix.ts';
import { VirtualHarness } from '../harness/virtual-harness.ts';
import { VIRTUAL_TCP, VIRTUAL_UNIX } from '../harness/virtual-kind.ts';
import { virtualTLS } from '../harness/virtual-tls.ts';
import { brokenLaws } from './laws.ts';
import { type Program, programs } from './program.ts';
import { Run } from './run.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_240_229);
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 60);

/** What a run may take; most take some milliseconds. */
const RUN_MILLISECONDS = 20_000;

const certificates = await testCertificates();

const FLAVOURS: readonly (() => Harness)[] = [
  () => new NodeHarness(NODE_TCP),
  () => new NodeHarness(NODE_TCP_BY_DATA_EVENTS),
  () => new NodeHarness(NODE_UNIX),
  () => new NodeHarness(nodeTLSOnSockets(certificates)),
  () => new NodeHarness(nodeTLSOverDuplex(certificates)),
  () => new VirtualHarness(VIRTUAL_TCP),
  () => new VirtualHarness(VIRTUAL_UNIX),
  () => new VirtualHarness(virtualTLS(certificates)),
];

/** Runs a program; returns all that happened. */
async function runOn(harness: Harness, program: Program): Promise<Run> {
  let run: Run | undefined;
  try {
    run = await Run.through(harness, program);
    const thrown = harness.errors.splice(0).map((failure) => failure.value.message);
    const expected = [run.near, run.far].flatMap((end) =>
      'thrownCount' in end ? Array.from({ length: Number(end.thrownCount) }, () => 'thrown') : [],
    );
    const problems = [...brokenLaws(run.near, run.far)];
    if (thrown.length !== expected.length || thrown.some((message) => !message.startsWith('thrown by '))) {
      problems.push(`reported: ${thrown.join(', ')}; thrown: ${expected.length}`);
    }
    expect(problems, run.log.join('\n')).to.deep.equal([]);
  } finally {
    await harness.close();
  }
  return run;
}

describe('Any program', function () {
  this.timeout(RUN_MILLISECONDS * 10);

  for (const createHarness of FLAVOURS) {
    const { name } = createHarness();
    it(`keeps the laws of connections: ${name} (seed ${SEED}, ${RUNS} programs)`, async () => {
      const property = fc.asyncProperty(programs, async (program) => {
        await runOn(createHarness(), program);
      });
      await fc.assert(property, { seed: SEED, numRuns: RUNS, timeout: RUN_MILLISECONDS });
    });
  }

  it('does the same each time in simulation', async () => {
    const property = fc.asyncProperty(programs, async (program) => {
      const one = await runOn(new VirtualHarness(VIRTUAL_TCP), program);
      const other = await runOn(new VirtualHarness(VIRTUAL_TCP), program);
      expect(other.log).to.deep.equal(one.log);
    });
    await fc.assert(property, { seed: SEED, numRuns: RUNS });
  });
});
