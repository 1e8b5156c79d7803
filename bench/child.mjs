/**
 * Times one case in a fresh process and sends the result to its parent process. Without a fresh process, earlier cases
 * would affect V8's heap and its compiled code: a rival with many small buffers took from 13 to 46 µs per value,
 * depending on the cases before it (measured).
 */
import { alone, compare, FULL, QUICK } from './harness.mjs';

const [file, index, effort] = process.argv.slice(2);
const { cases } = await import(`./cases/${file}.mjs`);
const { ours, rival } = cases[Number(index)]();
const measured = effort === 'quick' ? QUICK : FULL;
process.send(rival ? compare(ours, rival, measured) : alone(ours, measured));
