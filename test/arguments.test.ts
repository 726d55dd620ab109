import { expect } from 'chai';
import {
  describe as describeValue,
  requireClass,
  requireData,
  requireDelay,
  requireFinite,
  requireFunction,
  requireIntegerFrom,
  requireMethods,
  requireOptions,
  requirePort,
  requireString,
} from '../src/arguments.ts';

class Base {
  start(): void {}
}

class Derived extends Base {
  stop(): void {}
}

/** What a program without types might pass for a number. */
function untyped(value: unknown): number {
  return value as number;
}

describe('The checks of arguments', () => {
  it('take a delay that is finite and not negative', () => {
    for (const delay of [0, -0, Number.MIN_VALUE, 1.5, Number.MAX_VALUE]) requireDelay('delay', delay);
    for (const delay of [-1, -Number.MIN_VALUE, NaN, Infinity, -Infinity]) {
      expect(() => requireDelay('delay', delay), String(delay)).to.throw(RangeError, /^delay must be .*; got /);
    }
    expect(() => requireDelay('delay', untyped('1'))).to.throw(TypeError, "delay must be a number; got the string '1'");
    expect(() => requireDelay('delay', untyped(1n))).to.throw(TypeError, 'delay must be a number; got 1');
  });

  it('take a finite number', () => {
    for (const number of [0, -5, 1e300]) requireFinite('shift', number);
    for (const number of [NaN, Infinity, -Infinity]) {
      expect(() => requireFinite('shift', number)).to.throw(RangeError, 'shift');
    }
    expect(() => requireFinite('shift', untyped(undefined))).to.throw(
      TypeError,
      'shift must be a number; got undefined',
    );
  });

  it('take a port from 0 or 1 to 65535', () => {
    requirePort('port', 0, 0);
    requirePort('port', 1, 1);
    requirePort('port', 65_535, 1);
    expect(() => requirePort('port', 0, 1)).to.throw(RangeError, 'port must be a whole number, 1 or more; got 0');
    expect(() => requirePort('port', 65_536, 0)).to.throw(RangeError, 'port must be at most 65535; got 65536');
    for (const port of [-1, 0.5, NaN, Infinity]) {
      expect(() => requirePort('port', port, 0), String(port)).to.throw(RangeError, 'port');
    }
    expect(() => requirePort('port', untyped('80'), 0)).to.throw(TypeError, 'port');
  });

  it('take a whole number from a lowest on', () => {
    requireIntegerFrom('backlog', 1, 1);
    expect(() => requireIntegerFrom('backlog', 0, 1)).to.throw(RangeError, 'backlog');
    expect(() => requireIntegerFrom('backlog', 1.5, 1)).to.throw(RangeError, 'backlog');
  });

  it('take functions and strings', () => {
    requireFunction('fn', () => {});
    requireString('host', '');
    for (const value of [undefined, null, 'f', {}]) {
      expect(() => requireFunction('fn', value)).to.throw(TypeError, 'fn must be a function');
    }
    for (const value of [undefined, null, 1, ['a']]) {
      expect(() => requireString('host', value)).to.throw(TypeError, 'host must be a string');
    }
  });

  it('take an object that has the methods, of its own or inherited, and name those it lacks', () => {
    requireMethods('factory', new Derived(), ['start', 'stop']);
    expect(() => requireMethods('factory', new Base(), ['start', 'stop'])).to.throw(
      TypeError,
      'factory has no method stop',
    );
    for (const value of [undefined, null, 'factory', Derived]) {
      expect(() => requireMethods('factory', value, ['start'])).to.throw(TypeError, 'factory must be an object');
    }
  });

  it('take options that are known, and name those that are not', () => {
    requireOptions('options', {}, ['one', 'two']);
    requireOptions('options', { two: undefined }, ['one', 'two']);
    expect(() => requireOptions('options', { three: 3 }, ['one', 'two'])).to.throw(
      TypeError,
      'options has no three; there is one, two',
    );
    for (const value of [null, 'text', 3]) {
      expect(() => requireOptions('options', value as unknown as object, ['one'])).to.throw(TypeError, 'options');
    }
  });

  it('take a class', () => {
    requireClass('protocol', Derived);
    for (const value of [undefined, new Derived(), () => {}]) {
      expect(() => requireClass('protocol', value)).to.throw(TypeError, 'protocol must be a class');
    }
  });

  it('say what they got', () => {
    const cases: [unknown, string][] = [
      [null, 'null'],
      [undefined, 'undefined'],
      ['text', "the string 'text'"],
      [3, '3'],
      [3n, '3'],
      [true, 'true'],
      [Symbol('mark'), 'Symbol(mark)'],
      [() => {}, 'a function'],
      [Derived, 'the function or class Derived'],
      [[], 'an object ([object Array])'],
      [Object.create(null), 'an object ([object Object])'],
    ];
    for (const [value, description] of cases) expect(describeValue(value)).to.equal(description);
  });
});

describe('requireData', () => {
  it('takes bytes and strings, and nothing else', () => {
    for (const data of ['', 'text', new Uint8Array(1), Buffer.from('x')]) requireData(data);
    for (const data of [undefined, null, 3, [1, 2], new ArrayBuffer(2), new Uint16Array(1)]) {
      const call = (): void => {
        requireData(data as unknown as string);
      };
      expect(call).to.throw(TypeError, 'data must be a Uint8Array or a string; got ');
    }
  });
});
