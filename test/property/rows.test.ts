import fc from 'fast-check';
import { expect, it } from 'vitest';
import { drop, each, keep, keyset, mask, optional, policy, token } from '../../src/index.ts';
import { keysetJson, testRoot } from '../reference/tree.ts';

const keys = keyset.parse(keysetJson(testRoot('rows'))).domain('rows');

const fields = {
  id: token({ scope: 'person' }),
  name: mask({ first: 1 }),
  city: optional(keep),
  notes: drop,
  home: { street: optional(mask({})), zip: keep },
  tags: each(token({ scope: 'tag' })),
} as const;
const bound = policy(fields).bind(keys);
const loose = policy(fields, { unnamed: 'drop' }).bind(keys);
const id = token({ scope: 'person' }).bind(keys);
const tag = token({ scope: 'tag' }).bind(keys);

const one = policy({ text: mask({ first: 1 }) }).bind(keys);
const none = policy({ text: mask({}) }).bind(keys);

/** The expected output of a record, name by name; `null` if the record is refused. */
function literal(row: Record<string, unknown>, dropOthers: boolean): string | null {
  const known = ['id', 'name', 'city', 'notes', 'home', 'tags'];
  if (!dropOthers && Object.keys(row).some((name) => !known.includes(name))) return null;
  for (const name of ['id', 'name', 'home', 'tags', 'notes']) if (!Object.hasOwn(row, name)) return null;
  const masked = (text: unknown, first: number) => (first === 1 ? one : none).protect({ text } as never).text;
  const out: [string, unknown][] = [];
  for (const [name, value] of Object.entries(row)) {
    if (name === 'id') out.push([name, id.protect(value as string)]);
    if (name === 'name') out.push([name, masked(value, 1)]);
    if (name === 'city') out.push([name, value]);
    if (name === 'tags') out.push([name, (value as string[]).map((item) => tag.protect(item))]);
    if (name === 'home') {
      const home = value as Record<string, unknown>;
      if (!Object.hasOwn(home, 'zip')) return null;
      if (!dropOthers && Object.keys(home).some((inner) => inner !== 'zip' && inner !== 'street')) return null;
      const inside = Object.entries(home).filter(([inner]) => inner === 'zip' || inner === 'street');
      out.push([name, Object.fromEntries(inside.map(([n, v]) => [n, n === 'street' ? masked(v, 0) : v]))]);
    }
  }
  return JSON.stringify(Object.fromEntries(out));
}

const text = fc.constantFrom('', 'Ada', 'Zoë', 'Guðrún');
const value: Record<string, fc.Arbitrary<unknown>> = {
  id: fc.constantFrom('1', '2', '10017'),
  name: text,
  city: text,
  notes: text,
  home: fc.record({ zip: text, street: text, more: text }, { requiredKeys: [] }),
  tags: fc.array(fc.constantFrom('a', 'b'), { maxLength: 3 }),
  other: text,
  toString: text,
};

/** The names of a record in an order. Most records of a batch have one order; some have another, or lack a name. */
const usual = fc.constantFrom(
  ['id', 'name', 'notes', 'home', 'tags'],
  ['tags', 'city', 'name', 'home', 'notes', 'id'],
  ['id', 'name', 'notes', 'home', 'tags', 'other'],
);
const any = fc.shuffledSubarray(Object.keys(value), { minLength: 4 });
const record = (names: readonly string[]) =>
  fc.tuple(...names.map((name) => value[name]!)).map((values) => {
    const row: Record<string, unknown> = {};
    names.forEach((name, i) => {
      row[name] = values[i];
    });
    return row;
  });
const batch = usual.chain((names) =>
  fc.array(fc.oneof({ weight: 9, arbitrary: record(names) }, { weight: 1, arbitrary: any.chain(record) }), {
    maxLength: 12,
  }),
);

it('a batch of records is what each record is alone, whatever names its neighbours have', () => {
  fc.assert(
    fc.property(batch, fc.boolean(), (rows, dropOthers) => {
      const rejected = new Set<number>();
      const policyOf = dropOthers ? loose : bound;
      const out = policyOf.protectMany(rows as never[], { onReject: (issue) => void rejected.add(issue.row ?? 0) });
      const expected = rows.map((row) => literal(row, dropOthers));
      expect(out.map((row) => JSON.stringify(row))).toEqual(expected.filter((row) => row !== null));
      expect([...rejected].sort((a, b) => a - b)).toEqual(expected.flatMap((row, i) => (row === null ? [i + 1] : [])));
    }),
    { numRuns: 2000 },
  );
});
