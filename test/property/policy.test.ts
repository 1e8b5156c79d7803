/**
 * Properties of every policy that `check` accepts, for every record that fits the policy.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { visible } from '../../src/core/visible.ts';
import type { Issue } from '../../src/errors.ts';
import { card, digits, type Format, pattern, text } from '../../src/format.ts';
import {
  coarsen,
  constant,
  drop,
  each,
  fpe,
  inspect,
  keep,
  keyset,
  mask,
  optional,
  policy,
  seal,
  TrefoilError,
  token,
} from '../../src/index.ts';
import { escapeName } from '../../src/policy/file/path.ts';
import { check, parsePolicy } from '../../src/policy.ts';
import {
  casefold,
  digitsOnly,
  emailAddress,
  emailAddressExact,
  ipAddress,
  nfc,
  nfkc,
  type Prepare,
  phoneE164,
  phone as phoneStep,
  trim,
  wholeNumber,
} from '../../src/prepare.ts';
import { revealAccess } from '../../src/reveal.ts';
import type { Rule } from '../../src/rule/rule.ts';
import { luhnDigit } from '../reference/fpe.ts';
import { keysetJson, testRoot } from '../reference/tree.ts';
import { EVERY_FORMAT } from './every-format.ts';

const roots = [testRoot('property a'), testRoot('property b')];
const [keysA, keysB] = roots.map((root) => keyset.parse(keysetJson(root)));
const keys = keysA!.domain('eu');

/** A rule and the values that it takes. */
interface Kind {
  readonly rule: Rule;
  readonly values: fc.Arbitrary<unknown>;
  /** Whether `reveal` returns the value. */
  readonly back: boolean;
}

const free = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom('', '\0', '\ufeff', ' ', 'null'),
);
const number = (min: number, max: number) =>
  fc.array(fc.nat(9), { minLength: min, maxLength: max }).map((list) => list.join(''));
const over = (alphabet: string, min: number, max: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: min, maxLength: max });
const mail = fc
  .tuple(fc.stringMatching(/^[A-Za-z0-9]{1,12}$/), fc.stringMatching(/^[A-Za-z]{2,8}$/))
  .map(([a, b]) => `${a}@${b}.example`);
const phone = number(7, 12).map((tail) => `+4${tail}`);
const date = fc
  .tuple(fc.integer({ min: 1, max: 9999 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 }))
  .map(([y, m, d]) => `${`${y}`.padStart(4, '0')}-${`${m}`.padStart(2, '0')}-${`${d}`.padStart(2, '0')}`);

const PREPARES: readonly (readonly [readonly Prepare[], fc.Arbitrary<unknown>])[] = [
  [[], fc.oneof(free, fc.maxSafeInteger(), fc.bigInt())],
  [[trim], free],
  [[nfc], mail],
  [[casefold], mail],
  [[trim, nfkc, casefold], mail],
  [[nfkc, digitsOnly], number(1, 20)],
  [[emailAddress], mail],
  [[emailAddressExact], mail],
  [[phoneE164], phone],
  [[phoneStep], number(6, 11).map((tail) => `+49 (0)3${tail}`)],
  [[wholeNumber], fc.bigInt().map((whole) => `${whole}.00`)],
  [
    [ipAddress],
    fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV4().map((v4) => `::ffff:${v4}`),
    ),
  ],
];

const FORMATS: readonly (readonly [Format, fc.Arbitrary<string>])[] = [
  [digits(), number(6, 30)],
  [digits({ length: 9 }), number(9, 9)],
  [text('abcdefghij', { min: 6, max: 20 }), over('abcdefghij', 6, 20)],
  [text('\u{1f600}\u{1f601}é\u{10400}ab'), over('\u{1f600}\u{1f601}é\u{10400}ab', 8, 20)],
  [card(), number(12, 18).map((body) => body + luhnDigit(body))],
  [
    card({ clear: { first: 6 } }),
    number(15, 15).map((body) => (body + luhnDigit(body)).replace(/(.{4})(?=.)/g, '$1 ')),
  ],
  [pattern('A999999'), fc.tuple(over('ABCXYZ', 1, 1), number(6, 6)).map((parts) => parts.join(''))],
  [pattern('99-9999'), fc.tuple(number(2, 2), number(4, 4)).map((parts) => parts.join('-'))],
  // Some values of the other formats; test/property/fpe.test.ts has all. A hashed domain cannot be revealed.
  ...EVERY_FORMAT.filter(({ codebook, revealed }) => codebook === undefined && revealed === undefined).map(
    ({ format, like }) => [format, fc.constantFrom(...like)] as const,
  ),
];

const kinds: fc.Arbitrary<Kind> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.nat(PREPARES.length - 1),
        fc.constantFrom(undefined, 'cust', 'x1'),
        fc.constantFrom(undefined, [''], []),
      )
      .map(([index, label, missing]): Kind => {
        const [prepare, values] = PREPARES[index]!;
        // One scope and one label for each list of steps: two lists in one scope, or scopes of one label, are refused.
        const options = {
          scope: `t${index}`,
          ...(prepare.length > 0 && { prepare }),
          ...(missing && { missing }),
        } as const;
        return {
          rule: token(label === undefined ? options : { ...options, label: `${label}p${index}` }),
          values,
          back: false,
        };
      }),
  },
  {
    weight: 2,
    arbitrary: fc.nat(PREPARES.length - 1).map(
      (index): Kind => ({
        rule: token({ scope: `b${index}`, form: 'bare', prepare: PREPARES[index]![0] }),
        values: PREPARES[index]![1],
        back: false,
      }),
    ),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(fc.constantFrom('s', 'person.name', 'a-b_c.d'), fc.constantFrom(undefined, [''], [])).map(
      ([scope, missing]): Kind => ({
        rule: seal({ scope, ...(missing && { missing }) } as never),
        values: free,
        back: true,
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constant<Kind>({
      rule: seal({ scope: 'age', value: 'integer' }),
      values: fc.maxSafeInteger().map((n) => n + 0),
      back: true,
    }),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constantFrom(...FORMATS), fc.constantFrom('f', 'card.pan'))
      .map(([[format, values], scope]): Kind => ({ rule: fpe({ scope, format }), values, back: true })),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Kind>(
      { rule: keep, values: fc.oneof(free, fc.double(), fc.boolean()), back: false },
      { rule: drop, values: fc.anything(), back: false },
      { rule: constant({ value: 'web' }), values: free, back: false },
      { rule: mask({ first: 1, last: 2 }), values: free, back: false },
      { rule: coarsen({ date: 'quarter' }), values: date, back: false },
      { rule: coarsen({ number: 0.25 }), values: fc.integer({ min: -1e9, max: 1e9 }).map((n) => n / 100), back: false },
      { rule: coarsen({ prefix: 2 }), values: free, back: false },
      { rule: coarsen({ ip: { v4: 20, v6: 40 } }), values: fc.oneof(fc.ipV4(), fc.ipV6()), back: false },
    ),
  },
);

/** A policy in the making: the rules, and how to make records for it. */
type Tree =
  | { readonly kind: 'leaf'; readonly leaf: Kind; readonly optional: boolean }
  | { readonly kind: 'fields'; readonly fields: ReadonlyMap<string, Tree> }
  | { readonly kind: 'each'; readonly item: Tree };

const names = fc.oneof(
  fc.constantFrom('id', 'name', 'user', 'a.b', 'x[]', '\\', 'constructor', 'toString', '0', '12', 'é\u{1f600}', ' '),
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
    // A policy in code has no name that would be a pattern: `*` as a whole name, or between dots or brackets.
    .filter((name) => name !== '__proto__' && name.isWellFormed() && !/(^|[.[])\*+($|[.\]])/.test(name)),
);
const leaf = fc.record({ kind: fc.constant('leaf' as const), leaf: kinds, optional: fc.boolean() });
const fieldsOf = (inner: fc.Arbitrary<Tree>, most: number): fc.Arbitrary<Tree & { kind: 'fields' }> =>
  fc
    .uniqueArray(fc.tuple(names, inner), { minLength: 1, maxLength: most, selector: ([name]) => name })
    .map((entries) => ({ kind: 'fields', fields: new Map(entries) }));
// The elements of an array cannot be dropped.
const mayBeElement = (item: Tree): boolean => item.kind !== 'leaf' || item.leaf.rule.rule !== 'drop';
const eachOf = (inner: fc.Arbitrary<Tree>): fc.Arbitrary<Tree> =>
  inner.filter(mayBeElement).map((item) => ({ kind: 'each', item }));
const depth2 = fc.oneof(
  { weight: 4, arbitrary: leaf },
  { weight: 1, arbitrary: fieldsOf(leaf, 3) },
  { weight: 1, arbitrary: eachOf(leaf) },
);
const depth1 = fc.oneof(
  { weight: 5, arbitrary: leaf },
  { weight: 2, arbitrary: fieldsOf(depth2, 3) },
  { weight: 2, arbitrary: eachOf(depth2) },
);
const trees = fieldsOf(depth1, 5);
const flatTrees = fieldsOf(leaf, 6);

function rulesOf(tree: Tree): unknown {
  if (tree.kind === 'leaf') return tree.optional ? optional(tree.leaf.rule) : tree.leaf.rule;
  if (tree.kind === 'each') return each(rulesOf(tree.item) as never);
  return Object.fromEntries([...tree.fields].map(([name, inner]) => [name, rulesOf(inner)]));
}

const missing = fc.constantFrom(null, undefined);

function recordsOf(tree: Tree): fc.Arbitrary<unknown> {
  if (tree.kind === 'leaf')
    return fc.oneof({ weight: 8, arbitrary: tree.leaf.values }, { weight: 1, arbitrary: missing });
  if (tree.kind === 'each')
    return fc.oneof(
      { weight: 8, arbitrary: fc.array(recordsOf(tree.item), { maxLength: 3 }) },
      { weight: 1, arbitrary: missing },
    );
  const entries = [...tree.fields].map(([name, inner]) => {
    const may = inner.kind === 'leaf' && inner.optional;
    const value = recordsOf(inner).map((is) => ({ is }));
    return (may ? fc.option(value, { nil: null }) : value).map((held) => [name, held] as const);
  });
  return fc
    .tuple(...entries)
    .chain((held) =>
      fc
        .shuffledSubarray(held, { minLength: held.length })
        .map((shuffled) =>
          Object.fromEntries(shuffled.flatMap(([name, value]) => (value === null ? [] : [[name, value.is]]))),
        ),
    );
}

/** What `reveal` must return: the value for seal and fpe fields, and the output of `protect` for all others. */
function expected(tree: Tree, value: unknown, safe: unknown): unknown {
  if (value === null || value === undefined) return safe;
  if (tree.kind === 'leaf') return tree.leaf.back ? value : safe;
  if (tree.kind === 'each')
    return (value as unknown[]).map((item, i) => expected(tree.item, item, (safe as unknown[])[i]));
  return Object.fromEntries(
    Object.entries(safe as object).map(([name, inner]) => [
      name,
      expected(tree.fields.get(name)!, (value as Record<string, unknown>)[name], inner),
    ]),
  );
}

/** Bound policies are made of plain verbs here: the compiler cannot know the fields. */
interface Verbs {
  readonly protect: (row: unknown) => Record<string, unknown>;
  readonly protectMany: (rows: readonly unknown[]) => Record<string, unknown>[];
  readonly protectColumns: (columns: object) => Record<string, unknown[]>;
  readonly reveal: (row: unknown) => unknown;
  readonly revealMany: (rows: readonly unknown[]) => unknown[];
}

const sheetOf = (tree: Tree) => policy(rulesOf(tree) as never, { domain: 'eu', keyCheck: keys.keyCheck });
const bindOf = (sheet: { bind: unknown }) =>
  (sheet.bind as (keys: unknown, access: unknown) => Verbs)(keys, revealAccess);
const withRows = (tree: fc.Arbitrary<Tree & { kind: 'fields' }>, most: number) =>
  tree.chain((made) => fc.tuple(fc.constant(made), fc.array(recordsOf(made), { minLength: 1, maxLength: most })));

describe('every policy and every record it admits', () => {
  it('reveal gives x on seal and fpe fields, protect is deterministic, nothing is written to the input', () => {
    fc.assert(
      fc.property(withRows(trees, 3), ([tree, rows]) => {
        const sheet = sheetOf(tree);
        const bound = bindOf(sheet);
        const before = structuredCloneOf(rows);
        const safe = rows.map((row) => bound.protect(row));
        expect(rows).toEqual(before);
        for (const [i, row] of rows.entries()) {
          expect(bound.reveal(safe[i])).toEqual(expected(tree, row, safe[i]));
          expect(Object.keys(safe[i]!)).toEqual(Object.keys(row as object).filter((name) => isKept(tree, name)));
        }
        expect(bindOf(sheet).protectMany(rows)).toEqual(safe);
        expect(bound.revealMany(safe)).toEqual(safe.map((row) => bound.reveal(row)));
      }),
      { numRuns: 400 },
    );
  });

  it('the file form is accepted by check and does the same', () => {
    fc.assert(
      fc.property(withRows(trees, 1), ([tree, rows]) => {
        const sheet = sheetOf(tree);
        const json = JSON.stringify(sheet);
        expect(check(JSON.parse(json))).toEqual([]);
        const read = parsePolicy(JSON.parse(json));
        expect(JSON.stringify(read)).toBe(json);
        const [bound, fromFile] = [bindOf(sheet), bindOf(read)];
        const safe = bound.protect(rows[0]);
        expect(fromFile.protect(rows[0])).toEqual(safe);
        expect(fromFile.reveal(safe)).toEqual(bound.reveal(safe));
      }),
      { numRuns: 200 },
    );
  });

  it('columns of a flat policy are the columns of its records', () => {
    fc.assert(
      fc.property(withRows(flatTrees, 4), ([tree, made]) => {
        // Columns have a value in every row.
        const rows = made.map((row) =>
          Object.fromEntries(
            [...tree.fields.keys()].map((name) => [
              name,
              Object.hasOwn(row as object, name) ? (row as Record<string, unknown>)[name] : undefined,
            ]),
          ),
        );
        const sheet = sheetOf(tree);
        const bound = bindOf(sheet);
        const paths = Object.keys(sheet.fields);
        const byPath = new Map(
          paths.map((path) => [
            path,
            [...tree.fields.keys()].find((name) => path === name.replace(/[.[\]\\*]/g, '\\$&'))!,
          ]),
        );
        const columns = Object.fromEntries(paths.map((path) => [path, rows.map((row) => row[byPath.get(path)!])]));
        const safe = bound.protectMany(rows);
        const out = bound.protectColumns(columns);
        const kept = paths.filter((path) => isKept(tree, byPath.get(path)!));
        expect(Object.keys(out).sort()).toEqual(kept.sort());
        for (const path of kept) expect(out[path]).toEqual(safe.map((row) => row[byPath.get(path)!]));
      }),
      { numRuns: 200 },
    );
  });
});

function isKept(tree: Tree & { kind: 'fields' }, name: string): boolean {
  const inner = tree.fields.get(name)!;
  return inner.kind !== 'leaf' || inner.leaf.rule.rule !== 'drop';
}

/** A copy that keeps what it cannot clone, so that a change of a container shows. */
function structuredCloneOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(structuredCloneOf);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, structuredCloneOf(inner)]));
}

describe('tokens never meet', () => {
  const domain = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,10}$/);
  const lists = fc.shuffledSubarray([nfc, nfkc, trim, casefold, emailAddress], { maxLength: 3 });
  const place = fc.record({ root: fc.nat(1), domain, scope: domain, lists });

  it('of two roots, domains, scopes or prepare lists', () => {
    fc.assert(
      fc.property(place, place, mail, ({ ...a }, b, value) => {
        const nameOf = (at: typeof a) =>
          JSON.stringify([at.root, at.domain, at.scope, at.lists.map(({ step }) => step)]);
        const bodyOf = (at: typeof a) =>
          inspect(
            token({ scope: at.scope, prepare: at.lists })
              .bind([keysA!, keysB!][at.root]!.domain(at.domain))
              .protect(value) as string,
          )!.body;
        expect(bodyOf(a) === bodyOf(b)).toBe(nameOf(a) === nameOf(b));
        for (const change of [{ root: 1 - a.root }, { domain: b.domain }, { scope: b.scope }, { lists: b.lists }]) {
          const other = { ...a, ...change };
          expect(bodyOf(other) === bodyOf(a)).toBe(nameOf(other) === nameOf(a));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('of two values, unless the steps make them one', () => {
    const rule = token({ scope: 'v', prepare: casefold }).bind(keys);
    fc.assert(
      fc.property(over('aAbBcC', 1, 6), over('aAbBcC', 1, 6), (a, b) => {
        expect(rule.protect(a) === rule.protect(b)).toBe(a.toLowerCase() === b.toLowerCase());
      }),
    );
  });
});

describe('no message contains a piece of its input', () => {
  // Letters that are in no message, and a few ASCII letters in an order that is in no message.
  const secret = fc.oneof(
    over('\u0416\u0429\u042f\u0436\u0449', 4, 30),
    fc.array(fc.constantFrom('QXZQ', 'ZQJX', 'JXQZ'), { minLength: 1, maxLength: 6 }).map((parts) => parts.join('')),
    fc
      .tuple(over('\u0416\u0429\u042f\u0436\u0449', 4, 8), fc.constantFrom('\ud800', '@', '.', '-', ' '))
      .map((parts) => parts.join('')),
  );
  const hostile = fc.oneof(
    secret,
    secret.map((text) => ({ [text]: text })),
    secret.map((text) => [text, { a: text }]),
    secret.map((text) => new Error(text)),
    fc.double(),
    fc.boolean(),
  );
  /** `names` are the names of fields that the policy does not have: an issue shows them, and nothing inside them. */
  const clean = (error: unknown, names: readonly string[] = []) => {
    expect(error).toBeInstanceOf(TrefoilError);
    const { message, stack, issues } = error as TrefoilError;
    const fields = names.flatMap((name) => [visible(escapeName(name)), `b.${visible(escapeName(name))}`]);
    const withoutNames = (_: string, value: unknown) => {
      if (typeof value === 'bigint') return `${value}`;
      const { code, field, ...rest } = (value ?? {}) as Partial<Issue>;
      return code === 'unnamed_field' && fields.includes(field!) ? { code, ...rest } : value;
    };
    const inMessage = (text: string) =>
      fields.reduce((left, field) => left.replaceAll(`field ${field}: the policy`, 'field: the policy'), text);
    const shown = [
      inMessage(message),
      inMessage(stack!.split('\n    at ')[0]!),
      JSON.stringify(issues, withoutNames),
    ].join();
    expect(shown).not.toMatch(/[\u0400-\u04ff]|QXZQ|ZQJX|JXQZ/);
  };

  it('of protect and reveal, whatever stands in a field', () => {
    fc.assert(
      fc.property(kinds, hostile, (kind, value) => {
        const sheet = policy({ field: kind.rule } as never, { keyCheck: keys.keyCheck });
        const bound = bindOf(sheet);
        for (const verb of [
          bound.protect,
          bound.reveal,
          (row: unknown) => bound.protectMany([row, row]),
          (row: { field: unknown }) => bound.protectColumns({ field: [row.field] }),
        ]) {
          try {
            (verb as (row: unknown) => unknown)({ field: value });
          } catch (error) {
            clean(error);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('of protect and reveal, whatever the record is', () => {
    const bound = bindOf(
      policy({ a: keep, b: { c: seal({ scope: 's' }) }, d: each(seal({ scope: 's' })) } as never, {
        keyCheck: keys.keyCheck,
      }),
    );
    const record = fc.oneof(
      hostile,
      fc.record({ a: hostile, b: hostile, d: hostile }),
      fc.record({ a: hostile, b: fc.record({ c: hostile }), d: fc.array(hostile) }),
      fc.tuple(secret, hostile).map(([name, value]) => ({ a: 1, b: { c: 'x', [name]: value }, d: [], [name]: value })),
    );
    fc.assert(
      fc.property(record, (row) => {
        const own = (object: unknown) => (typeof object === 'object' && object !== null ? Object.keys(object) : []);
        const unknown = [...own(row), ...own((row as { readonly b?: unknown }).b)];
        for (const verb of [bound.protect, bound.reveal, (one: unknown) => bound.revealMany([one])]) {
          try {
            verb(row);
          } catch (error) {
            clean(error, unknown);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('of the steps and of matches', () => {
    const steps = [
      nfc,
      nfkc,
      trim,
      casefold,
      digitsOnly,
      emailAddress,
      emailAddressExact,
      phoneE164,
      ipAddress,
      phoneStep,
      wholeNumber,
    ];
    fc.assert(
      fc.property(fc.constantFrom(...steps), secret, (step, value) => {
        const rule = token({ scope: 'm', prepare: step }).bind(keys);
        for (const run of [
          () => step(value),
          () => rule.protect(value),
          () => rule.matches(value, value),
          () => rule.protectMany([value]),
        ]) {
          try {
            run();
          } catch (error) {
            clean(error);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
