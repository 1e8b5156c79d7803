/**
 * How long the body of a token has to be for a number of values (docs/spec/token-v1.md, "Forms"): what `planLength`
 * answers and what a `token` rule with a `length` is checked for.
 *
 * Collisions are bounded with the birthday bound: among n values there are n (n - 1) / 2 pairs, and a pair gets one
 * body with a probability of 1 / bodies. The comparison is exact: whole numbers, no floating-point logarithms.
 */

import { badRange, badType, checkInteger, checkOneOf, checkOptions, typeName } from '../core/checks.ts';
import { SHORTEST_BODY } from './labelled-token.ts';
import { FORMS, type Form, formOf } from './token-forms.ts';

/** The largest probability of a collision that is allowed if none is set. */
export const DEFAULT_COLLISION_PROBABILITY = 1e-6;

/** Options of {@link planLength}. */
export interface LengthPlan {
  /** How many different values there will be at most: a whole number from 2 to 2^53 - 1. */
  readonly population: number;
  /**
   * The largest probability, above 0 and below 1, with which any two of the values may get the same token. The default
   * is one in a million.
   */
  readonly maxCollisionProbability?: number;
  /** `labelled` (the default), `bare`, `hex`, `base64url` or `digits`. A `uuid` has only one length. */
  readonly form?: Form;
}

/**
 * Returns the shortest `length` of {@link token} that keeps the probability of a collision below a limit.
 *
 * For n values and bodies of b bits, the probability is taken as n (n - 1) / 2 / 2^b (the birthday bound), which is
 * never below the true one.
 *
 * @throws RangeError if no length of the form is enough; TypeError or RangeError, naming the option, for other
 *   mistakes.
 *
 * @example
 * ```ts
 * import { planLength } from 'trefoil';
 *
 * planLength({ population: 1_000_000, maxCollisionProbability: 1e-6 }); // → 12
 * planLength({ population: 1_000_000, maxCollisionProbability: 1e-6, form: 'digits' }); // → 18
 * ```
 */
export function planLength(options: LengthPlan): number {
  const { form = 'labelled', ...plan } = checkOptions('options', options, [
    'population',
    'maxCollisionProbability',
    'form',
  ]) as unknown as LengthPlan;
  checkOneOf('form', form, FORMS);
  const { population, limit } = checkPlan(plan);
  const { whole, bodies } = formOf(form);
  const first = form === 'uuid' ? whole : SHORTEST_BODY;
  for (let length = first; length <= whole; length++) {
    if (suffices(population, bodies(length), limit)) return length;
  }
  badRange(
    'population',
    `is too large for the form ${form}: even with ${whole} characters, two values collide with a probability of up to ` +
      `${collisionBound(population, bodies(whole))}, and at most ${shown(limit)} is allowed`,
  );
}

/**
 * Checks the options of a `token` rule that decide the length of its bodies, and returns this length. A rule with
 * bodies that are shorter than the whole must name its population, and the length must suffice for it.
 */
export function checkLength(
  form: Form,
  options: { readonly length?: unknown; readonly population?: unknown; readonly maxCollisionProbability?: unknown },
): number {
  const { whole, bodies } = formOf(form);
  if (options.length !== undefined && form === 'uuid') {
    badRange('length', 'does not apply to a uuid, which has only one length; leave it out');
  }
  const length = options.length === undefined ? whole : checkInteger('length', options.length, SHORTEST_BODY, whole);
  if (options.population === undefined) {
    if (options.maxCollisionProbability !== undefined) {
      badRange(
        'maxCollisionProbability',
        'needs a population as well; set how many different values there will be at most',
      );
    }
    if (length < whole) {
      badRange(
        'length',
        `is shorter than ${whole}, so it needs a population; set how many different values there will be at most`,
      );
    }
    return length;
  }
  const { population, limit } = checkPlan(options);
  if (!suffices(population, bodies(length), limit)) {
    badRange(
      'length',
      `is too short: with ${length} characters (${Math.log2(Number(bodies(length))).toFixed(1)} bits), two of ` +
        `${population} values collide with a probability of up to ${collisionBound(population, bodies(length))}, and at ` +
        `most ${shown(limit)} is allowed; planLength computes the length`,
    );
  }
  return length;
}

function checkPlan(plan: { readonly population?: unknown; readonly maxCollisionProbability?: unknown }): {
  readonly population: number;
  readonly limit: number;
} {
  const population = checkInteger('population', plan.population, 2, Number.MAX_SAFE_INTEGER);
  const { maxCollisionProbability: limit = DEFAULT_COLLISION_PROBABILITY } = plan;
  if (typeof limit !== 'number') badType('maxCollisionProbability', `expected a number, got ${typeName(limit)}`);
  if (!(limit > 0 && limit < 1)) badRange('maxCollisionProbability', 'expected a number above 0 and below 1');
  return { population, limit };
}

/** How many pairs of values there are. */
function pairs(population: number): bigint {
  return (BigInt(population) * BigInt(population - 1)) / 2n;
}

/** Whether pairs / bodies is at most a probability. This is exact: a double is a whole number over a power of two. */
function suffices(population: number, bodies: bigint, limit: number): boolean {
  let whole = limit;
  let halvings = 0n;
  for (; !Number.isInteger(whole); halvings++) whole *= 2;
  return pairs(population) << halvings <= BigInt(whole) * bodies;
}

/** The bound as a message shows it. */
function collisionBound(population: number, bodies: bigint): string {
  return shown(Number(pairs(population)) / Number(bodies));
}

function shown(probability: number): string {
  return probability >= 1 ? '1' : probability.toExponential(1);
}
