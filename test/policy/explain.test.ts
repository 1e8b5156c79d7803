import { describe, expect, it } from 'vitest';
import { card } from '../../src/format.ts';
import { coarsen, constant, drop, each, fpe, keep, mask, optional, policy, seal, token } from '../../src/index.ts';
import { explain, parsePolicy } from '../../src/policy.ts';
import { trim } from '../../src/prepare.ts';
import { keys } from '../rule/keys.ts';

const sheet = policy(
  {
    id: token({ scope: 'person', label: 'cust', prepare: trim, why: 'orders | refunds' }),
    pan: fpe({ scope: 'card.pan', format: card({ clear: { first: 6 } }) }),
    name: seal({ scope: 'person.name' }),
    country: keep,
    notes: drop,
    source: constant({ value: 'MARKERVALUE' }),
    phone: mask({ last: 3 }),
    born: coarsen({ date: 'year' }),
    user: { mail: optional(token({ scope: 'person', prepare: trim })) },
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
      const shown = path.replace('|', '\\|');
      for (const title of ['Fields', 'Derived or random']) expect(section(title)).toContain(shown);
    }
    const rows = section('Fields').trim().split('\n');
    expect(rows).toHaveLength(2 + Object.keys(sheet.fields).length);
    // Every row has six cells, whatever stands in a name.
    for (const row of rows) expect(row.replaceAll('\\|', '').split('|')).toHaveLength(8);
    expect(rows.find((row) => row.includes('`user.mail`'))).toContain('(may be absent)');
  });

  it('says what joins with what', () => {
    const joins = section('What joins with what');
    expect(joins).toContain('`id`, `user.mail`: join with each other');
    expect(joins).toContain('`pan`: joins with every other fpe of the scope `card.pan`');
    expect(joins).toContain('`country`, `items[].sku`');
    expect(joins).toContain('Tokens and sealed values of two domains, or of two');
  });

  it('says what can be turned back, with what, and what cannot', () => {
    const back = section('What can be turned back, and with what');
    expect(back).toMatch(/with the keyset and code that holds `revealAccess`: `pan`, `name`\n/);
    expect(back).toContain('by no one, from the output alone: `id`, `notes`, `source`, `phone`, `born`, `user.mail`');
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
    const visible = section('What an outsider still sees');
    for (const path of ['id', 'pan', 'name', 'country', 'source', 'phone', 'born', 'user.mail', 'items[].sku']) {
      expect(visible).toContain(`- \`${path}\`:`);
    }
    expect(visible).not.toContain('`notes`');
    expect(visible).toContain('the first 6 digits');
  });

  it('gives the reasons, and leaves room for the controller', () => {
    expect(section('Reasons given')).toContain('`id`: orders \\| refunds');
    expect(section('To be filled in by the controller')).toContain('Who may reveal');
    expect(section('Other fields')).toContain('stops the run');
    expect(explain(policy({ a: keep }, { unnamed: 'drop' }))).toContain('is left out');
    expect(explain(policy({ a: keep }))).not.toContain('## Reasons given');
  });

  it('quotes no constant', () => {
    expect(page).not.toContain('MARKERVALUE');
  });

  it('is the same for the policy file, and for every run', () => {
    expect(explain(parsePolicy(JSON.parse(JSON.stringify(sheet))))).toBe(page);
    expect(explain(sheet)).toBe(page);
  });

  it('text of the policy does not become markup', () => {
    const odd = explain(policy({ 'a\n## x': token({ scope: 'a', why: '<b>\n# head\n|' }), '``': keep }));
    expect(odd.split('\n').filter((line) => /^#+ (x|head)/.test(line))).toEqual([]);
    expect(odd).not.toContain('<b>');
  });

  it.each([undefined, null, {}, 'policy', { fields: {} }])('%o is no policy', (value) => {
    expect(() => explain(value as never)).toThrow(/^"policy" expected a policy/);
  });
});
