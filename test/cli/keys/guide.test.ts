/** Runs every command of docs/guide/keys.md. */
import { afterAll, describe, expect, it } from 'vitest';
import { makePlace } from '../harness.ts';
import { pageRun, stepsOf, textOf } from './page.ts';

const page = textOf('docs/guide/keys.md');
const place = makePlace();
afterAll(() => place.remove());

/** Ids of root keys, shown ids, key checks and branch checks of the page. */
const EXAMPLES: readonly string[] = [
  ...['9b83h7t8', 'c7d2m4qx', '7rk2m9qa', 'm4q8t0vb', 'x0v5e2ns', 'f6z1t7we', 'r9y3k5bd', 'g8w4n0hm'],
  ...['b341r', 'p9t4e', 'wdh8w', 'h1x9c', 'q2k6a', 'v7n3d'],
  ...['jemd61whyev3ty22', 'ebhthhcg1rb1abex', '7zn83pcf0gtksjqadh0nhvn2h8', 'f4wz8jv37atzj8cnkd6pnrvf1c'],
];

const steps = stepsOf(page);

describe('docs/guide/keys.md', () => {
  it('has commands, and uses each example', () => {
    expect(steps.filter((step) => 'command' in step).length).toBeGreaterThan(40);
    for (const example of EXAMPLES) expect(page).toContain(example);
    // An id that is no example would be compared as it is, and nobody would know why the test fails.
    const ids = page.match(/\broot key ([0-9a-z]{8})\b/g) ?? [];
    for (const id of ids) expect(EXAMPLES).toContain(id.slice(-8));
  });

  pageRun(EXAMPLES).run(steps, () => place);
});
