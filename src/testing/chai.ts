/// <reference types="chai" preserve="true" />
/**
 * `ropewalk/testing/chai`: assertions about failures. `import { use } from 'chai'; use(ropewalkChai);`
 */
import { Deferred } from '../deferred/deferred.ts';
import { type ErrorClass, Failure } from '../deferred/failure.ts';
import { lookAt } from './deferred-results.ts';

declare global {
  // chai's types are to be extended in this namespace.
  namespace Chai {
    interface Assertion {
      /**
       * Asserts that the value is a `Failure`, or a `Deferred` that has failed by now, whose error is an instance of one of
       * the types, or of any where none is given. The failure of a `Deferred` stays, but counts as handled.
       */
      failureOf(...types: readonly ErrorClass[]): Assertion;
    }
  }
}

/** The plugin, for `chai.use`. */
export const ropewalkChai: Chai.ChaiPlugin = (chai, utils) => {
  chai.Assertion.addMethod('failureOf', function failureOf(this: Chai.AssertionStatic, ...types: ErrorClass[]) {
    const subject: unknown = utils.flag(this, 'object');
    const failure = failureIn(subject);
    const expected = types.length === 0 ? 'any error' : types.map((type) => type.name).join(' or ');
    const found = describeFound(subject, failure);
    this.assert(
      failure !== undefined && (types.length === 0 || failure.check(...types) !== undefined),
      `expected a failure of ${expected} but found ${found}`,
      `expected no failure of ${expected} but found ${found}`,
      types,
      failure?.value,
    );
  });
};

/** The failure that the subject is, or that it holds; that of a `Deferred` counts as handled. */
function failureIn(subject: unknown): Failure | undefined {
  if (subject instanceof Failure) return subject;
  if (!(subject instanceof Deferred)) return undefined;
  const result: unknown = lookAt<unknown>(subject)?.result;
  return result instanceof Failure ? result : undefined;
}

function describeFound(subject: unknown, failure: Failure | undefined): string {
  if (failure !== undefined) return failure.toString();
  if (subject instanceof Deferred) return `a Deferred that has ${subject.called ? 'a value' : 'no result yet'}`;
  return Object.prototype.toString.call(subject).slice('[object '.length, -1);
}
