/** `onErased: missing`: what was erased is a missing value in both directions, and a run counts it. */
import { rmSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { keyset, policy } from '../../../src/index.ts';
import { revealFile } from '../../../src/node.ts';
import { revealAccess } from '../../../src/reveal.ts';
import { memoryStore, vault } from '../../../src/vault.ts';
import { makeVaultPlace, vaultPolicy } from './place.ts';

const RULE = 'rule: vault, store: people, onErased: missing';
const POLICY = vaultPolicy(
  `name: { ${RULE}, scope: person.name, subject: id }`,
  `ticket: { ${RULE}, scope: ticket, label: tkt }`,
);
const ROWS = Array.from({ length: 6 }, (_, n) => `${100 + n},Person ${n},t${n}\n`);
const place = makeVaultPlace(POLICY, `id,name,ticket\n${ROWS.join('')}`);
const at = (...more: readonly string[]) => [...place.options(['people=people.db']), ...more];

/** The cells of a file, without the subject. */
const cells = (name: string) =>
  place
    .read(name)
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').slice(1));

/** Erases one subject and the ticket of another. */
async function erase(): Promise<void> {
  expect((await place.run(['vault', 'shred', ...at()], '102\n')).code).toBe(0);
  const ticket = cells('safe.csv')[4]![1]!;
  expect((await place.run(['vault', 'forget', ...at()], `${ticket}\n`)).code).toBe(0);
}

beforeEach(async () => {
  for (const name of place.files()) if (/^(out|safe|people|sum)/.test(name)) rmSync(place.path(name));
  await place.done(['protect', 'in.csv', ...at(), '--out', 'safe.csv']);
  await erase();
});

describe('a CSV file', () => {
  test('on the way back, erased values are empty cells, and the summary counts them', async () => {
    const done = await place.run(['reveal', 'safe.csv', ...at(), '--out', 'out.csv', '--summary', 'sum.json']);
    expect(done.code, done.err).toBe(0);
    expect(cells('out.csv')).toEqual([
      ['Person 0', 't0'],
      ['Person 1', 't1'],
      ['', 't2'],
      ['Person 3', 't3'],
      ['Person 4', ''],
      ['Person 5', 't5'],
    ]);
    expect(done.err).toContain('trefoil: 2 erased values count as missing\n');
    expect(JSON.parse(place.read('sum.json'))).toMatchObject({ rowsOut: 6, rowsRejected: 0, valuesErased: 2 });
  });

  test('on the way in, erased values are empty cells, and the others keep their tokens', async () => {
    const done = await place.run(['protect', 'in.csv', ...at(), '--out', 'out.csv', '--summary', 'sum.json']);
    expect(done.code, done.err).toBe(0);
    const before = cells('safe.csv');
    expect(cells('out.csv')).toEqual(before.map(([name, ticket], i) => [i === 2 ? '' : name, i === 4 ? '' : ticket]));
    expect(done.err).toContain('2 erased values count as missing');
    expect(JSON.parse(place.read('sum.json'))).toMatchObject({ valuesErased: 2 });
  });
});

test('NDJSON has null, in both directions', async () => {
  const lines = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const safe = cells('safe.csv').map(([name, ticket], i) => JSON.stringify({ id: String(100 + i), name, ticket }));
  const back = await place.run(['reveal', '-', '--format', 'ndjson', ...at()], `${safe.join('\n')}\n`);
  expect(back.code, back.err).toBe(0);
  expect(lines(back.out)[2]).toMatchObject({ name: null, ticket: 't2' });
  expect(lines(back.out)[4]).toMatchObject({ name: 'Person 4', ticket: null });
  const again = await place.run(
    ['protect', '-', '--format', 'ndjson', ...at()],
    '{"id":"102","name":"Person 2","ticket":"t2"}\n',
  );
  expect(lines(again.out)[0]).toMatchObject({ name: null });
});

test('without the option both are issues, as before', async () => {
  place.write('outp.yaml', place.read('p.yaml').replaceAll(', onErased: missing', ''));
  const options = at().map((word) => (word === 'p.yaml' ? 'outp.yaml' : word));
  const back = await place.run(['reveal', 'safe.csv', ...options]);
  expect([back.code, back.err.includes('the mapping of this token was destroyed')]).toEqual([1, true]);
  const there = await place.run(['protect', 'in.csv', ...options]);
  expect([there.code, there.err.includes('was erased from the vault')]).toEqual([1, true]);
});

describe('in code', () => {
  const rule = vault({ scope: 'ticket', store: 'main', onErased: 'missing' });
  const keys = keyset.generate().domain('eu');

  test('the verbs of a rule and of a policy give null', async () => {
    const store = memoryStore();
    const open = await rule.open(keys, { main: store }, revealAccess);
    const [ada, bob] = await open.protectMany(['Ada', 'Bob']);
    await open.forget(ada as string);
    expect(await open.protect('Ada')).toBeNull();
    expect(await open.reveal(ada!)).toBeNull();
    expect(await open.protectMany(['Ada', 'Bob', null])).toEqual([null, bob, null]);
    expect(await open.revealMany([bob!, ada!])).toEqual(['Bob', null]);
    const bound = await policy({ ticket: rule }).open(keys, { main: store }, revealAccess);
    expect(await bound.protectMany([{ ticket: 'Ada' }, { ticket: 'Bob' }])).toEqual([
      { ticket: null },
      { ticket: bob },
    ]);
    expect(await bound.reveal({ ticket: ada! })).toEqual({ ticket: null });
    // An expired or unknown token is an issue as before.
    await expect(open.reveal(bob!.replace(/.{3}$/, '000') as never)).rejects.toThrow();
  });

  test('a run that was resumed counts the values of both parts', async () => {
    const stores = { main: memoryStore() };
    const own = await rule.open(keys, stores, revealAccess);
    const open = await policy({ ticket: rule }).open(keys, stores, revealAccess);
    const [ada, bob] = (await own.protectMany(['Ada', 'Bob'])) as string[];
    await own.forget(ada!);
    const from = place.path('outlong.csv');
    const to = place.path('outback.csv');
    writeFileSync(from, `ticket\n${`${ada}\n${bob}\n${ada}\n`.repeat(40_000)}`);
    const stop = new AbortController();
    let first = 0;
    const run = (signal: AbortSignal | undefined) =>
      revealFile(from, to, open, {
        resume: true,
        signal,
        onProgress: ({ rows }) => {
          first = rows;
          if (signal !== undefined && rows > 0) stop.abort();
        },
      });
    await expect(run(stop.signal)).rejects.toThrow();
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(120_000);
    expect(await run(undefined)).toMatchObject({ rowsIn: 120_000, rowsRejected: 0, valuesErased: 80_000 });
  });
});
