/** UDP. */
import type { Harness } from '../harness.ts';
import { describeConnectedPorts } from './datagram-connected.ts';
import { describeDatagramErrors } from './datagram-errors.ts';
import { describeExchange } from './datagram-exchange.ts';
import { describeGroups } from './datagram-groups.ts';
import { describeDatagramPorts } from './datagram-ports.ts';

export function describeDatagrams(harness: () => Harness): void {
  describe('Datagrams', () => {
    describeDatagramPorts(harness);
    describeExchange(harness);
    describeConnectedPorts(harness);
    describeDatagramErrors(harness);
    describeGroups(harness);
  });
}
