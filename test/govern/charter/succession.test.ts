/** Which charter is the newest: the pinned one, and each that the keepers of two versions have signed. */
import { describe, expect, it } from 'vitest';
import { openCharter, parseCharter } from '../../../src/govern.ts';
import { newNoteKey, noteSigner, signNote, writeEntry } from '../../../src/log.ts';
import { KEYS, LINES, nextLines, refusal, replaced, signedBy, TEXT, textOf } from './small-charter.ts';

const FIRST = parseCharter(TEXT);
const first = await signedBy(TEXT, 'eva', 'fritz');
/** A second key of eva. */
const NEW = newNoteKey('eva.new.example');
const opened = openCharter(first, { sha256: FIRST.sha256 });

/** Keepers of the next version: eva stays, fritz and gerd go, lea and dora become keepers. */
const NEXT = nextLines(TEXT).flatMap((line) => {
  if (line.startsWith('officer fritz') || line.startsWith('officer gerd')) return [];
  if (line.startsWith('officer lea')) return [line.replace(' legal ', ' legal,keeper ')];
  if (line.startsWith('officer dora')) return [line.replace(' requester ', ' requester,keeper ')];
  return [line];
});
const NEXT_TEXT = textOf(NEXT);
const open = (note: string) => openCharter(note, { previous: opened });
const codeOf = (note: string) => refusal(() => open(note))[0];

describe('the first version', () => {
  it('is the one that is pinned', () => {
    expect([opened.text, opened.version]).toEqual([TEXT, 1]);
    expect(openCharter(new TextEncoder().encode(first), { sha256: FIRST.sha256 }).version).toBe(1);
    expect(refusal(() => openCharter(first, { sha256: '0'.repeat(64) }))).toEqual(['charter_invalid']);
  });

  it.each([
    ['nobody', []],
    ['one keeper', ['eva']],
    ['people who are no keepers', ['anna', 'chris', 'lea']],
    ['a keeper and a desk', ['eva', 'chrisDesk']],
  ] as const)('signed by %s', async (_, names) => {
    const note = names.length === 0 ? TEXT : await signedBy(TEXT, ...names);
    expect(refusal(() => openCharter(note, { sha256: FIRST.sha256 }))).toEqual(['charter_unsigned']);
  });

  it('may have signatures that say nothing', async () => {
    const note = await signedBy(TEXT, 'etl', 'eva', 'anna', 'gerd');
    expect(openCharter(note, { sha256: FIRST.sha256 }).sha256).toBe(FIRST.sha256);
  });

  it('a pinned later version is opened without the ones before', async () => {
    const note = await signedBy(NEXT_TEXT, 'eva', 'lea');
    expect(openCharter(note, { sha256: parseCharter(NEXT_TEXT).sha256 }).version).toBe(2);
  });
});

describe('the next version', () => {
  it('is signed by keepers of both versions', async () => {
    expect(open(await signedBy(NEXT_TEXT, 'eva', 'fritz', 'dora')).version).toBe(2);
    expect(open(await signedBy(NEXT_TEXT, 'lea', 'dora', 'fritz', 'gerd')).version).toBe(2);
  });

  it.each([
    ["n's keepers only", ['fritz', 'gerd']],
    ["n's keepers, and one of the new ones", ['eva', 'fritz', 'gerd']],
    ['the keepers of the new version only', ['lea', 'dora']],
    ['the new ones, and one of n', ['eva', 'lea', 'dora']],
    ['one of each, who is both', ['eva']],
    ['others', ['anna', 'bela']],
  ] as const)('signed by %s', async (_, names) => {
    expect(codeOf(await signedBy(NEXT_TEXT, ...names))).toBe('charter_unsigned');
  });

  it('change is applied to the keepers of its own version, with the keys that they had in it', async () => {
    // Eva has another key in version 2. Her old one signs for version 1, and her new one for version 2.
    const changed = textOf(
      nextLines(TEXT).map((line) =>
        line.startsWith('officer eva') ? `officer eva keeper note ${NEW.verifierKey}` : line,
      ),
    );
    const sign = (...keys: string[]) =>
      signNote(
        changed,
        keys.map((key) => noteSigner(key)),
      );
    const { eva, fritz } = KEYS;
    expect(codeOf(await sign(eva.privateKey, fritz.privateKey))).toBe('charter_unsigned');
    expect(codeOf(await sign(NEW.privateKey, fritz.privateKey))).toBe('charter_unsigned');
    expect(open(await sign(eva.privateKey, NEW.privateKey, fritz.privateKey)).version).toBe(2);
  });

  it('two keys of one keeper are one keeper', async () => {
    const two = textOf(
      nextLines(TEXT).map((line) => (line.startsWith('officer eva') ? `${line} note ${NEW.verifierKey}` : line)),
    );
    const note = await signNote(
      two,
      [KEYS.eva.privateKey, NEW.privateKey].map((key) => noteSigner(key)),
    );
    expect(codeOf(note)).toBe('charter_unsigned');
    expect(refusal(() => openCharter(note, { sha256: parseCharter(two).sha256 }))).toEqual(['charter_unsigned']);
  });

  it('a keeper who lost the role signs no more', async () => {
    const note = await signedBy(NEXT_TEXT, 'eva', 'fritz', 'lea');
    const second = open(note);
    const third = textOf(
      NEXT.map((line) =>
        line === 'version 2' ? 'version 3' : line.startsWith('previous') ? `previous sha256:${second.sha256}` : line,
      ),
    );
    const sign = (...names: Parameters<typeof signedBy>[1][]) => signedBy(third, ...names);
    expect(openCharter(await sign('eva', 'lea'), { previous: second }).version).toBe(3);
    expect(refusal(() => openCharter(first, { previous: second }))).toEqual(['charter_outdated', 2]);
    for (const names of [
      ['eva', 'fritz'],
      ['fritz', 'gerd'],
    ] as const) {
      const signed = await sign(...names);
      expect(refusal(() => openCharter(signed, { previous: second }))).toEqual(['charter_unsigned']);
    }
  });

  it.each([
    ['version gap', NEXT.map((line) => (line === 'version 2' ? 'version 3' : line)), ['charter_outdated', 2]],
    ['the same again', LINES, ['charter_outdated', 2]],
    ['previous wrong', replaced('version', 'version 2', `previous sha256:${'0'.repeat(64)}`), ['charter_invalid', 3]],
    [
      'another domain',
      NEXT.map((line) => line.replace('domain eu-enclave', 'domain eu-enclave2')),
      ['charter_invalid', 4],
    ],
  ] as const)('%s', async (_, lines, expected) => {
    const note = await signedBy(textOf(lines), 'eva', 'fritz', 'gerd', 'lea', 'dora');
    expect(refusal(() => open(note))).toEqual(expected);
  });

  it('known key, broken signature: never "the others suffice"', async () => {
    const note = await signedBy(NEXT_TEXT, 'eva', 'fritz', 'lea');
    const other = await signedBy(TEXT, 'gerd', 'dora', 'anna');
    const [, , ...lines] = other.split('\n').slice(LINES.length - 1);
    // A keeper of version 1 alone, a keeper of version 2 alone, and an officer who is a keeper of neither.
    for (const line of lines.filter((line) => line !== '')) {
      expect(line).toMatch(/^— (gerd|dora|anna)\./);
      expect(codeOf(`${note}${line}\n`)).toBe('signature_invalid');
    }
    expect(open(note).version).toBe(2);
  });

  it('has at most 32,768 bytes, so that it fits into an entry of a log', async () => {
    const padded = TEXT.replace('https://log.example/', `https://log.example/${'x'.repeat(32_768 - TEXT.length)}`);
    expect(parseCharter(padded).text).toHaveLength(32_768);
    const note = await signedBy(padded, 'eva', 'fritz');
    expect(refusal(() => openCharter(note, { sha256: parseCharter(padded).sha256 }))).toEqual(['note_invalid']);
    // Quotation marks and backslashes are two bytes each in JSON. A note of the largest size still fits.
    const quoted = TEXT.replace('https://log.example/', `https://log.example/${'"'.repeat(27_500)}`);
    const large = await signedBy(quoted, 'eva', 'fritz');
    expect(openCharter(large, { sha256: parseCharter(quoted).sha256 }).version).toBe(1);
    expect(writeEntry({ kind: 'charter', note: large }, 2 ** 31).length).toBeLessThan(65_535);
  });
});

describe('wrong options', () => {
  it.each([
    [{}],
    [{ sha256: FIRST.sha256, previous: FIRST }],
    [{ sha256: FIRST.sha256.toUpperCase() }],
    [{ sha256: `sha256:${FIRST.sha256}` }],
    [{ previous: { ...FIRST } }],
    [{ previous: TEXT }],
    [{ pin: FIRST.sha256 }],
    [null],
  ])('%#', (options) => {
    expect(() => openCharter(first, options as never)).toThrow(/^"(options|sha256|previous)" /);
  });
});
