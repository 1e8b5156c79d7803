/** What two checkpoints prove is reported, whatever else of the log cannot be read. */

import { describe, expect, it } from 'vitest';
import { TrefoilError } from '../../../src/errors.ts';
import { type LogSource, type Seen, signNote, type VerifyOptions, verifyLog } from '../../../src/log.ts';
import { entries, entry } from '../tree/shared.ts';
import { type Files, logSigner, type MemoryLog, memoryLog, policyOf, sourceOf, witnessSigner } from './memory-log.ts';

const NONE = policyOf('none');
const DOWN = new TrefoilError([{ code: 'log_unavailable', message: 'the server answers with the HTTP status 500' }]);

const verify = (source: LogSource, more: Partial<VerifyOptions> = {}) =>
  verifyLog(source, { policy: NONE, entries: 'bytes', ask: null, patience: 0, ...more });

/** A log of so many entries, of which those from some number on are others. */
async function logOf(size: number, fork = size): Promise<MemoryLog> {
  const log = memoryLog();
  log.append([...entries(fork), ...Array.from({ length: size - fork }, (_, i) => entry(90_000 + fork + i))]);
  await log.publish();
  return log;
}

async function seenAt(size: number): Promise<Seen> {
  return (await verify(sourceOf((await logOf(size)).files))).seen!;
}

/** The source fails for each path that is named, from some reading of it on. */
function failing(files: Files, paths: RegExp, from = 0, error: unknown = DOWN): LogSource {
  const source = sourceOf(files);
  let reads = 0;
  return {
    async read(path, limit) {
      if (paths.test(path) && reads++ >= from) throw error;
      return source.read(path, limit);
    },
  };
}

/** The witness `one` has cosigned a tree; the others do not answer. */
async function asking(log: MemoryLog): Promise<Pick<VerifyOptions, 'ask'>> {
  const note = await signNote(log.text(), [logSigner, witnessSigner(0)]);
  return { ask: async ({ name }) => (name === 'one' ? note : null) };
}

const UNREAD = { code: 'log_unavailable', message: 'the server answers with the HTTP status 500' };

describe('a fork of the same size as the last look', () => {
  it('is proven if no tile can be read', async () => {
    const { files } = await logOf(260, 257);
    const seen = await seenAt(260);
    const found = await verify(failing(files, /^tile/), { seen });
    expect(found).toMatchObject({ ok: false, seen: null, unread: UNREAD, size: 260 });
    expect(found.findings).toMatchObject([{ word: 'forked', code: 'log_forked', range: [0, 260] }]);
    expect(found.findings[0]!.evidence).toEqual([seen.checkpoint, found.checkpoint]);
  });

  it.each([
    ['a tile is missing', /^tile\/0\/001/],
    ['a tile of the top is missing', /^tile\/1/],
    ['all tiles and bundles are missing', /^tile/],
  ])('is the first finding if %s', async (_, gone) => {
    const { files } = await logOf(260, 257);
    for (const path of [...files.keys()]) if (gone.test(path)) files.delete(path);
    const found = await verify(sourceOf(files), { seen: await seenAt(260) });
    expect(found.unread).toBeNull();
    expect(found.findings[0]).toMatchObject({ word: 'forked', code: 'log_forked' });
    expect(found.findings[0]!.evidence).toHaveLength(2);
    expect(found.findings.slice(1)).toMatchObject([{ code: 'log_broken' }]);
  });

  it('names the entries more exactly if the tiles can be read, and is there once', async () => {
    const found = await verify(sourceOf((await logOf(260, 257)).files), { seen: await seenAt(260) });
    expect(found.findings).toMatchObject([{ word: 'forked', range: [256, 260] }]);
    expect(found.unread).toBeNull();
  });
});

describe('a log that was rolled back', () => {
  it('is proven by a witness if no tile can be read', async () => {
    const { files } = await logOf(260);
    const more = { policy: policyOf('one'), ...(await asking(await logOf(300))) };
    const found = await verify(failing(files, /^tile/), more);
    expect(found).toMatchObject({ ok: false, unread: UNREAD });
    // Who has cosigned is not known, so nothing is said of it.
    expect(found.findings).toMatchObject([{ word: 'rolled back', witness: 'one' }]);
    expect(found.findings[0]!.evidence).toHaveLength(2);
  });

  it('is proven by the last look if the comparison with a witness cannot be read', async () => {
    const { files } = await logOf(260);
    const more = { policy: policyOf('one'), seen: await seenAt(300), ...(await asking(await logOf(100))) };
    const found = await verify(failing(files, /^tile/), more);
    expect(found.unread).toEqual(UNREAD);
    expect(found.findings).toMatchObject([{ word: 'rolled back', code: 'log_rolled_back' }]);
  });
});

describe('a fork that the files have proven', () => {
  it('is reported if the copies of --keep cannot be read', async () => {
    const { files } = await logOf(700, 300);
    const kept = failing(files, /./);
    const found = await verify(sourceOf(files), { seen: await seenAt(600), kept });
    expect(found.unread).toEqual(UNREAD);
    expect(found.findings).toMatchObject([{ word: 'forked', range: [0, 512] }]);
  });
});

describe('a checkpoint that cannot be read again', () => {
  const policy = policyOf('one');

  it('proves nothing by a larger one of a witness, which the log may be about to publish', async () => {
    const { files } = await logOf(260);
    const source = failing(files, /^checkpoint/, 1);
    await expect(verify(source, { policy, ...(await asking(await logOf(300))) })).rejects.toBe(DOWN);
  });

  it('proves a fork by the last look and the first reading', async () => {
    const { files } = await logOf(260, 257);
    const source = failing(files, /^checkpoint/, 1);
    const found = await verify(source, { policy, seen: await seenAt(260), ...(await asking(await logOf(300))) });
    expect(found.unread).toEqual(UNREAD);
    expect(found.findings).toMatchObject([{ word: 'forked' }]);
  });

  it('proves a fork by two readings of one size', async () => {
    const [first, second] = [await logOf(260), await logOf(260, 257)];
    let reads = 0;
    const source = sourceOf(first.files);
    const changing: LogSource = {
      read: async (path, limit) => {
        if (path === 'checkpoint' && reads++ > 0) return second.files.get(path)!;
        return source.read(path, limit);
      },
    };
    const found = await verify(changing, { policy, ...(await asking(await logOf(300))) });
    expect(found.findings.map(({ word }) => word)).toEqual(['forked', 'rolled back']);
    expect(found.findings[0]!.evidence).toHaveLength(2);
  });

  it('is a finding beside what the first reading proves, if it was deleted', async () => {
    const { files } = await logOf(260, 257);
    const seen = await seenAt(260);
    let reads = 0;
    const source = sourceOf(files);
    const gone: LogSource = {
      read: async (path, limit) => (path === 'checkpoint' && reads++ > 0 ? null : source.read(path, limit)),
    };
    const found = await verify(gone, { policy, seen, ...(await asking(await logOf(300))) });
    expect(found.findings.map(({ word }) => word)).toEqual(['deleted', 'forked', 'rolled back']);
  });
});

describe('a log of which nothing is proven', () => {
  it('throws what its source throws', async () => {
    const { files } = await logOf(260);
    await expect(verify(failing(files, /^tile/), { seen: await seenAt(200) })).rejects.toBe(DOWN);
    const own = new RangeError('an error of the caller');
    await expect(verify(failing(files, /^tile/, 0, own))).rejects.toBe(own);
  });

  it('lets the error of a visitor pass, also after a proof', async () => {
    const { files } = await logOf(260);
    const own = new RangeError('an error of the caller');
    const more = { policy: policyOf('one'), ...(await asking(await logOf(300))) };
    const thrown = verify(sourceOf(files), {
      ...more,
      entry: () => {
        throw own;
      },
    });
    await expect(thrown).rejects.toBe(own);
  });

  it('repeats nothing of an error of another library', async () => {
    const { files } = await logOf(260, 257);
    const found = await verify(failing(files, /^tile/, 0, new Error('secret')), { seen: await seenAt(260) });
    expect(found.unread?.message).not.toContain('secret');
  });
});

it('a log that was empty at the last look and is not cosigned now is unwitnessed', async () => {
  const { files } = await logOf(5);
  const found = await verify(sourceOf(files), { policy: policyOf('one'), seen: await seenAt(0) });
  expect(found).toMatchObject({ ok: false, seen: null, findings: [{ word: 'unwitnessed' }] });
});
