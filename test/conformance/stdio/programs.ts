/** The programs of the suite about the standard input and output; `stdio-harness.ts` says who runs them. */
import { type Failure, Protocol, type Reactor, type Transport } from 'ropewalk/core';

/** Where a program runs. The reactor is run when it has returned. */
export interface StdioStage {
  readonly reactor: Reactor;
  /** Says something to the case, but not by the output. */
  tell(text: string): void;
}

/** More than is under way to a reader who does not read. */
export const BULK_BYTES = 1_000_000;

/** Long enough for everything to happen that is going to, where time is real. */
const A_WHILE_SECONDS = 0.1;

/** Tells what becomes of it, and stops the reactor in the end. */
class Telling extends Protocol {
  declare transport: Transport;
  protected readonly stage: StdioStage;

  constructor(stage: StdioStage) {
    super();
    this.stage = stage;
  }

  override connectionMade(): void {
    this.stage.tell('made');
  }

  override dataReceived(data: Buffer): void {
    this.stage.tell(`read ${data.toString().trimEnd()}`);
  }

  override connectionLost(reason: Failure): void {
    this.stage.tell(`lost ${reason.value.name}`);
    if (this.stage.reactor.running) this.stage.reactor.stop();
  }
}

/** One that goes on when the input has ended. */
class HalfTelling extends Telling {
  readConnectionLost(): void {
    this.stage.tell('end of input');
  }

  writeConnectionLost(): void {
    this.stage.tell('output ended');
  }
}

class Shouting extends Telling {
  override dataReceived(data: Buffer): void {
    this.transport.write(data.toString().toUpperCase());
  }
}

class SayingGoodbye extends HalfTelling {
  override readConnectionLost(): void {
    super.readConnectionLost();
    this.transport.write('goodbye');
    this.transport.loseConnection();
  }
}

class EndingOutput extends HalfTelling {
  override connectionMade(): void {
    this.transport.write('all I have to say');
    this.transport.loseWriteConnection();
  }
}

class Pausing extends Telling {
  override connectionMade(): void {
    this.transport.pauseProducing();
    this.stage.reactor.callLater(A_WHILE_SECONDS, () => {
      this.stage.tell('resumed');
      this.transport.resumeProducing();
    });
  }
}

class StoppingAtOnce extends Telling {
  override connectionMade(): void {
    this.transport.write('just written');
    this.stage.reactor.stop();
  }
}

class StoppingBehindOutput extends Telling {
  override connectionMade(): void {
    this.transport.write('x'.repeat(BULK_BYTES));
    this.stage.reactor.callLater(A_WHILE_SECONDS, () => {
      this.transport.write('behind it');
      this.stage.reactor.stop();
    });
  }
}

export const STDIO_PROGRAMS = {
  /** Sends back what it reads in capitals. */
  shout: (stage) => void stage.reactor.openStdio(new Shouting(stage)),
  /** Answers the end of the input. */
  goodbye: (stage) => void stage.reactor.openStdio(new SayingGoodbye(stage)),
  /** Ends its output first, and goes on reading. */
  endOutput: (stage) => void stage.reactor.openStdio(new EndingOutput(stage)),
  /** Does not read for a while. */
  pause: (stage) => void stage.reactor.openStdio(new Pausing(stage)),
  /** Writes something and stops the reactor in the same turn. */
  stopAtOnce: (stage) => void stage.reactor.openStdio(new StoppingAtOnce(stage)),
  /** Stops while much is under way, with more behind it. */
  stopBehindOutput: (stage) => void stage.reactor.openStdio(new StoppingBehindOutput(stage)),
  /** Writes much, and loses the connection before the reactor runs. */
  loseEarly: (stage) => {
    const transport = stage.reactor.openStdio(new Telling(stage));
    transport.write('x'.repeat(BULK_BYTES));
    transport.loseConnection();
    transport.write('too late');
    stage.tell('opened');
  },
  /** The same with an abort. */
  abortEarly: (stage) => {
    const transport = stage.reactor.openStdio(new Telling(stage));
    transport.write('never sent');
    transport.abortConnection();
    stage.tell('opened');
  },
  /** Ends its output before the reactor runs. */
  endOutputEarly: (stage) => {
    const transport = stage.reactor.openStdio(new HalfTelling(stage));
    transport.write('early');
    transport.loseWriteConnection();
    stage.tell('opened');
  },
  /** Opens them twice. */
  openTwice: (stage) => {
    stage.reactor.openStdio(new Shouting(stage));
    try {
      stage.reactor.openStdio(new Telling(stage));
    } catch (error) {
      stage.tell((error as Error).message);
    }
  },
  /** Tells what it has of them. */
  describe: (stage) => {
    const transport = stage.reactor.openStdio(new Telling(stage));
    stage.tell([transport.getHost(), transport.getPeer(), transport].map(String).join(', '));
    transport.loseConnection();
  },
} satisfies Record<string, (stage: StdioStage) => void>;

export type StdioProgramName = keyof typeof STDIO_PROGRAMS;
