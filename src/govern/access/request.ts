/**
 * The request for a use: a text that the desk signs with its key of the charter (docs/spec/govern/request-v1.md). The
 * log has its digest, and the opening of the entry has the text, so a use can be held against what the desk asked for.
 */

import { utf8 } from '../../core/bytes.ts';
import { fail, TrefoilError } from '../../errors.ts';
import { openNote } from '../../note/open.ts';
import { signNote } from '../../note/sign.ts';
import type { Signer } from '../../note/signer.ts';
import { encode } from '../../wire/base32.ts';
import { writeTime } from '../text/items.ts';
import { digestHex } from '../warrant/fields.ts';
import type { VerifiedWarrant } from '../warrant/verify.ts';

/** Random bytes of a request: no two have the same digest. */
export const NONCE = 16;

/** What a request says. */
export interface RequestFields {
  readonly warrant: VerifiedWarrant;
  readonly scopes: ReadonlyMap<string, number>;
  /** Seconds since 1970. */
  readonly now: number;
  /** {@link NONCE} random bytes. */
  readonly nonce: Uint8Array;
}

/** A request that the desk has signed. */
export interface SignedRequest {
  readonly note: string;
  /** SHA-256 of the text that is signed, 64 hexadecimal digits. */
  readonly sha256: string;
}

/**
 * Has the desk sign a request.
 *
 * @throws TrefoilError `not_in_charter` if the key is not that of the warrant's desk; `signature_invalid`.
 */
export async function signRequest(fields: RequestFields, desk: Signer): Promise<SignedRequest> {
  const { key, handle } = fields.warrant.desk;
  const wrong = (): never =>
    fail('not_in_charter', `the warrant is for the desk ${handle}, and the charter has another key for it`);
  if (desk.verifierKey !== key.text) wrong();
  const text = requestText(fields);
  const note = await signNote(text, [desk]);
  try {
    openNote(note, [key]);
  } catch (error) {
    // A signer that states the key of the desk and signs with another one.
    if (error instanceof TrefoilError && error.code === 'note_unsigned') wrong();
    throw error;
  }
  return { note, sha256: digestHex(utf8(text)) };
}

function requestText({ warrant, scopes, now, nonce }: RequestFields): string {
  const counts = [...scopes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([scope, count]) => `values ${scope} ${count}`);
  return [
    'trefoil request v1',
    `warrant sha256:${warrant.sha256}`,
    `desk ${warrant.desk.handle}`,
    `verb ${warrant.warrant.verb}`,
    ...counts,
    `at ${writeTime(now)}`,
    `nonce ${encode(nonce, 8 * NONCE)}`,
    '',
  ].join('\n');
}
