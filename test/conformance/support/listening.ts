import { CannotListenError, type ListeningPort } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { settled } from './connections.ts';

/** The error with which a port does not listen. */
export async function failureToListen(harness: Harness, port: ListeningPort): Promise<CannotListenError> {
  try {
    await settled(harness, port.whenListening(), 'the port is bound or not');
  } catch (error) {
    if (error instanceof CannotListenError) return error;
    throw error;
  }
  throw new Error('the port listens');
}
