/**
 * The record of a ceremony, `ceremony.json` (docs/spec/identity-share-v1.md, "Ceremony"). It is public. It has a
 * commitment for each share, so a holder can check their share alone, and a forged share is named.
 *
 * The id of a ceremony is a digest of recipient, threshold, number of shares and commitments, and it is in every share.
 * So a record cannot be replaced by another without all holders noticing it. The date and the names of those who were
 * present are notes: the id does not cover them, because a share could not prove it without the record.
 */

import { encodeList, utf8 } from '../../core/bytes.ts';
import { checkOptions } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { runningSha256 } from '../../kernel/digest.ts';
import { hkdfSha256 } from '../../kernel/prf/hkdf.ts';
import { decode, encode } from '../../wire/base32.ts';
import { CEREMONY_BYTES, LEAST_THRESHOLD, MOST_SHARES, RECIPIENT_PATTERN, SHARE_FORMAT } from './share-text.ts';

/** Bytes of a commitment: 128 bits. */
const COMMITMENT_BYTES = 16;

/** The most names of people who were present, and the longest of them in UTF-16 code units. */
export const MOST_PRESENT = 64;
export const LONGEST_NAME = 200;

/** The public record of a ceremony. It is plain data: `JSON.stringify` writes `ceremony.json`. */
export interface Ceremony {
  readonly version: 'identity-share-v1';
  /** The id: 16 symbols of base32, which are 80 bits. Every share has it. */
  readonly ceremony: string;
  /** What is encrypted to this X25519 recipient of age is opened by the identity that was split. */
  readonly recipient: string;
  /** How many shares join to the identity. */
  readonly threshold: number;
  /** How many shares there are. */
  readonly shares: number;
  /** The commitment of each share, in the order of their numbers: 26 symbols of base32, which are 128 bits. */
  readonly commitments: readonly string[];
  /** The day of the ceremony, `YYYY-MM-DD` in UTC. The id does not cover it. */
  readonly made: string;
  /** Who was present. The id does not cover it. */
  readonly present: readonly string[];
}

/** What a commitment and the id of a ceremony depend on. */
export type CeremonyFacts = Pick<Ceremony, 'recipient' | 'threshold' | 'shares'>;

/** The commitment of a share: 26 symbols. */
export function commitmentOf(facts: CeremonyFacts, number: number, value: Uint8Array): string {
  const { recipient, threshold, shares } = facts;
  const info = encodeList(['commitment', recipient, `${threshold}`, `${shares}`, `${number}`]);
  return encode(hkdfSha256(value, utf8(SHARE_FORMAT), info, COMMITMENT_BYTES));
}

/** The id of a ceremony: 16 symbols. */
export function ceremonyId(facts: CeremonyFacts, commitments: readonly string[]): string {
  const { recipient, threshold, shares } = facts;
  const digest = runningSha256();
  const bytes = commitments.map((commitment) => decode(commitment)!);
  digest.add(encodeList([`${SHARE_FORMAT} ceremony`, recipient, `${threshold}`, `${shares}`, ...bytes]));
  return encode(digest.soFar().subarray(0, CEREMONY_BYTES));
}

const FIELDS = ['version', 'ceremony', 'recipient', 'threshold', 'shares', 'commitments', 'made', 'present'];

/**
 * Checks a record that was read from a file.
 *
 * @throws TypeError if it is not an object.
 * @throws TrefoilError `ceremony_broken` if it is not a record, or its id is not that of its content.
 */
export function checkCeremony(value: unknown): Ceremony {
  // The names of unknown fields are not in the message, so the check of options is used for its copy alone.
  const record = checkOptions<Partial<Record<keyof Ceremony, unknown>>>('ceremony', value, Object.keys(value ?? {}));
  if (Object.keys(record).some((name) => !FIELDS.includes(name))) broken('has a field that no ceremony has');
  const { version, ceremony, recipient, threshold, shares, commitments, made, present } = record;
  if (version !== SHARE_FORMAT) broken(`is not one of ${SHARE_FORMAT}`);
  if (typeof recipient !== 'string' || !RECIPIENT_PATTERN.test(recipient)) broken('has no X25519 recipient of age');
  if (!isCount(shares, MOST_SHARES) || !isCount(threshold, shares)) broken('has numbers that no ceremony has');
  if (typeof made !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(made)) broken('has no date of the form YYYY-MM-DD');
  const names = listOf(present, isName, MOST_PRESENT) ?? broken('has no list of the people who were present');
  const digests = listOf(commitments, isCommitment, shares) ?? broken('has no commitment for each share');
  const facts = { recipient, threshold, shares };
  if (typeof ceremony !== 'string' || digests.length !== shares || ceremonyId(facts, digests) !== ceremony) {
    broken('was changed: its id is not that of its content');
  }
  return { version: SHARE_FORMAT, ceremony, ...facts, commitments: digests, made, present: names };
}

function broken(problem: string): never {
  fail('ceremony_broken', `the record of the ceremony ${problem}; get the file from another holder`);
}

function isCount(value: unknown, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= LEAST_THRESHOLD && (value as number) <= most;
}

/**
 * Copies a list of at most `most` texts, or returns `null` if it is not one. The members are read by their indices,
 * because an object of a caller may have other methods than an array has.
 */
export function listOf(value: unknown, isMember: (member: unknown) => boolean, most: number): string[] | null {
  if (!Array.isArray(value) || value.length > most) return null;
  const members = Array.from({ length: value.length }, (_, i) => value[i] as string);
  return members.every(isMember) ? members : null;
}

/** Returns whether a text may be the name of a person who was present: not empty, and on one line. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_NAME && /^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(value);
}

function isCommitment(value: unknown): boolean {
  return typeof value === 'string' && decode(value)?.length === COMMITMENT_BYTES;
}
