/**
 * How often a test repeats what it repeats: so often that `npm test` takes less than a minute, or, where the environment has
 * `THOROUGH`, as often as it takes to find what is rare. `npm run test:thorough` sets that.
 */
export function repetitions({
  usually,
  thoroughly,
}: {
  readonly usually: number;
  readonly thoroughly: number;
}): number {
  return process.env['THOROUGH'] === undefined ? usually : thoroughly;
}
