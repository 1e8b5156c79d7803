/** The page for keepers: its lines are those of the example, and it explains every family of lines. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { checkCharter, parseCharter } from '../../../src/govern.ts';

const file = (path: string) => readFileSync(new URL(`../../../docs/${path}`, import.meta.url), 'utf8');
const example = file('examples/charter.txt').trimEnd().split('\n');
const shown = [...file('guide/govern/charter.md').matchAll(/```text\n(.*?)```/gs)].flatMap(([, block]) =>
  block!.trimEnd().split('\n'),
);

/** Whether a line of the page is a line of the example; `…` is any part of it. */
const fits = (line: string) => {
  const parts = line.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return (one: string) => new RegExp(`^${parts.join('.+')}$`).test(one);
};

it('shows lines of the example, in their order', () => {
  expect(shown.length).toBeGreaterThan(25);
  let at = -1;
  for (const line of shown) {
    const next = example.findIndex((one, i) => i > at && fits(line)(one));
    expect(next, line).toBeGreaterThan(at);
    at = next;
  }
});

it('shows every family of lines that the example has', () => {
  const families = (lines: readonly string[]) => [...new Set(lines.map((line) => line.split(' ')[0]))];
  expect(families(shown)).toEqual(families(example));
});

it('the page of the format has every word of a check, and every line', () => {
  const page = file('spec/govern/charter-v1.md');
  const source = readFileSync(new URL('../../../src/govern/charter/check/finding.ts', import.meta.url), 'utf8');
  const words = [...source.matchAll(/^ {2}\| '([a-z-]+)'/gm)].map(([, word]) => word!);
  expect(words).toHaveLength(23);
  const table = page.slice(page.indexOf('## Checks'), page.indexOf('## Other tools'));
  expect([...table.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, word]) => word)).toEqual(words);
  const levels = Object.fromEntries([...table.matchAll(/^\| `([a-z-]+)` \| ([a-z]+) \|/gm)].map(([, w, l]) => [w, l]));
  expect(
    Object.entries(levels)
      .filter(([, level]) => level === 'refused')
      .map(([word]) => word),
  ).toEqual(['forks', 'unsatisfiable', 'bound-to-nobody', 'desk-cannot-ask', 'code-book']);
});

it('the example is a charter in which nothing is unwise', () => {
  expect(checkCharter(parseCharter(file('examples/charter.txt')))).toEqual([]);
});
