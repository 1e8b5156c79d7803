// Times appending to a log: entries of log-v1 of about 130 bytes, in groups of 256, without synchronising and with it.
// Each is compared with two rivals on the same bytes:
//
// - *files*: plain code of node:fs that writes the same files with the same content, and synchronises the same files
//   and folders. It hashes, signs and checks nothing.
// - *one file*: the entries alone, appended to one file that is synchronised once for 256 entries. Nobody can verify
//   it; it is the least that a disk allows, and only printed.
//
// All three are timed in turn, in one process. The last line has the time from an append to its fulfilment if 256
// callers append one entry each, again and again.
// `node bench/processes/log.mjs [entries] [rounds]`
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { newNoteKey, noteSigner, openLog, writeEntry } from 'trefoil/log';
import { logFolder } from 'trefoil/node';
import { judge } from './ratios.mjs';

const GROUP = 256;
const entries = Number(process.argv[2] ?? 20_480);
const rounds = Number(process.argv[3] ?? 9);
const folder = mkdtempSync(join(tmpdir(), 'trefoil-log-bench-'));
const signer = noteSigner(newNoteKey('log.example/bench').privateKey);
const event = (i) => ({
  kind: 'forward',
  client: `etl-${i % 7}`,
  scope: 'token:person.email',
  verb: 'protect',
  count: 1 + i,
  from: 1_796_126_400,
  to: 1_796_126_460,
});

let made = 0;
const place = () => join(folder, String(made++));

async function timed(work) {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}

/** How many entries wait to be written at any time. */
const IN_FLIGHT = 4 * GROUP;

/** Appends all entries. */
async function ours(sync, store = (at) => logFolder(join(at, 'log'), { head: join(at, 'head'), sync })) {
  const log = await openLog(store(place()), { signer, create: true });
  const seconds = await timed(async () => {
    const groups = [];
    for (let from = 0; from < entries; from += GROUP) {
      const group = [];
      for (let i = from; i < Math.min(from + GROUP, entries); i++) group.push(log.append(event(i)));
      groups.push(Promise.all(group));
      if (groups.length > IN_FLIGHT / GROUP) await groups.shift();
    }
    await Promise.all(groups);
  });
  await log.close();
  return seconds;
}

/** What `openLog` asks of its store, in order: the files, their bytes, and the group that they are of. */
async function recorded() {
  const calls = [];
  const note = (store) => {
    const verb = (name) => async (argument) => {
      calls.push([name, argument]);
      return store[name](argument);
    };
    const names = ['writeJournal', 'writeTree', 'writeHead', 'publish', 'dropPartials'];
    return { ...store, ...Object.fromEntries(names.map((name) => [name, verb(name)])) };
  };
  await ours(false, (at) => note(logFolder(join(at, 'log'), { head: join(at, 'head'), sync: false })));
  // What creates the log is before the first group.
  return calls.slice(calls.findIndex(([name]) => name === 'writeJournal'));
}

/** The same files, by plain code. */
async function files(calls, sync) {
  const at = place();
  await mkdir(join(at, 'log'), { recursive: true });
  const journal = await open(join(at, 'log/journal'), 'w');
  const syncFolder = async (path) => {
    const handle = await open(path, 'r');
    await handle.sync();
    await handle.close();
  };
  const write = async (path, bytes, synced) => {
    const handle = await open(path, 'w');
    await handle.writeFile(bytes);
    if (synced) await handle.datasync();
    await handle.close();
  };
  const verbs = {
    async writeJournal(bytes) {
      await journal.write(bytes, 0, bytes.length, 0);
      if (sync) await journal.datasync();
    },
    async writeTree(list) {
      const folders = new Set(list.map(({ path }) => dirname(join(at, 'log', path))));
      for (const path of folders) await mkdir(path, { recursive: true });
      await Promise.all(list.map(({ path, bytes }) => write(join(at, 'log', path), bytes, sync)));
      if (sync) await Promise.all([...folders].map(syncFolder));
    },
    async writeHead(text) {
      await write(join(at, 'head.tmp'), text, sync);
      await rename(join(at, 'head.tmp'), join(at, 'head'));
      if (sync) await syncFolder(at);
    },
    async publish(text) {
      await writeFile(join(at, 'log/checkpoint.tmp'), text);
      await rename(join(at, 'log/checkpoint.tmp'), join(at, 'log/checkpoint'));
    },
    async dropPartials(paths) {
      for (const path of new Set(paths.map((path) => dirname(join(at, 'log', path))))) {
        await rm(path, { recursive: true, force: true });
      }
    },
  };
  const seconds = await timed(async () => {
    for (const [name, argument] of calls) await verbs[name](argument);
  });
  await journal.close();
  return seconds;
}

/** The entries alone, in one file. */
async function oneFile(groups, sync) {
  const handle = await open(place(), 'w');
  const seconds = await timed(async () => {
    for (const bytes of groups) {
      await handle.write(bytes);
      if (sync) await handle.datasync();
    }
  });
  await handle.close();
  return seconds;
}

const calls = await recorded();
const groups = Array.from({ length: Math.ceil(entries / GROUP) }, (_, i) =>
  Buffer.concat(Array.from({ length: GROUP }, (_, k) => writeEntry(event(GROUP * i + k), 1_796_126_400))),
);

async function latencies(sync) {
  const at = place();
  const log = await openLog(logFolder(join(at, 'log'), { head: join(at, 'head'), sync }), { signer, create: true });
  const times = [];
  const caller = async (who) => {
    for (let i = 0; i < entries / GROUP; i++) {
      const begin = performance.now();
      await log.append(event(who));
      times.push(performance.now() - begin);
    }
  };
  const seconds = await timed(() => Promise.all(Array.from({ length: GROUP }, (_, who) => caller(who))));
  await log.close();
  times.sort((a, b) => a - b);
  return { rate: times.length / seconds, p50: times[times.length >> 1], p99: times[Math.floor(times.length * 0.99)] };
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const ratios = {};
for (const sync of [false, true]) {
  const times = { ours: [], files: [], one: [] };
  for (let round = 0; round < rounds; round++) {
    times.ours.push(await ours(sync));
    times.files.push(await files(calls, sync));
    times.one.push(await oneFile(groups, sync));
  }
  const kind = sync ? 'fsync in groups of 256' : 'no fsync';
  ratios[kind] = times.ours.map((seconds, i) => seconds / times.files[i]);
  const rate = (list) => Math.round(entries / median(list)).toLocaleString('en');
  console.log(
    `${kind}: ${rate(times.ours)} appends/s, same files ${rate(times.files)}/s, one file ${rate(times.one)}/s`,
  );
}
for (const sync of [false, true]) {
  const { rate, p50, p99 } = await latencies(sync);
  console.log(
    `256 callers, ${sync ? 'fsync' : 'no fsync'}: ${Math.round(rate).toLocaleString('en')} appends/s, ` +
      `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
  );
}
rmSync(folder, { recursive: true });
// Medians at a load of 6 to 13: 1.5 to 2.2 without fsync, 1.0 to 1.6 with it. When every entry was copied twice and had
// an array of its own, it was 2.7 without fsync on a machine that did nothing else.
for (const [kind, times] of Object.entries(ratios)) judge(`appending / writing the same files, ${kind}`, times, 2, 2.5);
