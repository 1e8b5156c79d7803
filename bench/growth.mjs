/**
 * `node bench/growth.mjs [MOST]` shows how time and memory grow with the number of rows, from 10^3 to 10^8 (or MOST),
 * for a column of tokens and for a policy of six keyed fields. The rows are processed in batches of 10,000, as a
 * program would do it. It prints a table of docs/guide/performance.md. The times belong to one machine, and nothing is
 * timed beside them. What matters is how little a row of the table differs from the one before it.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { coarsen, drop, fpe, keep, keyset, policy, seal, token } from 'trefoil';
import { card } from 'trefoil/format';
import { emailAddress, phoneE164 } from 'trefoil/prepare';
import { random } from './inputs.mjs';

if (globalThis.gc === undefined) {
  const args = ['--expose-gc', fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  process.exit(spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1);
}

const BATCH = 10_000;
/** The most rows for the policy: it has six keyed fields, and 10^8 rows would take a quarter of an hour. */
const MOST_OF_POLICY = 1e7;

const most = Number(process.argv[2] ?? 1e8);
const keys = keyset.generate().domain('growth');
const column = token({ scope: 'person.email', label: 'mail' }).bind(keys);
const people = policy({
  id: token({ scope: 'person', label: 'cust' }),
  name: seal({ scope: 'person.name' }),
  email: token({ scope: 'person.email', prepare: emailAddress, label: 'mail' }),
  phone: token({ scope: 'person.phone', prepare: phoneE164, label: 'tel' }),
  pan: fpe({ scope: 'card.pan', format: card({ clear: { first: 6 } }) }),
  iban: seal({ scope: 'person.iban' }),
  born: coarsen({ date: 'year' }),
  city: keep,
  notes: drop,
}).bind(keys);

const next = random(5);
/** Different card numbers with valid check digits. */
const cards = Array.from({ length: BATCH }, (_, i) => {
  const body = `411111${String(next(1e8)).padStart(8, '0')}${i % 10}`;
  let sum = 0;
  for (let k = 0; k < 15; k++) {
    const digit = Number(body[k]) * (k % 2 === 0 ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return `${body}${(10 - (sum % 10)) % 10}`;
});

const values = (from, count) => Array.from({ length: count }, (_, i) => `user${from + i}@example.com`);
const rows = (from, count) =>
  Array.from({ length: count }, (_, i) => ({
    id: from + i,
    name: `Ada Lovelace ${from + i}`,
    email: `Ada.${from + i}@Example.com`,
    phone: `+49 30 ${1e7 + ((from + i) % 1e7)}`,
    pan: cards[i],
    iban: `DE0012345678${String(from + i).padStart(10, '0')}`,
    born: '1984-03-12',
    city: 'Freiburg',
    notes: 'call after 17:00',
  }));

/** Nanoseconds per row, without making the inputs, and the memory in MiB that is held after a garbage collection. */
function measure(count, make, work) {
  let ns = 0n;
  for (let from = 0; from < count; from += BATCH) {
    const batch = make(from, Math.min(BATCH, count - from));
    const start = process.hrtime.bigint();
    work(batch);
    ns += process.hrtime.bigint() - start;
  }
  globalThis.gc();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return { ns: Number(ns) / count, held: (heapUsed + external + arrayBuffers) / 2 ** 20 };
}

console.log('| rows | a token | held | a row of the policy | held |');
console.log('|---|---|---|---|---|');
for (let exponent = 3; 10 ** exponent <= most; exponent++) {
  const count = 10 ** exponent;
  const one = measure(count, values, column.protectMany);
  const cells = [`10^${exponent}`, `${one.ns.toFixed(0)} ns`, `${one.held.toFixed(0)} MiB`];
  if (count <= MOST_OF_POLICY) {
    const all = measure(count, rows, people.protectMany);
    cells.push(`${(all.ns / 1000).toFixed(2)} µs`, `${all.held.toFixed(0)} MiB`);
  } else {
    cells.push('–', '–');
  }
  console.log(`| ${cells.join(' | ')} |`);
}
