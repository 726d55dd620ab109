import { nodeTLS } from 'ropewalk';
import type { TLSParameters } from '../../../src/interfaces/tls-engine.ts';
import type { TestCertificates } from '../../support/certificates.ts';
import { tlsCalls } from './tls-calls.ts';
import { SecuredStreams } from './tls-secured-streams.ts';
import { VIRTUAL_UNIX, type VirtualKind } from './virtual-kind.ts';
import { VirtualPeer } from './virtual-peers.ts';

/** TLS over TCP in a virtual world. A peer is reset below TLS; a server that ignores does not even accept. */
export function virtualTLS(certificates: TestCertificates): VirtualKind {
  return {
    ...tlsCalls(certificates),
    ...overVirtualStreams(certificates),
    name: 'TLS in simulation',
    features: ['unanswered-connects', 'resets'],
  };
}

/** TLS below reactors that ask for UNIX sockets, in a virtual world. */
export function virtualTLSOnUNIX(certificates: TestCertificates): VirtualKind {
  return {
    ...VIRTUAL_UNIX,
    ...overVirtualStreams(certificates),
    name: 'TLS on UNIX sockets in simulation',
    adaptStreams: ({ streams, tls }) => {
      if (tls === undefined) throw new Error('this world was given TLS');
      return new SecuredStreams(streams, tls, certificates);
    },
  };
}

function overVirtualStreams({
  ca,
  server,
}: TestCertificates): Pick<VirtualKind, 'manyCount' | 'worldOptions' | 'createPeer'> {
  const parameters: Readonly<Record<'client' | 'server', TLSParameters>> = {
    client: { role: 'client', options: { ca }, servername: 'localhost' },
    server: { role: 'server', options: server, servername: undefined },
  };
  return {
    manyCount: 100,
    worldOptions: { tls: nodeTLS() },
    createPeer: ({ world, machine, role }, options, connect) => {
      if (machine.tls === undefined) throw new Error('this world was given TLS');
      return new VirtualPeer(world, options, connect, { engine: machine.tls, parameters: parameters[role] });
    },
  };
}
