import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { scanJson } from '../../src/core/json/scan.ts';
import { type Issue, TrefoilError } from '../../src/errors.ts';
import { drop, each, keep, optional, policy, seal, token } from '../../src/index.ts';
import { type NdjsonOptions, protectNdjson, revealNdjson } from '../../src/ndjson.ts';
import { revealAccess } from '../../src/reveal.ts';
import { brief, collect, cut, errorOf, keys, textOf } from './helpers.ts';

const abc = policy({ a: keep, b: optional(keep), notes: optional(drop) }).bind(keys, revealAccess);
const deep = policy({
  user: { name: seal({ scope: 'person.name' }), age: seal({ scope: 'person.age', value: 'integer' }) },
  items: each({ sku: keep }),
}).bind(keys, revealAccess);

const protect = (text: string | Uint8Array, options?: NdjsonOptions): Promise<string> =>
  textOf(protectNdjson([text], abc, options));
const issuesOf = async (text: string | Uint8Array, options?: NdjsonOptions): Promise<string[]> =>
  (await errorOf(protectNdjson([text], abc, options))).issues.map(brief);

test('lines, blank lines, newlines, byte order mark', async () => {
  const out = '{"a":1}\n{"a":"x","b":true}\n';
  expect(await protect('{"a":1}\n{"a":"x","b":true}')).toBe(out);
  expect(await protect('\ufeff{"a":1,"notes":"n"}\r\n\r\n \t\n{ "a" : "x", "b":true }\r\n\n')).toBe(out);
  expect(await protect('\n\n')).toBe('');
  expect(await protect('{"a":null}\n')).toBe('{"a":null}\n');
});

test('nested records are revealed', async () => {
  const text = '{"items":[{"sku":"x"},{"sku":"y"}],"user":{"age":36,"name":"Zoë"}}\n{"user":null,"items":[]}\n';
  const safe = await collect(protectNdjson(text, deep));
  expect(safe.toString()).not.toContain('Zoë');
  expect(await textOf(revealNdjson([safe], deep))).toBe(text);
});

test.each([
  ['not JSON', '{"a":1}\n\n{"a":tru}\n', 'invalid_json row 2 line 3'],
  ['cut', '{"a":1}\n{"a":', 'invalid_json row 2 line 2'],
  ['two values', '{"a":1}{"a":2}', 'invalid_json row 1 line 1'],
  ['a space that JSON has not', '\u00a0\n', 'invalid_json row 1 line 1'],
  ['an array', '[{"a":1}]', 'not_an_object row 1 line 1'],
  ['a number', '7', 'not_an_object row 1 line 1'],
  ['null', 'null', 'not_an_object row 1 line 1'],
  ['a key twice', '{"a":1,"a":1}', 'duplicate_key row 1 line 1 a'],
  ['a key twice, spelt differently', '{"a":1,"\\u0061":1}', 'duplicate_key row 1 line 1 a'],
  ['a key twice, deep', '{"a":[{"x":{"y":1,"z":2,"y":3}}]}', 'duplicate_key row 1 line 1 a'],
  ['too deep', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`, 'nested_value row 1 line 1'],
  ['far too deep', `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, 'nested_value row 1 line 1'],
  ['a key twice named __proto__', '{"a":1,"__proto__":1,"__proto__":2}', 'duplicate_key row 1 line 1'],
  ['a field that is not named', '{"a":1}\n{"a":1,"c":2}', 'unnamed_field row 2 line 2 c'],
  ['a field that is missing', '{"b":1}', 'missing_field row 1 line 1 a'],
  ['a long record', `{"a":1}\n{"a":"${'x'.repeat(400_000)}"}`, 'record_too_large row 2 line 2'],
])('refused, and rejectable: %s', async (_, text, expected) => {
  const options = { maxRecord: expected.startsWith('record') ? 200_000 : 1 << 20 };
  expect(await issuesOf(text, options)).toEqual([expected]);
  const rejects: Issue[] = [];
  const out = await protect(`${text}\n{"a":"last"}`, { ...options, onReject: (issue) => rejects.push(issue) });
  expect(rejects.map(brief)).toEqual([expected]);
  expect(out.endsWith('{"a":"last"}\n')).toBe(true);
});

test.each([
  ['NUL', '{"a":1}\n{"a":"\0"}', 'nul_byte line 2'],
  ['UTF-16', Buffer.from('\ufeff{"a":1}', 'utf16le'), 'not_utf8 line 1'],
])('ends the run: %s', async (_, text, expected) => {
  expect(await issuesOf(text, { onReject: () => {} })).toEqual([expected]);
});

test('lines that only look wrong are accepted', async () => {
  for (const text of [
    '{"a":9007199254740991,"b":-9007199254740991}',
    '{"a":"9007199254740992","b":"\\"a\\":1e999,{[:"}',
    '{"a":1,"b":"4111111111111111"}',
    '{"a":"\\\\","b":"\\\\\\""}',
    '{"a":"__proto__","b":false}',
  ]) {
    expect(await protect(text)).toBe(`${text}\n`);
  }
});

test('lone surrogates are refused in kept fields as in protected ones', async () => {
  expect((await errorOf(protectNdjson('{"a":"\\ud800"}', abc))).issues.map(brief)).toContain(
    'lone_surrogate row 1 line 1 a',
  );
  const bound = policy({ a: token({ scope: 'x' }) }).bind(keys);
  expect((await errorOf(protectNdjson('{"a":"\\ud800"}', bound))).issues.map(brief)).toEqual([
    'lone_surrogate row 1 line 1 a',
  ]);
});

test.each([
  ['of a field', '{"user":{"name":"x","age":1},"items":[],"user":{}}', 41, 'user', undefined],
  ['in an array', '{"items":[{"sku":1},{"sku":"}\\"","sku":1}],"user":null}', 34, 'items[].sku', 'items[1].sku'],
  ['that the policy does not have', '{"items":[{},{"MARK":1,"MARK":2}],"user":null}', 24, 'items[]', 'items[1]'],
  ['deep in a name that is unknown', '{"MARK":{"a":[{"b":1,"b":1}]}}', 22, undefined, undefined],
  ['with an escape', '{"user":null,"it\\u0065ms":[],"items":[]}', 30, 'items', undefined],
])('a key twice %s: the column of the second, and the field', async (_, text, column, field, element) => {
  const [issue] = (await errorOf(protectNdjson([text], deep))).issues;
  expect(issue).toMatchObject({ code: 'duplicate_key', row: 1, line: 1, column });
  expect([issue!.field, issue!.element]).toEqual([field, element]);
  expect(JSON.stringify(issue)).not.toContain('MARK');
});

test('a number in place of text, and an object in place of a scalar', async () => {
  const error = await errorOf(
    protectNdjson('{"user":{"name":5,"age":1},"items":[]}\n{"user":{"name":{"x":1},"age":"1"},"items":[]}', deep),
  );
  expect(error.issues.map((issue) => `${issue.row} ${issue.field}`)).toEqual([
    '1 user.name',
    '2 user.name',
    '2 user.age',
  ]);
});

test('limit counts records, and samples show them', async () => {
  const seen: unknown[] = [];
  const onSample = (before: unknown, after: unknown): void => void seen.push([before, after]);
  const text = '\n{"a":1,"notes":2}\n\n{"a":3}\n{"a":\n';
  expect(await protect(text, { limit: 2, onSample })).toBe('{"a":1}\n{"a":3}\n');
  expect(seen).toEqual([
    [{ a: 1, notes: 2 }, { a: 1 }],
    [{ a: 3 }, { a: 3 }],
  ]);
});

test('property: records are revealed as equal values, whatever the chunks and batches', async () => {
  const records = fc.array(fc.record({ name: fc.string({ unit: 'grapheme' }), age: fc.maxSafeInteger() }), {
    maxLength: 6,
  });
  const cuts = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(records, cuts, fc.integer({ min: 1, max: 3 }), async (users, lengths, batchSize) => {
      const values = users.map((user) => ({ user, items: [] }));
      const bytes = Buffer.from(`${values.map((value) => JSON.stringify(value)).join('\n')}\n`);
      const safe = await collect(protectNdjson(cut(bytes, lengths), deep, { batchSize }));
      expect(safe.equals(await collect(protectNdjson([bytes], deep)))).toBe(true);
      if (safe.length === 0) return;
      const back = await textOf(revealNdjson(cut(safe, lengths), deep, { batchSize }));
      expect(
        back
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line)),
      ).toEqual(values);
    }),
    { numRuns: 200 },
  );
});

test('property: the scan finds exactly the keys that occur twice', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (inner) => {
      const value = { inner };
      const text = JSON.stringify(value);
      const issue = scanJson(text, JSON.parse(text));
      expect([null, 'inexact']).toContain(issue);
      const doubled = text.replace('{', '{"inner":0,');
      expect(scanJson(doubled, JSON.parse(doubled))).toMatchObject({ code: 'duplicate_key' });
    }),
    { numRuns: 500 },
  );
});

test('property: no message holds a piece of the input', async () => {
  const secret = 'Zwqxj';
  const pieces = fc.constantFrom(
    secret,
    `"${secret}"`,
    '{',
    '}',
    '"a":',
    `"${secret}":`,
    ',',
    '1e999',
    '\n',
    '\0',
    '[',
    ']',
    `{"a":"${secret}","a":1}\n`,
  );
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { maxLength: 20 }), async (parts) => {
      const messages: string[] = [];
      try {
        await protect(parts.join(''), { maxRecord: 40, onReject: (issue) => messages.push(JSON.stringify(issue)) });
      } catch (error) {
        if (!(error instanceof TrefoilError)) throw error;
        messages.push(JSON.stringify(error, Object.getOwnPropertyNames(error)));
      }
      for (const message of messages) expect(message).not.toContain(secret);
    }),
    { numRuns: 500 },
  );
});
