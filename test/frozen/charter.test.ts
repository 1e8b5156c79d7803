/**
 * Frozen charters (docs/spec/govern/charter-v1.md). The texts, digests and signatures were computed in Python with
 * hashlib and OpenSSL: test/reference/generators/charter-vectors.py. Go's sumdb/note has verified them:
 * test/reference/generators/charter.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkCharter, openCharter, parseCharter } from '../../src/govern.ts';
import { newNoteKey, noteSigner, signNote } from '../../src/log.ts';

const file = (path: string) => readFileSync(new URL(`../../docs/${path}`, import.meta.url), 'utf8');
const TEXT = file('examples/charter.txt');
const NOTE = file('examples/charter.note');
const DIGEST = '44321e62044cbb6ac2c031d1df5feb2ee74a82f1ac5e37f2b75d1587ede929d2';
const NEXT_DIGEST = '2f4031ab12a97f0b73f42d65bae8e23a7946b727aa1198bb186917c90f29fde3';

const page = file('spec/govern/charter-v1.md');
const rows = new Map(
  [...page.slice(page.indexOf('## Vectors')).matchAll(/^\| (.+?) \| `(.+)` \|$/gm)].map(([, name, value]) => [
    name!.replaceAll('`', ''),
    value!,
  ]),
);
const next = TEXT.replace('version 1\n', `version 2\nprevious sha256:${DIGEST}\n`)
  .replace('values 50 ', 'values 80 ')
  .replace('officer fritz keeper ', 'officer fritz requester ');
const noteOf = (...names: readonly string[]) =>
  `${next}\n${names.map((name) => `${rows.get(`text 2, line of ${name}`)}\n`).join('')}`;

describe('charter-v1', () => {
  it('has the digests of the page', () => {
    expect(rows.size).toBe(9);
    expect(page).toContain(`Text 1:\n\n\`\`\`text\n${TEXT}\`\`\`\n`);
    expect([TEXT.length, next.length].map(String)).toEqual([rows.get('text 1, bytes'), rows.get('text 2, bytes')]);
    expect([rows.get('text 1, SHA-256'), rows.get('text 2, SHA-256')]).toEqual([DIGEST, NEXT_DIGEST]);
    expect([parseCharter(TEXT).sha256, parseCharter(next).sha256]).toEqual([DIGEST, NEXT_DIGEST]);
  });

  it('opens the example, and the version after it', () => {
    expect(NOTE).toBe(`${TEXT}\n${rows.get('text 1, line of eva')}\n${rows.get('text 1, line of gerd')}\n`);
    const previous = openCharter(NOTE, { sha256: DIGEST });
    for (const names of [
      ['eva', 'gerd'],
      ['eva', 'fritz', 'gerd'],
      ['gerd', 'fritz', 'eva'],
    ]) {
      expect(openCharter(noteOf(...names), { previous }).sha256).toBe(NEXT_DIGEST);
    }
    for (const names of [['eva'], ['eva', 'fritz'], ['fritz', 'gerd']]) {
      expect(() => openCharter(noteOf(...names), { previous })).toThrow(
        expect.objectContaining({ code: 'charter_unsigned' }),
      );
    }
  });

  it('signs as the page does', async () => {
    const seed = () => createHash('sha256').update('charter-v1 vectors eva.example').digest();
    const { privateKey } = newNoteKey('eva.example', { random: seed });
    const note = await signNote(TEXT, [noteSigner(privateKey)]);
    expect(note).toBe(`${TEXT}\n${rows.get('text 1, line of eva')}\n`);
  });

  it('finds nothing unwise in the example', () => expect(checkCharter(parseCharter(TEXT))).toEqual([]));
});
