/**
 * The linking game: somebody has an old table and the same table after it was renewed, in another order, and no key.
 * By the tokens alone, row by row, they guess no better than by chance. By columns that pass they do, and the test says
 * so.
 */
import { describe, expect, it } from 'vitest';
import { keep, keyset, policy, token } from '../../src/index.ts';
import { rekey } from '../../src/policy.ts';
import { random } from '../reference/random.ts';
import { secretText, testRoot } from '../reference/tree.ts';

const PAIRS = 1000;
const ROWS = 20;

const sheet = policy({ id: token({ scope: 'person', form: 'hex' }), city: keep });

/** A keyset of two epochs over a base that never protects. */
function epochs(name: string) {
  const secret = (part: string) => secretText(testRoot(`linking ${name} ${part}`));
  const keys = (primary: string) =>
    ['one', 'two'].map((id) => ({
      id,
      base: 'base',
      secret: secret(id),
      ...(id === primary ? { primary: true } : {}),
    }));
  const open = (primary: string) => {
    const base = { id: 'base', use: 'base', secret: secret('base') };
    return keyset.parse(JSON.stringify({ version: 'keyset-v1', keys: [...keys(primary), base] })).domain('eu');
  };
  return { one: open('one'), two: open('two') };
}

const bitsOf = (hex: string): bigint => BigInt(`0x${hex}`);

function weight(bits: bigint): number {
  let count = 0;
  for (let rest = bits; rest > 0n; rest &= rest - 1n) count++;
  return count;
}

interface Pair {
  readonly before: readonly { readonly id: string; readonly city: string }[];
  /** The same rows by index, after they were renewed. */
  readonly after: readonly { readonly id: string; readonly city: string }[];
}

const PAIRS_MADE: readonly Pair[] = Array.from({ length: PAIRS }, (_, i) => {
  const { one, two } = epochs(String(i));
  const rows = Array.from({ length: ROWS }, (__, r) => ({ id: `person ${r}`, city: `city ${r}` }));
  const before = sheet.bind(one).protectMany(rows) as unknown as Pair['before'];
  const moving = rekey(sheet, { from: two, to: two, fromKey: one.keyId });
  return { before, after: moving.rekeyMany(before as never) as unknown as Pair['after'] };
});

/**
 * Shows the classifier an old row and two new ones, of which one is the same row, and returns how often it is right.
 *
 * @param distance of an old row from a new one; the nearer one is taken.
 */
function success(distance: (old: Pair['before'][number], now: Pair['after'][number]) => number): number {
  const chance = random('linking');
  let right = 0;
  for (const { before, after } of PAIRS_MADE) {
    for (let r = 0; r < ROWS; r++) {
      const other = (r + 1 + chance.below(ROWS - 1)) % ROWS;
      const difference = distance(before[r]!, after[r]!) - distance(before[r]!, after[other]!);
      right += difference < 0 ? 1 : difference === 0 ? chance.below(2) : 0;
    }
  }
  return right / (PAIRS * ROWS);
}

describe(`${PAIRS} pairs of a table before and after renewal`, () => {
  it.each([
    ['equal bits', (a: bigint, b: bigint) => weight(a ^ b)],
    ['equal leading bits', (a: bigint, b: bigint) => Number((a ^ b) >> 64n)],
    ['equal trailing bits', (a: bigint, b: bigint) => Number((a ^ b) & 0xffff_ffffn)],
    ['equally many ones', (a: bigint, b: bigint) => Math.abs(weight(a) - weight(b))],
    ['the order of the tokens', (a: bigint, b: bigint) => Math.abs(Number(a >> 76n) - Number(b >> 76n))],
  ])('by %s the same row is found as often as by chance', (_, distance) => {
    const rate = success((old, now) => distance(bitsOf(old.id), bitsOf(now.id)));
    expect(Math.abs(rate - 0.5)).toBeLessThan(0.01);
  });

  it('bits of old and new tokens are not correlated', () => {
    // Of 128 × 128 pairs of bits, counted over all rows. The standard deviation of each share is 0.0035.
    const sets = PAIRS_MADE.flatMap(({ before, after }) =>
      before.map((row, r) => [bitsOf(row.id), bitsOf(after[r]!.id)] as const),
    );
    for (const i of [0, 1, 7, 8, 31, 64, 127]) {
      for (let j = 0; j < 128; j += 5) {
        const equal = sets.filter(([a, b]) => ((a >> BigInt(i)) & 1n) === ((b >> BigInt(j)) & 1n)).length;
        expect(Math.abs(equal / sets.length - 0.5), `bits ${i} and ${j}`).toBeLessThan(0.02);
      }
    }
  });

  it('by a column that passes, every row is found: renewal does not help where other columns match', () => {
    expect(success((old, now) => (old.city === now.city ? 0 : 1))).toBe(1);
  });
});
