import type { HostnameResolver, HostResolution, ResolutionReceiver, ResolveOptions } from '../interfaces/resolver.ts';
import { type HostNames, HostTable } from '../reactor/host-table.ts';
import type { Scheduler } from './scheduler.ts';
import { VirtualSystemError } from './system-error.ts';

/**
 * Looks names up in a table; `localhost` is 127.0.0.1 and ::1 unless the table says otherwise, an address literal is
 * itself, and any other name is unknown (ENOTFOUND). Names are compared without regard to case and a final dot. The
 * answer comes at the instant of the question, but not from inside the call.
 */
export class VirtualResolver implements HostnameResolver {
  readonly #scheduler: Scheduler;
  readonly #table: HostTable;

  /** Throws `TypeError` for an entry that is not an address literal. */
  constructor(scheduler: Scheduler, names: HostNames) {
    this.#scheduler = scheduler;
    this.#table = new HostTable({ localhost: ['127.0.0.1', '::1'], ...names });
  }

  resolveHostName(receiver: ResolutionReceiver, hostName: string, options: ResolveOptions = {}): HostResolution {
    const addresses = this.#table.lookUp(hostName, options);
    let cancelled = false;
    const resolution: HostResolution = {
      name: hostName,
      cancel: () => {
        cancelled = true;
        answer.cancel();
      },
    };
    const answer = this.#scheduler.schedule(this.#scheduler.now(), () => {
      for (const address of addresses) {
        receiver.addressResolved(address);
        if (cancelled) return;
      }
      receiver.resolutionComplete(
        addresses.length > 0 ? undefined : new VirtualSystemError('ENOTFOUND', 'getaddrinfo', hostName),
      );
    });
    receiver.resolutionBegan(resolution);
    return resolution;
  }
}
