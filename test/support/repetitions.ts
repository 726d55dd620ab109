/**
 * How often a test repeats what it repeats: so often that `npm test` takes less than a minute, or, where the tests are
 * thorough, as often as it takes to find what is rare.
 */
export function repetitions({
  usually,
  thoroughly,
}: {
  readonly usually: number;
  readonly thoroughly: number;
}): number {
  return isThorough() ? thoroughly : usually;
}

/** Whether the environment has `THOROUGH`, which `npm run test:thorough` sets: for what would take `npm test` too long. */
export function isThorough(): boolean {
  return process.env['THOROUGH'] !== undefined;
}
