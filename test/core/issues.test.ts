import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collectIssues, issueOf, throwIssue } from '../../src/core/issues.ts';
import { fail, type Issue, MAX_ISSUES, type TrefoilError } from '../../src/errors.ts';

const issue = (message: string): Issue => ({ code: 'wrong_type', message });

/** Returns the error that a function throws, or `null`. */
function thrown(run: () => void): TrefoilError | null {
  try {
    run();
  } catch (error) {
    return error as TrefoilError;
  }
  return null;
}

describe('collectIssues', () => {
  it('throws nothing without issues', () => {
    expect(thrown(collectIssues().throwIfAny)).toBe(null);
  });

  it('property: keeps the first 100 issues in the order of rows, and counts all', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(400), { minLength: 1, maxLength: 450 }), (indices) => {
        const { report, throwIfAny } = collectIssues();
        for (const [n, index] of indices.entries()) report(index, issue(String(n)));
        const expected = indices
          .map((index, n) => ({ ...issue(String(n)), row: index + 1 }))
          .sort((a, b) => a.row - b.row)
          .slice(0, MAX_ISSUES);
        const error = thrown(throwIfAny);
        expect(error?.total).toBe(indices.length);
        expect(error?.issues).toEqual(expected);
      }),
    );
  });

  it.each([
    ['upwards', (i: number) => i],
    ['downwards', (i: number) => 9_999 - i],
  ])('many thousand issues, %s', (_, indexOf) => {
    const { report, throwIfAny } = collectIssues();
    for (let i = 0; i < 10_000; i++) report(indexOf(i), issue('x'));
    const error = thrown(throwIfAny);
    expect(error?.total).toBe(10_000);
    expect(error?.issues.map(({ row }) => row)).toEqual(Array.from({ length: MAX_ISSUES }, (_, i) => i + 1));
  });
});

it('throwIssue throws the issue without a row', () => {
  expect(thrown(() => throwIssue(3, issue('x')))?.issues).toEqual([issue('x')]);
});

it('issueOf returns the issue of a value, and throws every other error again', () => {
  expect(issueOf(thrown(() => fail('wrong_type', 'x')))).toEqual(issue('x'));
  const keys = thrown(() => fail('key_not_pinned', 'x'));
  expect(() => issueOf(keys)).toThrow(keys!);
  const mistake = new RangeError('x');
  expect(() => issueOf(mistake)).toThrow(mistake);
});
