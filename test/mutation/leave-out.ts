/**
 * Skips the long tests in mutation testing (vitest.mutation.config.ts), because every mutant that survives a test costs
 * its whole time. For each of them there is a short test of the same code, in most cases in this folder.
 */
import { beforeEach } from 'vitest';

const long: readonly RegExp[] = [
  // FF1: digests over thousands of cases.
  /over 3,000/,
  /^gives them for radix 2 at every length/,
  /^gives what its values give alone: mixed lengths/,
  /^on numerals, bytes and sums, to the literal ones/,
  /over 20,000 samples$/,
  // Small spaces: the proof of the rounds, tests over whole spaces, statistics.
  /^the committed table is the generated one$/,
  /^every stage has the fewest rounds/,
  /^sizes between two powers of two/,
  /^the bound holds on average/,
  /^tables$/,
  /^a table that passes over words$/,
  /^sometimes-recurse$/,
  /^table of \d{4,}/,
  /^sometimes-recurse of \d{3,}/,
  /^samples of the largest sizes/,
  /^all orders of \d+ values/,
  /^every index of \d+ goes to every place/,
  /^one bit of the key or of the tweak/,
  /^a column of 500 values/,
  /^batches and order do not matter$/,
  /^without node:crypto the results are the same$/,
  /^more tables than are kept/,
  /^(table|sometimes-recurse): property/,
  /^the least recently used are dropped, in two generations/,
  /^one table that is larger than the bound/,
  // Formats: tests over a whole large space, or over all code points.
  /^every code point is a letter of one class/,
  /^takes what trefoil\/prepare takes/,
  /^up to four letters and digits are one space/,
  /^whatever is put together, no text is of two members/,
];

beforeEach(({ task, skip }) => {
  if (long.some((name) => name.test(task.name))) skip();
});
