// Functions for the measurements of whole processes. Several ways are timed in turn, and the median of their ratios is
// compared with a target and with a limit. A missed target is printed; a missed limit is a failure. The limit is above
// the target by the differences that were seen between runs of the same build on a shared machine of two cores.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/** Runs Node with these arguments and returns the seconds that it took. */
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

/**
 * Times the ways in turn, every second round in reverse order. Each way is a function that returns seconds. Returns the
 * seconds of every round.
 */
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

/** Prints the median of the ratios of all rounds, and fails if it is above `limit`. It should be at most `target`. */
export function judge(what, ratios, target, limit) {
  const sorted = ratios.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1];
  const spread = `${sorted[0].toFixed(2)}–${sorted.at(-1).toFixed(2)}`;
  const verdict = median <= target ? 'reached' : median <= limit ? 'missed' : `above the limit of ${limit}`;
  console.log(`${what}: ${median.toFixed(2)} (${spread}), target ${target}: ${verdict}`);
  if (median > limit) process.exitCode = 1;
}
