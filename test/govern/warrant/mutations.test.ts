/**
 * A hundred warrants, each signed by exactly those who have to: every byte flipped, every end cut off, every line
 * dropped, doubled, and exchanged with the next. None of it verifies, but for what signed-note allows: signature lines
 * may be exchanged and repeated, and that is the same warrant.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { TrefoilError } from '../../../src/errors.ts';
import type { WarrantRequest } from '../../../src/govern.ts';
import { verifyWarrant } from '../../../src/govern.ts';
import { CHARTER, made, NOW, signed } from './shared.ts';

/** Requests of all kinds, with those who have to sign them. */
const KINDS: readonly (readonly [request: Partial<WarrantRequest>, by: readonly string[]])[] = [
  [{}, ['chris', 'anna']],
  [{ requester: 'dora', desk: 'dora-desk', scopes: ['seal:person.name'], values: 50 }, ['dora', 'anna 2']],
  [{ purpose: 'legal.order', scopes: ['seal:person.name'], seconds: 72 * 3600 }, ['chris', 'anna', 'bela', 'finn']],
  [{ purpose: 'move.keys', scopes: ['rejects:people'], values: null, subjects: null }, ['chris', 'anna', 'dora']],
  [{ purpose: 'safety-of-life', scopes: ['seal:person.name'], seconds: 3600, values: 20 }, ['chris']],
];

interface Whole {
  readonly note: string;
  readonly textLines: number;
  readonly dossier: string;
  readonly logged: string;
}
const wholes: Whole[] = [];

beforeAll(async () => {
  for (let i = 0; i < 100; i++) {
    const [request, by] = KINDS[i % KINDS.length]!;
    const { text, dossier } = made({ case: `TICKET-${i}`, ...request }, `note ${i}`);
    const note = await signed(text, by);
    const { note: logged } = verifyWarrant(note, { charter: CHARTER, dossier, now: NOW });
    wholes.push({ note, textLines: text.trimEnd().split('\n').length, dossier, logged });
  }
});

/** The code of the refusal; `null` if it verifies. */
function verdict(note: string | Uint8Array, dossier: string | Uint8Array): string | null {
  try {
    verifyWarrant(note, { charter: CHARTER, dossier, now: NOW });
    return null;
  } catch (error) {
    if (error instanceof TrefoilError) return error.code;
    throw error;
  }
}

describe('a hundred warrants', () => {
  test('with any byte flipped, none verifies', () => {
    const codes: Record<string, number> = {};
    for (const { note, dossier } of wholes) {
      const bytes = new TextEncoder().encode(note);
      for (const [at, byte] of bytes.entries()) {
        const code = verdict(bytes.with(at, byte ^ (1 << (at % 8))), dossier);
        if (code === null) expect.fail(`byte ${at} of ${note}`);
        codes[code] = (codes[code] ?? 0) + 1;
      }
    }
    // Every step has caught some of them.
    const steps = [
      'warrant_invalid',
      'charter_outdated',
      'not_in_charter',
      'unknown_purpose',
      'warrant_exceeds',
      'dossier_wrong',
      'note_invalid',
      'signature_invalid',
      'warrant_unsigned',
    ];
    for (const code of steps) expect(codes[code] ?? 0, code).toBeGreaterThan(20);
    expect(Object.values(codes).reduce((sum, n) => sum + n, 0)).toBeGreaterThan(60_000);
  }, 300_000);

  test('cut off anywhere, none verifies', () => {
    for (const { note, dossier } of wholes) {
      const bytes = new TextEncoder().encode(note);
      for (let at = 0; at < bytes.length; at++) expect(verdict(bytes.subarray(0, at), dossier)).not.toBe(null);
    }
  }, 300_000);

  test('with a line dropped, doubled, or exchanged with the next, none verifies as another', () => {
    for (const { note, textLines, dossier, logged } of wholes) {
      const lines = note.slice(0, -1).split('\n');
      const join = (changed: readonly string[]) => `${changed.join('\n')}\n`;
      for (const [k, line] of lines.entries()) {
        expect(verdict(join(lines.toSpliced(k, 1)), dossier), `dropped ${line}`).not.toBe(null);
        const doubled = join(lines.toSpliced(k, 0, line));
        const exchanged = k === 0 ? doubled : join(lines.with(k - 1, line).with(k, lines[k - 1]!));
        for (const changed of [doubled, exchanged]) {
          // The first signature line is after the text and the empty line.
          const isSignature = k > textLines && (changed === doubled || k > textLines + 1);
          if (isSignature) {
            expect(verifyWarrant(changed, { charter: CHARTER, dossier, now: NOW }).note).toBe(logged);
          } else expect(verdict(changed, dossier), line).not.toBe(null);
        }
      }
    }
  }, 300_000);

  test('with any byte of the dossier flipped, or its end cut off, none verifies', () => {
    for (const { note, dossier } of wholes.slice(0, 20)) {
      const bytes = new TextEncoder().encode(dossier);
      for (const [at, byte] of bytes.entries()) {
        expect(verdict(note, bytes.with(at, byte ^ (1 << (at % 8))))).toMatch(/^dossier_/);
        expect(verdict(note, bytes.subarray(0, at))).toMatch(/^dossier_/);
      }
    }
  }, 300_000);

  test('with the signatures or the dossier of another, none verifies', () => {
    for (const [i, { note, dossier }] of wholes.entries()) {
      const other = wholes[(i + KINDS.length) % wholes.length]!;
      const text = note.slice(0, note.indexOf('\n\n') + 1);
      const theirs = other.note.slice(other.note.indexOf('\n\n') + 1);
      expect(verdict(text + theirs, dossier)).toBe('signature_invalid');
      expect(verdict(note, other.dossier)).toBe('dossier_wrong');
    }
  });
});
