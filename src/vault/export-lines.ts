/**
 * The lines of an export (docs/spec/vault-v1.md, "Export"): one that says of which store it is, one for each row as the
 * outer layer sealed it, and a last one that says how many there were. All of it is JSON, one object a line.
 */

import { decodeBase64url, encodeBase64url } from '../core/base64url.ts';
import { encodeList, equalBytes } from '../core/bytes.ts';
import { readHex, writeHex } from '../core/hex.ts';
import { fail, type Where } from '../errors.ts';
import type { VaultMeta } from './meta.ts';
import { INDEX } from './outer.ts';
import type { Row, Table } from './store.ts';

/** What the first line says: the store, and the keys that its rows are under. */
export type Head = Omit<VaultMeta, 'generation'>;

/** HMAC-SHA-256 with the key `meta` of *outer* of a key; throws `unknown_key` for one that is not there. */
export type MacOf = (outer: string) => (message: Uint8Array) => Uint8Array;

/** A line that was read: an object of JSON. */
export type Said = Readonly<Record<string, unknown>>;

const FORMAT = 'vault-v1 export';
const END = 'vault-v1 export end';
const TABLES: readonly unknown[] = ['value', 'token', 'subject'] satisfies Table[];
const MOST_KEYS = 64;

export function writeHead({ domain, store, outer, inner, subjects }: Head, macOf: MacOf): string {
  const mac = macOfHead({ domain, store, outer, inner, subjects }, macOf);
  return `${JSON.stringify({ trefoil: FORMAT, domain, store, outer, inner, subjects, mac: writeHex(mac) })}\n`;
}

/**
 * Reads the first line, and holds it against the key that wrote it.
 *
 * @throws TrefoilError `export_refused`, `store_version`, `wrong_domain`, `unknown_key`.
 */
export function readHead(said: Said | null, domain: string, store: string, macOf: MacOf, at: Where): Head {
  const { trefoil } = said ?? {};
  if (typeof trefoil === 'string' && /^vault-v[0-9]+ export$/.test(trefoil) && trefoil !== FORMAT) {
    fail('store_version', `the export is of ${trefoil.split(' ')[0]}, this version reads vault-v1`, at);
  }
  const { outer, inner, subjects } = said ?? {};
  const isHead = said !== null && hasNames(said, ['trefoil', 'domain', 'store', 'outer', 'inner', 'subjects', 'mac']);
  if (!isHead || trefoil !== FORMAT || !isIds(outer) || !isIds(inner) || !isId(subjects)) {
    fail('export_refused', 'expected the first line of an export, as trefoil vault export writes it', at);
  }
  if (said.domain !== domain || said.store !== store) {
    fail('wrong_domain', 'the export is of another domain or of another name of a store', at);
  }
  const head: Head = { domain, store, outer, inner, subjects };
  if (!isMac(said.mac, macOfHead(head, macOf))) {
    fail('export_refused', 'the first line of the export was changed, or its keys are others', at);
  }
  return head;
}

function macOfHead({ domain, store, outer, inner, subjects }: Head, macOf: MacOf): Uint8Array {
  return macOf(outer[0]!)(encodeList([FORMAT, domain, store, encodeList(outer), encodeList(inner), subjects]));
}

export function writeRow(table: Table, { index, key, version, expires, body }: Row): string {
  const said = { table, index: writeHex(index), key, version, expires, body: encodeBase64url(body) };
  return `${JSON.stringify(said)}\n`;
}

/** A row, or `null` for anything that {@link writeRow} does not write. Whether it verifies is for its key to say. */
export function readRow(said: Said): { readonly table: Table; readonly row: Row } | null {
  const { table, index, key, version, expires, body } = said;
  if (!hasNames(said, ['table', 'index', 'key', 'version', 'expires', 'body']) || !TABLES.includes(table)) return null;
  const bytes = typeof index === 'string' ? readHex(index, INDEX) : null;
  const sealed = typeof body === 'string' ? decodeBase64url(body) : null;
  if (bytes === null || sealed === null || !isId(key) || typeof version !== 'number') return null;
  if (expires !== null && typeof expires !== 'number') return null;
  return { table: table as Table, row: { index: bytes, key, version, expires, body: sealed } };
}

export function writeEnd(head: Head, rows: number, macOf: MacOf): string {
  return `${JSON.stringify({ rows, mac: writeHex(macOfEnd(head, rows, macOf)) })}\n`;
}

/** The number of rows, or `null` for a last line that is not this export's. */
export function readEnd(said: Said, head: Head, macOf: MacOf): number | null {
  const { rows, mac } = said;
  if (!hasNames(said, ['rows', 'mac']) || typeof rows !== 'number' || !Number.isSafeInteger(rows)) return null;
  return isMac(mac, macOfEnd(head, rows, macOf)) ? rows : null;
}

function macOfEnd(head: Head, rows: number, macOf: MacOf): Uint8Array {
  return macOf(head.outer[0]!)(encodeList([END, macOfHead(head, macOf), String(rows)]));
}

function hasNames(said: Said, names: readonly string[]): boolean {
  return Object.keys(said).length === names.length && names.every((name) => Object.hasOwn(said, name));
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-z]{5}$/.test(value);
}

function isIds(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.length <= MOST_KEYS && value.every(isId);
}

function isMac(given: unknown, mac: Uint8Array): boolean {
  const bytes = typeof given === 'string' ? readHex(given, mac.length) : null;
  return bytes !== null && equalBytes(bytes, mac);
}
