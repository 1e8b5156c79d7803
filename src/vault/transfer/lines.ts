/**
 * The lines of an export (docs/spec/vault-v1.md, "Export"). The first line names the store and this export. Each row
 * has a line, as the outer layer sealed it. Each part of the rows is followed by a line whose MAC covers all rows so
 * far. Every line is a JSON object.
 */

import { decodeBase64url, encodeBase64url } from '../../core/base64.ts';
import { copyTo, encodeList, equalBytes } from '../../core/bytes.ts';
import { readHex, writeHex } from '../../core/hex.ts';
import { scanJson } from '../../core/json/scan.ts';
import { fail, type Where } from '../../errors.ts';
import { runningSha256 } from '../../kernel/digest.ts';
import { ID_LENGTH } from '../../wire/labelled-token.ts';
import type { VaultMeta } from '../rows/meta.ts';
import { INDEX, type Row, TABLES, type Table } from '../stores/store.ts';

/** The first line: the store, the keys that its rows are under, and the name of this export. */
export interface Head extends Omit<VaultMeta, 'generation'> {
  /** 16 random bytes, so that no two exports have one first line. */
  readonly export: Uint8Array;
  /** Time at which the export began, as ISO 8601 in UTC with milliseconds. */
  readonly at: string;
}

/** HMAC-SHA-256 with the key `meta` of *outer* of a key; throws `unknown_key` if the keyset does not have the key. */
export type MacOf = (outer: string) => (message: Uint8Array) => Uint8Array;

/** A line that was parsed: a JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>;

const FORMAT = 'vault-v1 export';
const PART = 'vault-v1 export part';
const END = 'vault-v1 export end';
const TABLE_NAMES: readonly unknown[] = TABLES;

/** Most keys in a list of the first line. */
const MAX_KEYS = 64;

/** Bytes of the random name of an export. */
export const EXPORT = 16;

/** Most rows in a part. */
export const PART_ROWS = 1000;

/** A part ends with the row that brings its bodies to this many bytes. */
export const PART_BYTES: number = 1 << 23;

/** Returns the first line. */
export function writeHead(head: Head, macOf: MacOf): string {
  const { domain, store, outer, inner, subjects, at } = head;
  const mac = writeHex(macOfHead(head, macOf));
  const id = writeHex(head.export);
  return `${JSON.stringify({ trefoil: FORMAT, domain, store, outer, inner, subjects, export: id, at, mac })}\n`;
}

const HEAD_NAMES = ['trefoil', 'domain', 'store', 'outer', 'inner', 'subjects', 'export', 'at', 'mac'];

/**
 * Reads the first line and checks its MAC.
 *
 * @throws TrefoilError `export_refused`, `store_version`, `wrong_domain`, `unknown_key`.
 */
export function readHead(line: JsonObject | null, domain: string, store: string, macOf: MacOf, where: Where): Head {
  const { trefoil } = line ?? {};
  if (typeof trefoil === 'string' && /^vault-v[0-9]+ export$/.test(trefoil) && trefoil !== FORMAT) {
    const version = trefoil.split(' ')[0];
    fail('store_version', `the export has the version ${version}, but this version of trefoil reads vault-v1`, where);
  }
  const { outer, inner, subjects, at } = line ?? {};
  const id = typeof line?.export === 'string' ? readHex(line.export, EXPORT) : null;
  const isHead = line !== null && hasNames(line, HEAD_NAMES) && trefoil === FORMAT;
  if (!isHead || !isIds(outer) || !isIds(inner) || !isId(subjects) || id === null || typeof at !== 'string') {
    fail('export_refused', 'the line is not the first line of an export, as trefoil vault export writes it', where);
  }
  if (line.domain !== domain || line.store !== store) {
    fail('wrong_domain', 'the export is of another domain, or of another store name; check both', where);
  }
  const head: Head = { domain, store, outer, inner, subjects, export: id, at };
  if (!isMac(line.mac, macOfHead(head, macOf))) {
    const message = 'the first line of the export does not verify: it was changed, or it belongs to other keys';
    fail('export_refused', message, where);
  }
  return head;
}

function macOfHead({ domain, store, outer, inner, subjects, export: id, at }: Head, macOf: MacOf): Uint8Array {
  return macOf(outer[0]!)(
    encodeList([FORMAT, domain, store, encodeList(outer), encodeList(inner), subjects, id, at]),
  ).slice();
}

/** Returns the line of a row. */
export function writeRow(table: Table, { index, key, version, expires, body }: Row): string {
  const line = { table, index: writeHex(index), key, version, expires, body: encodeBase64url(body) };
  return `${JSON.stringify(line)}\n`;
}

/** Reads the line of a row; `null` if {@link writeRow} does not write such a line. It does not verify the row. */
export function readRow(line: JsonObject): { readonly table: Table; readonly row: Row } | null {
  const { table, index, key, version, expires, body } = line;
  if (!hasNames(line, ['table', 'index', 'key', 'version', 'expires', 'body']) || !TABLE_NAMES.includes(table))
    return null;
  const bytes = typeof index === 'string' ? readHex(index, INDEX) : null;
  const sealed = typeof body === 'string' ? decodeBase64url(body) : null;
  if (bytes === null || sealed === null || !isId(key) || typeof version !== 'number') return null;
  if (expires !== null && typeof expires !== 'number') return null;
  return { table: table as Table, row: { index: bytes, key, version, expires, body: sealed } };
}

/** The parts of one export. Writer and reader count the same rows and compute the same digest. */
export interface Parts {
  readonly add: (table: Table, row: Row) => void;
  /** Returns the number of rows so far. */
  readonly rows: () => number;
  /** Whether the part has the most rows, or bytes, that a part may have. */
  readonly isFull: () => boolean;
  /** Whether this part has space for more rows, with a number of bytes in their bodies. */
  readonly fits: (moreRows: number, moreBytes: number) => boolean;
  /** Returns the line that ends the part, or the last part and the export. */
  readonly write: (isEnd: boolean) => string;
  /** Reads such a line, and returns what it ends; `null` if it does not match the rows before it. */
  readonly read: (line: JsonObject) => 'part' | 'end' | null;
}

/** Starts the first part of an export. */
export function startParts(head: Head, macOf: MacOf): Parts {
  const first = macOfHead(head, macOf);
  const digest = runningSha256();
  let [part, rows, own, bytes] = [1, 0, 0, 0];

  function macOfPart(isEnd: boolean): Uint8Array {
    const message = isEnd
      ? [END, first, String(part), String(rows), digest.soFar()]
      : [PART, first, String(part), digest.soFar()];
    return macOf(head.outer[0]!)(encodeList(message));
  }

  function next(): void {
    part++;
    own = 0;
    bytes = 0;
  }

  return {
    add(table, row) {
      digest.add(encodeRow(table, row));
      rows++;
      own++;
      bytes += row.body.length;
    },
    rows: () => rows,
    isFull: () => own === PART_ROWS || bytes >= PART_BYTES,
    fits: (moreRows, moreBytes) => own + moreRows <= PART_ROWS && bytes + moreBytes <= PART_BYTES,
    write(isEnd) {
      const mac = writeHex(macOfPart(isEnd));
      const line = JSON.stringify(isEnd ? { part, rows, mac } : { part, mac });
      next();
      return `${line}\n`;
    },
    read(line) {
      const isEnd = Object.hasOwn(line, 'rows');
      if (!hasNames(line, isEnd ? ['part', 'rows', 'mac'] : ['part', 'mac'])) return null;
      if (line.part !== part || (isEnd && line.rows !== rows) || !isMac(line.mac, macOfPart(isEnd))) return null;
      next();
      return isEnd ? 'end' : 'part';
    },
  };
}

/** Whether a line ends a part: the lines of rows have no such field. */
export function endsPart(line: JsonObject): boolean {
  return Object.hasOwn(line, 'part');
}

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();

/**
 * encodeList([table, index, key, version, expires, body]), made in one array because an export has millions of rows.
 */
function encodeRow(table: Table, { index, key, version, expires, body }: Row): Uint8Array {
  // All texts are ASCII: readRow and the outer layer accept no others.
  const texts = [table, key, String(version), expires === null ? '' : String(expires)] as const;
  const out = new Uint8Array(24 + texts.join('').length + index.length + body.length);
  const view = new DataView(out.buffer);
  let at = 0;
  const put = (item: string | Uint8Array) => {
    view.setUint32(at, item.length);
    at += 4;
    if (typeof item === 'string') encoder.encodeInto(item, out.subarray(at));
    else copyTo(item, 0, out, at);
    at += item.length;
  };
  put(texts[0]);
  put(index);
  put(texts[1]);
  put(texts[2]);
  put(texts[3]);
  put(body);
  return out;
}

/** Parses a JSON object; `null` for any other text, and for an object that has one name twice. */
export function readLine(text: string): JsonObject | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return scanJson(text, value) === null ? (value as JsonObject) : null;
}

function hasNames(line: JsonObject, names: readonly string[]): boolean {
  return Object.keys(line).length === names.length && names.every((name) => Object.hasOwn(line, name));
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length === ID_LENGTH && /^[0-9a-z]+$/.test(value);
}

function isIds(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.length <= MAX_KEYS && value.every(isId);
}

function isMac(text: unknown, mac: Uint8Array): boolean {
  const bytes = typeof text === 'string' ? readHex(text, mac.length) : null;
  return bytes !== null && equalBytes(bytes, mac);
}
