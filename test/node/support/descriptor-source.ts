import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import { isIPv6, type ListenOptions } from 'node:net';
import { Bundle } from '../../support/bundle.ts';
import type { FarEndAction, SocketRequest } from './opens-sockets.ts';

/**
 * Descriptors of sockets that belong to nobody in this process, as those are that were inherited. Another process opens
 * the sockets and sends them here. Node makes a handle of each that arrives and does not use it; from then on the test
 * has its descriptor, and the handle is forgotten: it must not be closed, for that would close the descriptor once more.
 */
export class DescriptorSource {
  readonly #program = new Bundle('test/node/support/opens-sockets.ts');
  readonly #process: ChildProcess;

  private constructor() {
    this.#process = fork(this.#program.path, { execArgv: [] });
  }

  static start(): DescriptorSource {
    return new DescriptorSource();
  }

  async listening(where: ListenOptions = { host: '127.0.0.1', port: 0 }): Promise<number> {
    return this.#open({ open: 'listening', where });
  }

  /** The accepted end of a connection; the other end sends back what it gets. */
  async connected(where: ListenOptions = { host: '127.0.0.1', port: 0 }): Promise<number> {
    return this.#open({ open: 'connected', where });
  }

  /** A UDP socket that is bound to a port of the system's choice. */
  async datagrams(host = '127.0.0.1', isConnected = false): Promise<number> {
    return this.#open({ open: 'datagrams', family: isIPv6(host) ? 'udp6' : 'udp4', host, isConnected });
  }

  /** Has the far end of the latest connection do something. */
  async farEnd(does: FarEndAction): Promise<void> {
    this.#process.send({ farEnd: does } satisfies SocketRequest);
    await once(this.#process, 'message');
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.kill();
    await exited;
    this.#program[Symbol.dispose]();
  }

  async #open(request: SocketRequest): Promise<number> {
    this.#process.send(request);
    const [, handle] = (await once(this.#process, 'message')) as [string, { readonly fd: number }];
    return handle.fd;
  }
}

/** Whether there is anything at a descriptor. */
export function isOpen(descriptor: number): boolean {
  try {
    fstatSync(descriptor);
    return true;
  } catch {
    return false;
  }
}
