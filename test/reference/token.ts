/**
 * A second, slow implementation of token-v1 (docs/spec/token-v1.md) on node:crypto. The caller has prepared the value,
 * so only the names of the steps are needed here.
 */
import { createHmac } from 'node:crypto';
import { blake3Reference } from './blake3.ts';
import { base32, check, domainOf, list, ruleNode } from './tree.ts';

export interface TokenCase {
  readonly root: Uint8Array;
  readonly domain: string;
  readonly scope: string;
  readonly prepare: readonly string[];
  readonly label?: string;
}

export type FormName = 'labelled' | 'bare' | 'uuid' | 'hex' | 'base64url' | 'digits';

/** "Forms": the shortest and the longest length of each. */
export const LENGTHS: Readonly<Record<FormName, readonly [number, number]>> = {
  labelled: [6, 26],
  bare: [6, 26],
  uuid: [36, 36],
  hex: [6, 32],
  base64url: [6, 22],
  digits: [6, 38],
};

export interface FormCase extends TokenCase {
  readonly prf?: 'hmac-sha256' | 'blake3';
  readonly form?: FormName;
  readonly length?: number;
}

const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz';
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** "Steps", 2. */
export function tagReference(
  { root, domain, scope, prepare, prf = 'hmac-sha256' }: FormCase,
  prepared: string,
): Buffer {
  const key = ruleNode(root, domain, 'token', scope, prf, list(...prepare), 'equal values');
  const message = Buffer.from(prepared, 'utf8');
  return prf === 'blake3'
    ? Buffer.from(blake3Reference(key, message))
    : createHmac('sha256', key).update(message).digest();
}

/** "Forms": the body of a tag, computed from its bits as a text, or from one whole number. */
export function bodyReference(form: FormName, length: number, tag: Uint8Array): string {
  const t = BigInt(`0x${Buffer.from(tag).toString('hex')}`);
  const bits = t.toString(2).padStart(256, '0');
  /** The first 128 bits, followed by zeros, in symbols of `each` bits. */
  const symbols = (alphabet: string, each: number) =>
    Array.from({ length }, (_, k) => {
      const symbol = bits
        .slice(0, 128)
        .padEnd(256, '0')
        .slice(k * each, (k + 1) * each);
      return alphabet[Number.parseInt(symbol, 2)];
    }).join('');
  switch (form) {
    case 'labelled':
    case 'bare':
      return symbols(BASE32, 5);
    case 'hex':
      return symbols('0123456789abcdef', 4);
    case 'base64url':
      return symbols(BASE64URL, 6);
    case 'digits':
      return ((t * 10n ** BigInt(length)) >> 256n).toString().padStart(length, '0');
    case 'uuid': {
      // Bits 1 to 48, the version, 49 to 60, the variant, 61 to 122.
      const all = `${bits.slice(0, 48)}1000${bits.slice(48, 60)}10${bits.slice(60, 122)}`;
      const hex = BigInt(`0b${all}`).toString(16).padStart(32, '0');
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    }
  }
}

/** The token of a prepared value in any form and length. */
export function formReference(options: FormCase, prepared: string): string {
  const { root, domain, label, form = 'labelled', length = LENGTHS[form][1] } = options;
  const body = bodyReference(form, length, tagReference(options, prepared));
  if (form !== 'labelled') return body;
  const text = (label === undefined ? '' : `${label}_`) + domainOf(root, domain).id + body;
  return text + check(text);
}

/** The token of a prepared value in the two forms of trefoil 0.1. */
export function tokenReference(
  { root, domain, scope, prepare, label }: TokenCase,
  prepared: string,
): { bare: string; labelled: string } {
  const key = ruleNode(root, domain, 'token', scope, 'hmac-sha256', list(...prepare), 'equal values');
  const tag = createHmac('sha256', key).update(prepared, 'utf8').digest();
  const bare = base32(tag, 128);
  const head = (label === undefined ? '' : `${label}_`) + domainOf(root, domain).id;
  return { bare, labelled: head + bare + check(head + bare) };
}
