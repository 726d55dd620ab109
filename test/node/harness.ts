/** What the tests of the Node platform share: listeners that record, raw peers made of `node:net`, child processes. */
import { execFile } from 'node:child_process';
import { Buffer } from 'node:buffer';
import { createServer, connect as connectSocket, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import type { Address } from '../../src/addresses.ts';
import type { SystemError } from '../../src/interfaces/platform.ts';
import type {
  ListenTarget,
  StreamConnectListener,
  StreamHandle,
  StreamListener,
  StreamListenHandle,
  StreamListenListener,
  StreamPlatform,
  StreamTarget,
} from '../../src/interfaces/stream-platform.ts';
import { BuiltPackage } from '../support/built-package.ts';

/** Resolves as soon as the condition holds; the test's time-out is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Lets the event loop turn a few times, in which whatever is ready would be reported. */
export async function settle(): Promise<void> {
  for (let pass = 0; pass < 5; pass += 1) await new Promise((resolve) => setImmediate(resolve));
}

export class RecordingListener implements StreamListener {
  readonly events: string[] = [];
  readonly chunks: Buffer[] = [];
  error: SystemError | undefined;
  onData: ((data: Buffer) => void) | undefined;

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }

  get bytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  dataReceived(data: Buffer): void {
    if (this.events.at(-1) !== 'data') this.events.push('data');
    this.chunks.push(data);
    this.onData?.(data);
  }

  endReceived(): void {
    this.events.push('end');
  }

  written(): void {
    this.events.push('written');
  }

  shutDown(): void {
    this.events.push('shutDown');
  }

  failed(error: SystemError): void {
    this.error = error;
    this.events.push('failed');
  }
}

export class RecordingListenListener implements StreamListenListener {
  readonly events: string[] = [];
  readonly handles: StreamHandle[] = [];
  address: Address | undefined;
  error: SystemError | undefined;

  listening(address: Address): void {
    this.address = address;
    this.events.push('listening');
  }

  listenFailed(error: SystemError): void {
    this.error = error;
    this.events.push('listenFailed');
  }

  accepted(handle: StreamHandle): void {
    this.handles.push(handle);
  }

  acceptFailed(error: SystemError): void {
    this.error = error;
    this.events.push('acceptFailed');
  }

  closed(): void {
    this.events.push('closed');
  }
}

export class RecordingConnectListener implements StreamConnectListener {
  readonly events: string[] = [];
  handle: StreamHandle | undefined;
  error: SystemError | undefined;

  connected(handle: StreamHandle): void {
    this.handle = handle;
    this.events.push('connected');
  }

  connectFailed(error: SystemError): void {
    this.error = error;
    this.events.push('connectFailed');
  }
}

export interface Listening {
  readonly listen: StreamListenHandle;
  readonly listener: RecordingListenListener;
  readonly port: number;
}

/** Listens and waits until it is bound. */
export async function listenOn(
  streams: StreamPlatform,
  target: ListenTarget = { kind: 'tcp', host: '127.0.0.1', port: 0, backlog: 50 },
): Promise<Listening> {
  const listener = new RecordingListenListener();
  const listen = streams.listen(target, listener);
  await until(() => listener.events.length > 0);
  const { address } = listener;
  if (address === undefined) throw new Error('could not listen', { cause: listener.error });
  return { listen, listener, port: 'port' in address ? address.port : 0 };
}

/** Connects and waits until it is settled. */
export async function connectTo(streams: StreamPlatform, target: StreamTarget): Promise<RecordingConnectListener> {
  const listener = new RecordingConnectListener();
  streams.connect(target, listener);
  await until(() => listener.events.length > 0);
  return listener;
}

export interface Pair {
  readonly handle: StreamHandle;
  readonly listener: RecordingListener;
  readonly peer: Socket;
  close(): void;
}

/** A handle that was accepted, opened but not reading, and the raw socket at the other end. */
export async function acceptedPair(streams: StreamPlatform): Promise<Pair> {
  const { listen, listener: listenListener, port } = await listenOn(streams);
  const peer = connectSocket({ port, host: '127.0.0.1', allowHalfOpen: true });
  peer.on('error', () => {});
  await until(() => listenListener.handles.length > 0);
  const handle = listenListener.handles[0]!;
  const listener = new RecordingListener();
  handle.open(listener);
  return {
    handle,
    listener,
    peer,
    close: () => {
      handle.reset();
      peer.destroy();
      listen.close();
    },
  };
}

/** A handle that has connected, opened but not reading, and the raw socket that was accepted. */
export async function connectedPair(streams: StreamPlatform): Promise<Pair> {
  const { server, port } = await rawServer();
  const accepted = once(server, 'connection');
  const connect = await connectTo(streams, { kind: 'tcp', host: '127.0.0.1', port });
  const [peer] = (await accepted) as [Socket];
  peer.on('error', () => {});
  const handle = connect.handle!;
  const listener = new RecordingListener();
  handle.open(listener);
  return {
    handle,
    listener,
    peer,
    close: () => {
      handle.reset();
      peer.destroy();
      server.close();
    },
  };
}

/** A server of `node:net` on a free port of 127.0.0.1; its sockets are half-open and not read. */
export async function rawServer(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on TCP has an AddressInfo.
  return { server, port: (server.address() as AddressInfo).port };
}

/** Everything a raw socket receives until its end, or until it is closed. */
export async function receiveAll(peer: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => chunks.push(chunk));
  peer.resume();
  await new Promise<void>((resolve) => {
    peer.once('end', resolve);
    peer.once('close', () => resolve());
  });
  return Buffer.concat(chunks);
}

export interface ChildResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a module in a process of its own. `platform` (a NodePlatform) is there already, and a child that does not end by
 * itself in time ends with status -1. With `descriptors` it may have so many open.
 */
export async function runChild(
  code: string,
  { signal, descriptors }: { readonly signal?: NodeJS.Signals; readonly descriptors?: number } = {},
): Promise<ChildResult> {
  const { folder } = BuiltPackage.shared;
  const args = BuiltPackage.args(`
    import { NodePlatform } from 'ropewalk/node-platform';
    const platform = new NodePlatform();
    ${code}`);
  const limit = descriptors === undefined ? [] : ['sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh'];
  const [command = process.execPath, ...commandArgs] = [...limit, process.execPath, ...args];
  return new Promise((resolve) => {
    const options = { cwd: folder, timeout: 4000, killSignal: 'SIGKILL' } as const;
    const child = execFile(command, commandArgs, options, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
    if (signal !== undefined) {
      child.stdout?.on('data', (text: Buffer | string) => {
        if (text.toString().includes('ready')) child.kill(signal);
      });
    }
  });
}
