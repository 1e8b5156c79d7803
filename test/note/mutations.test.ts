/**
 * A hundred notes, with every byte flipped, every end cut off, and every line dropped, doubled and exchanged with the
 * next: our verdicts are those of Go's golang.org/x/mod/sumdb/note (with filippo.io/torchwood for cosignatures), which
 * are committed in go-verdicts.jsonl. Two differences are ours by choice, and Go's program marks them.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TrefoilError } from '../../src/errors.ts';
import { openNote, type Verifier, verifierKey } from '../../src/log.ts';

interface Judged {
  readonly note: string;
  readonly keys: readonly string[];
  readonly whole: string;
  readonly flips: string;
  readonly cuts: string;
  readonly drops: string;
  readonly doubles: string;
  readonly swaps: string;
}

const NOTES = readFileSync(new URL('go-verdicts.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Judged);

/** Our verdict on what Go's letters stand for. */
const MEANING: Readonly<Record<string, string>> = {
  a: 'accepted',
  m: 'note_invalid',
  i: 'signature_invalid',
  u: 'note_unsigned',
  // Go looks only at the first line of a key. The specification says that clients verify every one.
  r: 'signature_invalid',
  // Base64 with bits after its last byte, which Go's decoder ignores: one signature would have several texts.
  A: 'note_invalid',
  I: 'note_invalid',
  U: 'note_invalid',
};

function ours(note: string | Uint8Array, verifiers: readonly Verifier[]): string {
  try {
    openNote(note, verifiers);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    return error.code;
  }
}

const counts: Record<string, number> = {};

function compare(letters: string, variants: readonly (string | Uint8Array)[], verifiers: readonly Verifier[]): void {
  expect(letters.length).toBe(variants.length);
  for (const [i, variant] of variants.entries()) {
    const letter = letters[i]!;
    counts[letter] = (counts[letter] ?? 0) + 1;
    if (ours(variant, verifiers) !== MEANING[letter]) {
      expect.fail(`variant ${i}: ours is ${ours(variant, verifiers)}, Go's is ${letter}: ${JSON.stringify(variant)}`);
    }
  }
}

describe('verdicts equal those of Go', () => {
  it('on every byte flipped and every end cut off', () => {
    for (const { note, keys, whole, flips, cuts } of NOTES) {
      const verifiers = keys.map((key) => verifierKey(key));
      const bytes = new TextEncoder().encode(note);
      compare(whole, [note], verifiers);
      compare(
        flips,
        Array.from(bytes, (byte, at) => bytes.with(at, byte ^ (1 << (at % 8)))),
        verifiers,
      );
      compare(
        cuts,
        Array.from(bytes, (_, at) => bytes.subarray(0, at)),
        verifiers,
      );
    }
  });

  it('on every line dropped, doubled, and exchanged with the next', () => {
    for (const { note, keys, drops, doubles, swaps } of NOTES) {
      const verifiers = keys.map((key) => verifierKey(key));
      const lines = note.slice(0, -1).split('\n');
      const join = (changed: readonly string[]) => `${changed.join('\n')}\n`;
      const at = [...lines.keys()];
      compare(
        drops,
        at.map((k) => (lines.length === 1 ? '' : join(lines.toSpliced(k, 1)))),
        verifiers,
      );
      compare(
        doubles,
        at.map((k) => join(lines.toSpliced(k, 0, lines[k]!))),
        verifiers,
      );
      compare(
        swaps,
        at.slice(1).map((k) => join(lines.with(k - 1, lines[k]!).with(k, lines[k - 1]!))),
        verifiers,
      );
    }
  });

  it('with enough cases of each', () => {
    expect(NOTES.length).toBe(100);
    expect(counts.a).toBeGreaterThan(5000);
    expect(counts.m).toBeGreaterThan(10_000);
    expect(counts.i).toBeGreaterThan(10_000);
    expect(counts.u).toBeGreaterThan(300);
    expect(counts.r).toBeGreaterThan(100);
    expect((counts.A ?? 0) + (counts.I ?? 0)).toBeGreaterThan(100);
  });
});

describe('what a signature covers', () => {
  it('no byte of the text can be flipped', () => {
    for (const { note, keys, flips } of NOTES) {
      const known = keys.map((key) => verifierKey(key));
      const { text } = openNote(note, known);
      // Bytes of the text: none can be flipped.
      const length = new TextEncoder().encode(text).length;
      expect(flips.slice(0, length)).not.toMatch(/[aA]/);
    }
  });
});
