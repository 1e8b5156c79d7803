/**
 * Every kind of column through every rule: arrays, typed arrays of numbers, UTF-8 with offsets. Also: equal values that
 * are worked on once, and columns whose getters call the rule again.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReportIssue } from '../../src/core/issues.ts';
import type { Issue } from '../../src/errors.ts';
import { digits, text } from '../../src/format.ts';
import {
  coarsen,
  constant,
  drop,
  fpe,
  keep,
  mask,
  policy,
  seal,
  token,
  type Utf8Column,
  utf8Column,
  utf8Texts,
} from '../../src/index.ts';
import { trim } from '../../src/prepare.ts';
import { revealAccess } from '../../src/reveal.ts';
import { runReported } from '../../src/rule/columns.ts';
import { onceEach } from '../../src/rule/once-each.ts';
import type { ColumnVerb } from '../../src/rule/rule.ts';
import { codeOf, thrown } from '../helpers/errors.ts';
import { source } from '../reference/texts.ts';
import { formReference, type TokenCase } from '../reference/token.ts';
import { DOMAIN, keys, pinned, ROOT } from './keys.ts';

type Many = (column: unknown) => unknown;
interface Verbs {
  readonly protect: (value: never) => unknown;
  readonly protectMany: Many;
}

const at: TokenCase = { root: ROOT, domain: DOMAIN, scope: 'person', prepare: [], label: 'cust' };
const cust = token({ scope: 'person', label: 'cust' }).bind(keys);

const RULES: Readonly<Record<string, Verbs>> = {
  token: cust as Verbs,
  'bare token': token({ scope: 'person', form: 'bare' }).bind(keys) as Verbs,
  'blake3 token': token({ scope: 'person', prf: 'blake3' }).bind(keys) as Verbs,
  'prepared token': token({ scope: 'person', prepare: trim, missing: [] }).bind(keys) as Verbs,
  'passing token': token({ scope: 'person', prepare: trim, onToken: 'pass' }).bind(keys) as Verbs,
  seal: seal({ scope: 'person.name' }).bind(keys) as Verbs,
  fpe: fpe({ scope: 'ref', format: text('abcdefghijklmnopqrstuvwxyz0123456789', { min: 4, max: 40 }) }).bind(
    pinned,
  ) as Verbs,
};

const TEXTS = ['abcd', 'zz99', 'q'.repeat(30), 'some0words1in2a3column'];

describe.each(Object.entries(RULES))('%s', (name, rule) => {
  const one = (value: unknown) => (rule.protect as (value: unknown) => unknown)(value);

  it.each([0, 1, 2, 15, 16, 17, 31, 32, 33, 511, 512, 1023, 1024, 1025, 2049])(
    'a column of %s rows is its values one by one, with holes and repeats',
    (rows) => {
      for (const kinds of [4, 1000]) {
        const column = Array.from({ length: rows }, (_, i) =>
          i % 11 === 5 ? null : i % 13 === 7 ? '' : i % 17 === 3 ? undefined : `v${(i * 7) % kinds}abc`,
        );
        expect(rule.protectMany(column)).toEqual(column.map(one));
      }
    },
  );

  it('UTF-8 goes in and out, the same as texts', () => {
    for (const rows of [0, 1, 16, 17, 1024, 1100, 3000]) {
      const column = Array.from({ length: rows }, (_, i) => (i % 9 === 4 ? null : TEXTS[(i * i) % 4]! + (i % 50)));
      const made = utf8Column(column);
      const out = rule.protectMany(made) as Utf8Column;
      expect(out.offsets).toBeInstanceOf(Int32Array);
      expect(utf8Texts(out)).toEqual(rule.protectMany(column));
      expect(out).toEqual(utf8Column(rule.protectMany(column) as string[]));
    }
  });

  it('UTF-8 that does not begin at 0 and does not end at the end', () => {
    const whole = utf8Column(['before', 'abcd', 'zz99', null, 'abcd', 'behind']);
    const part = { ...whole, offsets: whole.offsets.subarray(1, 6), validity: Uint8Array.of(0b11111011) };
    expect(utf8Texts(rule.protectMany(part) as Utf8Column)).toEqual(rule.protectMany(['abcd', 'zz99', null, 'abcd']));
  });

  it('a text that is not valid UTF-8 is an issue of its row, and no output is returned', () => {
    const bytes = Uint8Array.of(0x61, 0x62, 0x63, 0x64, 0xed, 0xa0, 0x80, 0x41, 0x65, 0x66, 0x67, 0x68, 0xc3);
    const error = thrown(() => rule.protectMany({ offsets: Int32Array.of(0, 4, 8, 12, 13), bytes }));
    expect(error.issues.map(({ code, row }) => [code, row])).toEqual([
      ['not_utf8', 2],
      ['not_utf8', 4],
    ]);
    expect(error.total).toBe(2);
    expect(error.message).not.toMatch(/abcd|efgh/);
    const lying = { offsets: Int32Array.of(0, 99), bytes };
    expect(() => rule.protectMany(lying)).toThrow(/^"offsets" /);
  });

  it.runIf(name === 'fpe')('issues of all kinds are in the order of rows', () => {
    const column = utf8Column(['no!', 'abcd', 'xxxx', 'no!']);
    column.bytes[7] = 0xff;
    const error = thrown(() => rule.protectMany(column));
    expect(error.issues.map(({ row }) => row)).toEqual([1, 3, 4]);
  });

  it.each([
    null,
    undefined,
    'text',
    5,
    {},
    new Set(['a']),
    new Uint8Array(2),
    new Uint8ClampedArray(2),
    new DataView(new ArrayBuffer(2)),
    { length: 1, 0: 'abcd' },
  ])('%o is no column', (column) => {
    expect(() => rule.protectMany(column)).toThrow(TypeError);
    expect(() => rule.protectMany(column)).toThrow(/^"column" expected an array, got /);
  });
});

describe('typed arrays', () => {
  const WHOLE = [0, 1, 7, 100, 127];
  it.each([Int8Array, Int16Array, Int32Array, Uint16Array, Uint32Array, Float32Array, Float64Array])(
    '%o is the array of its numbers',
    (kind) => {
      const column = kind.from(WHOLE);
      const expected = WHOLE.map((value) => formReference(at, String(value)));
      expect(cust.protectMany(column)).toEqual(expected);
      expect(Array.isArray(cust.protectMany(column))).toBe(true);
      expect(cust.protectMany(new kind(0))).toEqual([]);
      expect(cust.protectMany(column.subarray(1, 3))).toEqual(expected.slice(1, 3));
    },
  );

  it('of signs, zeros of both, and the largest that are safe', () => {
    const safe = Number.MAX_SAFE_INTEGER;
    expect(cust.protectMany(Float64Array.of(-0, 0, -7, safe, -safe))).toEqual(
      ['0', '0', '-7', `${safe}`, `-${safe}`].map((value) => formReference(at, value)),
    );
    expect(cust.protectMany(Int32Array.of(-(2 ** 31), 2 ** 31 - 1))).toEqual(
      ['-2147483648', '2147483647'].map((value) => formReference(at, value)),
    );
  });

  it('of bigints', () => {
    const [least, most] = [-(2n ** 63n), 2n ** 64n - 1n];
    expect(cust.protectMany(BigInt64Array.of(least, -1n, 0n, 5n))).toEqual(
      [`${least}`, '-1', '0', '5'].map((value) => formReference(at, value)),
    );
    expect(cust.protectMany(BigUint64Array.of(0n, most))).toEqual(
      ['0', `${most}`].map((value) => formReference(at, value)),
    );
  });

  it('of NaN, infinity, fractions and unsafe integers are refused by their rows', () => {
    const error = thrown(() =>
      cust.protectMany(
        Float64Array.of(1, Number.NaN, 2, 0.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53, -(2 ** 53)),
      ),
    );
    expect(error.issues.map(({ code, row }) => [code, row])).toEqual(
      [2, 4, 5, 6, 7, 8].map((row) => ['unsafe_integer', row]),
    );
    expect(thrown(() => cust.protectMany(Float32Array.of(0.1))).code).toBe('unsafe_integer');
  });

  it('through the rules that take numbers', () => {
    const ages = seal({ scope: 'age', value: 'integer' }).bind(keys, revealAccess);
    const column = Int16Array.of(5, -7, 0, 300);
    const sealed = ages.protectMany(column as unknown as number[]);
    expect(sealed).toEqual([5, -7, 0, 300].map((value) => ages.protect(value)));
    expect(ages.revealMany(sealed)).toEqual([5, -7, 0, 300]);
    expect(thrown(() => ages.protectMany(Float64Array.of(-0, 1, 0.5) as unknown as number[])).issues).toHaveLength(2);
  });
});

describe('reveal of columns', () => {
  it('seal: UTF-8 in, UTF-8 out', () => {
    const names = seal({ scope: 'name' }).bind(keys, revealAccess);
    const column = [
      'Ada',
      null,
      '',
      'Zoë',
      'x'.repeat(100),
      '\ufeffb',
      ...Array.from({ length: 40 }, (_, i) => `n${i}`),
    ];
    const sealed = names.protectMany(utf8Column(column) as never) as unknown as Utf8Column;
    expect(utf8Texts(names.revealMany(sealed as never) as unknown as Utf8Column)).toEqual(column);
    expect(names.revealMany(utf8Texts(sealed) as never)).toEqual(column);
  });

  it('fpe: UTF-8 in, UTF-8 out', () => {
    const refs = fpe({ scope: 'ref', format: digits() }).bind(pinned, revealAccess);
    const column = ['123456', null, '000000', '99999999'];
    const out = refs.protectMany(utf8Column(column) as never) as unknown as Utf8Column;
    expect(utf8Texts(out)).toEqual(refs.protectMany(column as string[]));
    expect(utf8Texts(refs.revealMany(out as never) as unknown as Utf8Column)).toEqual(column);
  });
});

describe('columns of a policy', () => {
  const sheet = policy({
    a: token({ scope: 'a' }),
    b: token({ scope: 'b', form: 'digits', prf: 'blake3' }),
    c: seal({ scope: 'c' }),
    d: fpe({ scope: 'd', format: digits() }),
    e: mask({ first: 1 }),
    f: coarsen({ prefix: 2 }),
    g: keep,
    h: drop,
    i: constant({ value: 'x' }),
    j: coarsen({ date: 'year' }),
    k: seal({ scope: 'k', value: 'integer' }),
  });
  const bound = sheet.bind(pinned);
  const columns = {
    a: ['x', null, 'é', ''],
    b: ['1', '2', null, '4'],
    c: ['x', 'y', '', null],
    d: ['123456', null, '654321', ''],
    e: ['Ada', 'Zoë', null, ''],
    f: ['12345', 'Zoë', '', null],
    g: ['keep', null, 'it', ''],
    h: ['a', 'b', 'c', 'd'],
    i: ['a', null, 'c', 'd'],
    j: ['2024-01-01', null, '1999-12-31', ''],
  };
  const expected = bound.protectColumns({ ...columns, k: [1, 2, 3, 4] }) as Record<string, unknown[]>;

  it('are the same whatever kind each of them is', () => {
    const utf8 = Object.fromEntries(Object.entries(columns).map(([path, column]) => [path, utf8Column(column)]));
    const out = bound.protectColumns({ ...utf8, k: Float64Array.of(1, 2, 3, 4) }) as Record<string, unknown>;
    expect(Object.keys(out)).toEqual(Object.keys(expected));
    for (const [path, column] of Object.entries(expected)) {
      const got = out[path];
      expect(Array.isArray(got) ? got : utf8Texts(got as Utf8Column), path).toEqual(column);
    }
    const mixed = bound.protectColumns({ ...columns, a: utf8Column(columns.a), k: Int32Array.of(1, 2, 3, 4) });
    expect(utf8Texts((mixed as Record<string, unknown>).a as Utf8Column)).toEqual(expected.a);
    expect((mixed as Record<string, unknown>).b).toEqual(expected.b);
    expect((mixed as Record<string, unknown>).k).toEqual(expected.k);
  });

  it('have one length, whatever kind each of them is', () => {
    const k = [1, 2, 3, 4];
    expect(() => bound.protectColumns({ ...columns, k, a: utf8Column(['x']) })).toThrow(/^"columns" .*equal length/);
    expect(() => bound.protectColumns({ ...columns, k: Int8Array.of(1) })).toThrow(/^"columns" .*equal length/);
    expect(() => bound.protectColumns({ ...columns, k: new Uint8Array(4) } as never)).toThrow(/^"columns" /);
    expect(() => bound.protectColumns({ ...columns, k: 'abcd' } as never)).toThrow(/^"columns" /);
  });

  it('tell issues by field and row', () => {
    const bad = utf8Column(['abc', 'def', 'ghi', 'jkl']);
    bad.bytes[4] = 0xff;
    const error = thrown(() =>
      bound.protectColumns({ ...columns, a: bad, c: ['x', '\ud800', 'y', 'z'], k: Float32Array.of(1, 2, 3, 0.5) }),
    );
    expect(error.issues.map(({ code, field, row }) => [code, field, row])).toEqual([
      ['not_utf8', 'a', 2],
      ['lone_surrogate', 'c', 2],
      ['unsafe_integer', 'k', 4],
    ]);
  });
});

describe('what is not text in a column of UTF-8', () => {
  it('coming out of a rule is an error that says so, with nothing of a value', () => {
    const ages = seal({ scope: 'age', value: 'integer' }).bind(keys, revealAccess);
    const sealed = utf8Column([ages.protect(41), ages.protect(42)]);
    const run = () => ages.revealMany(sealed as never);
    expect(run).toThrow();
    expect(thrown(run).message).not.toMatch(/41|42/);
    const error = thrown(() => ages.protectMany(utf8Column(['41', 'x']) as never));
    expect(error.issues.map(({ code, row }) => [code, row])).toEqual([
      ['wrong_type', 1],
      ['wrong_type', 2],
    ]);
  });
});

describe('onceEach', () => {
  /** A verb that records the columns that it was called with, and refuses some values. */
  const spy = () => {
    const asked: unknown[] = [];
    const verb: ColumnVerb = (column, report) =>
      column.map((value, i) => {
        asked.push(value);
        if (typeof value === 'string' && value.endsWith('!')) report(i, { code: 'outside_format', message: 'no' });
        return [typeof value, Object.is(value, -0) ? '-0' : String(value)].join(' ');
      });
    return { asked, verb };
  };
  const run = (verb: ColumnVerb, column: readonly unknown[]) => {
    const issues: [number, Issue][] = [];
    const out = verb(column, (i, issue) => issues.push([i, issue]));
    return { out, issues };
  };

  it('gives what the verb gives, row by row, and each issue at every row it is of', () => {
    const value = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'ccc', 'bad!', '', 'Zoë', '1', 'null', '-0') },
      fc.constantFrom(null, undefined, 0, -0, 1, Number.NaN, 1n, true),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 80 }),
        fc.nat(3),
        (few, times, extra) => {
          const column = Array.from({ length: times }, () => few).flat();
          for (let i = 0; i < extra; i++) column.splice(i * 3, 0, `only ${i}`);
          const { verb } = spy();
          const plain = run(verb, column);
          const once = run(onceEach(verb), column);
          expect(once.out).toEqual(plain.out);
          expect(once.issues).toEqual(plain.issues);
        },
      ),
      { numRuns: 300, seed: 9 },
    );
  });

  it('asks once for each text of a column that repeats, and for each value of one that does not', () => {
    const repeating = Array.from({ length: 5000 }, (_, i) => `v${i % 10}`);
    const few = spy();
    expect(onceEach(few.verb)(repeating, () => {})).toHaveLength(5000);
    expect(few.asked).toHaveLength(10);
    const different = Array.from({ length: 5000 }, (_, i) => `v${i}`);
    const many = spy();
    onceEach(many.verb)(different, () => {});
    expect(many.asked).toHaveLength(5000);
    const short = spy();
    onceEach(short.verb)(repeating.slice(0, 511), () => {});
    expect(short.asked).toHaveLength(511);
  });

  it('of a column with a fault passes it on', () => {
    const verb: ColumnVerb = () => {
      throw new Error('a fault');
    };
    expect(() => onceEach(verb)(new Array(2000).fill('a'), () => {})).toThrow('a fault');
  });

  it('under token, seal and all of them: random columns of few values and many', () => {
    const random = source(40);
    for (const [name, rule] of Object.entries(RULES)) {
      const one = (value: unknown) => (rule.protect as (value: unknown) => unknown)(value);
      for (const kinds of [1, 2, 3, 50, 700, 100_000]) {
        const values = Array.from({ length: Math.min(kinds, 3000) }, (_, i) => `value${i}`);
        const column = Array.from({ length: 2500 }, () => {
          const pick = random.below(20);
          return pick === 0 ? null : pick === 1 ? '' : pick === 2 ? undefined : values[random.below(values.length)]!;
        });
        expect(rule.protectMany(column), `${name}, ${kinds}`).toEqual(column.map(one));
      }
    }
  });

  it('an error is told at every row of it, the first 100, with the number of all', () => {
    const column = Array.from({ length: 3000 }, (_, i) => (i % 3 === 1 ? '\ud800' : `v${i % 5}`));
    const error = thrown(() => cust.protectMany(column));
    expect(error.total).toBe(1000);
    expect(error.issues.map(({ row }) => row)).toEqual(Array.from({ length: 100 }, (_, i) => 3 * i + 2));
    expect(new Set(error.issues.map(({ code }) => code))).toEqual(new Set(['lone_surrogate']));
  });

  it('0, -0, "0" and 0n in one column', () => {
    const column = Array.from({ length: 2000 }, (_, i) => [0, -0, '0', 0n, 'a', 'a', 'a', 'a'][i % 8]!);
    expect(cust.protectMany(column)).toEqual(column.map((value) => cust.protect(value)));
  });
});

describe('a column that calls back into its rule', () => {
  const ROWS = 2100;
  const expected = Array.from({ length: ROWS }, (_, i) => formReference(at, `row ${i}`));
  /** A column that calls a function when its row `row` is read. */
  function tricky(row: number, what: () => void): string[] {
    const column = Array.from({ length: ROWS }, (_, i) => `row ${i}`);
    Object.defineProperty(column, row, {
      enumerable: true,
      get() {
        what();
        return `row ${row}`;
      },
    });
    return column;
  }

  it.each([0, 1, 617, 1023, 1024, 1030, 2099])('in row %s, gives the right tokens of both', (row) => {
    // Enough rounds that some slots are compared with the reference while the column is worked on.
    for (let round = 0; round < 12; round++) {
      const inner: unknown[] = [];
      const column = tricky(row, () => {
        inner.push(cust.protectMany(['x', `${'y'.repeat(300)}`, 'z', 7]));
        inner.push(cust.protect('w'));
        inner.push(cust.matches('w', cust.protect('w') as string));
      });
      expect(cust.protectMany(column)).toEqual(expected);
      const right = ['x', 'y'.repeat(300), 'z', '7'].map((value) => formReference(at, value));
      expect(inner.slice(0, 3)).toEqual([right, formReference(at, 'w'), true]);
    }
  });

  it('with a column as large as itself, and that one again with another', () => {
    const deep = (level: number): string[] =>
      tricky(700 + level, () => {
        if (level > 0) expect(cust.protectMany(deep(level - 1))).toEqual(expected);
      });
    expect(cust.protectMany(deep(3))).toEqual(expected);
  });

  it('and is a proxy of an array', () => {
    const target = Array.from({ length: ROWS }, (_, i) => `row ${i}`);
    let reads = 0;
    const proxy = new Proxy(target, {
      get(object, key) {
        if (typeof key === 'string' && key.endsWith('99') && reads++ < 30) cust.protectMany(['a', 'b']);
        return Reflect.get(object, key);
      },
    });
    expect(cust.protectMany(proxy)).toEqual(expected);
  });

  it.each([0, 3, 617, 1023, 1024, 1500])('and throws in row %s: the next column is right', (row) => {
    for (let round = 0; round < 10; round++) {
      const column = tricky(row, () => {
        throw new RangeError('the caller’s own');
      });
      column[1] = 'long '.repeat(100);
      expect(() => cust.protectMany(column)).toThrow('the caller’s own');
      expect(cust.protectMany(['row 0', 'row 1', 'row 2', 'row 3'])).toEqual(expected.slice(0, 4));
      expect(cust.protect('row 5')).toBe(expected[5]);
      expect(cust.protectMany(Array.from({ length: ROWS }, (_, i) => `row ${i}`))).toEqual(expected);
    }
  });

  it('with other rules of other keys, and both kinds of function', () => {
    const other = token({ scope: 'other', prf: 'blake3' }).bind(keys);
    const right = formReference({ root: ROOT, domain: DOMAIN, scope: 'other', prepare: [], prf: 'blake3' }, 'x');
    const column = tricky(500, () => {
      expect(other.protectMany(['x', 'x'])).toEqual([right, right]);
    });
    expect(cust.protectMany(column)).toEqual(expected);
  });
});

describe('lone surrogates', () => {
  it('are refused by protect and protectMany, wherever they stand', () => {
    for (const rule of Object.values(RULES)) {
      for (const before of [0, 10, 54, 55, 56, 64, 500, 5000]) {
        for (const half of ['\ud800', '\udfff', '\udc00\ud800']) {
          const value = `${'x'.repeat(before)}${half}`;
          if (rule === RULES.fpe) continue;
          expect(codeOf(() => rule.protect(value as never))).toBe('lone_surrogate');
          expect(codeOf(() => rule.protectMany(['a', value]))).toBe('lone_surrogate');
          expect(thrown(() => rule.protectMany(['a', value])).issues[0]!.row).toBe(2);
        }
      }
    }
  });
});

it('errors of a column cost no stack trace, and the limit is as it was afterwards', () => {
  const limits: (number | undefined)[] = [];
  const limit = Error.stackTraceLimit;
  const verb = (column: readonly unknown[], report: ReportIssue): unknown[] =>
    column.map((value, i) => {
      limits.push(Error.stackTraceLimit);
      report(i, { code: 'not_a_date', message: 'm' });
      return value;
    });
  runReported(
    verb,
    [1, 2, 3],
    () => {},
    () => [],
  );
  expect(limits).toEqual([limit, 0, 0]);
  expect(Error.stackTraceLimit).toBe(limit);
  const broken = (_: readonly unknown[], report: ReportIssue): unknown[] => {
    report(0, { code: 'not_a_date', message: 'm' });
    throw new Error('a fault');
  };
  expect(() =>
    runReported(
      broken,
      [1],
      () => {},
      () => [],
    ),
  ).toThrow('a fault');
  expect(Error.stackTraceLimit).toBe(limit);
});
