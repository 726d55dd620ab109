import { expect } from 'chai';
import { Chargen, Discard, Echo, Factory, QOTD } from 'ropewalk';
import { StringTransport, TestReactor } from 'ropewalk/testing';

describe('Echo (RFC 862)', () => {
  it('sends back what it receives', () => {
    const echo = new Echo();
    const transport = new StringTransport();
    echo.makeConnection(transport);
    echo.dataReceived(Buffer.from([0, 255, 10]));
    echo.dataReceived(Buffer.from('x'));
    expect(transport.value()).to.deep.equal(Buffer.from([0, 255, 10, 0x78]));
    expect(transport.disconnecting).to.be.false;
  });
});

describe('Discard (RFC 863)', () => {
  it('says nothing and stays connected', () => {
    const discard = new Discard();
    const transport = new StringTransport();
    discard.makeConnection(transport);
    discard.dataReceived(Buffer.from('anything'));
    expect(transport.value()).to.have.lengthOf(0);
    expect(transport.disconnecting).to.be.false;
  });
});

describe('QOTD (RFC 865)', () => {
  it('sends a quote of at most 512 characters and closes', () => {
    const transport = new StringTransport();
    new QOTD().makeConnection(transport);
    expect(transport.value().toString())
      .to.match(/^.+\r\n$/)
      .and.have.property('length')
      .below(513);
    expect(transport.disconnecting).to.be.true;
  });

  it('sends the quote of a subclass', () => {
    class Terse extends QOTD {
      override getQuote(): string {
        return 'No.\r\n';
      }
    }
    const transport = new StringTransport();
    new Terse().makeConnection(transport);
    expect(transport.value().toString()).to.equal('No.\r\n');
  });
});

describe('Chargen (RFC 864)', () => {
  /** What a peer with this window has received in one instant. */
  function linesAfter(window: number): { reactor: TestReactor; text: () => string; clear: () => void } {
    const reactor = new TestReactor();
    reactor.listenTCP(19, Factory.forProtocol(Chargen));
    const peer = reactor.dial(19, { window });
    reactor.advance(0);
    return { reactor, text: () => peer.text(), clear: () => peer.clear() };
  }

  it('sends lines of 72 characters, each shifted by one along the 95 printable characters', () => {
    const lines = linesAfter(65_536).text().split('\r\n');
    expect(lines[0]).to.equal('!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh');
    expect(lines[1]).to.equal('"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghi');
    // The ring has a space between the tilde and the exclamation mark.
    expect(lines[70]).to.match(/^ghijklmnopqrstuvwxyz\{\|\}~ !"#/);
    expect(lines[94]).to.match(/^ !"#/);
    for (const [index, line] of lines.slice(0, -1).entries()) {
      expect(line).to.have.lengthOf(72);
      if (index >= 95) expect(line).to.equal(lines[index - 95]);
      else if (index > 0) expect(line.slice(0, 71)).to.equal(lines[index - 1]!.slice(1));
    }
  });

  it('goes on where it stopped when the peer has read', () => {
    const { reactor, text, clear } = linesAfter(1000);
    const before = text();
    clear();
    reactor.advance(1);
    const both = before + text();
    expect(both.length).to.be.above(before.length);
    const whole = linesAfter(65_536).text();
    expect(whole.startsWith(both.slice(0, whole.length))).to.be.true;
  });

  it('makes more only when asked', () => {
    const transport = new StringTransport();
    const chargen = new Chargen();
    chargen.makeConnection(transport);
    expect(transport.producer).to.equal(chargen);
    expect(transport.streaming).to.be.false;
    const before = transport.value().length;
    chargen.resumeProducing();
    expect(transport.value().length).to.equal(before + 95 * 74);
  });

  it('holds no more than a pattern for a peer that does not read', () => {
    const reactor = new TestReactor();
    const written: number[] = [];
    class Counted extends Chargen {
      override resumeProducing(): void {
        written.push(1);
        super.resumeProducing();
      }
    }
    reactor.listenTCP(19, Factory.forProtocol(Counted));
    const peer = reactor.dial(19, { window: 10_000, reading: false });
    reactor.advance(60);
    const asked = written.length;
    expect(asked).to.be.above(0);
    reactor.advance(60);
    expect(written).to.have.lengthOf(asked);
    peer.resume();
    reactor.advance(1);
    expect(written.length).to.be.above(asked);
  });

  it('ignores what it receives and ends with its connection', () => {
    const reactor = new TestReactor();
    const port = reactor.listenTCP(19, Factory.forProtocol(Chargen));
    const peer = reactor.dial(19);
    peer.send('ignored');
    reactor.advance(0);
    peer.abort();
    port.stopListening();
    reactor.advance(0);
    reactor.assertClean();
  });
});
