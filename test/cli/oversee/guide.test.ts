/** The worked example of docs/guide/overseer.md, line by line, in an empty folder. */
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { root } from '../../doc-blocks.ts';
import { makePlace } from '../harness.ts';

const page = readFileSync(`${root}docs/guide/overseer.md`, 'utf8');
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, text]) => text!);

test('a stranger can follow it from nothing, and sees exit 7', async () => {
  const place = makePlace();
  try {
    const [script] = blocks('js');
    expect(script).toBe(readFileSync(`${root}docs/examples/make-log.mjs`, 'utf8'));
    place.write('make-log.mjs', script!);
    mkdirSync(place.path('node_modules'));
    symlinkSync(root.replace(/\/$/, ''), place.path('node_modules/trefoil'));
    const steps = blocks('sh');
    expect(steps).toHaveLength(3);
    // The shell has no npm here; the package is the built one of this checkout.
    const npx = 'npx() { shift; $T "$@"; }; export LC_ALL=C; ';
    const outs: string[] = [];
    for (const step of steps) outs.push((await place.bash(`${npx}${step}`)).out);
    const [first, second, third] = outs;
    expect(first).toMatch(
      /^the log has 3 entries\nverified WITHOUT A WITNESS: log\.example\/first, 3 entries, all of them read; .*\nexit 0\n$/s,
    );
    expect(second).toMatch(/6 entries, 3 new since the last look.*\nexit 0\n$/s);
    expect(third).toMatch(/^NOT VERIFIED: log\.example\/first: entry 0 was rewritten\n.*\nexit 7\n$/s);
  } finally {
    place.remove();
  }
});

test('the page has every word that a finding may have', () => {
  for (const word of [
    'deleted',
    'cut',
    'rewritten',
    'forked',
    'rolled back',
    'unreadable',
    'unsigned',
    'unwitnessed',
  ]) {
    expect(page).toContain(`| *${word}* |`);
  }
});
