/** The text of a vault's token: 16 random bytes in the labelled form of token-v1. */

import { decodeAscii } from '../core/ascii.ts';
import { readSymbols, symbolValue, writeSymbols } from '../core/base32.ts';
import { CHECK_LENGTH, checkCharacters, crc20 } from '../core/check-characters.ts';
import { BODY_LENGTH, ID_LENGTH, LABEL } from '../core/labelled-token.ts';
import { fail } from '../errors.ts';

/** Bytes of a token. */
export const TOKEN = 16;

/** What a by-value row keeps of its token: the key id that it shows, and its bytes. */
export const KEPT: number = ID_LENGTH + TOKEN;

/** Characters of a token behind its label and `_`, and of the longest label. */
const WHOLE = ID_LENGTH + BODY_LENGTH + CHECK_LENGTH;
const LONGEST = 16 + 1 + WHOLE;

// The characters of a token on their way in or out, read before the next.
const ascii: Uint8Array = /* @__PURE__ */ new Uint8Array(LONGEST + 3);
const view: DataView = /* @__PURE__ */ new DataView(ascii.buffer);
const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();

/** @param body 16 bytes. */
export function writeToken(label: string | undefined, keyId: string, body: Uint8Array): string {
  const head = `${label === undefined ? '' : `${label}_`}${keyId}`;
  writeSymbols(new DataView(body.buffer, body.byteOffset, TOKEN), 0, TOKEN, view, 0);
  const text = head + decodeAscii(ascii, 0, BODY_LENGTH);
  return text + checkCharacters(crc20(text));
}

/** The label that was last found to be one: those of a column are the same. */
let good = '';

/**
 * The bytes of a token. Of what `inspect` takes, those with a whole body: a regular expression takes three times as long.
 *
 * @throws TrefoilError `malformed_token`.
 */
export function readToken(text: string): Uint8Array {
  const bytes = parse(text);
  if (bytes === null) {
    fail('malformed_token', 'the token has not the labelled form, or its check characters do not fit');
  }
  return bytes;
}

function parse(text: string): Uint8Array | null {
  const { length } = text;
  const from = length - WHOLE;
  if (from < 0 || from === 1 || length > LONGEST) return null;
  if (from > 0) {
    if (text[from - 1] !== '_') return null;
    const label = text.slice(0, from - 1);
    if (label !== good) {
      if (!LABEL.test(label)) return null;
      good = label;
    }
  }
  // A character beyond ASCII gives more bytes, or does not fit in.
  if (encoder.encodeInto(text, ascii).written !== length) return null;
  for (let i = from; i < from + ID_LENGTH; i++) if (symbolValue(ascii[i]!) < 0) return null;
  const check = length - CHECK_LENGTH;
  if (checkCharacters(crc20(text.slice(0, check))) !== text.slice(check)) return null;
  const body = new Uint8Array(TOKEN);
  return readSymbols(view, from + ID_LENGTH, BODY_LENGTH, new DataView(body.buffer), 0) ? body : null;
}
