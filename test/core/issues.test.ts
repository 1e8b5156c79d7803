import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collectIssues, issueOf, makeIssueCounter, tallyOf, throwIssue } from '../../src/core/issues.ts';
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

describe('counting issues', () => {
  const of = (row: number, field: string, message = 'x', file?: string): Issue => ({
    code: 'not_a_date',
    message,
    row,
    field,
    ...(file !== undefined && { file }),
  });

  it('counts rows and issues by field, code and message, and keeps the first', () => {
    const { fields, others } = tallyOf([
      of(2, 'b'),
      of(2, 'b'),
      of(2, 'b', 'other'),
      of(2, 'a'),
      of(3, 'b'),
      { ...issue('y'), row: 3, field: 'b' },
    ]);
    expect(fields).toEqual([
      { code: 'not_a_date', field: 'b', rows: 2, issues: 3, first: of(2, 'b') },
      { code: 'not_a_date', field: 'b', rows: 1, issues: 1, first: of(2, 'b', 'other') },
      { code: 'not_a_date', field: 'a', rows: 1, issues: 1, first: of(2, 'a') },
      { code: 'wrong_type', field: 'b', rows: 1, issues: 1, first: { ...issue('y'), row: 3, field: 'b' } },
    ]);
    expect(others).toBe(0);
  });

  it('counts five messages of a field and code apart, because a message may have a number of its row', () => {
    const { add, merge, tally } = makeIssueCounter();
    for (let i = 0; i < 20; i++) add(of(i + 1, 'a', `got ${i % 8}`));
    add(of(21, 'b', 'got 7'));
    expect(tally().fields.map(({ field, rows, first }) => [field, rows, first.message])).toEqual([
      ['a', 3, 'got 0'],
      ['a', 3, 'got 1'],
      ['a', 3, 'got 2'],
      ['a', 3, 'got 3'],
      ['a', 2, 'got 4'],
      ['b', 1, 'got 7'],
    ]);
    expect(tally().others).toBe(6);
    merge(tallyOf([of(22, 'a', 'got 4'), of(23, 'a', 'got 9')]), (one) => one);
    expect(tally().fields[4]).toMatchObject({ rows: 3 });
    expect(tally().others).toBe(7);
  });

  it('the same row of another file is another row', () => {
    expect(tallyOf([of(1, 'a', 'x', 'f'), of(1, 'a', 'x', 'g')]).fields[0]).toMatchObject({ rows: 2, issues: 2 });
  });

  it('merging counts as counting all in one go does, with the places completed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5), fc.constantFrom('a', 'b', 'c')), { maxLength: 60 }), (cells) => {
        const sorted = cells.map(([row, field]) => of(row + 1, field)).sort((a, b) => a.row! - b.row!);
        const whole = makeIssueCounter();
        for (const one of sorted) whole.add(one);
        for (const one of sorted) whole.add({ ...one, row: one.row! + 6 });
        const merged = makeIssueCounter();
        merged.merge(tallyOf(sorted), (one) => one);
        merged.merge(tallyOf(sorted), (one) => ({ ...one, row: one.row! + 6 }));
        expect(merged.tally()).toEqual(whole.tally());
      }),
    );
  });

  it('memory is bounded: fields from the data are counted together from the hundred-and-first on', () => {
    const { add, merge, tally } = makeIssueCounter();
    for (let i = 0; i < 1000; i++) add(of(i + 1, `name${i}`));
    expect(tally().fields).toHaveLength(100);
    expect(tally().others).toBe(900);
    add(of(1001, 'name3'));
    expect(tally()).toMatchObject({ others: 900 });
    expect(tally().fields[3]).toMatchObject({ rows: 2 });
    merge(tallyOf([of(1002, 'name3'), of(1003, 'new')]), (one) => one);
    expect(tally().fields[3]).toMatchObject({ rows: 3 });
    expect(tally().others).toBe(901);
  });
});
