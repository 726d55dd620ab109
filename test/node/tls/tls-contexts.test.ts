import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import type { TLSOptions } from 'ropewalk';
import { SessionCache, TLSContexts } from '../../../src/node/tls/tls-contexts.ts';
import { testCertificates } from '../../support/certificates.ts';

const { ca, server } = await testCertificates();

const session = (text: string): { ticket: Buffer; certificate: undefined } => ({
  ticket: Buffer.from(text),
  certificate: undefined,
});

describe('SessionCache', () => {
  it('has the latest session for each name', () => {
    const cache = new SessionCache();
    expect(cache.get('a')).to.be.undefined;
    cache.set('a', session('first'));
    cache.set('b', session('other'));
    cache.set('a', session('second'));
    expect(cache.get('a')?.ticket.toString()).to.equal('second');
    expect(cache.get('b')?.ticket.toString()).to.equal('other');
  });

  it('forgets one that it is told to', () => {
    const cache = new SessionCache();
    cache.set('a', session('a'));
    cache.delete('a');
    cache.delete('never there');
    expect(cache.get('a')).to.be.undefined;
  });

  it('holds 100, and forgets first what was made first; what is made anew counts as new', () => {
    const cache = new SessionCache();
    for (let index = 0; index < 100; index += 1) cache.set(`host ${index}`, session(`${index}`));
    cache.set('host 0', session('anew'));
    cache.set('host 100', session('one more'));
    expect(cache.get('host 0')?.ticket.toString()).to.equal('anew');
    expect(cache.get('host 1')).to.be.undefined;
    expect(cache.get('host 2')).not.to.be.undefined;
    expect(cache.get('host 100')).not.to.be.undefined;
  });
});

describe('TLSContexts', () => {
  it('looks into an options object once, for each role', () => {
    const contexts = new TLSContexts();
    const options: TLSOptions = { ...server, ca };
    expect(contexts.client(options)).to.equal(contexts.client(options));
    expect(contexts.server(options)).to.equal(contexts.server(options));
    expect(contexts.client({ ...options })).not.to.equal(contexts.client(options));
    expect(contexts.server({ ...options })).not.to.equal(contexts.server(options));
  });

  it('has another set of sessions for each options object', () => {
    const contexts = new TLSContexts();
    const options: TLSOptions = { ca };
    contexts.client(options).sessions.set('a', session('a'));
    expect(contexts.client(options).sessions.get('a')).not.to.be.undefined;
    expect(contexts.client({ ...options }).sessions.get('a')).to.be.undefined;
  });

  it('throws again for options that it could not use', () => {
    const contexts = new TLSContexts();
    const options: TLSOptions = { key: 'no key', cert: server.cert };
    for (let count = 0; count < 2; count += 1) {
      expect(() => contexts.client(options)).to.throw();
      expect(() => contexts.server(options)).to.throw();
    }
  });

  it('takes bytes that stand in the midst of others', () => {
    const contexts = new TLSContexts();
    const within = (text: string): Uint8Array => {
      const padded = Buffer.from(`xx${text}xx`);
      return new Uint8Array(padded.buffer, padded.byteOffset + 2, text.length);
    };
    contexts.server({ key: within(server.key), cert: within(server.cert), ca: [within(ca)] });
  });
});
