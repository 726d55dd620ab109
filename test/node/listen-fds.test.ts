import { expect } from 'chai';
import { ListenFDs } from 'ropewalk';

const PID = 4321;

/** What systemd sets for a service that gets some descriptors. */
function environment(variables: Record<string, string> = {}): Record<string, string | undefined> {
  return { LISTEN_PID: String(PID), LISTEN_FDS: '2', LISTEN_FDNAMES: 'web:admin', HOME: '/root', ...variables };
}

function read(environ: Record<string, string | undefined>): ListenFDs {
  return ListenFDs.fromEnvironment({ environ, pid: PID });
}

/** With variables that are not set at all. */
function without(...names: string[]): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(environment()).filter(([name]) => !names.includes(name)));
}

describe('ListenFDs', () => {
  it('counts the descriptors from 3, and knows their names', () => {
    const inherited = read(environment());
    expect(inherited.inheritedDescriptors()).to.deep.equal([3, 4]);
    expect([...inherited.inheritedNamedDescriptors()]).to.deep.equal([
      ['web', [3]],
      ['admin', [4]],
    ]);
  });

  it('counts from another number if told so', () => {
    const inherited = ListenFDs.fromEnvironment({ environ: environment(), start: 10, pid: PID });
    expect(inherited.inheritedDescriptors()).to.deep.equal([10, 11]);
  });

  it('keeps all descriptors of one name, in order', () => {
    const inherited = read(environment({ LISTEN_FDS: '4', LISTEN_FDNAMES: 'web:admin:web:' }));
    expect([...inherited.inheritedNamedDescriptors()]).to.deep.equal([
      ['web', [3, 5]],
      ['admin', [4]],
      ['', [6]],
    ]);
  });

  it('calls descriptors without names unknown', () => {
    for (const environ of [without('LISTEN_FDNAMES'), environment({ LISTEN_FDNAMES: '' })]) {
      expect([...read(environ).inheritedNamedDescriptors()]).to.deep.equal([['unknown', [3, 4]]]);
    }
  });

  it('gives nothing away that it keeps', () => {
    const inherited = read(environment());
    inherited.inheritedDescriptors().pop();
    inherited.inheritedNamedDescriptors().get('web')!.pop();
    expect(inherited.inheritedDescriptors()).to.deep.equal([3, 4]);
    expect(inherited.inheritedNamedDescriptors().get('web')).to.deep.equal([3]);
  });

  it('takes the variables out of the environment, and finds nothing the second time [132]', () => {
    const environ = environment({ LISTEN_PIDFDID: '7' });
    read(environ);
    expect(environ).to.deep.equal({ HOME: '/root' });
    expect(read(environ).inheritedDescriptors()).to.deep.equal([]);
  });

  it('has none, and leaves the variables, where they are meant for another process, or for none [132]', () => {
    for (const environ of [environment({ LISTEN_PID: '1' }), without('LISTEN_PID')]) {
      const before = { ...environ };
      expect(read(environ).inheritedDescriptors()).to.deep.equal([]);
      expect([...read(environ).inheritedNamedDescriptors()]).to.deep.equal([]);
      expect(environ).to.deep.equal(before);
    }
  });

  it('has none where there are none', () => {
    for (const environ of [
      without('LISTEN_FDS', 'LISTEN_FDNAMES'),
      environment({ LISTEN_FDS: '0', LISTEN_FDNAMES: '' }),
    ]) {
      expect(read(environ).inheritedDescriptors()).to.deep.equal([]);
      expect(environ).to.deep.equal({ HOME: '/root' });
    }
  });

  it('throws for variables that make no sense, and takes them away if they were meant for this process', () => {
    for (const LISTEN_PID of ['', 'me', '-1', '4321 ', '0x10e1']) {
      const environ = environment({ LISTEN_PID });
      expect(() => read(environ), LISTEN_PID).to.throw(RangeError, 'LISTEN_PID');
      expect(environ).to.have.property('LISTEN_FDS');
    }
    for (const LISTEN_FDS of ['', 'two', '-1', '1.5', '99999999999999999999']) {
      const environ = environment({ LISTEN_FDS });
      expect(() => read(environ), LISTEN_FDS).to.throw(RangeError, 'LISTEN_FDS');
      expect(environ).to.deep.equal({ HOME: '/root' });
    }
    for (const LISTEN_FDNAMES of ['web', 'web:admin:more', ':']) {
      const environ = environment({ LISTEN_FDNAMES, LISTEN_FDS: LISTEN_FDNAMES === ':' ? '1' : '2' });
      expect(() => read(environ), LISTEN_FDNAMES).to.throw(RangeError, `LISTEN_FDNAMES must have`);
      expect(environ).to.deep.equal({ HOME: '/root' });
    }
  });

  it('reads the environment of this process, where nothing is meant for it', () => {
    expect(ListenFDs.fromEnvironment().inheritedDescriptors()).to.deep.equal([]);
  });

  it('can be made of descriptors and names', () => {
    expect([...new ListenFDs([5, 6], ['a', 'a']).inheritedNamedDescriptors()]).to.deep.equal([['a', [5, 6]]]);
    expect(() => new ListenFDs([5, 6], ['a'])).to.throw(RangeError, 'names');
  });
});
