import { expect } from 'chai';
import { IPv6Address } from 'ropewalk';
import { FakeDatagramTransport, successResultOf } from 'ropewalk/testing';

describe('FakeDatagramTransport', () => {
  const there = { host: '192.0.2.1', port: 53 };

  it('keeps each datagram, as it was when it was written, and where it was to go', () => {
    const transport = new FakeDatagramTransport();
    const data = Buffer.from('before');
    transport.write(data, there);
    data.fill('!');
    transport.write('您好');
    transport.writeSequence(['one ', Buffer.from('two')], there);
    expect(transport.written.map(([written, address]) => [written.toString(), address])).to.deep.equal([
      ['before', there],
      ['您好', undefined],
      ['one two', there],
    ]);
  });

  it('refuses what is neither bytes nor a string', () => {
    // @ts-expect-error: what a program without types may do
    expect(() => new FakeDatagramTransport().write(5, there)).to.throw(TypeError, 'data');
  });

  it('notes what it is asked, and does nothing', () => {
    const transport = new FakeDatagramTransport();
    expect(transport).to.include({ connectedTo: undefined, stopped: false });
    transport.connect('192.0.2.1', 53);
    expect(transport.connectedTo).to.deep.equal(there);
    successResultOf(transport.stopListening());
    expect(transport.stopped).to.equal(true);
  });

  it('is in the groups that were joined and not left', () => {
    const transport = new FakeDatagramTransport();
    successResultOf(transport.joinGroup('239.1.2.3'));
    successResultOf(transport.joinGroup('239.1.2.3', '127.0.0.1'));
    successResultOf(transport.leaveGroup('239.1.2.3'));
    successResultOf(transport.leaveGroup('239.9.9.9'));
    expect(transport.groups).to.deep.equal([{ group: '239.1.2.3', interface: '127.0.0.1' }]);
  });

  it('has the options of a port, and remembers them', () => {
    const transport = new FakeDatagramTransport();
    const options = (): unknown[] => [
      transport.getBroadcastAllowed(),
      transport.getLoopbackMode(),
      transport.getTTL(),
      transport.getOutgoingInterface(),
    ];
    expect(options()).to.deep.equal([false, true, 1, '0.0.0.0']);
    transport.setBroadcastAllowed(true);
    transport.setLoopbackMode(false);
    transport.setTTL(9);
    successResultOf(transport.setOutgoingInterface('127.0.0.1'));
    expect(options()).to.deep.equal([true, false, 9, '127.0.0.1']);
  });

  it('has the address it is given', () => {
    expect(new FakeDatagramTransport().getHost()).to.include({ type: 'UDP', host: '10.0.0.1', port: 12345 });
    const hostAddress = new IPv6Address('UDP', '::1', 7);
    expect(new FakeDatagramTransport({ hostAddress }).getHost()).to.equal(hostAddress);
  });
});
