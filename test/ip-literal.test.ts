import { expect } from 'chai';
import { HostnameAddress, IPv4Address, IPv6Address, isIPAddress, isIPv6Address } from 'ropewalk/core';
import { addressOf, isSameEndpoint, parseIPLiteral } from '../src/ip-literal.ts';

describe('parseIPLiteral', () => {
  it('reads IPv4 in dotted decimal', () => {
    expect(parseIPLiteral('127.0.0.1')).to.deep.equal({ family: 'IPv4', canonical: '127.0.0.1' });
    expect(parseIPLiteral('255.255.255.255')?.family).to.equal('IPv4');
  });

  it('reads IPv6 however it is spelled, with one canonical form for an address', () => {
    const spellings = ['::1', '0:0:0:0:0:0:0:1', '0000::0001', '0:0::1'];
    const canonical = new Set(spellings.map((text) => parseIPLiteral(text)?.canonical));
    expect(canonical.size).to.equal(1);
    expect(parseIPLiteral('FE80::1')?.canonical).to.equal(parseIPLiteral('fe80:0:0:0:0:0:0:1')?.canonical);
    expect(parseIPLiteral('::1')?.canonical).not.to.equal(parseIPLiteral('::2')?.canonical);
  });

  it('keeps the scope apart', () => {
    expect(parseIPLiteral('fe80::1%eth0')?.family).to.equal('IPv6');
    expect(parseIPLiteral('fe80::1%eth0')?.canonical).not.to.equal(parseIPLiteral('fe80::1%eth1')?.canonical);
  });

  it('reads nothing else', () => {
    const others = ['', 'localhost', '127.1', '127.0.0.1.', '0x7f.0.0.1', '010.0.0.1', '256.0.0.1', '1.2.3.4.5', '1'];
    others.push('[::1]', ':::', '1::2::3', '::g', '127.0.0.1:80', ' 127.0.0.1', 'example.com');
    for (const text of others) expect(parseIPLiteral(text), text).to.equal(undefined);
  });
});

describe('isIPAddress and isIPv6Address', () => {
  it('tell literals from names, and the families from each other, as Twisted’s do', () => {
    const texts = ['1.2.3.4', '1.2.3', '01.2.3.4', '1.2.3.256', '::1', '::1%eth0', '::ffff:1.2.3.4', 'localhost', ''];
    expect(texts.filter((text) => isIPAddress(text))).to.deep.equal(['1.2.3.4']);
    expect(texts.filter((text) => isIPv6Address(text))).to.deep.equal(['::1', '::1%eth0', '::ffff:1.2.3.4']);
    expect(texts.filter((text) => isIPAddress(text, 'IPv6'))).to.deep.equal(texts.filter(isIPv6Address));
  });
});

describe('isSameEndpoint', () => {
  it('compares host and port, however the host is spelled', () => {
    const address = new IPv6Address('UDP', '::1', 7);
    expect(isSameEndpoint(address, new IPv6Address('UDP', '0:0:0:0:0:0:0:1', 7))).to.equal(true);
    expect(isSameEndpoint(address, new IPv6Address('UDP', '::1', 8))).to.equal(false);
    expect(isSameEndpoint(address, new IPv6Address('UDP', '::2', 7))).to.equal(false);
    expect(isSameEndpoint(address, new IPv4Address('UDP', '127.0.0.1', 7))).to.equal(false);
  });
});

describe('addressOf', () => {
  it('makes an address of the class that the host has', () => {
    expect(addressOf('TCP', '10.0.0.1', 1)).to.deep.equal(new IPv4Address('TCP', '10.0.0.1', 1));
    expect(addressOf('UDP', '::1', 2)).to.deep.equal(new IPv6Address('UDP', '::1', 2));
    expect(addressOf('TCP', 'localhost', 3)).to.deep.equal(new HostnameAddress('TCP', 'localhost', 3));
  });
});
