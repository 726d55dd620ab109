import { expect } from 'chai';
import { ConsoleLogger } from '../../src/node/console-logger.ts';

/** What is written to stderr by `action`, one string for each call. */
function written(action: () => void): string[] {
  const lines: string[] = [];
  const original = console.error;
  console.error = (line: string) => lines.push(line);
  try {
    action();
  } finally {
    console.error = original;
  }
  return lines;
}

describe('the logger for people', () => {
  const logger = new ConsoleLogger();

  it('writes one line for each event, with the time, the level, the message and the fields', () => {
    const lines = written(() => {
      logger.info({}, 'listening');
      logger.warn({ port: 21210, host: 'a b', missing: undefined }, 'busy');
    });
    expect(lines[0]).to.match(/^\d{4}-\d\d-\d\dT[\d:.]+Z INFO listening$/);
    expect(lines[1]).to.match(/Z WARN busy port=21210 host='a b'$/);
  });

  it('writes the stacks of errors below it, with their causes', () => {
    const error = new Error('outer', { cause: new TypeError('inner') });
    const [text = ''] = written(() => logger.error({ err: error }, 'An error in a hook'));
    const [line = '', ...stack] = text.split('\n');
    expect(line).to.match(/Z ERROR An error in a hook$/);
    expect(stack[0]).to.equal('    Error: outer');
    expect(stack.join('\n')).to.include('console-logger.test.ts').and.to.include('TypeError: inner');
  });

  it('writes debug only if asked to', () => {
    expect(written(() => logger.debug({}, 'detail'))).to.deep.equal([]);
    expect(written(() => new ConsoleLogger({ debug: true }).debug({}, 'detail'))).to.have.lengthOf(1);
  });
});
