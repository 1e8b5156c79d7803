/**
 * The names that people have in a log (docs/spec/log-v1.md, "Pseudonyms"). One person has one pseudonym in a domain,
 * whichever key of the lineage made their token, and whichever label, form or recipient it has: so a person who is
 * looked at again and again is one person in the log as well.
 *
 * Nobody but the process that reveals needs these. With the node and a table of tokens, anyone can compute them all.
 */

import { encodeList } from '../../core/bytes.ts';
import { checkName, checkOptions, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { bitPermutation } from '../../kernel/ff1/body-permutation.ts';
import { hmacBytes, type Mac } from '../../kernel/prf/hmac.ts';
import { type DomainKey, type DomainKeys, type OpenedKeys, openKeys } from '../../keys/domain-keys.ts';
import { encode } from '../../wire/base32.ts';
import { base32Reader, base64urlReader, hexReader, type ReadBody } from '../../wire/body-readers.ts';
import { BODY_LENGTH, inspect } from '../../wire/labelled-token.ts';

/** Bits of a pseudonym. */
const BITS = 80;

/** The scope and the parameters of the node that pseudonyms are made with. */
export const LOG_SCOPE = 'subjects';
export const LOG_PARAMETERS: readonly string[] = ['hmac-sha256'];

/** Options of {@link subjectPseudonyms}. */
export interface PseudonymOptions {
  /** Shown id of the key that made tokens which do not show theirs. With one key in the keyset it is not needed. */
  readonly fromKey?: string | undefined;
}

/** The forms without check characters that have 128 bits, by their length. */
const BARE: ReadonlyMap<number, () => ReadBody> = /* @__PURE__ */ new Map([
  [26, () => base32Reader(26)],
  [32, () => hexReader(32)],
  [22, () => base64urlReader(22)],
]);

/**
 * Makes the function that turns the token of a person into the person's pseudonym in a log: 16 symbols of base32, that
 * is 80 bits. Among a million people, two have one pseudonym with a probability of 4 · 10⁻¹³.
 *
 * @param scope the scope of the tokens that people are known by: `person`.
 * @returns a function of a token of at least 128 bits: labelled or not, or in one of the forms `hex` and `base64url`.
 *   What a rule writes before a token (`after`) is taken off before.
 * @throws TrefoilError `not_granted` if the keys are narrowed and do not have the node; from the returned function
 *   `malformed_token` for a text that is no such token, `foreign_token` for one of an unknown key, `epoch_required` if
 *   the token does not show its key and the keyset has several.
 *
 * @example
 * ```ts
 * import { keyset, token } from 'trefoil';
 * import { subjectPseudonyms } from 'trefoil/govern';
 *
 * const keys = keyset.generate().domain('eu-enclave');
 * const person = token({ scope: 'person', label: 'cust' }).bind(keys);
 * const pseudonymOf = subjectPseudonyms(keys, 'person');
 * pseudonymOf(person.protect('4711')).length; // → 16
 * ```
 */
export function subjectPseudonyms(
  keys: DomainKeys,
  scope: string,
  options: PseudonymOptions = {},
): (token: string) => string {
  const opened = openKeys(keys);
  checkName('scope', scope);
  const { fromKey } = checkOptions<PseudonymOptions>('options', options, ['fromKey']);
  const named = fromKey === undefined ? null : keyOf(opened, fromKey);

  const readers = new Map<string, Reader>();
  return (token) => {
    const { key, body } = parted(opened, named, token);
    let reader = readers.get(key.id);
    if (reader === undefined) {
      reader = readerOf(key, scope);
      readers.set(key.id, reader);
    }
    const words = new Int32Array(4);
    const read = body.length === BODY_LENGTH ? reader.read : BARE.get(body.length)!();
    if (!read(body, 0, words, 0)) malformed();
    reader.back(words);
    return pseudonym(reader.mac, scope, words);
  };
}

/** What reads the tokens of one key. */
interface Reader {
  readonly read: ReadBody;
  /** Turns the bits of a body into those of the base. */
  readonly back: (words: Int32Array) => void;
  /** The function of the base of this key. Roots without a common base have several. */
  readonly mac: Mac;
}

function readerOf(key: DomainKey, scope: string): Reader {
  const mac = hmacBytes(key.derive('log', LOG_SCOPE, LOG_PARAMETERS));
  const read = base32Reader(BODY_LENGTH);
  if (!key.isBound) return { read, back: () => undefined, mac };
  const permutation = bitPermutation(key.derive('token permutation', scope, ['bits', '128']), 128);
  return { read, back: (words) => permutation.decrypt(words, 0, 1), mac };
}

/** The key that made a token, and the body of the token. */
function parted(opened: OpenedKeys, named: DomainKey | null, token: unknown): { key: DomainKey; body: string } {
  if (typeof token !== 'string') fail('wrong_type', `expected a token as text, got ${typeName(token)}`);
  const parts = inspect(token);
  if (parts !== null) {
    if (!parts.intact || parts.body.length !== BODY_LENGTH) malformed();
    return { key: keyOf(opened, parts.keyId), body: parts.body };
  }
  if (!BARE.has(token.length)) malformed();
  if (named === null && opened.keys.length > 1) {
    fail('epoch_required', 'the token does not show its key, and the keyset has several; name the key with fromKey');
  }
  return { key: named ?? opened.primary, body: token };
}

function keyOf({ keys, domain }: OpenedKeys, id: string): DomainKey {
  const key = keys.find((one) => one.id === id);
  return key ?? fail('foreign_token', `the token that a person is known by is of no key of domain ${domain}`);
}

function malformed(): never {
  fail('malformed_token', 'the person is not known by a token of 128 bits, so there is no pseudonym for a log');
}

/** The first 80 bits of HMAC-SHA-256(node, encode("log-v1", scope, x)). */
function pseudonym(mac: Mac, scope: string, words: Int32Array): string {
  const x = new Uint8Array(16);
  const view = new DataView(x.buffer);
  for (let i = 0; i < 4; i++) view.setInt32(4 * i, words[i]!);
  return encode(mac(encodeList(['log-v1', scope, x])), BITS);
}
