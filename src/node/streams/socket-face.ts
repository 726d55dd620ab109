import { X509Certificate } from 'node:crypto';
import type { Address } from '../../addresses.ts';
import type { Transport } from '../../interfaces/transport.ts';

/** As `net.Socket` has it. */
interface SocketEnd {
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly port: number;
}

/** What a transport looks like to those who know a `net.Socket` or a `TLSSocket`: its ends, its options, its encryption. */
export class SocketFace {
  readonly #transport: () => Transport | undefined;
  #encrypted = false;
  /** What was asked for while there was no transport. */
  #options: { readonly noDelay?: boolean; readonly keepAlive?: boolean } = {};

  /** `transport` is asked each time; it has none until there is a connection. */
  constructor(transport: () => Transport | undefined) {
    this.#transport = transport;
  }

  /** Passes on what was asked for before. */
  connected(transport: Transport): void {
    const { noDelay, keepAlive } = this.#options;
    if (noDelay !== undefined) transport.setTcpNoDelay(noDelay);
    if (keepAlive !== undefined) transport.setTcpKeepAlive(keepAlive);
  }

  /** A TLS handshake has been completed. */
  secured(): void {
    this.#encrypted = true;
  }

  get encrypted(): boolean {
    return this.#encrypted;
  }

  /** Of a connection without TLS it is undefined, and not false: to `node:http2`, false is one that has TLS and wants HTTP/1. */
  get alpnProtocol(): string | false | undefined {
    return this.#transport()?.negotiatedProtocol ?? (this.#encrypted ? false : undefined);
  }

  getPeerX509Certificate(): X509Certificate | undefined {
    const certificate = this.#transport()?.getPeerCertificate();
    return certificate && new X509Certificate(certificate);
  }

  get local(): Partial<SocketEnd> {
    return endOf(this.#transport()?.getHost());
  }

  get remote(): Partial<SocketEnd> {
    return endOf(this.#transport()?.getPeer());
  }

  setNoDelay(enabled: boolean): void {
    this.#options = { ...this.#options, noDelay: enabled };
    this.#transport()?.setTcpNoDelay(enabled);
  }

  setKeepAlive(enabled: boolean): void {
    this.#options = { ...this.#options, keepAlive: enabled };
    this.#transport()?.setTcpKeepAlive(enabled);
  }
}

/** Nothing for what has no host and port: sockets have no addresses of UNIX sockets either. */
function endOf(address: Address | undefined): Partial<SocketEnd> {
  if (address === undefined || address.family === 'UNIX') return {};
  const { host, port, family } = address;
  return { address: host, port, ...(family !== 'Hostname' && { family }) };
}
