/** The command line as one file, `dist/trefoil.mjs`: in the package, and copied to a folder of its own. */
import { copyFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CLI, makePlace, type Place } from '../cli/harness.ts';

const ONE_FILE = CLI.replace('cli.js', 'trefoil.mjs');
const RUN = 'protect a.csv --policy p.yaml --keys k.json';

let place: Place;

beforeAll(async () => {
  place = makePlace();
  place.write('p.yaml', 'trefoil: 1\ndomain: eu\nfields:\n  id: { rule: token, scope: id }\n');
  const rows = Array.from({ length: 50_000 }, (_, i) => `person ${i} of many\n`).join('');
  place.write('a.csv', `id\n${rows}`);
  expect((await place.run(['keys', 'new', '--out', 'k.json'])).code).toBe(0);
});
afterAll(() => place.remove());

test('beside the package, it starts the workers of the package', async () => {
  const one = await place.bash(`"${process.execPath}" "${ONE_FILE}" ${RUN} --workers 2 --out two.csv`);
  expect([one.code, one.err]).toEqual([0, expect.stringMatching(/^trefoil: 50,000 rows in, 50,000 out/)]);
  expect((await place.bash(`$T ${RUN} --out one.csv`)).code).toBe(0);
  expect(place.read('two.csv')).toBe(place.read('one.csv'));
});

test('alone, it says that it has no workers, and works without them', async () => {
  copyFileSync(ONE_FILE, place.path('alone.mjs'));
  const none = await place.bash(`"${process.execPath}" alone.mjs ${RUN} --workers 2 --out three.csv`);
  expect([none.code, none.err]).toEqual([
    5,
    expect.stringMatching(/^trefoil: error: workers need .*run without workers/),
  ]);
  expect(place.files()).not.toContain('three.csv');
  const run = await place.bash(`"${process.execPath}" alone.mjs ${RUN} --out four.csv`);
  expect([run.code, run.err.split('\n').length]).toEqual([0, 2]);
});
