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

/**
 * Whether every kind of stream is put to the cases about streams, and not one kind alone of those that are the same code for the
 * most part. So it is where the tests are thorough, or the environment has `EVERY_KIND`.
 */
export function hasEveryKind(): boolean {
  return isThorough() || process.env['EVERY_KIND'] !== undefined;
}

/** Whether the environment has `THOROUGH`, which `npm run test:thorough` sets: for what would take `npm test` too long. */
export function isThorough(): boolean {
  return process.env['THOROUGH'] !== undefined;
}
