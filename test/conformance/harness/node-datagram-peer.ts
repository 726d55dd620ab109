import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { IPv4Address, IPv6Address } from 'ropewalk/core';
import type { DatagramPeer, MulticastInterfaces, ReceivedDatagram } from './datagram-peer.ts';

/** A raw socket. */
export class NodeDatagramPeer implements DatagramPeer {
  readonly received: ReceivedDatagram[] = [];
  readonly #socket: Socket;
  readonly #address: IPv4Address | IPv6Address;
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const { address, port } = socket.address();
    this.#address = addressOf(address, port);
    socket.on('message', (data, from) => {
      this.received.push({ data, address: addressOf(from.address, from.port) });
    });
    socket.on('error', () => {}); // what is refused is nothing to it
  }

  static async open(host = '127.0.0.1'): Promise<NodeDatagramPeer> {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    socket.bind(0, host);
    await once(socket, 'listening');
    return new NodeDatagramPeer(socket);
  }

  texts(): readonly string[] {
    return this.received.map(({ data }) => data.toString());
  }

  send(data: Uint8Array | string, to: number | { readonly host: string; readonly port: number }): void {
    const { host, port } = typeof to === 'number' ? { host: this.#address.host, port: to } : to;
    this.#socket.send(data, port, host);
  }

  getHost(): IPv4Address | IPv6Address {
    return this.#address;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }
}

/**
 * The first interfaces that are not the loopback, which knows no groups of IPv6 and brings back what is sent to groups of IPv4,
 * whatever is asked of it. An address of the link is not enough: it needs a scope.
 */
export function multicastInterfaces(): MulticastInterfaces {
  const outer = Object.values(networkInterfaces())
    .flatMap((addresses = []) => addresses)
    .filter(({ internal, address }) => !internal && !/^fe80:/i.test(address));
  const firstOf = (family: string): string | undefined => outer.find((one) => one.family === family)?.address;
  return { IPv4: firstOf('IPv4'), IPv6: firstOf('IPv6') };
}

function addressOf(host: string, port: number): IPv4Address | IPv6Address {
  return isIPv6(host) ? new IPv6Address('UDP', host, port) : new IPv4Address('UDP', host, port);
}
