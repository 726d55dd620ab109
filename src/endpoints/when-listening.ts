import { causeOfAbort } from '../deferred/abort-signal.ts';
import { Deferred } from '../deferred/deferred.ts';
import { CancelledError } from '../errors.ts';
import type { ListeningPort } from '../interfaces/listening-port.ts';

/** `port.whenListening()`, but cancelling it stops the port. */
export function whenListening(
  port: ListeningPort,
  description: string,
  signal: AbortSignal | undefined,
): Deferred<ListeningPort> {
  const listening = new Deferred<ListeningPort>(() => {
    // In this order, for the port fails those who wait for it when it is stopped.
    listening.errback(new CancelledError(`Listening on ${description} was cancelled`, causeOfAbort(signal)));
    port.stopListening();
  });
  // How the bind of a port ends that was given up while binding is of no interest.
  port.whenListening().addCallbacks(
    () => {
      if (!listening.called) listening.callback(port);
    },
    (failure) => {
      if (!listening.called) listening.errback(failure);
    },
  );
  return listening;
}
