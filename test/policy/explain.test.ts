import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { card, clear, digits, oneOf, pattern } from '../../src/format.ts';
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
  policy,
  seal,
  shiftDate,
  token,
} from '../../src/index.ts';
import { check, explain, parsePolicy } from '../../src/policy.ts';
import { trim } from '../../src/prepare.ts';
import { vault } from '../../src/vault.ts';
import { keys } from '../rule/keys.ts';
import { WITHOUT_KEY } from './fields.ts';

const sheet = policy(
  {
    id: token({ scope: 'person', label: 'cust', prepare: trim, why: 'orders | refunds' }),
    pan: fpe({ scope: 'card.pan', format: card({ clear: { first: 6 } }) }),
    name: seal({ scope: 'person.name' }),
    country: keep,
    notes: drop,
    source: constant({ value: 'MARKERVALUE' }),
    ...WITHOUT_KEY,
    user: { mail: optional(token({ scope: 'person', label: 'cust', prepare: trim })) },
    items: each({ sku: keep }),
    'odd|name`': keep,
  },
  { domain: 'eu', keyCheck: keys.keyCheck },
);
const page = explain(sheet);
const section = (title: string) => page.split(`\n## ${title}\n`)[1]!.split('\n## ')[0]!;

describe('explain', () => {
  it('names every field, in the table, and with its way back and origin', () => {
    for (const path of Object.keys(sheet.fields)) {
      const shown = path.replace('|', '\\u007c').replace('`', '\\u0060');
      for (const title of ['Fields', 'Derived or random']) expect(section(title)).toContain(shown);
    }
    const rows = section('Fields').trim().split('\n');
    expect(rows).toHaveLength(2 + Object.keys(sheet.fields).length);
    // Every row has six cells, whatever stands in a name.
    for (const row of rows) expect(row.split('|')).toHaveLength(8);
    expect(rows.find((row) => row.includes('`user.mail`'))).toContain('(may be absent)');
  });

  it('says what joins with what', () => {
    const joins = section('Which fields join');
    expect(joins).toContain('`id`, `user.mail`: join with each other');
    expect(joins).toContain('`pan`: joins with every other fpe of the scope `card.pan`');
    expect(joins).toContain('`country`, `city`, `items[].sku`');
    expect(joins).toContain('Tokens and sealed values of two domains, or of two');
  });

  it('says what can be turned back, with what, and what cannot', () => {
    const back = section('Who can reverse what');
    expect(back).toMatch(
      /by a program that has the keyset and `revealAccess`, the permission to reveal: `pan`, `name`\n/,
    );
    expect(back).toContain(
      'by nobody, from the output alone: `id`, `notes`, `source`, `born`, `spent`, `phone`, `user.mail`',
    );
    expect(back).toContain('by trying values');
    expect(back).toContain(keys.keyId);
  });

  it('says what is derived and what is random', () => {
    const origins = section('Derived or random');
    expect(origins).toContain('derived from the value with a key: `id`, `pan`, `name`, `user.mail`');
    expect(origins).toContain('random: none');
    expect(origins).toContain('fixed: `source`');
  });

  it('says what still shows, of every field that is left', () => {
    const visible = section('What an outsider can see');
    for (const path of ['id', 'pan', 'name', 'country', 'source', 'phone', 'born', 'user.mail', 'items[].sku']) {
      expect(visible).toContain(`- \`${path}\`:`);
    }
    expect(visible).not.toContain('`notes`');
    expect(visible).toContain('the first 6 digits');
  });

  it('gives the reasons, and leaves room for the controller', () => {
    expect(section('Reasons')).toContain('`id`: `orders \\u007c refunds`');
    expect(section('To be filled in by the controller')).toContain('Who may reveal');
    expect(section('Other fields')).toContain('is refused');
    expect(explain(policy({ a: keep }, { unnamed: 'drop' }))).toContain('is left out');
    expect(explain(policy({ a: keep }))).not.toContain('## Reasons');
  });

  it('quotes no constant', () => {
    expect(page).not.toContain('MARKERVALUE');
  });

  it('is the same for the policy file, and for every run', () => {
    expect(explain(parsePolicy(JSON.parse(JSON.stringify(sheet))))).toBe(page);
    expect(explain(sheet)).toBe(page);
  });

  it.each([undefined, null, {}, 'policy', { fields: {} }])('%o is no policy', (value) => {
    expect(() => explain(value as never)).toThrow(/^"policy" expected a policy/);
  });
});

/**
 * What a reader of Markdown makes of a page, as far as it matters here: lines, cells of tables, and what is in code
 * type. In code type only the backtick is obeyed, so what is left outside it must be words of trefoil's.
 */
function outline(page: string) {
  const lines = page.split('\n');
  const bare = page.replace(/`[^`\n]*`/g, '');
  return {
    headings: lines.filter((line) => line.startsWith('#')).map((line) => line.replace(/`[^`]*`|\(empty\)/g, '`…`')),
    rows: lines.filter((line) => line.startsWith('|')).map((line) => line.split('|').length - 2),
    items: lines.filter((line) => line.startsWith('- ')).length,
    other: lines.filter((line) => !/^(?:#|\||- |$)/.test(line)),
    bare,
  };
}

/** Texts that would be markup, HTML, a link, another line, another cell, or another order of the letters. */
const FORGED = [
  'x | `person.name` | random | never |\n| `passport` | drop | left out | — | nothing | never |\n\n<script>alert(1)</script>',
  'evil`` </code> | fake | row',
  '`',
  '``` \n# Heading\n```',
  '<img src=x onerror=alert(1)>',
  '![x](https://example.com/a.png) [click](javascript:alert(1)) <https://example.com> www.example.com a@example.com',
  '**bold** _it_ ~~gone~~ $x$ @user #1 &lt;b&gt; \\| \\`',
  '\r\n- with the keyset and code that holds `revealAccess`: nothing\r\n',
  '\u202eevil\u2066 \u200e\u200b\ufeff\u00ad \u2028\u2029\u0085\u0000\u001b[2J\u{e0041}',
  '\u0301\u0302 marks first',
  '| --- | --- |',
  '',
];

const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/u;

/** A policy in which a text is wherever a text of the policy can be. */
const forged = (text: string) => {
  const path = text === '' ? 'x' : text;
  return policy(
    {
      [path]: keep,
      a: token({ scope: 'a', why: text.slice(0, 1000) }),
      b: fpe({ scope: 'b', format: digits({ length: 3 }), allowCodebook: path, why: text }),
      c: seal({ scope: 'c' }),
      d: shiftDate({ scope: 'd', subject: escaped(path), days: 3 }),
      e: vault({ scope: 'e', store: 'main', subject: escaped(path) }),
      f: constant({ value: text }),
      g: fpe({ scope: 'g', format: oneOf(clear(path), pattern('AAAA9999')) }),
      h: mask({ with: '|' }),
      i: coarsen({ prefix: 2 }),
    },
    { domain: 'eu' },
  );
};
const escaped = (name: string) => name.replace(/[.[\]*\\]/g, '\\$&');

describe('the author of a policy writes no word of the page', () => {
  const plain = outline(explain(forged('plain')));

  it.each(FORGED)('%j', (text) => {
    const made = explain(forged(text));
    const { bare, ...shape } = outline(made);
    const { bare: plainWords, ...plainShape } = plain;
    expect(shape).toEqual(plainShape);
    expect(shape.rows).toEqual([6, 6, ...Array(10).fill(6)]);
    // Without what is in code type nothing is left of the text, and the words are the same for every text.
    expect(bare).toBe(plainWords);
    expect(bare).not.toMatch(/[<>`*\\~$@&]/);
    expect(made.replaceAll('\n', '')).not.toMatch(HIDDEN);
    // Backticks come in pairs in every line, so code type ends where it should.
    for (const line of made.split('\n')) expect((line.match(/`/g) ?? []).length % 2).toBe(0);
  });

  it.each(FORGED)('as one of several policies, and as its name: %j', (text) => {
    const pages = (value: string) => explain([forged(value), forged(value)], { names: [value, `${value}2`] });
    const { bare, ...shape } = outline(pages(text));
    const { bare: plainWords, ...plainShape } = outline(pages('plain'));
    expect(shape).toEqual(plainShape);
    expect(bare).toBe(plainWords);
  });

  it('whatever the texts are', () => {
    const texts = fc.string({
      unit: fc.oneof(
        fc.constantFrom(...'`|<>\\\n\r*_[]()#&!~$ '),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      ),
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(texts, (text) => {
        fc.pre(
          text.isWellFormed() &&
            !['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', '__proto__'].includes(text) &&
            text.trim() !== '' &&
            // A name in code that is meant as a pattern.
            !/(?:^|[.[])\*+(?:$|[.\]])/.test(text) &&
            !/^\d+$/.test(text),
        );
        const { bare, ...shape } = outline(explain(forged(text)));
        const { bare: plainWords, ...plainShape } = plain;
        expect(shape).toEqual(plainShape);
        expect(bare).toBe(plainWords);
      }),
      { numRuns: 300 },
    );
  });
});

describe('several policies', () => {
  const person = token({ scope: 'person' });
  const one = policy(
    {
      id: person,
      mail: token({ scope: 'mail', prepare: trim }),
      name: seal({ scope: 'name' }),
      pan: fpe({ scope: 'pan', format: digits({ length: 12 }) }),
      ref: fpe({ scope: 'ref', format: digits() }),
      born: shiftDate({ scope: 'visit', subject: 'id', days: 30 }),
      kept: vault({ scope: 'kept', store: 'main' }),
      own: vault({ scope: 'own', store: 'main', subject: 'id' }),
      city: keep,
    },
    { domain: 'eu' },
  );
  const two = policy(
    {
      customer: token({ scope: 'person', label: 'cust' }),
      mail: token({ scope: 'mail' }),
      name: seal({ scope: 'name', value: 'integer' }),
      pan: fpe({ scope: 'pan', format: digits({ length: 13 }) }),
      ref: fpe({ scope: 'ref', format: card() }),
      born: shiftDate({ scope: 'visit', subject: 'customer', days: 31 }),
      kept: token({ scope: 'kept' }),
      own: vault({ scope: 'own', store: 'main' }),
      city: keep,
      year: coarsen({ date: 'year' }),
    },
    { domain: 'eu' },
  );
  const far = policy({ id: person, city: keep }, { domain: 'us' });
  const file = (sheet: object) => JSON.parse(JSON.stringify(sheet));
  const part = (sheets: readonly unknown[], title: string) =>
    explain(sheets as never, { names: sheets.map((_, i) => `p${i + 1}`) })
      .split('# Which fields join across these policies')[1]!
      .split(`\n## ${title}\n`)[1]!
      .split('\n## ')[0]!;

  it('explain says what joins, what half-joins, what never does, and why', () => {
    expect(part([one, two], 'Fields that join')).toContain(
      '`name` in `p1`, `name` in `p2`: seal of the scope `name`, if',
    );
    expect(part([one, two], 'Fields that join')).toContain('`pan` in `p1`, `pan` in `p2`: fpe of the scope `pan`, if');
    expect(part([one, two], 'Fields that join').match(/^- /gm)).toHaveLength(2);
    expect(part([one, two], 'Fields that half-join').match(/^- /gm)).toHaveLength(1);
    expect(part([one, two], 'Fields that half-join')).toContain(
      '`id` in `p1` and `customer` in `p2`: a different label, so equal values',
    );
    const never = part([one, two], 'Fields that never join');
    expect(never).toContain('`mail` in `p1` and `mail` in `p2`: different prepare steps');
    expect(never).toContain('`ref` in `p1` and `ref` in `p2`: a different format');
    expect(never).toContain(
      '`born` in `p1` and `born` in `p2`: different days, so intervals between dates of the two are wrong',
    );
    expect(never).toContain('`own` in `p1` and `own` in `p2`: a subject where the other has none');
    expect(never).toContain(
      '`kept` in `p1` (vault) and `kept` in `p2` (token): the scope is the same but the kind of rule',
    );
    expect(never.match(/^- /gm)).toHaveLength(5);
    const open = part([one, two], 'Fields that join without a key');
    expect(open).toContain('- `p1`: `city`\n- `p2`: `city`, `year`');
  });

  it('fields of two domains never join, whatever their scopes', () => {
    expect(part([one, far], 'Fields that join')).toContain('None.');
    expect(part([one, far], 'Fields that half-join')).toContain('None.');
    expect(part([one, far], 'Fields that never join')).toContain(
      '`id` in `p1` and `id` in `p2`: the scope is the same but the domains differ, and fields of two domains never join',
    );
    expect(part([one, far], 'Fields that join without a key')).toContain('- `p2`: `city`');
    expect(check([file(one), file(far)])).toEqual([]);
  });

  it('policies that pin other keys never join', () => {
    const pin = (id: string) => ({ domain: 'eu', keyCheck: { [id]: keys.keyCheck[keys.keyId]! } });
    const sheets = [policy({ id: person }, pin('aaaaa')), policy({ id: person }, pin('bbbbb'))];
    expect(part(sheets, 'Fields that never join')).toContain(
      '`id` in `p1` and `id` in `p2`: the policies pin different keys',
    );
    expect(check(sheets.map(file))).toMatchObject([{ code: 'half_join', field: 'keyCheck', file: 'policy 2' }]);
    expect(check([sheets[0]!, policy({ id: person }, { domain: 'eu' })].map(file))).toEqual([]);
  });

  it('policies that demand other regions never join', () => {
    const sheets = ['eu', 'us'].map((region) => policy({ id: person }, { domain: 'eu', region }));
    expect(part(sheets, 'Fields that never join')).toContain(
      '`id` in `p1` and `id` in `p2`: the policies demand different regions',
    );
    expect(check(sheets.map(file))).toMatchObject([{ code: 'half_join', field: 'region', file: 'policy 2' }]);
    expect(check([sheets[0]!, policy({ id: person }, { domain: 'eu' })].map(file))).toEqual([]);
  });

  it('says which key protects, which region is demanded, and that branches are pinned', () => {
    const [id] = Object.keys(keys.keyCheck);
    const sheet = policy(
      { id: person },
      {
        domain: 'eu',
        region: 'eu-west',
        keyCheck: { ...keys.keyCheck, protects: id! },
        branchCheck: '0'.repeat(26),
      },
    );
    const text = explain(sheet);
    expect(text).toContain(`- pinned keys: \`${id}\`; with any other key`);
    expect(text).toContain(`- only key \`${id}\` protects`);
    expect(text).toContain('labelled with the region `eu-west`');
    expect(text).toContain('the branches of a narrowed key file');
    expect(check(JSON.parse(JSON.stringify(sheet)))).toEqual([]);
  });

  it('check refuses one label in two scopes, also across policies', () => {
    const file = (fields: object, more: object = {}) => ({ trefoil: 1, domain: 'eu', fields, ...more });
    const person = { rule: 'token', scope: 'person', label: 'cust' };
    const staff = { rule: 'token', scope: 'staff', label: 'cust' };
    expect(check(file({ id: person, by: staff }))).toMatchObject([
      { code: 'half_join', field: 'fields.by.label', message: expect.stringContaining('the same label as id but') },
    ]);
    const across = check([file({ id: person }), file({ x: { rule: 'token', scope: 'x' }, by: staff })]);
    expect(across).toMatchObject([
      {
        code: 'half_join',
        file: 'policy 2',
        field: 'fields.by.label',
        message: expect.stringContaining('has the same label as id in policy 1 but another scope'),
      },
    ]);
    expect(across).toHaveLength(1);
    // Keys of two domains, or of two regions, show other ids.
    expect(check([file({ id: person }), { ...file({ by: staff }), domain: 'us' }])).toEqual([]);
    expect(check([file({ id: person }, { region: 'eu' }), file({ by: staff }, { region: 'us' })])).toEqual([]);
    // One of them leaves the region to the keys.
    expect(check([file({ id: person }, { region: 'eu' }), file({ by: staff })])).toHaveLength(1);
    expect(
      check([file({ id: person }), file({ by: { rule: 'vault', scope: 'person', store: 's', label: 'cust' } })]),
    ).toMatchObject([{ field: 'fields.by.label', message: expect.stringContaining('is a vault and not a token') }]);
  });

  it('check reports each half-join at its field, and the problems of each policy before', () => {
    const found = check([file(one), file(two)]);
    expect(found.map(({ code, file: name, field }) => [code, name, field])).toEqual([
      ['half_join', 'policy 2', 'fields.customer.scope'],
      ['half_join', 'policy 2', 'fields.mail.scope'],
      ['half_join', 'policy 2', 'fields.ref.scope'],
      ['half_join', 'policy 2', 'fields.born.scope'],
      ['half_join', 'policy 1', 'fields.kept.scope'],
      ['half_join', 'policy 2', 'fields.own.scope'],
    ]);
    expect(found[0]!.message).toContain(
      'has the same scope as id in policy 1 but a different label, so equal values have tokens',
    );
    expect(check([file(one), file(one)])).toEqual([]);
    expect(check([file(one)])).toEqual([]);
    expect(check([file(one), { trefoil: 1 }, 5]).map(({ code, file: name }) => [code, name])).toEqual([
      ['missing_option', 'policy 2'],
      ['missing_option', 'policy 2'],
      ['invalid_policy', 'policy 3'],
    ]);
    const locate = (path: readonly unknown[]) => ({ line: path.length, column: 1, file: 'two.yaml' });
    expect(check([file(one), file(two)], [undefined, locate])[0]).toMatchObject({ line: 3, file: 'two.yaml' });
  });

  it('what joins by its text in truth: a page promises no more than two runs show', () => {
    const domain = keyset.generate().domain('eu');
    const join = (a: { protect: (v: string) => unknown }, b: { protect: (v: string) => unknown }, x: string, y = x) =>
      a.protect(x) === b.protect(y);
    const bound = token({ scope: 'p' }).bind(domain);
    expect(join(bound, token({ scope: 'p' }).bind(domain), 'x')).toBe(true);
    expect(join(bound, token({ scope: 'p', label: 'cust' }).bind(domain), 'x')).toBe(false);
    expect(bound.matches('x', token({ scope: 'p', label: 'cust' }).bind(domain).protect('x'))).toBe(true);
    expect(join(bound, token({ scope: 'p', prepare: trim }).bind(domain), 'x')).toBe(false);
    const [a, b] = [digits({ length: 12 }), digits({ min: 7 })].map((format) =>
      fpe({ scope: 'f', format }).bind(domain),
    );
    expect(join(a!, b!, '123456789012')).toBe(true);
    expect(
      join(a!, fpe({ scope: 'f', format: card() }).bind(domain), '4111111111111111'.slice(0, 12), '4111111111111111'),
    ).toBe(false);
    expect(join(seal({ scope: 's' }).bind(domain), seal({ scope: 's' }).bind(domain), 'Ada', 'Ada ')).toBe(false);
  });

  it.each([
    [[], {}],
    [[5], {}],
    [[one, {}], {}],
    [[one, two], { names: ['a'] }],
    [[one], { names: [5] }],
    [[one], { name: ['a'] }],
  ])('refuses %#', (sheets, options) => {
    expect(() => explain(sheets as never, options as never)).toThrow(/^"(?:policy|names|options)" /);
  });
});

describe('readings and joins', () => {
  const day = (read?: string) => ({ rule: 'token', scope: 'day', ...(read === undefined ? {} : { read }) });
  const file = (fields: object) => parsePolicy({ trefoil: 1, domain: 'eu', fields });
  const one = file({ d1: day('DD.MM.YYYY'), d2: day() });
  const two = file({ d: day('MM/DD/YYYY') });

  it('the pages say which field is read as what, so that none promises equal texts alone', () => {
    const inside = explain(one);
    expect(inside).toContain('exactly the same when `d1` is read as DD.MM.YYYY (a field without a reading counts as');
    expect(inside).toContain('does not join with a field that is written as DD.MM.YYYY and has no reading');
    const across = explain([one, two], { names: ['one', 'two'] });
    expect(across).toContain('when `d1` in `one` is read as DD.MM.YYYY and `d` in `two` is read as MM/DD/YYYY');
  });

  it('a bucket has no such line, because it does not join by its value', () => {
    const born = { rule: 'coarsen', date: 'year', read: 'DD.MM.YYYY' };
    expect(explain(file({ born }))).not.toContain('joins with values that are in that form already');
  });
});
