/**
 * The two packages that a caller passes: `age-encryption` for the recipient of an identity, `shamir-secret-sharing` for
 * the polynomials. What they return is checked, and nothing of their errors is passed on, because a message of another
 * package may quote its input.
 *
 * Traps of `shamir-secret-sharing` 0.0.4 that are handled here and by the text of a share: `combine` returns wrong
 * bytes for too few shares and for shares of two ceremonies; it accepts the point 0, at which one holder dictates the
 * result; it refuses a `Buffer`; `split` accepts a threshold of 2.5 and draws its points at random.
 */

import { badType } from '../../core/checks.ts';
import { identityText } from './identity-text.ts';
import { RECIPIENT_PATTERN, SECRET_BYTES } from './share-text.ts';

/** The part of `age-encryption` that is needed: the recipient of an identity. */
export interface AgePackage {
  identityToRecipient(identity: string): Promise<string>;
}

/** The package `shamir-secret-sharing`. A share is its values, followed by its point as one byte. */
export interface ShamirPackage {
  split(secret: Uint8Array, shares: number, threshold: number): Promise<Uint8Array[]>;
  combine(shares: Uint8Array[]): Promise<Uint8Array>;
}

/** A point of the polynomials: where, and the value of each. */
export interface Point {
  /** From 1 to 255. At 0 is the identity. */
  readonly at: number;
  /** 32 bytes. */
  readonly value: Uint8Array;
}

/** Checks that a caller passed the two packages. */
export function checkPackages(age: unknown, shamir: unknown): void {
  if (!hasFunctions(age, ['identityToRecipient'])) badType('age', 'expected the package age-encryption');
  if (!hasFunctions(shamir, ['split', 'combine'])) badType('shamir', 'expected the package shamir-secret-sharing');
}

function hasFunctions(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}

/** The recipient of an identity of 32 bytes. */
export async function recipientOf(age: AgePackage, secret: Uint8Array): Promise<string> {
  const recipient = await quietly('age', age.identityToRecipient(identityText(secret)));
  if (typeof recipient !== 'string' || !RECIPIENT_PATTERN.test(recipient)) {
    badType('age', 'returned a text that is not an X25519 recipient');
  }
  return recipient;
}

/** Draws polynomials whose values at 0 are the bytes of a secret, and returns `count` points of them. */
export async function drawPoints(
  shamir: ShamirPackage,
  secret: Uint8Array,
  count: number,
  threshold: number,
): Promise<Point[]> {
  const shares: unknown = await quietly('shamir', shamir.split(Uint8Array.from(secret), count, threshold));
  if (!Array.isArray(shares) || shares.length !== count) badType('shamir', 'returned another number of shares');
  const points = shares.map((share: unknown): Point => {
    const bytes = checkBytes(share, SECRET_BYTES + 1);
    return { at: bytes[SECRET_BYTES]!, value: bytes.slice(0, SECRET_BYTES) };
  });
  const places = new Set(points.map(({ at }) => at));
  if (places.has(0) || places.size !== count) badType('shamir', 'returned two shares of one point, or one at 0');
  return points;
}

/**
 * The values of the polynomials at a place, 0 for the identity.
 *
 * The package joins at 0 only. Adding a constant to all points moves the polynomials along, and addition is an
 * exclusive or in this field, so the points are moved by `place` first.
 *
 * @param points as many different points as the threshold, none of them at 0.
 */
export async function valueAt(shamir: ShamirPackage, points: readonly Point[], place: number): Promise<Uint8Array> {
  const known = points.find(({ at }) => at === place);
  if (known !== undefined) return Uint8Array.from(known.value);
  const moved = points.map(({ at, value }) => Uint8Array.of(...value, at ^ place));
  const joined = await quietly('shamir', shamir.combine(moved));
  for (const share of moved) share.fill(0);
  return Uint8Array.from(checkBytes(joined, SECRET_BYTES));
}

function checkBytes(value: unknown, length: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== length) {
    badType('shamir', `returned something else than ${length} bytes`);
  }
  return value;
}

/** Waits for a package. Its error is replaced, and is no cause of ours either. */
async function quietly<T>(argument: 'age' | 'shamir', work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch {
    return badType(argument, 'failed; pass the package in the version that docs/guide/keys/split-custody.md names');
  }
}
