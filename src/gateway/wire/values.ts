/**
 * Values in the JSON of the protocol: texts, numbers, booleans and `null` as themselves, and an object with one name
 * for what JSON does not have or would write in another way.
 */

import { isCanonical, jsonNumber, jsonNumberText } from '../../core/json/number.ts';

/** A number of JSON (RFC 8259, section 6). */
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** Writes a value. `undefined`: the protocol has no form for it. */
export function toWire(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return { bigint: String(value) };
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : { date: value.getTime() };
  const text = typeof value === 'number' ? String(value) : jsonNumberText(value);
  if (text === null || !NUMBER.test(text)) return undefined;
  return isCanonical(text) ? Number(text) : { number: text };
}

/** Reads a value; `undefined` if it is none of the protocol. */
export function fromWire(value: unknown): unknown {
  if (value === null || ['string', 'boolean', 'number'].includes(typeof value)) return value;
  if (typeof value !== 'object' || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  const [name, inner] = entries[0] ?? [];
  if (entries.length !== 1) return undefined;
  if (name === 'number' && typeof inner === 'string' && NUMBER.test(inner)) return jsonNumber(inner);
  if (name === 'bigint' && typeof inner === 'string' && /^-?[0-9]{1,400}$/.test(inner)) return BigInt(inner);
  if (name === 'date' && typeof inner === 'number' && Number.isSafeInteger(inner)) return new Date(inner);
  return undefined;
}
