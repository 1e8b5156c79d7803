/**
 * `project` in code: records go into the domain of a recipient. What the two policies allow is checked field by field,
 * before the first record.
 */
import { describe, expect, it } from 'vitest';
import { pattern } from '../../src/format.ts';
import {
  coarsen,
  constant,
  drop,
  each,
  fpe,
  keep,
  keyset,
  mask,
  optional,
  type Policy,
  policy,
  type Rule,
  seal,
  shiftDate,
  TrefoilError,
  token,
} from '../../src/index.ts';
import { addDomain, addKey, promoteKey } from '../../src/keys.ts';
import { project } from '../../src/policy.ts';
import { revealAccess } from '../../src/reveal.ts';
import { vault } from '../../src/vault.ts';
import { ID, ROW, TRAVELLING, WITH_NOTES } from './fields.ts';

const ONE = addDomain(addDomain(keyset.generate(), 'b', { of: 'a' }), 'c', { of: 'a' });
const TWO = (() => {
  const both = addKey(ONE);
  return promoteKey(both, both.ids[1]!);
})();

/** The domain of the controller, and those of two recipients, in the first epoch and in the second. */
const [a1, b1] = [ONE.domain('a'), ONE.domain('b')];
const [a2, b2, c2] = [TWO.domain('a'), TWO.domain('b'), TWO.domain('c')];

const ours = policy({
  ...WITH_NOTES,
  name: seal({ scope: 'person.name' }),
  age: seal({ scope: 'age', value: 'integer' }),
  pan: fpe({ scope: 'pan', format: pattern('999999999') }),
  nick: vault({ scope: 'nick', store: 'main' }),
  seen: shiftDate({ scope: 'visit', subject: 'id', days: 30 }),
});
/** A policy for the recipient, in which everything that cannot travel is dropped. */
const fields = { ...TRAVELLING, name: drop, age: drop, pan: drop, nick: drop, seen: drop };

function issuesOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof TrefoilError) return error.issues.map(({ code, field }) => `${code} ${field ?? '-'}`);
    if (error instanceof TypeError || error instanceof RangeError) return [error.name];
    throw error;
  }
  return [];
}

/** Our policy without the fields that never travel, to make records with. */
const plain = policy(WITH_NOTES);
const fromKey = a1.keyId;

describe('what comes out is what the recipient would protect', () => {
  it.each([
    ['to a recipient', a1, b1],
    ['from a later epoch', a2, b2],
    ['from an earlier epoch to a later one', a1, b2],
    ['from one recipient to another', b2, c2],
    ['back to the parent', b2, a2],
  ])('%s', (_, from, to) => {
    const row = { ...ROW, notes: 'called' };
    const safe = plain.bind(from).protect(row);
    const { notes: _notes, ...theirs } = plain.fields as Record<string, Rule>;
    expect(Object.keys(theirs)).toHaveLength(8);
    const moved = project(plain, { from, to, fromKey: from.keyId }).project(safe);
    expect(moved).toEqual(plain.bind(to).protect(row));
    expect(moved.id).not.toBe(safe.id);
    expect(moved.code).not.toBe(safe.code);
  });

  it('makes fields coarser, and drops and replaces them, as the policy of the recipient says', () => {
    const as = policy({
      id: ID,
      code: drop,
      born: coarsen({ date: 'year' }),
      spent: coarsen({ number: 100 }),
      phone: constant({ value: '-' }),
      city: mask({ first: 1 }),
      items: drop,
    });
    const moving = project(plain, { from: a1, to: b1, as, fromKey });
    const rows = [ROW, { ...ROW, born: null, spent: null, phone: null, city: '', items: null }];
    const safe = plain.bind(a1).protectMany(rows.map((row) => ({ ...row, notes: 'x' })) as never);
    const { id } = plain.bind(b1).protect({ ...ROW, notes: 'x' });
    expect(moving.projectMany(safe as never)).toEqual([
      { id, born: '1984', spent: 0, phone: '-', city: 'O***' },
      { id, born: null, spent: null, phone: '-', city: '' },
    ]);
  });

  it('drops what the policy of the recipient does not name, if it says so', () => {
    const as = policy({ id: ID, items: each({ by: ID }) }, { unnamed: 'drop' });
    const safe = plain.bind(a1).protect({ ...ROW, notes: 'x' });
    const theirs = plain.bind(b1).protect({ ...ROW, notes: 'x' });
    expect(project(plain, { from: a1, to: b1, as, fromKey }).project(safe)).toEqual({
      id: theirs.id,
      items: [{ by: theirs.id }, { by: null }],
    });
  });

  it('coarsens a shifted date, and with revealAccess a sealed and an fpe value', () => {
    const mine = policy({
      id: ID,
      age: seal({ scope: 'age', value: 'integer' }),
      pan: fpe({ scope: 'pan', format: pattern('999999999') }),
      seen: shiftDate({ scope: 'visit', subject: 'id', days: 30 }),
    });
    const as = policy({
      id: ID,
      age: coarsen({ number: 10 }),
      pan: coarsen({ prefix: 3 }),
      seen: coarsen({ date: 'year' }),
    });
    const from = ONE.domain('a', { keyCheck: a1.keyCheck });
    const rows = [
      { id: 7, age: 34, pan: '123456789', seen: '2024-07-01' },
      { id: 8, age: null, pan: '', seen: null },
    ];
    const safe = mine.bind(a1).protectMany(rows as never);
    const ids = policy({ id: ID })
      .bind(b1)
      .protectMany([{ id: 7 }, { id: 8 }]);
    const moving = project(mine, { from, to: b1, as }, revealAccess);
    expect(moving.projectMany(safe as never)).toEqual([
      { ...ids[0], age: 30, pan: '123', seen: '2024' },
      { ...ids[1], age: null, pan: '', seen: null },
    ]);
    expect(issuesOf(() => project(mine, { from, to: b1, as }))).toEqual(['reveal_access_required age']);
    const loose = policy({ pan: fpe({ scope: 'pan', format: pattern('999999999') }) });
    const coarse = policy({ pan: coarsen({ prefix: 3 }) });
    expect(issuesOf(() => project(loose, { from: a1, to: b1, as: coarse }, revealAccess))).toEqual([
      'key_check_required pan',
    ]);
  });
});

describe('what is refused', () => {
  it('every field that cannot travel, all at once, and by name', () => {
    const stuck = ['name', 'age', 'pan', 'nick', 'seen'].map((field) => `wrong_option ${field}`);
    expect(issuesOf(() => project(ours, { from: a1, to: b1 }))).toEqual(stuck);
    const { notes: _, ...same } = ours.fields as Record<string, Rule>;
    expect(Object.keys(same)).toContain('items[].by');
    expect(issuesOf(() => project(ours, { from: a1, to: b1, as: policy(fields), fromKey }))).toEqual([]);
  });

  const keeping = (more: object): Policy => policy({ ...fields, ...more } as never) as unknown as Policy;
  it.each([
    ['a sealed value that is kept', { name: keep }, 'name'],
    ['a sealed value that would be sealed again', { name: seal({ scope: 'person.name' }) }, 'name'],
    ['a vault token that is masked', { nick: mask({ first: 1 }) }, 'nick'],
    ['a token of another scope', { id: token({ scope: 'other', label: 'othr' }) }, 'id'],
    ['a token of another form', { id: token({ scope: 'person' }) }, 'id'],
    ['a token that is kept', { id: keep }, 'id'],
    ['a kept value that becomes a token', { city: token({ scope: 'city' }) }, 'city'],
    ['a field that the recipient wants and the records lack', { extra: keep }, 'extra'],
    ['a field that our policy drops', { notes: keep }, 'notes'],
    ['an array that is a field', { items: keep }, 'items'],
    ['an array of other elements', { items: each(keep) }, 'items[]'],
    ['a field of the elements that is not named', { items: each({ sku: keep }) }, 'items[].by'],
    ['another field of the elements', { items: each({ sku: keep, by: ID, more: keep }) }, 'items[].more'],
  ])('%s', (_, more, field) => {
    expect(issuesOf(() => project(ours, { from: a1, to: b1, as: keeping(more), fromKey }))).toEqual([
      `wrong_option ${field}`,
    ]);
  });

  it('a field that the policy of the recipient does not name', () => {
    const { city: _, ...others } = fields;
    expect(issuesOf(() => project(ours, { from: a1, to: b1, as: policy(others), fromKey }))).toEqual([
      'wrong_option city',
    ]);
    // What may be absent need not be there.
    expect(
      issuesOf(() => project(ours, { from: a1, to: b1, as: keeping({ extra: optional(keep) }), fromKey })),
    ).toEqual([]);
  });

  it('the same domain, an unrelated one, and keys that the policies do not pin', () => {
    const own = policy({ id: ID }, { domain: 'a', keyCheck: a1.keyCheck });
    const theirs = policy({ id: ID }, { domain: 'b', keyCheck: b1.keyCheck });
    expect(issuesOf(() => project(own, { from: a1, to: b1, as: theirs }))).toEqual([]);
    expect(issuesOf(() => project(own, { from: a1, to: a1 }))).toEqual(['wrong_domain -']);
    expect(issuesOf(() => project(own, { from: b1, to: a1 }))).toEqual(['wrong_domain -']);
    expect(issuesOf(() => project(own, { from: a1, to: ONE.domain('c'), as: theirs }))).toEqual(['wrong_domain -']);
    expect(issuesOf(() => project(own, { from: a1, to: ONE.domain('z') }))).toEqual(['not_related id']);
    expect(issuesOf(() => project(own, { from: a1, to: keyset.generate().domain('b') }))).toEqual(['not_related id']);
    expect(issuesOf(() => project(own, { from: a1, to: b2, as: theirs }))).toEqual(['key_not_pinned -']);
    // Tokens without a label do not show their key.
    const bare = policy({ id: token({ scope: 'person' }) });
    expect(issuesOf(() => project(bare, { from: a1, to: b1 }))).toEqual(['epoch_required id']);
  });

  it('records that are not of our domain, and raw ones', () => {
    const one = policy({ id: ID, notes: drop });
    const moving = project(one, { from: a1, to: b1 });
    const codes: string[] = [];
    const foreign = policy({ id: ID }).bind(keyset.generate().domain('a')).protect({ id: 7 });
    const other = policy({ id: token({ scope: 'person', label: 'mail' }) })
      .bind(a1)
      .protect({ id: 7 });
    const rows = [foreign, other, { id: 'ada' }, { id: 'ada', notes: 'x' }];
    moving.projectMany(rows as never, { onReject: ({ code }) => codes.push(code) });
    expect(codes).toEqual(['foreign_token', 'foreign_token', 'malformed_token', 'unnamed_field', 'malformed_token']);
    // A record that was projected already passes.
    const there = policy({ id: ID }).bind(b1).protect({ id: 7 });
    expect(moving.project(there as never)).toEqual(there);
  });
});
