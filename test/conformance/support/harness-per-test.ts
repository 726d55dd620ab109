/** Makes a harness before each test and closes it after, in the `describe` around the call; returns the one of the test that runs. */
export function harnessPerTest<H extends { close(): Promise<void> }>(create: () => H): () => H {
  let current: H | undefined;

  beforeEach(() => {
    current = create();
  });

  afterEach(async () => {
    const harness = current;
    current = undefined;
    await harness?.close();
  });

  return () => {
    if (current === undefined) throw new Error('the harness is there only while a case runs');
    return current;
  };
}
