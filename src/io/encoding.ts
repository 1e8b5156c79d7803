/**
 * Encodings of characters. An input in another encoding is converted to UTF-8 before it is cut into records, so that
 * everything after it (chunks, workers, limits, rejects, places for resuming) has one encoding to deal with. The output
 * is UTF-8 whatever the input was.
 *
 * A byte that is no character becomes a byte that is not UTF-8, so the record that it is in has an issue, with line and
 * column, and can be rejected like any other.
 *
 * The tables are our own. `TextDecoder` reads byte 0x80 of windows-1252 as U+0080 in Node 20, without an error, and
 * the Encoding standard of the web gives every byte a character, even those that have none.
 */

import { concat } from '../core/bytes.ts';
import { checkOneOf } from '../core/checks.ts';
import { fail } from '../errors.ts';

/** An encoding of characters that an input may have. */
export type Encoding = 'utf-8' | 'windows-1252' | 'iso-8859-15' | 'utf-16' | 'utf-16le' | 'utf-16be';

/**
 * The names of encodings that a caller may set. `iso-8859-1` means `windows-1252`, as on the web
 * (https://encoding.spec.whatwg.org/#names-and-labels): files that are called Latin-1 nearly always come from Windows,
 * and where they do not, the two agree.
 */
export type EncodingName = Encoding | 'iso-8859-1';

/** The names of {@link EncodingName}. */
export const ENCODINGS: readonly EncodingName[] = [
  'utf-8',
  'windows-1252',
  'iso-8859-1',
  'iso-8859-15',
  'utf-16',
  'utf-16le',
  'utf-16be',
];

/** Checks an option `encoding` and returns the encoding that its name means. */
export function checkEncoding(name: unknown = 'utf-8'): Encoding {
  checkOneOf('encoding', name, ENCODINGS);
  return name === 'iso-8859-1' ? 'windows-1252' : (name as Encoding);
}

/** Converts an input to UTF-8, chunk by chunk. */
export interface Transcoder {
  readonly push: (chunk: Uint8Array) => Uint8Array;
  /**
   * Returns what is left.
   *
   * @throws TrefoilError `not_in_encoding` if the input has the wrong encoding as a whole.
   */
  readonly end: () => Uint8Array;
}

/** Makes a transcoder for one input; `null` for UTF-8, which stays as it is. */
export function makeTranscoder(encoding: Encoding): Transcoder | null {
  if (encoding === 'utf-8') return null;
  if (encoding === 'windows-1252' || encoding === 'iso-8859-15') return singleByte(encoding);
  return utf16(encoding);
}

/** The byte order mark of UTF-8. */
const MARK = [0xef, 0xbb, 0xbf];

/**
 * Bytes 0x80 to 0x9f of windows-1252 (https://www.unicode.org/Public/MAPPINGS/VENDORS/MICSFT/WINDOWS/CP1252.TXT). A
 * space is a byte without a character.
 */
const WINDOWS_1252 = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ';

/**
 * The characters of ISO/IEC 8859-15 that are not those of ISO/IEC 8859-1
 * (https://www.unicode.org/Public/MAPPINGS/ISO8859/8859-15.TXT).
 */
const ISO_8859_15: Readonly<Record<number, string>> = {
  164: '€',
  166: 'Š',
  168: 'š',
  180: 'Ž',
  184: 'ž',
  188: 'Œ',
  189: 'œ',
  190: 'Ÿ',
};

/**
 * The character of a byte from 0x80 to 0xff, or `null` if it has none. Bytes 0x80 to 0x9f are no characters of
 * ISO/IEC 8859-15. The web reads them as control characters, but a file that has them is windows-1252.
 */
function characterOf(byte: number, encoding: 'windows-1252' | 'iso-8859-15'): string | null {
  if (byte >= 0xa0) return (encoding === 'iso-8859-15' ? ISO_8859_15[byte] : undefined) ?? String.fromCharCode(byte);
  if (encoding === 'iso-8859-15') return null;
  const character = WINDOWS_1252.charAt(byte - 0x80);
  return character === ' ' ? null : character;
}

function singleByte(encoding: 'windows-1252' | 'iso-8859-15'): Transcoder {
  const encoder = new TextEncoder();
  // The UTF-8 bytes of each byte beyond ASCII. A byte without a character stands for itself: alone it is not UTF-8.
  const table = Array.from({ length: 128 }, (_, i) => {
    const character = characterOf(0x80 + i, encoding);
    return character === null ? Uint8Array.of(0x80 + i) : encoder.encode(character);
  });
  const watch = makeUtf8Watch();
  const refuse = (what: string): never =>
    fail('not_in_encoding', `${what}, so the input is not ${encoding}; leave out the encoding (--encoding)`);
  // Bytes of the byte order mark of UTF-8 that the input begins with.
  let mark = 0;
  let before = 0;
  return {
    push(chunk) {
      for (let i = 0; i < chunk.length && mark === before + i && mark < MARK.length; i++) {
        if (chunk[i] === MARK[mark]) mark++;
      }
      before += chunk.length;
      if (mark === MARK.length) refuse('the first bytes are the byte order mark of UTF-8');
      watch.push(chunk);
      let length = chunk.length;
      for (let i = 0; i < chunk.length; i++) {
        const byte = chunk[i]!;
        if (byte > 0x7f) length += table[byte - 0x80]!.length - 1;
      }
      const out = new Uint8Array(length);
      let at = 0;
      for (let i = 0; i < chunk.length; i++) {
        const byte = chunk[i]!;
        if (byte < 0x80) {
          out[at++] = byte;
          continue;
        }
        const units = table[byte - 0x80]!;
        for (let k = 0; k < units.length; k++) out[at++] = units[k]!;
      }
      return out;
    },
    end() {
      if (watch.isUtf8()) refuse('all characters beyond ASCII are UTF-8');
      return new Uint8Array(0);
    },
  };
}

/**
 * Watches whether all characters of an input beyond ASCII are UTF-8, and there is at least one. Text in another
 * encoding is not: a letter beyond ASCII is nearly always next to an ASCII letter, and UTF-8 has it in two bytes.
 */
function makeUtf8Watch(): { readonly push: (chunk: Uint8Array) => void; readonly isUtf8: () => boolean } {
  let seen = false;
  let decoder: TextDecoder | null = new TextDecoder('utf-8', { fatal: true });
  const watch = (chunk: Uint8Array, stream: boolean): void => {
    try {
      decoder?.decode(chunk, { stream });
    } catch {
      // From here on nothing is watched.
      decoder = null;
    }
  };
  return {
    push(chunk) {
      if (decoder === null) return;
      seen ||= chunk.some((byte) => byte > 0x7f);
      if (seen) watch(chunk, true);
    },
    isUtf8() {
      watch(new Uint8Array(0), false);
      return seen && decoder !== null;
    },
  };
}

/**
 * Whether a text beyond ASCII that was read in an encoding of single bytes is UTF-8: all its bytes are, so the encoding
 * that the caller has set is nearly certainly wrong.
 */
export function isUtf8ReadAs(text: string, encoding: Encoding): boolean {
  if (encoding !== 'windows-1252' && encoding !== 'iso-8859-15') return false;
  const bytes: number[] = [];
  const byteOf = new Map(Array.from({ length: 128 }, (_, i) => [characterOf(0x80 + i, encoding), 0x80 + i]));
  for (const character of text) {
    const byte = character < '\x80' ? character.charCodeAt(0) : byteOf.get(character);
    if (byte === undefined) return false;
    bytes.push(byte);
  }
  const watch = makeUtf8Watch();
  watch.push(Uint8Array.from(bytes));
  return watch.isUtf8();
}

/** A byte that no UTF-8 text has (RFC 3629, section 1). It stands for half of a surrogate pair, or half of a unit. */
const NO_CHARACTER = 0xff;

function utf16(encoding: 'utf-16' | 'utf-16le' | 'utf-16be'): Transcoder {
  const encoder = new TextEncoder();
  let littleEndian: boolean | null = encoding === 'utf-16' ? null : encoding === 'utf-16le';
  let isFirst = true;
  // The bytes of a code unit or a surrogate pair that the last chunk cut in two.
  let held: Uint8Array = new Uint8Array(0);

  /** Reads the byte order mark and returns the bytes after it. */
  const afterMark = (bytes: Uint8Array): Uint8Array => {
    isFirst = false;
    const isLittle = bytes[0] === 0xff && bytes[1] === 0xfe;
    const isBig = bytes[0] === 0xfe && bytes[1] === 0xff;
    if (encoding === 'utf-16' && !isLittle && !isBig) {
      const message = 'no byte order mark at the beginning of UTF-16; set the encoding to utf-16le or utf-16be';
      fail('not_in_encoding', message, { line: 1, column: 1 });
    }
    if (!isLittle && !isBig) return bytes;
    if (littleEndian !== null && littleEndian !== isLittle) {
      const message = `the byte order mark is not that of ${encoding}; set the encoding to utf-16`;
      fail('not_in_encoding', message, { line: 1, column: 1 });
    }
    littleEndian = isLittle;
    return bytes.subarray(2);
  };

  const unitsOf = (bytes: Uint8Array): Uint16Array => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const units = new Uint16Array(bytes.length >> 1);
    for (let i = 0; i < units.length; i++) units[i] = view.getUint16(2 * i, littleEndian!);
    return units;
  };

  return {
    push(chunk) {
      let bytes = held.length === 0 ? chunk : concat([held, chunk]);
      if (isFirst) {
        if (bytes.length < 2) {
          held = bytes.slice();
          return new Uint8Array(0);
        }
        bytes = afterMark(bytes);
      }
      let whole = bytes.length & ~1;
      const last = whole === 0 ? 0 : bytes[littleEndian! ? whole - 1 : whole - 2]!;
      if (last >= 0xd8 && last <= 0xdb) whole -= 2;
      held = bytes.slice(whole);
      return encodeUnits(unitsOf(bytes.subarray(0, whole)), encoder);
    },
    end() {
      if (isFirst && held.length === 0) return held;
      if (isFirst) held = afterMark(held);
      const rest = encodeUnits(unitsOf(held), encoder);
      return held.length % 2 === 0 ? rest : concat([rest, Uint8Array.of(NO_CHARACTER)]);
    },
  };
}

/** Code units that become one text at once; a call has at most about 65,000 arguments. */
const PIECE = 8192;

/** The UTF-8 of code units. Half of a surrogate pair becomes one byte that is not UTF-8. */
function encodeUnits(units: Uint16Array, encoder: TextEncoder): Uint8Array {
  let text = '';
  for (let i = 0; i < units.length; i += PIECE) text += String.fromCharCode(...units.subarray(i, i + PIECE));
  if (text.isWellFormed()) return encoder.encode(text);
  const parts: Uint8Array[] = [];
  let begin = 0;
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i)!;
    if (point > 0xffff) i++;
    else if (point >= 0xd800 && point <= 0xdfff) {
      parts.push(encoder.encode(text.slice(begin, i)), Uint8Array.of(NO_CHARACTER));
      begin = i + 1;
    }
  }
  return concat([...parts, encoder.encode(text.slice(begin))]);
}
