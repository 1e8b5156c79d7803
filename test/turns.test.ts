/** The choice of long comparisons for a run of `.ci/run`. Also checks that lists of files name files that exist. */
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

interface Long {
  readonly name: string;
  readonly command: string;
  readonly sources: readonly string[];
}

interface Turns {
  readonly LONG: readonly Long[];
  readonly choose: (
    long: readonly Long[],
    changed: readonly string[] | null,
    commits: number,
  ) => readonly (Long & { readonly reason: string })[];
}

const root = fileURLToPath(new URL('../', import.meta.url));
const { LONG, choose } = (await import(new URL('../.ci/turns.mjs', import.meta.url).href)) as Turns;
const names = (chosen: readonly Long[]) => chosen.map(({ name }) => name);

const LIST: readonly Long[] = ['a', 'b', 'c', 'd'].map((name) => ({
  name,
  command: 'true',
  sources: [`src/${name}/`, `src/${name}.ts`],
}));

test('all are chosen if the changes are not known', () => {
  expect(names(choose(LIST, null, 7))).toEqual(['a', 'b', 'c', 'd']);
});

test('those whose sources have changed are chosen, and one of the others in rotation', () => {
  expect(names(choose(LIST, ['src/b/x.ts', 'docs/a.md'], 0))).toEqual(['a', 'b']);
  expect(names(choose(LIST, ['src/b.ts'], 1))).toEqual(['b', 'c']);
  expect(names(choose(LIST, ['src/b.ts'], 2))).toEqual(['b', 'd']);
  expect(names(choose(LIST, ['src/bb.ts', 'src/b.tsx', 'lib/src/b.ts'], 2))).toEqual(['c']);
});

test('if nothing has changed, each has its turn', () => {
  const turns = [0, 1, 2, 3].flatMap((commits) => names(choose(LIST, [], commits)));
  expect(turns).toEqual(['a', 'b', 'c', 'd']);
});

test('all are chosen if the lock file has changed', () => {
  expect(names(choose(LIST, ['package-lock.json'], 5))).toEqual(['a', 'b', 'c', 'd']);
});

describe('the table', () => {
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
