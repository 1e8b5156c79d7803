/** The text of a vault's token: 16 random bytes in the labelled form of token-v1. */

import { decode, encode } from '../core/base32.ts';
import { checkCharacters, crc20 } from '../core/check-characters.ts';
import { BODY_LENGTH, inspect } from '../core/labelled-token.ts';
import { fail } from '../errors.ts';

/** Bytes of a token. */
export const TOKEN = 16;

/** What a by-value row keeps of its token: the key id that it shows, and its bytes. */
export const KEPT: number = 5 + TOKEN;

export function writeToken(label: string | undefined, keyId: string, body: Uint8Array): string {
  const head = `${label === undefined ? '' : `${label}_`}${keyId}${encode(body)}`;
  return head + checkCharacters(crc20(head));
}

/**
 * The bytes of a token.
 *
 * @throws TrefoilError `malformed_token`.
 */
export function readToken(text: string): Uint8Array {
  const parts = inspect(text);
  if (parts === null || !parts.intact || parts.body.length !== BODY_LENGTH) {
    fail('malformed_token', 'the token has not the labelled form, or its check characters do not fit');
  }
  return decode(parts.body)!;
}
