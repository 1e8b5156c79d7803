/**
 * Rejects (docs/spec/rejects-v1.md). A rejected record is sealed and written to the file of rejects, so that it can be
 * corrected and run again. Without the keys, the file shows only where the record was and what was wrong with it.
 *
 * The cipher is AES-SIV (RFC 5297) under a key that is used for rejects only. A random nonce is part of the associated
 * data (section 3), so equal records look different. The record is padded, so its length is visible only in steps.
 */

import { decodeBase64url, encodeBase64url } from '../core/base64.ts';
import { concat, encodeList, unpadded, utf8 } from '../core/bytes.ts';
import { given } from '../core/given.ts';
import type { Issue } from '../errors.ts';
import { randomBytes } from '../kernel/random.ts';
import { aesSiv, aesSivRows, SIV_LENGTH, SLOTS } from '../kernel/siv/siv.ts';
import { type DomainKey, expandNode, type OpenedKeys } from '../keys/domain-keys.ts';
import { REJECTS_CIPHER, REJECTS_PARAMETERS } from '../keys/rejects.ts';

/** Name and version of this file format. */
export const REJECTS_VERSION = 'rejects-v1';

/** Length in bytes of the identity of a file of rejects. A record sealed for one file cannot be opened in another. */
export const FILE_ID_LENGTH = 16;

const NONCE_LENGTH = 16;
const SHORTEST = 64;
const LONGEST_STEP = 1 << 20;
/** Bytes of an AES block. */
const BLOCK = 16;
/** Most bytes that are sealed at once, unless one record is longer. */
const GROUP_BYTES = 1 << 18;

/** A text to be sealed, with its associated data except the nonce. */
interface Entry {
  readonly plaintext: Uint8Array;
  readonly data: Uint8Array;
}

/** The place of a record. Its sealed text can be opened only for this place. */
export interface RejectPlace {
  /** Index of the input among the inputs of the run. */
  readonly input: number;
  /** Line on which the record begins, from 1. */
  readonly line: number;
}

/** How the input was written, so that the records can be written in the same way again. */
export interface RejectsForm {
  /** File format of the input: `csv`, `tsv` or `ndjson`. */
  readonly format: string;
  /** `null` if the file format has no delimiter. */
  readonly delimiter: string | null;
  readonly newline: string;
  /** What is around quoted cells of CSV, or `none`; absent if it is a double quote. */
  readonly quote?: string | undefined;
  /** What escapes a quote in CSV, besides a second one; absent if nothing does. */
  readonly escape?: string | undefined;
}

/** A rejected record and its place. */
export interface RejectedBytes {
  readonly record: Uint8Array;
  readonly place: RejectPlace;
}

/** Seals records of one file of rejects. */
export interface RejectSealer {
  /** Returns the sealed text of each record. Sealing many at once takes a fraction of the time. */
  readonly seal: (records: readonly RejectedBytes[]) => string[];
  /**
   * Returns the head of an input: the line before its first record.
   *
   * @param header the names of the columns; `null` if the records have the names, as in NDJSON.
   * @param input index of the input among the inputs of the run.
   */
  readonly head: (form: RejectsForm, header: readonly string[] | null, input?: number) => string;
}

/** Content of a head, which is the first line of a file of rejects, and the line before the records of an input. */
export interface RejectsHead extends RejectsForm {
  /** Index of the input. Only records of this input follow. */
  readonly input: number;
  readonly domain: string;
  readonly keyId: string;
  readonly fileId: Uint8Array;
  /** The sealed names of the columns. */
  readonly header: string;
}

/** Content of the line of a record. */
export interface RejectLine extends RejectPlace {
  /** Name of the input, if the run has several. */
  readonly file?: string | undefined;
  /** Number of the record in its input, from 1. */
  readonly row: number;
  readonly issues: readonly Issue[];
  /** `null` for a record above the limit, which is never in memory as a whole. */
  readonly sealed: string | null;
}

/** Opens the sealed texts of one file of rejects. */
export interface RejectOpener {
  /**
   * Returns the names of the columns of a head, or `null` if it has none, or `undefined` if it does not verify.
   *
   * @param head a head of the same file; without it, the one that the opener was made with.
   */
  readonly header: (head?: RejectsHead) => readonly string[] | null | undefined;
  /** Returns the record, or `null` if the sealed text does not verify. */
  readonly open: (sealed: string, place: RejectPlace) => Uint8Array | null;
}

type SivRows = ReturnType<typeof aesSivRows>;

/** Sets up the key of a run that writes rejects. The primary key seals, whatever key the policy pins. */
export function makeRejectSealer({ domain, primary }: OpenedKeys, fileId: Uint8Array): RejectSealer {
  const siv = aesSivRows(keyOf(primary));
  const beginning = encodeList([REJECTS_VERSION, domain, primary.id, fileId]);
  const dataOf = (items: readonly (string | Uint8Array)[]): Uint8Array => concat([beginning, encodeList(items)]);
  return {
    seal(records) {
      // The associated data of the records of one input differ only in the line.
      let input = -1;
      let before: Uint8Array = beginning;
      const entries = records.map(({ record, place }) => {
        if (place.input !== input) {
          input = place.input;
          before = dataOf(ofInput(place));
        }
        return { plaintext: record, data: withNumber(before, place.line) };
      });
      return sealEntries(siv, entries);
    },
    head(form, header, input = 0) {
      const names = { plaintext: utf8(JSON.stringify(header)), data: dataOf(ofHead(form, input)) };
      const sealed = sealEntries(siv, [names])[0]!;
      const { format, delimiter, newline } = form;
      const id = encodeBase64url(fileId);
      const clear = { trefoil: REJECTS_VERSION, domain, keyId: primary.id, fileId: id, format, delimiter, newline };
      const at = input === 0 ? {} : { input };
      return `${JSON.stringify({ ...clear, ...at, ...quotingOf(form), header: sealed })}\n`;
    },
  };
}

/** Seals texts in groups of equal padded length, and returns them in their own order. */
function sealEntries(siv: SivRows, entries: readonly Entry[]): string[] {
  const out = new Array<string>(entries.length);
  const groups = new Map<string, number[]>();
  for (const [i, { plaintext, data }] of entries.entries()) {
    const name = `${paddedLength(plaintext.length)} ${data.length}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [i]);
    else group.push(i);
  }
  for (const group of groups.values()) {
    const length = paddedLength(entries[group[0]!]!.plaintext.length);
    const most = Math.max(1, Math.min(SLOTS, Math.floor(GROUP_BYTES / length)));
    for (let from = 0; from < group.length; from += most) {
      const part = group.slice(from, from + most);
      const sealed = sealGroup(
        siv,
        part.map((i) => entries[i]!),
        length,
      );
      for (const [k, i] of part.entries()) out[i] = sealed[k]!;
    }
  }
  return out;
}

/** Seals texts of one padded length, whose associated data without the nonces have one length as well. */
function sealGroup(siv: SivRows, group: readonly Entry[], length: number): string[] {
  const count = group.length;
  const stride = NONCE_LENGTH + SIV_LENGTH + length + BLOCK;
  const bytes = new Uint8Array(count * stride);
  const dataLength = group[0]!.data.length + 4 + NONCE_LENGTH;
  const dataStride = Math.ceil(dataLength / BLOCK) * BLOCK;
  const data = new Uint8Array(count * dataStride);
  const nonces = randomBytes(count * NONCE_LENGTH);
  for (let slot = 0; slot < count; slot++) {
    const { plaintext, data: before } = group[slot]!;
    const textAt = slot * stride + NONCE_LENGTH + SIV_LENGTH;
    bytes.set(plaintext, textAt);
    bytes[textAt + plaintext.length] = 0x80;
    const dataAt = slot * dataStride;
    data.set(before, dataAt);
    // The nonce is the last item of the list: its length in four bytes, then the nonce itself.
    data[dataAt + before.length + 3] = NONCE_LENGTH;
    for (let k = 0; k < NONCE_LENGTH; k++) {
      const byte = nonces[slot * NONCE_LENGTH + k]!;
      bytes[slot * stride + k] = byte;
      data[dataAt + before.length + 4 + k] = byte;
    }
  }
  const values = { view: new DataView(bytes.buffer), at: NONCE_LENGTH, stride, length, count };
  siv.seal(values, { view: new DataView(data.buffer), at: 0, stride: dataStride, length: dataLength });
  return group.map((_, slot) => {
    const at = slot * stride;
    return encodeBase64url(bytes.subarray(at, at + NONCE_LENGTH + SIV_LENGTH + length));
  });
}

/**
 * Sets up the key of a reader. Returns `null` if the keys do not have the key that sealed, or are of another domain.
 */
export function makeRejectOpener({ domain, keys }: OpenedKeys, head: RejectsHead): RejectOpener | null {
  const key = keys.find(({ id }) => id === head.keyId);
  if (key === undefined || domain !== head.domain) return null;
  const siv = aesSiv(keyOf(key));
  const open = (text: string, items: readonly (string | Uint8Array)[]): Uint8Array | null => {
    const bytes = decodeBase64url(text);
    if (bytes === null || bytes.length < NONCE_LENGTH) return null;
    const nonce = bytes.subarray(0, NONCE_LENGTH);
    const data = encodeList([REJECTS_VERSION, domain, key.id, head.fileId, ...items, nonce]);
    const padded = siv.open(bytes.subarray(NONCE_LENGTH), data);
    return padded === null ? null : unpadded(padded);
  };
  return {
    header(of = head) {
      const bytes = open(of.header, ofHead(of, of.input));
      return bytes === null ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as readonly string[] | null);
    },
    open: (sealed, place) => open(sealed, ofRecord(place)),
  };
}

/** Writes a line of the file. */
export function rejectLine({ file, input, row, ...rest }: RejectLine): string {
  return rejectBeginning({ file, input, row }) + rejectEnd(rest);
}

/** Writes a line up to its row number, which is known only when all records before it have been counted. */
export function rejectBeginning({ file, input, row }: Pick<RejectLine, 'file' | 'input' | 'row'>): string {
  return `{${file === undefined ? '' : `"file":${JSON.stringify(file)},`}"input":${input},"row":${row}`;
}

/** Writes the rest of a line, piece by piece, because `JSON.stringify` takes three times as long (measured). */
export function rejectEnd({ line, issues, sealed }: Pick<RejectLine, 'line' | 'issues' | 'sealed'>): string {
  let text = '';
  for (const issue of issues) text += text === '' ? issueText(issue, line) : `,${issueText(issue, line)}`;
  return `,"line":${line},"issues":[${text}],"sealed":${sealed === null ? 'null' : `"${sealed}"`}}\n`;
}

/** Writes an issue without its row, line and file, which are written once for the whole line. */
function issueText(issue: Issue, line: number): string {
  let text = '';
  for (const name of Object.keys(issue)) {
    const value = issue[name as keyof Issue];
    if (value === undefined || name === 'row' || name === 'file' || name === 'line') continue;
    text += `${text === '' ? '{' : ','}"${name}":${typeof value === 'number' ? value : JSON.stringify(value)}`;
  }
  // An issue may be on another line of its record.
  if (issue.line !== undefined && issue.line !== line) text += `${text === '' ? '{' : ','}"line":${issue.line}`;
  return `${text}}`;
}

/** Reads a head of a file of rejects. Returns `null` if the text is not one. */
export function readRejectsHead(text: string): RejectsHead | null {
  const head = readObject(text);
  if (head?.trefoil !== REJECTS_VERSION) return null;
  const { domain, keyId, fileId, format, delimiter, newline, header, input = 0 } = head;
  const texts = [domain, keyId, fileId, format, newline, header];
  if (![head.quote, head.escape].every((text) => text === undefined || isText(text))) return null;
  if (!texts.every(isText) || !(delimiter === null || isText(delimiter))) return null;
  if (!isCount(input, head.input === undefined ? 0 : 1)) return null;
  const id = decodeBase64url(fileId as string);
  if (id?.length !== FILE_ID_LENGTH) return null;
  return { ...(head as unknown as RejectsHead), input, fileId: id };
}

/** Reads the line of a record. Returns `null` if {@link rejectLine} cannot have written it. */
export function readRejectLine(text: string): RejectLine | null {
  const content = readObject(text);
  if (content === null) return null;
  const { file, input, row, line, issues, sealed } = content;
  if (!isCount(input, 0) || !isCount(row, 1) || !isCount(line, 1)) return null;
  if (!(file === undefined || isText(file)) || !(sealed === null || isText(sealed))) return null;
  if (!Array.isArray(issues) || !issues.every(isIssue)) return null;
  return { file, input, row, line, issues, sealed } as RejectLine;
}

function readObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least;

function isIssue(value: unknown): value is Issue {
  const issue = value as Partial<Issue> | null;
  return typeof issue === 'object' && issue !== null && isText(issue.code) && isText(issue.message);
}

function keyOf(key: DomainKey): Uint8Array {
  return expandNode(key.derive('rejects', '', REJECTS_PARAMETERS), REJECTS_CIPHER, 64);
}

function ofInput({ input }: RejectPlace): readonly string[] {
  return ['record', String(input)];
}

function ofRecord(place: RejectPlace): readonly string[] {
  return [...ofInput(place), String(place.line)];
}

/** Appends an item to an encoded list: a whole number, as its decimal text. */
function withNumber(list: Uint8Array, number: number): Uint8Array {
  const text = String(number);
  const out = new Uint8Array(list.length + 4 + text.length);
  out.set(list);
  out[list.length + 3] = text.length;
  for (let i = 0; i < text.length; i++) out[list.length + 4 + i] = text.charCodeAt(i);
  return out;
}

function ofHead(form: RejectsForm, input: number): readonly (string | Uint8Array)[] {
  const quoting = quotingOf(form);
  const more = Object.keys(quoting).length === 0 ? [] : [quoting.quote ?? '', quoting.escape ?? ''];
  const at = input === 0 ? ['head'] : ['head of input', String(input)];
  return [...at, form.format, form.delimiter ?? '', form.newline, ...more];
}

/** How the cells of CSV are quoted, as far as it is not the usual way. */
export function quotingOf(form: RejectsForm): { readonly quote?: string; readonly escape?: string } {
  return given({ quote: form.quote, escape: form.escape });
}

/** Length with the padding `0x80 00 …`: a power of two from 64 bytes to 1 MiB, and above that a multiple of 1 MiB. */
function paddedLength(bytes: number): number {
  const least = bytes + 1;
  if (least > LONGEST_STEP) return Math.ceil(least / LONGEST_STEP) * LONGEST_STEP;
  let length = SHORTEST;
  while (length < least) length *= 2;
  return length;
}
