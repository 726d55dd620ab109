/**
 * Random programs keep the laws of connections (docs/laws.md), on every flavour. `FUZZ_SEED` and `FUZZ_RUNS` in the
 * environment look further than the programs of every day.
 */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { nodeTLS } from 'ropewalk';
import { testCertificates } from '../../support/certificates.ts';
import { repetitions } from '../../support/repetitions.ts';
import type { Harness } from '../harness.ts';
import { NodeHarness } from '../harness/node-harness.ts';
import type { NodeKind } from '../harness/node-kind.ts';
import { NODE_TCP, NODE_TCP_BY_DATA_EVENTS } from '../harness/node-tcp.ts';
import { nodeTLSOnSockets, nodeTLSOverDuplex } from '../harness/node-tls.ts';
import { NODE_UNIX } from '../harness/node-unix.ts';
import { VirtualHarness } from '../harness/virtual-harness.ts';
import { VIRTUAL_TCP, VIRTUAL_UNIX, type VirtualKind } from '../harness/virtual-kind.ts';
import { virtualTLS } from '../harness/virtual-tls.ts';
import { brokenLaws } from './laws.ts';
import { plainPrograms, type Program, programs } from './program.ts';
import { FuzzedError, ProtocolEnd } from './protocol-end.ts';
import { Run } from './run.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_240_229);
const RUNS = Number(process.env['FUZZ_RUNS'] ?? repetitions({ usually: 15, thoroughly: 100 }));

/** What a run may take; most take some milliseconds. */
const RUN_MILLISECONDS = 20_000;

const certificates = await testCertificates();

const tlsOptions = { client: { ca: certificates.ca, servername: 'localhost' }, server: certificates.server };

/** Engines keep what they have made of certificates. */
const platformOptions = { tls: nodeTLS() };
const worldOptions = platformOptions;

const NODE_KINDS: readonly NodeKind[] = [
  { ...NODE_TCP, platformOptions },
  {
    ...NODE_TCP,
    name: `${NODE_TCP.name}, TLS over a Duplex`,
    platformOptions: { tls: nodeTLS({ detectTruncation: true }) },
  },
  { ...NODE_TCP_BY_DATA_EVENTS, platformOptions: { ...NODE_TCP_BY_DATA_EVENTS.platformOptions, ...platformOptions } },
  { ...NODE_UNIX, platformOptions },
  nodeTLSOnSockets(certificates),
  nodeTLSOverDuplex(certificates),
];

const VIRTUAL_KINDS: readonly VirtualKind[] = [
  { ...VIRTUAL_TCP, worldOptions },
  { ...VIRTUAL_UNIX, worldOptions },
  virtualTLS(certificates),
];

const FLAVOURS: readonly (() => Harness)[] = [
  ...NODE_KINDS.map((kind) => () => new NodeHarness(kind)),
  ...VIRTUAL_KINDS.map((kind) => () => new VirtualHarness(kind)),
];

/** Runs a program; returns all that happened. */
async function runOn(harness: Harness, program: Program): Promise<Run> {
  let run: Run;
  try {
    run = await Run.through(harness, program, tlsOptions);
    const problems = [...brokenLaws(run), ...wronglyReported(harness, run)];
    if (problems.length > 0) throw new Error(`${problems.join('\n')}\nThis is what happened:\n${run.log.join('\n')}`);
  } catch (error) {
    // What is left behind then has its cause in this.
    await harness.close().catch(() => undefined);
    throw error;
  }
  await harness.close();
  return run;
}

/** Errors that hooks have thrown are reported, each once, and no others. */
function wronglyReported(harness: Harness, { near, far }: Run): string[] {
  const reported = harness.errors.splice(0).map((failure) => failure.value);
  const thrownCount = [near, far].reduce((sum, end) => sum + (end instanceof ProtocolEnd ? end.thrownCount : 0), 0);
  const others = reported.filter((error) => !(error instanceof FuzzedError));
  const problems = others.map((error) => `reported: ${String(error)}`);
  const count = reported.length - others.length;
  return count === thrownCount ? problems : [...problems, `${count} errors of hooks reported, of ${thrownCount}`];
}

describe('Any program', function () {
  this.timeout(RUN_MILLISECONDS * Math.max(10, RUNS / 5));

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
    const property = fc.asyncProperty(plainPrograms, async (program) => {
      const one = await runOn(new VirtualHarness(VIRTUAL_TCP), program);
      const other = await runOn(new VirtualHarness(VIRTUAL_TCP), program);
      expect(other.log).to.deep.equal(one.log);
    });
    await fc.assert(property, { seed: SEED, numRuns: RUNS });
  });
});
