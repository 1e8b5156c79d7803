/** Reading and opening notes: the examples of C2SP, and one test for each bad input of the design. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TrefoilError } from '../../src/errors.ts';
import {
  cosigner,
  newNoteKey,
  noteSigner,
  openNote,
  parseNote,
  type Signer,
  signNote,
  verifierKey,
} from '../../src/log.ts';
import { timelessCosigner } from '../helpers/timeless.ts';

const SIGNATURE =
  '— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
const EXAMPLE = `This is an example message.\n\n${SIGNATURE}`;
const KEY = verifierKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');

const ANNA = newNoteKey('anna.example');
const BELA = newNoteKey('bela.example');
const anna = verifierKey(ANNA.verifierKey);
const bela = verifierKey(BELA.verifierKey);
const TEXT = 'trefoil charter v1\nversion 4\n';
const NOTE = await signNote(TEXT, [noteSigner(ANNA.privateKey)]);
const [, LINE = ''] = NOTE.split('\n\n');

/** The first issue of the error, without its message. */
function refused(run: () => unknown): { code: string; line: number | undefined } {
  try {
    run();
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    expect(error.message).not.toMatch(/charter|anna|bela|foo/);
    return { code: error.code, line: error.issues[0]?.line };
  }
  return expect.fail('was accepted');
}
const invalidAt = (note: string | Uint8Array, line?: number) => {
  expect(refused(() => parseNote(note))).toEqual({ code: 'note_invalid', line });
  expect(refused(() => openNote(note, [anna]))).toEqual({ code: 'note_invalid', line });
};
const line = (name: string, bytes: Uint8Array) => `— ${name} ${Buffer.from(bytes).toString('base64')}\n`;
/** A signature by a key that nobody knows. */
const stranger = (i: number, length = 64) => line(`s${i}.example`, new Uint8Array(4 + length).fill(i + 1));

describe('the example of C2SP signed-note', () => {
  it('is read and verified, as text and as bytes', () => {
    for (const note of [EXAMPLE, new TextEncoder().encode(EXAMPLE)]) {
      expect(openNote(note, [KEY])).toEqual({
        text: 'This is an example message.\n',
        signatures: [{ verifier: KEY, time: null }],
        unknown: 0,
      });
      const { signatures } = parseNote(note);
      expect(signatures.map(({ name, keyHash, signature }) => [name, keyHash, signature.length])).toEqual([
        ['example.com/foo', '530d903a', 64],
      ]);
      expect(`${signatures[0]!.line}\n`).toBe(SIGNATURE);
    }
  });

  it('with empty lines in its text ends at the last one', () => {
    const text = 'a\n\n\nb:\n\n';
    expect(parseNote(`${text}\n${SIGNATURE}`).text).toBe(text);
  });
});

describe('bad input', () => {
  it('no final newline', () => invalidAt(NOTE.slice(0, -1), 4));
  it('CRLF', () => invalidAt(NOTE.replaceAll('\n', '\r\n'), 1));
  it('a carriage return in line 2 alone', () => invalidAt(NOTE.replace('4\n', '4\r\n'), 2));
  it('NUL', () => invalidAt(NOTE.replace('version', 'ver\0sion'), 2));
  it('every control character other than the line feed, and no other character', () => {
    for (let code = 0; code < 0x100; code++) {
      if (code === 0x0a) continue;
      const note = NOTE.replace('version', `ver${String.fromCharCode(code)}sion`);
      if (code < 0x20) invalidAt(note, 2);
      else expect(parseNote(note).signatures.length).toBe(1);
    }
  });
  it('65 KiB', () => {
    const long = (bytes: number) => `${'x'.repeat(bytes - 1)}\n\n${LINE}`;
    expect(parseNote(long(65_536)).text.length).toBe(65_536);
    invalidAt(long(65_537));
    // Bytes count, and not characters.
    invalidAt(`${'é'.repeat(32_768)}\n\n${LINE}`);
  });
  it('a note of 512 KiB, of which most are signatures', () => {
    const many = (bytes: number) => Array.from({ length: 100 }, (_, i) => stranger(i, bytes)).join('');
    expect(parseNote(`a\n\n${many(3750)}`).signatures.length).toBe(100);
    invalidAt(`a\n\n${many(4000)}`);
    invalidAt(new Uint8Array(10_000_000));
  });
  it('17 signatures are accepted, 100 as well, and more than 100 are refused', () => {
    const strangers = (count: number) => Array.from({ length: count }, (_, i) => stranger(i)).join('');
    for (const count of [16, 17, 100]) {
      const note = `${NOTE}${strangers(count - 1)}`;
      expect(openNote(note, [anna])).toMatchObject({ text: TEXT, unknown: count - 1 });
    }
    invalidAt(`${NOTE}${strangers(100)}`, 104);
  });
  it('base64 with spaces, without padding, in the alphabet for URLs, or with bits after its end', () => {
    const encoded = LINE.slice(LINE.lastIndexOf(' ') + 1, -1);
    const last = encoded.at(-2)!;
    // 68 bytes need 91 symbols and one "=". The last symbol has two bits after the last byte.
    const loose = String.fromCharCode(last.charCodeAt(0) + (last === 'Z' || last === 'z' || last === '9' ? -1 : 1));
    for (const other of [
      `${encoded.slice(0, 10)} ${encoded.slice(10)}`,
      `${encoded} `,
      encoded.slice(0, -1),
      `${encoded}=`,
      `-_${encoded.slice(2)}`,
      `${encoded.slice(0, -2)}${loose}=`,
      '',
    ]) {
      invalidAt(NOTE.replace(encoded, other), 4);
    }
  });
  it('duplicated key line: it counts once', () => {
    expect(openNote(`${NOTE}${LINE}`, [anna]).signatures).toEqual([{ verifier: anna, time: null }]);
  });
  it('a second line by a known key that does not verify refuses the note, wherever it is', () => {
    const broken = line('anna.example', Buffer.concat([Buffer.from(anna.keyHash, 'hex'), new Uint8Array(64)]));
    for (const [lines, at] of [
      [`${LINE}${broken}`, 5],
      [`${broken}${LINE}`, 4],
    ] as const) {
      expect(refused(() => openNote(`${TEXT}\n${lines}`, [anna]))).toEqual({ code: 'signature_invalid', line: at });
    }
  });
  it('name with + or space, or none', () => {
    for (const name of ['a+b', 'a b', '', 'a\u00a0b', 'a\u3000', '\u2028', 'a\u0085b']) {
      invalidAt(`${NOTE}${line(name, new Uint8Array(68))}`, 5);
    }
    // U+200B and U+FEFF are no white space in Unicode.
    for (const name of ['a\u200bb', '\ufeffa', 'ä']) {
      expect(parseNote(`${NOTE}${line(name, new Uint8Array(68))}`).signatures[1]!.name).toBe(name);
    }
  });
  it('signature of 63 bytes, or of 65', () => {
    const bytes = Buffer.from(LINE.slice(LINE.lastIndexOf(' ') + 1), 'base64');
    for (const signature of [bytes.subarray(0, 67), Buffer.concat([bytes, Buffer.of(0)])]) {
      const note = `${TEXT}\n${line('anna.example', signature)}`;
      expect(refused(() => openNote(note, [anna]))).toEqual({ code: 'signature_invalid', line: 4 });
    }
  });
  it('a signature that is a key hash and nothing else, or less', () => {
    for (const length of [1, 3, 4]) invalidAt(`${NOTE}${line('x', new Uint8Array(length))}`, 5);
    expect(parseNote(`${NOTE}${line('x', new Uint8Array(5))}`).signatures.length).toBe(2);
  });
  it('a line among the signatures that is not one', () => {
    for (const other of [
      '- anna.example AAAAAAAA\n',
      ' — anna.example AAAAAAAA\n',
      '—anna.example AAAAAAAA\n',
      'x\n',
    ]) {
      invalidAt(`${NOTE}${other}`, 5);
    }
  });
  it('no signature, no empty line, nothing', () => {
    invalidAt(`${TEXT}\n`, 4);
    invalidAt(`${TEXT}${LINE}`);
    invalidAt('', 1);
    invalidAt('\n');
    invalidAt('\n\n', 3);
  });
  it('bytes that are not UTF-8, and a text with half of a surrogate pair', () => {
    invalidAt(Buffer.from(NOTE.replace('version', 'ver\u00ffsion'), 'latin1'));
    invalidAt(NOTE.replace('version', 'ver\ud800sion'));
  });
  it('a byte order mark is part of the text, and not removed', () => {
    const bytes = new TextEncoder().encode(`\ufeff${NOTE}`);
    expect(parseNote(bytes).text).toBe(`\ufeff${TEXT}`);
    expect(refused(() => openNote(bytes, [anna])).code).toBe('signature_invalid');
  });
});

describe('keys of a note', () => {
  it('known key, broken signature: the whole note is refused, and the others do not suffice', async () => {
    const note = await signNote(TEXT, [noteSigner(ANNA.privateKey), noteSigner(BELA.privateKey)]);
    expect(openNote(note, [anna, bela]).signatures.length).toBe(2);
    const last = note.trimEnd().lastIndexOf(' ') + 20;
    const broken = `${note.slice(0, last)}${note[last] === 'A' ? 'B' : 'A'}${note.slice(last + 1)}`;
    expect(refused(() => openNote(broken, [anna, bela]))).toEqual({ code: 'signature_invalid', line: 5 });
    // For a reader who does not know Bela, that line says nothing.
    expect(openNote(broken, [anna])).toMatchObject({ unknown: 1 });
  });

  it('a note without a signature by a known key is not opened', () => {
    expect(refused(() => openNote(NOTE, [bela])).code).toBe('note_unsigned');
  });

  it('a name without its key hash, and a key hash without its name, are unknown', () => {
    const bytes = Buffer.from(LINE.slice(LINE.lastIndexOf(' ') + 1), 'base64');
    const renamed = `${TEXT}\n${line('other.example', bytes)}`;
    expect(refused(() => openNote(renamed, [anna])).code).toBe('note_unsigned');
    bytes[0]! ^= 1;
    const rehashed = `${TEXT}\n${line('anna.example', bytes)}`;
    expect(refused(() => openNote(rehashed, [anna])).code).toBe('note_unsigned');
  });

  it('types that nobody here knows (ML-DSA, ECDSA, SSH) are unknown signatures', () => {
    const mlDsa = stranger(0, 8 + 2420);
    expect(openNote(`${NOTE}${mlDsa}${stranger(1, 72)}`, [anna]).unknown).toBe(2);
  });

  it('one key may be listed twice, and a list that is none is a mistake of the caller', () => {
    expect(openNote(NOTE, [anna, anna]).signatures.length).toBe(1);
    expect(() => openNote(NOTE, [])).toThrow(RangeError);
    expect(() => openNote(NOTE, [{ ...anna }])).toThrow(TypeError);
    expect(() => openNote(NOTE, ANNA.verifierKey as never)).toThrow(TypeError);
  });

  it('signatures are in the order of the keys, whatever the order of the lines', async () => {
    const note = await signNote(TEXT, [noteSigner(BELA.privateKey), noteSigner(ANNA.privateKey)]);
    const names = openNote(note, [anna, bela]).signatures.map(({ verifier }) => verifier.name);
    expect(names).toEqual(['anna.example', 'bela.example']);
  });

  it('of several cosignatures by one key, the latest time counts, whatever the order of the lines', async () => {
    const made = newNoteKey('w.example', { algorithm: 'cosignature/v1' });
    const witness = verifierKey(made.verifierKey);
    const checkpoint = 'log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n';
    const by = async (signer: Signer) => (await signNote(checkpoint, [signer])).split('\n\n')[1]!;
    const early = await by(timelessCosigner(made.privateKey));
    const late = await by(cosigner(made.privateKey, { now: () => 1_700_000_000_999 }));
    for (const lines of [early + late, late + early]) {
      expect(openNote(`${checkpoint}\n${lines}`, [witness]).signatures).toEqual([
        { verifier: witness, time: 1_700_000_000 },
      ]);
    }
    expect(openNote(`${checkpoint}\n${early}`, [witness]).signatures[0]!.time).toBe(0);
  });
});

describe('properties', () => {
  /** Texts that may be signed. */
  const texts = fc
    .string({
      unit: fc.oneof(
        fc.constantFrom('\n', '—', ' ', '\u200b', '\ufeff', '\x7f'),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      ),
    })
    .map((text) => `${text.replace(/[\x00-\x09\x0b-\x1f]/g, '')}\n`)
    .filter((text) => text.isWellFormed());

  it('every text that is signed is opened again, letter for letter', async () => {
    const signer = noteSigner(ANNA.privateKey);
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const note = await signNote(text, [signer]);
        expect(openNote(note, [anna]).text).toBe(text);
        expect(openNote(new TextEncoder().encode(note), [anna]).text).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it('what is read is written again from its parts', () => {
    const names = fc.string({ minLength: 1, maxLength: 20 }).filter((name) => !/[\s+\x00-\x20\x85]/.test(name));
    const lines = fc.array(fc.tuple(names, fc.uint8Array({ minLength: 5, maxLength: 80 })), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(texts, lines, (text, parts) => {
        const note = `${text}\n${parts.map(([name, bytes]) => line(name, bytes)).join('')}`;
        const parsed = parseNote(note);
        expect(parsed.text).toBe(text);
        expect(parsed.signatures.map(({ name, keyHash, signature }) => [name, keyHash, [...signature]])).toEqual(
          parts.map(([name, bytes]) => [
            name,
            Buffer.from(bytes.subarray(0, 4)).toString('hex'),
            [...bytes.subarray(4)],
          ]),
        );
        expect(`${parsed.text}\n${parsed.signatures.map((one) => `${one.line}\n`).join('')}`).toBe(note);
      }),
      { numRuns: 300 },
    );
  });

  it('a text of any characters is read or is note_invalid', () => {
    const pieces = fc.constantFrom('\n', '\n\n', '— ', 'a ', 'AAAAAAAA', '=', ' ', LINE, TEXT, '\r', '\ud800', '+');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        try {
          parseNote(parts.join(''));
        } catch (error) {
          if (!(error instanceof TrefoilError) || error.code !== 'note_invalid') throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
