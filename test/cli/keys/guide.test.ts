/**
 * Runs every command of docs/guide/keys.md, in its order and in one folder. Ids and check values on the page are
 * examples: each stands for the one that the run has in its place, and must go on standing for it.
 */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../../doc-blocks.ts';
import { makePlace } from '../harness.ts';

const page = readFileSync(`${root}docs/guide/keys.md`, 'utf8');
const place = makePlace();
afterAll(() => place.remove());

/** Ids of root keys, shown ids, key checks and branch checks of the page. */
const EXAMPLES: readonly string[] = [
  ...['9b83h7t8', 'c7d2m4qx', '7rk2m9qa', 'm4q8t0vb', 'x0v5e2ns', 'f6z1t7we', 'r9y3k5bd', 'g8w4n0hm'],
  ...['b341r', 'p9t4e', 'wdh8w', 'h1x9c', 'q2k6a', 'v7n3d'],
  ...['jemd61whyev3ty22', 'ebhthhcg1rb1abex', '7zn83pcf0gtksjqadh0nhvn2h8', 'f4wz8jv37atzj8cnkd6pnrvf1c'],
];
const EXAMPLE = new RegExp(`\\b(?:${EXAMPLES.join('|')})\\b`, 'g');

/** What the run has in the place of an example. */
const real = new Map<string, string>();

/** A pattern for a line of the page. Examples that are not known yet match any text of their length. */
function patternOf(line: string): { readonly pattern: RegExp; readonly names: readonly string[] } {
  const names: string[] = [];
  const quote = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*');
  let source = '';
  let from = 0;
  for (const match of line.matchAll(EXAMPLE)) {
    const [name] = match;
    source += quote(line.slice(from, match.index));
    from = match.index + name.length;
    const known = real.get(name);
    if (known !== undefined) source += known;
    else if (names.includes(name)) source += `\\${names.indexOf(name) + 1}`;
    else {
      names.push(name);
      source += `([0-9a-z]{${name.length}})`;
    }
  }
  return { pattern: new RegExp(`^${source}${quote(line.slice(from))}$`), names };
}

/** Finds the line of an output that a line of the page stands for. */
function expectLine(line: string, output: readonly string[]): void {
  const { pattern, names } = patternOf(line);
  const found = output.map((one) => pattern.exec(one)).find((match) => match !== null);
  expect(found, `no line like "${line}" in:\n${output.join('\n')}`).toBeDefined();
  for (const [i, name] of names.entries()) {
    const value = found![i + 1]!;
    expect([...real.values()], `${name} is another key than the others`).not.toContain(value);
    real.set(name, value);
  }
}

interface Step {
  readonly command: string;
  readonly lines: readonly string[];
}

/** The files and commands of the page, in their order. */
const parts = [...page.matchAll(/^```(yaml|csv|sh)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(([, kind, name, body]) => ({
  kind: kind!,
  name,
  body: body!,
}));

function stepsOf(body: string): Step[] {
  return body
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const [command = '', ...lines] = text.trimEnd().split('\n');
      return { command, lines };
    });
}

const steps = parts.flatMap(({ kind, name, body }): (Step | { readonly file: string; readonly body: string })[] =>
  kind === 'sh' ? stepsOf(body) : name === undefined ? [] : [{ file: name, body }],
);

describe('docs/guide/keys.md', () => {
  it('has commands, and uses each example', () => {
    expect(steps.filter((step) => 'command' in step).length).toBeGreaterThan(40);
    for (const example of EXAMPLES) expect(page).toContain(example);
    // An id that is no example would be compared as it is, and nobody would know why the test fails.
    const ids = page.match(/\broot key ([0-9a-z]{8})\b/g) ?? [];
    for (const id of ids) expect(EXAMPLES).toContain(id.slice(-8));
  });

  for (const [i, step] of steps.entries()) {
    if ('file' in step) {
      it(`${i}: ${step.file}`, () => void place.write(step.file, step.body));
      continue;
    }
    it(`${i}: ${step.command.slice(0, 90)}`, async () => {
      const command = step.command.replace(EXAMPLE, (name) => real.get(name) ?? name);
      const { code, out, err } = await place.bash(`set -o pipefail; trefoil() { $T "$@"; }; ${command}`);
      expect(code, err).toBe(0);
      const output = `${out}\n${err}`.split('\n');
      for (const line of step.lines) expectLine(line, output);
    });
  }
});
