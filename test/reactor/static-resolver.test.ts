import { expect } from 'chai';
import { ClientFactory, DNSLookupError, Echo, Factory, Protocol, StaticResolver, TCP4ClientEndpoint } from 'ropewalk';
import { Clock, failureResultOf, successResultOf, TestReactor } from 'ropewalk/testing';
import { ManualResolver, RecordingReceiver } from './resolver-recorder.ts';

describe('StaticResolver', () => {
  let clock: Clock;
  let receiver: RecordingReceiver;

  beforeEach(() => {
    clock = new Clock();
    receiver = new RecordingReceiver();
  });

  it('gives the addresses of a name in the order of the table, and not from inside the call', () => {
    const resolver = new StaticResolver({ 'db.test': ['::1', '10.0.0.2'] }, clock);
    const resolution = resolver.resolveHostName(receiver, 'db.test', { port: 5432 });
    expect(resolution.name).to.equal('db.test');
    expect(receiver.events).to.deep.equal(['began']);
    clock.advance(0);
    expect(receiver.events).to.deep.equal([
      'began',
      "IPv6Address(type='TCP', host='::1', port=5432)",
      "IPv4Address(type='TCP', host='10.0.0.2', port=5432)",
      'complete',
    ]);
  });

  it('gives only the families and the transport asked for', () => {
    const resolver = new StaticResolver({ 'db.test': ['::1', '10.0.0.2'] }, clock);
    resolver.resolveHostName(receiver, 'db.test', { families: ['IPv4'], transport: 'UDP' });
    clock.advance(0);
    expect(receiver.events).to.deep.equal(['began', "IPv4Address(type='UDP', host='10.0.0.2', port=0)", 'complete']);
  });

  it('takes one address as it takes a list, and names without regard to case and a final dot', () => {
    const resolver = new StaticResolver({ 'DB.test.': '10.0.0.2' }, clock);
    resolver.resolveHostName(receiver, 'db.TEST');
    clock.advance(0);
    expect(receiver.events).to.include("IPv4Address(type='TCP', host='10.0.0.2', port=0)");
  });

  it('gives an address literal as it is', () => {
    new StaticResolver({}, clock).resolveHostName(receiver, '192.0.2.7', { port: 1 });
    clock.advance(0);
    expect(receiver.events).to.deep.equal(['began', "IPv4Address(type='TCP', host='192.0.2.7', port=1)", 'complete']);
  });

  it('says which name the table does not have, or has in another family only', () => {
    const resolver = new StaticResolver({ 'db.test': '10.0.0.2', constructorless: [] }, clock);
    resolver.resolveHostName(receiver, 'constructor');
    resolver.resolveHostName(receiver, 'db.test', { families: ['IPv6'] });
    clock.advance(0);
    expect(receiver.events).to.deep.equal([
      'began',
      'began',
      "complete: the table of names has no 'constructor'",
      "complete: the table of names has no address of the family asked for under 'db.test'",
    ]);
    expect(receiver.causes.map((cause) => (cause as { readonly code?: unknown }).code)).to.deep.equal([
      'ENOTFOUND',
      'ENOTFOUND',
    ]);
  });

  it('asks the fallback for names that it does not have, and for those alone', () => {
    const fallback = new ManualResolver();
    const resolver = new StaticResolver({ 'db.test': '10.0.0.2', 'gone.test': [] }, clock, { fallback });
    for (const name of ['db.test', 'gone.test', '::1', 'other.test']) resolver.resolveHostName(receiver, name);
    expect(fallback.asked.map(({ hostName }) => hostName)).to.deep.equal(['other.test']);
    expect(fallback.last.receiver).to.equal(receiver);
  });

  it('says nothing more when it is cancelled: before the answer, in its middle, and from resolutionBegan', () => {
    const resolver = new StaticResolver({ 'db.test': ['10.0.0.1', '10.0.0.2'] }, clock);
    const before = resolver.resolveHostName(receiver, 'db.test');
    before.cancel();
    expect(clock.getDelayedCalls()).to.have.length(0);
    const inTheMiddle = resolver.resolveHostName(receiver, 'db.test');
    receiver.onAddress = () => inTheMiddle.cancel();
    const atOnce = new RecordingReceiver();
    resolver.resolveHostName(
      {
        resolutionBegan: (resolution) => resolution.cancel(),
        addressResolved: (address) => atOnce.addressResolved(address),
        resolutionComplete: (cause) => atOnce.resolutionComplete(cause),
      },
      'db.test',
    );
    clock.advance(0);
    expect(receiver.events).to.deep.equal(['began', 'began', "IPv4Address(type='TCP', host='10.0.0.1', port=0)"]);
    expect(atOnce.events).to.deep.equal([]);
    inTheMiddle.cancel();
  });

  it('refuses entries that are no addresses, and options it does not know', () => {
    expect(() => new StaticResolver({ 'db.test': 'localhost' }, clock)).to.throw(TypeError, 'names.db.test');
    // @ts-expect-error: what a program in JavaScript may do
    expect(() => new StaticResolver({ 'db.test': [1] }, clock)).to.throw(TypeError, 'names.db.test');
    // @ts-expect-error: likewise
    expect(() => new StaticResolver({}, clock, { fallBack: undefined })).to.throw(TypeError, 'fallBack');
  });

  it('serves connectTCP, once it is installed', () => {
    const reactor = new TestReactor();
    const previous = reactor.installNameResolver(new StaticResolver({ 'db.test': '127.0.0.1' }, reactor));
    expect(reactor.nameResolver).to.be.instanceOf(StaticResolver);
    const port = reactor.listenTCP(0, Factory.forProtocol(Echo));
    reactor.advance(0);
    const address = port.getHost();
    if (address.family !== 'IPv4') throw new Error('a TCP port has an IPv4 address');
    const connected = new TCP4ClientEndpoint(reactor, 'db.test', address.port).connect(Factory.forProtocol(Protocol));
    reactor.advance(0);
    expect(successResultOf(connected).connected).to.equal(true);
    const failed = new TCP4ClientEndpoint(reactor, 'other.test', 1).connect(ClientFactory.forProtocol(Protocol));
    reactor.advance(0);
    expect(failureResultOf(failed).value)
      .to.be.instanceOf(DNSLookupError)
      .with.property('message', "Cannot resolve other.test: the table of names has no 'other.test'");
    expect(reactor.installNameResolver(previous)).to.be.instanceOf(StaticResolver);
    reactor.stop();
    reactor.advance(3);
    reactor.assertClean();
  });
});
