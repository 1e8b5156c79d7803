/** The export of docs/guide/your-files.md, as a new user takes it, and what messages say on the way. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makePlace, type Place } from './harness.ts';

const page = readFileSync(new URL('../../docs/guide/your-files.md', import.meta.url), 'utf8');
const [, sample] = /```\n(KDNR;[\s\S]*?)```/.exec(page)!;
const [, sheet] = /```yaml\n([\s\S]*?)```/.exec(page)!;
const [, command] = /```\n(trefoil protect export\.csv [\s\S]*?)```/.exec(page)!;

let place: Place;
beforeAll(async () => {
  place = makePlace();
  place.write('export.csv', Buffer.from(sample!, 'latin1'));
  place.write('p.yaml', sheet!);
  expect((await place.run(['keys', 'new', '--out', 'keys.json'])).code).toBe(0);
});
afterAll(() => place.remove());

it('the command of the page protects the export, and reveal gives the names back', async () => {
  const protectedRun = await place.bash(command!.replaceAll('trefoil ', '$T '));
  expect(protectedRun.code, protectedRun.err).toBe(0);
  const [header, first, second] = place.read('safe.csv').split('\n');
  expect(header).toBe('KDNR;NAME;GEBDAT;UMSATZ;TEL');
  const cells = first!.split(';');
  expect(cells[0]).toMatch(/^cust_/);
  expect(cells.slice(2, 4)).toEqual(['1984', '1200']);
  expect(second!.split(';').slice(2)).toEqual(['NA', '0', 'NA']);
  const back = await place.bash('$T reveal safe.csv --policy p.yaml --keys keys.json --delimiter semicolon');
  expect(back.code, back.err).toBe(0);
  expect(back.out.split('\n').map((line) => line.split(';')[1])).toEqual(['NAME', 'Müller', 'Groß', undefined]);
});

it('a forgotten delimiter is named, also if the cells are quoted; nothing of the file is shown', async () => {
  const run = (file: string) => place.bash(`$T protect ${file} --policy p.yaml --keys keys.json`);
  const plain = await run('export.csv');
  expect(plain.code).toBe(1);
  expect(plain.err).toContain('line 1, column 1: the first line has fields of the policy');
  expect(plain.err).toContain('--delimiter semicolon');
  place.write('quoted.csv', '"KDNR"|"NAME"\n"1"|"Ada"\n');
  const quoted = await run('quoted.csv');
  expect(quoted.code).toBe(1);
  expect(quoted.err).toContain('line 1, column 7');
  expect(quoted.err).toContain('--delimiter pipe');
  place.write('data.csv', '10017;Ada\n');
  const data = await run('data.csv');
  expect(data.code).toBe(1);
  expect(data.err).toContain('--header');
  expect(`${plain.err}${quoted.err}${data.err}`).not.toMatch(/Müller|Ada|10017/);
});

it('a forgotten encoding is named', async () => {
  const { code, err } = await place.bash(
    '$T protect export.csv --policy p.yaml --keys keys.json --delimiter semicolon',
  );
  expect(code).toBe(1);
  expect(err).toMatch(/line 2, column 8.*--encoding/s);
});
