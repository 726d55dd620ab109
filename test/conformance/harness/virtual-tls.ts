import { nodeTLS } from 'ropewalk';
import type { TLSParameters } from '../../../src/interfaces/tls-engine.ts';
import type { TestCertificates } from '../../support/certificates.ts';
import { tlsCalls } from './tls-calls.ts';
import type { VirtualKind } from './virtual-kind.ts';
import { VirtualPeer } from './virtual-peers.ts';

/** TLS over TCP in a virtual world. A peer is reset below TLS; a server that ignores does not even accept. */
export function virtualTLS(certificates: TestCertificates): VirtualKind {
  const { ca, server } = certificates;
  const parameters: Readonly<Record<'client' | 'server', TLSParameters>> = {
    client: { role: 'client', options: { ca }, servername: 'localhost' },
    server: { role: 'server', options: server, servername: undefined },
  };
  return {
    ...tlsCalls(certificates),
    name: 'TLS in simulation',
    features: ['unanswered-connects', 'resets'],
    manyCount: 100,
    worldOptions: { tls: nodeTLS() },
    createPeer: ({ world, machine, role }, options, connect) => {
      if (machine.tls === undefined) throw new Error('this world was given TLS');
      return new VirtualPeer(world, options, connect, { engine: machine.tls, parameters: parameters[role] });
    },
  };
}
