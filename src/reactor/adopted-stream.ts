import { requireMethods } from '../arguments.ts';
import { Failure } from '../deferred/failure.ts';
import type { ProtocolFactory } from '../interfaces/protocol.ts';
import type { Lingering, StreamHandle } from '../interfaces/stream-platform.ts';
import { DEFAULT_LINGER_BYTES, DEFAULT_LINGER_SECONDS } from '../stream-defaults.ts';
import { buildProtocol } from './build-protocol.ts';
import { Connection } from './connection.ts';
import { requireFactory } from './factory-arguments.ts';
import type { ReactorParts } from './reactor-parts.ts';

const HANDLE_METHODS = ['open', 'resumeReading', 'pauseReading', 'write', 'shutdown', 'close', 'reset'];

/** Checks the arguments of `adoptStreamHandle`, and has the connection made in the next turn. */
export function adoptStreamHandle(parts: ReactorParts, handle: StreamHandle, factory: ProtocolFactory): void {
  requireMethods('handle', handle, HANDLE_METHODS);
  requireFactory(factory);
  serveAdopted(parts, factory, () => handle);
}

/**
 * Serves a stream that somebody else has connected, in the next turn. The factory counts as in use from this call, which may
 * throw what `take` throws, until the connection is lost.
 */
export function serveAdopted(parts: ReactorParts, factory: ProtocolFactory, take: () => StreamHandle): void {
  parts.errors.watch(factory.doStart(), 'An error in startFactory');
  const stopFactory = (): void => {
    parts.errors.callHook('doStop', factory, () => factory.doStop());
  };
  try {
    const handle = take();
    parts.loop.callSoon(() => {
      serve(parts, handle, factory, stopFactory);
    });
  } catch (error) {
    stopFactory();
    throw error;
  }
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

/** As the platform has it, or else by the reactor's own delayed calls. */
export function lingeringOf({ platform, loop }: ReactorParts): Lingering {
  return (
    platform.lingering ?? {
      seconds: DEFAULT_LINGER_SECONDS,
      bytes: DEFAULT_LINGER_BYTES,
      begin: (giveUp) => loop.timers.callLater(DEFAULT_LINGER_SECONDS, giveUp),
    }
  );
}
