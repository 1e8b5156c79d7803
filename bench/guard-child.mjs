/**
 * One measurement of guard.mjs in a fresh process, on the folders that guard-builds.mjs laid out.
 *
 *     time HEAD BASE FILE INDEX ORDER     both builds alternate: sends { ratio }, head's time / base's time, or { new }
 *     count BUILD FILE INDEX COUNT TIMES  one build does COUNT values TIMES times, for callgrind to count
 *
 * The cases make keys of their own. Here both builds get the same "random" bytes, because some work depends on the key:
 * how often an index walks its cycle, for one.
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
  // What is not there yet may show only when it is called. To count, a column would be long.
  if (mode === 'time') ours.run();
  return ours;
}

async function time(headBuild, baseBuild, file, index, order) {
  const loadHead = () => load(headBuild, file, index);
  const loadBase = () => load(baseBuild, file, index).catch(reason);
  // The one that is loaded first, or warmed up first, is some per cent slower or faster for ever: there are four
  // orders.
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
