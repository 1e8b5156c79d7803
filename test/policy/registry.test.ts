/**
 * The registries: what the policy file can name is what the package exports, and everything that lists names agrees.
 */

import { describe, expect, test } from 'vitest';
import * as formats from '../../src/format.ts';
import * as index from '../../src/index.ts';
import { check } from '../../src/policy/check.ts';
import { explain } from '../../src/policy/explain/explain.ts';
import { FORMATS } from '../../src/policy/file/formats.ts';
import { parsePolicy } from '../../src/policy/file/parse.ts';
import { RULES } from '../../src/policy/file/rules.ts';
import { byScope } from '../../src/policy/joins.ts';
import { policyLeaves } from '../../src/policy/policy.ts';
import * as vault from '../../src/vault.ts';

/** Options with which each rule can be made. A rule without a line here fails the first test. */
const RULE_OPTIONS: Readonly<Record<string, object>> = {
  keep: {},
  drop: {},
  constant: { value: 'x' },
  mask: { last: 2 },
  coarsen: { date: 'year' },
  token: { scope: 's', prepare: ['trim'], after: 'x', per: 'id' },
  fpe: { scope: 's', format: 'digits' },
  seal: { scope: 's' },
  vault: { scope: 's', store: 'main' },
  shiftDate: { scope: 's', subject: 'id', days: 3, prepareSubject: 'trim' },
};

/** The same for each format. */
const FORMAT_OPTIONS: Readonly<Record<string, object>> = {
  digits: {},
  text: { alphabet: 'abcdefghij' },
  pattern: { pattern: 'AA999999' },
  regex: { regex: '[a-z]{6}' },
  enumOf: { values: ['a', 'b'] },
  integer: { min: 1, max: 9 },
  decimal: { min: 1, max: 9, places: 2 },
  date: { from: '2000-01-01', to: '2020-12-31' },
  dateTime: { from: '2000-01-01T00:00:00', to: '2020-12-31T00:00:00' },
  uuid: {},
  card: {},
  iban: {},
  phone: {},
  email: {},
  ip: {},
  ipv4: {},
  ipv6: {},
  caseKept: {},
  seq: { parts: ['a-', { type: 'digits', length: 8 }] },
  oneOf: {
    formats: [
      { type: 'digits', length: 8 },
      { type: 'pattern', pattern: 'AA999999' },
    ],
  },
  clear: { of: 'unknown' },
};

function sheetOf(rule: object): unknown {
  return { trefoil: 1, domain: 'eu', fields: { id: 'keep', field: rule } };
}

/** Functions of the index and of trefoil/vault that do not make rules. */
const NOT_RULES = [
  ...[
    'each',
    'formatIssue',
    'inspect',
    'inspectSealed',
    'mark',
    'memoryStore',
    'optional',
    'planLength',
    'policy',
    'projectTokens',
  ],
  ...['tokenPattern', 'TrefoilError', 'utf8Column', 'utf8Texts'],
];

/** What a module exports as rules: values with a `rule`, and functions that are not in the list above. */
function exportedRules(exports: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(exports).flatMap(([name, value]) => {
    if (typeof value === 'function') return NOT_RULES.includes(name) ? [] : [name];
    return typeof value === 'object' && value !== null && 'rule' in value ? [name] : [];
  });
}

describe('the registry of rules', () => {
  test('every entry makes the rule that it names', () => {
    expect(Object.keys(RULE_OPTIONS).sort()).toEqual(Object.keys(RULES).sort());
    for (const name of Object.keys(RULES)) {
      const { fields } = parsePolicy(sheetOf({ rule: name, ...RULE_OPTIONS[name] }));
      expect(fields.field!.rule).toBe(name);
    }
  });

  test('every rule that the package exports is in it, and no other', () => {
    expect([...exportedRules(index), ...exportedRules(vault)].sort()).toEqual(Object.keys(RULES).sort());
  });

  test('an unknown name is an error, never another rule', () => {
    const issues = check(sheetOf({ rule: 'toString', scope: 's' }));
    expect(issues.map(({ code, message }) => [code, message])).toEqual([
      ['unknown_rule', `there is no such rule; there are ${Object.keys(RULES).join(', ')}`],
    ]);
  });

  test('rules with a scope, and no others, are in the lists of joins', () => {
    for (const [name, { entries }] of Object.entries(RULES)) {
      const sheet = parsePolicy(sheetOf({ rule: name, ...RULE_OPTIONS[name] }));
      const leaves = policyLeaves(sheet);
      const [group] = byScope([{ name: 'one', domain: 'eu', pins: null, leaves }], true).values();
      const scoped = Object.hasOwn(entries, 'scope');
      expect(
        group?.map(({ leaf }) => leaf.rule.rule),
        name,
      ).toEqual(scoped ? [name] : undefined);
      expect(explain(sheet).includes(`every other ${name} of the scope`), name).toBe(scoped);
    }
  });
});

describe('the registry of formats', () => {
  const formatOf = (format: object) => {
    const field = { rule: 'fpe', scope: 's', format, allowCodebook: 'a test' };
    return (parsePolicy(sheetOf(field)).fields.field as unknown as { format: { type: string } }).format;
  };

  test('every entry makes the format that it names', () => {
    expect(Object.keys(FORMAT_OPTIONS).sort()).toEqual(Object.keys(FORMATS).sort());
    for (const name of Object.keys(FORMATS)) {
      const format = { type: name, ...FORMAT_OPTIONS[name] };
      const made = name === 'clear' ? formatOf({ type: 'oneOf', formats: ['digits', format] }) : formatOf(format);
      const part = name === 'clear' ? (made as unknown as { formats: { type: string }[] }).formats[1]! : made;
      expect(part.type).toBe(name);
    }
  });

  test('every format of trefoil/format is in it, and no other', () => {
    const exported = Object.entries(formats).filter(([, value]) => typeof value === 'function');
    expect(exported.map(([name]) => name).sort()).toEqual(Object.keys(FORMATS).sort());
  });

  test('an unknown name is an error, never clear text', () => {
    const issues = check(sheetOf({ rule: 'fpe', scope: 's', format: { type: 'constructor', of: 'x' } }));
    expect(issues.map(({ code, message }) => [code, message])).toEqual([
      ['unknown_format', `there is no such format; there are ${Object.keys(FORMATS).join(', ')}`],
    ]);
  });
});
