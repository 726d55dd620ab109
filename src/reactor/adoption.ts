/** Sockets that somebody else has opened: the ports and connections of a reactor on them. */
import { requireIntegerFrom, requireOptions } from '../arguments.ts';
import { Failure } from '../deferred/failure.ts';
import { AdoptionError, CannotListenError, UnsupportedError } from '../errors.ts';
import type { AdoptionPlatform } from '../interfaces/adoption-platform.ts';
import type { ProtocolFactory } from '../interfaces/protocol.ts';
import type { AdoptStreamPortOptions } from '../interfaces/reactor-socket.ts';
import type { StreamHandle } from '../interfaces/stream-platform.ts';
import { buildProtocol } from './build-protocol.ts';
import { Connection } from './connection.ts';
import { PORT_OPTIONS, portLimits } from './connection-limits.ts';
import { requireFactory } from './factory-arguments.ts';
import { type AdoptedTarget, Port } from './port.ts';
import type { ReactorParts } from './reactor-parts.ts';

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
  parts.errors.watch(factory.doStart(), 'An error in startFactory');
  const stopFactory = (): void => {
    parts.errors.guard('An error in doStop', () => factory.doStop());
  };
  try {
    const handle = adopt(descriptor, () => adoption.adoptStream(descriptor));
    parts.loop.callSoon(() => {
      serve(parts, handle, factory, stopFactory);
    });
  } catch (error) {
    stopFactory();
    throw error;
  }
}

/** Once its port has stopped, the number of the descriptor may belong to anything. */
function adoptedTarget(adoption: AdoptionPlatform, descriptor: number, backlog: number): AdoptedTarget {
  let isAdopted = false;
  return {
    kind: 'adopted',
    descriptor,
    backlog,
    adopt: (listener) => {
      if (isAdopted) {
        const cause = new Error('it was closed when the port stopped');
        throw new CannotListenError('', `descriptor ${String(descriptor)}`, cause);
      }
      const handle = adopt(descriptor, () => adoption.adoptListener(descriptor, backlog, listener));
      isAdopted = true;
      return handle;
    },
  };
}

function serve(parts: ReactorParts, handle: StreamHandle, factory: ProtocolFactory, stopFactory: () => void): void {
  const protocol = buildProtocol(parts, factory, handle.remoteAddress);
  if (protocol === null || protocol instanceof Failure) {
    handle.close();
    stopFactory();
  } else {
    new Connection(parts, handle, protocol, stopFactory).start();
  }
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
