/** The choice of long comparisons for a run of `.ci/run`. Also checks that lists of files name files that exist. */
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

interface Long {
  readonly name: string;
  readonly command: string;
  readonly minutes: number;
  readonly sources: readonly string[];
}

interface Turns {
  readonly LONG: readonly Long[];
  readonly BUDGET: number;
  readonly choose: (
    long: readonly Long[],
    changed: readonly string[] | null,
    commits: number,
    budget?: number,
  ) => { readonly chosen: readonly Long[]; readonly off: readonly Long[] };
}

const root = fileURLToPath(new URL('../', import.meta.url));
const { BUDGET, LONG, choose } = (await import(new URL('../.ci/turns.mjs', import.meta.url).href)) as Turns;
const names = (list: readonly Long[]) => list.map(({ name }) => name);
const chosen = (...args: Parameters<Turns['choose']>) => names(choose(...args).chosen);

const LIST: readonly Long[] = ['a', 'b', 'c', 'd'].map((name) => ({
  name,
  command: 'true',
  minutes: 5,
  sources: [`src/${name}/`, `src/${name}.ts`],
}));

test('all are chosen if the changes are not known', () => {
  expect(chosen(LIST, null, 7)).toEqual(['a', 'b', 'c', 'd']);
});

test('those whose sources have changed are chosen, and one of the others in rotation', () => {
  expect(chosen(LIST, ['src/b/x.ts', 'docs/a.md'], 0)).toEqual(['a', 'b']);
  expect(chosen(LIST, ['src/b.ts'], 1)).toEqual(['b', 'c']);
  expect(chosen(LIST, ['src/b.ts'], 2)).toEqual(['b', 'd']);
  expect(chosen(LIST, ['src/bb.ts', 'src/b.tsx', 'lib/src/b.ts'], 2)).toEqual(['c']);
});

test('if nothing has changed, each has its turn', () => {
  const turns = [0, 1, 2, 3].flatMap((commits) => chosen(LIST, [], commits));
  expect(turns).toEqual(['a', 'b', 'c', 'd']);
});

test('all are chosen if the lock file has changed', () => {
  expect(chosen(LIST, ['package-lock.json'], 5)).toEqual(['a', 'b', 'c', 'd']);
});

test('what does not fit into the budget is put off and named, and comes first in a later run', () => {
  const all = ['src/a.ts', 'src/b.ts', 'src/c.ts', 'src/d.ts'];
  const two = [0, 1, 2, 3].map((commits) => choose(LIST, all, commits, 10));
  expect(two.map((one) => names(one.chosen))).toEqual([
    ['a', 'b'],
    ['b', 'c'],
    ['c', 'd'],
    ['a', 'd'],
  ]);
  expect(two.map((one) => names(one.off))).toEqual([
    ['c', 'd'],
    ['a', 'd'],
    ['a', 'b'],
    ['b', 'c'],
  ]);
  expect(chosen(LIST, ['src/b.ts'], 0, 5)).toEqual(['b']);
});

describe('the table', () => {
  test('has nothing that never fits, and each has its turn even if everything has changed', () => {
    const seen = new Set<string>();
    for (let commits = 0; commits < LONG.length; commits++) {
      const { chosen: list } = choose(LONG, ['package-lock.json'], commits);
      expect(list.reduce((sum, { minutes }) => sum + minutes, 0)).toBeLessThanOrEqual(BUDGET);
      for (const { name } of list) seen.add(name);
    }
    expect(seen.size).toBe(LONG.length);
  });

  test('has no name twice, and no tab or line end in a name or a command', () => {
    expect(new Set(names(LONG)).size).toBe(LONG.length);
    for (const { name, command } of LONG) expect(`${name}${command}`).not.toMatch(/[\t\n]/);
  });

  // If a source were renamed, its comparison would no longer run, and nobody would notice.
  test.each(LONG.map((one) => [one.name, one] as const))('%s: every source exists', (_, { sources }) => {
    for (const source of sources) {
      expect(existsSync(`${root}${source}`), source).toBe(true);
      expect(statSync(`${root}${source}`).isDirectory(), source).toBe(source.endsWith('/'));
    }
  });
});

describe('the groups for mutation testing', async () => {
  const { groups } = await import('./mutation/groups.mjs');
  test.each(Object.entries(groups))('%s: every file exists', (_, { mutate, tests }) => {
    for (const path of [...mutate, ...tests]) {
      expect(existsSync(root + path.replace('*.ts', '')), path).toBe(true);
    }
  });
});
