/**
 * The lines of an export (docs/spec/vault-v1.md, "Export"): one that names the store and this export, one for each row as
 * the outer layer sealed it, and one after each part of the rows, whose MAC covers all rows so far. All of it is JSON, one
 * object a line.
 */

import { decodeBase64url, encodeBase64url } from '../../core/base64url.ts';
import { copyTo, encodeList, equalBytes } from '../../core/bytes.ts';
import { readHex, writeHex } from '../../core/hex.ts';
import { scanJson } from '../../core/json/scan.ts';
import { fail, type Where } from '../../errors.ts';
import { runningSha256 } from '../../kernel/digest.ts';
import type { VaultMeta } from '../rows/meta.ts';
import { INDEX } from '../rows/outer.ts';
import type { Row, Table } from '../stores/store.ts';

/** What the first line holds: the store, the keys that its rows are under, and which export this is. */
export interface Head extends Omit<VaultMeta, 'generation'> {
  /** 16 random bytes: two exports of one store are never one. */
  readonly export: Uint8Array;
  /** When the export began, as ISO 8601 in UTC with milliseconds. */
  readonly at: string;
}

/** HMAC-SHA-256 with the key `meta` of *outer* of a key; throws `unknown_key` for one that is not there. */
export type MacOf = (outer: string) => (message: Uint8Array) => Uint8Array;

/** A line that was read: an object of JSON. */
export type Said = Readonly<Record<string, unknown>>;

const FORMAT = 'vault-v1 export';
const PART = 'vault-v1 export part';
const END = 'vault-v1 export end';
const TABLES: readonly unknown[] = ['value', 'token', 'subject'] satisfies Table[];
const MOST_KEYS = 64;

/** Bytes of the random name of an export. */
export const EXPORT = 16;

/** Rows of a part at most. */
export const PART_ROWS = 1000;

/** Bytes of bodies after which a part ends, with the row that reached them. */
export const PART_BYTES: number = 1 << 23;

export function writeHead(head: Head, macOf: MacOf): string {
  const { domain, store, outer, inner, subjects, at } = head;
  const mac = writeHex(macOfHead(head, macOf));
  const id = writeHex(head.export);
  return `${JSON.stringify({ trefoil: FORMAT, domain, store, outer, inner, subjects, export: id, at, mac })}\n`;
}

const HEAD_NAMES = ['trefoil', 'domain', 'store', 'outer', 'inner', 'subjects', 'export', 'at', 'mac'];

/**
 * Reads the first line, and checks its MAC.
 *
 * @throws TrefoilError `export_refused`, `store_version`, `wrong_domain`, `unknown_key`.
 */
export function readHead(said: Said | null, domain: string, store: string, macOf: MacOf, where: Where): Head {
  const { trefoil } = said ?? {};
  if (typeof trefoil === 'string' && /^vault-v[0-9]+ export$/.test(trefoil) && trefoil !== FORMAT) {
    fail('store_version', `the export is of ${trefoil.split(' ')[0]}, this version reads vault-v1`, where);
  }
  const { outer, inner, subjects, at } = said ?? {};
  const id = typeof said?.export === 'string' ? readHex(said.export, EXPORT) : null;
  const isHead = said !== null && hasNames(said, HEAD_NAMES) && trefoil === FORMAT;
  if (!isHead || !isIds(outer) || !isIds(inner) || !isId(subjects) || id === null || typeof at !== 'string') {
    fail('export_refused', 'expected the first line of an export, as trefoil vault export writes it', where);
  }
  if (said.domain !== domain || said.store !== store) {
    fail('wrong_domain', 'the export is of another domain or of another name of a store', where);
  }
  const head: Head = { domain, store, outer, inner, subjects, export: id, at };
  if (!isMac(said.mac, macOfHead(head, macOf))) {
    fail('export_refused', 'the first line of the export was changed, or its keys are others', where);
  }
  return head;
}

function macOfHead({ domain, store, outer, inner, subjects, export: id, at }: Head, macOf: MacOf): Uint8Array {
  return macOf(outer[0]!)(
    encodeList([FORMAT, domain, store, encodeList(outer), encodeList(inner), subjects, id, at]),
  ).slice();
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

/** The parts of one export: the writer and the reader count and digest the same rows. */
export interface Parts {
  readonly add: (table: Table, row: Row) => void;
  /** Rows so far. */
  readonly rows: () => number;
  /** Whether the part has as many rows, or bytes, as one may have. */
  readonly isFull: () => boolean;
  /** Whether so many more rows, of so many bytes in their bodies, can be in this part. */
  readonly fits: (more: number, moreBytes: number) => boolean;
  /** The line that ends a part, or the export. */
  readonly write: (isEnd: boolean) => string;
  /** Which of the two a line is; `null` for one that does not fit what came before it. */
  readonly read: (said: Said) => 'part' | 'end' | null;
}

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
    fits: (more, moreBytes) => own + more <= PART_ROWS && bytes + moreBytes <= PART_BYTES,
    write(isEnd) {
      const mac = writeHex(macOfPart(isEnd));
      const line = JSON.stringify(isEnd ? { part, rows, mac } : { part, mac });
      next();
      return `${line}\n`;
    },
    read(said) {
      const isEnd = Object.hasOwn(said, 'rows');
      if (!hasNames(said, isEnd ? ['part', 'rows', 'mac'] : ['part', 'mac'])) return null;
      if (said.part !== part || (isEnd && said.rows !== rows) || !isMac(said.mac, macOfPart(isEnd))) return null;
      next();
      return isEnd ? 'end' : 'part';
    },
  };
}

/** Whether a line ends a part: no row has such a field. */
export function endsPart(said: Said): boolean {
  return Object.hasOwn(said, 'part');
}

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();

/** encodeList([table, index, key, version, expires, body]) in one array: an export has millions of rows. */
function encodeRow(table: Table, { index, key, version, expires, body }: Row): Uint8Array {
  // All texts are ASCII: readRow and the outer layer have seen to it.
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

/** An object of JSON, or `null` for any other text, and for one that names something twice. */
export function readLine(text: string): Said | null {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof said !== 'object' || said === null || Array.isArray(said)) return null;
  return scanJson(text, said) === null ? (said as Said) : null;
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
