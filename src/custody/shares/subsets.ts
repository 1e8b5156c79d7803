/** Choosing some of several things. */

/** Every choice of `size` items, in the order of the list. 16 items have at most 12,870 choices. */
export function* subsetsOf<T>(items: readonly T[], size: number): Generator<T[], void, undefined> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let first = 0; first + size <= items.length; first++) {
    for (const rest of subsetsOf(items.slice(first + 1), size - 1)) yield [items[first]!, ...rest];
  }
}
