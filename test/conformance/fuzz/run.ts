import { ClientFactory, type Reactor } from 'ropewalk/core';
import type { Harness } from '../harness.ts';
import { listen } from '../support/connections.ts';
import type { End } from './end.ts';
import { PeerEnd } from './peer-end.ts';
import type { Call, Program, Reaction, Side, Step } from './program.ts';
import { ProtocolEnd, type Scene } from './protocol-end.ts';
import { Seam } from './seam.ts';

/** Ports are told which protocol to build, once. */
class OneProtocol extends ClientFactory {
  readonly #end: ProtocolEnd;
  hasFailed: boolean = false;

  constructor(end: ProtocolEnd) {
    super();
    this.#end = end;
  }

  override buildProtocol(): ProtocolEnd['protocol'] {
    return this.#end.protocol;
  }

  override clientConnectionFailed(): void {
    this.hasFailed = true;
  }
}

/** One program, run on a harness of its own. */
export class Run implements Scene {
  readonly inside: string[] = [];
  readonly log: string[] = [];
  readonly seam: Seam = new Seam();
  readonly tlsOptions: Scene['tlsOptions'];
  readonly near: ProtocolEnd;
  far: End;
  readonly #harness: Harness;
  readonly #program: Program;
  readonly #reactor: Reactor;
  readonly #farReactor: Reactor;

  private constructor(harness: Harness, program: Program, tlsOptions: Scene['tlsOptions']) {
    this.#harness = harness;
    this.#program = program;
    this.tlsOptions = tlsOptions;
    this.#reactor = harness.createReactor();
    this.#farReactor = program.oneReactor ? this.#reactor : harness.createReactor();
    this.near = this.#protocolEnd('near');
    this.far = this.#protocolEnd('far');
  }

  /** Connects, performs the steps, and lets both ends finish; what was seen is in the ends. */
  static async through(harness: Harness, program: Program, tlsOptions: Scene['tlsOptions']): Promise<Run> {
    const run = new Run(harness, program, tlsOptions);
    await run.#connect();
    for (const step of program.steps) await run.#perform(step);
    await run.#finish();
    return run;
  }

  react({ calls }: Reaction): void {
    for (const { side, call } of calls) this.#end(side).do(call);
  }

  requestTLS(end: ProtocolEnd, { initiatorServes, misleads }: Call & { readonly name: 'startTLS' }): void {
    const { near, far } = this;
    if (far instanceof ProtocolEnd) this.seam.request(end, end === near ? far : near, initiatorServes);
    else if (misleads) this.#mislead(end, initiatorServes);
  }

  #mislead(end: ProtocolEnd, isServer: boolean): void {
    if (this.far instanceof PeerEnd) this.far.plainBytesMax = Math.min(this.far.plainBytesMax, end.sentBytes);
    this.seam.mislead(end, isServer);
  }

  #end(side: Side): End {
    return side === 'near' ? this.near : this.far;
  }

  #protocolEnd(side: Side): ProtocolEnd {
    const { halfCloseable, reactions } = this.#program;
    return new ProtocolEnd(side, halfCloseable[side], reactions[side], this);
  }

  async #connect(): Promise<void> {
    for (const reactor of new Set([this.#reactor, this.#farReactor])) {
      void reactor.run({ installSignalHandlers: false });
    }
    const nearFactory = new OneProtocol(this.near);
    switch (this.#program.far) {
      case 'protocol':
        return this.#connectProtocols(nearFactory);
      case 'peer that dials': {
        const { destination } = await listen(this.#harness, this.#reactor, nearFactory);
        this.far = new PeerEnd(await this.#harness.dial(destination, { allowHalfOpen: true }));
        break;
      }
      case 'peer that serves': {
        const server = await this.#harness.serve({ allowHalfOpen: true });
        this.#harness.connect(this.#reactor, server.destination, nearFactory);
        this.far = new PeerEnd(await server.accept());
        break;
      }
    }
    await this.#harness.until(() => this.near.isMade, 'the protocol is connected');
  }

  /** The far end serves, and may give the connection up before the near end has it. */
  async #connectProtocols(nearFactory: OneProtocol): Promise<void> {
    const farEnd = this.#protocolEnd('far');
    this.far = farEnd;
    const { destination } = await listen(this.#harness, this.#farReactor, new OneProtocol(farEnd));
    this.#harness.connect(this.#reactor, destination, nearFactory);
    const isNearSettled = (): boolean => this.near.isMade || nearFactory.hasFailed;
    // With TLS the far end may never hear of a connection that the near one has given up at once.
    const isFarSettled = (): boolean => farEnd.isMade || this.near.isOver || nearFactory.hasFailed;
    await this.#harness.until(() => isNearSettled() && isFarSettled(), 'both ends are connected, or one has given up');
  }

  async #perform(step: Step): Promise<void> {
    switch (step.kind) {
      case 'call':
        this.react({ calls: [step.call], throws: false });
        return;
      case 'wait':
        await this.#harness.advance(0);
        return;
      case 'crash':
        this.#setRunning(false);
        return;
      case 'run':
        this.#setRunning(true);
    }
  }

  #setRunning(isRunning: boolean): void {
    if (this.near.isRunning === isRunning) return;
    this.log.push(isRunning ? 'run' : 'crash');
    this.near.isRunning = isRunning;
    if (this.#program.oneReactor && this.far instanceof ProtocolEnd) this.far.isRunning = isRunning;
    if (isRunning) void this.#reactor.run({ installSignalHandlers: false });
    else this.#reactor.crash();
  }

  /** Everything is read, both ends close their halves, and that ends the connection. */
  async #finish(): Promise<void> {
    this.log.push('finish');
    this.#setRunning(true);
    const ends = [this.near, this.far].filter((end) => !(end instanceof ProtocolEnd) || end.isMade);
    // With that, what both have agreed on goes its way; a hook may pause again.
    const settle = (): boolean => {
      for (const end of ends) if (!(end instanceof ProtocolEnd) || end.isPaused) end.do({ name: 'resumeProducing' });
      return this.seam.isSettled;
    };
    await this.#harness.until(settle, 'both have begun with TLS, or one has closed');
    for (const end of ends) end.finish();
    const hooks = (): string => `${this.near.hooks.join(' ')}\n${this.log.join('\n')}`;
    await this.#harness
      .until(() => ends.every((end) => end.isOver), 'both ends are over')
      .catch((error: unknown) => {
        throw new Error(`${String(error)}; the near end saw ${hooks()}`);
      });
  }
}
