/**
 * Rejects: docs/spec/rejects-v1.md. A record that did not fit is written down sealed, so that it can be mended and run
 * again, and so that the file tells nobody without the keys more than where it stood and what was wrong.
 *
 * AES-SIV (RFC 5297) under a key of its own kind, with a random nonce as part of the associated data (section 3): equal
 * records look different, and the length shows only the next step of a padding.
 */

import { decodeBase64url, encodeBase64url } from '../core/base64url.ts';
import { concat, encodeList, unpadded, utf8 } from '../core/bytes.ts';
import type { Issue } from '../errors.ts';
import { randomBytes } from '../kernel/random.ts';
import { aesSiv, aesSivRows, SIV_LENGTH, SLOTS } from '../kernel/siv/siv.ts';
import { type DomainKey, expandNode, type OpenedKeys } from '../keys/domain-keys.ts';

/** Version of the file's form. */
export const REJECTS_VERSION = 'rejects-v1';

/** Bytes that name a file of rejects: a record of one is no record of another. */
export const FILE_ID_LENGTH = 16;

const ALGORITHM = 'aes-256-siv';
const PADDING = 'pad-v1';
const NONCE_LENGTH = 16;
const SHORTEST = 64;
const LONGEST_STEP = 1 << 20;
/** Bytes of an AES block. */
const BLOCK = 16;
/** Bytes that are sealed at once at most, unless one record is longer. */
const GROUP_BYTES = 1 << 18;

/** What is sealed, with its associated data but for the nonce. */
interface Entry {
  readonly plaintext: Uint8Array;
  readonly data: Uint8Array;
}

/** Where a record stood: what its sealed form is bound to. */
export interface RejectPlace {
  /** Index of the input among the inputs of the run. */
  readonly input: number;
  /** Line on which the record begins, from 1. */
  readonly line: number;
}

/** How the input was spelt: what is needed to write the records again. */
export interface RejectsForm {
  readonly format: string;
  /** `null` for formats that have none. */
  readonly delimiter: string | null;
  readonly newline: string;
}

/** A rejected record and its place. */
export interface RejectedBytes {
  readonly record: Uint8Array;
  readonly place: RejectPlace;
}

/** Seals records of one file of rejects. */
export interface RejectSealer {
  /** The sealed text of each record. Many at once take a fraction of the time. */
  readonly seal: (records: readonly RejectedBytes[]) => string[];
  /** @param header the names of the columns; `null` for formats whose records carry them. */
  readonly head: (form: RejectsForm, header: readonly string[] | null) => string;
}

/** What the first line of a file of rejects says. */
export interface RejectsHead extends RejectsForm {
  readonly domain: string;
  readonly keyId: string;
  readonly fileId: Uint8Array;
  /** The sealed names. */
  readonly header: string;
}

/** What every other line says. */
export interface RejectLine extends RejectPlace {
  /** Name of the input, for runs over several. */
  readonly file?: string | undefined;
  /** Number of the record in its input, from 1. */
  readonly row: number;
  readonly issues: readonly Issue[];
  /** `null` for a record that was too long to be held. */
  readonly sealed: string | null;
}

/** Opens what a sealer sealed. */
export interface RejectOpener {
  /** The names; `null` for formats without; `undefined` when the head was changed or is of other keys. */
  readonly header: () => readonly string[] | null | undefined;
  /** The record, or `null` when it does not verify. */
  readonly open: (sealed: string, place: RejectPlace) => Uint8Array | null;
}

/** Key set-up of a run that writes rejects. The primary key seals, whatever the policy pins. */
export function makeRejectSealer({ domain, primary }: OpenedKeys, fileId: Uint8Array): RejectSealer {
  const siv = aesSivRows(keyOf(primary));
  const beginning = encodeList([REJECTS_VERSION, domain, primary.id, fileId]);

  /** Plaintexts of one padded length, with associated data of one length before their nonces. */
  function sealGroup(group: readonly Entry[], length: number): string[] {
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
      // The nonce is the last item of the list: its length in four bytes, then itself.
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

  function seal(entries: readonly Entry[]): string[] {
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
          part.map((i) => entries[i]!),
          length,
        );
        for (const [k, i] of part.entries()) out[i] = sealed[k]!;
      }
    }
    return out;
  }

  const dataOf = (what: readonly (string | Uint8Array)[]): Uint8Array => concat([beginning, encodeList(what)]);
  return {
    seal(records) {
      // Records of one input have the same beginning but for the line.
      let input = -1;
      let before: Uint8Array = beginning;
      return seal(
        records.map(({ record, place }) => {
          if (place.input !== input) {
            input = place.input;
            before = dataOf(ofInput(place));
          }
          return { plaintext: record, data: withNumber(before, place.line) };
        }),
      );
    },
    head(form, header) {
      const sealed = seal([{ plaintext: utf8(JSON.stringify(header)), data: dataOf(ofHead(form)) }])[0]!;
      const { format, delimiter, newline } = form;
      const id = encodeBase64url(fileId);
      const said = { trefoil: REJECTS_VERSION, domain, keyId: primary.id, fileId: id, format, delimiter, newline };
      return `${JSON.stringify({ ...said, header: sealed })}\n`;
    },
  };
}

/** Key set-up of a reader; `null` when the key that sealed is not among the keys. */
export function makeRejectOpener({ domain, keys }: OpenedKeys, head: RejectsHead): RejectOpener | null {
  const key = keys.find(({ id }) => id === head.keyId);
  if (key === undefined || domain !== head.domain) return null;
  const siv = aesSiv(keyOf(key));
  const open = (text: string, what: readonly (string | Uint8Array)[]): Uint8Array | null => {
    const bytes = decodeBase64url(text);
    if (bytes === null || bytes.length < NONCE_LENGTH) return null;
    const nonce = bytes.subarray(0, NONCE_LENGTH);
    const data = encodeList([REJECTS_VERSION, domain, key.id, head.fileId, ...what, nonce]);
    const padded = siv.open(bytes.subarray(NONCE_LENGTH), data);
    return padded === null ? null : unpadded(padded);
  };
  return {
    header() {
      const bytes = open(head.header, ofHead(head));
      return bytes === null ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as readonly string[] | null);
    },
    open: (sealed, place) => open(sealed, ofRecord(place)),
  };
}

/** A line of the file. */
export function rejectLine({ file, input, row, ...rest }: RejectLine): string {
  return rejectBeginning({ file, input, row }) + rejectEnd(rest);
}

/** A line up to the row, which is not known before all records before it were counted. */
export function rejectBeginning({ file, input, row }: Pick<RejectLine, 'file' | 'input' | 'row'>): string {
  return `{${file === undefined ? '' : `"file":${JSON.stringify(file)},`}"input":${input},"row":${row}`;
}

/** The rest of a line. It is written piece by piece: `JSON.stringify` takes three times as long (measured). */
export function rejectEnd({ line, issues, sealed }: Pick<RejectLine, 'line' | 'issues' | 'sealed'>): string {
  let text = '';
  for (const issue of issues) text += text === '' ? issueText(issue, line) : `,${issueText(issue, line)}`;
  return `,"line":${line},"issues":[${text}],"sealed":${sealed === null ? 'null' : `"${sealed}"`}}\n`;
}

/** An issue without row, line and file, which the line has once for all. */
function issueText(issue: Issue, line: number): string {
  let text = '';
  for (const name of Object.keys(issue)) {
    const value = issue[name as keyof Issue];
    if (value === undefined || name === 'row' || name === 'file' || name === 'line') continue;
    text += `${text === '' ? '{' : ','}"${name}":${typeof value === 'number' ? value : JSON.stringify(value)}`;
  }
  // An issue may be at another line of its record.
  if (issue.line !== undefined && issue.line !== line) text += `${text === '' ? '{' : ','}"line":${issue.line}`;
  return `${text}}`;
}

/** The first line read; `null` for anything else. */
export function readRejectsHead(text: string): RejectsHead | null {
  const said = readObject(text);
  if (said?.trefoil !== REJECTS_VERSION) return null;
  const { domain, keyId, fileId, format, delimiter, newline, header } = said;
  const texts = [domain, keyId, fileId, format, newline, header];
  if (!texts.every(isText) || !(delimiter === null || isText(delimiter))) return null;
  const id = decodeBase64url(fileId as string);
  if (id?.length !== FILE_ID_LENGTH) return null;
  return { ...(said as unknown as RejectsHead), fileId: id };
}

/** Another line read; `null` for anything that {@link rejectLine} does not write. */
export function readRejectLine(text: string): RejectLine | null {
  const said = readObject(text);
  if (said === null) return null;
  const { file, input, row, line, issues, sealed } = said;
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
const isCount = (value: unknown, least: number): boolean => Number.isSafeInteger(value) && (value as number) >= least;

function isIssue(value: unknown): value is Issue {
  const issue = value as Partial<Issue> | null;
  return typeof issue === 'object' && issue !== null && isText(issue.code) && isText(issue.message);
}

function keyOf(key: DomainKey): Uint8Array {
  return expandNode(key.derive('rejects', '', [ALGORITHM, PADDING]), ALGORITHM, 64);
}

function ofInput({ input }: RejectPlace): readonly string[] {
  return ['record', String(input)];
}

function ofRecord(place: RejectPlace): readonly string[] {
  return [...ofInput(place), String(place.line)];
}

/** An encoded list with one more item, a whole number as its decimal text. */
function withNumber(list: Uint8Array, number: number): Uint8Array {
  const text = String(number);
  const out = new Uint8Array(list.length + 4 + text.length);
  out.set(list);
  out[list.length + 3] = text.length;
  for (let i = 0; i < text.length; i++) out[list.length + 4 + i] = text.charCodeAt(i);
  return out;
}

function ofHead({ format, delimiter, newline }: RejectsForm): readonly (string | Uint8Array)[] {
  return ['head', format, delimiter ?? '', newline];
}

/** Length with the padding `0x80 00 …`: a power of two from 64 bytes to 1 MiB, and whole MiB above. */
function paddedLength(bytes: number): number {
  const least = bytes + 1;
  if (least > LONGEST_STEP) return Math.ceil(least / LONGEST_STEP) * LONGEST_STEP;
  let length = SHORTEST;
  while (length < least) length *= 2;
  return length;
}
