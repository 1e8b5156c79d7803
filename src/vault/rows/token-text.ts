/** The text of a vault's token: 16 random bytes in the labelled form of token-v1. */

import { decodeAscii } from '../../core/ascii.ts';
import { fail } from '../../errors.ts';
import { ALPHABET, readSymbols, symbolValue, writeSymbols } from '../../wire/base32.ts';
import { CHECK_LENGTH, crc20Ascii } from '../../wire/check-characters.ts';
import { BODY_LENGTH, ID_LENGTH, LABEL } from '../../wire/labelled-token.ts';

/** Bytes of a token. */
export const TOKEN = 16;

/** Characters of a token after its label and `_`. */
const WHOLE = ID_LENGTH + BODY_LENGTH + CHECK_LENGTH;

/** Characters of the longest label, and of the longest token. */
const MAX_LABEL = 16;
const LONGEST: number = MAX_LABEL + 1 + WHOLE;

// Buffers for one token: its characters and its bytes. They are read before the next token is processed.
const ascii: Uint8Array = /* @__PURE__ */ new Uint8Array(LONGEST + 3);
const view: DataView = /* @__PURE__ */ new DataView(ascii.buffer);
const bytes: Uint8Array = /* @__PURE__ */ new Uint8Array(TOKEN);
const bytesView: DataView = /* @__PURE__ */ new DataView(bytes.buffer);
const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();

/**
 * Returns the text of a token.
 *
 * @param body 16 bytes.
 */
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

/** The valid label that was seen last: the labels of a column are the same. */
let lastLabel = '';

/**
 * Writes the bytes of a token to `at` of `out`. It accepts the labelled tokens with a whole body that `inspect`
 * accepts, and does without a regular expression, which takes three times as long.
 *
 * @throws TrefoilError `malformed_token`.
 */
export function readTokenInto(text: string, out: DataView, at: number): void {
  if (!parse(text, out, at)) {
    fail('malformed_token', 'the text is not a labelled token, or its check characters are wrong');
  }
}

/** Returns the bytes of a token. */
export function readToken(text: string): Uint8Array {
  const body = new Uint8Array(TOKEN);
  readTokenInto(text, new DataView(body.buffer), 0);
  return body;
}

/** Returns the characters of a token that encode its bytes. */
export function bodyOf(text: string): string {
  return text.slice(-BODY_LENGTH - CHECK_LENGTH, -CHECK_LENGTH);
}

function parse(text: string, out: DataView, at: number): boolean {
  // A list of tokens to verify may contain anything.
  if (typeof text !== 'string') return false;
  const { length } = text;
  const from = length - WHOLE;
  if (from < 0 || from === 1 || length > LONGEST) return false;
  if (from > 0) {
    if (text.charCodeAt(from - 1) !== UNDERSCORE) return false;
    if (from - 1 !== lastLabel.length || !text.startsWith(lastLabel)) {
      const label = text.slice(0, from - 1);
      if (!LABEL.test(label)) return false;
      lastLabel = label;
    }
  }
  // A character that is not ASCII takes more than one byte, or does not fit.
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
