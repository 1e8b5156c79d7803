/** What a charter changes: every line that differs is listed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { charterChanges, parseCharter } from '../../../src/govern.ts';
import { KEYS, LINES, nextLines, replaced, TEXT, textOf } from './small-charter.ts';

const FIRST = parseCharter(TEXT);
const changes = (lines: readonly string[]) =>
  charterChanges(parseCharter(textOf(lines)), FIRST).map(({ kind, what, how }) => [kind, what, ...how]);

describe('changes', () => {
  it('none, but the version and the one before', () => expect(changes(nextLines(TEXT))).toEqual([]));

  it.each([
    [
      'officer anna',
      `officer anna approver,legal note ${KEYS.anna.verifierKey}`,
      'roles: was approver, is approver,legal',
    ],
    ['group', 'group outside 2 NCC DPA', 'the line: was all NCC DPA, is 2 NCC DPA'],
    ['change', 'change 3:keeper', 'the line: was 2:keeper, is 3:keeper'],
    ['rate desk', 'rate desk * reveal * 300 per 1d', 'limit: was 200 per 1d, is 300 per 1d'],
    ['alert pair', 'alert pair 90% of 10', 'the line: was 80% of 10, is 90% of 10'],
    [
      'purpose support',
      LINES[22]!.replace('dpv:CustomerCare ', ''),
      'its place in the Data Privacy Vocabulary: is gone, was dpv:CustomerCare',
    ],
    ['purpose support', LINES[22]!.replace('1:approver', '2:approver'), 'approvals: was 1:approver, is 2:approver'],
    [
      'purpose fraud',
      LINES[23]!.replace(' unbound', '').replace('hours 72', 'hours 73'),
      'hours: was 72, is 73',
      'unbound: is gone, was yes',
    ],
    ['glass', LINES[25]!.replace('3 5 per', '3 6 per'), 'at-most: was 3 5 per 7d, is 3 6 per 7d'],
    ['glass', LINES[25]!.replace('ratify 3d', 'ratify 4d'), 'ratify: was 3d 2:approver, is 4d 2:approver'],
  ])('of a line that begins with %s', (start, line, ...how) => {
    const what = charterChanges(parseCharter(textOf(replaced(start, line))), FIRST);
    expect(what).toHaveLength(1);
    expect(what[0]).toMatchObject({ kind: 'changed', after: line, how });
  });

  it('new and gone lines, and two windows of one rate', () => {
    const lines = replaced('rate desk', LINES[28]!, 'rate desk * reveal * 1000 per 7d').flatMap((line) =>
      line.startsWith('client')
        ? [line, `client etl-2 note ${KEYS.gerd.verifierKey}`]
        : line.startsWith('officer gerd')
          ? []
          : [line],
    );
    expect(changes(lines)).toEqual([
      ['gone', 'officer gerd'],
      ['new', 'client etl-2'],
      ['new', 'rate desk * reveal * 1000 per 7d'],
    ]);
  });

  it('the order of the lines', () => {
    expect(changes(LINES.with(10, LINES[11]!).with(11, LINES[10]!))).toEqual([['changed', 'the order of the lines']]);
  });

  it('every charter that differs in more than its version has a change', () => {
    // Lines that may be left out.
    const free = LINES.flatMap((line, i) =>
      /^(rate|alert|openings|glass|client|answers|protected)/.test(line) ? [i] : [],
    );
    fc.assert(
      fc.property(fc.subarray(free, { minLength: 1 }), (gone) => {
        const lines = LINES.filter(
          (line, i) =>
            !gone.includes(i) && !(gone.some((g) => LINES[g]!.startsWith('client')) && line.startsWith('rate client')),
        );
        const found = charterChanges(parseCharter(textOf(lines)), FIRST);
        expect(found.filter(({ kind }) => kind === 'gone')).toHaveLength(LINES.length - lines.length);
        expect(found.map(({ before }) => before)).toEqual(expect.arrayContaining(gone.map((i) => LINES[i]!)));
      }),
      { numRuns: 50 },
    );
  });

  it('takes charters alone', () => {
    expect(() => charterChanges(FIRST, {} as never)).toThrow(/^"previous" /);
    expect(() => charterChanges(TEXT as never, FIRST)).toThrow(/^"charter" /);
  });
});
