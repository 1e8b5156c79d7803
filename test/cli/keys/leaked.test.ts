/** Runs the commands of docs/guide/a-key-has-leaked.md for files, and plays the thief of its key file. */
import { copyFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { cellsOf, makePlace } from '../harness.ts';
import { pageRun, stepsOf, textOf } from './page.ts';
import { opensSealed, tokensMet } from './thief.ts';

const page = 'docs/guide/a-key-has-leaked.md';
const place = makePlace();
afterAll(() => place.remove());

const EXAMPLES: readonly string[] = [
  ...['9b83h7t8', 'c7d2m4qx', '7rk2m9qa', 'b341r', 'p9t4e', 'jemd61whyev3ty22', 'ebhthhcg1rb1abex'],
];
const steps = stepsOf(textOf(page, '## Files'));
const run = pageRun(EXAMPLES);

describe('a key file has leaked: files', () => {
  it('the page has the steps', () => {
    expect(steps.filter((step) => 'command' in step).length).toBeGreaterThan(12);
  });

  const move = steps.findIndex((step) => 'command' in step && step.command.startsWith('trefoil rekey'));
  run.run(steps.slice(0, move), () => place);
  it('the thief copies the table and the key file', () => {
    copyFileSync(place.path('members.safe.csv'), place.path('stolen.csv'));
    copyFileSync(place.path('keys-1.json'), place.path('stolen.json'));
  });
  run.run(steps.slice(move), () => place);
});

describe('the thief of the key file', () => {
  const guesses = Array.from({ length: 10_000 }, (_, n) => String(10_000 + n));
  const mails = [...guesses.slice(2).map((n) => `${n}@example.com`), 'ada@example.com', 'zoe@example.com'];
  const column = (file: string, n: number) => cellsOf(place.read(file)).map((cells) => cells[n]!);
  const theft = () => ({ keys: place.read('stolen.json'), domain: 'eu-club' });

  it('with the old table tests guesses and opens sealed values', () => {
    expect(tokensMet(theft(), 'person', guesses, column('stolen.csv', 0))).toBe(2);
    expect(tokensMet(theft(), 'person.email', mails, column('stolen.csv', 1))).toBe(2);
    expect(opensSealed(theft(), 'person.name', column('stolen.csv', 2))).toEqual(['Ada Lovelace', 'Zoë Müller']);
  });

  it('with the new table meets no token in 10,000 guesses, and opens nothing', async () => {
    expect(tokensMet(theft(), 'person', guesses, column('members.safe.csv', 0))).toBe(0);
    expect(tokensMet(theft(), 'person.email', mails, column('members.safe.csv', 1))).toBe(0);
    expect(opensSealed(theft(), 'person.name', column('members.safe.csv', 2))).toEqual([]);
    place.write('thief.yaml', place.read('members.policy.yaml').replace(/^keyCheck.*\n/gm, ''));
    const ended = await place.run(['reveal', 'members.safe.csv', '--policy', 'thief.yaml', '--keys', 'stolen.json']);
    expect(ended).toMatchObject({ code: 1, out: 'id,mail,name,joined\n' });
    const old = await place.run(['reveal', 'stolen.csv', '--policy', 'thief.yaml', '--keys', 'stolen.json']);
    expect(old.out).toContain('Ada Lovelace');
  });

  it('finds no token of the new table in the old one', () => {
    const old = new Set([0, 1].flatMap((n) => column('stolen.csv', n)).map((token) => token.slice(10, -4)));
    for (const token of [0, 1].flatMap((n) => column('members.safe.csv', n))) {
      expect(old.has(token.slice(10, -4))).toBe(false);
    }
  });
});
