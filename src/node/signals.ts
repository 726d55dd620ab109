import { constants } from 'node:os';
import type { SignalPlatform, TerminationSignal } from '../interfaces/platform.ts';
import { listenToProcess } from './process-listener.ts';

/** What a program killed by a signal ends with, as shells have it: this and the signal's number. */
const SIGNAL_EXIT_STATUS_BASE = 128;

/** SIGBREAK is what Windows sends for Control-Break and for a closed console; elsewhere it does not exist. */
const WATCHED: readonly TerminationSignal[] =
  process.platform === 'win32' ? ['SIGINT', 'SIGTERM', 'SIGBREAK'] : ['SIGINT', 'SIGTERM'];

/** The process's signals, listened to only while someone watches. */
export class NodeSignals implements SignalPlatform {
  watch(listener: (signal: TerminationSignal) => void): Disposable {
    const watches = WATCHED.map((signal) => listenToProcess(signal, () => listener(signal)));
    return {
      [Symbol.dispose](): void {
        for (const watch of watches) watch[Symbol.dispose]();
      },
    };
  }

  exit(signal: TerminationSignal): void {
    process.exit(SIGNAL_EXIT_STATUS_BASE + constants.signals[signal]);
  }
}
