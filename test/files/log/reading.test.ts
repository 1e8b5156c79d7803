/** Reading a log from a folder that somebody else has made: only regular files, and never more than their limit. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSmall } from '../../../src/files/log/source.ts';
import { verifyLog } from '../../../src/log.ts';
import { readLogFolder } from '../../../src/node.ts';
import { policyOf } from '../../log/verify/memory-log.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trefoil-reading-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const checkpoint = (): string => join(folder, 'checkpoint');

const kinds: readonly (readonly [string, () => void])[] = [
  ['a pipe', () => execFileSync('mkfifo', [checkpoint()])],
  ['a device without an end', () => symlinkSync('/dev/zero', checkpoint())],
  ['a folder', () => mkdirSync(checkpoint())],
];

describe.skipIf(process.platform === 'win32')('what is not a regular file is not read', () => {
  it.each(kinds)(
    '%s in the place of the checkpoint',
    async (_, make) => {
      make();
      const source = readLogFolder(folder);
      const error = expect.objectContaining({
        code: 'log_broken',
        message: expect.stringContaining('not a regular file'),
      });
      await expect(source.read('checkpoint', 1000)).rejects.toThrow(error);
      expect(() => readSmall(checkpoint(), 1000)).toThrow(error);
      const found = await verifyLog(source, { policy: policyOf('none'), ask: null });
      expect(found.findings).toEqual([expect.objectContaining({ word: 'unreadable', path: 'checkpoint' })]);
      expect(found.findings[0]!.message).toContain('not a regular file');
    },
    5000,
  );
});

describe.runIf(process.platform !== 'win32')('what the system cannot open because of its form', () => {
  it('is log_broken, as a pipe is', async () => {
    symlinkSync('checkpoint', checkpoint());
    writeFileSync(join(folder, 'tile'), '');
    for (const path of ['checkpoint', 'tile/0/000', 'tile/entries/000.p/3']) {
      const error = expect.objectContaining({ code: 'log_broken' });
      await expect(readLogFolder(folder).read(path, 1000)).rejects.toThrow(error);
    }
  });
});

describe('a regular file', () => {
  it('is read whole up to its limit, also by a symbolic link', async () => {
    writeFileSync(join(folder, 'other'), 'x'.repeat(1000));
    if (process.platform === 'win32') writeFileSync(checkpoint(), 'x'.repeat(1000));
    else symlinkSync('other', checkpoint());
    const source = readLogFolder(folder);
    expect(await source.read('checkpoint', 1000)).toEqual(new Uint8Array(1000).fill(120));
    expect(readSmall(checkpoint(), 1000)).toEqual(new Uint8Array(1000).fill(120));
    const error = expect.objectContaining({ code: 'log_broken' });
    await expect(source.read('checkpoint', 999)).rejects.toThrow(error);
    expect(() => readSmall(checkpoint(), 999)).toThrow(error);
  });

  it('may be empty or missing', async () => {
    expect([await readLogFolder(folder).read('checkpoint', 9), readSmall(checkpoint(), 9)]).toEqual([null, null]);
    writeFileSync(checkpoint(), '');
    expect(await readLogFolder(folder).read('checkpoint', 9)).toEqual(new Uint8Array(0));
    expect(readSmall(checkpoint(), 9)).toEqual(new Uint8Array(0));
  });
});
