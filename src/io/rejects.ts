/**
 * Rejects: docs/spec/rejects-v1.md. A record that did not fit is written down sealed, so that it can be mended and run
 * again, and so that the file tells nobody without the keys more than where it stood and what was wrong.
 *
 * AES-SIV (RFC 5297) under a key of its own kind, with a random nonce as part of the associated data (section 3): equal
 * records look different, and the length shows only the next step of a padding.
 */

import { decodeBase64url, encodeBase64url } from '../core/base64url.ts';
import { concat, encodeList, padTo, unpadded, utf8 } from '../core/bytes.ts';
import type { Issue } from '../errors.ts';
import { randomBytes } from '../kernel/random.ts';
import { aesSiv, type Siv } from '../kernel/siv.ts';
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

/** Seals records of one file of rejects. */
export interface RejectSealer {
  readonly seal: (record: Uint8Array, place: RejectPlace) => string;
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
  const siv = sivOf(primary);
  const seal = (plaintext: Uint8Array, what: readonly (string | Uint8Array)[]): string => {
    const nonce = randomBytes(NONCE_LENGTH);
    const sealed = siv.seal(pad(plaintext), encodeList([REJECTS_VERSION, domain, primary.id, fileId, ...what, nonce]));
    return encodeBase64url(concat([nonce, sealed]));
  };
  return {
    seal: (record, place) => seal(record, ofRecord(place)),
    head(form, header) {
      const sealed = seal(utf8(JSON.stringify(header)), ofHead(form));
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
  const siv = sivOf(key);
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
export function rejectLine({ file, input, row, line, issues, sealed }: RejectLine): string {
  // Row, line and file stand before the issues once, not in each of them.
  const said = issues.map(({ row: _row, line: at, file: _file, ...issue }) =>
    at === line ? issue : { ...issue, line: at },
  );
  return `${JSON.stringify({ ...(file === undefined ? {} : { file }), input, row, line, issues: said, sealed })}\n`;
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

function sivOf(key: DomainKey): Siv {
  return aesSiv(expandNode(key.derive('rejects', '', [ALGORITHM, PADDING]), ALGORITHM, 64));
}

function ofRecord({ input, line }: RejectPlace): readonly (string | Uint8Array)[] {
  return ['record', String(input), String(line)];
}

function ofHead({ format, delimiter, newline }: RejectsForm): readonly (string | Uint8Array)[] {
  return ['head', format, delimiter ?? '', newline];
}

/** `0x80 00 …` up to a power of two from 64 bytes to 1 MiB, and to whole MiB above. */
function pad(bytes: Uint8Array): Uint8Array {
  const least = bytes.length + 1;
  let length = SHORTEST;
  while (length < least && length < LONGEST_STEP) length *= 2;
  if (length < least) length = Math.ceil(least / LONGEST_STEP) * LONGEST_STEP;
  return padTo(bytes, length);
}
