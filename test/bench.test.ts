/**
 * The pure functions of bench/: the interval, the verdicts of the guard, and the table of docs/guide/performance.md.
 * And the measurements of logs run.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { countVerdict, isEnough, LIMIT, overProcesses, readBaseline, timeVerdict } from '../bench/guard-verdict.mjs';
import { ranksToTrim, summary } from '../bench/harness.mjs';
import { BEGIN, between, END, floorVerdict, number, pageTable, perValue } from '../bench/table.mjs';
import { random } from './reference/random.ts';

/** The probability that fewer than k of `count` coins show heads, computed in whole numbers. */
function below(k: number, count: number): number {
  let term = 1n;
  let sum = 0n;
  for (let i = 0n; i < k; i++) {
    sum += term;
    term = (term * (BigInt(count) - i)) / (i + 1n);
  }
  return Number((sum * 10n ** 15n) / 2n ** BigInt(count)) / 1e15;
}

describe('the interval of a median', () => {
  it('drops as many numbers at each end as the binomial distribution allows', () => {
    for (let count = 1; count <= 121; count++) {
      const k = ranksToTrim(count, 0.99);
      expect(below(k, count)).toBeLessThanOrEqual(0.005);
      expect(below(k + 1, count)).toBeGreaterThan(0.005);
    }
  });

  it('is the whole range of four numbers, and goes from the second to the eleventh of twelve', () => {
    expect(summary([3, 1, 2, 4])).toEqual({ median: 2.5, low: 1, high: 4 });
    expect(summary([12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])).toEqual({ median: 6.5, low: 2, high: 11 });
  });

  it('encloses the median of a skewed distribution about as often as its confidence states', () => {
    const bytes = random('bench intervals');
    let inside = 0;
    for (let run = 0; run < 2000; run++) {
      // 2^(4 (x - 1/2)) for uniform x, whose median is 1.
      const numbers = Array.from({ length: 31 }, () => 2 ** (4 * ((bytes.below(65_536) + 0.5) / 65_536 - 0.5)));
      const { low, high } = summary(numbers);
      if (low! <= 1 && high! >= 1) inside++;
    }
    expect(inside).toBeGreaterThan(1970);
    expect(inside).toBeLessThan(2000);
  });
});

describe('verdicts of the guard', () => {
  it('a case is slower only if the whole interval is above the limit', () => {
    expect(timeVerdict({ low: LIMIT + 0.001, high: 1.2 })).toBe('slower');
    expect(timeVerdict({ low: LIMIT, high: 1.2 })).toBe('open');
    expect(timeVerdict({ low: 0.9, high: LIMIT })).toBe('held');
  });

  it('a few deviating processes do not change the verdict', () => {
    const same = [...new Array(9).fill(1), 1.2, 1.2, 1.2];
    const slower = [...new Array(11).fill(1.1), 0.95];
    expect(timeVerdict(overProcesses(same))).toBe('open');
    expect(timeVerdict(overProcesses(slower))).toBe('slower');
  });

  it('judges after whole rounds of the four orders, and runs longer only if the median is near the limit', () => {
    const times = (count: number, ratio: number) => new Array(count).fill(ratio);
    const enough = (ratio: number) => [0, 1, 4, 8, 12, 24, 36].filter((count) => isEnough(times(count, ratio)));
    expect(enough(1)).toEqual([4, 12, 24, 36]);
    expect(enough(1.1)).toEqual([12, 24, 36]);
    // An open interval: more processes run if its median is near the limit.
    const wide = (count: number, middle: number) => [...times(count - 3, middle), 1.3, 1.3, 1.3];
    expect([4, 12, 24].map((count) => isEnough(wide(count, 1)))).toEqual([false, true, true]);
    expect(isEnough([...times(3, 0.9), ...times(6, 1.04), ...times(3, 1.3)])).toBe(false);
    expect(isEnough([...times(12, 0.9), ...times(12, 1.04), ...times(12, 1.3)])).toBe(true);
  });

  it('counts have no interval', () => {
    expect(countVerdict(1049, 1000)).toBe('held');
    expect(countVerdict(1051, 1000)).toBe('slower');
  });

  it('a floor is held or missed only if the whole interval is on one side of it', () => {
    const of = (low: number, high: number) => floorVerdict({ ratio: { low, high }, floor: 10 });
    expect([of(10, 12), of(9, 11), of(8, 9.9)]).toEqual(['held', 'open', 'below']);
    expect(floorVerdict({ ratio: null, floor: null })).toBe('');
  });

  it('a baseline has a full commit id and a reason', () => {
    const commit = '0123456789abcdef0123456789abcdef01234567';
    expect(readBaseline(JSON.stringify({ commit, why: 'because' }))).toEqual({ commit, why: 'because' });
    for (const wrong of [
      { commit: 'main', why: 'x' },
      { commit: commit.slice(1), why: 'x' },
      { commit },
      { why: 'x' },
    ]) {
      expect(() => readBaseline(JSON.stringify(wrong))).toThrow('bench/baseline.json');
    }
    const pinned = readFileSync(new URL('../bench/baseline.json', import.meta.url), 'utf8');
    expect(readBaseline(pinned).commit).toHaveLength(40);
  });
});

describe('the table of docs/guide/performance.md', () => {
  const result = (work: string, file: string, more = {}) => ({
    file,
    work,
    against: 'rival',
    floor: 2,
    aim: null,
    target: null,
    ratio: { median: 3.456, low: 3.4, high: 12 },
    oursNs: 12.34,
    rivalNs: 4567,
    ...more,
  });
  const run = (node: string, results: object[]) => ({
    date: '2020-02-02',
    node,
    processor: 'A processor',
    confidence: 0.99,
    rounds: 61,
    results,
  });
  const groups = [
    { title: 'Second', files: ['b'] },
    { title: 'First', files: ['a'] },
    { title: 'Empty', files: ['c'] },
  ];

  it('has the groups in order, and the versions of Node side by side', () => {
    const runs = [
      run('v20.1.2', [result('one', 'a'), result('two', 'b', { against: null, ratio: null, floor: null })]),
      run('v24.3.4', [result('one', 'a', { oursNs: 2000, against: 'other' })]),
    ];
    expect(pageTable(runs, groups).split('\n').slice(0, 7)).toEqual([
      '| work | against | Node 20: a value | times faster | Node 24: a value | times faster | floor in CI |',
      '| --- | --- | --: | --: | --: | --: | --: |',
      '| **Second** |  |  |  |  |  |  |',
      '| two | – | 12.3 ns | 81,037,277/s | – | – |  |',
      '| **First** |  |  |  |  |  |  |',
      '| one | rival; other | 12.3 ns | 3.46 (3.40–12.0) × | 2.00 µs | 3.46 (3.40–12.0) × | 2 × |',
      '',
    ]);
  });

  it('states the machine, the versions of Node and the date, in lines of at most 120 characters', () => {
    const note = pageTable([run('v20.1.2', []), run('v24.3.4', [])], groups)
      .split('\n')
      .slice(3);
    expect(note.join(' ')).toContain('A processor, one core, Node 20.1.2 and 24.3.4, 2020-02-02.');
    expect(Math.max(...note.map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it('is inserted between the markers, and the rest of the page stays', () => {
    const page = `a\n${BEGIN}\nold\n${END}\nb`;
    const once = between(page, 'new');
    expect(once).toBe(`a\n${BEGIN}\n\nnew\n\n${END}\nb`);
    expect(between(once, 'new')).toBe(once);
    for (const wrong of ['', BEGIN, END, `${END}${BEGIN}`, page + BEGIN, page + page]) {
      expect(() => between(wrong, 'new')).toThrow('once each');
    }
  });

  it('shows three significant figures', () => {
    expect([1.005, 9.876, 12.34, 999.4, 1234.5].map(number)).toEqual(['1.00', '9.88', '12.3', '999', '1235']);
    expect([perValue(null), perValue(999), perValue(1500)]).toEqual(['', '999 ns', '1.50 µs']);
  });
});

/**
 * They import the built package, and nothing else runs them before a release. Their limits are not judged here, because
 * a few entries are too few to be timed.
 */
describe('the measurements of logs run', () => {
  it.each([
    ['log.mjs', ['512', '1'], 'appending / writing the same files, fsync in groups of 256: '],
    ['log-verify.mjs', ['2000', '1'], '1,000 new: '],
  ])(
    '%s',
    (file, args, last) => {
      const { stdout, stderr } = spawnSync(process.execPath, [`bench/processes/${file}`, ...args], {
        encoding: 'utf8',
      });
      expect(stderr).toBe('');
      expect(stdout).toContain(last);
    },
    60_000,
  );
});
