import { expect } from 'chai';
import type { UDPPort } from 'ropewalk';
import { TestReactor } from 'ropewalk/testing';
import { GROUP, PORT, Presence } from './udp-presence.ts';

describe('presence', () => {
  let reactor: TestReactor;
  let ports: UDPPort[];

  beforeEach(() => {
    reactor = new TestReactor();
    ports = [];
  });

  afterEach(() => {
    for (const port of ports) port.stopListening();
    reactor.advance(0);
    reactor.assertClean();
  });

  function join(name: string): readonly (readonly string[])[] {
    const told: (readonly string[])[] = [];
    const presence = new Presence(reactor, name, (names) => told.push(names));
    ports.push(reactor.listenMulticast(PORT, presence, { listenMultiple: true }));
    return told;
  }

  it('tells everyone who comes, and in fifteen seconds who has gone', () => {
    const alice = join('alice');
    reactor.advance(1);
    const bob = join('bob');
    reactor.advance(5);
    expect(alice).to.deep.equal([['alice at 127.0.0.1'], ['alice at 127.0.0.1', 'bob at 127.0.0.1']]);
    expect(bob.at(-1)).to.deep.equal(['alice at 127.0.0.1', 'bob at 127.0.0.1']);

    ports.pop()?.stopListening();
    reactor.advance(60);
    expect(alice.slice(2)).to.deep.equal([['alice at 127.0.0.1']]);
  });

  it('does not believe a stranger everything', () => {
    const alice = join('alice');
    reactor.advance(0);
    reactor.datagramPeer().send('x'.repeat(65), { host: GROUP, port: PORT });
    reactor.advance(0);
    expect(alice).to.have.length(1);
  });
});
