import { expect } from 'chai';
import { type Address, HostnameAddress, IPv4Address, IPv6Address, UNIXAddress } from 'ropewalk/core';

const addresses: readonly Address[] = [
  new IPv4Address('TCP', '127.0.0.1', 80),
  new IPv4Address('UDP', '127.0.0.1', 80),
  new IPv4Address('TCP', '127.0.0.2', 80),
  new IPv4Address('TCP', '127.0.0.1', 81),
  new IPv6Address('TCP', '::1', 80),
  // Same fields as the first, another class.
  new HostnameAddress('TCP', '127.0.0.1', 80),
  new UNIXAddress('/run/a'),
  new UNIXAddress('/run/b'),
  new UNIXAddress(undefined),
  new UNIXAddress('\0name'),
  new UNIXAddress('@name'),
];

describe('Addresses', () => {
  it('are equal to those of the same class with the same fields, and to nothing else', () => {
    expect(new IPv4Address('TCP', '127.0.0.1', 80).equals(addresses[0])).to.equal(true);
    expect(new IPv6Address('TCP', '::1', 80).equals(addresses[4])).to.equal(true);
    expect(new UNIXAddress('/run/a').equals(addresses[6])).to.equal(true);
    for (const [index, one] of addresses.entries()) {
      for (const [otherIndex, other] of addresses.entries()) {
        expect(one.equals(other), `${String(one)} ${String(other)}`).to.equal(index === otherIndex);
      }
      for (const other of [undefined, null, 'text', JSON.parse(JSON.stringify(one))] as unknown[])
        expect(one.equals(other)).to.equal(false);
    }
  });

  it('are told apart as strings', () => {
    expect(new Set(addresses.map(String)).size).to.equal(addresses.length);
    expect(String(addresses[0])).to.equal("IPv4Address(type='TCP', host='127.0.0.1', port=80)");
    expect(String(addresses[6])).to.equal("UNIXAddress('/run/a')");
    expect(String(addresses[8])).to.equal('UNIXAddress()');
  });

  it('show an abstract name behind an @, and no file for one', () => {
    expect(String(addresses[9])).to.equal("UNIXAddress('@name')");
    expect(String(addresses[10])).to.equal("UNIXAddress('./@name')");
    expect(String(new UNIXAddress('/run/@name'))).to.equal("UNIXAddress('/run/@name')");
  });

  it('say which family they are of', () => {
    const families = addresses.map(({ family }) => family);
    expect(families.slice(0, 6)).to.deep.equal(['IPv4', 'IPv4', 'IPv4', 'IPv4', 'IPv6', 'Hostname']);
    expect(families.slice(6)).to.deep.equal(['UNIX', 'UNIX', 'UNIX', 'UNIX', 'UNIX']);
  });

  it('cannot be changed', () => {
    for (const address of addresses) expect(Object.isFrozen(address)).to.equal(true);
  });
});
