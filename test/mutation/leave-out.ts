/**
 * Leaves the long runs out of mutation testing (vitest.mutation.config.ts): a mutant that lives through one costs its
 * whole time. Every one of them has a short companion, most of them in this folder.
 */
import { beforeEach } from 'vitest';

const long: readonly RegExp[] = [
  // FF1: digests over thousands of cases.
  /over 3,000/,
  /^gives them for radix 2 at every length/,
  /^gives what its values give alone: mixed lengths/,
  /^on numerals, bytes and sums, to the literal ones/,
  /over 20,000 samples$/,
  // Small spaces: the rounds' own proof, whole spaces, counts.
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
  /^the least recent go, in two generations/,
  /^one table that is larger than the bound/,
  // Formats: all of a large space, or all code points.
  /^every code point is a letter of one class/,
  /^takes what trefoil\/prepare takes/,
  /^up to four letters and digits are one space/,
  /^whatever is put together, no text is of two members/,
];

beforeEach(({ task, skip }) => {
  if (long.some((name) => name.test(task.name))) skip();
});
