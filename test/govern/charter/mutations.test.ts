/**
 * The note of a charter, changed in every place: each byte, each line dropped, doubled and swapped. None is opened as
 * another charter, by the version before or by its own digest.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Charter, openCharter, parseCharter } from '../../../src/govern.ts';
import { newNoteKey, noteSigner, signNote } from '../../../src/log.ts';
import { LINES, nextLines, signedBy, TEXT, textOf } from './small-charter.ts';

const FIRST = parseCharter(TEXT);

/** The example of the page, as the next version, signed with the keys that the page publishes. */
const EXAMPLE = readFileSync(new URL('../../../docs/examples/charter.txt', import.meta.url), 'utf8');
const seeded = (name: string) => {
  const random = () => createHash('sha256').update(`charter-v1 vectors ${name}`).digest();
  return noteSigner(newNoteKey(name, { random }).privateKey);
};

/** A short charter, so that every bit of it can be changed: reading a key takes a millisecond. */
const SHORT_LINES = LINES.filter((line) =>
  /^(trefoil|version|domain|log|officer (eva|fritz)|change)/.test(line),
).flatMap((line) => (line.startsWith('log') ? [line, 'quorum none'] : [line]));
const SHORT = textOf(SHORT_LINES);

const cases = [
  {
    name: 'the example',
    previous: parseCharter(EXAMPLE),
    lines: nextLines(EXAMPLE, EXAMPLE.trimEnd().split('\n')),
    sign: (text: string) => signNote(text, [seeded('eva.example'), seeded('fritz.example')]),
    flips: [0x01],
  },
  {
    name: 'a short charter',
    previous: parseCharter(SHORT),
    lines: nextLines(SHORT, SHORT_LINES),
    sign: (text: string) => signedBy(text, 'eva', 'fritz'),
    flips: [0x01, 0x20, 0x80],
  },
];

/** Whether a changed note is opened, and as what. `null`: it is refused, with an error of ours. */
function openedAs(note: string | Uint8Array, previous: Charter): string | null {
  try {
    return openCharter(note, { previous }).sha256;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined) throw error;
    return null;
  }
}

describe.each(cases)('$name', ({ previous, lines, sign, flips }) => {
  const text = textOf(lines);
  const noteOf = () => sign(text);
  const own = parseCharter(text).sha256;

  it('every byte changed', async () => {
    const note = await noteOf();
    const bytes = new TextEncoder().encode(note);
    expect(openedAs(bytes, previous)).toBe(own);
    for (const flip of flips) {
      for (let i = 0; i < bytes.length; i++) {
        const changed = bytes.slice();
        changed[i]! ^= flip;
        expect(openedAs(changed, previous), `byte ${i}, bits ${flip}`).toBeNull();
      }
    }
  }, 300_000);

  it('every line dropped, doubled, and swapped with the next one', async () => {
    const note = (await noteOf()).slice(0, -1).split('\n');
    const signatures = note.length - 2;
    for (let i = 0; i < note.length; i++) {
      const others = (changed: readonly string[]) => openedAs(textOf(changed), previous);
      expect(others(note.toSpliced(i, 1)), `line ${i + 1} dropped`).toBeNull();
      // Lines of signatures may be repeated and in any order: the charter is its text.
      const isSignature = i >= signatures;
      expect(others(note.toSpliced(i, 0, note[i]!)), `line ${i + 1} doubled`).toBe(isSignature ? own : null);
      if (i + 1 === note.length) continue;
      expect(others(note.toSpliced(i, 2, note[i + 1]!, note[i]!)), `line ${i + 1} swapped`).toBe(
        isSignature ? own : null,
      );
    }
  });

  it('cut and extended', async () => {
    const note = await noteOf();
    for (let end = 0; end < note.length; end++) expect(openedAs(note.slice(0, end), previous)).toBeNull();
    for (const more of ['x', '\n', ' ', '\0', '— x\n', 'change 1:keeper\n']) {
      expect(openedAs(note + more, previous), JSON.stringify(more)).toBeNull();
      expect(openedAs(more + note, previous), JSON.stringify(more)).toBeNull();
    }
  });
});

it('a signature for one text is not one for another', async () => {
  const [text, other] = [textOf(nextLines(TEXT)), textOf(nextLines(TEXT)).replace('values 50 ', 'values 500 ')];
  const note = await signedBy(text, 'eva', 'fritz');
  expect(openedAs(note, FIRST)).not.toBeNull();
  expect(openedAs(note.replace(text, other), FIRST)).toBeNull();
});
