// Times the vault over SQLite with synchronous=FULL, in batches of 1,000: `protectMany` of new values, `protectMany` of
// known values, and `revealMany`. Each is compared with the same SQL statements on the same bytes, without
// cryptography. Both are timed in turn, in one process. Then all is measured again with a subject for every value. If
// TREFOIL_PG is set, the store is in PostgreSQL.
// `node bench/processes/vault.mjs [values] [rounds]`
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyset } from 'trefoil';
import { revealAccess } from 'trefoil/reveal';
import { vault } from 'trefoil/vault';
import { postgresStore } from 'trefoil/vault-postgres';
import { sqliteStore } from 'trefoil/vault-sqlite';
import { judge } from './ratios.mjs';

const values = Number(process.argv[2] ?? 50_000);
const rounds = Number(process.argv[3] ?? 4);
const folder = mkdtempSync(join(tmpdir(), 'trefoil-vault-'));
const { DatabaseSync } = process.getBuiltinModule?.('node:sqlite') ?? (await import('@photostructure/sqlite'));
const keys = keyset.generate().domain('load');
const rules = {
  '': vault({ scope: 'person.phone', store: 'main' }),
  ' with subjects': vault({ scope: 'person.phone', store: 'main', subject: 'id' }),
};

let made = 0;
const sqlite = () => sqliteStore(new DatabaseSync(join(folder, `${made++}.db`)));

async function postgres() {
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({ connectionString: process.env.TREFOIL_PG, max: 2, allowExitOnIdle: true });
  return postgresStore(pool, { schema: `ratio_${process.pid}_${made++}` });
}

const batches = (list) =>
  Array.from({ length: Math.ceil(list.length / 1000) }, (_, i) => list.slice(1000 * i, 1000 * i + 1000));

/** A store that records the calls of its verbs. */
function noting(store, calls) {
  const verb =
    (name) =>
    async (...args) => {
      calls.push([name, args]);
      return store[name](...args);
    };
  return { ...store, get: verb('get'), create: verb('create'), change: verb('change') };
}

async function timed(work) {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}

/** Opens a vault over a store. Returns the three kinds of work that are measured, in their order. */
async function workOver(rule, store, list) {
  const open = await rule.open(keys, { main: store }, revealAccess);
  const options = rule === rules[''] ? () => undefined : (batch) => ({ subjects: batch });
  const tokens = [];
  return {
    new: async () => {
      for (const batch of list) tokens.push(await open.protectMany(batch, options(batch)));
    },
    known: async () => {
      for (const batch of list) await open.protectMany(batch, options(batch));
    },
    reveal: async () => {
      for (const batch of tokens) await open.revealMany(batch);
    },
  };
}

async function measure(kind, makeStore, rule) {
  const ratios = { new: [], known: [], reveal: [] };
  const rates = { new: 0, known: 0, reveal: 0 };
  for (let round = 0; round < rounds; round++) {
    const list = batches(Array.from({ length: values }, (_, i) => `+49 30 ${round} ${i}`));
    const work = await workOver(rule, await makeStore(), list);
    // The statements are recorded in a second run of the same work, because recording would slow down the measured run.
    const calls = [];
    const noted = await workOver(rule, noting(await makeStore(), calls), list);
    const plain = await makeStore();
    await plain.open();
    await plain.setMeta({ generation: 1, text: '{}' });
    for (const name of Object.keys(work)) {
      calls.length = 0;
      await noted[name]();
      const alone = async () => {
        for (const [verb, args] of calls) await plain[verb](...args);
      };
      // The one that runs second has an advantage, such as warm caches. So the order changes every round.
      const order = round % 2 === 0 ? [work[name], alone] : [alone, work[name]];
      const [first, second] = [await timed(order[0]), await timed(order[1])];
      const [ours, theirs] = round % 2 === 0 ? [first, second] : [second, first];
      ratios[name].push(ours / theirs);
      rates[name] = Math.round(values / ours);
    }
  }
  for (const [name, all] of Object.entries(ratios)) {
    judge(
      `vault over ${kind}, ${name}, ${rates[name].toLocaleString('en')} per second, time / time of the statements alone`,
      all,
      2,
      4,
    );
  }
}

try {
  const [kind, makeStore] = process.env.TREFOIL_PG === undefined ? ['SQLite', sqlite] : ['PostgreSQL', postgres];
  for (const [name, rule] of Object.entries(rules)) await measure(kind + name, makeStore, rule);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
