/** Sockets that somebody else has opened: the ports and connections of a reactor on them. */
import { requireIntegerFrom, requireOptions } from '../arguments.ts';
import { AdoptionError, CannotListenError, UnsupportedError } from '../errors.ts';
import type { AdoptionPlatform } from '../interfaces/adoption-platform.ts';
import type { DatagramReceiver } from '../interfaces/datagram-transport.ts';
import type { ProtocolFactory } from '../interfaces/protocol.ts';
import type { AdoptDatagramPortOptions, AdoptStreamPortOptions } from '../interfaces/reactor-socket.ts';
import { serveAdopted } from './adopted-stream.ts';
import { PORT_OPTIONS, portLimits } from './connection-limits.ts';
import { DatagramPort } from './datagram-port.ts';
import { requireFactory } from './factory-arguments.ts';
import { type AdoptedTarget, Port } from './port.ts';
import type { ReactorParts } from './reactor-parts.ts';
import { receiving, RECEIVING_OPTIONS, unsentBytesMaxOf } from './udp.ts';

/**
 * As many as Linux allows unless it is told otherwise, which systemd asks for. Twisted's 50 would cut down the queue of
 * a socket that was opened to wait for its server.
 */
const DEFAULT_ADOPTED_BACKLOG = 4096;

/** The system counts descriptors in a signed number of 32 bits. */
const DESCRIPTOR_MAX = 2_147_483_647;

/** Checks the arguments of `adoptStreamPort` and makes the port. */
export function adoptStreamPort(
  parts: ReactorParts,
  descriptor: number,
  factory: ProtocolFactory,
  options: AdoptStreamPortOptions,
): Port {
  requireOptions('options', options, ['backlog', ...PORT_OPTIONS]);
  const { backlog = DEFAULT_ADOPTED_BACKLOG } = options;
  requireDescriptor(descriptor);
  requireFactory(factory);
  requireIntegerFrom('backlog', backlog, 1);
  const target = adoptedTarget(requireAdoption(parts), descriptor, backlog);
  const port = new Port(parts, target, factory, portLimits(options));
  port.startListening();
  return port;
}

/** Checks the arguments of `adoptStreamConnection`, and has the connection made in the next turn. */
export function adoptStreamConnection(parts: ReactorParts, descriptor: number, factory: ProtocolFactory): void {
  requireDescriptor(descriptor);
  requireFactory(factory);
  const adoption = requireAdoption(parts);
  serveAdopted(parts, factory, () => adopt(descriptor, () => adoption.adoptStream(descriptor)));
}

/** Checks the arguments of `adoptDatagramPort` and makes the port. */
export function adoptDatagramPort(
  parts: ReactorParts,
  descriptor: number,
  protocol: DatagramReceiver,
  options: AdoptDatagramPortOptions,
): DatagramPort {
  requireOptions('options', options, RECEIVING_OPTIONS);
  requireDescriptor(descriptor);
  const reception = receiving(parts, protocol, options);
  const unsentBytesMax = unsentBytesMaxOf(options);
  const adoption = requireAdoption(parts);
  const found = adopt(descriptor, () => adoption.findDatagrams(descriptor));
  const { host, port } = found.address;
  const datagramPort = new DatagramPort(parts, {
    host,
    port,
    bind: takenOnce(
      (listener) => adopt(descriptor, () => found.adopt(listener, unsentBytesMax)),
      () => {
        const cause = new Error(`descriptor ${String(descriptor)} was closed when the port stopped`);
        return new CannotListenError(host, port, cause);
      },
    ),
    ...reception,
  });
  datagramPort.startListening();
  return datagramPort;
}

function adoptedTarget(adoption: AdoptionPlatform, descriptor: number, backlog: number): AdoptedTarget {
  return {
    kind: 'adopted',
    descriptor,
    backlog,
    adopt: takenOnce(
      (listener) => adopt(descriptor, () => adoption.adoptListener(descriptor, backlog, listener)),
      () => {
        const cause = new Error('it was closed when the port stopped');
        return new CannotListenError('', `descriptor ${String(descriptor)}`, cause);
      },
    ),
  };
}

/** `take`, which is called again when a port that has stopped is to listen: then the number of the descriptor may belong to anything. */
function takenOnce<Listener, Handle>(
  take: (listener: Listener) => Handle,
  refusal: () => CannotListenError,
): (listener: Listener) => Handle {
  let isTaken = false;
  return (listener) => {
    if (isTaken) throw refusal();
    const handle = take(listener);
    isTaken = true;
    return handle;
  };
}

/** What the platform throws is about the descriptor. */
function adopt<T>(descriptor: number, take: () => T): T {
  try {
    return take();
  } catch (error) {
    throw new AdoptionError(descriptor, error instanceof Error ? error : new Error(String(error)));
  }
}

function requireAdoption({ platform }: ReactorParts): AdoptionPlatform {
  if (platform.adoption !== undefined) return platform.adoption;
  throw new UnsupportedError(`The platform ${platform.name} has no descriptors that could be adopted here`);
}

function requireDescriptor(descriptor: number): void {
  requireIntegerFrom('descriptor', descriptor, 0);
  if (descriptor > DESCRIPTOR_MAX) {
    throw new RangeError(`descriptor must be at most ${String(DESCRIPTOR_MAX)}; got ${String(descriptor)}`);
  }
}
