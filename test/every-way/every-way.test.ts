/**
 * One corpus through every way of running a policy (ways.ts), because most faults were differences between two ways.
 * Each way must protect as the library does, reveal the original records, refuse the same records for the same
 * reason, and rekey to what the library protects with the new key. A new kind of value is a row of {@link CORPUS}; a
 * value that must be refused is a row of {@link REFUSED}.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TrefoilError } from '../../src/errors.ts';
import { card } from '../../src/format.ts';
import { coarsen, constant, drop, fpe, keep, keyset, mask, policy, seal, shiftDate, token } from '../../src/index.ts';
import { emailAddress, ipAddress, readDate, readEpoch, readNumber } from '../../src/prepare.ts';
import { makePlace, type Place } from '../cli/harness.ts';
import { keysetJson, secretText, testRoot } from '../reference/tree.ts';
import { type Cell, DROPPED, library, type Record_, type Setting, WAYS } from './ways.ts';

const KEYSET = keysetJson(testRoot('every way'));
const keys = keyset.parse(KEYSET).domain('every-way');

/** The keyset with a second epoch of the same lineage, which is primary. */
const NEXT = (() => {
  const second = { id: 'root-2', primary: true, base: 'root-1', secret: secretText(testRoot('every way 2')) };
  const { version, keys } = JSON.parse(KEYSET) as { version: string; keys: { id: string; secret: string }[] };
  return JSON.stringify({ version, keys: [second, ...keys.map(({ id, secret }) => ({ id, secret }))] });
})();
const next = keyset.parse(NEXT).domain('every-way');

const FIELDS = {
  id: token({ scope: 'person', label: 'cust' }),
  mail: token({ scope: 'person.email', prepare: emailAddress }),
  host: token({ scope: 'host', prepare: ipAddress }),
  account: token({ scope: 'account', after: 'Account/', per: ['id', { field: 'source', name: 'origin' }] }),
  name: seal({ scope: 'person.name' }),
  rank: seal({ scope: 'rank', value: 'json' }),
  signed: seal({ scope: 'signed', value: 'date' }),
  pan: fpe({ scope: 'card.pan', format: card({ clear: { first: 6 }, length: 16 }) }),
  born: coarsen({ date: 'year' }),
  client: coarsen({ ip: { v4: 24, v6: 48 } }),
  spent: coarsen({ number: 10 }),
  age: coarsen({ number: 10, min: 20, max: 90 }),
  zip: coarsen({ prefix: 3, merge: { '000': ['036', '059'] } }),
  joined: token({ scope: 'joined', read: readDate('DD.MM.YYYY') }),
  left: shiftDate({ scope: 'visit', subject: 'id', days: 30, read: readEpoch('seconds') }),
  turnover: coarsen({ number: 100, read: readNumber('1.234,5') }),
  visit: shiftDate({ scope: 'visit', subject: 'id', days: 30 }),
  phone: mask({ last: 3 }),
  source: constant({ value: 'crm' }),
  nothing: constant({ value: null }),
  unsaid: constant({ value: '' }),
  tag: token({ scope: 'tag', missing: ['', 'none'] }),
  note: keep,
  gone: drop,
} as const;
DROPPED.add('gone');

/** The list of the policy. */
const MISSING = ['', 'n/a', '-'] as const;

const GOOD: Record_ = {
  id: '10017',
  mail: 'Zoe@Example.com',
  host: '192.0.2.7',
  account: 'Account/77',
  name: 'Zoë Müller',
  rank: 'high',
  signed: '2024-03-31',
  pan: '4111111111111111',
  born: '1984-03-12',
  client: '192.0.2.7',
  spent: '17',
  age: '34',
  zip: '10001',
  joined: '31.03.2024',
  left: '1711872900',
  turnover: '1.234,50',
  visit: '2024-02-29',
  phone: '+49301234567',
  source: 'web',
  nothing: 'x',
  unsaid: 'x',
  tag: 'blue',
  note: 'prefers mornings',
  gone: 'secret',
};

/** The fields whose values are revealed. The others stay protected. */
const BACK = ['name', 'rank', 'signed', 'pan'] as const;

type Kind = readonly [kind: string, change: Readonly<Record<string, Cell>>];

const CORPUS: readonly Kind[] = [
  ['a plain record', {}],
  ['missing values', Object.fromEntries(Object.keys(GOOD).flatMap((name) => (name === 'id' ? [] : [[name, null]])))],
  ['empty texts', Object.fromEntries(Object.keys(GOOD).flatMap((name) => (name === 'id' ? [] : [[name, '']])))],
  ...MISSING.map(
    (text): Kind => [
      `no value, written as ${JSON.stringify(text)}`,
      Object.fromEntries(Object.keys(GOOD).flatMap((name) => (name === 'id' ? [] : [[name, text]]))),
    ],
  ),
  ["a field's own list", { tag: 'none', note: 'none', name: 'none' }],
  ['a kept null beside a kept text', { note: null }],
  ['texts that JSON could take for something', { rank: '"x", {[' }],
  ['a date before a time', { signed: '2024-03-31T08:15:00.5+02:00' }],
  ['quotes, separators and line ends', { name: 'a "b", c', note: 'x,y;z\t|\n"q"\r\nend' }],
  ['backslashes', { name: '\\N', note: '\\', phone: '\\t\\n99' }],
  ['nothing after the part in clear', { account: 'Account/' }],
  ['contexts that need bytes', { id: 'Zoë', source: '\u{1f600}', account: 'Account/山' }],
  ['spaces around', { name: '  Ada ', note: ' ' }],
  ['what spreadsheets run', { note: '=1+1', name: '@SUM(A1)' }],
  ['other planes', { id: '\u{1f600}', name: '山田太郎 \u{20000}', note: '\u{1f1e9}\u{1f1ea}' }],
  ['combining marks', { id: 'e\u0301', name: 'e\u0301', note: 'e\u0301', mail: 'zoe\u0308@example.com' }],
  ['digits as they are written', { id: '007', note: '0.1234567890123456789', spent: '-0.5' }],
  ['numbers beyond 2^53', { id: '6150769120280496265', note: '6150769120280496265', spent: '9007199254740993' }],
  ['exponents and a minus zero as text', { note: '-0', name: '1e400' }],
  ['a mapped address', { host: '::ffff:192.0.2.7', client: '::ffff:192.0.2.7' }],
  ['an address of version 6', { host: '2001:DB8::1', client: '2001:db8:1:2::1' }],
  ['an address with one of version 4 inside', { client: '2002:c000:207::1', host: '2002:c000:207::1' }],
  ['a card with spaces', { pan: '4111 1111 1111 1111' }],
  ['words that readers take for something', { name: 'null', note: 'NULL', phone: 'NaN true' }],
  ['names of what every object has', { id: 'constructor', name: '__proto__', note: 'toString' }],
  ['a long text', { name: 'x'.repeat(3000), note: 'y'.repeat(70_000) }],
  ['the first and last day', { born: '0001-01-01', visit: '1900-01-31' }],
  ['ages at both ends', { age: '103', zip: '03601' }],
  ['the other end', { age: '7', zip: '05999' }],
  ['dates of databases', { born: '1984-03-12 08:15:00+00', visit: '2024-02-29 08:15:00.123456-03' }],
  ['a year alone', { born: '1984' }],
  ['other ways to write it', { joined: '31.3.2024 8:15', left: '-0.5', turnover: '0,5' }],
  ['the same person again', { id: '10017', visit: '2024-03-01' }],
];

const REFUSED: readonly (readonly [kind: string, field: string, value: string])[] = [
  ['no date', 'born', 'Lovelace'],
  ['no date to shift', 'visit', 'last spring'],
  ['no number', 'spent', 'seventeen'],
  ['a date of another form', 'joined', '2024-03-31'],
  ['a date of two digits', 'joined', '31.03.24'],
  ['no time since 1970', 'left', '2024-03-31'],
  ['a dot for a comma', 'turnover', '1234.5'],
  ['a date BC', 'born', '0044-03-15 BC'],
  ['no address', 'client', 'Lovelace'],
  ['no address to prepare', 'host', 'Lovelace'],
  ['no e-mail address', 'mail', 'Lovelace'],
  ['no part in clear', 'account', 'Patient/77'],
  ['no date to seal', 'signed', 'yesterday'],
  ['no card', 'pan', '4111111111111112'],
  ['a token of these keys', 'id', policy({ id: FIELDS.id }).bind(keys).protect({ id: '1' }).id as string],
];

const rows: readonly Record_[] = CORPUS.map(([, change]) => ({ ...GOOD, ...change }));

let place: Place;
let setting: Setting;
let due: readonly Record_[];
/** What the library protects with the new key. */
let renewed: readonly Record_[];

beforeAll(async () => {
  place = makePlace();
  place.write('k.json', KEYSET);
  const written = policy(FIELDS, { domain: 'every-way', keyCheck: keys.keyCheck, missing: MISSING });
  place.write('p.yaml', JSON.stringify(written));
  place.write('next.json', NEXT);
  place.write('both.yaml', JSON.stringify({ ...written, keyCheck: next.keyCheck }));
  setting = { fields: FIELDS, keys, next, place, missing: MISSING };
  renewed = policy(FIELDS, { missing: MISSING })
    .bind(next)
    .protectMany(rows as never) as never;
  due = await library.run(rows, 'protect', setting);
});
afterAll(() => place.remove());

/** Records with the names of their kinds, so that a difference shows where it is. */
const named = (records: readonly Record_[]) => records.map((record, i) => ({ kind: CORPUS[i]![0], ...record }));

test('the library itself: only kept values are in clear, and nothing is lost', () => {
  expect(due).toHaveLength(rows.length);
  for (const [i, record] of due.entries()) {
    expect(Object.keys(record)).toEqual(Object.keys(GOOD).filter((name) => name !== 'gone'));
    expect(record.note, CORPUS[i]![0]).toBe(rows[i]!.note);
    if (rows[i]!.name && !MISSING.includes(rows[i]!.name as never)) expect(record.name).not.toContain(rows[i]!.name);
  }
  for (const [i, record] of due.entries()) {
    const kind = CORPUS[i]![0];
    if (!kind.startsWith('no value')) continue;
    const { id: _, tag: __, ...passed } = record;
    const { id: ___, tag: ____, gone: _____, ...came } = rows[i]!;
    // Constants are written in place of a missing value, too.
    expect(passed, kind).toEqual({ ...came, source: 'crm', nothing: null, unsaid: '' });
  }
  const [mapped] = due.filter((_, i) => CORPUS[i]![0] === 'a mapped address');
  expect([mapped!.host, mapped!.client]).toEqual([due[0]!.host, due[0]!.client]);
});

describe.each(WAYS.map((way) => [way.name, way] as const))('%s', (_, way) => {
  test('protects as the library does', async () => {
    expect(named(await way.run(rows, 'protect', setting))).toEqual(named(due));
  });

  test('reveals the original records', async () => {
    const back = await way.run(due, 'reveal', setting);
    const expected = due.map((record, i) => ({
      ...record,
      ...Object.fromEntries(BACK.map((name) => [name, rows[i]![name]!])),
    }));
    expect(named(back)).toEqual(named(expected as readonly Record_[]));
  });

  test.skipIf(way.stays === true)('rekeys to what is protected with the new key', async () => {
    expect(named(await way.run(due, 'rekey', setting))).toEqual(named(renewed));
  });

  test.skipIf(way.stays === true)('does not rekey a record twice', async () => {
    const bad = [due[0]!, renewed[0]!, due[0]!];
    const error = await way.run(bad, 'rekey', setting).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toContain('field id');
    expect((error as Error).message).toContain(`of key ${next.keyId} already`);
  });

  test.each(REFUSED)('refuses %s, with row and field and without a value', async (_, field, value) => {
    const bad = [GOOD, { ...GOOD, [field]: value }, GOOD];
    const expected = await library.run(bad, 'protect', setting).catch((error: unknown) => error);
    if (!(expected instanceof TrefoilError)) throw new Error('the library accepts it');
    const { message, row } = expected.issues[0]!;
    expect(row).toBe(2);
    const error = await way.run(bad, 'protect', setting).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    const said = (error as Error).message;
    expect(said).toContain(message);
    expect(said).toContain(`field ${field}`);
    // A function of SQL sees one column, and `library, one record` one record.
    if (!/SQL|one record/.test(way.name)) expect(said).toMatch(way.name.includes('apply') ? /line [23]\b/ : /row 2\b/);
    expect(said).not.toContain(value);
  });

  test('accepts an input without records, and one with a single record', async () => {
    expect(await way.run(rows.slice(0, 1), 'protect', setting)).toEqual(due.slice(0, 1));
  });
});
