import { expect } from 'chai';
import { ConnectInProgressError, DatagramProtocol } from 'ropewalk';
import { FakeDatagramTransport } from 'ropewalk/testing';

class Recorder extends DatagramProtocol {
  readonly calls: string[] = [];

  override startProtocol(): void {
    this.calls.push(`start with ${this.transport.getHost().host}`);
  }

  override stopProtocol(): void {
    this.calls.push(`stop ${'transport' in this ? 'with' : 'without'} a transport`);
  }
}

describe('DatagramProtocol', () => {
  it('has hooks that do nothing until they are overridden', () => {
    const protocol = new DatagramProtocol();
    const transport = new FakeDatagramTransport();
    expect(protocol.makeConnection(transport)).to.equal(undefined);
    expect(protocol.datagramReceived(Buffer.from('x'), transport.getHost())).to.equal(undefined);
    expect(protocol.connectionRefused()).to.equal(undefined);
    expect(protocol.doStop()).to.equal(undefined);
    expect(transport.written).to.deep.equal([]);
  });

  it('has its transport from startProtocol on, and lets go of it before stopProtocol', () => {
    const protocol = new Recorder();
    expect(protocol).not.to.have.property('transport');
    protocol.makeConnection(new FakeDatagramTransport());
    expect(protocol.numPorts).to.equal(1);
    protocol.doStop();
    expect(protocol.numPorts).to.equal(0);
    expect(protocol).not.to.have.property('transport');
    expect(protocol.calls).to.deep.equal(['start with 10.0.0.1', 'stop without a transport']);
  });

  it('takes one transport at a time', () => {
    const protocol = new Recorder();
    const transport = new FakeDatagramTransport();
    protocol.makeConnection(transport);
    expect(() => protocol.makeConnection(new FakeDatagramTransport())).to.throw(ConnectInProgressError);
    expect(protocol.transport).to.equal(transport);
    protocol.doStop();
    protocol.makeConnection(new FakeDatagramTransport());
    expect(protocol.calls).to.have.length(3);
  });

  it('stops no more often than it was started', () => {
    const protocol = new Recorder();
    protocol.doStop();
    protocol.makeConnection(new FakeDatagramTransport());
    protocol.doStart();
    protocol.doStop();
    protocol.doStop();
    protocol.doStop();
    expect(protocol.calls).to.have.length(2);
  });

  it('is stopped after a startProtocol that threw', () => {
    class Failing extends Recorder {
      override startProtocol(): void {
        throw new Error('a bug');
      }
    }
    const protocol = new Failing();
    expect(() => protocol.makeConnection(new FakeDatagramTransport())).to.throw('a bug');
    protocol.doStop();
    expect(protocol.calls).to.deep.equal(['stop without a transport']);
  });
});
