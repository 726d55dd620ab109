import { expect } from 'chai';
import type { Address, HostResolution, ResolveOptions } from 'ropewalk';
import { type HostNames, World } from 'ropewalk/simulation';

interface Answer {
  readonly log: string[];
  readonly addresses: Address[];
  cause: Error | undefined;
}

describe('the names of a virtual host', () => {
  let world: World;
  let names: HostNames;

  beforeEach(() => {
    world = new World();
    names = { 'db.test': '10.0.0.5', multi: ['10.0.0.1', 'fe80::1', '10.0.0.2'], nowhere: [] };
  });

  function ask(name: string, options?: ResolveOptions): Answer & { resolution: HostResolution } {
    const answer: Answer = { log: [], addresses: [], cause: undefined };
    const host = world.addHost(`host ${String(Math.floor(world.random('names').next() * 1e9))}`, { names });
    const resolution = host.resolver.resolveHostName(
      {
        resolutionBegan: () => answer.log.push('began'),
        addressResolved: (address) => {
          answer.log.push('address');
          answer.addresses.push(address);
        },
        resolutionComplete: (cause) => {
          answer.log.push('complete');
          answer.cause = cause;
        },
      },
      name,
      options,
    );
    return Object.assign(answer, { resolution });
  }

  function hostsOf(name: string, options?: ResolveOptions): string[] {
    const answer = ask(name, options);
    world.advance(0);
    return answer.addresses.map((address) => ('host' in address ? address.host : ''));
  }

  it('answers later, in order', () => {
    const answer = ask('multi');
    expect(answer.log).to.deep.equal(['began']);
    world.advance(0);
    expect(answer.log).to.deep.equal(['began', 'address', 'address', 'address', 'complete']);
    expect(answer.cause).to.equal(undefined);
    expect(answer.resolution.name).to.equal('multi');
  });

  it('know localhost, literals, and what they were told, in any spelling', () => {
    expect(hostsOf('localhost')).to.deep.equal(['127.0.0.1', '::1']);
    expect(hostsOf('192.0.2.7')).to.deep.equal(['192.0.2.7']);
    expect(hostsOf('2001:db8::7')).to.deep.equal(['2001:db8::7']);
    expect(hostsOf('DB.Test.')).to.deep.equal(['10.0.0.5']);
  });

  it('may give localhost another address', () => {
    names = { localhost: '10.9.9.9' };
    expect(hostsOf('localhost')).to.deep.equal(['10.9.9.9']);
  });

  it('keep to the families asked for, and fill in the port', () => {
    expect(hostsOf('multi', { families: ['IPv6'] })).to.deep.equal(['fe80::1']);
    const answer = ask('db.test', { port: 5432, transport: 'UDP' });
    world.advance(0);
    expect(String(answer.addresses[0])).to.equal("IPv4Address(type='UDP', host='10.0.0.5', port=5432)");
  });

  it('say why nothing was found', () => {
    for (const name of ['unknown.test', 'nowhere', 'constructor']) {
      const answer = ask(name);
      world.advance(0);
      expect(answer.log).to.deep.equal(['began', 'complete']);
      expect(answer.cause).to.include({ code: 'ENOTFOUND', message: `getaddrinfo ENOTFOUND ${name}` });
    }
  });

  it('fall silent when cancelled, between two addresses too', () => {
    const answer = ask('multi');
    answer.resolution.cancel();
    world.advance(0);
    expect(answer.log).to.deep.equal(['began']);

    const heard: string[] = [];
    const host = world.addHost('cancelling', { names });
    const resolution = host.resolver.resolveHostName(
      {
        resolutionBegan: () => undefined,
        addressResolved: () => {
          heard.push('address');
          resolution.cancel();
        },
        resolutionComplete: () => heard.push('complete'),
      },
      'multi',
    );
    world.advance(0);
    resolution.cancel();
    expect(heard).to.deep.equal(['address']);
    expect(world.census().events).to.equal(0);
  });

  it('must have addresses that are addresses', () => {
    expect(() => world.addHost('bad', { names: { x: 'y' } })).to.throw(
      TypeError,
      "names.x must be IP addresses; got 'y'",
    );
  });
});
