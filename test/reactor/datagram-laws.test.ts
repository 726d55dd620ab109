/**
 * Random programs of datagram ports: whatever is called and arrives in whatever order, also from inside hooks and while the
 * reactor does not run, the laws hold.
 */
import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { DatagramProtocol, type IPv4Address, type IPv6Address, RopewalkError, type UDPPort } from 'ropewalk/core';
import { type ScriptedDatagramPeer, TestReactor } from 'ropewalk/testing';

/** Where the ports are: some at IPv4, one at both families, one at IPv6. */
const HOSTS = ['', '', '', '::', '::1'];
const PORTS = HOSTS.length;
const FIRST_PORT = 5000;
/** Of the family that a port is in groups of. */
const groupOf = (port: number): string => (port < 3 ? '239.1.2.3' : 'ff02::7171');
/** Senders are numbered: the ports, and the peer after them. */
const PEER = PORTS;

/** Whether a sender has a family. The peer, and the port that nobody is at, are of IPv4. */
const hasIPv6 = (sender: number): boolean => HOSTS[sender]?.includes(':') === true;
const hasIPv4 = (sender: number): boolean => HOSTS[sender] !== '::1';

/** The host by which one is reached from the other: by IPv6 if both have it. */
const hostFor = (from: number, destination: number): string =>
  hasIPv6(destination) && (hasIPv6(from) || !hasIPv4(destination)) ? '::1' : '127.0.0.1';

/** Whether there is a way. */
const isReachable = (from: number, destination: number): boolean =>
  (hasIPv4(from) && hasIPv4(destination)) || (hasIPv6(from) && hasIPv6(destination));

type Action =
  | { readonly name: 'write'; readonly at: number; readonly to: number; readonly bytes: number }
  | { readonly name: 'peerSends'; readonly to: number; readonly bytes: number }
  | { readonly name: 'stop' | 'start' | 'join' | 'leave' | 'set'; readonly at: number }
  | { readonly name: 'connect'; readonly at: number; readonly to: number }
  | { readonly name: 'advance' | 'crash' | 'run' | 'stopRun' };

/** What a hook does when it is called for the n-th time. */
type Reaction = 'nothing' | 'throw' | 'reject' | Action;

interface Program {
  readonly actions: readonly Action[];
  readonly reactions: readonly Reaction[];
  readonly backlog: number;
}

const at = fc.nat(PORTS - 1);
/** The last is one that nobody is at. */
const to = fc.nat(PORTS + 1);
/** What is sent tells who sent it and its number, so it has 8 bytes at least. */
const bytes = fc.oneof(fc.integer({ min: 8, max: 40 }), fc.constantFrom(1500, 9000));

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ name: fc.constant('write'), at, to, bytes }) },
  { weight: 4, arbitrary: fc.record({ name: fc.constant('peerSends'), to: at, bytes }) },
  { weight: 4, arbitrary: fc.record({ name: fc.constantFrom('stop', 'start', 'start', 'join', 'leave', 'set'), at }) },
  { weight: 1, arbitrary: fc.record({ name: fc.constant('connect'), at, to }) },
  {
    weight: 5,
    arbitrary: fc.record({ name: fc.constantFrom('advance', 'advance', 'advance', 'crash', 'stopRun', 'run', 'run') }),
  },
);

const programs: fc.Arbitrary<Program> = fc.record({
  actions: fc.array(action, { minLength: 5, maxLength: 60 }),
  reactions: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom<Reaction>('nothing', 'throw', 'reject') },
      { weight: 2, arbitrary: action },
    ),
    { maxLength: 30 },
  ),
  backlog: fc.constantFrom(1, 3, 256),
});

interface Received {
  readonly sender: number;
  readonly number: number;
}

class Witness extends DatagramProtocol {
  readonly calls: ('start' | 'datagram' | 'refused' | 'stop')[] = [];
  readonly received: Received[] = [];
  readonly problems: string[] = [];
  readonly #react: () => void | Promise<void>;
  #isInside = false;

  constructor(react: () => void | Promise<void>) {
    super();
    this.#react = react;
  }

  override startProtocol(): void | Promise<void> {
    return this.#called('start');
  }

  override stopProtocol(): void | Promise<void> {
    if ('transport' in this) this.problems.push('the transport is there in stopProtocol');
    return this.#called('stop');
  }

  override connectionRefused(): void | Promise<void> {
    return this.#called('refused');
  }

  override datagramReceived(data: Buffer, address: IPv4Address | IPv6Address): void | Promise<void> {
    const sender = data.readUInt16BE(0);
    this.received.push({ sender, number: data.readUInt32BE(4) });
    if (data.length !== data.readUInt16BE(2)) this.problems.push(`a part of a datagram: ${data.length} bytes`);
    if (data.subarray(8).some((byte) => byte !== (data[7] ?? 0))) this.problems.push('another content');
    if (sender !== PEER && address.port !== FIRST_PORT + sender) this.problems.push(`wrong address ${String(address)}`);
    return this.#called('datagram');
  }

  #called(what: Witness['calls'][number]): void | Promise<void> {
    if (this.#isInside) this.problems.push(`${what} inside another hook`);
    this.calls.push(what);
    this.#isInside = true;
    try {
      return this.#react();
    } finally {
      this.#isInside = false;
    }
  }
}

/** Runs one program. */
class Run {
  readonly reactor = new TestReactor({ running: false });
  readonly peer: ScriptedDatagramPeer = this.reactor.datagramPeer({ port: 6000 });
  readonly witnesses: readonly Witness[];
  readonly ports: readonly UDPPort[];
  thrownCount = 0;
  readonly #reactions: Reaction[];
  readonly #sentCounts = new Map<number, number>();

  constructor({ reactions, backlog }: Program) {
    this.#reactions = [...reactions];
    this.witnesses = Array.from({ length: PORTS }, () => new Witness(() => this.#react()));
    this.ports = this.witnesses.map((witness, index) =>
      this.reactor.listenMulticast(FIRST_PORT + index, witness, { backlog, interface: HOSTS[index] ?? '' }),
    );
  }

  do(next: Action): void {
    switch (next.name) {
      case 'write':
        this.#attempt(() =>
          this.ports[next.at]!.write(this.#datagram(next.at, next.bytes), this.#address(next.at, next.to)),
        );
        return;
      case 'peerSends':
        this.peer.send(this.#datagram(PEER, next.bytes), FIRST_PORT + next.to);
        return;
      case 'stop':
        this.ports[next.at]!.stopListening();
        return;
      case 'start':
        this.#attempt(() => this.ports[next.at]!.startListening());
        return;
      case 'join':
        this.#attempt(() => void this.ports[next.at]!.joinGroup(groupOf(next.at)).addErrback(() => undefined));
        return;
      case 'leave':
        this.#attempt(() => void this.ports[next.at]!.leaveGroup(groupOf(next.at)).addErrback(() => undefined));
        return;
      case 'set':
        this.#attempt(() => this.ports[next.at]!.setTTL(3));
        return;
      case 'connect':
        this.#attempt(() => {
          const { host, port } = this.#address(next.at, next.to);
          this.ports[next.at]!.connect(host, port);
        });
        return;
      case 'advance':
        this.#attempt(() => this.reactor.advance(0), /was called while the clock was advancing/);
        return;
      case 'crash':
        this.#attempt(() => this.reactor.crash());
        return;
      case 'stopRun':
        this.#attempt(() => this.reactor.stop());
        return;
      case 'run':
        this.#attempt(() => void this.reactor.run());
    }
  }

  /** Ends everything, on a reactor that runs: what it was about to do when it was left is done then. */
  end(): void {
    this.reactor.advance(0);
    this.#reactions.length = 0;
    this.do({ name: 'run' });
    for (const port of this.ports) port.stopListening();
    this.reactor.advance(0);
    this.peer.close();
    this.reactor.advance(0);
  }

  /** Calls may be refused with an error of ours, never with another. */
  #attempt(call: () => void, other?: RegExp): void {
    try {
      call();
    } catch (error) {
      const isExpected = error instanceof RopewalkError || (error instanceof Error && other?.test(error.message));
      if (isExpected !== true) throw error;
    }
  }

  #react(): void | Promise<void> {
    const reaction = this.#reactions.shift() ?? 'nothing';
    switch (reaction) {
      case 'nothing':
        return undefined;
      case 'throw':
        this.thrownCount += 1;
        throw new Error('a bug');
      case 'reject':
        return Promise.reject(new Error('an async bug'));
      default:
        this.do(reaction);
        return undefined;
    }
  }

  #address(from: number, to: number): { readonly host: string; readonly port: number } {
    const port = to === PEER ? 6000 : to < PORTS ? FIRST_PORT + to : 7000;
    return { host: hostFor(from, to), port };
  }

  #datagram(sender: number, length: number): Buffer {
    const number = (this.#sentCounts.get(sender) ?? 0) + 1;
    this.#sentCounts.set(sender, number);
    const data = Buffer.alloc(length, number % 256);
    data.writeUInt16BE(sender, 0);
    data.writeUInt16BE(length, 2);
    data.writeUInt32BE(number, 4);
    return data;
  }
}

/** Started first and once, stopped last and once, and so again if the port is started again. */
function expectOrderOfCalls(calls: Witness['calls']): void {
  let isStarted = false;
  for (const call of calls) {
    expect(isStarted, calls.join(' ')).to.equal(call !== 'start');
    if (call === 'start' || call === 'stop') isStarted = call === 'start';
  }
  expect(isStarted, calls.join(' ')).to.equal(false);
}

function expectOrderOfSenders(received: readonly Received[]): void {
  const last = new Map<number, number>();
  for (const { sender, number } of received) {
    expect(number, `from ${sender}`).to.be.greaterThan(last.get(sender) ?? 0);
    last.set(sender, number);
  }
}

function runToItsEnd(program: Program): Run {
  const run = new Run(program);
  for (const next of program.actions) run.do(next);
  run.end();
  return run;
}

describe('Any program of datagram ports', function () {
  this.timeout(20_000);

  it('keeps the laws', () => {
    fc.assert(
      fc.property(programs, (program) => {
        const run = runToItsEnd(program);
        for (const { calls, received, problems } of run.witnesses) {
          expect(problems).to.deep.equal([]);
          expectOrderOfCalls(calls);
          expectOrderOfSenders(received);
        }
        const messages = run.reactor.flushErrors().map((failure) => failure.getErrorMessage());
        expect(messages.filter((message) => message === 'a bug')).to.have.length(run.thrownCount);
        expect(messages.filter((message) => message !== 'a bug')).to.deep.equal([]);
        run.reactor.assertClean();
      }),
      { numRuns: 400 },
    );
  });

  it('does the same each time', () => {
    fc.assert(
      fc.property(programs, (program) => {
        const [one, other] = [runToItsEnd(program), runToItsEnd(program)];
        for (const [index, { calls, received }] of one.witnesses.entries()) {
          expect(other.witnesses[index]).to.deep.include({ calls, received });
        }
        expect(other.peer.received.map(({ data }) => data)).to.deep.equal(one.peer.received.map(({ data }) => data));
      }),
      { numRuns: 100 },
    );
  });

  it('loses nothing on a perfect link between ports that are open and a reactor that runs', () => {
    const sending = fc.array(
      action.filter(({ name }) => name === 'write' || name === 'peerSends' || name === 'advance'),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(sending, (actions) => {
        const run = new Run({ actions, reactions: [], backlog: 256 });
        run.do({ name: 'run' });
        const sent = new Map<string, number>();
        for (const next of actions) {
          run.do(next);
          if (next.name !== 'write' && next.name !== 'peerSends') continue;
          if (!isReachable(next.name === 'write' ? next.at : PEER, next.to)) continue;
          const pair = `${next.name === 'write' ? next.at : PEER} to ${next.to}`;
          sent.set(pair, (sent.get(pair) ?? 0) + 1);
        }
        run.reactor.advance(0);
        for (const [index, { received }] of run.witnesses.entries()) {
          for (let sender = 0; sender <= PEER; sender += 1) {
            const count = received.filter((datagram) => datagram.sender === sender).length;
            expect(count, `${sender} to ${index}`).to.equal(sent.get(`${sender} to ${index}`) ?? 0);
          }
        }
        run.end();
      }),
      { numRuns: 200 },
    );
  });
});
