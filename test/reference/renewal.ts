/**
 * A second, slow implementation of renewal-v1 (docs/spec/renewal-v1.md): AES-256 of node:crypto, and the literal FF1.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { ff1Reference } from './ff1.ts';
import { bodyReference, type FormName, LENGTHS } from './token.ts';
import { base32, check, child, list } from './tree.ts';

/** The spaces of bodies. */
export type Unit = 'bits' | 'digits';

/** The permutation of a whole number below 2^size or 10^size. */
export function permutationReference(
  direction: 'encrypt' | 'decrypt',
  key: Uint8Array,
  unit: Unit,
  size: number,
  x: bigint,
): bigint {
  if (unit === 'bits' && size === 128) {
    const make = direction === 'encrypt' ? createCipheriv : createDecipheriv;
    const cipher = make('aes-256-ecb', key, null).setAutoPadding(false);
    return BigInt(`0x${cipher.update(x.toString(16).padStart(32, '0'), 'hex', 'hex')}`);
  }
  const radix = unit === 'bits' ? 2 : 10;
  const numerals = [...x.toString(radix).padStart(size, '0')].map(Number);
  return ff1Reference(direction, key, radix, numerals).reduce(
    (sum, numeral) => sum * BigInt(radix) + BigInt(numeral),
    0n,
  );
}

/** What a token is made from. */
export interface LineageCase {
  /** The root key of the base, and that of the epoch, which may be the same. */
  readonly base: Uint8Array;
  readonly root: Uint8Array;
  readonly domain: string;
  /** The parent of the domain, if it is that of a recipient. */
  readonly of?: string;
  readonly scope: string;
  readonly form: FormName;
  readonly length: number;
  readonly label?: string;
}

/** The bits of a space as a body of a form: a tag that begins with them is written. */
function bodyOf(form: FormName, length: number, unit: Unit, size: number, y: bigint): string {
  if (unit === 'digits') return y.toString().padStart(size, '0');
  const tag = Buffer.from((y << BigInt(256 - size)).toString(16).padStart(64, '0'), 'hex');
  return bodyReference(form, length, tag);
}

/** How many bits or digits a body has. */
export function spaceReference(form: FormName, length: number): readonly [Unit, number] {
  if (form === 'digits') return ['digits', length];
  if (form === 'uuid') return ['bits', 122];
  const width = { labelled: 5, bare: 5, hex: 4, base64url: 6 }[form];
  return ['bits', length === LENGTHS[form][1] ? 128 : width * length];
}

/** The token of a value without prepare steps. */
export function lineageReference(options: LineageCase, value: string): { token: string; id: string } {
  const { base, root, domain, of, scope, form, length, label } = options;
  const own = child(root, 32, 'domain', domain, ...(of === undefined ? [] : ['of', of]));
  const lower = child(base, 32, 'domain', of ?? domain);
  const isBound = !own.equals(lower);
  const covered = isBound ? [base32(child(lower, 32, 'key check'), 80)] : [];
  const id = base32(child(own, 32, 'key id', ...covered), 25);
  const node = (from: Uint8Array, kind: string, ...parameters: (string | Uint8Array)[]) =>
    child(child(child(from, 32, 'kind', kind), 32, 'scope', scope), 32, 'parameters', ...parameters);

  const key = node(lower, 'token', 'hmac-sha256', list(), 'equal values');
  const t = BigInt(`0x${createHmac('sha256', key).update(value, 'utf8').digest('hex')}`);
  const [unit, size] = spaceReference(form, length);
  const x = unit === 'digits' ? (t * 10n ** BigInt(size)) >> 256n : t >> BigInt(256 - size);
  const permutation = node(own, 'token permutation', unit, String(size));
  const y = isBound ? permutationReference('encrypt', permutation, unit, size, x) : x;
  const body = bodyOf(form, length, unit, size, y);
  if (form !== 'labelled') return { token: body, id };
  const text = (label === undefined ? '' : `${label}_`) + id + body;
  return { token: text + check(text), id };
}
