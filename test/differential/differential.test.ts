/**
 * The same scripts run on real Twisted and on Ropewalk, and their traces are the same, or the difference is listed with
 * its reason. Needs a Python with Twisted (Debian: python3-twisted).
 */
import { expect } from 'chai';
import { deferredScripts, listScripts } from './deferred-scripts.ts';
import { runOnRopewalk } from './interpreter.ts';
import { knownDifferences } from './known-differences.ts';
import { coroutineScripts, lockScripts } from './lock-scripts.ts';
import { randomScripts } from './random-scripts.ts';
import type { NamedScripts, Script } from './scripts.ts';
import { cooperatorScripts, loopScripts, timeScripts } from './task-scripts.ts';
import { findTwisted, runOnTwisted } from './twisted.ts';

const GROUPS: Readonly<Record<string, NamedScripts>> = {
  Deferred: deferredScripts,
  'DeferredList and gatherResults': listScripts,
  inlineCallbacks: coroutineScripts,
  'DeferredLock, DeferredSemaphore and DeferredQueue': lockScripts,
  'Clock, addTimeout and deferLater': timeScripts,
  LoopingCall: loopScripts,
  'Cooperator and CooperativeTask': cooperatorScripts,
};

const RANDOM_SEED = 20240229;
const RANDOM_COUNT_OF_EACH = 100;

const twisted = findTwisted();

describe(`Differential: Twisted ${'version' in twisted ? twisted.version : 'is absent'}`, () => {
  if ('missing' in twisted) {
    it(`skipped: ${twisted.missing}`, function () {
      this.skip();
    });
    return;
  }

  const named = Object.values(GROUPS).flatMap((scripts) => Object.entries(scripts));
  const random = randomScripts(RANDOM_SEED, RANDOM_COUNT_OF_EACH);
  const traces = new Map<Script, readonly string[]>();

  before(function () {
    this.timeout(60_000);
    const scripts = [...named, ...random].map(([, script]) => script);
    // One process for all: to start Python costs more than to run a script.
    runOnTwisted(twisted.python, scripts).forEach((trace, index) => traces.set(scripts[index]!, trace));
  });

  for (const [group, scripts] of Object.entries(GROUPS)) {
    describe(group, () => {
      for (const [name, script] of Object.entries(scripts)) {
        const reason = knownDifferences[name];
        if (reason === undefined) {
          it(name, () => {
            expect(runOnRopewalk(script)).to.deep.equal(traces.get(script));
          });
        } else {
          it(`${name} (differs: ${reason})`, () => {
            expect(runOnRopewalk(script)).not.to.deep.equal(traces.get(script));
          });
        }
      }
    });
  }

  it(`${random.length} random scripts, seed ${RANDOM_SEED}`, () => {
    for (const [kind, script] of random) {
      expect(runOnRopewalk(script), `${kind}: ${JSON.stringify(script)}`).to.deep.equal(traces.get(script));
    }
  });

  it('every known difference is that of a script', () => {
    const names = named.map(([name]) => name);
    expect(new Set(names)).to.have.lengthOf(names.length);
    expect(names).to.include.members(Object.keys(knownDifferences));
  });
});
