/**
 * Numbers of JSON through every way that takes JSON. An identifier of any size has the token that its text has in CSV,
 * and a kept number is written with the text with which it was read.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drop, keep, keyset, policy, seal, token } from '../../src/index.ts';
import { protectNdjson } from '../../src/ndjson.ts';
import { protectFile, revealFile } from '../../src/node.ts';
import { revealAccess } from '../../src/reveal.ts';
import { makePlace, type Place } from '../cli/harness.ts';
import { keysetJson, testRoot } from '../reference/tree.ts';

const KEYSET = keysetJson(testRoot('every way'));
const keys = keyset.parse(KEYSET).domain('every-way');
const people = policy(
  { id: token({ scope: 'person' }), score: keep, home: { lat: keep }, gone: drop },
  { domain: 'every-way', keyCheck: keys.keyCheck },
);
const bound = people.bind(keys);
const tokenOf = (text: string) => token({ scope: 'person' }).bind(keys).protect(text);

/** Texts of numbers. Whole numbers are used as identifiers, and all of them are kept. */
const NUMBERS = [
  '0',
  '7',
  '-7',
  '9007199254740991',
  '9007199254740993',
  '6150769120280496265',
  '-9223372036854775808',
  '18446744073709551615',
  '340282366920938463463374607431768211456',
];
const KEPT = [...NUMBERS, '-0', '12.50', '0.1234567890123456789', '1e400', '1E+2', '0.10', '-0.0', '1e-400'];

/** Each number: kept at the top level, kept inside an object, and dropped. */
const lines = KEPT.map((text, i) => {
  const id = NUMBERS[i % NUMBERS.length]!;
  return `{"id":${id},"score":${text},"home":{"lat":${text}},"gone":${text}}`;
});
const due = KEPT.map((text, i) => {
  const id = tokenOf(NUMBERS[i % NUMBERS.length]!);
  return `{"id":"${id}","score":${text},"home":{"lat":${text}}}`;
});
const input = `${lines.join('\n')}\n`;

let place: Place;
beforeAll(() => {
  place = makePlace();
  place.write('k.json', KEYSET);
  place.write('p.yaml', JSON.stringify(people));
  place.write('in.ndjson', input);
});
afterAll(() => place.remove());

async function stream(size: number): Promise<string> {
  const bytes = Buffer.from(input);
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
  const out: Uint8Array[] = [];
  for await (const chunk of protectNdjson(pieces, bound)) out.push(chunk);
  return Buffer.concat(out).toString('utf8');
}

async function file(options: object): Promise<string> {
  await protectFile(place.path('in.ndjson'), place.path('out.ndjson'), bound, { force: true, ...options });
  return readFileSync(place.path('out.ndjson'), 'utf8');
}

const WAYS: Readonly<Record<string, () => Promise<string>>> = {
  'NDJSON stream': () => stream(1 << 16),
  'NDJSON stream, 3 bytes at a time': () => stream(3),
  'NDJSON file': () => file({}),
  'NDJSON file, two workers': () => file({ workers: 2 }),
  'trefoil protect': async () => {
    const { code, out, err } = await place.run([
      'protect',
      'in.ndjson',
      '--policy',
      'p.yaml',
      '--keys',
      'k.json',
      '--quiet',
    ]);
    expect(code, err).toBe(0);
    return out;
  },
  'trefoil apply': async () => {
    const { code, out, err } = await place.run(['apply', '--ndjson', '--policy', 'p.yaml', '--keys', 'k.json'], input);
    expect(code, err).toBe(0);
    return out;
  },
};

describe.each(Object.entries(WAYS))('%s', (_, way) => {
  test('gives identifiers the token of their text, and keeps the text of kept numbers', async () => {
    expect((await way()).trimEnd().split('\n')).toEqual(due);
  });
});

test('the same identifiers in CSV have the same tokens', async () => {
  place.write('in.csv', `id,score,home.lat,gone\n${NUMBERS.map((text) => `${text},,,`).join('\n')}\n`);
  const { out } = await place.run(['protect', 'in.csv', '--policy', 'p.yaml', '--keys', 'k.json', '--quiet']);
  const ids = out
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',')[0]);
  expect(ids).toEqual(NUMBERS.map(tokenOf));
});

describe('a seal of scalars of JSON', () => {
  const fields = { id: keep, worth: seal({ scope: 'worth', value: 'json' }) } as const;
  const sealing = policy(fields, { domain: 'every-way', keyCheck: keys.keyCheck });
  const open = sealing.bind(keys, revealAccess);
  const texts = [...KEPT, 'true', 'false', '"7"', '"true"', '"Ada"', '""', 'null'];
  const records = texts.map((text, i) => `{"id":${i},"worth":${text}}\n`).join('');
  const flags = ['--policy', 's.yaml', '--keys', 'k.json'];
  const WAYS_THERE: Readonly<
    Record<string, (from: string, to: string, direction: 'protect' | 'reveal') => Promise<void>>
  > = {
    'NDJSON file': (from, to, direction) => run(direction, from, to, {}),
    'NDJSON file, two workers': (from, to, direction) => run(direction, from, to, { workers: 2 }),
    'the command line': async (from, to, direction) => {
      const { code, err } = await place.run([direction, from, ...flags, '--quiet', '--force', '--out', to]);
      expect(code, err).toBe(0);
    },
    'trefoil apply': async (from, to, direction) => {
      const more = direction === 'reveal' ? ['--reveal'] : [];
      const { code, out, err } = await place.run(['apply', '--ndjson', ...more, ...flags], place.read(from));
      expect(code, err).toBe(0);
      place.write(to, out);
    },
  };

  async function run(direction: 'protect' | 'reveal', from: string, to: string, options: object): Promise<void> {
    const verb = direction === 'protect' ? protectFile : revealFile;
    await verb(place.path(from), place.path(to), open, { force: true, ...options });
  }

  beforeAll(() => {
    place.write('s.yaml', JSON.stringify(sealing));
    place.write('worth.ndjson', records);
  });

  test.each(Object.entries(WAYS_THERE))('%s: every value comes back letter by letter', async (_, way) => {
    await way('worth.ndjson', 'sealed.ndjson', 'protect');
    const worths = place
      .read('sealed.ndjson')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { worth: string }).worth);
    expect(worths.slice(0, -2).filter((worth) => worth.length < 85)).toEqual([]);
    await way('sealed.ndjson', 'back.ndjson', 'reveal');
    expect(place.read('back.ndjson')).toBe(records);
  });

  test('a cell of CSV that is spelled as a number is that number', async () => {
    await run('protect', 'worth.ndjson', 'sealed.ndjson', {});
    place.write('worth.csv', `id,worth\n${[...KEPT, 'true', 'Ada'].map((text, i) => `${i},${text}`).join('\n')}\n`);
    const { out, err } = await place.run(['protect', 'worth.csv', ...flags, '--quiet']);
    const cells = out
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',')[1]);
    const worths = place
      .read('sealed.ndjson')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { worth: string }).worth);
    expect(cells, err).toEqual([...worths.slice(0, KEPT.length + 1), worths[KEPT.length + 4]]);
    place.write('sealed.csv', out);
    const back = await place.run(['reveal', 'sealed.csv', ...flags, '--quiet']);
    expect(back.out, back.err).toBe(place.read('worth.csv'));
  });
});
