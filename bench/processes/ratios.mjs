// What the measurements of whole processes share: ways that are timed in turn, the median of their ratios, a target
// that is told, and a limit that fails. The limit lies above the target by what the same build differed from run to run
// on a shared machine of two cores: a measurement is no test.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/** Runs a program of Node and gives the seconds that it took. */
export function seconds(args, { input, output } = {}) {
  const stdin = input === undefined ? 'ignore' : openSync(input);
  const stdout = output === undefined ? 'ignore' : openSync(output, 'w');
  const begin = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, args, { stdio: [stdin, stdout, 'pipe'] });
  const took = Number(process.hrtime.bigint() - begin) / 1e9;
  for (const file of [stdin, stdout]) if (typeof file === 'number') closeSync(file);
  if (status !== 0) throw new Error(stderr.toString());
  return took;
}

/** Times the ways in turn, forth and back; each is a function that gives seconds. Gives the seconds of every round. */
export function inTurn(ways, rounds) {
  const names = Object.keys(ways);
  return Array.from({ length: rounds }, (_, round) => {
    const order = round % 2 === 0 ? names : names.toReversed();
    const took = Object.fromEntries(order.map((name) => [name, ways[name]()]));
    const told = names.map((name) => `${name} ${took[name].toFixed(2)} s`).join(', ');
    console.log(`  round ${round + 1}: ${told}`);
    return took;
  });
}

/** Tells the median of the rounds' ratios; `target` and `limit` are the most it may be. */
export function judge(what, ratios, target, limit) {
  const sorted = ratios.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1];
  const spread = `${sorted[0].toFixed(2)}–${sorted.at(-1).toFixed(2)}`;
  const verdict = median <= target ? 'reached' : median <= limit ? 'missed' : `above the limit of ${limit}`;
  console.log(`${what}: ${median.toFixed(2)} (${spread}), target ${target}: ${verdict}`);
  if (median > limit) process.exitCode = 1;
}
