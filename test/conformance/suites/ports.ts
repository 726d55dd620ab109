/** Ports that listen, whatever kind of streams they accept. */
import { expect } from 'chai';
import { BindError, CannotListenError, NotListeningError } from 'ropewalk/core';
import type { Harness, Peer } from '../harness.ts';
import { listen, nthProtocol, serve, settled, startReactor, takeErrors } from '../support/connections.ts';
import { failureToListen } from '../support/listening.ts';
import { RecordingFactory } from '../support/recording-factory.ts';

const STARTED = ['doStart', 'startFactory'];

export function describePorts(harness: () => Harness): void {
  describe('ports', () => {
    describeListening(harness);
    describeFailing(harness);
    describeStopping(harness);
    describeFactories(harness);
    describeAccepting(harness);
  });
}

function describeListening(harness: () => Harness): void {
  describe('to listen', () => {
    it('binds without run(), and gives the address to those who ask afterwards', async () => {
      const reactor = harness().createReactor();
      const port = harness().listen(reactor, new RecordingFactory());
      expect(() => port.getHost()).to.throw(NotListeningError, 'binding');
      expect(await settled(harness(), port.whenListening(), 'the port is bound')).to.equal(port);
      expect(port.getHost().equals(port.getHost())).to.equal(true);
    });

    it('never tells from inside the call', async () => {
      const reactor = startReactor(harness());
      const port = harness().listen(reactor, new RecordingFactory());
      let isBound = false;
      port.whenListening().addCallback(() => (isBound = true));
      expect(isBound).to.equal(false);
      await harness().until(() => isBound, 'the port is bound');
    });

    it('gives all who ask a Deferred of their own', async () => {
      const reactor = startReactor(harness());
      const port = harness().listen(reactor, new RecordingFactory());
      const [one, other] = [port.whenListening(), port.whenListening()];
      expect(one).not.to.equal(other);
      await settled(harness(), one, 'the port is bound');
      await settled(harness(), other, 'the port is bound');
      await settled(harness(), port.whenListening(), 'the port is bound');
    });
  });
}

function describeFailing(harness: () => Harness): void {
  describe('one that cannot listen', () => {
    it('fails with CannotListenError, which has the cause', async () => {
      const reactor = startReactor(harness());
      const { destination: taken } = await listen(harness(), reactor, new RecordingFactory());
      const factory = new RecordingFactory();
      const port = harness().listen(reactor, factory, { destination: taken });
      const error = await failureToListen(harness(), port);
      expect(error).to.be.instanceOf(BindError);
      expect(error.socketError).to.equal(error.cause);
      expect(error).to.have.nested.property('cause.code', 'EADDRINUSE');
      expect(factory.calls).to.deep.equal([...STARTED, 'doStop', 'stopFactory']);
      expect(() => port.getHost()).to.throw(NotListeningError);
    });

    it('says so again to those who ask later', async () => {
      const reactor = startReactor(harness());
      const { destination: taken } = await listen(harness(), reactor, new RecordingFactory());
      const port = harness().listen(reactor, new RecordingFactory(), { destination: taken });
      const error = await failureToListen(harness(), port);
      expect(await failureToListen(harness(), port)).to.equal(error);
    });

    it('is reported if nobody has asked', async () => {
      const reactor = harness().createReactor();
      const { destination: taken } = await listen(harness(), reactor, new RecordingFactory());
      const factory = new RecordingFactory();
      harness().listen(reactor, factory, { destination: taken });
      await harness().until(() => harness().errors.length > 0, 'the error has been reported');
      expect(factory.calls).to.deep.equal([...STARTED, 'doStop', 'stopFactory']);
      expect(takeErrors(harness())).to.have.length(1).and.property('0').instanceOf(CannotListenError);
    });

    it('fails only those who asked before it failed, and not who asks for the next attempt when it does', async () => {
      const reactor = startReactor(harness());
      const { destination: taken } = await listen(harness(), reactor, new RecordingFactory());
      const errors: Error[] = [];
      const ask = (): void => {
        port.whenListening().addErrback(({ value }) => void errors.push(value));
      };
      const factory = new (class extends RecordingFactory {
        override doStop(): void {
          super.doStop();
          if (this.calls.filter((call) => call === 'doStop').length > 1) return;
          port.startListening();
          ask();
        }
      })();
      const port = harness().listen(reactor, factory, { destination: taken });
      ask();
      await harness().until(() => errors.length === 2, 'both attempts have failed');
      expect(errors[0]).to.be.instanceOf(CannotListenError);
      expect(errors[1]).to.be.instanceOf(CannotListenError).and.not.equal(errors[0]);
    });

    it('may be told to listen again when the address is free', async () => {
      const reactor = startReactor(harness());
      const { destination: taken, listeningPort } = await listen(harness(), reactor, new RecordingFactory());
      const port = harness().listen(reactor, new RecordingFactory(), { destination: taken });
      await failureToListen(harness(), port);
      await settled(harness(), port.stopListening(), 'a port that does not listen is closed at once');
      await settled(harness(), listeningPort.stopListening(), 'the first port is closed');
      port.startListening();
      await settled(harness(), port.whenListening(), 'the port is bound');
      expect(port.getHost().equals(taken)).to.equal(true);
    });
  });
}

function describeStopping(harness: () => Harness): void {
  describe('stopListening', () => {
    it('fires in a later turn, without waiting for connections, which live on [50]', async () => {
      const { reactor, factory, listeningPort, destination, protocol, peer } = await serve(harness(), {
        dataReceived: (self, data) => void self.transport.write(data),
      });
      let isClosed = false;
      listeningPort.stopListening().addCallback(() => (isClosed = true));
      expect(isClosed).to.equal(false);
      expect(() => listeningPort.getHost()).to.throw(NotListeningError, 'closing');
      await harness().until(() => isClosed, 'the port is closed');
      expect(factory.calls.slice(-2)).to.deep.equal(['doStop', 'stopFactory']);
      expect(reactor.inspect().ports).to.deep.equal([]);
      peer.send('still there?');
      await harness().until(() => peer.text() === 'still there?', 'the connection answers');
      expect(protocol.isLost).to.equal(false);
      let refusal: unknown;
      await harness()
        .dial(destination)
        .catch((error: unknown) => (refusal = error));
      expect(refusal).to.be.instanceOf(Error);
    });

    it('may be called again, while the port closes and after it', async () => {
      const reactor = startReactor(harness());
      const { listeningPort } = await listen(harness(), reactor, new RecordingFactory());
      const [one, other] = [listeningPort.stopListening(), listeningPort.stopListening()];
      await settled(harness(), one, 'the port is closed');
      await settled(harness(), other, 'the port is closed');
      await settled(harness(), listeningPort.stopListening(), 'the port is closed');
      await listeningPort[Symbol.asyncDispose]();
    });

    it('works without run()', async () => {
      const reactor = harness().createReactor();
      const factory = new RecordingFactory();
      const { listeningPort } = await listen(harness(), reactor, factory);
      await settled(harness(), listeningPort.stopListening(), 'the port is closed');
      expect(factory.numPorts).to.equal(0);
    });

    it('while the port binds fails those who wait for it', async () => {
      for (const reactor of [harness().createReactor(), startReactor(harness())]) {
        const port = harness().listen(reactor, new RecordingFactory());
        const failed = failureToListen(harness(), port);
        await settled(harness(), port.stopListening(), 'the port is closed');
        expect((await failed).message).to.contain('stopListening');
        expect(reactor.inspect().ports).to.deep.equal([]);
      }
    });

    it('fails whenListening from then on, until startListening binds again', async () => {
      const reactor = startReactor(harness());
      const factory = new RecordingFactory();
      const { listeningPort } = await listen(harness(), reactor, factory);
      const closed = listeningPort.stopListening();
      await failureToListen(harness(), listeningPort);
      expect(() => listeningPort.startListening()).to.throw(CannotListenError, 'closing');
      await settled(harness(), closed, 'the port is closed');
      await failureToListen(harness(), listeningPort);

      listeningPort.startListening();
      expect(() => listeningPort.startListening()).to.throw(CannotListenError, 'binding');
      await settled(harness(), listeningPort.whenListening(), 'the port is bound again');
      expect(() => listeningPort.startListening()).to.throw(CannotListenError, 'listening');
      await harness().dial(listeningPort.getHost());
      await nthProtocol(harness(), factory, 0);
      expect(factory.calls.filter((call) => call === 'startFactory')).to.have.length(2);
    });

    it('frees the address when it has fired', async () => {
      const reactor = startReactor(harness());
      const { listeningPort, destination } = await listen(harness(), reactor, new RecordingFactory());
      await settled(harness(), listeningPort.stopListening(), 'the port is closed');
      const again = harness().listen(reactor, new RecordingFactory(), { destination });
      await settled(harness(), again.whenListening(), 'the port is bound');
    });
  });
}

function describeFactories(harness: () => Harness): void {
  describe('a factory', () => {
    it('is started by its first port, inside the call, and stopped by its last [51]', async () => {
      const reactor = startReactor(harness());
      const factory = new RecordingFactory();
      const one = harness().listen(reactor, factory);
      expect(factory.calls).to.deep.equal(['doStart', 'startFactory']);
      const other = harness().listen(reactor, factory);
      expect(factory.calls).to.deep.equal(['doStart', 'startFactory', 'doStart']);
      expect(factory.numPorts).to.equal(2);
      await settled(harness(), one.stopListening(), 'one port is closed');
      expect(factory.calls.slice(3)).to.deep.equal(['doStop']);
      await settled(harness(), other.stopListening(), 'the other port is closed');
      expect(factory.calls.slice(3)).to.deep.equal(['doStop', 'doStop', 'stopFactory']);
      factory.doStop();
      expect(factory.numPorts).to.equal(0);
      expect(factory.calls.filter((call) => call === 'stopFactory')).to.have.length(1);
    });

    it('is asked for a protocol with the address of the peer', async () => {
      const { factory, peer, protocol } = await serve(harness());
      expect(factory.addresses).to.have.length(1);
      expect(factory.addresses[0]?.equals(peer.getHost())).to.equal(true);
      expect(protocol.transport.getPeer().equals(peer.getHost())).to.equal(true);
      expect(protocol.transport.getHost().equals(peer.getPeer())).to.equal(true);
    });

    it('may serve several ports', async () => {
      const reactor = startReactor(harness());
      const factory = new RecordingFactory();
      const ports = [await listen(harness(), reactor, factory), await listen(harness(), reactor, factory)];
      for (const [index, { destination }] of ports.entries()) {
        await harness().dial(destination);
        const protocol = await nthProtocol(harness(), factory, index);
        expect(protocol.transport.getHost().equals(destination)).to.equal(true);
      }
    });
  });
}

function describeAccepting(harness: () => Harness): void {
  describe('connections', () => {
    it('that come before run() are held, unread, and served in order', async () => {
      const reactor = harness().createReactor();
      const factory = new RecordingFactory();
      const { destination } = await listen(harness(), reactor, factory);
      const peers: Peer[] = [];
      for (const name of ['first', 'second', 'third']) {
        const peer = await harness().dial(destination);
        peer.send(name);
        peers.push(peer);
      }
      await harness().advance(0.005);
      expect(factory.calls).to.deep.equal(['doStart', 'startFactory']);
      void reactor.run({ installSignalHandlers: false });
      await harness().until(() => factory.protocols.length === 3, 'all are served');
      for (const [index, peer] of peers.entries()) {
        expect(factory.addresses[index]?.equals(peer.getHost())).to.equal(true);
      }
      await harness().until(() => factory.protocols.every((protocol) => protocol.text !== ''), 'all have been read');
      expect(factory.protocols.map((protocol) => protocol.text)).to.deep.equal(['first', 'second', 'third']);
    });

    it('that come before run() are closed beyond the backlog', async () => {
      const reactor = harness().createReactor();
      const factory = new RecordingFactory();
      const { destination } = await listen(harness(), reactor, factory, { backlog: 2 });
      const peers: Peer[] = [];
      for (let count = 0; count < 4; count += 1) {
        peers.push(await harness().dial(destination));
        // Accepted one by one, so that it is the reactor's limit that counts and not the system's queue.
        await harness().advance(0.002);
      }
      await harness().until(() => peers.slice(2).every((peer) => peer.closed), 'the last two are closed');
      expect(peers.slice(0, 2).map((peer) => peer.closed)).to.deep.equal([false, false]);
      void reactor.run({ installSignalHandlers: false });
      await nthProtocol(harness(), factory, 1);
      expect(factory.protocols).to.have.length(2);
      // Their places are free again, for those who come while the reactor is not running once more.
      reactor.crash();
      await harness().dial(destination);
      await harness().advance(0.002);
      expect(factory.protocols).to.have.length(2);
      void reactor.run({ installSignalHandlers: false });
      await nthProtocol(harness(), factory, 2);
    });

    it('may come by the hundred at once [59]', async () => {
      const reactor = startReactor(harness());
      const factory = new RecordingFactory();
      // The default backlog is 50; a system drops what asks for more before the reactor has had a turn.
      const { destination } = await listen(harness(), reactor, factory, { backlog: 200 });
      const peers = await Promise.all(Array.from({ length: 120 }, () => harness().dial(destination)));
      await harness().until(() => factory.protocols.length === peers.length, 'all have been served');
      for (const peer of peers) peer.end();
      await harness().until(() => factory.lostCount === peers.length, 'all have been lost');
      expect(reactor.inspect().connections).to.deep.equal([]);
    });
  });
}
