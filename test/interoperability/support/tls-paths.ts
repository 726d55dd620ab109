import { nodeTLS, type TLSEngine } from 'ropewalk';

/** The two ways in which TLS is spoken over a socket. */
export const TLS_PATHS: readonly { readonly name: string; readonly engine: () => TLSEngine }[] = [
  { name: 'on the socket itself', engine: () => nodeTLS() },
  { name: 'through a Duplex', engine: () => nodeTLS({ detectTruncation: true }) },
];
