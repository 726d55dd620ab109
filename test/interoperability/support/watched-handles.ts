import { OpenHandles } from '../../conformance/harness/open-handles.ts';

/** A connection that was given up may wait so long for its peer. */
const LINGER_MILLISECONDS = 3000;

/**
 * Fails a test that leaves a socket open on this side. To be called after what ends the reactor and the peers, whose hooks
 * come before this one's.
 */
export function useWatchedHandles(): void {
  let handles: OpenHandles;
  beforeEach(() => {
    handles = new OpenHandles();
  });
  afterEach(async () => {
    const deadline = performance.now() + LINGER_MILLISECONDS;
    while (handles.count > 0 && performance.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
    handles.stopWatching();
    if (handles.count > 0) throw new Error(handles.problems().join('\n'));
  });
}
