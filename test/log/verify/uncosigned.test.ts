/** Entries that no quorum has cosigned yet: for how long, and what a witness that is down changes. */
import { describe, expect, it } from 'vitest';
import { isLate, isOverdue, openLooks } from '../../../src/log/verify/uncosigned.ts';
import {
  type LogPolicy,
  parseSeen,
  type Seen,
  signNote,
  type Verification,
  type VerifyOptions,
  verifyLog,
} from '../../../src/log.ts';
import { entries } from '../tree/shared.ts';
import { logSigner, memoryLog, policyOf, sourceOf, witnessSigner } from './memory-log.ts';

const START = 1_700_000_000;
const BOTH = policyOf('both', 'group both all one two\n');

/** The checkpoint of the first entries with the cosignatures of witnesses. */
async function note(size: number, cosignatures: Readonly<Record<number, number>>): Promise<string> {
  const log = memoryLog();
  log.append(entries(size));
  const signers = Object.entries(cosignatures).map(([index, time]) => witnessSigner(Number(index), time));
  return signNote(log.text(), [logSigner, ...signers]);
}

interface Look {
  readonly size: number;
  /** Seconds after the start. */
  readonly at: number;
  /** What each witness serves: a checkpoint, or nothing because it is down. */
  readonly one: string | null;
  readonly two: string | null;
}

/** Looks at a log of some size. The record of the last look goes through its text. */
async function look(
  { size, at, ...witnesses }: Look,
  seen: Seen | null,
  more: Partial<VerifyOptions> = {},
): Promise<Verification> {
  const log = memoryLog();
  log.append(entries(size));
  await log.publish();
  return verifyLog(sourceOf(log.files), {
    policy: BOTH,
    entries: 'bytes',
    patience: 0,
    now: () => (START + at) * 1000,
    ask: async ({ name }) => {
      const answer = name === 'three' ? null : witnesses[name as 'one' | 'two'];
      if (answer === null) throw new Error('down');
      return answer;
    },
    ...(seen === null ? {} : { seen: parseSeen(JSON.stringify(seen)) }),
    ...more,
  });
}

describe('a witness that is down', () => {
  it('counts with what it had cosigned at the last look, although the log shows none of it now', async () => {
    const both = await note(330, { 0: START - 150, 1: START - 120 });
    const first = await look({ size: 330, at: 0, one: both, two: both }, null);
    expect(first).toMatchObject({ ok: true, witnessed: 330, late: false });
    expect(first.seen!.cosigned).toEqual(
      BOTH.witnesses.slice(0, 2).map(({ verifier }, i) => ({
        key: verifier.text,
        size: 330,
        time: START - [150, 120][i]!,
      })),
    );
    expect(first.seen!.open).toEqual([]);
    // Two entries more, which only one witness has cosigned.
    const one = await note(332, { 0: START + 50 });
    const second = await look({ size: 332, at: 60, one, two: null }, first.seen);
    expect(second.findings).toEqual([]);
    expect(second).toMatchObject({ witnessed: 330, witnessedAt: START - 120, late: false });
    expect(second.silent).toEqual(['two', 'three']);
    expect(second.cosigned.map(({ name, size }) => [name, size])).toEqual([
      ['one', 332],
      ['two', 330],
    ]);
    expect(second.seen!.open).toEqual([{ size: 332, time: START + 60 }]);
    // The next looks within 20 minutes of the last cosignature of the quorum say the same.
    const third = await look({ size: 332, at: 1080, one, two: null }, second.seen);
    expect(third).toMatchObject({ ok: true, late: false });
    // Then it is late; and after 30 minutes since the look that saw them, unwitnessed.
    const late = await look({ size: 333, at: 1081, one, two: null }, third.seen);
    expect(late).toMatchObject({ ok: true, late: true, seen: { open: [{ size: 332 }, { size: 333 }] } });
    expect(await look({ size: 333, at: 60 + 1800, one, two: null }, late.seen)).toMatchObject({ ok: true, late: true });
    const overdue = await look({ size: 334, at: 60 + 1801, one, two: null }, late.seen);
    expect(overdue).toMatchObject({ ok: false, findings: [{ word: 'unwitnessed', range: [330, 334] }] });
    expect(overdue.findings[0]!.entry).toBeUndefined();
    // When it is back, everything is good again.
    const back = await note(334, { 0: START + 1900, 1: START + 1900 });
    const good = await look({ size: 334, at: 1901, one: back, two: back }, late.seen);
    expect(good).toMatchObject({ ok: true, witnessed: 334, seen: { open: [] } });
  });

  it('does not count if the policy has another key, the log is another one, or its time is not possible', async () => {
    const both = await note(330, { 0: START, 1: START });
    const { seen } = await look({ size: 330, at: 0, one: both, two: both }, null);
    const one = await note(332, { 0: START });
    const down = { size: 332, at: 10, one, two: null };
    expect((await look(down, seen)).ok).toBe(true);
    const words = async (changed: Seen, more: Partial<VerifyOptions> = {}) =>
      (await look(down, changed, more)).findings.map(({ word }) => word);
    const swapped = seen!.cosigned.map((item) => ({ ...item, key: seen!.cosigned[0]!.key }));
    expect(await words({ ...seen!, cosigned: swapped })).toEqual(['unwitnessed']);
    const future = seen!.cosigned.map((item) => ({ ...item, time: START + 700 }));
    expect(await words({ ...seen!, cosigned: future })).toEqual(['unwitnessed']);
    const third: LogPolicy = policyOf('both', 'group both all one three\n');
    expect(await words(seen!, { policy: third })).toEqual(['unwitnessed']);
    // A fork is not vouched for by cosignatures of the other branch.
    const fork = memoryLog();
    fork.append(entries(332).map((bytes, i) => (i === 3 ? Uint8Array.of(1) : bytes)));
    await fork.publish();
    const found = await verifyLog(sourceOf(fork.files), {
      policy: BOTH,
      entries: 'bytes',
      ask: null,
      seen: seen!,
      now: () => START * 1000,
    });
    expect(found.findings.map(({ word }) => word)).toEqual(['forked', 'unwitnessed']);
    expect(found.cosigned).toEqual([]);
  });

  it('a log that shows its witnesses a smaller tree again and again is found', async () => {
    let seen: Seen | null = null;
    const words: string[] = [];
    for (let at = 0; at <= 2400; at += 300) {
      const fresh = await note(400, { 0: START + at, 1: START + at });
      const found = await look({ size: 450, at, one: fresh, two: fresh }, seen);
      expect(found.late).toBe(false);
      words.push(found.findings.map(({ word }) => word).join());
      seen = found.seen ?? seen;
    }
    expect(words).toEqual(['', '', '', '', '', '', '', 'unwitnessed', 'unwitnessed']);
  });

  it('no cosignatures of a quorum at all: unwitnessed at once', async () => {
    const one = await note(332, { 0: START });
    const found = await look({ size: 332, at: 0, one, two: null }, null);
    expect(found).toMatchObject({ ok: false, late: true, findings: [{ word: 'unwitnessed', range: [0, 332] }] });
    expect(await look({ size: 0, at: 0, one: null, two: null }, null)).toMatchObject({ ok: true, late: false });
  });

  it('if times are not accepted, the hint is to check the clock', async () => {
    const both = await note(330, { 0: START + 700, 1: START + 700 });
    const found = await look({ size: 330, at: 0, one: both, two: both }, null);
    expect(found.findings).toMatchObject([
      { word: 'unwitnessed', hint: expect.stringMatching(/clock of this machine/) },
    ]);
    const down = await look({ size: 330, at: 0, one: null, two: null }, null);
    expect(down.findings[0]!.hint).not.toMatch(/clock/);
  });
});

describe('what is remembered of looks', () => {
  const none = { witnessed: 0, witnessedAt: null };
  const at = (seconds: number) => seconds * 1000;

  it('one for each minute, in order, and only those of entries that are still open', () => {
    let looks = openLooks([], none, 10, at(1000));
    looks = openLooks(looks, none, 11, at(1059));
    expect(looks).toEqual([{ size: 11, time: 1000 }]);
    looks = openLooks(looks, none, 12, at(1060));
    looks = openLooks(looks, none, 12, at(2000));
    expect(looks).toEqual([
      { size: 11, time: 1000 },
      { size: 12, time: 1060 },
    ]);
    expect(openLooks(looks, { witnessed: 11, witnessedAt: 1 }, 12, at(2000))).toEqual([{ size: 12, time: 1060 }]);
    expect(openLooks(looks, { witnessed: 12, witnessedAt: 1 }, 12, at(2000))).toEqual([]);
    for (let i = 0; i < 1000; i++) looks = openLooks(looks, none, 20 + i, at(3000 + 60 * i));
    expect(looks).toHaveLength(64);
    expect(looks.at(-1)!.size).toBe(1019);
  });

  it('a look from the future was one of now, so a clock that is set back delays nothing', () => {
    const looks = openLooks([{ size: 5, time: 9_000_000 }], none, 5, at(1000));
    expect(looks).toEqual([{ size: 5, time: 1000 }]);
    expect(isOverdue(looks, 0, at(2801))).toBe(true);
  });

  it('the limits: 20 and 30 minutes, and a clock that is not a number', () => {
    const looks = [{ size: 5, time: 1000 }];
    expect([2800, 2801, Number.NaN].map((time) => isOverdue(looks, 4, at(time)))).toEqual([false, true, true]);
    expect(isOverdue(looks, 5, at(9999))).toBe(false);
    const known = { witnessed: 4, witnessedAt: 1000 };
    expect([2200, 2201, Number.NaN].map((time) => isLate(known, 5, at(time)))).toEqual([false, true, true]);
    expect(isLate(known, 4, at(9999))).toBe(false);
  });
});
