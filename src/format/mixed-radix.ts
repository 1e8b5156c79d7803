/**
 * Several indices, each below a size of its own, as one number, and back. All arithmetic is exact: in `number` if the
 * product of the sizes is at most 2^53, else in `bigint`.
 */

import { asIndex, type Index } from './engine.ts';

/** The product of sizes. It is exact: if it may not be below 2^53, it is computed in bigint. */
export function product(sizes: readonly Index[]): Index {
  let size = 1;
  for (const each of sizes) {
    if (typeof each === 'bigint') return wideProduct(sizes);
    size *= each;
    if (size >= 2 ** 53) return wideProduct(sizes);
  }
  return size;
}

function wideProduct(sizes: readonly Index[]): Index {
  return asIndex(sizes.reduce<bigint>((size, each) => size * BigInt(each), 1n));
}

/** Writes indices as one number in mixed radix, most significant first. `size` is the product of the sizes. */
export function mix(sizes: readonly Index[], indices: readonly Index[], size: Index): Index {
  if (typeof size === 'number') {
    let index = 0;
    for (let i = 0; i < sizes.length; i++) index = index * (sizes[i] as number) + (indices[i] as number);
    return index;
  }
  let index = 0n;
  for (let i = 0; i < sizes.length; i++) index = index * BigInt(sizes[i]!) + BigInt(indices[i]!);
  return index;
}

/** The inverse of {@link mix}. An index is a `number` if its size is a `number`. */
export function unmix(sizes: readonly Index[], index: Index): Index[] {
  const indices = new Array<Index>(sizes.length);
  let rest = index;
  for (let i = sizes.length - 1; i >= 0; i--) {
    const size = sizes[i]!;
    if (typeof rest === 'number') {
      const next = Math.floor(rest / (size as number));
      indices[i] = rest - next * (size as number);
      rest = next;
    } else {
      const here: bigint = rest % BigInt(size);
      indices[i] = typeof size === 'number' ? Number(here) : here;
      rest /= BigInt(size);
    }
  }
  return indices;
}
