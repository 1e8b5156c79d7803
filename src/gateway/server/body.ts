/** The bodies of requests: JSON, each name once, and nothing but what the protocol has. */

import { duplicateName } from '../../core/json/duplicate.ts';
import { MOST_COLUMNS, MOST_ROWS } from '../wire/limits.ts';
import { fromWire } from '../wire/values.ts';
import { Refusal } from './refusal.ts';

/** Refuses a body. The words are fixed: they hold nothing of it. */
export function malformed(message: string, status = 400): never {
  throw new Refusal(status, 'request_invalid', message);
}

/** The object of a body. */
export type Body = Readonly<Record<string, unknown>>;

/** Reads a body: an object of JSON. */
export function readBody(bytes: Uint8Array): Body {
  let value: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
    if (duplicateName(text) !== null) malformed('the body has a name twice in one object');
  } catch (error) {
    if (error instanceof Refusal) throw error;
    malformed('the body is not JSON in UTF-8');
  }
  return isObject(value) ? value : malformed('the body is not an object');
}

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Refuses names that a body of this kind does not have. */
export function checkNames(body: Body, names: readonly string[]): void {
  if (Object.keys(body).some((name) => !names.includes(name))) malformed('the body has a name that it must not have');
}

/** A text of a body. */
export function textIn(body: Body, name: string): string {
  const value = Object.hasOwn(body, name) ? body[name] : undefined;
  return typeof value === 'string' ? value : malformed(`the body needs the text "${name}"`);
}

/** An object of a body. */
export function objectIn(body: Body, name: string): Body {
  const value = Object.hasOwn(body, name) ? body[name] : undefined;
  return isObject(value) ? value : malformed(`the body needs the object "${name}"`);
}

/** SHA-256 as 64 hexadecimal digits. */
export function digestIn(body: Body, name: string): string {
  const value = textIn(body, name);
  return /^[0-9a-f]{64}$/.test(value) ? value : malformed(`"${name}" is not 64 hexadecimal digits`);
}

/** Reads columns of equal length, and returns them as records. */
export function rowsIn(body: Body): Record<string, unknown>[] {
  const columns = Object.entries(objectIn(body, 'columns'));
  if (columns.length === 0 || columns.length > MOST_COLUMNS) {
    malformed(`"columns" must have 1 to ${MOST_COLUMNS} columns`, columns.length > 0 ? 413 : 400);
  }
  const [, first] = columns[0]!;
  const length = Array.isArray(first) ? first.length : 0;
  if (columns.some(([, column]) => !Array.isArray(column) || column.length !== length)) {
    malformed('"columns" must be arrays of one length');
  }
  if (length === 0) malformed('"columns" has no values');
  if (length > MOST_ROWS) malformed(`a column must have at most ${MOST_ROWS} values`, 413);
  const rows: Record<string, unknown>[] = Array.from({ length }, () => Object.create(null));
  for (const [name, column] of columns as [string, unknown[]][]) {
    for (let i = 0; i < length; i++) {
      const value = fromWire(column[i]);
      if (value === undefined) malformed('a column has something that is no value of the protocol');
      rows[i]![name] = value;
    }
  }
  return rows;
}
