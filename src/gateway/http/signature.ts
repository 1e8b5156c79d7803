/**
 * The two header fields of a signature, read strictly: one signature, its components in one order, each parameter that
 * the protocol names once, and no other. An algorithm is not read from the message: it is that of the key.
 */

import { decodeBase64 } from '../../core/base64.ts';
import { TAG } from './base.ts';

/** A signature as the header fields have it. Nothing is verified yet. */
export interface ReadSignature {
  readonly label: string;
  /** The components and parameters as they were sent: they are part of what is signed. */
  readonly params: string;
  readonly components: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly keyId: string;
  /** `null` if there is none, as in answers. */
  readonly nonce: string | null;
  /** The member of the field `signature`: base64 between colons. */
  readonly value: string;
  readonly signature: Uint8Array;
}

const LABEL = '[a-z*][a-z0-9_.*-]{0,63}';
const PARAMETER = ';[a-z]{1,16}=(?:"(?:[ !#-\\[\\]-~]|\\\\["\\\\]){0,512}"|[0-9]{1,12})';
const INPUT = /* @__PURE__ */ new RegExp(`^(${LABEL})=((\\([^()]{0,256}\\))((?:${PARAMETER}){0,8}))$`);
const VALUE = /* @__PURE__ */ new RegExp(`^(${LABEL})=(:([A-Za-z0-9+/]{86}==):)$`);
/** At least 128 bits, as base64url or hexadecimal digits. */
const NONCE = /^[A-Za-z0-9_-]{22,64}$/;

/** Reads the fields `signature-input` and `signature`. `null`: they are not what the protocol demands. */
export function readSignature(input: string | null, value: string | null): ReadSignature | null {
  const [, label, params = '', components = '', given = ''] = INPUT.exec(input ?? '') ?? [];
  const [, same, member = '', base64 = ''] = VALUE.exec(value ?? '') ?? [];
  if (label === undefined || label !== same) return null;
  const found = parametersOf(given);
  const signature = decodeBase64(base64);
  if (found === null || signature === null) return null;
  const { created, keyid, nonce = null, tag, ...others } = found;
  if (Object.keys(others).length > 0 || tag !== TAG || typeof created !== 'number') return null;
  if (typeof keyid !== 'string' || (nonce !== null && (typeof nonce !== 'string' || !NONCE.test(nonce)))) return null;
  return { label, params, components, created, keyId: keyid, nonce, value: member, signature };
}

/** The label and value of a signature, if there is one at all: an answer is bound to it, even if it is refused. */
export function memberOf(value: string | null): { readonly label: string; readonly value: string } | null {
  const [, label, member] = VALUE.exec(value ?? '') ?? [];
  return label === undefined || member === undefined ? null : { label, value: member };
}

/** Reads parameters in whatever order. `null` if one is there twice. */
function parametersOf(text: string): Record<string, string | number> | null {
  const found: Record<string, string | number> = Object.create(null);
  for (const [one] of text.matchAll(new RegExp(PARAMETER, 'g'))) {
    const at = one.indexOf('=');
    const name = one.slice(1, at);
    const value = one.slice(at + 1);
    if (Object.hasOwn(found, name)) return null;
    found[name] = value.startsWith('"') ? value.slice(1, -1).replace(/\\(["\\])/g, '$1') : Number(value);
  }
  return found;
}
