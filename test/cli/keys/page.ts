/**
 * Runs the commands of a page of the guide, in their order and in one folder. Ids and check values on a page are
 * examples: each stands for the one that the run has in its place, and must go on standing for it. `…` stands for any
 * text.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { root } from '../../doc-blocks.ts';
import type { Place } from '../harness.ts';

/** A command with the lines that the page shows of its output, or a file of the page. */
export type Step =
  | { readonly command: string; readonly lines: readonly string[] }
  | { readonly file: string; readonly body: string };

/** The text of a page, or of one section of it with the sections below. */
export function textOf(page: string, heading?: string): string {
  const text = readFileSync(`${root}${page}`, 'utf8');
  if (heading === undefined) return text;
  const start = text.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`${page} has no section ${heading}`);
  const level = heading.slice(0, heading.indexOf(' '));
  const end = text.indexOf(`\n${level} `, start + heading.length);
  return text.slice(start, end < 0 ? undefined : end);
}

/** The files and commands of a text, in their order. */
export function stepsOf(text: string): Step[] {
  return [...text.matchAll(/^```(yaml|csv|sh)(?: (\S+))?\n([\s\S]*?)^```$/gm)].flatMap(
    ([, kind, name, body]): Step[] =>
      kind === 'sh' ? commandsOf(body!) : name === undefined ? [] : [{ file: name, body: body! }],
  );
}

function commandsOf(body: string): Step[] {
  const texts = body.split(/^\$ /m).slice(1);
  return texts.map((text) => {
    const [command = '', ...lines] = text.trimEnd().split('\n');
    return { command, lines };
  });
}

/** What runs steps, and knows what stands for each example. */
export interface PageRun {
  /** What the run has in the place of the example. */
  readonly real: (example: string) => string;
  /** Registers a test for each step. `before` is run in front of each command, in the same shell. */
  readonly run: (steps: readonly Step[], place: () => Place, before?: () => string) => void;
}

/** Makes a run of a page with these ids, key checks and branch checks as examples. */
export function pageRun(examples: readonly string[]): PageRun {
  const example = new RegExp(`(?<![0-9a-z])(?:${[...examples].sort((a, b) => b.length - a.length).join('|')})`, 'g');
  const real = new Map<string, string>();

  /** A pattern for a line of the page. Examples that are not known yet match any text of their length. */
  const patternOf = (line: string): { readonly pattern: RegExp; readonly names: readonly string[] } => {
    const names: string[] = [];
    const quote = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*');
    let source = '';
    let from = 0;
    for (const match of line.matchAll(example)) {
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
  };

  /** Finds the line of an output that a line of the page stands for. */
  const expectLine = (line: string, output: readonly string[]): void => {
    const { pattern, names } = patternOf(line);
    const found = output.map((one) => pattern.exec(one)).find((match) => match !== null);
    expect(found, `no line like "${line}" in:\n${output.join('\n')}`).toBeDefined();
    for (const [i, name] of names.entries()) {
      const value = found![i + 1]!;
      expect([...real.values()], `${name} is another key than the others`).not.toContain(value);
      real.set(name, value);
    }
  };

  return {
    real(name) {
      const value = real.get(name);
      if (value === undefined) throw new Error(`the run has nothing for ${name} yet`);
      return value;
    },
    run(steps, place, before = () => ':') {
      for (const [i, step] of steps.entries()) {
        if ('file' in step) {
          it(`${i}: ${step.file}`, () => void place().write(step.file, step.body));
          continue;
        }
        it(`${i}: ${step.command.slice(0, 90)}`, async () => {
          const command = step.command.replace(example, (name) => real.get(name) ?? name);
          const { code, out, err } = await place().bash(
            `set -o pipefail; trefoil() { $T "$@"; }; ${before()}; ${command}`,
          );
          expect(code, err).toBe(0);
          const output = `${out}\n${err}`.split('\n');
          for (const line of step.lines) expectLine(line, output);
        });
      }
    },
  };
}
