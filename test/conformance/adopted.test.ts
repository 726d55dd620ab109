import { hasEveryKind } from '../support/repetitions.ts';
import { describeConformance, STREAM_SUITES } from './all-suites.ts';
import { NODE_DUPLEX, NODE_DUPLEX_OF_TRANSPORT, NODE_WEB_STREAMS_OF_TRANSPORT } from './harness/node-adopted.ts';
import { NodeHarness } from './harness/node-harness.ts';

const KINDS = [NODE_DUPLEX];
if (hasEveryKind()) KINDS.push(NODE_DUPLEX_OF_TRANSPORT, NODE_WEB_STREAMS_OF_TRANSPORT);

// On Windows, what Node calls UNIX sockets are named pipes.
for (const kind of process.platform === 'win32' ? [] : KINDS) {
  describeConformance(kind.name, () => new NodeHarness(kind), STREAM_SUITES);
}
