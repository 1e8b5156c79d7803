/**
 * Proofs about formats, from what is known about their texts: that a text can be cut into parts in one way only, and
 * that no text is a value of two formats. If something is not known, nothing is concluded from it.
 */

import type { Outline } from '../engine.ts';

/** An outline with more knowledge, if there is any. */
export interface Known extends Outline {
  /** Characters that every value has somewhere, such as the @ of an address. */
  readonly has?: string;
  /** All characters that values can have; `null` if they are not known. By default those at all positions. */
  readonly all?: () => string | null;
}

/** Why no text is a value of both formats. */
export type Distinction =
  | { readonly by: 'length' }
  /** At this position the two have no character in common. */
  | { readonly by: 'position'; readonly position: number }
  /** Every value of one format has this character, and no value of the other. */
  | { readonly by: 'character'; readonly character: string; readonly inFirst: boolean };

/** A proof that two formats have no text in common; `null` if there is none. */
export function distinction(a: Known, b: Known): Distinction | null {
  // Both formats always have the positions below the smallest common length.
  const least = Math.max(a.min, b.min);
  if (least > Math.min(a.max, b.max)) return { by: 'length' };
  for (let position = 0; position < least; position++) {
    if (disjoint(a.at(position), b.at(position))) return { by: 'position', position };
  }
  for (const [whole, other, inFirst] of [
    [a, b, true],
    [b, a, false],
  ] as const) {
    for (const character of whole.has ?? '') {
      if (never(other, character)) return { by: 'character', character, inFirst };
    }
  }
  return null;
}

/** Returns whether two sets of characters are known and have none in common. */
export function disjoint(a: string | null, b: string | null): boolean {
  if (a === null || b === null || (a === b && a !== '')) return false;
  const set = new Set(a);
  for (const character of b) if (set.has(character)) return false;
  return true;
}

/** Returns whether it is known that no value has any of these characters. */
export function never(outline: Known, characters: string): boolean {
  return disjoint(allOf(outline), characters);
}

function allOf(outline: Known): string | null {
  if (outline.all !== undefined) return outline.all();
  const sets = new Set<string | null>();
  for (let position = 0; position < outline.max; position++) sets.add(outline.at(position));
  return merged(sets);
}

/** A literal. */
export function literalOutline(literal: string): Known {
  const points = [...literal];
  return { min: points.length, max: points.length, at: (position) => points[position] ?? '', has: literal };
}

/** Texts of several formats, one after the other. */
export function concatenated(outlines: readonly Known[]): Known {
  let min = 0;
  let max = 0;
  // A part begins somewhere from `from` to `to`.
  const places = outlines.map((outline) => {
    const place = { outline, from: min, to: max };
    min += outline.min;
    max += outline.max;
    return place;
  });
  const at = memo((position) => {
    const sets = new Set<string | null>();
    for (const { outline, from, to } of places) {
      const last = Math.min(outline.max - 1, position - from);
      for (let inside = Math.max(0, position - to); inside <= last; inside++) sets.add(outline.at(inside));
    }
    return merged(sets);
  });
  return {
    min,
    max,
    at,
    has: merged(new Set(outlines.map((outline) => outline.has ?? ''))) ?? '',
    // From the parts and not position by position, because a whole of many parts has many positions.
    all: unionOf(outlines),
  };
}

/** What is known about the texts of several formats together. */
export function united(outlines: readonly Known[]): Known {
  return {
    min: Math.min(...outlines.map((outline) => outline.min)),
    max: Math.max(...outlines.map((outline) => outline.max)),
    at: memo((position) => {
      return merged(new Set(outlines.filter(({ max }) => position < max).map((outline) => outline.at(position))));
    }),
    has: [...(outlines[0]?.has ?? '')]
      .filter((character) => outlines.every((outline) => outline.has?.includes(character)))
      .join(''),
    all: unionOf(outlines),
  };
}

/** The characters of several sets; `null` if one of the sets is not known. */
function merged(sets: ReadonlySet<string | null>): string | null {
  if (sets.has(null)) return null;
  if (sets.size === 1) return [...sets][0] as string;
  const all = new Set<string>();
  for (const set of sets as ReadonlySet<string>) for (const character of set) all.add(character);
  return [...all].join('');
}

/** All characters of several formats, collected when they are first needed. */
function unionOf(outlines: readonly Known[]): () => string | null {
  let union: string | null | undefined;
  return () => {
    if (union === undefined) union = merged(new Set(outlines.map(allOf)));
    return union;
  };
}

function memo(at: Outline['at']): Outline['at'] {
  const known: (string | null)[] = [];
  return (position) => {
    const found = known[position];
    if (found !== undefined) return found;
    const made = at(position);
    known[position] = made;
    return made;
  };
}
