/**
 * The report of `trefoil scan` (docs/spec/scan-v1.md): which keys the values of some files show. `trefoil keys retire`
 * reads it, so the reader is strict: a report that is cut, or of another version, must not look like one that found
 * nothing.
 */

import { scanJson } from '../core/json/scan.ts';
import { fail } from '../errors.ts';
import { KEY_ID } from '../keys/checks.ts';
import { LABEL } from '../wire/labelled-token.ts';

/** What was found of one key in one file. */
export interface KeyCounts {
  /** Labelled tokens whose check characters are right, by their label; `''` for those without one. */
  readonly tokens: Readonly<Record<string, number>>;
  readonly sealed: number;
  /** Sealed records in a file of rejects. */
  readonly rejects: number;
  /** Line of the first of them, from 1; in Parquet the row. */
  readonly first: number;
}

/** What was found in one file. */
export interface ScannedFile {
  /** The name as it was passed. */
  readonly file: string;
  /** Bytes that were read, decompressed and as UTF-8. */
  readonly bytes: number;
  /** By the shown id of the key. */
  readonly keys: Readonly<Record<string, KeyCounts>>;
  /** Texts that have the form of a labelled token and wrong check characters. */
  readonly damaged: number;
}

/** A field whose values do not show their key. */
export interface SilentField {
  readonly policy: string;
  readonly field: string;
  /** What the values are: `fpe`, `token` without a label, `shiftDate`. */
  readonly rule: string;
}

/** A report. */
export interface ScanReport {
  /** Time of the scan, as ISO 8601 in UTC. */
  readonly at: string;
  readonly files: readonly ScannedFile[];
  /** Fields about which the scan says nothing. */
  readonly silent: readonly SilentField[];
}

const VERSION = 'scan-v1';

/** Longest report in UTF-16 code units: some 100,000 files. */
export const MAX_REPORT: number = 1 << 24;

/** Writes a report. */
export function writeScanReport({ at, files, silent }: ScanReport): string {
  return `${JSON.stringify({ trefoil: VERSION, at, files, silent }, null, 2)}\n`;
}

/**
 * Reads a report.
 *
 * @throws TrefoilError `invalid_report`. Its message does not quote the text.
 */
export function readScanReport(text: string): ScanReport {
  if (text.length > MAX_REPORT) refuse(`it is longer than ${MAX_REPORT} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    refuse('it is not JSON; it may be cut short');
  }
  const hidden = typeof value === 'object' && value !== null ? scanJson(text, value) : null;
  if (hidden !== null && hidden !== 'inexact') refuse(hidden.message);
  const report = fields(value, 'it', ['trefoil', 'at', 'files', 'silent']);
  if (report.trefoil !== VERSION) refuse(`it has no "trefoil": "${VERSION}"`);
  const { at } = report;
  if (typeof at !== 'string' || !TIME.test(at)) refuse('"at" is not a time');
  const files = listOf(report.files, 'files').map(readFile);
  if (files.length === 0) refuse('it has no files');
  const silent = listOf(report.silent, 'silent').map((one): SilentField => {
    const { policy, field, rule } = fields(one, 'a silent field', ['policy', 'field', 'rule']);
    if (![policy, field, rule].every((text) => typeof text === 'string')) refuse('a silent field is not complete');
    return { policy, field, rule } as SilentField;
  });
  return { at, files, silent };
}

const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;

function readFile(value: unknown): ScannedFile {
  const { file, bytes, keys, damaged } = fields(value, 'a file', ['file', 'bytes', 'keys', 'damaged']);
  if (typeof file !== 'string' || file === '') refuse('a file has no name');
  if (typeof keys !== 'object' || keys === null || Array.isArray(keys)) refuse('"keys" of a file is not an object');
  const counts = Object.entries(keys).map(([id, one]) => {
    if (!KEY_ID.test(id)) refuse('a key id does not have five characters');
    const found = fields(one, 'a key', ['tokens', 'sealed', 'rejects', 'first']);
    const tokens = readTokens(found.tokens);
    const [sealed, rejects] = [count(found.sealed, 0), count(found.rejects, 0)];
    if (Object.keys(tokens).length + sealed + rejects === 0) refuse('a key is named and has no values');
    return [id, { tokens, sealed, rejects, first: count(found.first, 1) }] as const;
  });
  return { file, bytes: count(bytes, 0), keys: Object.fromEntries(counts), damaged: count(damaged, 0) };
}

function readTokens(value: unknown): KeyCounts['tokens'] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse('"tokens" of a key is not an object');
  return Object.fromEntries(
    Object.entries(value).map(([label, number]) => {
      if (label !== '' && !LABEL.test(label)) refuse('a label is not one of a token');
      return [label, count(number, 1)];
    }),
  );
}

function count(value: unknown, least: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < least) refuse('a number is not a count');
  return value as number;
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) refuse(`"${name}" is not a list`);
  return value;
}

/** Checks that a value is an object with exactly these fields. */
function fields(value: unknown, name: string, known: readonly string[]): Record<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const names = isObject ? Object.keys(value) : [];
  if (names.length !== known.length || !known.every((one) => names.includes(one))) {
    refuse(`${name} does not have exactly the fields ${known.join(', ')}`);
  }
  return value as Record<string, unknown>;
}

function refuse(why: string): never {
  fail('invalid_report', `the file is not a whole report of trefoil scan: ${why}; run trefoil scan again`);
}
