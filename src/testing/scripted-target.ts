import { requirePort, requireString } from '../arguments.ts';
import type { StreamTarget } from '../interfaces/stream-platform.ts';

/** What holds for a port where nothing is said. */
interface PortDefaults {
  readonly host: string;
  /** 0 to listen, where it means any; 1 to connect. */
  readonly lowestPort: 0 | 1;
}

/** Where a scripted peer connects to, or a scripted server listens: a port at an address, or a path. Throws for what is neither. */
export function scriptedTarget(place: number | string, host: string | undefined, defaults: PortDefaults): StreamTarget {
  if (typeof place === 'string') {
    if (place === '') throw new RangeError('path must not be empty');
    if (host !== undefined) throw new TypeError(`host goes with a port; ${place} is a path`);
    return { kind: 'unix', path: place };
  }
  requirePort('port', place, defaults.lowestPort);
  if (host !== undefined) requireString('host', host);
  return { kind: 'tcp', host: host ?? defaults.host, port: place };
}
