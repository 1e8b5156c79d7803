/**
 * A property of `Object.prototype` is never an option. It may get there by a merge of JSON with `__proto__` in another
 * library. Each name of an option is put there in turn, and all outputs must stay the same.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkOptions, ownProperties } from '../src/core/checks.ts';
import { protectCsv } from '../src/csv.ts';
import { card, digits, email, iban, ip, phone, text, uuid } from '../src/format.ts';
import {
  coarsen,
  constant,
  type DomainKeys,
  drop,
  fpe,
  keep,
  keyset,
  mask,
  planLength,
  policy,
  seal,
  shiftDate,
  token,
} from '../src/index.ts';
import { protectFile } from '../src/node.ts';
import { FORMATS } from '../src/policy/file/formats.ts';
import { RULES } from '../src/policy/file/rules.ts';
import { FILE_OPTIONS } from '../src/policy/file/schema.ts';
import { check, explain, parsePolicy } from '../src/policy.ts';
import { revealAccess, secretAccess } from '../src/reveal.ts';
import { memoryStore, vault } from '../src/vault.ts';

const root = keyset.generate();
const { keyCheck } = root.domain('eu');
const keys = root.domain('eu', { keyCheck });

/** Runs with a property on `Object.prototype`. Nothing else may run meanwhile, so it is synchronous. */
function polluted<T>(name: string, value: unknown, run: () => T): T {
  Object.defineProperty(Object.prototype, name, { value, configurable: true, enumerable: true, writable: true });
  try {
    return run();
  } finally {
    delete (Object.prototype as unknown as Record<string, unknown>)[name];
  }
}

/** Words, numbers and flags that are valid for some option. */
const VALUES: readonly unknown[] = [
  ...['hex', 'drop', 'pass', 'protect', 'new', 'upper', 'any', 'hashed', 'integer', 'eu', 'a', 'all', 'deflate'],
  ...[1, 6, 12, true, [], {}, { label: 'x' }, { v4: 1, v6: 1 }, { first: 6, last: 4 }, () => {}],
];

/**
 * Every name of an option, except the names of members of property descriptors: if one of these is on
 * `Object.prototype`, no library works.
 */
const NAMES = [
  ...new Set([
    ...[...Object.values(RULES), ...Object.values(FORMATS)].flatMap(({ entries }) => Object.keys(entries)),
    ...Object.keys(FILE_OPTIONS),
    ...['signal', 'onProgress', 'onReject', 'onSample', 'batchSize', 'maxRecord', 'limit', 'delimiter', 'quoting'],
    ...['header', 'force', 'workers', 'resume', 'rejects', 'maxRejects', 'inputCompression', 'outputCompression'],
    ...['busyTimeout', 'schema', 'minDomain', 'keepSpecial', 'primary', 'base', 'onBroken', 'tokens', 'subjects'],
  ]),
].filter((name) => name !== 'value');

const FILE = {
  trefoil: 1,
  domain: 'eu',
  fields: {
    id: { rule: 'token', scope: 'person' },
    pan: { rule: 'fpe', scope: 'pan', format: { type: 'card', clear: { first: 6 } } },
    ref: { rule: 'fpe', scope: 'ref', format: 'digits' },
    name: { rule: 'seal', scope: 'name' },
    born: { rule: 'coarsen', date: 'year' },
    client: { rule: 'coarsen', ip: { v4: 24, v6: 48 } },
    seen: { rule: 'shiftDate', scope: 'visit', subject: 'id', days: 9 },
    tel: { rule: 'mask', last: 2 },
    city: 'keep',
    notes: 'drop',
  },
};
const ROW = {
  id: 'x',
  pan: '4111111111111111',
  ref: '123456',
  name: 'Ada',
  born: '1815-12-10',
  client: '192.0.2.7',
  seen: '2024-02-29',
  tel: '030 901820',
  city: 'Oslo',
  notes: 'called',
};

/** Calls, and their results as text. */
const WORK: Readonly<Record<string, () => unknown>> = {
  'rules and formats as data': () => [
    token({ scope: 'a' }),
    seal({ scope: 'a' }),
    fpe({ scope: 'a', format: card({ length: 16 }) }),
    ...[digits(), text('0123456789'), uuid(), iban(), phone(), email(), ip()].map((format) =>
      fpe({ scope: 'a', format }),
    ),
    coarsen({ number: 10 }),
    mask({}),
    mask(),
    constant({ value: 1 }),
    shiftDate({ scope: 'a', subject: 'b', days: 3 }),
    vault({ scope: 'a', store: 'main' }),
    planLength({ population: 1000, maxCollisionProbability: 1e-6 }),
  ],
  'a policy in code': () => {
    const bound = policy({ id: token({ scope: 'p' }), city: keep, notes: drop }).bind(keys);
    const row = { id: 1, city: 'Oslo', notes: '' };
    return [bound.protect(row), bound.protectMany([row, row])];
  },
  'a policy in code with other names, and with some missing': () => {
    const bound = policy({ id: token({ scope: 'p' }), city: keep }).bind(keys);
    return [{ id: 1, secret: 2, city: 'x' }, { id: 1 }, { city: 'x' }].map((row) =>
      outcome(() => bound.protect(row as never)),
    );
  },
  'a policy file': () => parsePolicy(FILE).bind(root.domain('eu')).protect(ROW),
  'its problems': () => [
    check(FILE),
    check({}),
    check({ trefoil: 1, domain: 'eu', fields: {} }),
    check({ trefoil: 1, domain: 'eu', fields: { a: {}, b: { rule: 'token' }, c: { rule: 'fpe', scope: 'x' } } }),
    check({ ...FILE, fields: { a: { rule: 'fpe', scope: 's', format: {} } } }),
    check({ ...FILE, fields: { a: { rule: 'fpe', scope: 's', format: { type: 'text' } } } }),
    check({ ...FILE, fields: { a: { rule: 'coarsen', ip: { v4: 24 } } } }),
  ],
  'its page': () => explain(parsePolicy(FILE)),
  'a token that is one already': () => {
    const bound = token({ scope: 'a' }).bind(keys);
    return outcome(() => bound.protect(bound.protect('x')));
  },
  'keys of a domain': () => [
    root.domain('eu').keyId,
    outcome(() => fpe({ scope: 'a', format: digits() }).bind(root.domain('eu'), revealAccess)),
  ],
  'a keyset that is read': () => keyset.parse(KEYSET).domain('eu').keyCheck,
  'a keyset without a primary key': () => outcome(() => keyset.parse(KEYSET.replace(/"primary": true,/, ''))),
};
const KEYSET = root.export(secretAccess);

function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return (error as Error).message;
  }
}

describe.each(Object.entries(WORK))('%s', (_, work) => {
  it('has the same result as without the property', () => {
    const plain = JSON.stringify(work());
    for (const name of NAMES) {
      for (const value of VALUES) {
        // Written as text afterwards, because a property on the prototype of the results does not concern this test.
        const out = polluted(name, value, () => outcome(work));
        expect(JSON.stringify(out), `${name}: ${String(value)}`).toBe(plain);
      }
    }
  });
});

it('streams, files and stores, which are asynchronous, with all names at once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'trefoil-pollution-'));
  writeFileSync(join(folder, 'in.csv'), 'id,city\n1,Oslo\n,Bergen\n');
  const sheet = policy({ id: token({ scope: 'p' }), city: keep });
  const file = async (name: string) => {
    await protectFile(join(folder, 'in.csv'), join(folder, name), sheet.bind(keys));
    return readFileSync(join(folder, name), 'utf8');
  };
  const stream = async () => {
    let out = '';
    const source = new TextEncoder().encode('id,city\n1,Oslo\n,Bergen\n');
    for await (const chunk of protectCsv([source], sheet.bind(keys))) out += new TextDecoder().decode(chunk);
    return out;
  };
  const stored = async (domain: DomainKeys) => {
    const open = await vault({ scope: 'a', store: 'main' }).open(domain, { main: memoryStore() }, revealAccess);
    const made = await open.protect('x');
    return [/^[0-9a-z]+$/.test(String(made)), await open.reveal(made), await open.protect('')];
  };
  const plain = [await file('plain.csv'), await stream(), await stored(keys)];
  // The library cannot protect the options of the platform's own functions.
  const ours = NAMES.filter((name) => !['signal', 'length', 'format', 'last', 'first', 'min', 'max'].includes(name));
  for (const name of ours)
    Object.defineProperty(Object.prototype, name, {
      value: 'hex',
      configurable: true,
      enumerable: true,
      writable: true,
    });
  let out: unknown;
  try {
    out = [await file('polluted.csv'), await stream(), await stored(keys)];
  } finally {
    for (const name of ours) delete (Object.prototype as unknown as Record<string, unknown>)[name];
  }
  expect(out).toEqual(plain);
});

describe('options', () => {
  it('are own properties, are read once, and are copied into an object without a prototype', () => {
    let asked = 0;
    const given = Object.create(
      { form: 'hex' },
      {
        scope: {
          enumerable: true,
          get() {
            return `a${asked++}`;
          },
        },
        hidden: { value: 1 },
      },
    ) as object;
    const options = checkOptions('options', given, ['scope', 'form']);
    expect(Object.getPrototypeOf(options)).toBeNull();
    expect({ ...options }).toEqual({ scope: 'a0' });
    expect([options.scope, options.scope, asked]).toEqual(['a0', 'a0', 1]);
    expect(options.form).toBeUndefined();
    expect(Object.keys(ownProperties(JSON.parse('{"__proto__":{"form":"hex"},"a":1}')))).toEqual(['__proto__', 'a']);
  });

  it('that are inherited are ignored: the rule has its defaults', () => {
    const inherited = Object.assign(Object.create({ form: 'hex', label: 'x', onToken: 'pass' }), { scope: 'a' });
    expect(JSON.stringify(token(inherited))).toBe('{"rule":"token","scope":"a"}');
    expect(token(inherited).bind(keys).protect('x')).toBe(token({ scope: 'a' }).bind(keys).protect('x'));
    expect(() => token(Object.create({ scope: 'a' }))).toThrow('"scope" expected text, got undefined');
  });

  it('reach no accessor that somebody has put on Object.prototype', () => {
    const seen: unknown[] = [];
    const names = ['label', 'brands', 'luhn', 'first', 'last', 'with', 'format', 'optional'];
    for (const name of names)
      Object.defineProperty(Object.prototype, name, { configurable: true, set: (value) => seen.push(value) });
    let out: unknown;
    try {
      out = [
        token({ scope: 'a', label: 'x' }),
        mask({ first: 1, with: '#' }),
        card({ brands: ['visa'], luhn: 'any', clear: { first: 6 } }),
      ].map((made) => Object.keys(made));
    } finally {
      for (const name of names) delete (Object.prototype as unknown as Record<string, unknown>)[name];
    }
    expect(seen).toEqual([]);
    expect(out).toEqual([
      ['rule', 'scope', 'label'],
      ['rule', 'first', 'with'],
      ['type', 'clear', 'luhn', 'brands'],
    ]);
  });

  it('named __proto__ are refused in every place, in code and in a file', () => {
    const own = (text: string) => JSON.parse(text);
    expect(() => token(own('{"scope":"a","__proto__":{"form":"hex"}}'))).toThrow('has an option that is not one of');
    expect(() => policy({ id: keep }, own('{"__proto__":{"unnamed":"drop"}}'))).toThrow('has an option that is not');
    const fields = '"fields":{"a":{"rule":"token","scope":"s"}}';
    const codes = (text: string) => check(own(text)).map(({ code }) => code);
    expect(codes(`{"trefoil":1,"domain":"eu",${fields},"__proto__":{"unnamed":"drop"}}`)).toEqual(['unknown_option']);
    expect(codes('{"trefoil":1,"domain":"eu","fields":{"__proto__":"keep","b":"keep"}}')).toEqual(['invalid_path']);
    expect(
      codes('{"trefoil":1,"domain":"eu","fields":{"a":{"rule":"token","scope":"s","__proto__":{"form":"hex"}}}}'),
    ).toEqual(['unknown_option']);
    const format = '{"type":"digits","__proto__":{"length":4}}';
    expect(codes(`{"trefoil":1,"domain":"eu","fields":{"a":{"rule":"fpe","scope":"s","format":${format}}}}`)).toEqual([
      'unknown_option',
    ]);
    expect(codes('{"__proto__":{"trefoil":1,"domain":"eu","fields":{"a":"keep"}}}')).toContain('missing_option');
  });
});
