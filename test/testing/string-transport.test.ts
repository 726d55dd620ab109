import { expect } from 'chai';
import sinon from 'sinon';
import { ConnectionAborted, ConnectionDone, type Failure, IPv4Address, Protocol, UNIXAddress } from 'ropewalk';
import { StringTransport, StringTransportWithDisconnection } from 'ropewalk/testing';

describe('StringTransport', () => {
  let transport: StringTransport;

  beforeEach(() => {
    transport = new StringTransport();
  });

  it('keeps what is written to it', () => {
    expect(transport.write('您好 ')).to.be.true;
    transport.writeSequence([Buffer.from('one'), ' two']);
    expect(transport.value().toString()).to.equal('您好 one two');
    transport.clear();
    expect(transport.value()).to.have.length(0);
  });

  it('keeps the bytes as they were when they were written', () => {
    const data = Buffer.from('before');
    transport.write(data);
    data.fill('!');
    expect(transport.value().toString()).to.equal('before');
  });

  it('refuses what is neither bytes nor a string', () => {
    // @ts-expect-error: what a program without types may do
    expect(() => transport.write(undefined)).to.throw(
      TypeError,
      'data must be a string or a Uint8Array; got undefined',
    );
  });

  it('notes what startTLS was called with, and encrypts nothing', () => {
    expect(transport.startedTLS).to.be.undefined;
    transport.startTLS({ ca: 'certificate' });
    expect(transport.startedTLS).to.deep.equal({ tls: { ca: 'certificate' }, options: {} });
    transport.startTLS({ servername: 'host.example' }, { isServer: false });
    expect(transport.startedTLS).to.deep.equal({ tls: { servername: 'host.example' }, options: { isServer: false } });
    transport.write('still to be seen');
    expect(transport.value().toString()).to.equal('still to be seen');
  });

  it('shows a protocol what a test wants it to see of TLS', () => {
    expect(transport.getPeerCertificate()).to.be.undefined;
    expect(transport.negotiatedProtocol).to.be.undefined;
    transport.peerCertificate = new Uint8Array([1, 2, 3]);
    transport.negotiatedProtocol = 'h2';
    expect(transport.getPeerCertificate()).to.deep.equal(new Uint8Array([1, 2, 3]));
    expect(transport.negotiatedProtocol).to.equal('h2');
  });

  it('notes that the connection is to be lost, and does nothing else', () => {
    expect(transport).to.include({ connected: true, disconnecting: false, disconnected: false });
    transport.loseConnection();
    expect(transport).to.include({ connected: true, disconnecting: true, disconnected: false });
    transport.write('still kept');
    expect(transport.value().toString()).to.equal('still kept');
    transport.abortConnection();
    expect(transport.disconnected).to.be.true;
    expect(transport.writeDisconnecting).to.be.false;
    transport.loseWriteConnection();
    expect(transport.writeDisconnecting).to.be.true;
  });

  it('has two addresses, which may be chosen', () => {
    expect(transport.getHost().equals(new IPv4Address('TCP', '10.0.0.1', 12345))).to.be.true;
    expect(transport.getPeer().equals(new IPv4Address('TCP', '192.168.1.1', 54321))).to.be.true;
    const hostAddress = new UNIXAddress('/a');
    const peerAddress = new UNIXAddress('/b');
    const chosen = new StringTransport({ hostAddress, peerAddress });
    expect([chosen.getHost(), chosen.getPeer()]).to.deep.equal([hostAddress, peerAddress]);
  });

  it('remembers the TCP options that were set', () => {
    expect([transport.getTcpNoDelay(), transport.getTcpKeepAlive()]).to.deep.equal([true, false]);
    transport.setTcpNoDelay(false);
    transport.setTcpKeepAlive(true);
    expect([transport.getTcpNoDelay(), transport.getTcpKeepAlive()]).to.deep.equal([false, true]);
  });

  it('knows its producer, one at a time', () => {
    const producer = { pauseProducing: sinon.spy(), resumeProducing: sinon.spy(), stopProducing: sinon.spy() };
    transport.registerProducer(producer, true);
    expect(transport).to.include({ producer, streaming: true });
    expect(() => transport.registerProducer(producer, false)).to.throw('registered already');
    transport.unregisterProducer();
    transport.unregisterProducer();
    expect(transport).to.include({ producer: undefined, streaming: undefined });
    // @ts-expect-error: what a program without types may do
    expect(() => transport.registerProducer({}, true)).to.throw(TypeError, 'producer');
  });

  it('remembers how it was asked to produce', () => {
    expect(transport.producerState).to.equal('producing');
    transport.pauseProducing();
    expect(transport.producerState).to.equal('paused');
    transport.resumeProducing();
    expect(transport.producerState).to.equal('producing');
    transport.stopProducing();
    transport.resumeProducing();
    expect(transport).to.include({ producerState: 'stopped', disconnecting: true });
  });

  it('does not resume once it is being closed', () => {
    transport.pauseProducing();
    transport.loseConnection();
    transport.resumeProducing();
    expect(transport.producerState).to.equal('paused');
  });
});

describe('StringTransportWithDisconnection', () => {
  class Recorder extends Protocol {
    reasons: Failure[] = [];
    override connectionLost(reason: Failure): void {
      this.reasons.push(reason);
    }
  }

  it('tells its protocol from inside loseConnection, once', () => {
    const transport = new StringTransportWithDisconnection();
    const protocol = new Recorder();
    transport.protocol = protocol;
    void protocol.makeConnection(transport);
    expect(protocol.connected).to.be.true;
    transport.loseConnection();
    transport.loseConnection();
    transport.abortConnection();
    expect(protocol.reasons.map((reason) => reason.type)).to.deep.equal([ConnectionDone]);
    expect(protocol.connected).to.be.false;
  });

  it('gives ConnectionAborted after abortConnection', () => {
    const transport = new StringTransportWithDisconnection();
    const protocol = new Recorder();
    transport.protocol = protocol;
    transport.abortConnection();
    expect(protocol.reasons.map((reason) => reason.type)).to.deep.equal([ConnectionAborted]);
  });

  it('needs a protocol', () => {
    expect(() => new StringTransportWithDisconnection().loseConnection()).to.throw('set the protocol');
  });
});
