/** The lines of an export, from a source in pieces of any size. */

import { badType, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';

/** The lines of an export: text, or UTF-8, in pieces of any size. */
export type ExportSource = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

/** A line with its number from 1. */
export interface Line {
  readonly text: string;
  readonly line: number;
}

/** Most characters of a line: a body of 2 MiB in base64url, and the other fields. */
const MAX_LINE = 3 << 20;

/** Yields the lines of a source. */
export async function* linesOf(source: ExportSource): AsyncGenerator<Line, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  let line = 0;
  for await (const piece of piecesOf(source)) {
    if (typeof piece !== 'string' && !(piece instanceof Uint8Array)) {
      badType('source', `expected text or bytes in pieces, got ${typeName(piece)}`);
    }
    const texts = (rest + (typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true }))).split('\n');
    rest = texts.pop()!;
    for (const text of texts) yield { text, line: ++line };
    if (rest.length > MAX_LINE) fail('row_broken', 'the line is longer than any line of an export', { line: line + 1 });
  }
  if (rest !== '') yield { text: rest, line: line + 1 };
}

/** Callers often have all lines as one text. It counts as one piece; iterating it would yield its characters. */
function piecesOf(source: unknown): ExportSource {
  if (typeof source === 'string') return [source];
  const isIterable =
    typeof source === 'object' && source !== null && (Symbol.asyncIterator in source || Symbol.iterator in source);
  if (!isIterable || source instanceof Uint8Array) {
    badType('source', `expected the lines of an export in pieces, got ${typeName(source)}`);
  }
  return source as ExportSource;
}
