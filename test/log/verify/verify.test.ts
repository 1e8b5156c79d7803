/** Verifying a log: each way to tamper with one has a test by its name. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { concat, utf8 } from '../../../src/core/bytes.ts';
import { TrefoilError } from '../../../src/errors.ts';
import { completeRoot } from '../../../src/kernel/merkle/complete-root.ts';
import { leafHash } from '../../../src/kernel/merkle.ts';
import {
  type Finding,
  newNoteKey,
  noteSigner,
  parseLogPolicy,
  parseSeen,
  type Seen,
  signNote,
  type VerifyOptions,
  verifyLog,
  writeEntry,
} from '../../../src/log.ts';
import { entries, entry } from '../tree/shared.ts';
import {
  type Files,
  KEYS,
  logSigner,
  type MemoryLog,
  memoryLog,
  otherSigner,
  policyOf,
  sourceOf,
  witnessSigner,
} from './memory-log.ts';

const NONE = policyOf('none');

const verify = (files: Files, more: Partial<VerifyOptions> = {}) =>
  verifyLog(sourceOf(files), { policy: NONE, entries: 'bytes', ask: null, patience: 0, ...more });

/** The first finding: its word, and the entry. */
async function firstOf(files: Files, more: Partial<VerifyOptions> = {}): Promise<Finding> {
  const { ok, findings, seen } = await verify(files, more);
  expect(ok).toBe(false);
  expect(seen).toBeNull();
  return findings[0]!;
}

async function logOf(size: number, signers = [logSigner]): Promise<MemoryLog> {
  const log = memoryLog();
  log.append(entries(size));
  await log.publish(signers);
  return log;
}

/** What an honest look at a log of some size leaves. */
async function seenAt(size: number): Promise<Seen> {
  const { files } = await logOf(size);
  return (await verify(files)).seen!;
}

/** Replaces an entry in a bundle. */
function replaceEntry(files: Files, path: string, at: number, by: Uint8Array): void {
  const old = files.get(path)!;
  let end = 0;
  for (let i = 0; i < at; i++) end += 2 + old[end]! * 256 + old[end + 1]!;
  const after = end + 2 + old[end]! * 256 + old[end + 1]!;
  files.set(
    path,
    concat([old.subarray(0, end), Uint8Array.of(by.length >> 8, by.length & 255), by, old.subarray(after)]),
  );
}

/** Replaces a hash in a tile. */
function replaceHash(files: Files, path: string, at: number, by: Uint8Array): void {
  const tile = files.get(path)!.slice();
  tile.set(by, at * 32);
  files.set(path, tile);
}

const FALSE = utf8('a false entry');

describe('an honest log', () => {
  it.each([0, 1, 2, 255, 256, 257, 511, 512, 513, 700, 65_536, 65_537])('of %i entries is good', async (size) => {
    const log = await logOf(size);
    const visited: number[] = [];
    const found = await verify(log.files, { entry: (index, bytes) => void visited.push(index, bytes.length) });
    expect(found.findings).toEqual([]);
    expect(found).toMatchObject({ ok: true, size, checked: size, witnessed: size, origin: 'log.example/test' });
    expect(visited).toEqual(log.entries.flatMap(({ length }, i) => [i, length]));
    expect(found.seen?.size).toBe(size);
  });

  it('is verified from any earlier look, to the same record', async () => {
    for (const [from, to] of [
      [0, 10],
      [1, 300],
      [255, 256],
      [256, 257],
      [300, 300],
      [100, 700],
      [512, 700],
    ] as const) {
      const log = await logOf(to);
      const whole = await verify(log.files);
      const visited: number[] = [];
      const found = await verify(log.files, { seen: await seenAt(from), entry: (index) => void visited.push(index) });
      expect(found.findings).toEqual([]);
      expect(found.checked).toBe(to - from);
      expect(visited).toEqual(Array.from({ length: to - from }, (_, i) => from + i));
      expect(found.seen).toEqual(whole.seen);
      expect(parseSeen(JSON.stringify(found.seen))).toEqual(found.seen);
    }
  });

  it('may delete partial files once the full ones are there', async () => {
    const log = memoryLog();
    log.append(entries(300));
    const note = await log.publish();
    log.append(Array.from({ length: 700 }, (_, i) => entry(300 + i)));
    await log.publish();
    for (const path of log.files.keys()) if (/\.p\/44$/.test(path)) log.files.delete(path);
    expect(log.files.has('tile/0/001.p/44')).toBe(false);
    log.files.set('checkpoint', utf8(note));
    const found = await verify(log.files);
    expect(found.findings).toEqual([]);
    expect(found).toMatchObject({ ok: true, size: 300, checked: 300 });
  });

  it('a look at 1,000 new entries of a million reads at most 12 files', async () => {
    const log = memoryLog();
    const same = new Array<Uint8Array>(1000).fill(utf8('an entry'));
    for (let i = 0; i < 999; i++) log.append(same);
    await log.publish();
    // The record of the tree before, from the verified tiles.
    const before = (await verify(log.files, { tiles: 'edge' })).seen!;
    log.append(same);
    await log.publish();
    const asked: string[] = [];
    const found = await verifyLog(sourceOf(log.files, asked), {
      policy: NONE,
      entries: 'bytes',
      ask: null,
      seen: before,
    });
    expect(found).toMatchObject({ ok: true, size: 1_000_000, checked: 1000 });
    expect(found.files).toBe(asked.length);
    expect(asked.length).toBeLessThanOrEqual(12);
  });
});

describe('tampering with the files of a log is seen, with the exact entry', () => {
  const sizes = [
    { size: 700, at: 5, bundle: 'tile/entries/000', leaves: 'tile/0/000' },
    { size: 700, at: 300, bundle: 'tile/entries/001', leaves: 'tile/0/001' },
    { size: 700, at: 699, bundle: 'tile/entries/002.p/188', leaves: 'tile/0/002.p/188' },
    { size: 512, at: 511, bundle: 'tile/entries/001', leaves: 'tile/0/001' },
    { size: 3, at: 0, bundle: 'tile/entries/000.p/3', leaves: 'tile/0/000.p/3' },
  ];
  for (const { size, at, bundle, leaves } of sizes) {
    const place = at % 256;

    it(`an entry is rewritten: ${at} of ${size}`, async () => {
      const { files } = await logOf(size);
      replaceEntry(files, bundle, place, FALSE);
      expect(await firstOf(files)).toMatchObject({ word: 'rewritten', code: 'log_broken', entry: at, path: bundle });
    });

    it(`an entry is rewritten together with its leaf: ${at} of ${size}`, async () => {
      const { files } = await logOf(size);
      replaceEntry(files, bundle, place, FALSE);
      replaceHash(files, leaves, place, leafHash(FALSE));
      const { word, entry: exact, range = [exact!, exact! + 1] } = await firstOf(files);
      expect(word).toBe('rewritten');
      // The entry is there only if it is known.
      expect(exact).toBe(range[1] - range[0] === 1 ? range[0] : undefined);
      expect(range[0]).toBeLessThanOrEqual(at);
      expect(range[1]).toBeGreaterThan(at);
    });

    it(`a leaf is rewritten and its entry is not: ${at} of ${size}`, async () => {
      const { files } = await logOf(size);
      replaceHash(files, leaves, place, leafHash(FALSE));
      const found = await firstOf(files);
      expect(found).toMatchObject({ word: 'rewritten', entry: at, path: leaves });
      expect(found.message).toMatch(`hash tile ${leaves} was rewritten`);
      expect(found.message).toMatch(/; the entries are right$/);
    });

    it(`a bundle ends inside an entry: before ${at} of ${size}`, async () => {
      const { files } = await logOf(size);
      const bytes = files.get(bundle)!;
      let end = 0;
      for (let i = 0; i < place; i++) end += 2 + bytes[end]! * 256 + bytes[end + 1]!;
      files.set(bundle, bytes.subarray(0, end + 1));
      expect(await firstOf(files)).toMatchObject({ word: 'deleted', entry: at, path: bundle });
    });

    it(`a bundle is deleted: that of ${at} of ${size}`, async () => {
      const { files } = await logOf(size);
      files.delete(bundle);
      const isLast = at >= size - 256 && Math.ceil((at + 1) / 256) === Math.ceil(size / 256);
      expect(await firstOf(files)).toMatchObject({ word: isLast ? 'cut' : 'deleted', entry: at - place, path: bundle });
    });

    it(`a tile of leaves is deleted, or too short: that of ${at} of ${size}`, async () => {
      const { files } = await logOf(size);
      const bytes = files.get(leaves)!;
      files.set(leaves, bytes.subarray(0, bytes.length - 32));
      const range = [at - place, Math.min(at - place + 256, size)];
      expect(await firstOf(files)).toMatchObject({ word: 'deleted', range, path: leaves });
      files.delete(leaves);
      const found = await firstOf(files);
      expect(found).toMatchObject({ word: 'deleted', range, path: leaves });
      expect(found.entry).toBeUndefined();
    });

    it(`a tile or bundle is longer than its checkpoint: that of ${at} of ${size}`, async () => {
      const { files } = await logOf(size);
      const [tile, entriesFile] = [files.get(leaves)!, files.get(bundle)!];
      files.set(leaves, concat([tile, new Uint8Array(32)]));
      expect(await firstOf(files)).toMatchObject({ word: 'unreadable', path: leaves });
      files.set(leaves, tile);
      files.set(bundle, concat([entriesFile, Uint8Array.of(0, 0)]));
      expect(await firstOf(files)).toMatchObject({ word: 'unreadable', path: bundle });
    });
  }

  it('two entries are swapped', async () => {
    const { files } = await logOf(700);
    replaceEntry(files, 'tile/entries/001', 7, entry(256 + 9));
    replaceEntry(files, 'tile/entries/001', 9, entry(256 + 7));
    expect(await firstOf(files)).toMatchObject({ word: 'rewritten', entry: 256 + 7 });
  });

  it('two tiles, or two bundles, are swapped', async () => {
    for (const name of ['0', 'entries']) {
      const { files } = await logOf(700);
      const [one, two] = [files.get(`tile/${name}/000`)!, files.get(`tile/${name}/001`)!];
      files.set(`tile/${name}/000`, two).set(`tile/${name}/001`, one);
      expect(await firstOf(files)).toMatchObject({ word: 'rewritten', entry: 0 });
    }
  });

  it('the tail is cut: bundles, or bundles and tiles', async () => {
    const { files } = await logOf(1000);
    for (const path of ['tile/entries/002', 'tile/entries/003.p/232']) files.delete(path);
    expect(await firstOf(files)).toMatchObject({ word: 'cut', entry: 512, range: [512, 1000] });
    for (const path of ['tile/0/002', 'tile/0/003.p/232']) files.delete(path);
    expect(await firstOf(files)).toMatchObject({ word: 'cut', entry: 512, range: [512, 1000] });
  });

  it('a backup without the newest files stands beside the newest checkpoint', async () => {
    const log = memoryLog();
    log.append(entries(600));
    await log.publish();
    const backup = new Map(log.files);
    log.append([FALSE]);
    backup.set('checkpoint', utf8(await log.publish()));
    expect(await firstOf(backup)).toMatchObject({ word: 'cut', entry: 512 });
  });

  it('a tile of level 1 is rewritten', async () => {
    const { files } = await logOf(700);
    replaceHash(files, 'tile/1/000.p/2', 1, leafHash(FALSE));
    expect(await firstOf(files)).toMatchObject({
      word: 'rewritten',
      range: [256, 512],
      path: 'tile/1/000.p/2',
    });
  });

  it('a full tile of level 1 is rewritten, deleted or cut', async () => {
    const { files } = await logOf(65_800);
    const tile = files.get('tile/1/000')!;
    replaceHash(files, 'tile/1/000', 7, leafHash(FALSE));
    expect(await firstOf(files)).toMatchObject({ word: 'rewritten', path: 'tile/1/000' });
    files.set('tile/1/000', tile.subarray(1));
    expect(await firstOf(files)).toMatchObject({ word: 'deleted', path: 'tile/1/000', range: [0, 65_536] });
  });

  it('a change in the middle of all levels is seen', async () => {
    const { files } = await logOf(65_800);
    replaceEntry(files, 'tile/entries/100', 10, FALSE);
    expect(await firstOf(files)).toMatchObject({ word: 'rewritten', entry: 25_610 });
  });

  it('everything was made anew and only the signature is old: without a last look, no entry can be told', async () => {
    const log = await logOf(700);
    const changed = memoryLog();
    changed.append(log.entries.map((one, i) => (i === 300 ? FALSE : one)));
    await changed.publish();
    changed.files.set('checkpoint', log.files.get('checkpoint')!);
    expect(await firstOf(changed.files)).toMatchObject({ word: 'rewritten', range: [0, 700] });
    // The right edge of what was seen tells in which part it is.
    const seen = await seenAt(560);
    expect(await firstOf(changed.files, { seen })).toMatchObject({ word: 'rewritten', range: [0, 512] });
    expect(await firstOf(changed.files, { seen: await seenAt(256) })).toMatchObject({ range: [256, 700] });
  });
});

describe('the checkpoint', () => {
  it('is not signed by the log, or signed by another key of its name', async () => {
    const { files, text } = await logOf(3);
    files.set('checkpoint', utf8(await signNote(text(), [otherSigner])));
    expect(await firstOf(files)).toMatchObject({ word: 'unsigned', code: 'note_unsigned' });
    const note = new TextDecoder().decode((await logOf(3)).files.get('checkpoint')!);
    files.set('checkpoint', utf8(note.replace('\n3\n', '\n2\n')));
    expect(await firstOf(files)).toMatchObject({ word: 'unsigned', code: 'signature_invalid' });
  });

  it('is missing, no note, or no checkpoint', async () => {
    const { files } = await logOf(3);
    files.set('checkpoint', utf8('x'));
    expect(await firstOf(files)).toMatchObject({ word: 'unreadable', code: 'note_invalid' });
    files.set('checkpoint', utf8(await signNote('log.example/test\n03\nx\n', [logSigner])));
    expect(await firstOf(files)).toMatchObject({ word: 'unreadable', code: 'checkpoint_invalid' });
    files.set(
      'checkpoint',
      utf8(await signNote(`log.example/test\n9007199254740992\n${'A'.repeat(43)}=\n`, [logSigner])),
    );
    expect(await firstOf(files)).toMatchObject({ word: 'unreadable', code: 'checkpoint_invalid' });
    files.delete('checkpoint');
    expect(await firstOf(files)).toMatchObject({ word: 'deleted', path: 'checkpoint' });
  });

  it('is of another origin: the key of the log does not count', async () => {
    const other = memoryLog('another.example');
    await other.publish([logSigner]);
    expect(await firstOf(other.files)).toMatchObject({ word: 'unsigned', code: 'note_unsigned' });
  });

  it('has 2^53 - 1 entries, and no files: no time and no memory is lost', async () => {
    const { files } = await logOf(1);
    files.set(
      'checkpoint',
      utf8(await signNote(`log.example/test\n${2 ** 53 - 1}\n${'A'.repeat(43)}=\n`, [logSigner])),
    );
    expect((await firstOf(files)).word).toBe('cut');
  });
});

describe('what was seen before', () => {
  it('the log is rolled back', async () => {
    const { files } = await logOf(500);
    const seen = await seenAt(600);
    expect(await firstOf(files, { seen })).toMatchObject({
      word: 'rolled back',
      code: 'log_rolled_back',
      range: [500, 600],
    });
  });

  it('the log is forked: two signed checkpoints of one size, and both are the evidence', async () => {
    const seen = await seenAt(600);
    const fork = memoryLog();
    fork.append(entries(600).map((one, i) => (i === 20 ? FALSE : one)));
    const note = await fork.publish();
    const found = await firstOf(fork.files, { seen });
    expect(found).toMatchObject({ word: 'forked', code: 'log_forked', range: [0, 512] });
    expect(found.evidence).toEqual([seen.checkpoint, note]);
  });

  it('the log is forked and longer: the right edge tells the part, an old copy the exact entry', async () => {
    const kept = await logOf(600);
    const seen = await seenAt(600);
    for (const at of [0, 20, 255, 256, 511, 512, 550, 599]) {
      const fork = memoryLog();
      fork.append(entries(900).map((one, i) => (i === at ? FALSE : one)));
      await fork.publish();
      const { word, entry: first, range } = await firstOf(fork.files, { seen });
      expect([word, first]).toEqual(['forked', range![1] - range![0] === 1 ? range![0] : undefined]);
      expect(range![0]).toBeLessThanOrEqual(at);
      expect(range![1]).toBeGreaterThan(at);
      const exact = await firstOf(fork.files, { seen, kept: sourceOf(kept.files) });
      expect(exact).toMatchObject({ word: 'forked', entry: at });
      expect(exact.range).toBeUndefined();
    }
  });

  it('an old copy without tiles changes nothing', async () => {
    const fork = memoryLog();
    fork.append(entries(900).map((one, i) => (i === 20 ? FALSE : one)));
    await fork.publish();
    const found = await firstOf(fork.files, { seen: await seenAt(600), kept: sourceOf(new Map()) });
    expect(found).toMatchObject({ word: 'forked', range: [0, 512] });
  });

  it('a damaged tile of an old copy, or of the log, never has another entry named', async () => {
    const seen = await seenAt(600);
    const fork = memoryLog();
    fork.append(entries(900).map((one, i) => (i === 20 ? FALSE : one)));
    await fork.publish();
    const { files: kept } = await logOf(600);
    expect(await firstOf(fork.files, { seen, kept: sourceOf(kept) })).toMatchObject({ word: 'forked', entry: 20 });
    for (const files of [kept, fork.files]) {
      const good = files.get('tile/0/000')!;
      replaceHash(files, 'tile/0/000', 5, leafHash(FALSE));
      const found = await firstOf(fork.files, { seen, kept: sourceOf(kept) });
      expect(found).toMatchObject({ word: 'forked', range: [0, 512] });
      expect(found.entry).toBeUndefined();
      files.set('tile/0/000', good);
    }
  });

  it('only new entries are read, so older files that are damaged are found from the beginning alone', async () => {
    const { files } = await logOf(700);
    const seen = await seenAt(600);
    replaceEntry(files, 'tile/entries/000', 5, FALSE);
    expect((await verify(files, { seen })).ok).toBe(true);
    expect((await verify(files)).ok).toBe(false);
  });

  it('a record of another log, or one that was changed, is refused', async () => {
    const { files } = await logOf(700);
    const seen = await seenAt(600);
    const refused = expect.objectContaining({ code: 'seen_invalid' });
    const ofOther = expect.objectContaining({
      code: 'seen_invalid',
      message: expect.stringContaining('does not name'),
    });
    const checkpoint = seen.checkpoint.replaceAll(seen.origin, 'other.example');
    const other: Seen = { ...seen, origin: 'other.example', checkpoint };
    await expect(verify(files, { seen: other })).rejects.toThrow(ofOther);
    // If the policy names both logs, one is in the place of the other.
    const key = newNoteKey('other.example');
    const both = parseLogPolicy(`log ${KEYS.log.verifierKey}\nlog ${key.verifierKey}\nquorum none\n`);
    const moved = await firstOf(files, { seen: other, policy: both });
    expect(moved).toMatchObject({ word: 'unsigned', message: expect.stringContaining('of another log of the policy') });
    for (const wrong of [
      { ...seen, trefoil: 'seen-v2' },
      { ...seen, size: 601 },
      { ...seen, checkpoint: 'garbage' },
      { ...seen, checkpoint },
      { ...seen, checkpoint: (await seenAt(599)).checkpoint },
      { ...seen, size: 2 ** 53 },
      { ...seen, root: seen.edge[0]! },
      { ...seen, edge: seen.edge.slice(1) },
      { ...seen, edge: [seen.edge[1]!, seen.edge[0]!, ...seen.edge.slice(2)] },
      { ...seen, edge: 'x' },
      { ...seen, at: -1 },
      { ...seen, more: 1 },
      { ...seen, cosigned: undefined },
      { ...seen, cosigned: [null] },
      { ...seen, cosigned: [{ key: 'x', size: 601, time: 1 }] },
      { ...seen, cosigned: [{ key: 1, size: 600, time: 1 }] },
      { ...seen, cosigned: [{ size: 600, time: 1 }] },
      { ...seen, cosigned: Array(257).fill({ key: 'x', size: 600, time: 1 }) },
      { ...seen, open: {} },
      { ...seen, open: [{ size: 600, time: -1 }] },
      { ...seen, open: [{ size: 600, time: 1, more: 1 }] },
      { ...seen, open: Array(65).fill({ size: 600, time: 1 }) },
    ]) {
      await expect(verify(files, { seen: wrong as Seen })).rejects.toThrow(refused);
      expect(() => parseSeen(JSON.stringify(wrong))).toThrow(refused);
    }
    const text = JSON.stringify(seen);
    for (const wrong of [
      '',
      'null',
      '[]',
      '{}',
      text.slice(1),
      text.replace('{', '{"size":1,'),
      ' '.repeat(1_048_577),
    ]) {
      expect(() => parseSeen(wrong)).toThrow(refused);
    }
  });
});

describe('witnesses', () => {
  const one = policyOf('one');
  const two = policyOf('most', 'group most 2 one two three\n');

  /** The checkpoint of a log of some size that a witness has cosigned. */
  async function cosignedNote(
    size: number,
    index: number,
    change: (one: Uint8Array, i: number) => Uint8Array = (x) => x,
  ) {
    const log = memoryLog();
    log.append(entries(size).map(change));
    return signNote(log.text(), [logSigner, witnessSigner(index)]);
  }

  const asking =
    (answers: Record<string, string | null>) =>
    async ({ name }: { name: string }) => {
      if (!Object.hasOwn(answers, name)) throw new Error('no answer');
      return answers[name]!;
    };

  it('all have cosigned the checkpoint of the log', async () => {
    const { files } = await logOf(600, [logSigner, witnessSigner(0), witnessSigner(1, 1_700_000_100)]);
    const found = await verify(files, { policy: two });
    expect(found).toMatchObject({ ok: true, witnessed: 600, silent: ['three'] });
    expect(found.cosigned).toEqual([
      { name: 'one', time: 1_700_000_000, size: 600 },
      { name: 'two', time: 1_700_000_100, size: 600 },
    ]);
  });

  it('the witness is down: nothing is witnessed', async () => {
    const { files } = await logOf(600);
    expect(await firstOf(files, { policy: one, ask: asking({}) })).toMatchObject({
      word: 'unwitnessed',
      code: 'witness_missing',
    });
  });

  it('the newest entries may not be cosigned yet', async () => {
    const { files } = await logOf(600);
    const ask = asking({ one: await cosignedNote(500, 0) });
    const found = await verify(files, { policy: one, ask });
    expect(found).toMatchObject({ ok: true, witnessed: 500, silent: ['two', 'three'] });
    expect((await verify(files, { policy: one, ask, seen: await seenAt(400) })).ok).toBe(true);
  });

  it('the quorum counts the entries that enough witnesses have seen', async () => {
    const { files } = await logOf(600);
    const answers = {
      one: await cosignedNote(600, 0),
      two: await cosignedNote(300, 1),
      three: await cosignedNote(20, 2),
    };
    expect(await verify(files, { policy: two, ask: asking(answers) })).toMatchObject({
      ok: true,
      witnessed: 300,
      silent: [],
    });
  });

  it('an honest witness was shown a fork, with and without a quorum that covers it', async () => {
    const { files } = await logOf(600, [logSigner, witnessSigner(0)]);
    const fork = await cosignedNote(500, 1, (bytes, i) => (i === 3 ? FALSE : bytes));
    const found = await firstOf(files, { policy: one, ask: asking({ one: null, two: fork }) });
    expect(found).toMatchObject({ word: 'forked', witness: 'two', range: [0, 500] });
    expect(found.evidence?.[0]).toBe(fork);
    expect(found.evidence).toHaveLength(2);
    const same = await cosignedNote(600, 1, (bytes, i) => (i === 3 ? FALSE : bytes));
    expect(await firstOf(files, { policy: one, ask: asking({ two: same }) })).toMatchObject({ word: 'forked' });
  });

  it('a witness has a larger checkpoint: the log is rolled back', async () => {
    const { files } = await logOf(600, [logSigner, witnessSigner(0)]);
    const ask = asking({ two: await cosignedNote(601, 1) });
    expect(await firstOf(files, { policy: one, ask })).toMatchObject({ word: 'rolled back', witness: 'two' });
  });

  it('a witness has a checkpoint that the log publishes a moment later', async () => {
    const before = await logOf(600, [logSigner, witnessSigner(0)]);
    const after = await logOf(601, [logSigner, witnessSigner(0)]);
    let reads = 0;
    const source = {
      read: async (path: string) =>
        (path === 'checkpoint' && reads++ === 0 ? before : after).files.get(path)?.slice() ?? null,
    };
    const ask = asking({ two: await cosignedNote(601, 1) });
    const found = await verifyLog(source, { policy: one, entries: 'bytes', ask, patience: 1 });
    expect(found).toMatchObject({ ok: true, size: 601 });
  });

  it('one that was asked and does not answer is silent, whatever the checkpoint of the log says of it', async () => {
    const { files } = await logOf(600, [logSigner, witnessSigner(0), witnessSigner(1)]);
    for (const answers of [{}, { one: null, two: null }, { one: 'junk', two: '' }]) {
      const found = await verify(files, { policy: two, ask: asking(answers) });
      expect(found).toMatchObject({ ok: true, witnessed: 600, silent: ['one', 'two', 'three'] });
      expect(found.cosigned.map(({ name }) => name)).toEqual(['one', 'two']);
    }
    const found = await verify(files, { policy: two, ask: asking({ one: await cosignedNote(500, 0) }) });
    expect(found).toMatchObject({ ok: true, witnessed: 600, silent: ['two', 'three'] });
  });

  it('a log that was rolled back has one finding, with and without a quorum', async () => {
    const seen = await seenAt(600);
    const { files } = await logOf(400, [logSigner, witnessSigner(0)]);
    for (const policy of [policyOf('none'), one]) {
      const { findings } = await verify(files, { policy, seen });
      expect(findings.map(({ word }) => word)).toEqual(['rolled back']);
    }
    const bare = await logOf(400);
    const { findings } = await verify(bare.files, { policy: one, seen });
    expect(findings.map(({ word }) => word).sort()).toEqual(['rolled back', 'unwitnessed']);
  });

  it('what a witness answers proves nothing unless it and the log have signed it', async () => {
    const { files } = await logOf(600, [logSigner, witnessSigner(0)]);
    const log = memoryLog();
    log.append(entries(700));
    const other = memoryLog('another.example');
    const answers = [
      await signNote(log.text(), [logSigner]),
      await signNote(log.text(), [witnessSigner(1)]),
      await signNote(log.text(), [logSigner, witnessSigner(0)]),
      await signNote(other.text(), [logSigner, witnessSigner(1)]),
      (await signNote(log.text(), [logSigner, witnessSigner(1)])).replace('\n700\n', '\n701\n'),
      'x',
    ];
    for (const two of answers) {
      const found = await verify(files, { policy: one, ask: asking({ two }) });
      expect(found).toMatchObject({ ok: true, silent: ['one', 'two', 'three'] });
    }
  });

  it.each([
    ['deleted', 'all'],
    ['deleted', 'edge'],
    ['rewritten', 'all'],
    ['rewritten', 'edge'],
  ] as const)('a fork that a witness holds is not hidden by an old tile that is %s (tiles: %s)', async (how, tiles) => {
    const common = entries(1000);
    const log = memoryLog();
    log.append(common);
    await log.publish([logSigner, witnessSigner(0), witnessSigner(1), witnessSigner(2)]);
    const seen = (await verify(log.files, { policy: two })).seen!;
    log.append(Array.from({ length: 4000 }, (_, i) => entry(1000 + i)));
    await log.publish([logSigner, witnessSigner(0), witnessSigner(2)]);
    const fork = memoryLog();
    fork.append([...common, ...Array.from({ length: 100 }, (_, i) => entry(9000 + i))]);
    const held = await signNote(fork.text(), [logSigner, witnessSigner(1)]);
    const more = { policy: two, seen, tiles, ask: asking({ two: held }) };
    expect(await firstOf(log.files, more)).toMatchObject({ word: 'forked', witness: 'two' });

    const path = 'tile/0/004';
    if (how === 'deleted') log.files.delete(path);
    else log.files.set(path, new Uint8Array(8192));
    const found = await verify(log.files, more);
    expect(found).toMatchObject({ ok: false, seen: null, silent: ['one', 'three'] });
    const [last] = found.findings.slice(-1);
    expect(last).toMatchObject({ word: how, code: 'log_broken', witness: 'two', path, range: [1024, 1280] });
    expect(last!.message).toContain('1100 entries of the witness two');
    expect(last!.evidence).toHaveLength(2);
    // With `all`, the look at the new entries finds the tile as well.
    expect(found.findings).toHaveLength(tiles === 'all' ? 2 : 1);
  });

  it('every witness is cosigned, silent or named by a finding, also if the tree is broken', async () => {
    const { files } = await logOf(600, [logSigner, witnessSigner(0)]);
    files.set('tile/0/002.p/88', new Uint8Array(88 * 32));
    const found = await verify(files, { policy: one, ask: asking({ two: await cosignedNote(500, 1) }) });
    expect(found).toMatchObject({ ok: false, silent: ['one', 'three'], cosigned: [{ name: 'one' }] });
    expect(found.findings[0]).toMatchObject({ word: 'rewritten', entry: 512 });
    expect(found.findings[1]).toMatchObject({ word: 'rewritten', witness: 'two' });
  });

  it('the checkpoint that is read again must be of the same log', async () => {
    const key = newNoteKey('log.example/next');
    const policy = parseLogPolicy(
      `log ${KEYS.log.verifierKey}\nlog ${key.verifierKey}\n` +
        `witness one ${KEYS.witnesses[0]!.verifierKey} https://one.witness.example/\nquorum one\n`,
    );
    const before = await logOf(3);
    const other = memoryLog('log.example/next');
    other.append(entries(5));
    await other.publish([noteSigner(key.privateKey), witnessSigner(0)]);
    let reads = 0;
    const source = {
      read: async (path: string) => (path === 'checkpoint' && reads++ === 0 ? before : other).files.get(path) ?? null,
    };
    const ask = asking({ one: await cosignedNote(4, 0) });
    const found = await verifyLog(source, { policy, entries: 'bytes', ask, patience: 1 });
    expect(found.findings).toMatchObject([{ word: 'unsigned' }, { word: 'rolled back', witness: 'one' }]);
    expect(found.findings[0]!.message).toMatch(/another log than a moment before/);
  });

  it('a cosignature with the time 0, or more than ten minutes ahead, does not count', async () => {
    const now = 1_700_000_000;
    for (const [time, counts] of [
      [0, false],
      [1, true],
      [now + 600, true],
      [now + 601, false],
      [2 ** 40, false],
    ] as const) {
      // The witness may serve it itself, or the log shows it.
      const { files, text } = await logOf(600, [logSigner, witnessSigner(0, time)]);
      const { files: bare } = await logOf(600);
      const view = asking({ one: await signNote(text(), [logSigner, witnessSigner(0, time)]) });
      for (const [shown, ask] of [
        [files, null],
        [bare, view],
      ] as const) {
        const found = await verify(shown, { policy: one, ask, now: () => now * 1000 });
        expect([time, found.ok, found.witnessed, found.silent.includes('one')]).toEqual([
          time,
          counts,
          counts ? 600 : 0,
          !counts,
        ]);
        expect(found.mistimed).toEqual(counts ? [] : [{ name: 'one', time }]);
        expect(found.witnessedAt).toBe(counts ? time : null);
      }
    }
  });

  it('a fork is proven by a checkpoint with any time', async () => {
    const { files } = await logOf(600, [logSigner, witnessSigner(0)]);
    const log = memoryLog();
    log.append(entries(500).map((bytes, i) => (i === 3 ? FALSE : bytes)));
    const two = await signNote(log.text(), [logSigner, witnessSigner(1, 0)]);
    expect(await firstOf(files, { policy: one, ask: asking({ two }) })).toMatchObject({
      word: 'forked',
      witness: 'two',
    });
  });

  it('are asked by HTTP at the address of tlog-witness', async () => {
    const { files } = await logOf(600, [logSigner, witnessSigner(0)]);
    const asked: string[] = [];
    const fetch = (async (url: string) => {
      asked.push(url);
      return new Response(await cosignedNote(500, 1), { status: url.includes('two') ? 200 : 404 });
    }) as typeof globalThis.fetch;
    const found = await verify(files, { policy: two, ask: undefined as never, fetch });
    expect(found).toMatchObject({ ok: true, witnessed: 500, silent: ['one', 'three'] });
    const hash = createHash('sha256').update('log.example/test').digest('hex');
    expect(asked).toEqual(
      ['one', 'two', 'three'].map((name) => `https://${name}.witness.example/w/${hash}/checkpoint`),
    );
  });
});

describe('entries of log-v1', () => {
  const beats = (count: number, at: (i: number) => number = (i) => 1_800_000_000 + i): Uint8Array[] =>
    Array.from({ length: count }, (_, i) => writeEntry({ kind: 'beat' }, at(i)));

  async function of(list: readonly Uint8Array[], seen?: Seen) {
    const log = memoryLog();
    log.append(list);
    await log.publish();
    return verify(log.files, { entries: 'log-v1', ...(seen === undefined ? {} : { seen }) });
  }

  it('are read, and their kinds counted', async () => {
    const found = await of(beats(300));
    expect(found).toMatchObject({ ok: true, kinds: { beat: 300 }, unknown: 0 });
    expect(found.seen?.at).toBe(1_800_000_299);
  });

  it('unknown kinds of a newer version are counted and reported', async () => {
    const found = await of([...beats(3), utf8('{"trefoil":"log-v2","kind":"beat","at":1900000000,"new":1}')]);
    expect(found).toMatchObject({ ok: true, kinds: { beat: 4 }, unknown: 1 });
  });

  it.each([
    ['JSON with duplicate keys', '{"trefoil":"log-v1","kind":"beat","at":1900000000,"at":1900000000}'],
    ['no JSON', 'beat'],
    ['another order of fields', '{"kind":"beat","trefoil":"log-v1","at":1900000000}'],
    ['a time that falls', '{"trefoil":"log-v1","kind":"beat","at":1700000000}'],
  ])('%s: the first such entry is named', async (_, text) => {
    const found = await of([...beats(270), utf8(text), ...beats(5, () => 1_900_000_001), utf8(text)]);
    expect(found.findings).toMatchObject([{ word: 'unreadable', code: 'entry_invalid', entry: 270 }]);
    expect(found.findings[0]!.message).not.toContain('1700000000');
  });

  it('the first time that is more than ten minutes ahead of the clock is named, and is no finding', async () => {
    const log = memoryLog();
    // The last entries are of a newer version, whose times are read as well.
    log.append([...beats(300), utf8('{"trefoil":"log-v2","kind":"beat","at":1800000900,"new":1}')]);
    await log.publish();
    for (const [now, ahead] of [
      [1_800_000_300, null],
      [1_800_000_299, { entry: 300, time: 1_800_000_900 }],
      [1_799_999_699, { entry: 300, time: 1_800_000_900 }],
      [1_799_999_698, { entry: 299, time: 1_800_000_299 }],
      [1_799_999_399, { entry: 0, time: 1_800_000_000 }],
      [Number.NaN, { entry: 0, time: 1_800_000_000 }],
    ] as const) {
      const found = await verify(log.files, { entries: 'log-v1', now: () => now * 1000 });
      expect(found).toMatchObject({ ok: true, findings: [], ahead });
      expect(found.seen?.size).toBe(301);
    }
    expect((await verify(log.files, { entries: 'bytes', now: () => 0 })).ahead).toBeNull();
  });

  it('of a later look, only entries that are new are compared with the clock', async () => {
    const log = memoryLog();
    log.append(beats(256));
    await log.publish();
    const now = () => 1_700_000_000_000;
    const { seen } = await verify(log.files, { entries: 'log-v1', now });
    const again = { entries: 'log-v1', now, seen: seen! } as const;
    expect((await verify(log.files, again)).ahead).toBeNull();
    log.append(beats(1, () => 1_800_000_255));
    await log.publish();
    expect(await verify(log.files, again)).toMatchObject({ ok: true, ahead: { entry: 256, time: 1_800_000_255 } });
  });

  it('a time must not fall from one look to the next', async () => {
    const first = (await of(beats(256))).seen!;
    const next = [...beats(256), ...beats(1, () => 1_800_000_100)];
    expect((await of(next, first)).findings).toMatchObject([{ code: 'entry_invalid', entry: 256 }]);
    expect((await of([...beats(256), ...beats(1, () => 1_800_000_255)], first)).ok).toBe(true);
  });
});

describe('the source', () => {
  it('an answer of 10 MB for a tile is not taken', async () => {
    const { files } = await logOf(700);
    files.set('tile/0/000', new Uint8Array(10_000_000));
    expect(await firstOf(files)).toMatchObject({ word: 'unreadable', path: 'tile/0/000' });
  });

  it('limits are those of the files', async () => {
    const { files } = await logOf(700);
    const limits = new Map<string, number>();
    await verifyLog(
      {
        read: async (path, limit) => {
          limits.set(path, limit);
          return files.get(path) ?? null;
        },
      },
      { policy: NONE, entries: 'bytes', ask: null },
    );
    expect(limits.get('tile/0/000')).toBe(8192);
    expect(limits.get('tile/0/002.p/188')).toBe(188 * 32);
    expect(limits.get('tile/entries/002.p/188')).toBe(188 * 65_537);
  });

  it('an error that says nothing about the log ends the verification', async () => {
    const { files } = await logOf(700);
    for (const path of ['checkpoint', 'tile/0/001', 'tile/entries/001', 'tile/1/000.p/2']) {
      const down = new TrefoilError([{ code: 'log_unavailable', message: 'down' }]);
      const source = {
        read: async (asked: string) => {
          if (asked === path) throw down;
          return files.get(asked) ?? null;
        },
      };
      await expect(verifyLog(source, { policy: NONE, entries: 'bytes', ask: null })).rejects.toBe(down);
    }
  });

  it('what `entry` throws passes through', async () => {
    const { files } = await logOf(700);
    const stop = new Error('enough');
    const entry = (index: number): void => {
      if (index === 300) throw stop;
    };
    await expect(verify(files, { entry })).rejects.toBe(stop);
  });

  it('wrong options are refused', async () => {
    const source = sourceOf(new Map());
    const good = { policy: NONE };
    for (const wrong of [
      {},
      { policy: {} },
      { ...good, more: 1 },
      { ...good, entries: 'x' },
      { ...good, tiles: 'x' },
      { ...good, timeout: 0 },
      { ...good, patience: -1 },
      { ...good, entry: 1 },
      { ...good, ask: 1 },
      { ...good, kept: {} },
    ]) {
      await expect(verifyLog(source, wrong as never)).rejects.toThrow(/^"[a-z]+" /);
    }
    await expect(verifyLog({} as never, good)).rejects.toThrow(TypeError);
  });
});

describe('seen-v1', () => {
  it('is that of the vector in docs/spec/seen-v1.md', async () => {
    const page = readFileSync(new URL('../../../docs/spec/seen-v1.md', import.meta.url), 'utf8');
    const vector = JSON.parse(/```json\n([^`]+)```/.exec(page)![1]!) as Partial<Seen>;
    const log = memoryLog('log.example/test');
    log.append(Array.from({ length: vector.size! }, (_, i) => Uint8Array.of(i)));
    const checkpoint = await log.publish();
    const { seen } = await verify(log.files);
    expect(seen).toEqual({ ...vector, origin: 'log.example/test', checkpoint });
    expect(Object.keys(seen!).sort()).toEqual([...Object.keys(vector), 'checkpoint'].sort());
  });

  it('is that of the entries', async () => {
    const seen = await seenAt(256);
    expect(seen.edge).toEqual([seen.root]);
    expect(seen.root).toBe(btoa(String.fromCharCode(...completeRoot(concat(entries(256).map(leafHash))))));
  });
});
