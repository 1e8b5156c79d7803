// Measures the verification of a log of a million entries of 130 bytes.
//
// - Time: in one process, in turn, the verification of a log in memory (hashes, all tiles, root) and SHA-256 of
//   node:crypto over the same entries alone: in its fastest form, `hash` into text, and as most programs call it,
//   `createHash`. Entries are not parsed, because the other sides do not parse them either; the time with parsing is
//   printed. The target is three times the bare hashes. The limit against the fastest form is above the target by what
//   was seen between runs on two busy cores.
// - Memory: the peak of a process that verifies the log in a folder. It may have 120 MB, whatever the size.
// - What is new: a look at the last 1,000 entries reads at most 12 files.
//
// `node bench/processes/log-verify.mjs [entries] [rounds]`
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  bundleBytes,
  checkInclusion,
  hashesOf,
  inclusionProof,
  leafHash,
  newNoteKey,
  noteSigner,
  parseLogPolicy,
  parseSeen,
  signNote,
  tilePath,
  treeEdge,
  verifyLog,
  writeCheckpoint,
  writeEntry,
} from '../../dist/log.js';
import { readLogFolder } from '../../dist/node.js';
import { judge } from './ratios.mjs';

const MOST_MB = 120;
const [first, second, third] = process.argv.slice(2);

if (first === '--verify') await verifyFolder(second, third);
else await measure(Number(first ?? 1_000_000), Number(second ?? 5));

/** In a process of its own: verifies a folder, and prints what it found with the peak of its memory in KiB. */
async function verifyFolder(folder, seenFile) {
  const policy = parseLogPolicy(readFileSync(join(folder, 'policy')));
  const seen = seenFile === undefined ? {} : { seen: parseSeen(readFileSync(seenFile, 'utf8')) };
  const begin = process.hrtime.bigint();
  const found = await verifyLog(readLogFolder(folder), { policy, ask: null, ...seen });
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  const { ok, checked, files, kinds } = found;
  console.log(JSON.stringify({ ok, checked, files, kinds, seconds, peak: process.resourceUsage().maxRSS }));
}

/** An entry of 130 bytes, as a gateway writes one for a batch of tokens. */
function entryOf(i) {
  const window = { from: 1_800_000_000, to: 1_800_000_060 };
  const event = {
    kind: 'forward',
    client: `etl-${i % 10}`,
    scope: 'token:person.email',
    verb: 'protect',
    count: i + 1,
    ...window,
  };
  return writeEntry(event, 1_800_000_000 + Math.floor(i / 100));
}

/** Makes a log. `write` is called with the path and the bytes of each file. */
async function makeLog(count, sizes, write) {
  const key = newNoteKey('log.example/bench');
  const tree = treeEdge();
  const checkpoints = [];
  let bundle = [];
  const writeTile = ({ level, index, width, hashes }) => write(tilePath(level, index, width), hashes);
  for (let i = 0; i < count; i++) {
    const entry = entryOf(i);
    tree.append(leafHash(entry));
    bundle.push(entry);
    const isLast = sizes.includes(i + 1);
    if (bundle.length === 256 || isLast) {
      write(tilePath('entries', Math.floor(i / 256), bundle.length), bundleBytes(bundle));
      if (bundle.length === 256) bundle = [];
      tree.takeFullTiles().forEach(writeTile);
    }
    if (!isLast) continue;
    tree.partialTiles().forEach(writeTile);
    const text = writeCheckpoint({ origin: 'log.example/bench', size: tree.size, root: tree.root() });
    checkpoints.push(await signNote(text, [noteSigner(key.privateKey)]));
  }
  return { checkpoints, policy: `log ${key.verifierKey}\nquorum none\n` };
}

async function measure(count, rounds) {
  await time(Math.min(count, 300_000), rounds);
  const folder = mkdtempSync(join(tmpdir(), 'trefoil-log-'));
  try {
    await memory(folder, count);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function time(count, rounds) {
  const files = new Map();
  const { checkpoints, policy: text } = await makeLog(count, [count], (path, bytes) => files.set(path, bytes));
  files.set('checkpoint', new TextEncoder().encode(checkpoints[0]));
  const policy = parseLogPolicy(text);
  const source = { read: async (path) => files.get(path) ?? null };
  const bundles = [...files].filter(([path]) => path.startsWith('tile/entries/')).map(([, bytes]) => bytes);
  const overEntries = (use) => () => {
    for (const bytes of bundles) {
      for (let at = 0; at < bytes.length; ) {
        const end = at + 2 + bytes[at] * 256 + bytes[at + 1];
        use(bytes.subarray(at + 2, end));
        at = end;
      }
    }
  };
  const verify = (entries) => async () => {
    const { ok, checked } = await verifyLog(source, { policy, entries, ask: null });
    assert.deepEqual([ok, checked], [true, count]);
  };
  const ways = {
    bare: overEntries((entry) => hash('sha256', entry, 'hex')),
    createHash: overEntries((entry) => createHash('sha256').update(entry).digest()),
    verified: verify('bytes'),
    'verified and parsed': verify('log-v1'),
  };
  const took = [];
  for (let round = 0; round < rounds; round++) {
    const one = {};
    const names = Object.keys(ways);
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const begin = process.hrtime.bigint();
      await ways[name]();
      one[name] = Number(process.hrtime.bigint() - begin) / count;
    }
    console.log(
      `  ${Object.entries(one)
        .map(([name, ns]) => `${name} ${ns.toFixed(0)} ns`)
        .join(', ')}`,
    );
    took.push(one);
  }
  const ratios = (against) => took.map((one) => one.verified / one[against]);
  judge('verification / the fastest SHA-256 of the entries alone', ratios('bare'), 3, 4);
  judge('verification / createHash over the entries alone', ratios('createHash'), 3, 3);
  const read = hashesOf(source, count);
  const begin = process.hrtime.bigint();
  for (let i = 0; i < 1000; i++) {
    const index = (i * 7919) % count;
    const proof = await inclusionProof(read, index, count);
    if (i > 0) continue;
    const root = new Uint8Array(Buffer.from(checkpoints[0].split('\n')[2], 'base64'));
    assert.ok(checkInclusion(leafHash(entryOf(index)), index, count, root, proof));
  }
  console.log(
    `an inclusion proof from tiles: ${(Number(process.hrtime.bigint() - begin) / 1e9).toFixed(2)} ms (target 2)`,
  );
}

async function memory(folder, count) {
  const write = (path, bytes) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  };
  const { checkpoints, policy } = await makeLog(count, [count - 1000, count], write);
  write('policy', policy);
  const verify = (...more) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [import.meta.filename ?? process.argv[1], '--verify', folder, ...more],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  };
  write('checkpoint', checkpoints[1]);
  const whole = verify();
  const peak = Math.round(whole.peak / 1024);
  assert.deepEqual([whole.ok, whole.checked], [true, count]);
  console.log(`${count} entries in a folder: ${whole.seconds.toFixed(2)} s, ${peak} MB at most (limit ${MOST_MB})`);
  if (peak > MOST_MB) process.exitCode = 1;

  write('checkpoint', checkpoints[0]);
  const { seen } = await verifyLog(readLogFolder(folder), { policy: parseLogPolicy(policy), ask: null });
  write('seen', JSON.stringify(seen));
  write('checkpoint', checkpoints[1]);
  const news = verify(join(folder, 'seen'));
  assert.deepEqual([news.ok, news.checked], [true, 1000]);
  console.log(`1,000 new: ${(news.seconds * 1000).toFixed(0)} ms (target 100), ${news.files} files (limit 12)`);
  if (news.files > 12) process.exitCode = 1;
}
