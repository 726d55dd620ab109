import type { AdoptableDatagrams, AdoptionPlatform } from '../interfaces/adoption-platform.ts';
import type { StreamHandle, StreamListenHandle, StreamListenListener } from '../interfaces/stream-platform.ts';
import { askChildForDatagrams } from './datagram-probe.ts';
import { describeSocket, type SocketFacts, type SocketState, type UDPSocketFacts } from './descriptor.ts';
import { NodeDatagramHandle } from './node-datagram-handle.ts';
import type { NodeStreams, Place } from './node-streams.ts';
import { systemError } from './make-system-error.ts';

/**
 * Sockets by their descriptors. What is wrong with one is found out before Node has it, as far as that can be done (see
 * `describeSocket`), because Node closes what it cannot use.
 */
export class NodeAdoption implements AdoptionPlatform {
  readonly #streams: NodeStreams;
  /**
   * Who has each. libuv refuses a descriptor that it watches already, but it watches none that nobody reads. One that is
   * destroyed has closed its descriptor, though it may not have said so yet.
   */
  readonly #owners = new Map<number, { readonly destroyed: boolean }>();

  constructor(streams: NodeStreams) {
    this.#streams = streams;
  }

  adoptListener(descriptor: number, backlog: number, listener: StreamListenListener): StreamListenHandle {
    const facts = this.#describe(descriptor);
    requireState(facts, ['listening', 'bound']);
    const path = facts.kind === 'unix' ? facts.path : undefined;
    let place: Place = { kind: 'tcp' };
    const owner = { destroyed: false };
    const watcher: StreamListenListener = {
      listening: (address) => {
        if (address.family === 'UNIX') place = { kind: 'unix', path };
        listener.listening(address);
      },
      listenFailed: (error) => {
        owner.destroyed = true;
        listener.listenFailed(error);
      },
      accepted: (stream) => listener.accepted(stream),
      acceptFailed: (error) => listener.acceptFailed(error),
      closed: () => listener.closed(),
    };
    const handle = this.#streams.adoptListener({ kind: 'adopted', descriptor, backlog, path }, () => place, watcher);
    this.#owners.set(descriptor, owner);
    return {
      close: () => {
        owner.destroyed = true;
        handle.close();
      },
    };
  }

  adoptStream(descriptor: number): StreamHandle {
    const facts = this.#describe(descriptor);
    requireState(facts, ['connected']);
    const path = facts.kind === 'unix' ? facts.path : undefined;
    const { stream, socket } = this.#streams.adoptStream(descriptor, path);
    this.#owners.set(descriptor, socket);
    return stream;
  }

  findDatagrams(descriptor: number): AdoptableDatagrams {
    const { family, address } = this.#describeDatagrams(descriptor);
    return {
      address,
      adopt: (listener, unsentBytesMax) => {
        this.#requireFree(descriptor);
        // Exclusive: a worker of a cluster would ask its primary process for the descriptor of that number.
        const bind = { fd: descriptor, exclusive: true };
        const options = { type: family === 'IPv6' ? 'udp6' : 'udp4' } as const;
        const handle = new NodeDatagramHandle(options, bind, listener, unsentBytesMax);
        this.#owners.set(descriptor, handle);
        return handle;
      },
    };
  }

  #describeDatagrams(descriptor: number): UDPSocketFacts {
    const facts = this.#describe(descriptor);
    // Node takes 0 for no descriptor at all, and would bind a new socket.
    if (descriptor === 0) throw systemError('ENOTSUP', 'Node takes no socket for datagrams that is descriptor 0');
    return requireDatagrams(facts) ?? askChildForDatagrams(descriptor);
  }

  #describe(descriptor: number): SocketFacts {
    this.#requireFree(descriptor);
    return describeSocket(descriptor);
  }

  /** Throws if it has been adopted. Those that are destroyed are forgotten here: their numbers may have been given to others. */
  #requireFree(descriptor: number): void {
    for (const [owned, owner] of this.#owners) if (owner.destroyed) this.#owners.delete(owned);
    if (this.#owners.has(descriptor)) throw systemError('EEXIST', 'it has been adopted already');
  }
}

/** Throws for a socket that is known to be of no use. */
function requireState(facts: SocketFacts, states: readonly SocketState[]): void {
  switch (facts.kind) {
    case 'tcp':
    case 'unix':
      if (states.includes(facts.state)) return;
      throw systemError('EINVAL', `it is a socket that is ${facts.state}, and should be ${states.join(' or ')}`);
    case 'udp':
      throw systemError('EPROTOTYPE', 'it is no stream but a UDP socket');
    case 'other':
      throw systemError('EPROTOTYPE', `it is no stream but ${facts.description}`);
    case 'unknown':
      return;
  }
}

/** The same for a UDP socket, which has to be known. */
function requireDatagrams(facts: SocketFacts): UDPSocketFacts | undefined {
  switch (facts.kind) {
    case 'udp':
      if (facts.state === 'bound') return facts.socket;
      throw systemError('EINVAL', 'it is a socket that has a peer already, and should have none');
    case 'tcp':
      throw systemError('EPROTOTYPE', 'it is no UDP socket but one of TCP');
    case 'unix':
      throw systemError('EPROTOTYPE', 'it is no UDP socket but a UNIX socket');
    case 'other':
      throw systemError('EPROTOTYPE', `it is no UDP socket but ${facts.description}`);
    case 'unknown':
      return undefined;
  }
}
