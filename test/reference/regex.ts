/**
 * A second, slow implementation of regular expressions, which follows docs/spec/fpe-v1.md literally. Languages are sets
 * of texts, states are sets of suffixes, and ranks are counted along the canonical text. It uses no code of the
 * library.
 */
import type { Random } from './random.ts';

/** An expression as a tree. */
export type Tree =
  | { readonly kind: 'class'; readonly points: readonly number[] }
  | { readonly kind: 'sequence'; readonly parts: readonly Tree[] }
  | { readonly kind: 'choice'; readonly choices: readonly Tree[] }
  | { readonly kind: 'repeat'; readonly node: Tree; readonly least: number; readonly most: number };

/** All texts of a tree. Returns `null` if there are more than a limit, in the result or in an intermediate result. */
export function languageOf(tree: Tree, most: number): ReadonlySet<string> | null {
  switch (tree.kind) {
    case 'class':
      return new Set(tree.points.map((point) => String.fromCodePoint(point)));
    case 'sequence': {
      let all: ReadonlySet<string> | null = new Set(['']);
      for (const part of tree.parts) all = joined(all, languageOf(part, most), most);
      return all;
    }
    case 'choice': {
      const all = new Set<string>();
      for (const each of tree.choices) {
        const texts = languageOf(each, most);
        if (texts === null) return null;
        for (const text of texts) all.add(text);
      }
      return all.size > most ? null : all;
    }
    case 'repeat': {
      const once = languageOf(tree.node, most);
      let power: ReadonlySet<string> | null = new Set(['']);
      const all = new Set<string>();
      for (let count = 0; count <= tree.most; count++) {
        if (power === null) return null;
        if (count >= tree.least) for (const text of power) all.add(text);
        if (count < tree.most) power = joined(power, once, most);
      }
      return all.size > most ? null : all;
    }
  }
}

function joined(
  a: ReadonlySet<string> | null,
  b: ReadonlySet<string> | null,
  most: number,
): ReadonlySet<string> | null {
  if (a === null || b === null || a.size * b.size > 4 * most) return null;
  const all = new Set<string>();
  for (const start of a) for (const end of b) all.add(start + end);
  return all.size > most ? null : all;
}

/** Compares texts by their length in code points, then code point by code point. */
export function compareTexts(a: string, b: string): number {
  const [x, y] = [[...a], [...b]];
  if (x.length !== y.length) return x.length - y.length;
  for (let i = 0; i < x.length; i++) {
    if (x[i] !== y[i]) return x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!;
  }
  return 0;
}

/** The canonical text: states are the sets of suffixes (Myhill and Nerode), numbered breadth first. */
export function canonicalOf(language: Iterable<string>): string {
  const name = (suffixes: readonly string[]) => JSON.stringify([...new Set(suffixes)].sort());
  const numbers = new Map<string, number>();
  const queue: (readonly string[])[] = [];
  const numberOf = (suffixes: readonly string[]): number => {
    const known = numbers.get(name(suffixes));
    if (known !== undefined) return known;
    numbers.set(name(suffixes), queue.length);
    return queue.push(suffixes) - 1;
  };
  numberOf([...language]);
  const states: string[] = [];
  for (const suffixes of queue) {
    const byPoint = new Map<number, string[]>();
    for (const suffix of suffixes) {
      const point = suffix.codePointAt(0);
      if (point === undefined) continue;
      const rest = suffix.slice(String.fromCodePoint(point).length);
      byPoint.set(point, [...(byPoint.get(point) ?? []), rest]);
    }
    const ranges: { first: number; last: number; target: number }[] = [];
    for (const point of [...byPoint.keys()].sort((a, b) => a - b)) {
      const target = numberOf(byPoint.get(point)!);
      const before = ranges.at(-1);
      if (before?.last === point - 1 && before.target === target) before.last = point;
      else ranges.push({ first: point, last: point, target });
    }
    const leads = ranges.map(({ first, last, target }) =>
      first === last ? `${first.toString(16)}>${target}` : `${first.toString(16)}-${last.toString(16)}>${target}`,
    );
    states.push(`${suffixes.includes('') ? '+' : ''}${leads.join(',')}`);
  }
  return states.join(';');
}

/** Rank and unrank, computed only from the canonical text. */
export function counted(canonical: string) {
  const states = canonical.split(';').map((text) => ({
    accepts: text.startsWith('+'),
    ranges: text
      .replace('+', '')
      .split(',')
      .filter((lead) => lead !== '')
      .map((lead) => {
        const [, first, last, target] = /^([0-9a-f]+)(?:-([0-9a-f]+))?>(\d+)$/.exec(lead)!;
        return {
          first: Number.parseInt(first!, 16),
          last: Number.parseInt(last ?? first!, 16),
          target: Number(target),
        };
      }),
  }));

  const known = new Map<string, bigint>();
  /** The number of texts of a length that are accepted from a state. */
  function count(state: number, length: number): bigint {
    const { accepts, ranges } = states[state]!;
    if (length === 0) return accepts ? 1n : 0n;
    const key = `${state} ${length}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    let sum = 0n;
    for (const { first, last, target } of ranges) sum += BigInt(last - first + 1) * count(target, length - 1);
    known.set(key, sum);
    return sum;
  }

  const MAX_LENGTH = 256;
  let size = 0n;
  for (let length = 0; length <= MAX_LENGTH; length++) size += count(0, length);

  function rank(text: string): bigint | null {
    const points = [...text].map((character) => character.codePointAt(0)!);
    let index = 0n;
    for (let length = 0; length < points.length; length++) index += count(0, length);
    let state = 0;
    for (const [at, point] of points.entries()) {
      let next: number | undefined;
      for (const { first, last, target } of states[state]!.ranges) {
        const left = points.length - at - 1;
        if (point > last) index += BigInt(last - first + 1) * count(target, left);
        else if (point >= first) {
          index += BigInt(point - first) * count(target, left);
          next = target;
        }
      }
      if (next === undefined) return null;
      state = next;
    }
    return states[state]!.accepts ? index : null;
  }

  function unrank(index: bigint): string {
    let length = 0;
    let rest = index;
    for (; rest >= count(0, length); length++) rest -= count(0, length);
    let state = 0;
    let text = '';
    for (; length > 0; length--) {
      for (const { first, last, target } of states[state]!.ranges) {
        const each = count(target, length - 1);
        const values = BigInt(last - first + 1) * each;
        if (rest < values) {
          text += String.fromCodePoint(first + Number(rest / each));
          rest %= each;
          state = target;
          break;
        }
        rest -= values;
      }
    }
    return text;
  }

  return { size, states: states.length, rank, unrank };
}

/**
 * The characters of the trees: digits, adjacent letters, signs that need an escape, and longer ones in UTF-8 and
 * UTF-16.
 */
export const ALPHABET: readonly number[] = [...'0123456789abcABZ_-]^. é\u{1f600}\u{1f601}\ue000\ud7ff'].map(
  (character) => character.codePointAt(0)!,
);

/** A pseudo-random tree of a depth. */
export function randomTree(source: Random, depth: number): Tree {
  const { below } = source;
  const kind = depth === 0 ? 0 : below(4);
  if (kind === 0) {
    if (below(4) === 0) return { kind: 'class', points: [...'0123456789'].map((digit) => digit.codePointAt(0)!) };
    const points = Array.from({ length: 1 + below(3) }, () => ALPHABET[below(ALPHABET.length)]!);
    return { kind: 'class', points: [...new Set(points)] };
  }
  const children = () => Array.from({ length: 1 + below(3) }, () => randomTree(source, depth - 1));
  if (kind === 1) return { kind: 'sequence', parts: below(8) === 0 ? [] : children() };
  if (kind === 2) return { kind: 'choice', choices: children() };
  const least = below(3);
  return { kind: 'repeat', node: randomTree(source, depth - 1), least, most: least + below(3) };
}

/** Writes a tree in one of several ways, which mean the same in JavaScript with the flag `u`. */
export function write(tree: Tree, { below }: Random): string {
  const one = (point: number, inClass: boolean): string => {
    const character = String.fromCodePoint(point);
    const ways = [`\\u{${point.toString(16)}}`];
    if (point <= 0xff) ways.push(`\\x${point.toString(16).padStart(2, '0')}`);
    if (point <= 0xffff) ways.push(`\\u${point.toString(16).padStart(4, '0')}`);
    if (/^[\^$\\.*+?()[\]{}|/]$/.test(character) || (inClass && character === '-')) ways.push(`\\${character}`);
    else ways.push(character, character, character);
    return ways[below(ways.length)]!;
  };
  const group = (text: string): string => (below(2) === 0 ? `(${text})` : `(?:${text})`);
  const writeTree = (node: Tree): string => {
    switch (node.kind) {
      case 'class': {
        const { points } = node;
        if (points.length === 1 && below(2) === 0) return one(points[0]!, false);
        if (points.length === 10 && points[0] === 0x30) return ['\\d', '[\\d]', '[0-9]'][below(3)]!;
        if (below(4) === 0) return group(points.map((point) => one(point, false)).join('|'));
        return `[${points.map((point) => one(point, true)).join('')}]`;
      }
      case 'sequence':
        return group(node.parts.map(writeTree).join(''));
      case 'choice':
        return group(node.choices.map(writeTree).join('|'));
      case 'repeat': {
        const { least, most } = node;
        const bounds = least === most && below(2) === 0 ? `{${least}}` : `{${least},${most}}`;
        return `${group(writeTree(node.node))}${least === 0 && most === 1 && below(2) === 0 ? '?' : bounds}`;
      }
    }
  };
  const text = writeTree(tree);
  return ['', '^'][below(2)]! + text + ['', '$'][below(2)]!;
}
