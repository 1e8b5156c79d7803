/**
 * `rekey` in code: what comes out equals what `protect` makes of the originals under the new key, for every rule; and
 * what cannot be moved is refused before the first record.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pattern } from '../../src/format.ts';
import {
  type AnyIssue,
  coarsen,
  constant,
  drop,
  each,
  fpe,
  keep,
  keyset,
  optional,
  policy,
  seal,
  shiftDate,
  TrefoilError,
} from '../../src/index.ts';
import { addKey, promoteKey } from '../../src/keys.ts';
import { rekey } from '../../src/policy.ts';
import { revealAccess } from '../../src/reveal.ts';
import { vault } from '../../src/vault.ts';
import { EVERY_FORMAT } from '../property/every-format.ts';
import { ROW, WITHOUT_KEY } from './fields.ts';

const FIRST = keyset.generate();
const BOTH = addKey(FIRST);
const SECOND = promoteKey(BOTH, BOTH.ids[1]!);
const APART = (() => {
  const more = addKey(FIRST, { newLineage: true });
  return promoteKey(more, more.ids[1]!);
})();

const old = FIRST.domain('eu');
const now = SECOND.domain('eu');
const OLD = old.keyId;
const pins = { keyCheck: now.keyCheck };
const pinnedOld = FIRST.domain('eu', { keyCheck: { [OLD]: now.keyCheck[OLD]! } });
const oldAlone = SECOND.domain('eu', { keyCheck: { [OLD]: now.keyCheck[OLD]! } });
const pinnedNow = SECOND.domain('eu', pins);

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TrefoilError) return error.code;
    if (error instanceof TypeError || error instanceof RangeError) return error.name;
    throw error;
  }
  return 'none';
}

describe('what comes out is what protect makes under the new key', () => {
  it.each(['text', 'integer', 'json', 'date'] as const)('seal of %s', (value) => {
    const values = {
      text: fc.string({ unit: 'grapheme' }),
      integer: fc.maxSafeInteger(),
      json: fc.oneof(fc.string(), fc.boolean(), fc.maxSafeInteger()),
      date: fc.constantFrom('2024-02-29', '1984-03-12T08:15:00Z'),
    };
    const rule = policy({ name: seal({ scope: 'person.name', value }) });
    const moving = rekey(rule, { from: now, to: now }, revealAccess);
    const property = fc.property(fc.array(values[value] as fc.Arbitrary<never>, { minLength: 1 }), (column) => {
      const rows = column.map((name) => ({ name }));
      const before = rule.bind(old).protectMany(rows);
      const after = rule.bind(now).protectMany(rows);
      expect(moving.rekeyMany(before)).toEqual(after);
      // A second time changes nothing.
      expect(moving.rekeyMany(after as never)).toEqual(after);
      expect(before.map((row) => moving.rekey(row))).toEqual(after);
    });
    fc.assert(property, { numRuns: 50 });
  });

  it.each(EVERY_FORMAT.filter(({ name }) => !name.includes('hashed')))('fpe of $name', ({ format, like, codebook }) => {
    const options = { scope: 'any', format, ...(codebook === true ? { allowCodebook: 'a test' } : {}) };
    const rule = policy({ value: fpe(options as never) });
    const rows = like.map((value) => ({ value }));
    const before = rule.bind(old).protectMany(rows as never);
    const moved = rekey(rule, { from: pinnedOld, to: pinnedNow }, revealAccess).rekeyMany(before as never);
    expect(moved).toEqual(rule.bind(now).protectMany(rows as never));
    // The key may be named as well.
    const named = { from: pinnedNow, to: pinnedNow, fromKey: OLD };
    expect(rekey(rule, named, revealAccess).rekeyMany(before as never)).toEqual(moved);
  });

  it('a hashed domain cannot be turned back, so the field is refused', () => {
    const { format } = EVERY_FORMAT.find(({ name }) => name.includes('hashed'))!;
    const rule = policy({ mail: fpe({ scope: 'mail', format }) });
    expect(codeOf(() => rekey(rule, { from: pinnedOld, to: pinnedNow }, revealAccess))).toBe('not_renewable');
  });

  it('rules without a key pass, nested and in arrays, and dropped fields stay away', () => {
    const rule = policy({
      ...WITHOUT_KEY,
      age: coarsen({ number: 10, min: 20 }),
      from: constant({ value: 'web' }),
      user: { city: keep, notes: drop, name: seal({ scope: 'person.name' }) },
      items: each({ sku: keep, by: seal({ scope: 'person.name' }) }),
      more: optional(keep),
    });
    const { born, spent, phone, city } = ROW;
    const row = {
      ...{ born, spent, phone, city },
      age: 12,
      from: 'x',
      user: { city: 'Oslo', notes: 'called', name: 'Ada' },
      items: [
        { sku: 'A1', by: 'Zoë' },
        { sku: 'B2', by: null },
      ],
    };
    const moving = rekey(rule, { from: now, to: now }, revealAccess);
    expect(moving.rekey(rule.bind(old).protect(row))).toEqual(rule.bind(now).protect(row));
    // A dropped field in the records shows that they were never protected.
    const raw = { ...rule.bind(old).protect(row), user: { city: 'Oslo', notes: 'called', name: null } };
    expect(codeOf(() => moving.rekey(raw as never))).toBe('unnamed_field');
  });

  it('a missing text of the list passes, and a sealed value that is such a text stays sealed', () => {
    const before = policy({ name: seal({ scope: 'n', missing: [] }) })
      .bind(old)
      .protect({ name: 'NA' });
    const rule = policy({ name: seal({ scope: 'n' }) }, { missing: ['NA', ''] });
    const moving = rekey(rule, { from: now, to: now }, revealAccess);
    expect(moving.rekeyMany([{ name: 'NA' }, { name: '' }, { name: null }] as never)).toEqual([
      { name: 'NA' },
      { name: '' },
      { name: null },
    ]);
    const moved = moving.rekey(before as never) as { name: string };
    expect(moved).toEqual(
      policy({ name: seal({ scope: 'n', missing: [] }) })
        .bind(now)
        .protect({ name: 'NA' }),
    );
  });

  it('shifted dates stay, because the base of a lineage shifts them', () => {
    const rule = policy({ id: drop, seen: shiftDate({ scope: 'visit', subject: 'id', days: 180 }) });
    const row = { id: 7, seen: '2024-03-01' };
    const moving = rekey(rule, { from: now, to: now });
    expect(moving.rekey(rule.bind(old).protect(row) as never)).toEqual(rule.bind(now).protect(row));
    const apart = APART.domain('eu');
    expect(codeOf(() => rekey(rule, { from: apart, to: apart }))).toBe('not_renewable');
  });

  it('the tokens of a vault stay', () => {
    const rule = policy({ name: vault({ scope: 'person.name', store: 'people', label: 'nm' }) });
    const row = { name: 'nm_s0nr05ms0mtg95zaje2fzw5byxq5ez0cqbm' };
    expect(rekey(rule, { from: now, to: now }).rekey(row as never)).toEqual(row);
  });
});

describe('what is refused', () => {
  const sealed = policy({ name: seal({ scope: 'person.name' }) });
  const enciphered = policy({ pan: fpe({ scope: 'pan', format: pattern('999999999') }) });

  it.each([
    ['no revealAccess for seal', () => rekey(sealed, { from: now, to: now }), 'reveal_access_required'],
    ['no revealAccess for fpe', () => rekey(enciphered, { from: pinnedOld, to: pinnedNow }), 'reveal_access_required'],
    ['another domain', () => rekey(sealed, { from: old, to: SECOND.domain('us') }, revealAccess), 'wrong_domain'],
    [
      'fpe whose key is not named',
      () => rekey(enciphered, { from: pinnedNow, to: pinnedNow }, revealAccess),
      'epoch_required',
    ],
    [
      'fpe whose key is pinned alone, among several keys',
      () => rekey(enciphered, { from: oldAlone, to: pinnedNow }, revealAccess),
      'epoch_required',
    ],
    [
      'fpe from the primary key itself',
      () => rekey(enciphered, { from: pinnedNow, to: pinnedNow, fromKey: now.keyId }, revealAccess),
      'epoch_required',
    ],
    [
      'fpe from a key that is not pinned',
      () => rekey(enciphered, { from: now, to: pinnedNow, fromKey: OLD }, revealAccess),
      'key_check_required',
    ],
    [
      'fpe to a key that is not pinned',
      () => rekey(enciphered, { from: pinnedOld, to: now }, revealAccess),
      'key_check_required',
    ],
    ['to keys that may not protect', () => rekey(sealed, { from: now, to: oldAlone }, revealAccess), 'key_not_pinned'],
    [
      'a key that is not there',
      () => rekey(sealed, { from: now, to: now, fromKey: 'zzzzz' }, revealAccess),
      'RangeError',
    ],
    ['something else as a policy', () => rekey({} as never, { from: now, to: now }), 'TypeError'],
    ['something else as keys', () => rekey(sealed, { from: {} as never, to: now }), 'TypeError'],
  ])('%s', (_, run, code) => {
    expect(codeOf(run)).toBe(code);
  });

  it('pins that are in neither keyset, and pins that one side lacks', () => {
    const pinning = (keyCheck: Record<string, string>) =>
      policy({ name: seal({ scope: 'n' }) }, { domain: 'eu', keyCheck });
    const both = now.keyCheck;
    const alone = { [now.keyId]: both[now.keyId]! };
    const move = (keyCheck: Record<string, string>, from = now, to = now) =>
      codeOf(() => rekey(pinning(keyCheck), { from, to }, revealAccess));
    expect(move(both)).toBe('none');
    expect(move(both, old)).toBe('none');
    expect(move(alone)).toBe('none');
    // The file of yesterday does not have the key that is pinned.
    expect(move(alone, old)).toBe('key_check_mismatch');
    expect(move({ ...both, zzzzz: 'aybrrwdf0sv5jjp6' })).toBe('key_check_mismatch');
    expect(move({ ...both, [OLD]: 'aybrrwdf0sv5jjp6' })).toBe('key_check_mismatch');
    expect(move({ ...both, protects: OLD })).toBe('key_not_pinned');
    expect(move({ ...both, protects: now.keyId }, old)).toBe('none');
  });

  it('a value of the new key in a record whose other fields do not show their key', () => {
    const both = policy({ name: seal({ scope: 'n' }), pan: fpe({ scope: 'pan', format: pattern('999999999') }) });
    const row = { name: 'Ada', pan: '123456789' };
    const moving = rekey(both, { from: pinnedOld, to: pinnedNow }, revealAccess);
    const moved = moving.rekey(both.bind(old).protect(row));
    expect(moved).toEqual(both.bind(now).protect(row));
    const issues: AnyIssue[] = [];
    expect(
      moving.rekeyMany([moved, both.bind(old).protect(row)], { onReject: (issue) => issues.push(issue as AnyIssue) }),
    ).toEqual([moved]);
    expect(issues.map(({ code, row, field }) => [code, row, field])).toEqual([['already_rekeyed', 1, 'name']]);
  });

  it('damaged and foreign values, also those that show the primary key', () => {
    const foreign = keyset.generate().domain('eu');
    const moving = rekey(sealed, { from: now, to: now }, revealAccess);
    const cut = (text: string) => `${text.slice(0, 40)}${text[40] === '0' ? '1' : '0'}${text.slice(41)}`;
    const of = (keys: typeof now) => sealed.bind(keys).protect({ name: 'Ada' }).name as string;
    const codes: string[] = [];
    moving.rekeyMany([of(foreign), cut(of(old)), cut(of(now)), 'Ada'].map((name) => ({ name })) as never, {
      onReject: ({ code }) => codes.push(code),
    });
    expect(codes).toEqual(['unknown_key', 'reveal_failed', 'reveal_failed', 'not_sealed']);
  });

  it('no verb but its own', () => {
    const moving = rekey(sealed, { from: now, to: now }, revealAccess);
    expect(Object.keys(moving)).toEqual(['rekey', 'rekeyMany']);
  });
});
