/** Writing a log into a folder: every size, groups, openings, permissions, and what is on the disk afterwards. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  checkProof,
  commitment,
  type Log,
  type LogEvent,
  openLog,
  parseLogPolicy,
  readEntry,
  writeEntry,
} from '../../../src/log.ts';
import { logFolder, readLogFolder } from '../../../src/node.ts';
import { codeOf, rejection } from '../../helpers/errors.ts';
import { KEY, place, signer, store, text } from './places.ts';
import { readCheckpoint, readLog } from './reference.ts';

const now = () => 1_796_126_400_000;

describe('a log of bytes', () => {
  test('is right at every size up to 300, and around 65,536', async () => {
    const at = place();
    const log = await openLog(store(at), { signer, create: true, entries: 'bytes' });
    for (let size = 1; size <= 300; size++) {
      expect((await log.append(text(`entry ${size - 1}`))).index).toBe(size - 1);
      expect(readLog(join(at, 'log'), KEY.verifierKey).size).toBe(size);
    }
    await Promise.all(Array.from({ length: 65_530 - 300 }, (_, i) => log.append(text(`entry ${300 + i}`))));
    for (let size = 65_531; size <= 65_540; size++) {
      await log.append(text(`entry ${size - 1}`));
      if (size === 65_536) expect(readLog(join(at, 'log'), KEY.verifierKey).size).toBe(size);
    }
    await log.close();
    const { entries } = readLog(join(at, 'log'), KEY.verifierKey);
    expect(entries.map(String)).toEqual(Array.from({ length: 65_540 }, (_, i) => `entry ${i}`));
  }, 120_000);

  test('takes entries of 0 and 65,535 bytes, and more than 4 MiB at once', async () => {
    const at = place();
    const log = await openLog(store(at), { signer, create: true, entries: 'bytes' });
    const sizes = [0, 65_535, 1, ...new Array<number>(150).fill(65_535), 0];
    await Promise.all(sizes.map((size) => log.append(new Uint8Array(size).fill(7))));
    expect(await rejection(log.append(new Uint8Array(65_536)), RangeError)).toBeInstanceOf(RangeError);
    expect(await rejection(log.append({ kind: 'beat' }), TypeError)).toBeInstanceOf(TypeError);
    await log.close();
    expect(readLog(join(at, 'log'), KEY.verifierKey).entries.map(({ length }) => length)).toEqual(sizes);
  });

  test('is continued at every size', async () => {
    const at = place();
    for (let size = 0; size < 530; size += size < 5 || (size > 250 && size < 260) ? 1 : 17) {
      const log: Log = await openLog(store(at), { signer, create: size === 0, entries: 'bytes' });
      expect(log.recovery).toEqual({ taken: 0, published: size === 0 });
      const more = Array.from({ length: size < 5 || (size > 250 && size < 260) ? 1 : 17 }, (_, i) => size + i);
      const done = await Promise.all(more.map((i) => log.append(text(`entry ${i}`))));
      expect(done.map(({ index }) => index)).toEqual(more);
      await log.close();
      expect(readLog(join(at, 'log'), KEY.verifierKey).size).toBe(more.at(-1)! + 1);
    }
  });
});

describe('a log of log-v1', () => {
  test('appends of one turn are one group, and have one checkpoint', async () => {
    const at = place();
    const log = await openLog(store(at), { signer, create: true, now });
    const done = await Promise.all(Array.from({ length: 256 }, () => log.append({ kind: 'beat' })));
    expect(new Set(done.map(({ checkpoint }) => checkpoint)).size).toBe(1);
    expect(done[0]!.checkpoint).toBe(log.checkpoint());
    expect(readCheckpoint(log.checkpoint(), KEY.verifierKey).size).toBe(256);
    expect(log.size()).toBe(256);
    expect(readdirSync(join(at, 'log/tile/entries'))).toEqual(['000']);
    await log.close();
  });

  test('an append returns the bytes of its entry, which a proof needs', async () => {
    const at = place();
    const policy = parseLogPolicy(`log ${KEY.verifierKey}\nquorum none\n`);
    const log = await openLog(store(at), { signer, create: true, now });
    const done = await Promise.all([log.append({ kind: 'beat' }), log.append({ kind: 'beat' })]);
    for (const { index, entry } of done) {
      expect(new TextDecoder().decode(entry)).toMatch(/^\{"trefoil":"log-v1","kind":"beat","at":\d+\}$/);
      expect(checkProof(await log.prove(index), entry, policy).index).toBe(index);
    }
    await log.close();
    expect(readLog(join(at, 'log'), KEY.verifierKey).entries).toEqual(done.map(({ entry }) => Buffer.from(entry)));
    // Bytes that the caller changes while they are being written.
    const other = place();
    const raw = await openLog(store(other), { signer, create: true, entries: 'bytes' });
    const bytes = Uint8Array.of(1, 2, 3);
    const appended = raw.append(bytes);
    bytes.fill(9);
    expect([...(await appended).entry]).toEqual([1, 2, 3]);
    expect(checkProof(await raw.prove(0), (await appended).entry, policy).index).toBe(0);
    await raw.close();
  });

  test('the time never falls, also after the log was opened again', async () => {
    const at = place();
    const times = [100, 99.9, 101.5, 3, 7, 101, 102];
    let i = 0;
    const clock = () => times[i++]! * 1000;
    const first = await openLog(store(at), { signer, create: true, now: clock });
    for (let k = 0; k < 4; k++) await first.append({ kind: 'beat' });
    await first.close();
    const second = await openLog(store(at), { signer, now: clock });
    for (let k = 0; k < 3; k++) await second.append({ kind: 'beat' });
    await second.close();
    const { entries } = readLog(join(at, 'log'), KEY.verifierKey);
    expect(entries.map((entry) => readEntry(entry).at)).toEqual([100, 100, 101, 101, 101, 101, 102]);
  });

  test('an entry that is refused takes no place', async () => {
    const at = place();
    const log = await openLog(store(at), { signer, create: true, now });
    const wrong = log.append({ kind: 'erase', commit: 'no digest' });
    const right = log.append({ kind: 'beat' });
    expect((await rejection(wrong)).code).toBe('entry_invalid');
    expect((await right).index).toBe(0);
    await log.close();
  });

  test('entries of one turn keep their bytes, whatever was written or refused between them', async () => {
    const at = place();
    const log = await openLog(store(at), { signer, create: true, now });
    const note = (words: string): LogEvent => ({ kind: 'charter', note: `${words}\n\n\u2014 anna AAAAAQ==\n` });
    const { commit, opening } = commitment({ rows: [1] });
    // Quotes are escaped, so the longest note makes an entry of more than 65,535 bytes.
    const [most, over] = [note('"'.repeat(32_000)), note('"'.repeat(32_740))];
    const events: LogEvent[] = [note('g\u00e4\u{1f512}'), { kind: 'beat' }, most, { kind: 'erase', commit }, note('b')];
    const appended: Promise<unknown>[] = [];
    const refused: Promise<unknown>[] = [];
    for (const event of events) {
      appended.push(log.append(event, event.kind === 'erase' ? { opening } : {}));
      refused.push(log.append(over), log.append({ kind: 'erase', commit: 'no digest' }));
    }
    for (const error of await Promise.all(refused.map((append) => rejection(append)))) {
      expect(error.code).toBe('entry_invalid');
    }
    const [issue] = (await rejection(refused[0]!)).issues;
    expect(issue).toMatchObject({ maximum: 65_535, actual: writeEntry(most, 1_796_126_400).length + 2 * 740 });
    await Promise.all(appended);
    await log.close();
    const { entries } = readLog(join(at, 'log'), KEY.verifierKey);
    expect(entries.map(String)).toEqual(events.map((event) => String(Buffer.from(writeEntry(event, 1_796_126_400)))));
  });

  test('openings are stored for their owner alone, destroyed, and must be those of the entry', async () => {
    const at = place();
    const log = await openLog(store(at), { signer, create: true, now });
    const { commit, opening } = commitment({ certificate: 'of a store' });
    const { index } = await log.append({ kind: 'erase', commit }, { opening });
    expect(await log.opening(index)).toBe(opening);
    expect(statSync(join(at, 'log/openings')).mode & 0o777).toBe(0o700);
    expect(statSync(join(at, 'log/openings/0.json')).mode & 0o777).toBe(0o600);
    const other = commitment({}).opening;
    expect((await rejection(log.append({ kind: 'erase', commit }, { opening: other }))).code).toBe('opening_wrong');
    await rejection(log.append({ kind: 'beat' }, { opening }), RangeError);
    expect(await log.destroyOpening(index)).toBe(true);
    expect(await log.destroyOpening(index)).toBe(false);
    expect(await log.opening(index)).toBe(null);
    await log.append({ kind: 'beat' });
    await log.close();
    // The entry and every proof stay.
    expect(readLog(join(at, 'log'), KEY.verifierKey).size).toBe(2);
  });

  test('the log holds no detail of an opening', async () => {
    const at = place();
    const log = await openLog(store(at), { signer, create: true, now });
    const { commit, opening } = commitment({ host: 'QzPrivateQz' });
    await log.append({ kind: 'erase', commit }, { opening });
    const parts = readdirSync(join(at, 'log'), { recursive: true, withFileTypes: true });
    const found = parts
      .filter((part) => part.isFile() && readFileSync(join(part.parentPath, part.name), 'latin1').includes('QzPrivate'))
      .map(({ name }) => name);
    expect(found).toEqual(['0.json']);
    await log.close();
  });

  test('files are served or private', async () => {
    const at = place();
    const log = await openLog(store(at), { signer, create: true, now });
    await log.append({ kind: 'beat' });
    const mode = (path: string) => (statSync(join(at, path)).mode & 0o777).toString(8);
    const served = ['log/checkpoint', 'log/tile/0/000.p/1', 'log/tile/entries/000.p/1'];
    expect(served.map(mode)).toEqual(['644', '644', '644']);
    expect(['head', 'head.key', 'head.lock', 'log/lock', 'log/journal'].map(mode)).toEqual(new Array(5).fill('600'));
    await log.close();
    expect(existsSync(join(at, 'log/lock'))).toBe(false);
    expect(existsSync(join(at, 'head.lock'))).toBe(false);
  });

  test('partial tiles are removed when the full one is published', async () => {
    const at = place();
    const log = await openLog(store(at), { signer, create: true, now });
    for (let i = 0; i < 5; i++) await log.append({ kind: 'beat' });
    await Promise.all(Array.from({ length: 252 }, () => log.append({ kind: 'beat' })));
    expect(readdirSync(join(at, 'log/tile/entries')).sort()).toEqual(['000', '001.p']);
    expect(readdirSync(join(at, 'log/tile/0')).sort()).toEqual(['000', '001.p']);
    await log.close();
  });

  test('partial tiles are there until the checkpoint under which they are full is published', async () => {
    const at = place();
    const kept = store(at);
    const seen: unknown[] = [];
    const dropPartials = async (paths: readonly string[]): Promise<void> => {
      const size = Number(readFileSync(join(at, 'log/checkpoint'), 'utf8').split('\n')[1]);
      for (const path of paths) seen.push([size, path, existsSync(join(at, 'log', path))]);
      await kept.dropPartials(paths);
    };
    const log = await openLog({ ...kept, dropPartials }, { signer, create: true, now });
    for (let i = 0; i < 257; i++) await log.append({ kind: 'beat' });
    await log.close();
    expect(seen).toEqual([
      [256, 'tile/0/000.p/255', true],
      [256, 'tile/entries/000.p/255', true],
    ]);
  });

  test('a closed log takes nothing, and what was appended before is written', async () => {
    const at = place();
    const log = await openLog(store(at), { signer, create: true, now });
    const last = log.append({ kind: 'beat' });
    const closed = log.close();
    expect((await rejection(log.append({ kind: 'beat' }))).code).toBe('log_stopped');
    await closed;
    await log.close();
    expect((await last).index).toBe(0);
  });

  test('only the files of a log can be read from the source', async () => {
    const at = place();
    const log = await openLog(store(at), { signer, create: true, now });
    await log.append({ kind: 'beat' });
    const source = readLogFolder(join(at, 'log'));
    expect(await source.read('checkpoint', 10_000)).not.toBe(null);
    for (const path of [
      'journal',
      'lock',
      'openings/0.json',
      '../head',
      'tile/../journal',
      'tile/0/../../journal',
      '',
    ]) {
      expect(await source.read(path, 10_000)).toBe(null);
    }
    expect((await rejection(source.read('checkpoint', 10))).code).toBe('log_broken');
    await log.close();
  });
});

describe('options', () => {
  test('the head must not be in the folder', () => {
    for (const head of ['/var/log/x/head', '/var/log/x', '/var/log/x/y/../head']) {
      expect(() => logFolder('/var/log/x', { head })).toThrow(RangeError);
    }
    expect(() => logFolder('/var/log/x', { head: '/var/log/x-head' })).not.toThrow();
    expect(() => logFolder('/var/log/x', {} as { head: string })).toThrow(TypeError);
  });

  test('a signer, a store and the other options of a wrong type', async () => {
    const at = place();
    for (const wrong of [{}, { signer: null }, { signer, create: 1 }, { signer, now: 3 }, { signer, other: 1 }]) {
      await rejection(openLog(store(at), wrong as never), TypeError);
    }
    await rejection(openLog(store(at), { signer, entries: 'json' as 'bytes' }), RangeError);
    await rejection(openLog({} as never, { signer }), TypeError);
    expect(codeOf(() => readEntry(text('{}')))).toBe('entry_invalid');
  });
});
