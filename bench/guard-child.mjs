/**
 * Makes one measurement for guard.mjs in a fresh process, with the folders that guard-builds.mjs prepared.
 *
 *     time HEAD BASE FILE INDEX ORDER     both builds alternate; sends { ratio }, which is head's time / base's time,
 *                                         or { new } if the base cannot run the case
 *     count BUILD FILE INDEX COUNT TIMES  one build processes COUNT values TIMES times, while callgrind counts
 *
 * The cases generate their own keys. Both builds get the same "random" bytes here, because some of the work depends on
 * the key: for example, the number of steps of cycle walking.
 */
import { pathToFileURL } from 'node:url';
import { BUILDS, compare } from './harness.mjs';
import { random } from './inputs.mjs';
import { reason } from './suite.mjs';

const [mode, ...args] = process.argv.slice(2);
if (mode === 'time') await time(...args);
else await count(...args);

async function load(build, file, index) {
  const next = random(1);
  globalThis.crypto.getRandomValues = (array) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let i = 0; i < bytes.length; i++) bytes[i] = next(256);
    return array;
  };
  const { cases } = await import(pathToFileURL(`${build}/bench/cases/${file}.mjs`).href);
  const { ours } = cases[Number(index)]();
  // A function that the base does not have yet may fail only when it is called. So it is called once here, except
  // before counting, because callgrind would take long for a whole column.
  if (mode === 'time') ours.run();
  return ours;
}

async function time(headBuild, baseBuild, file, index, order) {
  const loadHead = () => load(headBuild, file, index);
  const loadBase = () => load(baseBuild, file, index).catch(reason);
  // The build that is loaded first, or warmed up first, stays some per cent slower or faster in this process. So there
  // are four orders.
  let head;
  let base;
  if (order & 1) {
    head = await loadHead();
    base = await loadBase();
  } else {
    base = await loadBase();
    head = await loadHead();
  }
  if (typeof base === 'string') return process.send({ new: base });
  globalThis.gc();
  const ratio = order & 2 ? compare(base, head, BUILDS).ratio.median : 1 / compare(head, base, BUILDS).ratio.median;
  return process.send({ ratio });
}

async function count(build, file, index, values, times) {
  const ours = await load(build, file, index);
  const part = ours.part?.(Number(values)) ?? ours;
  const calls = Math.ceil(Number(values) / part.values) * Number(times);
  for (let i = 0; i < calls; i++) part.run();
}
