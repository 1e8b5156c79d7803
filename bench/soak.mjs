/**
 * `npm run soak [-- MILLIONS]` makes that many million tokens in one process, 100 million by default. All values are
 * different. Most are protected in columns of 10,000, some one by one. After every tenth of the run it prints the time
 * per token, and the memory that is held after a garbage collection.
 *
 * It fails if more than 4 MiB more are held after the last tenth than after the second (the first builds tables and
 * compiled code), or if a token of the last tenth takes more than 1.25 times as long as in the fastest tenth after the
 * first.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { keyset, token } from 'trefoil';

if (globalThis.gc === undefined) {
  const args = ['--expose-gc', fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  process.exit(spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1);
}

const TENTHS = 10;
const COLUMN = 10_000;
/** One column in this many is protected value by value. */
const SINGLES = 10;

const millions = Number(process.argv[2] ?? 100);
if (!Number.isInteger(millions) || millions < 1)
  throw new RangeError('the argument must be a whole number of millions, at least 1');
const columns = (millions * 1e6) / TENTHS / COLUMN;
const bound = token({ scope: 'person.email', label: 'mail' }).bind(keyset.generate().domain('soak'));

let made = 0;
let last = '';
const tenths = [];
for (let tenth = 0; tenth < TENTHS; tenth++) {
  let ns = 0n;
  for (let c = 0; c < columns; c++) {
    const values = Array.from({ length: COLUMN }, () => `user${made++}@example.com`);
    const start = process.hrtime.bigint();
    if (c % SINGLES === 0) for (const value of values) last = bound.protect(value);
    else last = bound.protectMany(values).at(-1);
    ns += process.hrtime.bigint() - start;
  }
  globalThis.gc();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  const one = { ns: Number(ns) / columns / COLUMN, held: heapUsed + external + arrayBuffers };
  tenths.push(one);
  console.log(`${made / 1e6} M tokens: ${one.ns.toFixed(0)} ns each, ${(one.held / 2 ** 20).toFixed(1)} MiB held`);
}
if (!last.startsWith('mail_')) throw new Error('the last output is not a token');
const more = tenths.at(-1).held - tenths[1].held;
const slower = tenths.at(-1).ns / Math.min(...tenths.slice(1).map(({ ns }) => ns));
console.log(
  `memory: ${(more / 2 ** 20).toFixed(2)} MiB more than after the second tenth; time: ${slower.toFixed(2)} × the fastest tenth`,
);
if (more > 4 * 2 ** 20 || slower > 1.25) {
  console.error('more memory or more time than allowed: there is a leak or a slowdown');
  process.exitCode = 1;
}
