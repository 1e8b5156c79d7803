/// <reference types="node" />
/** Files of rejects: writes their heads, and reads them again with the keys of the run. */

import { equalBytes } from '../core/bytes.ts';
import { isCapability, type RevealAccess } from '../core/capability.ts';
import { given } from '../core/given.ts';
import { type IssueTally, makeIssueCounter } from '../core/issues.ts';
import { fail } from '../errors.ts';
import { type CsvOpening, DEFAULT_DELIMITER } from '../io/csv/codec.ts';
import { LINES, makeFrames } from '../io/frames.ts';
import {
  makeRejectOpener,
  quotingOf,
  type RejectLine,
  type RejectOpener,
  type RejectSealer,
  type RejectsForm,
  type RejectsHead,
  readRejectLine,
  readRejectsHead,
} from '../io/rejects.ts';
import { type DomainKeys, openKeys } from '../keys/domain-keys.ts';
import { demandUngoverned } from '../keys/place/refusals.ts';
import type { FileFormatSpec, Opening } from './file-format.ts';
import { openBytes, STDIN } from './inputs/inputs.ts';

/**
 * Returns the line before the rejected records of an input.
 *
 * @param opening the head of the input; `null` if the file format has none.
 * @param input index of the input among the inputs of the run.
 */
export function rejectsHead(
  sealer: RejectSealer,
  fileFormat: FileFormatSpec,
  opening: Opening | null,
  input: number,
): string {
  const newline = opening?.newline ?? '\n';
  if (fileFormat.name === 'ndjson') return sealer.head({ format: 'ndjson', delimiter: null, newline }, null, input);
  // If the input has no header line, the corrected records are run again without one, too.
  const names = fileFormat.dialect.header === null ? (opening?.names ?? null) : null;
  if (fileFormat.name === 'tsv') return sealer.head({ format: 'tsv', delimiter: null, newline }, names, input);
  const { dialect } = fileFormat;
  const { delimiter = dialect.delimiter ?? DEFAULT_DELIMITER } = (opening ?? {}) as Partial<CsvOpening>;
  const quote = dialect.quote === '"' ? undefined : (dialect.quote ?? 'none');
  const form = { format: 'csv', delimiter, newline, quote, escape: dialect.escapedBy ?? undefined };
  return sealer.head(form, names, input);
}

/** How an input of the run was written. */
export interface RejectsTable extends RejectsForm {
  /** Names of the columns; `null` for NDJSON, whose records have the names, and for inputs without a header line. */
  readonly header: readonly string[] | null;
}

/** One rejected record, opened. */
export interface Reject extends Omit<RejectLine, 'sealed'> {
  /**
   * How the input of this record was written. The inputs of a run may have different columns; all records of an input
   * have the same object here.
   */
  readonly table: RejectsTable;
  /**
   * The record as it was in the input, as UTF-8 and without its line end; `null` for a record above the limit of the
   * run. A byte that was no character is U+FFFD; the record then has the issue `not_utf8` or `not_in_encoding`.
   */
  readonly record: string | null;
}

/** A file of rejects, opened. */
export interface Rejects {
  /** How the first input of the run was written. Other inputs may have other columns: each record has its own table. */
  readonly firstTable: RejectsTable;
  /** The records, in the order of the run. Each is read when it is asked for. */
  readonly records: AsyncIterable<Reject>;
}

/** Longest line in bytes: enough for a sealed record of 256 MiB, the longest that a run can read. */
const LONGEST_LINE = 400_000_000;

/**
 * Opens a file of rejects; see `openRejects` of trefoil/node. `keysOf` returns the keys of the domain that the file
 * names.
 */
export async function readRejects(
  path: string,
  keysOf: (domain: string) => DomainKeys,
  access: RevealAccess,
): Promise<Rejects> {
  if (!isCapability(access, 'reveal')) {
    fail('reveal_access_required', 'opening rejects needs revealAccess of trefoil/reveal');
  }
  // Standard input can be read only once: the first line is read here, and the others when records are asked for.
  const piped = path === STDIN ? textLines(path) : null;
  const head = await headOf(piped ?? textLines(path), piped === null);
  if (head === null) {
    fail('not_rejects', 'the first line is not the head of a file of rejects', { file: path, line: 1, column: 1 });
  }
  const opener = openerOf(head, keysOf(head.domain), path);
  return { firstTable: tableOf(opener, head, path, 1), records: openLines(opener, head, path, piped) };
}

/** Opens a head. `file` and `line` are where it is. */
function tableOf(opener: RejectOpener, head: RejectsHead, file: string, line: number): RejectsTable {
  const header = opener.header(head);
  if (header === undefined) refuse(file, line);
  const { format, delimiter, newline } = head;
  return { format, delimiter, newline, ...quotingOf(head), header };
}

function openerOf(head: RejectsHead, keys: DomainKeys, path: string): RejectOpener {
  const opened = openKeys(keys);
  demandUngoverned(opened, 'rejects');
  if (opened.domain !== head.domain) {
    fail('wrong_domain', `the rejects belong to domain ${head.domain}, the keys to domain ${opened.domain}`, {
      file: path,
    });
  }
  const opener = makeRejectOpener(opened, head);
  if (opener !== null) return opener;
  const message = `the rejects were sealed with key ${head.keyId}, which is not in this keyset; use that of the run`;
  return fail('unknown_key', message, { file: path });
}

/** @param close whether the other lines will not be read. */
async function headOf(lines: AsyncGenerator<string>, close: boolean): Promise<RejectsHead | null> {
  const first = await lines.next();
  if (close) await lines.return(undefined);
  return first.done === true ? null : readRejectsHead(first.value);
}

/**
 * Opens the records. A record is never returned with the head of another input: after a head, only records of its input
 * are accepted.
 *
 * @param first the head in the first line.
 * @param rest the lines after the first, if the file cannot be read again; otherwise `null`.
 */
async function* openLines(
  opener: RejectOpener,
  first: RejectsHead,
  file: string,
  rest: AsyncGenerator<string> | null,
): AsyncGenerator<Reject, void, undefined> {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  let at = rest === null ? 0 : 1;
  let { input } = first;
  let table = tableOf(opener, first, file, 1);
  for await (const text of rest ?? textLines(file)) {
    at++;
    if (at === 1) continue;
    const head = readRejectsHead(text);
    if (head !== null) {
      checkSameFile(first, head, file, at);
      const opened = tableOf(opener, head, file, at);
      // A run that was resumed may have written the head of an input twice.
      if (head.input !== input) table = opened;
      input = head.input;
      continue;
    }
    const line = readRejectLine(text);
    if (line === null) fail('not_rejects', 'the line is not a line of a file of rejects', { file, line: at });
    if (line.input !== input) {
      const message =
        'the head of the input of this record is missing: a line was removed or moved; use the whole file';
      fail('not_rejects', message, { file, line: at });
    }
    const { sealed, ...clear } = line;
    const bytes = sealed === null ? null : opener.open(sealed, line);
    if (sealed !== null && bytes === null) refuse(file, at);
    yield { ...clear, record: bytes === null ? null : utf8.decode(bytes), table };
  }
}

/** Refuses a head of another file of rejects, such as the second of two files that were concatenated. */
function checkSameFile(first: RejectsHead, head: RejectsHead, file: string, line: number): void {
  const isSame = first.domain === head.domain && first.keyId === head.keyId && equalBytes(first.fileId, head.fileId);
  if (!isSame) fail('not_rejects', 'another file of rejects begins here; open each file by itself', { file, line });
}

function refuse(file: string, line: number): never {
  const message = 'the sealed text does not verify: it was changed or moved, or the keys are not those of the run';
  return fail('reveal_failed', message, { file, line });
}

/** What can be counted in a file of rejects without keys. */
export interface RejectCounts {
  /** Records that are not in the file, because they were above the limit of the run. */
  readonly notHeld: number;
  /** The issues of all records, counted. */
  readonly tally: IssueTally;
  /** The input of the last head; `null` if there is no head. */
  readonly input: number | null;
}

/** The counts of no rejects. */
export const NO_REJECTS: RejectCounts = { notHeld: 0, tally: { fields: [], others: 0 }, input: null };

/** Counts the records of a file of rejects and their issues. */
export async function countRejects(path: string): Promise<RejectCounts> {
  const { add, tally } = makeIssueCounter();
  let notHeld = 0;
  let input: number | null = null;
  for await (const text of textLines(path)) {
    const found = readRejectLine(text);
    if (found === null) {
      input = readRejectsHead(text)?.input ?? input;
      continue;
    }
    if (found.sealed === null) notHeld++;
    const { file, row, line } = found;
    for (const issue of found.issues) add({ line, ...issue, row, ...given({ file }) });
  }
  return { notHeld, tally: tally(), input };
}

/**
 * The lines of a file. An interrupted run may leave an incomplete last line, which it writes again when it is resumed.
 */
async function* textLines(path: string): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  const frames = makeFrames({ framing: () => LINES, maxRecord: LONGEST_LINE, quota: () => 1 });
  for await (const chunk of await openBytes(path, 'none')) {
    for (const found of frames.push(chunk)) {
      if (found.kind === 'records') yield decoder.decode(found.bytes.subarray(0, -1));
    }
  }
  for (const found of frames.end()) yield found.kind === 'records' ? decoder.decode(found.bytes) : '';
}
