// Compares a full vault in SQLite with an empty one: the latency of batches of 1,000 values through an open vault, in
// turn. It also prints the bytes per mapping.
// `node bench/processes/vault-size.mjs [mappings] [live|tombstones]`; the default is a million live mappings.
//
// The rows that fill the vault are written by the store's adapter. They have the sizes of real rows, and random
// indexes, because the index of a real row is pseudo-random. Real mappings are written between them, so that the known
// values are spread over the whole file. Live rows have an expiry day, and are therefore in one more index of the
// database. Tombstones have none, and the real mappings among them are forgotten.
import { randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyset } from 'trefoil';
import { revealAccess } from 'trefoil/reveal';
import { vault } from 'trefoil/vault';
import { sqliteStore } from 'trefoil/vault-sqlite';
import { judge } from './ratios.mjs';

const mappings = Number(process.argv[2] ?? 1_000_000);
const kind = process.argv[3] ?? 'live';
const rounds = 20;
const batch = 1000;
/**
 * The limits of the ratios. Each new row changes a page of its own, which is written again when the write-ahead log is
 * copied back. So the ratio for new values depends on the disk.
 */
const LIMITS = { new: 12, known: 4, reveal: 4 };
/** The number of real mappings that are forgotten. */
const erased = kind === 'tombstones' ? 2 * batch : 0;
const folder = mkdtempSync(join(tmpdir(), 'trefoil-vault-size-'));
const { DatabaseSync } = process.getBuiltinModule?.('node:sqlite') ?? (await import('@photostructure/sqlite'));
const keys = keyset.generate().domain('load');
const ttl = kind === 'live' ? { ttl: 3650 } : {};
const rule = vault({ scope: 'person.phone', store: 'main', ...ttl });

const handles = [];

/** Opens a vault over a file, and counts the milliseconds that its store takes. */
async function open(name, more = '') {
  const handle = new DatabaseSync(join(folder, name));
  handles.push(handle);
  const store = sqliteStore(handle);
  const spent = { ms: 0 };
  const timed =
    (verb) =>
    async (...args) => {
      const begin = performance.now();
      try {
        return await store[verb](...args);
      } finally {
        spent.ms += performance.now() - begin;
      }
    };
  const noting = { ...store, get: timed('get'), create: timed('create'), change: timed('change') };
  const opened = await rule.open(keys, { main: noting }, revealAccess);
  handle.exec(more);
  return { store, opened, spent, handle };
}

/** The sizes of the rows of a real mapping. */
async function sizesOf({ opened, store }) {
  await opened.protect('+49 30 0');
  const [[value], [token]] = await Promise.all(
    ['value', 'token'].map((table) => store.scan(table, { after: null, limit: 1 })),
  );
  return { key: value.key, expires: value.expires, value: value.body.length, token: token.body.length };
}

function* fillers({ key, expires, value, token }) {
  const bytes = randomFillSync(new Uint8Array(batch * (32 + value + token)));
  let at = 0;
  const take = (length) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const row = (length) => ({
    index: take(16),
    key,
    version: 1 + ((Math.random() * 2 ** 30) | 0),
    expires,
    body: take(length),
  });
  for (let i = 0; i < batch; i++) yield { row: row(value), with: row(token) };
}

async function fill(name) {
  // Settings for fast filling. They are not safe for real data, which must survive a crash.
  const fast = ['synchronous = OFF', 'secure_delete = OFF', 'cache_size = -1000000', 'journal_mode = OFF'];
  const full = await open(name, fast.map((pragma) => `PRAGMA ${pragma}`).join(';'));
  const sizes = await sizesOf(full);
  console.log(`rows have ${sizes.value} and ${sizes.token} bytes`);
  const known = { values: [], tokens: [] };
  const batches = Math.ceil(mappings / batch);
  const begin = performance.now();
  for (let i = 1; i <= batches; i++) {
    await full.store.create(1, 'value', [...fillers(sizes)]);
    const upTo = Math.round((rounds * batch * i) / batches);
    const values = Array.from(
      { length: upTo - known.values.length },
      (_, k) => `+49 30 ${known.values.length + k + 1}`,
    );
    known.values.push(...values);
    known.tokens.push(...(await full.opened.protectMany(values)));
    if (i % 1000 === 0) console.log(`  ${i * batch} rows, ${Math.round((performance.now() - begin) / 1000)} s`);
  }
  if (kind === 'tombstones') for (const token of known.tokens.slice(0, erased)) await full.opened.forget(token);
  full.handle.exec('PRAGMA journal_mode = WAL');
  full.handle.close();
  const bytes = statSync(join(folder, name)).size;
  const count = mappings + known.values.length;
  console.log(
    `${count} mappings, ${(bytes / count).toFixed(0)} bytes per mapping, ${(bytes / 2 ** 20).toFixed(0)} MiB`,
  );
  return known;
}

/** The mappings in random order, which differs from that of the file. */
function shuffled({ values, tokens }) {
  const order = values.map((_, i) => i);
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return { values: order.map((i) => values[i]), tokens: order.map((i) => tokens[i]) };
}

async function latency({ spent }, work) {
  const before = spent.ms;
  const begin = performance.now();
  await work();
  return { all: performance.now() - begin, store: spent.ms - before };
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

try {
  const known = await fill('full.db');
  const mixed = shuffled({ values: known.values.slice(erased), tokens: known.tokens.slice(erased) });
  const full = { ...(await open('full.db')), ...mixed };
  const empty = await open('empty.db');
  const slice = (list, round) => {
    const first = batch * (round % (list.length / batch));
    return list.slice(first, first + batch);
  };
  const ways = {
    new: ({ opened }, round) => opened.protectMany(Array.from({ length: batch }, (_, i) => `new ${round} ${i}`)),
    known: ({ opened, values }, round) => opened.protectMany(slice(values, round)),
    reveal: ({ opened, tokens }, round) => opened.revealMany(slice(tokens, round)),
  };
  for (const [name, way] of Object.entries(ways)) {
    // An empty store knows no values. So it protects the values of the full one first, and gets its own tokens.
    if (name === 'known') Object.assign(empty, mixed, { tokens: await empty.opened.protectMany(mixed.values) });
    const took = { full: [], empty: [] };
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? ['full', 'empty'] : ['empty', 'full'];
      for (const which of order) {
        const place = which === 'full' ? full : empty;
        took[which].push(await latency(place, () => way(place, round)));
      }
    }
    const of = (which, part) => median(took[which].map((one) => one[part]));
    const told = ['full', 'empty'].map(
      (w) => `${w} ${of(w, 'all').toFixed(0)} ms (store ${of(w, 'store').toFixed(1)})`,
    );
    const stores = took.full.map((one, i) => one.store / took.empty[i].store);
    console.log(`  ${name}: ${told.join(', ')}; the store alone ${median(stores).toFixed(2)}`);
    const ratios = took.full.map((one, i) => one.all / took.empty[i].all);
    judge(
      `a batch of 1,000, ${name}, time with ${mappings} ${kind} mappings / time with none`,
      ratios,
      2,
      LIMITS[name],
    );
  }
  if (erased > 0) {
    const gone = known.values.slice(0, erased);
    const begin = performance.now();
    const total = await full.opened.protectMany(gone).then(
      () => 0,
      (error) => error.total,
    );
    if (total !== erased) throw new Error(`${total} of ${erased} erased values were refused`);
    console.log(`  ${erased} erased values were refused in ${(performance.now() - begin).toFixed(0)} ms`);
  }
} finally {
  for (const handle of handles) if (handle.isOpen) handle.close();
  rmSync(folder, { recursive: true, force: true });
}
