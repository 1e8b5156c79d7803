import { describe, expect, it } from 'vitest';
import { card, digits, pattern, text } from '../../src/format.ts';
import { coarsen, constant, drop, each, fpe, keep, mask, optional, policy, seal, token } from '../../src/index.ts';
import { escapeName, parsePath } from '../../src/policy/file/path.ts';
import { check, type Locate, parsePolicy, type ValuePath } from '../../src/policy.ts';
import { emailAddress, nfc, trim } from '../../src/prepare.ts';
import { revealAccess } from '../../src/reveal.ts';
import { codeOf, thrown } from '../helpers/errors.ts';
import { keys } from '../rule/keys.ts';

const file = (fields: unknown, more: object = {}) => ({ trefoil: 1, domain: 'eu', fields, ...more });
const problems = (value: unknown) => check(value).map(({ code, field }) => [code, field]);

describe('paths', () => {
  it.each([
    ['a', [['a', 0]]],
    [
      'user.email',
      [
        ['user', 0],
        ['email', 0],
      ],
    ],
    [
      'items[].sku',
      [
        ['items', 1],
        ['sku', 0],
      ],
    ],
    ['m[][]', [['m', 2]]],
    [
      'a[].b[].c',
      [
        ['a', 1],
        ['b', 1],
        ['c', 0],
      ],
    ],
    ['odd\\.name', [['odd.name', 0]]],
    ['a\\[\\]', [['a[]', 0]]],
    ['a\\\\b', [['a\\b', 0]]],
    ['\\\\\\.', [['\\.', 0]]],
    [' spaced name ', [[' spaced name ', 0]]],
    [
      'naïve.\u{1f600}',
      [
        ['naïve', 0],
        ['\u{1f600}', 0],
      ],
    ],
    [
      '1.2',
      [
        ['1', 0],
        ['2', 0],
      ],
    ],
    ['a\nb', [['a\nb', 0]]],
    ['', [['', 0]]],
    ['\\*', [['*', 0]]],
    [
      'a\\*.b',
      [
        ['a*', 0],
        ['b', 0],
      ],
    ],
  ])('%j', (path, steps) => {
    expect(parsePath(path)).toEqual((steps as [string, number][]).map(([name, arrays]) => ({ name, arrays })));
  });

  it.each([
    '*',
    'a.*',
    'a*',
    'a[*]',
    '*.a',
    '.',
    'a.',
    '.a',
    'a..b',
    '[]',
    'a.[]',
    'a[',
    'a]',
    'a[0]',
    'a[]b',
    'a[].',
    '[].a',
    'a\\',
    'a\\b',
    '\\',
    '__proto__',
    'a.__proto__',
    'a.__proto__[]',
    'a\ud800',
  ])('%j is none', (path) => {
    expect(parsePath(path)).toBeTypeOf('string');
  });

  it('any name can be written and read again', () => {
    for (const name of [
      'a.b',
      '[]',
      '\\',
      '\\.',
      'a[].b',
      '..',
      'x\\[',
      '\\\\.[]',
      'a*b',
      '\\*x',
      'plain',
      ' ',
      '__proto',
      'constructor',
    ]) {
      expect(parsePath(escapeName(name))).toEqual([{ name, arrays: 0 }]);
      const sheet = policy({ [name]: keep, deep: { [name]: each(keep) } }, { domain: 'eu' });
      expect(Object.keys(sheet.fields)).toEqual([escapeName(name), `deep.${escapeName(name)}[]`]);
      const read = parsePolicy(JSON.parse(JSON.stringify(sheet)));
      const row = { [name]: 1, deep: { [name]: [2] } };
      expect(read.bind(keys).protect(row)).toEqual(row);
    }
  });

  it('paths that contradict each other are conflicts, in either order', () => {
    for (const paths of [
      ['a', 'a.b'],
      ['a.b', 'a'],
      ['a', 'a[]'],
      ['a[]', 'a'],
      ['a[]', 'a.b'],
      ['a.b', 'a[]'],
      ['a[]', 'a[].b'],
      ['a[].b', 'a[]'],
      ['a[][]', 'a[].b'],
      ['x.a[]', 'x.a.c'],
    ]) {
      const found = check(file(Object.fromEntries(paths.map((path) => [path, 'keep']))));
      expect(found.map(({ code, field }) => [code, field])).toEqual([['path_conflict', `fields.${paths[1]}`]]);
    }
    expect(check(file({ 'a.b': 'keep', 'a.c': 'keep', 'a\\.b': 'keep', 'd[].e': 'keep', 'd[].f[]': 'keep' }))).toEqual(
      [],
    );
  });

  it('too many names are refused', () => {
    const path = (names: number) => new Array(names).fill('a').join('.');
    expect(check(file({ [path(32)]: 'keep' }))).toEqual([]);
    expect(problems(file({ [path(33)]: 'keep' }))).toEqual([['invalid_path', `fields.${path(33)}`]]);
  });
});

const EVERY = policy(
  {
    plain: keep,
    gone: drop,
    maybe: optional(keep),
    reason: token({ scope: 'r', why: 'calls back' }),
    id: token({ scope: 'person', label: 'cust', onToken: 'pass', missing: [] }),
    bare: token({ scope: 'p', form: 'bare', prepare: trim }),
    mail: token({ scope: 'person.email', form: 'labelled', prepare: [trim, emailAddress] }),
    none: token({ scope: 'n', prepare: [] }),
    name: seal({ scope: 'name', value: 'text', missing: [''] }),
    age: seal({ scope: 'age', value: 'integer', optional: true }),
    pan: fpe({ scope: 'pan', format: card({ clear: { first: 6 }, min: 14, max: 17 }) }),
    ref: fpe({ scope: 'ref', format: digits({ length: 9 }), missing: [] }),
    num: fpe({ scope: 'num', format: digits() }),
    plate: fpe({ scope: 'plate', format: pattern('A999999') }),
    code: fpe({ scope: 'code', format: text('abcdefghij', { min: 6 }) }),
    born: coarsen({ date: 'quarter' }),
    lat: coarsen({ number: 0.25 }),
    zip: coarsen({ prefix: 2 }),
    ip: coarsen({ ip: { v4: 24, v6: 48 } }),
    phone: mask({ last: 3, with: '#' }),
    all: mask(),
    src: constant({ value: 'web' }),
    zero: constant({ value: 0 }),
    nil: constant({ value: null, why: 'emptied' }),
    yes: constant({ value: true }),
    deep: { er: { x: keep }, list: each({ y: token({ scope: 'y', prepare: nfc }), z: each(each(keep)) }) },
    'odd.[name]\\': keep,
  },
  { domain: 'eu', keyCheck: keys.keyCheck, unnamed: 'drop' },
);

describe('JSON.stringify(policy) is the policy file', () => {
  const json = JSON.stringify(EVERY);

  it('parses to a policy with the same JSON', () => {
    expect(JSON.stringify(parsePolicy(JSON.parse(json)))).toBe(json);
    expect(check(JSON.parse(json))).toEqual([]);
  });

  it('is plain data: the policy’s enumerable part equals its JSON', () => {
    expect(JSON.parse(json)).toEqual({ ...EVERY });
  });

  it('does the same to a record', () => {
    const row = {
      plain: 1,
      gone: 1,
      reason: 'r',
      id: 7,
      bare: ' b ',
      mail: ' A@b.cd',
      none: 'n',
      name: 'Zoë',
      age: 42,
      pan: '4111 1111 1111 1111',
      ref: '123456789',
      num: '123456',
      plate: 'K013377',
      code: 'abcdefg',
      born: '2024-05-01',
      lat: 59.91,
      zip: '0150',
      ip: '192.0.2.7',
      phone: '555123',
      all: 'x',
      src: 1,
      zero: 1,
      nil: 1,
      yes: 1,
      deep: { er: { x: 1 }, list: [{ y: 'y', z: [[1]] }] },
      'odd.[name]\\': 1,
      unknown: 1,
    };
    const read = parsePolicy(JSON.parse(json));
    const safe = EVERY.bind(keys).protect(row as never);
    expect(read.bind(keys).protect(row)).toEqual(safe);
    expect(read.bind(keys, revealAccess).reveal(safe)).toEqual(EVERY.bind(keys, revealAccess).reveal(safe as never));
  });

  it('short words and maps are the same, and names of formats stand for themselves', () => {
    const short = parsePolicy(
      file({
        a: 'keep',
        b: 'drop',
        c: { rule: 'fpe', scope: 'c', format: 'digits' },
        d: { rule: 'token', scope: 'd', prepare: 'trim' },
      }),
    );
    const long = parsePolicy(
      file({
        a: { rule: 'keep' },
        b: { rule: 'drop' },
        c: { rule: 'fpe', scope: 'c', format: { type: 'digits' } },
        d: { rule: 'token', scope: 'd', prepare: ['trim'] },
      }),
    );
    expect(JSON.stringify(short.fields)).toBe(JSON.stringify(long.fields).replace('["trim"]', '"trim"'));
    expect(Object.keys(short.fields)).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('all problems at once', () => {
  const BAD = {
    trefoil: 2,
    domain: 'EU',
    unnamed: 'ignore',
    extra: 1,
    keyCheck: { abc: 'x' },
    fields: {
      email: { rule: 'tokn', scope: 'a' },
      id: { rule: 'token', scope: 120_000 },
      name: { rule: 'seal' },
      phone: { rule: 'mask', lst: 3 },
      born: { rule: 'coarsen', date: 'day' },
      pan: { rule: 'fpe', scope: 'pan', format: { type: 'cart' } },
      small: { rule: 'fpe', scope: 'small', format: { type: 'digits', length: 3 } },
      mail: { rule: 'token', scope: 'm', prepare: ['trim', 'emailAdress'] },
      other: { rule: 'token', scope: 'half', prepare: 'trim' },
      half: { rule: 'token', scope: 'half' },
      'a..b': 'keep',
      'x.y': 'keep',
      x: 'keep',
      bare: 'token',
      list: ['keep'],
      number: 5,
      label: { rule: 'token', scope: 'l', label: 'Cust' },
      two: { rule: 'coarsen', date: 'year', prefix: 2 },
      plate: { rule: 'fpe', scope: 'p', format: { type: 'pattern', pattern: '---' } },
      wrong: { rule: 7 },
      norule: { scope: 'x' },
      optional: { rule: 'keep', optional: 'yes' },
    },
  };

  const EXPECTED: readonly [string, string][] = [
    ['wrong_option', 'trefoil'],
    ['invalid_policy', 'domain'],
    ['wrong_option', 'unnamed'],
    ['unknown_option', 'extra'],
    ['invalid_policy', 'keyCheck'],
    ['unknown_rule', 'fields.email.rule'],
    ['must_be_text', 'fields.id.scope'],
    ['missing_option', 'fields.name.scope'],
    ['unknown_option', 'fields.phone.lst'],
    ['wrong_option', 'fields.born.date'],
    ['unknown_format', 'fields.pan.format.type'],
    ['space_too_small', 'fields.small.format'],
    ['unknown_prepare', 'fields.mail.prepare.1'],
    ['half_join', 'fields.half.scope'],
    ['invalid_path', 'fields.a..b'],
    ['path_conflict', 'fields.x'],
    ['missing_option', 'fields.bare'],
    ['wrong_option', 'fields.list'],
    ['wrong_option', 'fields.number'],
    ['wrong_option', 'fields.label.label'],
    ['wrong_option', 'fields.two'],
    ['wrong_option', 'fields.plate.format.pattern'],
    ['must_be_text', 'fields.wrong.rule'],
    ['missing_option', 'fields.norule.rule'],
    ['wrong_option', 'fields.optional.optional'],
  ];

  it('are found, each with its code and place', () => {
    const found = problems(BAD).map((problem) => problem.join(' '));
    const expected = EXPECTED.map((problem) => problem.join(' '));
    expect(found.sort()).toEqual([...expected].sort());
  });

  it('are thrown in one error', () => {
    const error = thrown(() => parsePolicy(BAD));
    expect(error.kind).toBe('policy');
    expect(error.issues.length).toBeGreaterThanOrEqual(EXPECTED.length);
    expect(error.total).toBe(error.issues.length);
    expect(error.issues).toEqual(check(BAD));
  });

  it('ten mistakes are ten', () => {
    const ten = file({
      a: { rule: 'tokn' },
      b: { rule: 'token', scope: 12e4 },
      c: { rule: 'seal' },
      d: { rule: 'mask', lst: 3 },
      e: { rule: 'coarsen' },
      f: { rule: 'fpe', scope: 'f', format: 'cart' },
      g: { rule: 'fpe', scope: 'g', format: { type: 'digits', length: 3 } },
      h: { rule: 'token', scope: 'H' },
      i: 'kep',
      'j.': 'keep',
    });
    const asked: string[] = [];
    const locate: Locate = (path) => {
      asked.push(path.join('/'));
      return { line: asked.length, column: 5, file: 'policy.yaml' };
    };
    const error = thrown(() => parsePolicy(ten, locate));
    expect(error.total).toBe(10);
    expect(asked.sort()).toEqual(
      [
        'fields/a/rule',
        'fields/b/scope',
        'fields/c/scope',
        'fields/d/lst',
        'fields/e',
        'fields/f/format',
        'fields/g/format',
        'fields/h/scope',
        'fields/i',
        'fields/j.',
      ].sort(),
    );
    for (const { line, column, file: name } of error.issues)
      expect([typeof line, column, name]).toEqual(['number', 5, 'policy.yaml']);
    expect(error.message).toMatch(
      /^10 problems\n {2}policy\.yaml:\d+:5 fields\.a\.rule: there is no such rule; did you mean token\?/,
    );
  });

  it('locate may know nothing', () => {
    const paths: ValuePath[] = [];
    const found = check(file({ a: 'kep' }), (path) => void paths.push(path));
    expect(found).toMatchObject([{ code: 'unknown_rule', field: 'fields.a' }]);
    expect(found[0]).not.toHaveProperty('line');
    expect(paths).toEqual([['fields', 'a']]);
  });

  it('no message quotes a value', () => {
    const marked = JSON.parse(
      JSON.stringify(BAD, (_, value) =>
        typeof value === 'string' && !['token', 'mask', 'seal', 'fpe', 'coarsen', 'keep'].includes(value)
          ? `QXQXQX${value}`
          : value,
      ),
    );
    for (const { message } of check(marked)) expect(message).not.toContain('QXQX');
  });
});

describe('numbers where text must stand', () => {
  it.each([
    [{ rule: 'token', scope: 12e4 }, 'scope'],
    [{ rule: 'token', scope: true }, 'scope'],
    [{ rule: 'token', scope: 'a', label: 1 }, 'label'],
    [{ rule: 'token', scope: 'a', prepare: 5 }, 'prepare'],
    [{ rule: 'token', scope: 'a', why: 5 }, 'why'],
    [{ rule: 'mask', with: 0 }, 'with'],
    [{ rule: 'fpe', scope: 'a', format: { type: 'pattern', pattern: 999_999 } }, 'format.pattern'],
    [{ rule: 'fpe', scope: 'a', format: { type: 'text', alphabet: 123_456 } }, 'format.alphabet'],
  ])('%j', (rule, place) => {
    const [issue, ...more] = check(file({ f: rule }));
    expect(more).toEqual([]);
    expect(issue).toMatchObject({ code: 'must_be_text', field: `fields.f.${place}` });
    expect(issue!.message).toContain('quote it');
  });

  it('messages are in the words of the file', () => {
    const message = (rule: object) => check(file({ f: rule }))[0]!.message;
    expect(message({ rule: 'token', scope: 'a', prepare: {} })).toBe('prepare must be text or a list');
    expect(message({ rule: 'fpe', scope: 'a', format: null })).toBe('format must be text or a map');
    expect(message({ rule: 'constant', value: [] })).toBe('value must be text, number, boolean or null');
    expect(message({ rule: 'token', scope: 'a', form: 'octal' })).toBe(
      'form must be labelled, bare, uuid, hex, base64url or digits',
    );
  });

  it('the domain and key checks too', () => {
    expect(check(file({ a: 'keep' }, { domain: 12 }))).toMatchObject([{ code: 'must_be_text', field: 'domain' }]);
    const [issue] = check(file({ a: 'keep' }, { keyCheck: { s0nr0: 12 } }));
    expect(issue).toMatchObject({ code: 'must_be_text', field: 'keyCheck.s0nr0' });
  });
});

describe('what is no policy file', () => {
  it.each([null, undefined, 5, 'keep', [], true, () => 1])('%o', (value) => {
    expect(check(value)).toMatchObject([{ code: 'invalid_policy' }]);
    expect(codeOf(() => parsePolicy(value))).toBe('invalid_policy');
  });

  it.each([
    [{}, ['missing_option trefoil', 'missing_option domain', 'missing_option fields']],
    [{ trefoil: 1, domain: 'eu', fields: {} }, ['invalid_policy fields']],
    [{ trefoil: 1, domain: 'eu', fields: [] }, ['wrong_option fields']],
    [{ trefoil: 1, domain: 'eu', fields: null }, ['wrong_option fields']],
    [{ trefoil: 1, domain: 'eu', fields: { a: 'keep' }, keyCheck: [] }, ['wrong_option keyCheck']],
    [
      { trefoil: 1, domain: 'eu', fields: { a: { rule: 'token', scope: 'a', prepare: ['trim', null, 'nfc', 5] } } },
      ['must_be_text fields.a.prepare.1', 'must_be_text fields.a.prepare.3'],
    ],
    [
      { trefoil: 1, domain: 'eu', fields: { a: { rule: 'token', scope: 'a', prepare: {} } } },
      ['wrong_option fields.a.prepare'],
    ],
    [{ trefoil: '1', domain: 'eu', fields: { a: 'keep' } }, ['wrong_option trefoil']],
    [{ trefoil: 1, domain: null, fields: { a: 'keep' } }, ['must_be_text domain']],
    [{ trefoil: 1, domain: 'eu', fields: { a: null } }, ['wrong_option fields.a']],
    [{ trefoil: 1, domain: 'eu', fields: { a: { rule: 'constructor' } } }, ['unknown_rule fields.a.rule']],
    [{ trefoil: 1, domain: 'eu', fields: { a: 'toString' } }, ['unknown_rule fields.a']],
    [
      { trefoil: 1, domain: 'eu', fields: { a: { rule: 'fpe', scope: 'a', format: 'toString' } } },
      ['unknown_format fields.a.format'],
    ],
    [
      { trefoil: 1, domain: 'eu', fields: { a: { rule: 'fpe', scope: 'a', format: {} } } },
      ['missing_option fields.a.format.type'],
    ],
    [
      { trefoil: 1, domain: 'eu', fields: { a: { rule: 'token', scope: 'a', prepare: 'toString' } } },
      ['unknown_prepare fields.a.prepare'],
    ],
    [
      { trefoil: 1, domain: 'eu', fields: { a: { rule: 'token', scope: 'a', prepare: [1] } } },
      ['must_be_text fields.a.prepare.0'],
    ],
    [
      { trefoil: 1, domain: 'eu', fields: { a: { rule: 'token', scope: 'a', prepare: new Array(9).fill('trim') } } },
      ['wrong_option fields.a.prepare'],
    ],
    [{ trefoil: 1, domain: 'eu', fields: { a: { rule: 'constant' } } }, ['missing_option fields.a.value']],
    [{ trefoil: 1, domain: 'eu', fields: { a: { rule: 'constant', value: [] } } }, ['wrong_option fields.a.value']],
    [{ trefoil: 1, domain: 'eu', fields: { a: { rule: 'keep', scope: 'a' } } }, ['unknown_option fields.a.scope']],
    [
      { trefoil: 1, domain: 'eu', fields: { a: { rule: 'seal', scope: 'a', prepare: 'trim' } } },
      ['unknown_option fields.a.prepare'],
    ],
    [
      { trefoil: 1, domain: 'eu', fields: { a: { rule: 'coarsen', ip: { v4: 24 } } } },
      ['missing_option fields.a.ip.v6'],
    ],
    [
      { trefoil: 1, domain: 'eu', fields: { a: { rule: 'coarsen', ip: { v4: 24, v6: 48, v5: 1 } } } },
      ['wrong_option fields.a.ip'],
    ],
    [
      {
        trefoil: 1,
        domain: 'eu',
        fields: { a: { rule: 'fpe', scope: 'a', format: { type: 'card', clear: { lst: 4 } } } },
      },
      ['wrong_option fields.a.format.clear'],
    ],
    [{ trefoil: 1, domain: 'eu', fields: { a: { rule: 'mask', first: '2' } } }, ['wrong_option fields.a.first']],
    [{ trefoil: 1, domain: 'eu', fields: { a: { rule: 'mask', first: 65 } } }, ['wrong_option fields.a.first']],
  ])('%j', (value, expected) => {
    expect(problems(value).map((problem) => problem.join(' '))).toEqual(expected);
  });

  it('__proto__ in any place is an error and no prototype', () => {
    expect(problems(JSON.parse('{"trefoil":1,"domain":"eu","fields":{"__proto__":"keep","a":"keep"}}'))).toEqual([
      ['invalid_path', 'fields.__proto__'],
    ]);
    expect(problems(JSON.parse('{"trefoil":1,"domain":"eu","fields":{"a":"keep"},"__proto__":{}}'))).toEqual([
      ['unknown_option', '__proto__'],
    ]);
    expect(problems(JSON.parse('{"trefoil":1,"domain":"eu","fields":{"a":{"rule":"keep","__proto__":{}}}}'))).toEqual([
      ['unknown_option', 'fields.a.__proto__'],
    ]);
  });

  it('a policy read from a file is frozen and not tied to the value', () => {
    const value = file({ a: { rule: 'token', scope: 'a', prepare: ['trim'] } });
    const sheet = parsePolicy(value);
    const json = JSON.stringify(sheet);
    (value.fields as { a: { prepare: string[] } }).a.prepare.push('nfc');
    value.domain = 'us';
    expect(JSON.stringify(sheet)).toBe(json);
    expect(Object.isFrozen(sheet)).toBe(true);
    expect(sheet.bind(keys).protect({ a: ' x' })).toEqual({
      a: token({ scope: 'a', prepare: trim }).bind(keys).protect('x'),
    });
  });
});

it('refuses to drop the elements of an array, and arrays nested too deep, without throwing', () => {
  const file = { trefoil: 1, domain: 'eu', fields: { 'tags[]': 'drop', [`a${'[]'.repeat(40)}`]: 'keep' } };
  expect(check(file).map(({ code, field }) => [code, field])).toEqual([
    ['invalid_path', 'fields.tags[]'],
    ['invalid_path', `fields.a${'[]'.repeat(40)}`],
  ]);
});

it('does not repeat the first line of a file of records that was given as a policy by mistake', () => {
  const [issue] = check({ 'Ada Lovelace, Called': 'yes', trefoil: 1, domain: 'eu', fields: { a: 'keep' } });
  expect(issue?.code).toBe('unknown_option');
  expect(JSON.stringify(issue)).not.toContain('Lovelace');
});
