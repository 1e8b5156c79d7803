/** Where issues of records are: elements of arrays by index, and names that the policy does not have. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { formatIssue, type Issue, type TrefoilError } from '../../src/errors.ts';
import { coarsen, drop, each, keep, optional, policy, seal, token } from '../../src/index.ts';
import { elementPath, escapeName, placeOfSteps } from '../../src/policy/file/path.ts';
import { alike, looksLikeData } from '../../src/policy/unnamed.ts';
import { check } from '../../src/policy.ts';
import { revealAccess } from '../../src/reveal.ts';
import { memoryStore, vault } from '../../src/vault.ts';
import { thrown } from '../helpers/errors.ts';
import { keys } from '../rule/keys.ts';

const places = ({ issues }: { issues: readonly Issue[] }) =>
  issues.map(({ code, row, field, element }) =>
    [code, row, field, element].filter((part) => part !== undefined).join(' '),
  );

describe('elements of arrays', () => {
  const year = coarsen({ date: 'year' });
  const mayBe = each({ born: optional(year) });
  const sheet = policy({
    id: keep,
    dates: each(year),
    items: each({ born: year, 'odd[]\\.name': mayBe, lines: mayBe }),
    grid: each(each(year)),
  });
  const bound = sheet.bind(keys, revealAccess);
  const good = { born: '1984-03-31' };
  const whole = { id: 1, dates: [], items: [], grid: [] };

  test.each<[string, object, string[]]>([
    ['a value', { dates: ['1984-03-31', 'x'] }, ['not_a_date dates[] dates[1]']],
    ['a value alone, without a column', { dates: ['x'] }, ['not_a_date dates[] dates[0]']],
    ['a field of an object', { items: [good, { born: 'x' }, good] }, ['not_a_date items[].born items[1].born']],
    ['values after null', { items: [null, good, null, { born: 'x' }] }, ['not_a_date items[].born items[3].born']],
    ['an array in an array', { grid: [['1984-01-01'], [], ['1984-01-01', 'x']] }, ['not_a_date grid[][] grid[2][1]']],
    [
      'an array in an object in an array',
      { items: [good, { ...good, lines: [good, good, { born: 'x' }] }, { ...good, lines: [{ born: 'x' }] }] },
      [
        'not_a_date items[].lines[].born items[1].lines[2].born',
        'not_a_date items[].lines[].born items[2].lines[0].born',
      ],
    ],
    [
      'a name with brackets and a backslash',
      { items: [good, { ...good, 'odd[]\\.name': [good, { born: 'x' }] }] },
      ['not_a_date items[].odd\\[\\]\\\\\\.name[].born items[1].odd\\[\\]\\\\\\.name[1].born'],
    ],
    ['a missing field', { items: [good, {}] }, ['missing_field items[].born items[1].born']],
    ['no object', { items: [good, 7] }, ['wrong_type items[] items[1]']],
    ['no array', { grid: [[], 'x'] }, ['wrong_type grid[] grid[1]']],
    ['no array outside arrays', { grid: 'x' }, ['wrong_type grid']],
    ['a name that is unknown', { items: [good, { ...good, gift: 1 }] }, ['unnamed_field items[].gift items[1].gift']],
  ])('%s', (_, more, expected) => {
    const error = thrown(() => bound.protect({ ...whole, ...more } as never));
    expect(places(error)).toEqual(expected);
    const rows = [whole, { ...whole, ...more }, whole, { ...whole, ...more }];
    const many = thrown(() => bound.protectMany(rows as never));
    const rowed = (row: number) => expected.map((text) => text.replace(' ', ` ${row} `));
    expect(places(many)).toEqual([...rowed(2), ...rowed(4)]);
  });

  it('on the way back, too', () => {
    const sealed = policy({ items: each({ name: seal({ scope: 'n' }) }) }).bind(keys, revealAccess);
    const safe = sealed.protect({ items: [{ name: 'Ada' }, { name: 'Bob' }] });
    const broken = { items: [safe.items[0]!, { name: 'Bob', extra: 1 }] };
    expect(places(thrown(() => sealed.reveal(broken as never)))).toEqual([
      'unnamed_field items[].extra items[1].extra',
      'not_sealed items[].name items[1].name',
    ]);
  });

  it('of a policy that waits for a store', async () => {
    const people = policy({
      id: keep,
      tags: each({ born: optional(coarsen({ date: 'year' })), name: vault({ scope: 'n', store: 's' }) }),
    });
    const open = await people.open(keys, { s: memoryStore() });
    const wrong = { id: 1, tags: [{ name: 'a' }, { name: {} }] };
    const error = await open.protectMany([{ id: 1, tags: [{ name: 'b' }] }, wrong] as never).then(
      () => null,
      (found: TrefoilError) => found,
    );
    expect(places(error!)).toEqual([`${error!.code} 2 tags[].name tags[1].name`]);
  });

  it('property: the element is the one that is wrong', () => {
    const grids = fc.array(fc.array(fc.array(fc.boolean(), { maxLength: 4 }), { maxLength: 4 }), { maxLength: 5 });
    const cube = policy({ grid: each({ rows: each(each(coarsen({ date: 'year' }))) }) }).bind(keys);
    fc.assert(
      fc.property(grids, (rows) => {
        const value = (wrong: boolean): string => (wrong ? 'x' : '1984-01-01');
        const record = { grid: rows.map((inner) => ({ rows: inner.map((cells) => cells.map(value)) })) };
        const expected = rows.flatMap((inner, i) =>
          inner.flatMap((cells, j) => cells.flatMap((wrong, k) => (wrong ? [`grid[${i}].rows[${j}][${k}]`] : []))),
        );
        if (expected.length === 0) cube.protect(record);
        else expect(thrown(() => cube.protect(record)).issues.map(({ element }) => element)).toEqual(expected);
      }),
    );
  });

  it('is the place in the message', () => {
    const issue: Issue = { code: 'not_a_date', message: 'x', row: 3, field: 'items[].born', element: 'items[2].born' };
    expect(formatIssue(issue)).toBe('row 3, field items[2].born: x');
    expect(() => formatIssue({ ...issue, element: 2 } as never)).toThrow(TypeError);
  });

  it('paths of places', () => {
    expect(placeOfSteps(['user', 'a.b'])).toEqual({ field: 'user.a\\.b' });
    expect(placeOfSteps(['m', 0, 12, 'x'])).toEqual({ field: 'm[][].x', element: 'm[0][12].x' });
    expect(elementPath(`${escapeName('a[]\\')}[].b[]`, [1, 2])).toBe('a\\[\\]\\\\[1].b[2]');
  });
});

describe('names that the policy does not have', () => {
  const sheet = policy({
    a: keep,
    b: optional(keep),
    notes: optional(drop),
  });
  // Names are counted as long as a bound policy lives, so each case binds anew.
  const fresh = () => sheet.bind(keys, revealAccess);
  const issuesOf = (more: object) => thrown(() => fresh().protect({ a: 1, ...more } as never)).issues;
  const fieldsOf = (more: object) => issuesOf(more).map(({ field }) => field ?? null);

  it('are named, each in an issue of its own, up to three in one object', () => {
    expect(fieldsOf({ debug: 1 })).toEqual(['debug']);
    expect(fieldsOf({ x: 1, y: 2, z: 3 })).toEqual(['x', 'y', 'z']);
    const [many, ...rest] = issuesOf({ Ada: 1, Bob: 2, Eve: 3, Zoë: 4 });
    expect(rest).toEqual([]);
    expect(many).toMatchObject({ code: 'unnamed_field', actual: 4 });
    expect(many!.field).toBeUndefined();
    expect(many!.message).toBe(
      'the record has 4 fields that the policy does not name (their names are not shown, because they may be data); ' +
        'name them, or set unnamed: drop',
    );
  });

  it('only the outermost is named, never what is in it', () => {
    const error = thrown(() => fresh().protect({ a: 1, debug: { MARKER: { MARKER: 'MARKER' } } } as never));
    expect(error.message).toContain('field debug: ');
    expect(JSON.stringify(error.issues) + error.message).not.toContain('MARKER');
  });

  it('a batch in which every record has another name shows ten of them', () => {
    const rows = Array.from({ length: 50 }, (_, i) => ({ a: 1, ['abcdefghijklmnopqrstuvwxy'[i % 25]!.repeat(3)]: i }));
    const fields = thrown(() => fresh().protectMany(rows as never)).issues.map(({ field }) => field);
    expect(fields).toHaveLength(50);
    expect(new Set(fields.slice(0, 10)).size).toBe(10);
    expect(fields.slice(10, 25).every((field) => field === undefined)).toBe(true);
    expect(fields.slice(25, 35)).toEqual(fields.slice(0, 10));
    const same = Array.from({ length: 50 }, () => ({ a: 1, debug: 1 }));
    expect(new Set(thrown(() => fresh().protectMany(same as never)).issues.map(({ field }) => field))).toEqual(
      new Set(['debug']),
    );
  });

  it('as a policy file writes them', () => {
    expect(fieldsOf({ 'x.y': 1 })).toEqual(['x\\.y']);
    expect(fieldsOf({ 'x[]': 1 })).toEqual(['x\\[\\]']);
    const control = issuesOf({ 'de\u202ebug\u001b': 1 })[0]!;
    expect(control.field).toBe('de\\u202ebug\\u001b');
    expect(formatIssue(control)).not.toMatch(/[\u202e\u001b]/);
  });

  it.each([
    'ada@example.org',
    '+47 22 22 55 55',
    '4111111111111111',
    'customer-100171',
    '7f3a9e52-90aa-4b3c-8d11-0a1b2c3d4e5f',
    'x'.repeat(65),
    '1984-03-31',
    '',
    '🙂',
  ])('are not shown if they look like data: %s', (name) => {
    const [issue, ...rest] = issuesOf({ [name]: 1, debug: 1 }).toReversed();
    expect(rest.map(({ field }) => field)).toEqual(['debug']);
    expect(issue).toMatchObject({ code: 'unnamed_field', actual: 1 });
    expect(issue!.field).toBeUndefined();
    if (name !== '') expect(issue!.message).not.toContain(name);
    expect(looksLikeData(name)).toBe(true);
  });

  it.each(['debug', '@timestamp', 'utm_2024', 'x-request-id', 'Straße', '$ref', 'md5', 'x'.repeat(64)])(
    'are shown if they look like names: %s',
    (name) => expect(fieldsOf({ [name]: 1 })).toEqual([name]),
  );

  it('with white space are shown only beside a name of the policy', () => {
    expect(fieldsOf({ 'first name': 1 })).toEqual(['first name']);
    const loose = policy({ a: optional(keep), b: optional(keep) }).bind(keys);
    const alone = thrown(() => loose.protect({ 'Ada Lovelace': 1 } as never));
    expect(alone.message).not.toContain('Ada');
    expect(thrown(() => loose.protect({ debug: 1 } as never)).issues[0]!.field).toBe('debug');
  });

  it.each([
    ['B', 'letter case'],
    [' b', 'white space'],
    ['ｂ', 'Unicode normalisation'],
    ['Ｂ ', 'letter case, white space or Unicode normalisation'],
  ])('that are nearly one of the policy: %j', (name, how) => {
    const [issue] = issuesOf({ [name]: 1 });
    expect(issue!.message).toBe(`the policy does not name this field; it names b, which differs only in ${how}`);
    expect(alike(name, new Set(['x', 'b']))).toEqual({ name: 'b', how });
  });

  it('that no policy can name', () => {
    const row = JSON.parse('{"a":1,"__proto__":{"x":1}}');
    expect(thrown(() => fresh().protect(row)).message).toContain(
      'field __proto__: the policy does not name this field, and no',
    );
  });

  it('that the policy drops, in a record that is revealed', () => {
    const many = Object.fromEntries(['n1', 'n2', 'n3', 'n4', 'n5'].map((name) => [name, drop]));
    const dropping = policy({ a: keep, ...many }).bind(keys, revealAccess);
    const row = { a: 1, ...Object.fromEntries(Object.keys(many).map((name) => [name, 1])) };
    const { issues } = thrown(() => dropping.reveal(row as never));
    expect(issues.map(({ field }) => field)).toEqual(Object.keys(many));
    expect(issues[0]!.message).toContain('the policy drops this field');
  });

  it('of columns', () => {
    const flat = policy({ id: token({ scope: 'p' }), user: { name: keep } }).bind(keys);
    const good = { id: ['1'], 'user.name': ['x'] };
    const error = thrown(() => flat.protectColumns({ ...good, debug: [1], ID: [2] } as never));
    expect(error.issues.map(({ field }) => field)).toEqual(['debug', 'ID']);
    const many = thrown(() => flat.protectColumns({ ...good, w: [1], x: [1], y: [1], z: [1] } as never));
    expect(many.issues).toMatchObject([{ code: 'unnamed_field', actual: 4 }]);
  });
});

test('a run shows ten unknown names of one kind of object, whatever the batches', () => {
  const bound = policy({ id: keep, scores: { total: optional(keep) } }).bind(keys, revealAccess);
  const shown = new Set<string | undefined>();
  for (let i = 0; i < 100; i++) {
    // Letters alone: names with many digits are not shown anyway.
    const name = `person${String.fromCharCode(97 + (i % 26), 97 + Math.floor(i / 26))}`;
    const one = thrown(() => bound.protect({ id: i, scores: { [name]: 1 } } as never));
    expect(one.issues.map(({ code }) => code)).toEqual(['unnamed_field']);
    if (one.message.includes(name)) shown.add(one.issues[0]!.field);
    else expect(one.issues[0]!.field).toBe('scores');
  }
  expect(shown.size).toBe(10);
});

test('a context that is not a field is a problem of per', () => {
  const fields = {
    a: { rule: 'token', scope: 's', per: 'b' },
    c: { rule: 'vault', scope: 's', store: 'm', subject: 'b' },
  };
  const found = check({ trefoil: 1, domain: 'eu', fields });
  expect(found.map(({ field }) => field)).toEqual(['fields.a.per', 'fields.c.subject']);
});
