import { expect } from 'chai';
import { RowLog } from '../src/row-log.ts';

describe('RowLog', () => {
  let lines: string[];
  let log: RowLog;

  beforeEach(() => {
    lines = [];
    const ignore = (): void => undefined;
    log = new RowLog({
      debug: (fields, message) => void lines.push(`debug ${message} ${JSON.stringify(fields)}`),
      info: ignore,
      warn: (fields, message) => void lines.push(`warn ${message} ${JSON.stringify(fields)}`),
      error: ignore,
    });
  });

  it('warns of the first of a row, and has the others in detail', () => {
    for (let count = 1; count <= 3; count += 1) log.note('full', { count }, 'no room');
    expect(lines).to.deep.equal(['warn no room {"count":1}', 'debug no room {"count":2}', 'debug no room {"count":3}']);
  });

  it('warns again once a row has ended', () => {
    log.note('full', {}, 'no room');
    log.end();
    log.note('full', {}, 'no room');
    expect(lines).to.deep.equal(['warn no room {}', 'warn no room {}']);
  });

  it('keeps what differs in kind apart, and ends it together', () => {
    log.note('slow', {}, 'too slow');
    log.note('wrong', {}, 'not TLS');
    log.note('slow', {}, 'too slow');
    log.end();
    log.note('wrong', {}, 'not TLS');
    expect(lines).to.deep.equal(['warn too slow {}', 'warn not TLS {}', 'debug too slow {}', 'warn not TLS {}']);
  });

  it('does not take for logged what the logger did not take', () => {
    const levels: string[] = [];
    let isFull = true;
    const ignore = (): void => undefined;
    const failing = new RowLog({
      debug: () => void levels.push('debug'),
      info: ignore,
      warn: () => {
        if (isFull) throw new Error('disk full');
        levels.push('warn');
      },
      error: ignore,
    });
    expect(() => failing.note('full', {}, 'no room')).to.throw('disk full');
    isFull = false;
    failing.note('full', {}, 'no room');
    expect(levels).to.deep.equal(['warn']);
  });

  it('tells nobody if there is no logger', () => {
    expect(() => new RowLog(undefined).note('full', {}, 'no room')).to.not.throw();
  });
});
