import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { protectCsv } from '../../src/csv.ts';
import { TrefoilError } from '../../src/errors.ts';
import { drop, keep, keyset, policy, shiftDate, token } from '../../src/index.ts';
import { openKeys } from '../../src/keys/domain-keys.ts';
import { protectNdjson } from '../../src/ndjson.ts';
import { explain, parsePolicy } from '../../src/policy.ts';
import { casefold, trim } from '../../src/prepare.ts';

const keys = keyset.generate().domain('clinic');
const rule = shiftDate({ scope: 'visit', subject: 'patient', days: 180 });
const bound = rule.bind(keys);

const DAY = 86_400_000;
const daysOf = (date: string): number => Date.parse(`${date.slice(0, 10)}T00:00:00Z`) / DAY;
const offset = (subject: string | number | bigint, from = '2020-06-15', by = bound): number =>
  daysOf(by.protect(from, { subject })) - daysOf(from);

/** The steps of shift-v1, with BigInt and the calendar of the JavaScript engine. */
function literal(date: string, subject: string, scope: string, days: number): string {
  const empty = new Uint8Array(0);
  const node = openKeys(keys).primary.derive('shiftDate', scope, [String(days), empty]);
  const x = BigInt(`0x${createHmac('sha256', node).update(subject).digest('hex').slice(0, 32)}`);
  const i = Number((x * 2n * BigInt(days)) >> 128n);
  const by = i < days ? i - days : i - days + 1;
  const moved = new Date(Date.parse(`${date.slice(0, 10)}T00:00:00Z`) + by * DAY);
  return moved.toISOString().slice(0, 10) + date.slice(10);
}

const aDate = fc
  .date({ min: new Date('0012-01-01'), max: new Date('9980-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const aSubject = fc.string({ minLength: 1, unit: 'grapheme' });

describe('one date', () => {
  test('property: is what the literal construction says', () => {
    fc.assert(
      fc.property(aDate, aSubject, fc.integer({ min: 1, max: 3650 }), (date, subject, days) => {
        const one = shiftDate({ scope: 's', subject: 'x', days }).bind(keys);
        expect(one.protect(date, { subject })).toBe(literal(date, subject, 's', days));
      }),
      { numRuns: 500 },
    );
  });

  test('property: intervals within a subject stay true, and what stands behind a date', () => {
    const tail = fc.constantFrom('', 'T08:15', ' 23:59:59', 'T00:00:00.123Z', 'T12:00:00+05:30');
    fc.assert(
      fc.property(aDate, aDate, aSubject, tail, (one, two, subject, rest) => {
        const [a, b] = [bound.protect(one + rest, { subject }), bound.protect(two, { subject })];
        expect(daysOf(a) - daysOf(b)).toBe(daysOf(one) - daysOf(two));
        expect(a.slice(10)).toBe(rest);
        expect(a.slice(0, 10)).not.toBe(one);
      }),
    );
  });

  test('a number and its decimal text are one subject', () => {
    expect(new Set([offset(7), offset('7'), offset(7n)]).size).toBe(1);
    expect(() => bound.protect('2020-01-01', { subject: 1.5 })).toThrow(TrefoilError);
  });

  test.each([
    '2023-02-29',
    '2024-2-29',
    '29.02.2024',
    '2024-02-30',
    '2024-02-29X',
    '12024-01-01',
    'Lovelace',
    '2024-13-01',
    '2024-02',
    '2024',
    'infinity',
    '0044-03-15 BC',
  ])('%s is none', (date) => {
    expect(() => bound.protect(date, { subject: 1 })).toThrow(expect.objectContaining({ code: 'not_a_date' }));
  });

  test.each([
    '2024-02-29 08:15:00+00',
    '2024-02-29 08:15:00.123456-03',
    '2024-02-29 08:15:00-00:25:21',
    '2024-02-29 08:15:00 UTC',
    '2024-02-29T08:15:00.123456789+05:30',
    '2024-02-29 08:15:00.1234567 +01:00',
  ])('what follows the date stays as it is: %s', (date) => {
    const moved = bound.protect(date, { subject: 1 });
    expect(moved.slice(10)).toBe(date.slice(10));
    expect(moved.slice(0, 10)).toBe(bound.protect('2024-02-29', { subject: 1 }));
  });

  test('nothing leaves the years 0001 to 9999', () => {
    expect(() => bound.protect('0000-06-01', { subject: 1 })).toThrow(
      expect.objectContaining({ code: 'outside_format' }),
    );
    const edges = ['0001-01-01', '9999-12-31'].map((date) => {
      try {
        return bound.protect(date, { subject: 1 });
      } catch (error) {
        return (error as TrefoilError).code;
      }
    });
    expect(edges.filter((edge) => edge === 'outside_format')).toHaveLength(1);
  });

  test('passes missing dates, refuses missing subjects', () => {
    expect([null, undefined, ''].map((date) => bound.protect(date, { subject: null }))).toEqual([null, undefined, '']);
    for (const subject of [null, undefined, '']) {
      expect(() => bound.protect('2020-01-01', { subject })).toThrow(
        expect.objectContaining({ code: 'missing_subject' }),
      );
    }
    const trimmed = shiftDate({ scope: 'v', subject: 'p', days: 9, prepareSubject: trim }).bind(keys);
    expect(() => trimmed.protect('2020-01-01', { subject: '  ' })).toThrow(
      expect.objectContaining({ code: 'missing_subject' }),
    );
  });
});

describe('offsets', () => {
  test('are never 0, reach both ends, and are as even as chance', () => {
    const days = 5;
    const small = shiftDate({ scope: 'small', subject: 'p', days }).bind(keys);
    const counts = new Map<number, number>();
    const subjects = 20_000;
    for (let i = 0; i < subjects; i++)
      counts.set(offset(i, '2020-06-15', small), (counts.get(offset(i, '2020-06-15', small)) ?? 0) + 1);
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5]);
    const due = subjects / (2 * days);
    const chi = [...counts.values()].reduce((sum, count) => sum + (count - due) ** 2 / due, 0);
    // Chi-squared with nine degrees of freedom: beyond 40 once in a hundred thousand runs.
    expect(chi).toBeLessThan(40);
  });

  test('depend on scope, range, steps, domain and key, and on nothing else', () => {
    const others = [
      shiftDate({ scope: 'stay', subject: 'patient', days: 180 }).bind(keys),
      shiftDate({ scope: 'visit', subject: 'patient', days: 181 }).bind(keys),
      shiftDate({ scope: 'visit', subject: 'patient', days: 180, prepareSubject: trim }).bind(keys),
      rule.bind(keyset.generate().domain('clinic')),
    ];
    const subjects = Array.from({ length: 40 }, (_, i) => i);
    const own = subjects.map((subject) => offset(subject));
    for (const other of others) expect(subjects.map((subject) => offset(subject, undefined, other))).not.toEqual(own);
    const elsewhere = shiftDate({ scope: 'visit', subject: 'somebody.else', days: 180, why: 'x' }).bind(keys);
    expect(subjects.map((subject) => offset(subject, undefined, elsewhere))).toEqual(own);
  });

  test('a subject goes through its own steps', () => {
    const folded = shiftDate({ scope: 'v', subject: 'p', days: 500, prepareSubject: [trim, casefold] }).bind(keys);
    expect(offset(' ADA ', undefined, folded)).toBe(offset('ada', undefined, folded));
  });
});

describe('columns', () => {
  test('have the subject of each date', () => {
    const dates = ['2020-01-01', null, '2020-01-02', ''];
    const out = bound.protectMany(dates, { subjects: ['a', null, 'b', undefined] });
    expect(out).toEqual([
      bound.protect('2020-01-01', { subject: 'a' }),
      null,
      bound.protect('2020-01-02', { subject: 'b' }),
      '',
    ]);
    expect(() => bound.protectMany(dates, { subjects: ['a'] })).toThrow(RangeError);
    expect(() => bound.protectMany(['2020-01-01', 'x'], { subjects: ['a', null] })).toThrow(
      expect.objectContaining({ issues: [expect.objectContaining({ row: 2, code: 'missing_subject' })] }),
    );
  });
});

describe('in a policy', () => {
  const people = policy({
    patient: token({ scope: 'patient' }),
    visit: shiftDate({ scope: 'visit', subject: 'patient', days: 180 }),
    left: shiftDate({ scope: 'visit', subject: 'patient', days: 180 }),
    gone: drop,
    note: keep,
  });
  const clinic = people.bind(keys);
  const row = { patient: '7', visit: '2024-02-29T08:15:00Z', left: '2024-03-04', gone: 'x', note: 'n' };

  test('the subject is read as it came, before its own rule', () => {
    const safe = clinic.protect(row);
    expect(safe.visit).toBe(bound.protect(row.visit, { subject: '7' }));
    expect(daysOf(safe.left) - daysOf(safe.visit)).toBe(4);
    expect(clinic.protectMany([row, { ...row, patient: '8' }])[1]!.visit).toBe(
      bound.protect(row.visit, { subject: '8' }),
    );
  });

  test('also one that is dropped, and one that is nested', () => {
    const nested = policy({
      person: { id: drop },
      stays: keep,
      'born on': shiftDate({ scope: 'visit', subject: 'person.id', days: 180 }),
    }).bind(keys);
    const safe = nested.protect({ person: { id: 7 }, stays: 1, 'born on': '1999-01-31' });
    expect(safe['born on']).toBe(bound.protect('1999-01-31', { subject: 7 }));
  });

  test('CSV and NDJSON are the same, and tell a missing subject with its row', async () => {
    const read = async (stream: AsyncIterable<Uint8Array>): Promise<string> => {
      let text = '';
      for await (const part of stream) text += new TextDecoder().decode(part);
      return text;
    };
    const names = ['patient', 'visit', 'left', 'gone', 'note'] as const;
    const csv = `${names.join()}\n${names.map((name) => row[name]).join()}\n`;
    const safe = clinic.protect(row);
    expect(await read(protectCsv([csv], clinic))).toBe(
      `patient,visit,left,note\n${safe.patient},${safe.visit},${safe.left},n\n`,
    );
    expect(JSON.parse(await read(protectNdjson([`${JSON.stringify(row)}\n`], clinic)))).toEqual(safe);
    const missing = await read(protectCsv([`${csv},2024-01-01,,,\n`], clinic)).catch((error: unknown) => error);
    expect((missing as TrefoilError).issues).toEqual([
      expect.objectContaining({ code: 'missing_subject', row: 2, line: 3, field: 'visit' }),
    ]);
  });

  test('a subject that is no field of the policy is refused', () => {
    expect(() => policy({ a: shiftDate({ scope: 's', subject: 'b', days: 3 }) })).toThrow(TrefoilError);
    expect(() => shiftDate({ scope: 's', subject: 'b[].c', days: 3 })).toThrow(RangeError);
    expect(() => shiftDate({ scope: 's', subject: 'b', days: 0 })).toThrow(RangeError);
    expect(() => shiftDate({ scope: 's', subject: 'b', days: 3651 })).toThrow(RangeError);
  });

  test('stands in a policy file, and explain says what one known date does', () => {
    const sheet = {
      trefoil: 1,
      domain: 'clinic',
      fields: {
        patient: 'drop',
        visit: { rule: 'shiftDate', scope: 'visit', subject: 'patient', days: 180, prepareSubject: ['trim'] },
      },
    };
    const parsed = parsePolicy(sheet);
    expect(JSON.parse(JSON.stringify(parsed)).fields.visit).toEqual(sheet.fields.visit);
    expect(explain(parsed)).toContain('one known date of a subject reveals all of that subject');
    const safe = parsed.bind(keys).protect({ patient: ' 7 ', visit: '2024-02-29' });
    expect(safe.visit).toBe(
      shiftDate({ scope: 'visit', subject: 'p', days: 180, prepareSubject: [trim] })
        .bind(keys)
        .protect('2024-02-29', { subject: '7' }),
    );
  });
});

test('an attacker with one known date has all of that subject, and of no other', () => {
  const visits = (subject: string): string[] =>
    ['2024-01-03', '2024-02-14', '2024-05-01'].map((date) => bound.protect(date, { subject }));
  const [ada, bob] = [visits('ada'), visits('bob')];
  const by = daysOf('2024-01-03') - daysOf(ada[0]!);
  const moved = (dates: readonly string[]): string[] =>
    dates.map((date) => new Date((daysOf(date) + by) * DAY).toISOString().slice(0, 10));
  expect(moved(ada)).toEqual(['2024-01-03', '2024-02-14', '2024-05-01']);
  const sameOffset = offset('ada') === offset('bob');
  expect(moved(bob)[0] === '2024-01-03').toBe(sameOffset);
});
