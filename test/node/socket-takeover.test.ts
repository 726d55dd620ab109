import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { expect } from 'chai';
import { ReadSlabs, SlabSource } from '../../src/node/read-slabs.ts';
import { takeOver } from '../../src/node/socket-takeover.ts';
import { rawServer } from './harness.ts';

describe('taking over an accepted socket', () => {
  let accepted: Socket & { _handle: object | null };
  let peer: Socket;
  let close: () => void;

  beforeEach(async () => {
    const { server, port } = await rawServer();
    const connection = once(server, 'connection');
    peer = connectSocket(port, '127.0.0.1');
    peer.on('error', () => {});
    // Only here, and in the file under test, is the handle named.
    [accepted] = (await connection) as [typeof accepted];
    close = () => {
      accepted.destroy();
      peer.destroy();
      server.close();
    };
  });

  afterEach(() => close());

  it('leaves an empty shell, and a socket that reads into the source', async () => {
    const source = new SlabSource(new ReadSlabs());
    const received: string[] = [];
    source.deliverTo((data) => received.push(data.toString()) > 0);
    const taken = takeOver(accepted, source);
    expect(taken).not.to.equal(accepted);
    expect(accepted.destroyed).to.equal(true);
    expect(source.asked).to.equal(true);
    peer.end('hello');
    taken.resume();
    await once(taken, 'end');
    expect(received).to.deep.equal(['hello']);
    taken.destroy();
  });

  for (const [what, handle] of [
    ['none', null],
    ['one of another kind, as in Bun', { pause: () => {}, resume: () => {} }],
  ] as const) {
    it(`falls back to the accepted socket if its handle is not what is needed: ${what}`, () => {
      const own = accepted._handle;
      accepted._handle = handle;
      const source = new SlabSource(new ReadSlabs());
      expect(takeOver(accepted, source)).to.equal(accepted);
      expect(accepted.destroyed).to.equal(false);
      expect(source.asked).to.equal(false);
      accepted._handle = own;
    });
  }
});
