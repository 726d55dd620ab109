import { expect } from 'chai';
import { type VirtualHost, World } from 'ropewalk/simulation';
import type { StreamHandle } from '../../src/interfaces/stream-platform.ts';
import { RecordingConnect, RecordingListen, RecordingStream } from './stream-recorders.ts';

/** One end, with what it has reported. */
interface End {
  readonly handle: StreamHandle;
  readonly heard: RecordingStream;
}

describe('a stream on the virtual network', () => {
  let world: World;
  let host: VirtualHost;
  let near: End;
  let far: End;

  beforeEach(() => {
    world = new World();
    host = world.addHost('one');
    [near, far] = join();
  });

  function join(): [End, End] {
    const server = new RecordingListen();
    const client = new RecordingConnect();
    const listening = host.streams.listen({ kind: 'tcp', host: '::', port: 80, backlog: 50 }, server);
    host.streams.connect({ kind: 'tcp', host: '127.0.0.1', port: 80 }, client);
    world.advance(0);
    listening.close();
    world.advance(0);
    const ends = [client.handle!, server.accepts[0]!].map((handle) => ({ handle, heard: new RecordingStream() }));
    for (const { handle, heard } of ends) handle.open(heard);
    return [ends[0]!, ends[1]!];
  }

  const bytes = (length: number): Buffer => Buffer.alloc(length, 'x');

  function expectNothingLeft(): void {
    expect(world.census()).to.deep.equal({
      streams: 0,
      listeners: 0,
      attempts: 0,
      datagramSockets: 0,
      processes: 0,
      events: 0,
    });
  }

  describe('data', () => {
    it('arrives in order, those of one write together, and never from inside a call', () => {
      far.handle.resumeReading();
      expect(near.handle.write([Buffer.from('one '), Buffer.alloc(0), Buffer.from('two')])).to.be.true;
      expect(near.handle.write([Buffer.from('three')])).to.be.true;
      expect(far.heard.reports).to.deep.equal([]);
      world.advance(0);
      expect(far.heard.reports).to.deep.equal(['data one two', 'data three']);
      expect(near.heard.reports).to.deep.equal([]);
    });

    it('is copied when it leaves', () => {
      far.handle.resumeReading();
      const data = Buffer.from('before');
      near.handle.write([data]);
      data.fill('!');
      world.advance(0);
      expect(far.heard.bytes.toString()).to.equal('before');
    });

    it('comes in pieces of at most 65,536 bytes, whatever the window', () => {
      const server = new RecordingListen();
      const client = new RecordingConnect();
      const target = { kind: 'tcp', host: '::', port: 81, backlog: 1 } as const;
      host.virtualStreams.listen(target, server, { windowBytes: 200_000 });
      host.virtualStreams.connect({ kind: 'tcp', host: '127.0.0.1', port: 81 }, client);
      world.advance(0);
      const heard = new RecordingStream();
      server.accepts[0]!.open(heard);
      client.handle!.open(new RecordingStream());
      server.accepts[0]!.resumeReading();
      expect(client.handle!.write([bytes(150_000)])).to.be.true;
      world.advance(0);
      expect(heard.received.map((piece) => piece.length)).to.deep.equal([65_536, 65_536, 18_928]);
    });

    it('waits while reading is paused, as it is at first, and comes in order when resumed', () => {
      near.handle.write([Buffer.from('one')]);
      near.handle.write([Buffer.from('two')]);
      near.handle.shutdown();
      world.advance(0);
      expect(far.heard.reports).to.deep.equal([]);
      far.handle.resumeReading();
      expect(far.heard.reports).to.deep.equal([]);
      world.advance(0);
      expect(far.heard.reports).to.deep.equal(['data one', 'data two', 'end']);
    });

    it('stops when reading is paused in the middle', () => {
      near.handle.write([Buffer.from('one')]);
      near.handle.write([Buffer.from('two')]);
      far.heard.inHook = () => far.handle.pauseReading();
      far.handle.resumeReading();
      world.advance(0);
      expect(far.heard.reports).to.deep.equal(['data one']);
      far.handle.resumeReading();
      far.handle.pauseReading();
      world.advance(0);
      expect(far.heard.reports).to.deep.equal(['data one']);
      far.handle.resumeReading();
      world.advance(0);
      expect(far.heard.reports).to.deep.equal(['data one', 'data two']);
    });
  });

  describe('a window', () => {
    it('is filled by what is not read, and then the writer waits', () => {
      expect(near.handle.write([bytes(65_536)])).to.be.true;
      expect(near.handle.write([bytes(100)])).to.be.false;
      world.advance(0);
      expect(near.heard.reports).to.deep.equal([]);
      far.handle.resumeReading();
      world.advance(0);
      expect(near.heard.reports).to.deep.equal(['written']);
      expect(far.heard.reports).to.deep.equal(['data of 65536', 'data of 100']);
    });

    it('lets any amount through in the end, once', () => {
      const sent = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 7) % 251));
      far.handle.resumeReading();
      expect(near.handle.write([sent.subarray(0, 3), sent.subarray(3)])).to.be.false;
      world.advance(0);
      expect(far.heard.bytes.equals(sent)).to.be.true;
      expect(near.heard.reports).to.deep.equal(['written']);
      expect(near.handle.write([bytes(65_536)])).to.be.true;
    });

    it('holds back the FIN behind the data of a closed end', () => {
      near.handle.write([bytes(70_000)]);
      near.handle.close();
      world.advance(0);
      far.handle.resumeReading();
      world.advance(0);
      expect(far.heard.bytes).to.have.length(70_000);
      expect(far.heard.reports.at(-1)).to.equal('end');
      expect(near.heard.reports).to.deep.equal([]);
    });
  });

  describe('half-close', () => {
    it('ends one direction after its data, and the other goes on', () => {
      far.handle.resumeReading();
      near.handle.resumeReading();
      near.handle.write([Buffer.from('question')]);
      near.handle.shutdown();
      expect(near.heard.reports).to.deep.equal([]);
      world.advance(0);
      expect(near.heard.reports).to.deep.equal(['shutDown']);
      expect(far.heard.reports).to.deep.equal(['data question', 'end']);
      far.handle.write([Buffer.from('answer')]);
      far.handle.shutdown();
      world.advance(0);
      expect(near.heard.reports).to.deep.equal(['shutDown', 'data answer', 'end']);
      near.handle.close();
      far.handle.close();
      world.advance(0);
      expectNothingLeft();
    });
  });

  describe('close', () => {
    it('sends a FIN, reports nothing more, and is over when the peer has closed too', () => {
      near.handle.resumeReading();
      far.handle.resumeReading();
      near.handle.close();
      far.handle.write([Buffer.from('unheard')]);
      world.advance(0);
      expect(far.heard.reports).to.deep.equal(['end']);
      far.handle.close();
      world.advance(0);
      expect(near.heard.reports).to.deep.equal([]);
      expectNothingLeft();
    });

    it('discards what was not read without destroying what was sent', () => {
      far.handle.resumeReading();
      far.handle.write([Buffer.from('unread')]);
      world.advance(0);
      near.handle.write([Buffer.from('reply')]);
      near.handle.close();
      world.advance(0);
      expect(far.heard.reports).to.deep.equal(['data reply', 'end']);
    });

    it('swallows what the peer goes on sending, up to 1 MiB, then resets', () => {
      far.handle.resumeReading();
      near.handle.close();
      expect(far.handle.write([bytes(1_000_000)])).to.be.false;
      world.advance(0);
      expect(far.heard.reports).to.deep.equal(['end', 'written']);
      far.handle.write([bytes(100_000)]);
      world.advance(0);
      expect(far.heard.reports).to.deep.equal(['end', 'written', 'failed ECONNRESET read']);
      expectNothingLeft();
    });

    it('waits 2 s for the peer; later data is answered by a reset', () => {
      far.handle.resumeReading();
      near.handle.close();
      world.advance(1.9);
      expect(world.census().streams).to.equal(2);
      world.advance(0.1);
      expect(world.census().streams).to.equal(1);
      expect(far.heard.reports).to.deep.equal(['end']);
      far.handle.write([Buffer.from('too late')]);
      world.advance(0);
      expect(far.heard.reports).to.deep.equal(['end', 'failed ECONNRESET read']);
      expectNothingLeft();
    });

    it('resets if what was written has not left within 2 s', () => {
      near.handle.write([bytes(70_000)]);
      near.handle.close();
      world.advance(2);
      far.handle.resumeReading();
      world.advance(0);
      expect(far.heard.reports).to.deep.equal(['data of 65536', 'failed ECONNRESET read']);
      expectNothingLeft();
    });

    it('takes the bounds that the world was given', () => {
      world = new World({ streamLimits: { windowBytes: 10, lingerSeconds: 5 } });
      host = world.addHost('one');
      [near, far] = join();
      expect(near.handle.write([bytes(11)])).to.be.false;
      far.handle.close();
      world.advance(0);
      near.handle.shutdown();
      far.handle.reset();
      world.advance(4);
      near.handle.close();
      world.advance(0);
      expectNothingLeft();
    });
  });

  describe('reset', () => {
    it('comes after the data that was sent before it', () => {
      far.handle.resumeReading();
      near.handle.write([Buffer.from('last words')]);
      near.handle.reset();
      near.handle.reset();
      world.advance(0);
      expect(far.heard.reports).to.deep.equal(['data last words', 'failed ECONNRESET read']);
      expect(near.heard.reports).to.deep.equal([]);
      expectNothingLeft();
    });

    it('drops what has not left', () => {
      near.handle.write([bytes(70_000)]);
      near.handle.reset();
      far.handle.resumeReading();
      world.advance(0);
      expect(far.heard.reports).to.deep.equal(['data of 65536', 'failed ECONNRESET read']);
    });

    it('waits its turn while reading is paused', () => {
      near.handle.write([Buffer.from('one')]);
      near.handle.reset();
      world.advance(0);
      expect(far.heard.reports).to.deep.equal([]);
      far.handle.resumeReading();
      world.advance(0);
      expect(far.heard.reports).to.deep.equal(['data one', 'failed ECONNRESET read']);
    });

    it('fails a write at once, even while reading is paused, and what was not read is dropped', () => {
      near.handle.write([Buffer.from('unread')]);
      near.handle.reset();
      world.advance(0);
      expect(far.handle.write([Buffer.from('x')])).to.be.false;
      expect(far.heard.reports).to.deep.equal([]);
      world.advance(0);
      expect(far.heard.reports).to.deep.equal(['failed ECONNRESET write']);
      expectNothingLeft();
    });

    it('fails a write that is waiting for the window', () => {
      far.handle.write([bytes(70_000)]);
      near.handle.reset();
      world.advance(0);
      expect(far.heard.reports).to.deep.equal(['failed ECONNRESET write']);
    });

    it('fails a shutdown', () => {
      near.handle.reset();
      world.advance(0);
      far.handle.shutdown();
      world.advance(0);
      expect(far.heard.reports).to.deep.equal(['failed ECONNRESET shutdown']);
    });

    it('is not heard by an end that has closed or was reset', () => {
      far.handle.resumeReading();
      far.handle.close();
      near.handle.reset();
      world.advance(0);
      expect(far.heard.reports).to.deep.equal([]);
      expectNothingLeft();
    });

    it('of an end nobody has opened leaves nothing', () => {
      const server = new RecordingListen();
      const client = new RecordingConnect();
      const listening = host.streams.listen({ kind: 'tcp', host: '::', port: 90, backlog: 1 }, server);
      host.streams.connect({ kind: 'tcp', host: '127.0.0.1', port: 90 }, client);
      world.advance(0);
      server.accepts[0]!.reset();
      client.handle!.close();
      near.handle.reset();
      far.handle.reset();
      listening.close();
      world.advance(0);
      expectNothingLeft();
    });
  });

  it('does nothing any more, whatever is asked of it, when it is over', () => {
    far.handle.resumeReading();
    near.handle.reset();
    world.advance(0);
    for (const { handle } of [near, far]) {
      expect(handle.write([Buffer.from('x')])).to.be.true;
      handle.shutdown();
      handle.resumeReading();
      handle.pauseReading();
      handle.close();
      handle.reset();
    }
    world.advance(10);
    expect(near.heard.reports).to.deep.equal([]);
    expect(far.heard.reports).to.deep.equal(['failed ECONNRESET read']);
  });

  it('may be written to, closed and reset from inside a report', () => {
    far.heard.inHook = (report) => {
      if (report === 'data ping') far.handle.write([Buffer.from('pong')]);
      else far.handle.close();
    };
    near.heard.inHook = () => near.handle.reset();
    far.handle.resumeReading();
    near.handle.resumeReading();
    near.handle.write([Buffer.from('ping')]);
    world.advance(0);
    expect(near.heard.reports).to.deep.equal(['data pong']);
    expect(far.heard.reports).to.deep.equal(['data ping', 'failed ECONNRESET read']);
    expectNothingLeft();
  });
});
