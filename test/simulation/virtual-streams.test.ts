import { expect } from 'chai';
import { type VirtualHost, World } from 'ropewalk/simulation';
import { RecordingConnect, RecordingListen, RecordingStream } from './stream-recorders.ts';

describe('listening and connecting on the virtual network', () => {
  let world: World;
  let host: VirtualHost;

  beforeEach(() => {
    world = new World();
    host = world.addHost('one');
  });

  function listen(port: number, address = '0.0.0.0') {
    const listener = new RecordingListen();
    const handle = host.streams.listen({ kind: 'tcp', host: address, port, backlog: 50 }, listener);
    return { listener, handle };
  }

  function connect(address: string, port: number, local?: { host: string; port: number }) {
    const listener = new RecordingConnect();
    const handle = host.streams.connect({ kind: 'tcp', host: address, port, ...(local && { local }) }, listener);
    return { listener, handle };
  }

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

  describe('listen', () => {
    it('takes the address at once and reports later', () => {
      const { listener } = listen(80);
      const second = listen(80);
      expect(listener.reports).to.deep.equal([]);
      world.advance(0);
      expect(listener.reports).to.deep.equal(['listening']);
      expect(String(listener.address)).to.equal("IPv4Address(type='TCP', host='0.0.0.0', port=80)");
      expect(second.listener.reports).to.deep.equal(['listenFailed EADDRINUSE']);
    });

    it('chooses a port for port 0, one after another from 49152', () => {
      const listeners = [listen(0), listen(49_153), listen(0)];
      world.advance(0);
      expect(listeners.map(({ listener }) => listener.address?.toString().match(/port=(\d+)/)?.[1])).to.deep.equal([
        '49152',
        '49153',
        '49154',
      ]);
    });

    const conflicts: [string, string, boolean][] = [
      ['0.0.0.0', '127.0.0.1', true],
      ['127.0.0.1', '127.0.0.2', false],
      ['::', '127.0.0.1', true],
      ['::', '::1', true],
      ['0.0.0.0', '::1', false],
      ['::1', '0:0:0:0:0:0:0:1', true],
    ];
    for (const [first, second, conflict] of conflicts) {
      it(`${conflict ? 'refuses' : 'allows'} ${second} beside ${first} on one port`, () => {
        listen(80, first);
        const { listener } = listen(80, second);
        world.advance(0);
        expect(listener.reports).to.deep.equal([conflict ? 'listenFailed EADDRINUSE' : 'listening']);
      });
    }

    it('cannot listen at what is no address', () => {
      const { listener } = listen(80, 'nonsense');
      world.advance(0);
      expect(listener.reports).to.deep.equal(['listenFailed EADDRNOTAVAIL']);
    });

    it('reports closed once, later, and frees the address at once', () => {
      const { listener, handle } = listen(80);
      world.advance(0);
      handle.close();
      handle.close();
      const second = listen(80);
      expect(listener.reports).to.deep.equal(['listening']);
      world.advance(0);
      expect(listener.reports).to.deep.equal(['listening', 'closed']);
      expect(second.listener.reports).to.deep.equal(['listening']);
      second.handle.close();
      world.advance(0);
      expectNothingLeft();
    });

    it('reports only closed if it is closed before it has reported anything, even a failure', () => {
      const first = listen(80);
      const failing = listen(80);
      first.handle.close();
      failing.handle.close();
      world.advance(0);
      expect(first.listener.reports).to.deep.equal(['closed']);
      expect(failing.listener.reports).to.deep.equal(['closed']);
    });
  });

  describe('connect', () => {
    it('gives both sides their end, and each the address of the other', () => {
      const { listener: server } = listen(80);
      const { listener: client } = connect('127.0.0.1', 80);
      expect(client.handle).to.equal(undefined);
      world.advance(0);
      const [accepted] = server.accepts;
      expect(String(client.handle?.localAddress)).to.equal("IPv4Address(type='TCP', host='127.0.0.1', port=49152)");
      expect(String(client.handle?.remoteAddress)).to.equal("IPv4Address(type='TCP', host='127.0.0.1', port=80)");
      expect(accepted?.localAddress.equals(client.handle?.remoteAddress)).to.be.true;
      expect(accepted?.remoteAddress.equals(client.handle?.localAddress)).to.be.true;
      expect(world.census()).to.deep.equal({
        streams: 2,
        listeners: 1,
        attempts: 0,
        datagramSockets: 0,
        processes: 0,
        events: 0,
      });
    });

    it('reports listening before the first connection, whichever came first', () => {
      const attempt = connect('127.0.0.1', 80);
      const { listener } = listen(80);
      world.advance(0);
      expect(listener.reports).to.deep.equal(['listening', 'accepted']);
      expect(attempt.listener.handle).to.not.equal(undefined);
    });

    it('reaches listeners of all addresses, of both families where they take both', () => {
      listen(80, '::');
      listen(81, '0.0.0.0');
      const made = [connect('10.1.2.3', 80), connect('::1', 80), connect('192.0.2.1', 81), connect('0.0.0.0', 81)];
      const refused = [connect('::1', 81), connect('127.0.0.1', 82)];
      world.advance(0);
      expect(made.map(({ listener }) => listener.error)).to.deep.equal([undefined, undefined, undefined, undefined]);
      for (const { listener } of refused)
        expect(listener.error).to.include({ code: 'ECONNREFUSED', syscall: 'connect' });
      expect(String(made[1]?.listener.handle?.localAddress)).to.include("IPv6Address(type='TCP', host='::1'");
    });

    it('prefers the listener of just that address', () => {
      const precise = listen(80, '127.0.0.2');
      const other = listen(80, '127.0.0.1');
      connect('127.0.0.1', 80);
      world.advance(0);
      expect(precise.listener.accepts).to.have.length(0);
      expect(other.listener.accepts).to.have.length(1);
    });

    it('is refused when the listener has closed meanwhile', () => {
      const { handle } = listen(80);
      world.advance(0);
      const { listener } = connect('127.0.0.1', 80);
      handle.close();
      world.advance(0);
      expect(listener.error).to.include({ code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 127.0.0.1:80' });
      expectNothingLeft();
    });

    it('connects from the local address asked for', () => {
      listen(80);
      const { listener } = connect('127.0.0.1', 80, { host: '127.0.0.9', port: 5000 });
      world.advance(0);
      expect(String(listener.handle?.localAddress)).to.equal("IPv4Address(type='TCP', host='127.0.0.9', port=5000)");
    });

    const badLocals: [string, { host: string; port: number }, string][] = [
      ['a port that is listened on', { host: '127.0.0.1', port: 80 }, 'EADDRINUSE'],
      ['what is no address', { host: 'nonsense', port: 0 }, 'EADDRNOTAVAIL'],
      ['an address of the other family', { host: '::1', port: 0 }, 'EINVAL'],
    ];
    for (const [what, local, code] of badLocals) {
      it(`cannot connect from ${what}`, () => {
        listen(80);
        const { listener } = connect('127.0.0.1', 80, local);
        expect(listener.error).to.equal(undefined);
        world.advance(0);
        expect(listener.error).to.include({ code, syscall: 'bind' });
      });
    }

    it('frees a local port once the connection is gone', () => {
      const { listener: server } = listen(80);
      const local = { host: '127.0.0.1', port: 5000 };
      const first = connect('127.0.0.1', 80, local);
      const tooEarly = connect('127.0.0.1', 80, local);
      world.advance(0);
      expect(tooEarly.listener.error).to.include({ code: 'EADDRINUSE' });
      first.listener.handle?.reset();
      for (const handle of server.accepts) handle.reset();
      const again = connect('127.0.0.1', 80, local);
      world.advance(0);
      expect(again.listener.handle).to.not.equal(undefined);
    });

    it('says when no port is left, and works again when one is', () => {
      listen(80);
      const attempts = Array.from({ length: 16_385 }, () => connect('127.0.0.1', 80));
      world.advance(0);
      expect(attempts[16_384]?.listener.error).to.include({ code: 'EADDRNOTAVAIL', syscall: 'connect' });
      attempts[5]?.listener.handle?.reset();
      const again = connect('127.0.0.1', 80);
      world.advance(0);
      expect(String(again.listener.handle?.localAddress)).to.include('port=49157');
    });

    it('leaves nothing behind when it is cancelled, at whatever moment', () => {
      const { listener: server, handle } = listen(80);
      connect('127.0.0.1', 80).handle.cancel();
      connect('127.0.0.1', 81).handle.cancel();
      world.advance(0);
      expect(server.reports).to.deep.equal(['listening']);

      // Between the acceptance and the answer.
      const attempt = connect('127.0.0.1', 80);
      const steps = world.advanceInSteps(0);
      while (server.accepts.length === 0) steps.next();
      attempt.handle.cancel();
      attempt.handle.cancel();
      while (steps.next().done !== true);
      expect(attempt.listener).to.include({ handle: undefined, error: undefined });
      const far = new RecordingStream();
      server.accepts[0]?.open(far);
      server.accepts[0]?.resumeReading();
      world.advance(0);
      expect(far.reports).to.deep.equal(['failed ECONNRESET read']);

      handle.close();
      world.advance(0);
      expectNothingLeft();
    });

    it('opens and closes 10,000 connections and leaves nothing behind', () => {
      const { listener: server, handle } = listen(80);
      for (let round = 0; round < 10; round += 1) {
        const attempts = Array.from({ length: 1000 }, () => connect('127.0.0.1', 80));
        world.advance(0);
        for (const { listener } of attempts) listener.handle?.close();
        for (const accepted of server.accepts.splice(0)) accepted.close();
        world.advance(0);
      }
      handle.close();
      world.advance(0);
      expect(server.reports.filter((report) => report === 'accepted')).to.have.length(10_000);
      expectNothingLeft();
    });
  });

  describe('a listener that does not accept', () => {
    it('refuses', () => {
      const target = { kind: 'tcp', host: '::', port: 80, backlog: 1 } as const;
      host.virtualStreams.listen(target, new RecordingListen(), { answer: 'refuse' });
      const { listener } = connect('127.0.0.1', 80);
      world.advance(0);
      expect(listener.error).to.include({ code: 'ECONNREFUSED' });
    });

    it('ignores, until the system of the caller gives up after 127 s', () => {
      const target = { kind: 'tcp', host: '::', port: 80, backlog: 1 } as const;
      host.virtualStreams.listen(target, new RecordingListen(), { answer: 'ignore' });
      const { listener } = connect('127.0.0.1', 80);
      const cancelled = connect('127.0.0.1', 80);
      world.advance(126);
      expect(listener.error).to.equal(undefined);
      cancelled.handle.cancel();
      world.advance(1);
      expect(listener.error).to.include({ code: 'ETIMEDOUT' });
      expect(cancelled.listener.error).to.equal(undefined);
      expect(world.census()).to.include({ attempts: 0, datagramSockets: 0, events: 0 });
    });
  });

  describe('paths', () => {
    for (const [what, longest] of [
      ['a path', `/${'x'.repeat(104)}ö`],
      ['an abstract name, without its NUL', `\0${'x'.repeat(105)}ö`],
    ] as const) {
      it(`have room for 107 bytes, and no more: ${what}`, () => {
        const [fitting, tooLong] = [new RecordingListen(), new RecordingListen()];
        host.streams.listen({ kind: 'unix', path: longest, backlog: 5 }, fitting);
        host.streams.listen({ kind: 'unix', path: `${longest}x`, backlog: 5 }, tooLong);
        const [client, failing] = [new RecordingConnect(), new RecordingConnect()];
        world.advance(0);
        host.streams.connect({ kind: 'unix', path: longest }, client);
        host.streams.connect({ kind: 'unix', path: `${longest}x` }, failing);
        world.advance(0);
        expect(fitting.reports).to.deep.equal(['listening', 'accepted']);
        expect(tooLong.reports).to.deep.equal(['listenFailed ENAMETOOLONG']);
        expect(client.handle?.remoteAddress).to.have.property('name', longest);
        expect(failing.error).to.include({ code: 'ENAMETOOLONG', syscall: 'connect' });
      });
    }

    it('join ends as ports do', () => {
      const server = new RecordingListen();
      const listening = host.streams.listen({ kind: 'unix', path: '/run/x', backlog: 5 }, server);
      const client = new RecordingConnect();
      host.streams.connect({ kind: 'unix', path: '/run/x' }, client);
      world.advance(0);
      expect(String(server.address)).to.equal("UNIXAddress('/run/x')");
      expect(String(client.handle?.localAddress)).to.equal('UNIXAddress()');
      expect(String(client.handle?.remoteAddress)).to.equal("UNIXAddress('/run/x')");

      // There is no reset on them: the other side sees an end.
      const far = new RecordingStream();
      server.accepts[0]?.open(far);
      server.accepts[0]?.resumeReading();
      client.handle?.reset();
      world.advance(0);
      expect(far.reports).to.deep.equal(['end']);
      server.accepts[0]?.close();
      listening.close();
      world.advance(0);
      expectNothingLeft();
    });

    it('are taken, or not there', () => {
      const target = { kind: 'unix', path: '/run/x', backlog: 5 } as const;
      host.streams.listen(target, new RecordingListen());
      const second = new RecordingListen();
      host.streams.listen(target, second);
      const client = new RecordingConnect();
      host.streams.connect({ kind: 'unix', path: '/run/y' }, client);
      world.advance(0);
      expect(second.reports).to.deep.equal(['listenFailed EADDRINUSE']);
      expect(client.error).to.include({ code: 'ENOENT', syscall: 'connect' });
    });

    it('refuse as a stale socket does', () => {
      const target = { kind: 'unix', path: '/run/x', backlog: 5 } as const;
      host.virtualStreams.listen(target, new RecordingListen(), { answer: 'refuse' });
      const client = new RecordingConnect();
      host.streams.connect(target, client);
      world.advance(0);
      expect(client.error).to.include({ code: 'ECONNREFUSED', syscall: 'connect' });
    });
  });
});
