/**
 * What somebody who can write the disk, or an operator who errs, does to a log; each test is named after it. A writer
 * that opens such a log stops, and signs nothing.
 */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type LogStore, newNoteKey, noteSigner, openLog } from '../../../src/log.ts';
import { logFolder } from '../../../src/node.ts';
import { rejection } from '../../helpers/errors.ts';
import { copy, fill, filled, KEY, open, place, signer, store, text } from './places.ts';
import { readLog } from './reference.ts';

const codeOfOpening = async (at: string, options = {}): Promise<string> => (await rejection(open(at, options))).code;

/** A store whose process is killed while it calls a method: nothing is called afterwards, and its locks are left. */
function killedIn(method: keyof LogStore, at: string, times = 1): LogStore {
  const real = store(at);
  let left = times;
  const dying = async (...args: never[]): Promise<never> => {
    if (left-- > 1) return (real[method] as (...args: never[]) => Promise<never>)(...args);
    throw new Error('killed');
  };
  return { ...real, [method]: dying };
}

/** Appends until the store dies, and frees the locks as the system would. */
async function appendAndDie(method: keyof LogStore, at: string, entries: readonly string[]): Promise<void> {
  const dying = killedIn(method, at);
  const log = await openLog(dying, { signer, entries: 'bytes' });
  const results = await Promise.allSettled(entries.map((entry) => log.append(text(entry))));
  expect(results.every(({ status }) => status === 'rejected')).toBe(true);
  await dying.close();
}

describe('rolled back', () => {
  test('a restored backup older than the head', async () => {
    const at = await filled(300);
    const backup = copy(at, 'log');
    const log = await open(at);
    await fill(log, 300, 310);
    await log.close();
    rmSync(join(at, 'log'), { recursive: true });
    cpSync(join(backup, 'log'), join(at, 'log'), { recursive: true });
    expect(await codeOfOpening(at)).toBe('log_rolled_back');
    // It stays so, and nothing was written.
    expect(await codeOfOpening(at)).toBe('log_rolled_back');
    expect(readLog(join(at, 'log'), KEY.verifierKey).size).toBe(300);
  });

  test('a restored head older than the log', async () => {
    const at = await filled(300);
    const old = readFileSync(join(at, 'head'));
    const log = await open(at);
    await fill(log, 300, 301);
    await log.close();
    writeFileSync(join(at, 'head'), old);
    expect(await codeOfOpening(at)).toBe('log_rolled_back');
  });

  describe('a restored head with its checkpoint over a folder that has more', () => {
    /** A log of 10 whose head and checkpoint are kept; it then grew, group by group. */
    async function restored(sizes: readonly number[]): Promise<string> {
      const at = await filled(10);
      const old = [readFileSync(join(at, 'head')), readFileSync(join(at, 'log/checkpoint'))] as const;
      const log = await open(at);
      for (const size of sizes) await fill(log, log.size(), size);
      await log.close();
      writeFileSync(join(at, 'head'), old[0]);
      writeFileSync(join(at, 'log/checkpoint'), old[1]);
      return at;
    }

    test('the journal shows it', async () => {
      const at = await restored([11, 12]);
      const files = readdirSync(join(at, 'log/tile/0/000.p'));
      const error = await rejection(open(at));
      expect([error.code, error.message]).toEqual([
        'log_rolled_back',
        expect.stringContaining('the journal is of a larger log than the head'),
      ]);
      // What shows it is still there, so it stays so.
      expect(readdirSync(join(at, 'log/tile/0/000.p'))).toEqual(files);
      expect(await codeOfOpening(at)).toBe('log_rolled_back');
    });

    test.each([[[11, 12]], [[11, 30, 31]]])(
      'without the journal the tiles of two groups show it: %j',
      async (sizes) => {
        const at = await restored(sizes);
        rmSync(join(at, 'log/journal'));
        const files = readdirSync(join(at, 'log/tile/0/000.p'));
        const error = await rejection(open(at));
        expect([error.code, error.message]).toEqual([
          'log_rolled_back',
          expect.stringContaining('there are tiles of more than one group after the head'),
        ]);
        expect(readdirSync(join(at, 'log/tile/0/000.p'))).toEqual(files);
      },
    );

    test('a later tile shows it, also at the end of one', async () => {
      for (const size of [256, 300]) {
        const at = await filled(size);
        const old = [readFileSync(join(at, 'head')), readFileSync(join(at, 'log/checkpoint'))] as const;
        const log = await open(at);
        await fill(log, size, 600);
        await log.close();
        writeFileSync(join(at, 'head'), old[0]);
        writeFileSync(join(at, 'log/checkpoint'), old[1]);
        rmSync(join(at, 'log/journal'));
        expect(await codeOfOpening(at)).toBe('log_rolled_back');
      }
    });
  });

  test('a copied folder that is started elsewhere, where there is no head', async () => {
    const at = await filled(10);
    const elsewhere = copy(at, 'log');
    expect(await codeOfOpening(elsewhere)).toBe('log_rolled_back');
    expect(await codeOfOpening(elsewhere, { create: true })).toBe('log_exists');
    expect(existsSync(join(elsewhere, 'head'))).toBe(false);
  });

  test('a copied folder without its checkpoint is no new log', async () => {
    const at = await filled(10);
    const elsewhere = copy(at, 'log');
    rmSync(join(elsewhere, 'log/checkpoint'));
    expect(await codeOfOpening(elsewhere)).toBe('log_rolled_back');
    expect(await codeOfOpening(elsewhere, { create: true })).toBe('log_exists');
  });

  test('a copied folder that is started under the lock of the other host', async () => {
    const at = await filled(10);
    const both = copy(at, 'log', 'head', 'head.key');
    const lock = { trefoil: 'lock', host: 'ffffffff', boot: 'ffffffff', pid: 1, start: '1', id: '0'.repeat(32) };
    writeFileSync(join(both, 'log/lock'), `${JSON.stringify(lock)}\n`);
    expect(await codeOfOpening(both)).toBe('log_in_use');
  });

  test('the head of another log of the same key name', async () => {
    const at = await filled(10);
    const other = await filled(11);
    cpSync(join(other, 'head'), join(at, 'head'));
    expect(await codeOfOpening(at)).toBe('log_rolled_back');
  });

  test.each([
    ['the last partial tile is removed', 'tile/0/001.p/44', 'remove'],
    ['the last partial bundle is removed', 'tile/entries/001.p/44', 'remove'],
    ['the partial tile of level 1 is removed', 'tile/1/000.p/1', 'remove'],
    ['the last partial tile is cut', 'tile/0/001.p/44', 'cut'],
    ['the last partial bundle is cut', 'tile/entries/001.p/44', 'cut'],
    ['the last partial tile is changed', 'tile/0/001.p/44', 'change'],
    ['the last partial bundle is changed', 'tile/entries/001.p/44', 'change'],
    ['the partial tile of level 1 is changed', 'tile/1/000.p/1', 'change'],
  ])('%s', async (_, path, how) => {
    const at = await filled(300);
    const file = join(at, 'log', path);
    const bytes = readFileSync(file);
    if (how === 'remove') rmSync(file);
    else if (how === 'cut') truncateSync(file, bytes.length - 1);
    else writeFileSync(file, Buffer.from(bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte))));
    expect(await codeOfOpening(at)).toMatch(/^log_(?:rolled_back|broken)$/);
  });

  test('the last bundle of a log of 512 entries is changed', async () => {
    const at = await filled(512);
    const file = join(at, 'log/tile/entries/001');
    const bytes = readFileSync(file);
    writeFileSync(file, Buffer.from(bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte))));
    expect(await codeOfOpening(at)).toBe('log_rolled_back');
  });
});

describe('two writers', () => {
  test('the second one is refused, in this process and in another folder with the same head', async () => {
    const at = await filled(3);
    const log = await open(at);
    expect(await codeOfOpening(at)).toBe('log_in_use');
    cpSync(join(at, 'log'), join(at, 'copy'), { recursive: true });
    rmSync(join(at, 'copy/lock'));
    const copied = logFolder(join(at, 'copy'), { head: join(at, 'head') });
    expect((await rejection(openLog(copied, { signer, entries: 'bytes' }))).code).toBe('log_in_use');
    await fill(log, 3, 5);
    await log.close();
    expect(readLog(join(at, 'log'), KEY.verifierKey).size).toBe(5);
  });

  test('one that was stopped while another took its lock over writes nothing', async () => {
    const at = await filled(3);
    const slow = await open(at);
    // As after a minute without a sign of life on another machine.
    const stolen = readFileSync(join(at, 'head.lock'), 'utf8').replace(/"id":"./, '"id":"x');
    writeFileSync(join(at, 'head.lock'), stolen);
    expect((await rejection(slow.append(text('late')))).code).toBe('log_in_use');
    expect((await rejection(slow.append(text('later')))).code).toBe('log_stopped');
    await slow.close();
    expect(readLog(join(at, 'log'), KEY.verifierKey).size).toBe(3);
  });

  test('a head that moved between two groups stops the writer before it signs into it', async () => {
    const at = await filled(3);
    const other = await filled(4);
    const log = await open(at);
    const moved = readFileSync(join(other, 'head'), 'utf8');
    writeFileSync(join(at, 'head'), moved);
    expect((await rejection(log.append(text('entry')))).code).toBe('log_in_use');
    await log.close();
    expect(readFileSync(join(at, 'head'), 'utf8')).toBe(moved);
  });

  test('the lock of a killed process is taken over', async () => {
    const at = await filled(3);
    const log = await open(at);
    const lock = readFileSync(join(at, 'log/lock'), 'utf8');
    const headLock = readFileSync(join(at, 'head.lock'), 'utf8');
    await log.close();
    // A process number that no process has.
    const dead = (text: string): string => text.replace(/"pid":\d+/, '"pid":999999999');
    writeFileSync(join(at, 'log/lock'), dead(lock));
    writeFileSync(join(at, 'head.lock'), dead(headLock));
    const again = await open(at);
    await fill(again, 3, 4);
    await again.close();
  });
});

describe('crashes between the steps', () => {
  test.each([
    ['writeJournal', 0],
    ['writeTree', 2],
    ['writeHead', 2],
    ['publish', 2],
  ] as const)(
    'in %s: %i entries of the group are in the log afterwards, under their own index',
    async (method, taken) => {
      for (const size of [0, 3, 254, 255, 256]) {
        const at = await filled(size);
        await appendAndDie(method, at, ['one', 'two']);
        const log = await open(at);
        // A group ends at the end of a tile, so of two entries after 255 only the first was in the journal.
        const expected = taken === 0 ? 0 : size === 255 ? 1 : 2;
        const found = readLog(join(at, 'log'), KEY.verifierKey);
        expect(found.size).toBe(size + expected);
        expect(found.entries.slice(size).map(String)).toEqual(['one', 'two'].slice(0, expected));
        // After `publish` died, the entries were under the head already.
        if (method !== 'publish') expect(log.recovery.taken).toBe(expected);
        await fill(log, size + expected, size + expected + 3);
        await log.close();
        expect(readLog(join(at, 'log'), KEY.verifierKey).size).toBe(size + expected + 3);
      }
    },
  );

  test('the head is ahead of the checkpoint', async () => {
    const at = await filled(20);
    const old = readFileSync(join(at, 'log/checkpoint'));
    const log = await open(at);
    await fill(log, 20, 21);
    await log.close();
    for (const torn of [old, Buffer.alloc(0), Buffer.alloc(200), null]) {
      if (torn === null) rmSync(join(at, 'log/checkpoint'));
      else writeFileSync(join(at, 'log/checkpoint'), torn);
      const again = await open(at);
      expect(again.recovery).toEqual({ taken: 0, published: true });
      await again.close();
      expect(readLog(join(at, 'log'), KEY.verifierKey).size).toBe(21);
    }
  });

  test('half-written tiles of a group that was never signed are written again', async () => {
    const at = await filled(3);
    await appendAndDie('writeHead', at, ['one', 'two']);
    truncateSync(join(at, 'log/tile/entries/000.p/5'), 4);
    truncateSync(join(at, 'log/tile/0/000.p/5'), 0);
    const log = await open(at);
    await log.close();
    expect(readLog(join(at, 'log'), KEY.verifierKey).entries.slice(3).map(String)).toEqual(['one', 'two']);
  });

  test('an opening of a group that was never signed is removed with it, and kept with the journal', async () => {
    for (const [method, kept] of [
      ['writeJournal', false],
      ['writeTree', true],
    ] as const) {
      const at = await filled(3);
      const dying = killedIn(method, at);
      const log = await openLog(dying, { signer, entries: 'bytes' });
      await dying.writeOpenings([{ index: 3, text: 'opening' }]);
      await rejection(log.append(text('entry')), Error);
      await dying.close();
      const again = await open(at);
      expect(await again.opening(3)).toBe(kept ? 'opening' : null);
      await again.close();
    }
  });

  test('creation was interrupted after every step', async () => {
    for (const method of ['journalKey', 'writeHead', 'publish'] as const) {
      const at = place();
      const dying = killedIn(method, at);
      await rejection(openLog(dying, { signer, entries: 'bytes', create: true }), Error);
      // Once the head is written, the log exists and is opened without `create`.
      const create = method !== 'publish';
      if (!create) expect(await codeOfOpening(at, { create: true })).toBe('log_exists');
      const log = await open(at, { create });
      await fill(log, 0, 2);
      await log.close();
      expect(readLog(join(at, 'log'), KEY.verifierKey).size).toBe(2);
    }
  });
});

describe('the journal', () => {
  const journal = (at: string): string => join(at, 'log/journal');

  test('entries that somebody without the key adds are not signed', async () => {
    const at = await filled(3);
    await appendAndDie('writeTree', at, ['one']);
    const bytes = readFileSync(journal(at));
    // The same group with another text, and with one entry more.
    writeFileSync(journal(at), Buffer.from(bytes.toString('latin1').replace('one', 'two'), 'latin1'));
    const log = await open(at);
    expect(log.recovery.taken).toBe(0);
    await log.close();
    expect(readLog(join(at, 'log'), KEY.verifierKey).size).toBe(3);
  });

  test('one that is cut or extended: cut it is left out, and what follows the tag is not looked at', async () => {
    for (const length of [0, 1, 22, 23, 30, 39, 40, 44, 50, 75]) {
      const at = await filled(3);
      await appendAndDie('writeTree', at, ['one']);
      truncateSync(journal(at), length);
      const log = await open(at);
      expect(log.recovery.taken).toBe(0);
      await log.close();
    }
    const at = await filled(3);
    await appendAndDie('writeTree', at, ['one']);
    appendFileSync(journal(at), 'more');
    const log = await open(at);
    expect(log.recovery.taken).toBe(1);
    await log.close();
  });

  test('with any byte flipped it is left out', async () => {
    const at = await filled(3);
    await appendAndDie('writeTree', at, ['one']);
    // The group has one entry of three bytes. What follows its tag is of an earlier group.
    const bytes = readFileSync(journal(at)).subarray(0, 23 + 16 + 5 + 32);
    for (let i = 0; i < bytes.length; i++) {
      const changed = copy(at, 'log', 'head', 'head.key');
      writeFileSync(journal(changed), Buffer.from(bytes.map((byte, k) => (k === i ? byte ^ 0x40 : byte))));
      // A larger size is that of a larger log, whose head is not here.
      if (i >= 23 && i < 31) {
        expect(await codeOfOpening(changed)).toBe('log_rolled_back');
        continue;
      }
      const log = await open(changed);
      expect(log.recovery.taken).toBe(0);
      await log.close();
    }
  });

  test('a symbolic link in its place: nothing is written through it', async () => {
    const at = await filled(3);
    rmSync(journal(at));
    writeFileSync(join(at, 'victim'), 'precious');
    symlinkSync(join(at, 'victim'), journal(at));
    const log = await open(at);
    const error = await rejection(log.append(text('one')));
    expect([error.code, error.message]).toEqual(['io_failed', expect.stringContaining('there is a symbolic link')]);
    await log.close();
    expect(readFileSync(join(at, 'victim'), 'utf8')).toBe('precious');
  });

  test('one that was left, with or without its key: no new log is made over it', async () => {
    for (const withKey of [true, false]) {
      const at = await filled(3);
      for (const part of ['log/tile', 'log/checkpoint', 'head', ...(withKey ? [] : ['head.key'])]) {
        rmSync(join(at, part), { recursive: true });
      }
      expect(await codeOfOpening(at, { create: true })).toBe('log_exists');
    }
  });

  test('one of an earlier time of the same log, or of another log with the same journal key, is left out', async () => {
    const at = await filled(3);
    await appendAndDie('writeTree', at, ['one']);
    const old = readFileSync(journal(at));
    const moved = copy(at, 'log', 'head', 'head.key');
    for (const folder of [at, moved]) {
      // Cut, so that another entry takes the place of the first.
      truncateSync(journal(folder), 10);
      const log = await open(folder);
      await fill(log, 3, folder === at ? 4 : 5);
      await log.close();
      writeFileSync(journal(folder), old);
      const again = await open(folder);
      expect(again.recovery.taken).toBe(0);
      await again.close();
    }
    const other = await filled(3);
    const another = noteSigner(newNoteKey('log.example/2028').privateKey);
    const otherPlace = place();
    const log = await openLog(store(otherPlace), { signer: another, entries: 'bytes', create: true });
    await fill(log, 0, 3);
    await log.close();
    cpSync(join(at, 'head.key'), join(otherPlace, 'head.key'));
    writeFileSync(journal(otherPlace), old);
    const again = await openLog(store(otherPlace), { signer: another, entries: 'bytes' });
    expect(again.recovery.taken).toBe(0);
    await again.close();
    expect(other).not.toBe(at);
  });

  test('its key is lost: a new one is made, and the group is left out', async () => {
    const at = await filled(3);
    await appendAndDie('writeTree', at, ['one']);
    rmSync(join(at, 'head.key'));
    const log = await open(at);
    expect(log.recovery.taken).toBe(0);
    await fill(log, 3, 5);
    await log.close();
    expect(readLog(join(at, 'log'), KEY.verifierKey).entries.map(String)[3]).toBe('entry 3');
  });
});

describe('errors of the disk', () => {
  const failing = (at: string, method: keyof LogStore, error: Error): LogStore => ({
    ...store(at),
    [method]: () => Promise.reject(error),
  });

  test.each(['writeOpenings', 'writeJournal', 'writeTree', 'writeHead', 'publish', 'check'] as const)(
    '%s fails: the append is rejected, the log stops, and nothing is signed that is not on the disk',
    async (method) => {
      const at = await filled(3);
      const error = new Error('EIO');
      const log = await openLog(failing(at, method, error), { signer, entries: 'bytes' });
      if (method === 'writeOpenings') return;
      const before = readFileSync(join(at, 'head'), 'utf8');
      const results = await Promise.allSettled([log.append(text('one')), log.append(text('two'))]);
      expect(results).toEqual([
        { status: 'rejected', reason: error },
        { status: 'rejected', reason: error },
      ]);
      expect((await rejection(log.append(text('three')))).code).toBe('log_stopped');
      const head = readFileSync(join(at, 'head'), 'utf8');
      if (method === 'publish') expect(head).not.toBe(before);
      else expect(head).toBe(before);
      await log.close();
      // Nothing that the head covers is missing.
      const again = await open(at);
      await fill(again, again.size(), again.size() + 2);
      await again.close();
      readLog(join(at, 'log'), KEY.verifierKey);
    },
  );

  test('dropPartials rejects or throws: the log goes on, and there is no unhandled rejection', async () => {
    for (const dropPartials of [
      () => Promise.reject(new Error('EIO')),
      () => {
        throw new Error('EIO');
      },
    ]) {
      const at = await filled(254);
      const unhandled: unknown[] = [];
      const listener = (error: unknown): number => unhandled.push(error);
      process.on('unhandledRejection', listener);
      const log = await openLog({ ...store(at), dropPartials }, { signer, entries: 'bytes' });
      await fill(log, 254, 258);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await fill(log, 258, 260);
      await log.close();
      process.off('unhandledRejection', listener);
      expect(unhandled).toEqual([]);
      expect(readLog(join(at, 'log'), KEY.verifierKey).size).toBe(260);
    }
  });

  test('a folder where a tile should be is named, while the log runs and when it is opened', async () => {
    const at = await filled(5);
    const log = await open(at);
    mkdirSync(join(at, 'log/tile/0/000.p/6'));
    for (const work of [() => log.append(text('one')), () => open(at)]) {
      const error = await rejection(work());
      expect([error.code, error.message]).toEqual(['log_broken', expect.stringContaining('there is a folder where')]);
      expect(error.issues[0]!.file).toBe(join(at, 'log/tile/0/000.p/6'));
      await log.close();
    }
    rmSync(join(at, 'log/tile/0/000.p/6'), { recursive: true });
    const again = await open(at);
    expect(again.size()).toBe(6);
    await again.close();
  });

  test('a signer that fails: nothing is signed, and the log stops', async () => {
    const at = await filled(3);
    let broken = false;
    const moody = {
      ...signer,
      sign: (message: Uint8Array) => (broken ? Promise.reject(new Error('HSM')) : signer.sign(message)),
    };
    const log = await open(at, { signer: moody });
    await fill(log, 3, 4);
    broken = true;
    await rejection(log.append(text('one')), Error);
    expect((await rejection(log.append(text('two')))).code).toBe('log_stopped');
    await log.close();
    const again = await open(at);
    expect(again.recovery.taken).toBe(1);
    await again.close();
  });
});

describe('wrong places', () => {
  test('no log, a wrong path, and a log that exists', async () => {
    const at = place();
    expect(await codeOfOpening(at)).toBe('log_missing');
    expect(readdirSync(at)).toEqual([]);
    mkdirSync(join(at, 'log'));
    expect(await codeOfOpening(at)).toBe('log_missing');
    const there = await filled(0);
    expect(await codeOfOpening(there, { create: true })).toBe('log_exists');
    await (await open(there)).close();
  });

  test('the folder is lost and the head is there: refused again and again, and nothing is made', async () => {
    const at = copy(await filled(3), 'head', 'head.key');
    for (let i = 0; i < 2; i++) {
      expect(await codeOfOpening(at, { create: true })).toBe('log_exists');
      expect(await codeOfOpening(at)).toBe('log_rolled_back');
      expect(readdirSync(at).sort()).toEqual(['head', 'head.key']);
    }
    // The folder that was lost, brought back.
    const whole = await filled(3);
    const back = copy(whole, 'head', 'head.key', 'log');
    await (await open(back)).close();
    // The head is lost.
    const headless = copy(whole, 'log');
    expect(await codeOfOpening(headless, { create: true })).toBe('log_exists');
    expect(await codeOfOpening(headless)).toBe('log_rolled_back');
  });

  test('an empty folder that was made beforehand does not hinder a new log', async () => {
    const at = place();
    mkdirSync(join(at, 'log'));
    await (await open(at, { create: true })).close();
    await (await open(at)).close();
  });

  test('another key, and another name of the key', async () => {
    const at = await filled(3);
    for (const name of ['log.example/2027', 'log.example/other']) {
      const other = noteSigner(newNoteKey(name).privateKey);
      expect(await codeOfOpening(at, { signer: other })).toBe('log_broken');
    }
  });

  test('a head that is no checkpoint', async () => {
    const at = await filled(3);
    for (const wrong of ['', 'text', readFileSync(join(at, 'head'), 'utf8').replace('\n3\n', '\n4\n')]) {
      const copied = copy(at, 'log');
      writeFileSync(join(copied, 'head'), wrong);
      expect(await codeOfOpening(copied)).toBe('log_broken');
    }
  });

  test('a head in the folder through a symbolic link', async () => {
    const at = place();
    mkdirSync(join(at, 'log'));
    symlinkSync(join(at, 'log'), join(at, 'link'));
    const linked = logFolder(join(at, 'log'), { head: join(at, 'link/head') });
    await rejection(openLog(linked, { signer, create: true, entries: 'bytes' }), RangeError);
  });

  test('a log of bytes is not continued as log-v1', async () => {
    const at = await filled(3);
    expect(await codeOfOpening(at, { entries: 'log-v1' })).toBe('log_broken');
  });

  test('no message has an entry or a key', async () => {
    const at = await filled(3);
    const message = String(
      await rejection(open(at, { signer: noteSigner(newNoteKey('log.example/2027').privateKey) })),
    );
    expect(message).not.toMatch(/entry 0|PRIVATE/);
  });
});
