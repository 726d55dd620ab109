import { expect } from 'chai';
import { createReactor, Echo, Factory, UnsupportedError } from 'ropewalk';
import { requireReusePort } from '../../src/node/reuse-port.ts';

describe('reusePort on Node', () => {
  const having = ['22.12.0', '22.23.3', '23.1.0', '24.0.0', '26.10.0', '100.0.0'];
  const lacking = ['18.20.8', '20.20.2', '21.7.3', '22.11.0', '23.0.0'];

  for (const version of having) {
    it(`is there in ${version}`, () => {
      expect(() => requireReusePort(version, 'linux')).not.to.throw();
    });
  }

  for (const version of lacking) {
    it(`is not there in ${version}, which would ignore it`, () => {
      expect(() => requireReusePort(version, 'linux')).to.throw(UnsupportedError, `this is Node ${version}`);
    });
  }

  it('is not there on systems that do not share connections out', () => {
    for (const platform of ['darwin', 'win32', 'openbsd', 'netbsd']) {
      expect(() => requireReusePort('24.0.0', platform)).to.throw(UnsupportedError, `this is ${platform}`);
    }
    for (const platform of ['linux', 'freebsd', 'sunos', 'aix']) {
      expect(() => requireReusePort('24.0.0', platform)).not.to.throw();
    }
  });

  it('is refused at the call of listenTCP where it is not there, and nothing is left', async function () {
    const major = Number(process.versions.node.split('.')[0]);
    if (major >= 22 && process.platform === 'linux') {
      this.test!.title += ' (skipped: it is there)';
      this.skip();
    }
    const reactor = createReactor();
    const factory = Factory.forProtocol(Echo);
    expect(() => reactor.listenTCP(0, factory, { reusePort: true })).to.throw(UnsupportedError);
    expect(factory.numPorts).to.equal(0);
    expect(reactor.inspect().ports).to.deep.equal([]);
  });

  it('is true or false', () => {
    const reactor = createReactor();
    for (const name of ['reusePort', 'exclusive']) {
      const options = { [name]: 'yes' };
      expect(() => reactor.listenTCP(0, Factory.forProtocol(Echo), options)).to.throw(TypeError, `${name} must be`);
    }
  });
});
