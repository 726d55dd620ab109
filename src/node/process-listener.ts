/** The events of the process that are listened to here; none of them passes on more than its own name. */
type ProcessEvent = 'beforeExit' | 'SIGINT' | 'SIGTERM' | 'SIGBREAK';

/**
 * Listens to an event of the process until the result is disposed of, once or more often.
 *
 * Meanwhile the limit above which Node warns of leaking listeners is raised by one: each reactor of a process adds its
 * own, and eleven of them are no leak. A limit of 0 means none, and stays.
 */
export function listenToProcess(event: ProcessEvent, listener: () => void): Disposable {
  const limited = process.getMaxListeners() !== 0;
  if (limited) process.setMaxListeners(process.getMaxListeners() + 1);
  process.on(event, listener);
  let listening = true;
  return {
    [Symbol.dispose](): void {
      if (!listening) return;
      listening = false;
      process.off(event, listener);
      if (limited) process.setMaxListeners(Math.max(process.getMaxListeners() - 1, 1));
    },
  };
}
