/**
 * A second parser of JSON, to compare the library with. It follows RFC 8259 literally and has a function for each rule
 * of the grammar. Unlike `JSON.parse`, it finds duplicate names in an object, and the depth.
 */

/** The result of reading. */
export interface LiteralJson {
  readonly value: unknown;
  readonly duplicate: boolean;
  readonly depth: number;
}

/** A number, character by character. */
export class Digits {
  constructor(readonly text: string) {}
}

/** Reads a text. Returns `null` if it is not JSON. */
export function readJson(text: string): LiteralJson | null {
  let at = 0;
  let duplicate = false;
  let deepest = 0;

  class No extends Error {}
  const white = (): void => {
    while (text[at] === ' ' || text[at] === '\t' || text[at] === '\n' || text[at] === '\r') at++;
  };
  const take = (expected: string): void => {
    if (!text.startsWith(expected, at)) throw new No();
    at += expected.length;
  };
  const digits = (): void => {
    const from = at;
    while (text[at]! >= '0' && text[at]! <= '9') at++;
    if (at === from) throw new No();
  };

  function value(depth: number): unknown {
    deepest = Math.max(deepest, depth);
    if (text[at] === '{') return object(depth + 1);
    if (text[at] === '[') return array(depth + 1);
    if (text[at] === '"') return string();
    for (const [word, meant] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return meant;
      }
    }
    return number();
  }

  function object(depth: number): unknown {
    deepest = Math.max(deepest, depth);
    const found = new Map<string, unknown>();
    take('{');
    white();
    if (text[at] === '}') {
      at++;
      return {};
    }
    for (;;) {
      white();
      const name = string();
      white();
      take(':');
      white();
      if (found.has(name)) duplicate = true;
      found.set(name, value(depth));
      white();
      if (text[at] === '}') break;
      take(',');
    }
    at++;
    return Object.fromEntries(found);
  }

  function array(depth: number): unknown {
    deepest = Math.max(deepest, depth);
    const found: unknown[] = [];
    take('[');
    white();
    if (text[at] === ']') {
      at++;
      return found;
    }
    for (;;) {
      white();
      found.push(value(depth));
      white();
      if (text[at] === ']') break;
      take(',');
    }
    at++;
    return found;
  }

  function string(): string {
    take('"');
    let read = '';
    for (;;) {
      const character = text[at];
      if (character === undefined || character < ' ') throw new No();
      at++;
      if (character === '"') return read;
      if (character !== '\\') {
        read += character;
        continue;
      }
      const kind = text[at++];
      const simple = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }[kind ?? ''];
      if (simple !== undefined) {
        read += simple;
        continue;
      }
      const hex = text.slice(at, at + 4);
      if (kind !== 'u' || !/^[0-9A-Fa-f]{4}$/.test(hex)) throw new No();
      read += String.fromCharCode(Number.parseInt(hex, 16));
      at += 4;
    }
  }

  function number(): Digits {
    const from = at;
    if (text[at] === '-') at++;
    if (text[at] === '0') at++;
    else digits();
    if (text[at] === '.') {
      at++;
      digits();
    }
    if (text[at] === 'e' || text[at] === 'E') {
      at++;
      if (text[at] === '+' || text[at] === '-') at++;
      digits();
    }
    return new Digits(text.slice(from, at));
  }

  try {
    white();
    const read = value(0);
    white();
    return at === text.length ? { value: read, duplicate, depth: deepest } : null;
  } catch (error) {
    if (error instanceof No) return null;
    throw error;
  }
}
