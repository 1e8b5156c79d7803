/**
 * Random histories of a log: it grows, crashes, is restored from a backup, is tampered with, or forks. Each is the
 * state that an overseer finds, with what they and a witness have seen. The same number always gives the same history.
 */

import { encodeBase64 } from '../../../src/core/base64.ts';
import { concat } from '../../../src/core/bytes.ts';
import { leafHash } from '../../../src/kernel/merkle.ts';
import { compactRange } from '../../../src/log/tree/range.ts';
import type { Seen, Signer } from '../../../src/log.ts';
import { signNote, tilePath } from '../../../src/log.ts';
import { type Random, random } from '../../reference/random.ts';
import { type Files, logSigner, type MemoryLog, memoryLog, ORIGIN, otherSigner, witnessSigner } from './memory-log.ts';

/** What an overseer finds. */
export interface History {
  readonly what: string;
  readonly files: Files;
  readonly seen: Seen | null;
  /** The checkpoint that a witness serves. */
  readonly witness: string | null;
}

/** A state of the files after a checkpoint, and its checkpoint. */
interface State {
  readonly files: Files;
  readonly size: number;
  readonly note: string;
}

/** A log and the states that it went through, the last one last. */
interface Past {
  readonly log: MemoryLog;
  readonly states: readonly State[];
  readonly entries: readonly Uint8Array[];
}

/** Where trees change their form, so sizes are often near them. */
const EDGES = [0, 1, 2, 3, 8, 255, 256, 257, 511, 512, 513];

function sizeOf(next: Random): number {
  if (next.below(400) === 0) return 65_530 + next.below(300);
  return next.below(3) === 0 ? EDGES[next.below(EDGES.length)]! : next.below(560);
}

function entryOf(next: Random): Uint8Array {
  return next.bytes(next.below(next.below(8) === 0 ? 60 : 9));
}

/** An honest log that grows in up to four steps, and publishes after each. */
async function grow(next: Random): Promise<Past> {
  const log = memoryLog();
  const size = sizeOf(next);
  const sizes = [size, ...Array.from({ length: next.below(3) }, () => next.below(size + 1))].sort((a, b) => a - b);
  const states: State[] = [];
  // Two entries in three are new; the others repeat the last one, as a beat does.
  let last = entryOf(next);
  for (const to of sizes) {
    const more: Uint8Array[] = [];
    while (log.entries.length + more.length < to) {
      if (to < 2000 && next.below(3) > 0) last = entryOf(next);
      more.push(last);
    }
    log.append(more);
    const note = await log.publish();
    states.push({ files: new Map(log.files), size: to, note });
  }
  return { log, states, entries: [...log.entries] };
}

/** Another log that has the first entries of this one. */
async function branch(entries: readonly Uint8Array[], at: number, next: Random, more: number): Promise<MemoryLog> {
  const log = memoryLog();
  log.append(entries.slice(0, at));
  log.append(Array.from({ length: more }, () => concat([Uint8Array.of(255), entryOf(next)])));
  await log.publish();
  return log;
}

/** Writes the tree of other entries, under the old checkpoint. */
async function rewriteAll(past: Past, next: Random): Promise<Files> {
  const { note, size } = past.states.at(-1)!;
  const changed = memoryLog();
  const at = next.below(size);
  changed.append(past.entries.map((one, i) => (i === at ? concat([one, Uint8Array.of(1)]) : one)));
  await changed.publish();
  changed.files.set('checkpoint', new TextEncoder().encode(note));
  return changed.files;
}

type Damage = (files: Files, past: Past, next: Random) => Promise<Files | null> | Files | null;

/** Everything that may happen to files. `null` if it cannot happen to this log. */
const DAMAGES: Readonly<Record<string, Damage>> = {
  nothing: (files) => files,
  'old partial files are gone': (files) => {
    for (const path of files.keys()) {
      const full = path.replace(/\.p\/\d+$/, '');
      if (full !== path && files.has(full)) files.delete(path);
    }
    return files;
  },
  'a crash before the checkpoint': async (_, { log, states }, next) => {
    log.append(Array.from({ length: next.below(400) }, () => entryOf(next)));
    await log.publish();
    const files = new Map(log.files);
    files.set('checkpoint', new TextEncoder().encode(states.at(-1)!.note));
    return files;
  },
  'an older checkpoint': (files, { states }) => {
    files.set('checkpoint', new TextEncoder().encode(states[0]!.note));
    return files;
  },
  'an older backup': (_, { states }) => new Map(states[0]!.files),
  'an older backup with the newest checkpoint': (_, { states }) => {
    const files = new Map(states[0]!.files);
    files.set('checkpoint', new TextEncoder().encode(states.at(-1)!.note));
    return files;
  },
  'an entry changed': (files, past, next) => changeEntry(files, past, next) && files,
  'an entry and its leaf changed': (files, past, next) => {
    const changed = changeEntry(files, past, next);
    if (changed === null) return null;
    const path = tileFile(past, changed.index);
    const tile = files.get(path)!.slice();
    tile.set(leafHash(changed.entry), (changed.index % 256) * 32);
    return files.set(path, tile);
  },
  'everything rewritten, and not signed': (_, past, next) =>
    past.entries.length === 0 ? null : rewriteAll(past, next),
  'a file deleted': (files, _, next) => {
    const path = aFile(files, next);
    if (path === null) return null;
    files.delete(path);
    return files;
  },
  'a file cut': (files, _, next) => {
    const path = aFile(files, next);
    const bytes = path === null ? null : files.get(path)!;
    return bytes === null || path === null ? null : files.set(path, bytes.subarray(0, next.below(bytes.length)));
  },
  'a file longer': (files, _, next) => {
    const path = aFile(files, next);
    return path === null ? null : files.set(path, concat([files.get(path)!, new Uint8Array(32)]));
  },
  'a bit of a tile changed': (files, _, next) => {
    const paths = [...files.keys()].filter((path) => /^tile\/\d/.test(path)).sort();
    if (paths.length === 0) return null;
    const path = paths[next.below(paths.length)]!;
    const bytes = files.get(path)!.slice();
    bytes[next.below(bytes.length)]! ^= 1 << next.below(8);
    return files.set(path, bytes);
  },
  'two files swapped': (files, _, next) => {
    const [one, two] = [aFile(files, next), aFile(files, next)];
    if (one === null || two === null || one.split('/')[1] !== two.split('/')[1]) return null;
    const [a, b] = [files.get(one)!, files.get(two)!];
    return files.set(one, b).set(two, a);
  },
  'the tail deleted': (files, past, next) => {
    const bundles = Math.ceil(past.entries.length / 256);
    if (bundles === 0) return null;
    const from = next.below(bundles);
    const isAll = next.below(2) === 0;
    for (const path of [...files.keys()]) {
      const number = Number(
        /^tile\/(?:entries|0)\/(?:x\d\d\d\/)*\d\d\d/.exec(path)?.[0].replace(/^tile\/[^/]+|\D/g, ''),
      );
      if (number >= from && (isAll || path.startsWith('tile/entries'))) files.delete(path);
    }
    return files;
  },
  'a fork that is signed': async (_, { entries }, next) => {
    if (entries.length === 0) return null;
    return (await branch(entries, next.below(entries.length), next, next.below(300) + 1)).files;
  },
  'a fork of the same size': async (_, { entries }, next) => {
    if (entries.length === 0) return null;
    const at = next.below(entries.length);
    return (await branch(entries, at, next, entries.length - at)).files;
  },
  'another key': async (files, { log }) => resigned(files, log.text(), otherSigner),
  'a checkpoint that is none': (files, _, next) => files.set('checkpoint', next.bytes(next.below(200))),
  'no checkpoint': (files) => {
    files.delete('checkpoint');
    return files;
  },
  'a checkpoint of another size': async (files, { log, entries }, next) => {
    const text = log.text().replace(`\n${entries.length}\n`, `\n${entries.length + 1 + next.below(3)}\n`);
    return entries.length === 0 ? null : resigned(files, text, logSigner);
  },
};

async function resigned(files: Files, text: string, signer: Signer): Promise<Files> {
  return files.set('checkpoint', new TextEncoder().encode(await signNote(text, [signer])));
}

/** The path of the tile of leaves that has an entry. */
function tileFile({ entries }: Past, index: number): string {
  const tile = Math.floor(index / 256);
  return tilePath(0, tile, Math.min(256, entries.length - tile * 256));
}

/** Changes an entry: other bytes, or another length. */
function changeEntry(files: Files, { entries }: Past, next: Random): { index: number; entry: Uint8Array } | null {
  if (entries.length === 0) return null;
  const index = next.below(entries.length);
  const path = tileFile({ entries } as Past, index).replace('tile/0/', 'tile/entries/');
  const entry = concat([entries[index]!, Uint8Array.of(next.below(256))]);
  const first = Math.floor(index / 256) * 256;
  const parts = entries.slice(first, first + 256).flatMap((one, i) => {
    const bytes = first + i === index ? entry : one;
    return [Uint8Array.of(bytes.length >>> 8, bytes.length & 255), bytes];
  });
  files.set(path, concat(parts));
  return { index, entry };
}

/** The path of a file of the current tree other than the checkpoint. */
function aFile(files: Files, next: Random): string | null {
  const paths = [...files.keys()].filter((path) => path !== 'checkpoint').sort();
  return paths.length === 0 ? null : paths[next.below(paths.length)]!;
}

/** What an honest look at the first entries leaves. */
async function seenOf(entries: readonly Uint8Array[], size: number): Promise<Seen> {
  const log = memoryLog();
  log.append(entries.slice(0, size));
  const range = compactRange();
  for (const entry of entries.slice(0, size)) range.append(leafHash(entry));
  return {
    trefoil: 'seen-v1',
    origin: ORIGIN,
    size,
    root: encodeBase64(range.root()),
    edge: range.hashes().map(encodeBase64),
    at: null,
    checkpoint: await signNote(log.text(), [logSigner]),
    cosigned: [],
    open: [],
  };
}

/** The checkpoint of the first entries, cosigned by a witness; sometimes of a fork. */
async function witnessOf(entries: readonly Uint8Array[], next: Random): Promise<string> {
  const size = next.below(entries.length + 1);
  const log = memoryLog();
  log.append(entries.slice(0, size));
  if (next.below(6) === 0) log.append([Uint8Array.of(254)]);
  return signNote(log.text(), [logSigner, witnessSigner(0)]);
}

/** Makes history number `number`. */
export async function history(number: number): Promise<History> {
  const next = random(`history of a log ${number}`);
  for (;;) {
    const past = await grow(next);
    const what = Object.keys(DAMAGES)[next.below(Object.keys(DAMAGES).length)]!;
    const seen = next.below(2) === 0 ? null : await seenOf(past.entries, next.below(past.entries.length + 1));
    const witness = next.below(3) > 0 ? null : await witnessOf(past.entries, next);
    const files = await DAMAGES[what]!(new Map(past.states.at(-1)!.files), past, next);
    if (files !== null) return { what, files, seen, witness };
  }
}
