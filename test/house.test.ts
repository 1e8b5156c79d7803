/** Limits for the structure of the code: the number of files in a folder, and the length of a function. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { filesBelow, root } from './doc-blocks.ts';

/** The most files directly in one folder. The root of `src/` is excepted, because it has one file for each subpath. */
const MOST_FILES = 16;
const LONGEST_FUNCTION = 80;

/** The functions that may be longer, each with the reason. */
const LONG: Readonly<Record<string, string>> = {
  'src/govern/report/accounts.ts newAccounts': 'the state of the accounts, which each kind of entry changes',
  'src/govern/report/counters.ts newCounters': 'the sums of a period, which each kind of entry changes',
  'src/kernel/prf/sha256.ts compress': 'generated: the 64 rounds are written out, which is 12 % faster',
  'src/kernel/ff1/halves.ts limbed': 'one arithmetic, whose verbs share arrays of limbs',
  'src/kernel/ff1/rounds-binary.ts makeBinaryLane':
    'ten rounds for a batch and for one value, which share their buffers',
  'src/format/composed/seq.ts seqEngine': 'one engine, whose verbs read the same list of members',
  'src/format/iban/account.ts accountsOf': 'one numbering of accounts, whose verbs share its tables',
  'src/format/language/automaton.ts automatonOf': 'one construction over one set of states',
  'src/format/language/ranking.ts rankingOf': 'one ranking, whose verbs share counts and paths',
};

test('no folder has more than sixteen files of its own', () => {
  // Without git, for example in an unpacked archive, generated files cannot be told apart.
  if (!existsSync(`${root}.git`)) return;
  const counts = new Map<string, number>();
  for (const file of execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n')) {
    counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  }
  const rooms = [...counts].filter(([folder]) => /^(src|test|bench|docs|\.ci)(\/|$)/.test(folder) && folder !== 'src');
  expect(rooms.length).toBeGreaterThan(40);
  expect(rooms.filter(([, count]) => count > MOST_FILES)).toEqual([]);
});

describe('functions', () => {
  const long = filesBelow('src', '.ts').flatMap((file) => {
    const source = ts.createSourceFile(file, readFileSync(root + file, 'utf8'), ts.ScriptTarget.ES2022, true);
    const found: string[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
        const lines = source.text.slice(node.getStart(), node.end).split('\n').length;
        const named = node.name ?? (ts.isVariableDeclaration(node.parent) ? node.parent.name : undefined);
        if (lines > LONGEST_FUNCTION) found.push(`${file} ${named?.getText() ?? '(without a name)'}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
    return found;
  });

  test('have at most eighty lines, or are in the list with a reason', () => {
    expect(long.filter((name) => !Object.hasOwn(LONG, name))).toEqual([]);
  });

  test('are in the list only if they are longer', () => {
    expect(Object.keys(LONG).filter((name) => !long.includes(name))).toEqual([]);
  });
});
