import { closeSync, fstatSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { replaceByNullDevice } from '../../src/node/null-device.ts';
import { isOpen } from './support/descriptor-source.ts';

describe('replaceByNullDevice', function () {
  let folder: string;
  let toClose: number[];

  before(function () {
    if (process.platform !== 'win32') return;
    this.test?.parent?.eachTest((test) => (test.title += ' (skipped: descriptors are those of UNIX)'));
    this.skip();
  });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ropewalk-'));
    toClose = [];
  });

  afterEach(() => {
    for (const descriptor of toClose) closeSync(descriptor);
    rmSync(folder, { recursive: true });
  });

  /** A file that is open, at a number with a free one below. */
  function openAboveAGap(): { readonly gap: number; readonly descriptor: number } {
    const gap = openSync(devNull, 'r');
    const descriptor = openSync(join(folder, 'output'), 'w');
    closeSync(gap);
    return { gap, descriptor };
  }

  const isNullDevice = (descriptor: number): boolean => fstatSync(descriptor).isCharacterDevice();

  it('leaves the null device at the number, also where a lower one is free', () => {
    const { gap, descriptor } = openAboveAGap();
    expect(replaceByNullDevice(descriptor)).to.equal(true);
    toClose.push(descriptor);
    expect(isNullDevice(descriptor)).to.equal(true);
    writeSync(descriptor, 'this goes nowhere');
    expect(isOpen(gap)).to.equal(false);
  });

  it('tells that something else has the number, and leaves that alone', () => {
    const { gap, descriptor } = openAboveAGap();
    const opened: number[] = [];
    /** Another thread's file, which comes in between. */
    const meanwhile = (): void => {
      const filler = openSync(devNull, 'r');
      toClose.push(openSync(join(folder, 'another'), 'w'));
      closeSync(filler);
    };
    const isReplaced = replaceByNullDevice(descriptor, {
      closeSync: (closed) => {
        closeSync(closed);
        if (closed === descriptor) meanwhile();
      },
      openSync: (path, flags) => {
        const number = openSync(path, flags);
        opened.push(number);
        return number;
      },
    });
    expect(isReplaced).to.equal(false);
    expect(toClose).to.deep.equal([descriptor]);
    expect(isNullDevice(descriptor)).to.equal(false);
    expect(isOpen(gap)).to.equal(false);
    expect(opened.filter(isOpen)).to.deep.equal([]);
  });
});
