import type { Harness } from './harness.ts';
import { NodeHarness } from './harness/node-harness.ts';
import { VirtualHarness } from './harness/virtual-harness.ts';
const suites = (process.env['SUITES'] ?? 'connections:describeConnections').split(' ');
const modules = await Promise.all(
  suites.map(async (s) => {
    const [f, n] = s.split(':');
    return (await import(`./suites/${f}.ts`))[n!];
  }),
);
function run(name: string, create: () => Harness) {
  describe(name, () => {
    let current: Harness;
    beforeEach(() => {
      current = create();
    });
    afterEach(async () => {
      await current.close();
    });
    for (const m of modules) m(() => current);
  });
}
const on = process.env['ON'] ?? 'ods';
if (on.includes('s')) run('sim', () => new VirtualHarness());
if (on.includes('o')) run('onread', () => new NodeHarness('onread'));
if (on.includes('d')) run('data', () => new NodeHarness('data'));
