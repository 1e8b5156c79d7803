/**
 * Protects and reveals the two real data sets beside the project with the command line. CI fails without them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePlace, type Place } from './harness.ts';

const data = (name: string): string => fileURLToPath(new URL(`../../../shared/data/${name}`, import.meta.url));
const policy = (name: string): string => fileURLToPath(new URL(`../policies/${name}`, import.meta.url));
const there = existsSync(data('titanic.csv'));

if (!there && process.env.CI) throw new Error('CI needs ../shared/data, and it is not there');

describe.skipIf(!there)('the real data sets', () => {
  let place: Place;
  const keys = ['--keys', 'keys.json', '--quiet'];
  beforeAll(async () => {
    place = makePlace();
    expect((await place.run(['keys', 'new', '--out', 'keys.json'])).code).toBe(0);
  });
  afterAll(() => place.remove());

  /** Protects and reveals a file, and returns both outputs. */
  async function thereAndBack(
    input: string,
    sheet: string,
  ): Promise<{ safe: string; back: string; summary: Record<string, unknown> }> {
    const extension = input.slice(input.lastIndexOf('.'));
    // Revealing fpe fields asks for the key check of these keys.
    const source = readFileSync(policy(sheet), 'utf8');
    const domain = /^domain: (.+)$/m.exec(source)![1]!;
    const { out } = await place.run(['keys', 'inspect', '--keys', 'keys.json', '--domain', domain]);
    place.write('pinned.yaml', `${/^keyCheck:.*$/m.exec(out)![0]}\n${source}`);
    const args = ['--policy', 'pinned.yaml', ...keys, '--force'];
    const protect = await place.run([
      'protect',
      data(input),
      ...args,
      '--out',
      `safe${extension}`,
      '--summary',
      'sum.json',
    ]);
    expect(protect).toEqual({ code: 0, out: '', err: '' });
    const reveal = await place.run(['reveal', `safe${extension}`, ...args, '--out', `back${extension}`]);
    expect(reveal).toEqual({ code: 0, out: '', err: '' });
    const summary = JSON.parse(place.read('sum.json')) as Record<string, unknown>;
    return { safe: place.read(`safe${extension}`), back: place.read(`back${extension}`), summary };
  }

  it('titanic.csv: names and cabins come back, and nothing else does', async () => {
    const { safe, back, summary } = await thereAndBack('titanic.csv', 'titanic.policy.yaml');
    expect(summary).toMatchObject({ rowsIn: 891, rowsOut: 891, rowsRejected: 0, domain: 'titanic-study' });
    expect(safe).not.toContain('Braund');
    expect(safe).toMatch(/^PassengerId,Survived,Pclass,Name,Sex,Age,SibSp,Parch,Ticket,Fare,Cabin,Embarked\r?\npax_/);
    // Names hold commas and doubled quotes; cells are compared as a CSV reader sees them.
    const { parse } = await import('csv-parse/sync');
    const cells = (text: string): string[][] => parse(text, { bom: true }) as string[][];
    const before = cells(readFileSync(data('titanic.csv'), 'utf8'));
    const after = cells(back);
    for (const name of ['Name', 'Cabin', 'Fare']) {
      const at = before[0]!.indexOf(name);
      expect(after.map((row) => row[at])).toEqual(before.map((row) => row[at]));
    }
    expect(
      new Set(
        cells(safe)
          .slice(1)
          .map((row) => row[5]),
      ),
    ).toEqual(new Set(['', '0', '10', '20', '30', '40', '50', '60', '70', '80']));
  });

  it('titanic.csv: comes back whole where every rule has a way back', async () => {
    const { back } = await thereAndBack('titanic.csv', 'titanic.reversible.policy.yaml');
    const { parse } = await import('csv-parse/sync');
    expect(parse(back)).toEqual(parse(readFileSync(data('titanic.csv'), 'utf8')));
  });

  it('access.ndjson: addresses are enciphered with their prefixes kept, requests stay', async () => {
    const { safe, back, summary } = await thereAndBack('access.ndjson', 'access.policy.yaml');
    const rows = (text: string): Record<string, unknown>[] =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    const before = rows(readFileSync(data('access.ndjson'), 'utf8'));
    const after = rows(safe);
    expect(after).toHaveLength(before.length);
    expect(summary).toMatchObject({ rowsIn: before.length, rowsRejected: 0 });
    expect(new Set(after.map((row) => row.ip)).size).toBe(new Set(before.map((row) => row.ip)).size);
    expect(rows(back).map((row) => row.ip)).toEqual(before.map((row) => row.ip));
    const bits = (ip: unknown): number =>
      String(ip)
        .split('.')
        .reduce((sum, part) => sum * 256 + Number(part), 0);
    const shared = (some: readonly Record<string, unknown>[], i: number): number =>
      Math.clz32(bits(some[i]!.ip) ^ bits(some[i - 1]!.ip));
    for (const [index, row] of after.entries()) {
      expect(row.ip).not.toBe(before[index]!.ip);
      if (index > 0) expect(shared(after, index)).toBe(shared(before, index));
      expect(row.request).toBe(before[index]!.request);
    }
  });

  it('access.ndjson: comes back whole where every rule has a way back', async () => {
    const { back } = await thereAndBack('access.ndjson', 'access.reversible.policy.yaml');
    const lines = (text: string): unknown[] =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
    expect(lines(back)).toEqual(lines(readFileSync(data('access.ndjson'), 'utf8')));
  });

  it('check tries both, with throw-away keys', async () => {
    for (const [input, sheet] of [
      ['titanic.csv', 'titanic.policy.yaml'],
      ['access.ndjson', 'access.policy.yaml'],
    ] as const) {
      const { code, err } = await place.run(['check', '--policy', policy(sheet), '--input', data(input)]);
      expect(err).toContain('no problems, the first 100 rows tried');
      expect(code).toBe(0);
    }
  });
});
