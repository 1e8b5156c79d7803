/** The text of a vault's token: 16 random bytes in the labelled form of token-v1. */

import { decodeAscii } from '../../core/ascii.ts';
import { fail } from '../../errors.ts';
import { ALPHABET, readSymbols, symbolValue, writeSymbols } from '../../wire/base32.ts';
import { CHECK_LENGTH, crc20Ascii } from '../../wire/check-characters.ts';
import { BODY_LENGTH, ID_LENGTH, LABEL } from '../../wire/labelled-token.ts';

/** Bytes of a token. */
export const TOKEN = 16;

/** Characters of a token behind its label and `_`, and of the longest label. */
const WHOLE = ID_LENGTH + BODY_LENGTH + CHECK_LENGTH;
const LONGEST = 16 + 1 + WHOLE;

// The characters of a token on their way in or out, read before the next.
const ascii: Uint8Array = /* @__PURE__ */ new Uint8Array(LONGEST + 3);
const view: DataView = /* @__PURE__ */ new DataView(ascii.buffer);
const bytes: Uint8Array = /* @__PURE__ */ new Uint8Array(TOKEN);
const bytesView: DataView = /* @__PURE__ */ new DataView(bytes.buffer);
const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();

/** @param body 16 bytes. */
export function writeToken(label: string | undefined, keyId: string, body: Uint8Array): string {
  let at = 0;
  if (label !== undefined) {
    at = encoder.encodeInto(label, ascii).written;
    ascii[at++] = UNDERSCORE;
  }
  for (let i = 0; i < ID_LENGTH; i++) ascii[at++] = keyId.charCodeAt(i);
  for (let i = 0; i < TOKEN; i++) bytes[i] = body[i]!;
  writeSymbols(bytesView, 0, TOKEN, view, at);
  at += BODY_LENGTH;
  const crc = crc20Ascii(ascii, 0, at);
  for (let shift = 15; shift >= 0; shift -= 5) ascii[at++] = ALPHABET.charCodeAt((crc >>> shift) & 31);
  return decodeAscii(ascii, 0, at);
}

/** The label that was last found to be one: those of a column are the same. */
let good = '';

/**
 * Puts the bytes of a token where they are wanted. It takes what `inspect` takes with a whole body: a regular expression
 * takes three times as long.
 *
 * @throws TrefoilError `malformed_token`.
 */
export function readTokenInto(text: string, out: DataView, at: number): void {
  if (!parse(text, out, at)) {
    fail('malformed_token', 'the token has not the labelled form, or its check characters do not fit');
  }
}

/** The bytes of a token. */
export function readToken(text: string): Uint8Array {
  const body = new Uint8Array(TOKEN);
  readTokenInto(text, new DataView(body.buffer), 0);
  return body;
}

/** The characters of a token that stand for its bytes. */
export function bodyOf(text: string): string {
  return text.slice(-BODY_LENGTH - CHECK_LENGTH, -CHECK_LENGTH);
}

function parse(text: string, out: DataView, at: number): boolean {
  // Lists of tokens to verify are given as they are.
  if (typeof text !== 'string') return false;
  const { length } = text;
  const from = length - WHOLE;
  if (from < 0 || from === 1 || length > LONGEST) return false;
  if (from > 0) {
    if (text.charCodeAt(from - 1) !== UNDERSCORE) return false;
    if (from - 1 !== good.length || !text.startsWith(good)) {
      const label = text.slice(0, from - 1);
      if (!LABEL.test(label)) return false;
      good = label;
    }
  }
  // A character beyond ASCII gives more bytes, or does not fit in.
  if (encoder.encodeInto(text, ascii).written !== length) return false;
  for (let i = from; i < from + ID_LENGTH; i++) if (symbolValue(ascii[i]!) < 0) return false;
  const end = length - CHECK_LENGTH;
  const crc = crc20Ascii(ascii, 0, end);
  for (let i = 0; i < CHECK_LENGTH; i++) {
    if (symbolValue(ascii[end + i]!) !== ((crc >>> (15 - 5 * i)) & 31)) return false;
  }
  return readSymbols(view, from + ID_LENGTH, BODY_LENGTH, out, at);
}

const UNDERSCORE = 95;
