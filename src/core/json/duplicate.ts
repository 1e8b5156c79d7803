/** Finds the name that an object of a JSON text has twice, after `scanJson` (`scan.ts`) has found that there is one. */

import { endOfString } from './scan.ts';

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_ARRAY = 91;
const CLOSE_ARRAY = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/** A place in a JSON value: the name in each object and the index in each array on the way to it. */
export type JsonPlace = readonly (string | number)[];

/** A name that an object has twice. */
export interface DuplicateName {
  /** Index in the text at which the name is for the second time. */
  readonly at: number;
  /** The place of its value. */
  readonly place: JsonPlace;
}

/** An object or array that is open. */
interface Open {
  /** The names that were read; `null` for an array. */
  readonly names: Set<string> | null;
  /** The current name or index. */
  key: string | number;
}

/**
 * Returns the first name of a JSON text that its object has already; `null` if there is none. It takes one pass, and
 * holds the names of the objects that are open.
 */
export function duplicateName(text: string): DuplicateName | null {
  const open: Open[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const inner = open[open.length - 1];
    if (code === QUOTE) {
      start = i;
      i = endOfString(text, i);
    } else if (code === COLON) {
      // A name is a string followed by a colon.
      const name = JSON.parse(text.slice(start, text.lastIndexOf('"', i) + 1)) as string;
      inner!.key = name;
      if (inner!.names!.has(name)) return { at: start, place: open.map(({ key }) => key) };
      inner!.names!.add(name);
    } else if (code === COMMA) {
      if (inner!.names === null) (inner!.key as number)++;
    } else if (code === OPEN_OBJECT) open.push({ names: new Set(), key: '' });
    else if (code === OPEN_ARRAY) open.push({ names: null, key: 0 });
    else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) open.pop();
  }
  return null;
}
