// Times what a warrant and its log cost: a table with one sealed field is revealed in batches of 1,000 rows, with
// governed keys and with plain keys. Both are timed in turn, in one process, without witnesses. A governed batch is
// verified, signed by the desk, and written to a log before it is opened, and its end is written after that.
//
// - *whole tables*: a warrant about nobody in particular.
// - *people*: a warrant that names each of the 1,000 people of a batch; they are compared by their pseudonyms.
//
// Each is measured with one batch at a time, which waits for the disk twice, and with eight at a time, which share the
// waiting.
// `node bench/processes/govern.mjs [batches] [rounds]`
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keep, keyset, policy, seal, token } from 'trefoil';
import {
  addSignature,
  govern,
  newWarrant,
  notePartySigner,
  openSequencer,
  parseCharter,
  warrantAccess,
} from 'trefoil/govern';
import { newNoteKey, noteSigner, openLog, subjectSealer } from 'trefoil/log';
import { logFolder } from 'trefoil/node';
import { revealAccess } from 'trefoil/reveal';
import { judge } from './ratios.mjs';

const ROWS = 1000;
const batches = Number(process.argv[2] ?? 16);
const rounds = Number(process.argv[3] ?? 9);
const folder = mkdtempSync(join(tmpdir(), 'trefoil-govern-bench-'));
const [log, eva, anna, chris, desk] = ['log', 'eva', 'anna', 'chris', 'desk'].map((name) =>
  newNoteKey(`${name}.example`, { random: () => createHash('sha256').update(name).digest() }),
);
const purpose = (name, rest) =>
  `purpose ${name} verb reveal scopes seal:person.name approvals 1:approver values ${rest}`;
const text = [
  'trefoil charter v1',
  'version 1',
  'domain eu-enclave',
  'subject person',
  `log ${log.verifierKey}`,
  'quorum none',
  `officer anna approver note ${anna.verifierKey}`,
  `officer chris requester note ${chris.verifierKey}`,
  `officer eva keeper note ${eva.verifierKey}`,
  `desk chris-desk of chris note ${desk.verifierKey}`,
  purpose('tables', 'any hours 12 witnessed no show never'),
  purpose('people', '1000000 subjects 1000 hours 12 witnessed no show never unbound'),
  'change 1:keeper',
  '',
].join('\n');
const charter = parseCharter(text);
const sign = async (of, keys, namespace) => {
  let note = of;
  for (const { privateKey } of keys) {
    note = addSignature(note, await notePartySigner(privateKey).sign(of, namespace));
  }
  return note;
};

const store = logFolder(join(folder, 'log'), { head: join(folder, 'head') });
const writer = await openLog(store, { signer: noteSigner(log.privateKey), create: true });
const sequencer = await openSequencer(writer, {
  firstCharter: charter.sha256,
  charter: await sign(text, [eva], 'charter@trefoil'),
  sealer: subjectSealer(createHash('sha256').update('shard').digest()),
  host: 'bench',
});
const plain = keyset.generate().domain('eu-enclave');
const keys = govern(plain, { sequencer });
const people = policy(
  { id: token({ scope: 'person', label: 'cust' }), name: seal({ scope: 'person.name' }), city: keep },
  { subject: 'id' },
);
const rows = Array.from({ length: ROWS }, (_, i) => ({ id: String(i), name: `Person Number ${i}`, city: 'Oslo' }));
const safe = people.bind(plain).protectMany(rows);

async function opened(of, asked) {
  const request = {
    purpose: of,
    requester: 'chris',
    desk: 'chris-desk',
    case: 'BENCH-1',
    scopes: ['seal:person.name'],
    reason: 'What a warrant costs is measured.',
    seconds: 3600,
    ...asked,
  };
  const { warrant, dossier } = newWarrant(request, { charter, now: Math.floor(Date.now() / 1000) });
  const note = await sign(warrant.text, [chris, anna], 'warrant@trefoil');
  return people.open(keys, {}, warrantAccess(note, { dossier, desk: noteSigner(desk.privateKey) }));
}

const ways = {
  plain: people.bind(plain, revealAccess),
  tables: await opened('tables', { values: null, subjects: null }),
  people: await opened('people', { values: 1_000_000, subjects: safe.map(({ id }) => ({ token: id })) }),
};

/** Seconds to reveal all batches, so many at a time. */
async function timed(bound, atOnce) {
  let next = 0;
  const begin = performance.now();
  const caller = async () => {
    while (next++ < batches) {
      const back = await bound.revealMany(safe);
      if (back[ROWS - 1].name !== rows[ROWS - 1].name) throw new Error('a wrong name');
    }
  };
  await Promise.all(Array.from({ length: atOnce }, caller));
  return (performance.now() - begin) / 1000;
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const CALLERS = [1, 8];
const times = Object.fromEntries(CALLERS.map((atOnce) => [atOnce, { plain: [], tables: [], people: [] }]));
for (let round = -1; round < rounds; round++) {
  for (const atOnce of CALLERS) {
    const names = Object.keys(ways);
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const seconds = await timed(ways[name], atOnce);
      // The first round warms up.
      if (round >= 0) times[atOnce][name].push(seconds);
    }
  }
}
await sequencer.close();
await writer.close();
rmSync(folder, { recursive: true });
for (const atOnce of CALLERS) {
  for (const [name, list] of Object.entries(times[atOnce])) {
    const perBatch = (1000 * median(list)) / batches;
    console.log(`${atOnce} at a time, ${name}: ${perBatch.toFixed(2)} ms for a batch of 1,000`);
  }
}
for (const atOnce of CALLERS) {
  for (const name of ['tables', 'people']) {
    const ratios = times[atOnce][name].map((seconds, i) => seconds / times[atOnce].plain[i]);
    judge(`governed / plain, ${name}, ${atOnce} at a time`, ratios, 1.3, Number.POSITIVE_INFINITY);
  }
}
