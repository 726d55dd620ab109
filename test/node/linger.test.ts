import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { expect } from 'chai';
import { NodePlatform } from '../../src/node/node-platform.ts';
import { DEFAULT_LINGER_BYTES } from '../../src/stream-defaults.ts';
import { acceptedPair, connectedPair, receiveAll, settle } from './harness.ts';

const REPLY = Buffer.alloc(200_000, 'reply');

for (const reading of ['onread', 'data'] as const) {
  for (const makePair of [acceptedPair, connectedPair]) {
    describe(`a stream given up (${reading}, ${makePair.name})`, () => {
      it('delivers all it has sent although the peer’s input was not read', async () => {
        const pair = await makePair(new NodePlatform({ reading }).streams);
        await new Promise((resolve) => pair.peer.write(Buffer.alloc(100_000), resolve));
        await settle();
        expect(pair.handle.write([REPLY])).to.equal(true);
        pair.handle.close();
        // More arrives after close, as from a peer that does not know yet.
        await new Promise((resolve) => pair.peer.write(Buffer.alloc(100_000), resolve));
        await settle();
        const received = await receiveAll(pair.peer);
        expect(received.equals(REPLY)).to.equal(true);
        expect(pair.peer.errored).to.equal(null);
        pair.peer.end();
        const [hadError] = (await once(pair.peer, 'close')) as [boolean];
        expect(hadError).to.equal(false);
        expect(pair.listener.events).to.deep.equal([]);
        pair.close();
      });

      it('is destroyed after lingerSeconds if the peer sends no FIN', async () => {
        const pair = await makePair(new NodePlatform({ reading, lingerSeconds: 0.02 }).streams);
        pair.handle.close();
        // The peer stays half open, and sees a reset once it writes to a socket that is no longer there.
        await once(pair.peer.resume(), 'end');
        const writing = setInterval(() => pair.peer.write('x'), 5);
        const [error] = (await once(pair.peer, 'error')) as [NodeJS.ErrnoException];
        clearInterval(writing);
        expect(error.code).to.be.oneOf(['ECONNRESET', 'EPIPE']);
        pair.close();
      });

      it('is destroyed when the peer sends more than it discards', async () => {
        const pair = await makePair(new NodePlatform({ reading, lingerSeconds: 1000 }).streams);
        pair.handle.close();
        const failed = once(pair.peer, 'error') as Promise<[NodeJS.ErrnoException]>;
        pair.peer.write(Buffer.alloc(DEFAULT_LINGER_BYTES * 16));
        const [error] = await failed;
        expect(error.code).to.be.oneOf(['ECONNRESET', 'EPIPE']);
        pair.close();
      });

      it('is destroyed when the peer sends more than lingerBytes', async () => {
        const pair = await makePair(new NodePlatform({ reading, lingerSeconds: 1000, lingerBytes: 10 }).streams);
        pair.handle.close();
        const failed = once(pair.peer, 'error') as Promise<[NodeJS.ErrnoException]>;
        pair.peer.write(Buffer.alloc(11));
        const writing = setInterval(() => pair.peer.write('x'), 5);
        const [error] = await failed;
        clearInterval(writing);
        expect(error.code).to.be.oneOf(['ECONNRESET', 'EPIPE']);
        pair.close();
      });
    });
  }
}

describe('lingerSeconds', () => {
  it('is checked', () => {
    for (const lingerSeconds of [-1, NaN, Infinity]) {
      expect(() => new NodePlatform({ lingerSeconds })).to.throw(RangeError, 'lingerSeconds');
    }
    for (const lingerBytes of [-1, 1.5]) {
      expect(() => new NodePlatform({ lingerBytes })).to.throw(RangeError, 'lingerBytes');
    }
  });
});
