import { expect } from 'chai';
import { TurnLimitError } from 'ropewalk';
import { World } from 'ropewalk/simulation';

describe('World', () => {
  let world: World;
  let log: string[];

  beforeEach(() => {
    world = new World({ maxTurnsPerInstant: 100 });
    log = [];
  });

  const note = (text: string) => (): void => {
    log.push(`${text} at ${String(world.now())}`);
  };

  it('begins at 0 and stands still until it is advanced', () => {
    expect(world.now()).to.equal(0);
    world.advance(2.5);
    expect(world.now()).to.equal(2.5);
  });

  it('steps to each time at which something is due', () => {
    world.schedule(2, note('b'));
    world.schedule(1, () => {
      note('a')();
      world.schedule(1.5, note('a2'));
    });
    world.schedule(4, note('c'));
    world.advance(3);
    expect(log).to.deep.equal(['a at 1', 'a2 at 1.5', 'b at 2']);
    expect(world.now()).to.equal(3);
  });

  it('does at once what is scheduled for a time that has passed', () => {
    world.advance(5);
    world.schedule(1, note('late'));
    world.advance(0);
    expect(log).to.deep.equal(['late at 5']);
  });

  it('lets turns and deliveries alternate', () => {
    const { clock } = world.addHost('one');
    clock.attach(() => {
      note('turn')();
      world.schedule(0, () => {
        note('delivery')();
        if (log.length < 6) clock.wakeAt(0);
        // Scheduled in a delivery phase: waits for the next, after the turn.
        world.schedule(0, note('answer'));
      });
    });
    clock.wakeAt(0);
    world.advance(0);
    expect(log.map((line) => line.split(' ')[0])).to.deep.equal([
      'turn',
      'delivery',
      'turn',
      'answer',
      'delivery',
      'turn',
      'answer',
      'delivery',
      'answer',
    ]);
  });

  it('gives hosts their turns in the order they were made', () => {
    for (const name of ['first', 'second']) {
      const { clock } = world.addHost(name);
      clock.attach(note(name));
      clock.wakeAt(1);
    }
    world.advance(1);
    expect(log).to.deep.equal(['first at 1', 'second at 1']);
  });

  it('wakes a host once for each wakeAt, and the last one holds', () => {
    const { clock } = world.addHost('one');
    clock.attach(note('turn'));
    clock.wakeAt(1);
    clock.wakeAt(2);
    world.advance(5);
    expect(log).to.deep.equal(['turn at 2']);
    clock.wakeAt(6);
    clock.wakeAt(Infinity);
    world.advance(5);
    expect(log).to.have.length(1);
  });

  it('counts what is due a rounding error later as due', () => {
    world.schedule(1, note('due'));
    for (let tenth = 0; tenth < 10; tenth += 1) world.advance(0.1);
    expect(log).to.deep.equal(['due at 1']);
  });

  it('refuses amounts of time that cannot pass', () => {
    for (const seconds of [-1, NaN, Infinity]) expect(() => world.advance(seconds)).to.throw(RangeError, 'seconds');
    expect(world.now()).to.equal(0);
  });

  it('refuses to be advanced from inside', () => {
    let error: unknown;
    world.schedule(0, () => {
      try {
        world.advance(1);
      } catch (caught) {
        error = caught;
      }
    });
    world.advance(0);
    expect(error).to.be.instanceOf(Error).with.property('message').that.includes('advancing already');
    world.advance(1);
    expect(world.now()).to.equal(1);
  });

  it('lets an error of an event out, and the rest happens in the next advance', () => {
    world.schedule(1, () => {
      throw new Error('boom');
    });
    world.schedule(1, note('rest'));
    expect(() => world.advance(2)).to.throw('boom');
    expect(world.now()).to.equal(1);
    world.advance(0);
    expect(log).to.deep.equal(['rest at 1']);
  });

  it('ends an instant that does not end by itself, and names what keeps it going', () => {
    const host = world.addHost('busy');
    host.describePending = () => ['tick'];
    let turns = 0;
    host.clock.attach(() => {
      turns += 1;
      host.clock.wakeAt(0);
    });
    host.clock.wakeAt(0);
    expect(() => world.advance(1)).to.throw(TurnLimitError, /at 0 s in 100 turns; still pending: tick/);
    expect(turns).to.equal(100);
  });

  it('ends an endless exchange of events too', () => {
    const again = (): void => {
      world.schedule(0, again);
    };
    again();
    expect(() => world.advance(0)).to.throw(TurnLimitError, 'no delayed call is pending');
  });

  it('counts the rounds of each instant for itself', () => {
    let events = 0;
    const next = (): void => {
      events += 1;
      if (events < 1000) world.schedule(world.now() + (events % 50 === 0 ? 1 : 0), next);
    };
    world.schedule(0, next);
    world.advance(100);
    expect(events).to.equal(1000);
  });

  it('begins a new instant when the clock steps, and with each advance by 0', () => {
    const atNext = (): void => {
      world.atNextInstant(note('instant'));
    };
    atNext();
    world.advance(0);
    atNext();
    world.advance(0);
    atNext();
    world.advance(3);
    expect(log).to.deep.equal(['instant at 0', 'instant at 0', 'instant at 3']);
    expect(world.instant).to.equal(3);
  });

  it('steps for an instant that is to begin within a time, once', () => {
    world.atNextInstant(note('instant'), 0.5);
    world.advance(2);
    expect(log).to.deep.equal(['instant at 0.5']);
    expect(world.instant).to.equal(2);
    world.atNextInstant(note('sooner'), 0.5);
    world.advance(0.25);
    expect(log).to.have.length(2);
    expect(world.census().events).to.equal(0);
    world.atNextInstant(note('never'), 0.5)();
    expect(world.census().events).to.equal(0);
    world.advance(2);
    expect(log).to.have.length(2);
  });

  it('refuses two hosts of one name, two reactors on one platform, and a limit that is none', () => {
    const host = world.addHost('one');
    expect(() => world.addHost('one')).to.throw('one');
    host.clock.attach(() => undefined);
    expect(() => host.clock.attach(() => undefined)).to.throw('one reactor');
    expect(() => new World({ maxTurnsPerInstant: 0 })).to.throw(RangeError, 'maxTurnsPerInstant');
  });
});
