/// <reference types="node" />
/**
 * Reads lines that name people: subjects and tokens. They come from standard input or a file, never from an argument,
 * which every user of a machine can see.
 *
 * Lines end with LF or CRLF and are separated as bytes. A reader that also ended a line at U+2028, or that replaced
 * bytes that are not UTF-8, would read another subject than the one that was written.
 */

import { TrefoilError } from '../errors.ts';
import { UsageError } from './exit.ts';

/** A line. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/** Longest line in bytes. */
const MAX_LINE = 1_048_576;

const TOO_LONG = 'the line is longer than 1,048,576 bytes';

const LF = 10;
const CR = 13;

/**
 * The bytes of standard input, until the run is interrupted.
 *
 * @param items what standard input holds, for the message: "subjects", "tokens".
 * @throws UsageError if standard input is a terminal.
 */
export async function* standardInput(signal: AbortSignal, items: string): AsyncGenerator<Uint8Array, void, undefined> {
  if (process.stdin.isTTY)
    throw new UsageError(`the ${items} are missing`, `pass them on standard input, one per line`);
  signal.throwIfAborted();
  const stop = () => process.stdin.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    yield* process.stdin as AsyncIterable<Uint8Array>;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/**
 * The lines of a source of bytes, each as soon as it is complete.
 *
 * @throws TrefoilError `not_utf8`, `too_long`, with the number of the line.
 */
export async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Line, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let number = 0;
  let rest: Uint8Array = new Uint8Array(0);
  const lineOf = (bytes: Uint8Array): Line => {
    number++;
    const end = bytes.at(-1) === CR ? bytes.length - 1 : bytes.length;
    if (end > MAX_LINE) refuse('too_long', TOO_LONG, number);
    try {
      return { number, text: decoder.decode(bytes.subarray(0, end)) };
    } catch {
      return refuse('not_utf8', 'the line is not UTF-8', number);
    }
  };
  for await (const chunk of source) {
    let from = 0;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
      const line = lineOf(
        rest.length === 0 ? chunk.subarray(from, at) : Buffer.concat([rest, chunk.subarray(from, at)]),
      );
      rest = new Uint8Array(0);
      from = at + 1;
      yield line;
    }
    // A line that is too long is refused before all of it is in memory.
    if (rest.length + chunk.length - from > MAX_LINE + 1) refuse('too_long', TOO_LONG, number + 1);
    if (from < chunk.length) rest = Buffer.concat([rest, chunk.subarray(from)]);
  }
  if (rest.length > 0) yield lineOf(rest);
}

function refuse(code: 'too_long' | 'not_utf8', message: string, line: number): never {
  throw new TrefoilError([{ code, message, line }]);
}

/** White space at an end, zero-width characters included. */
const PADDED = /^[\s\u200b-\u200f\u2060]|[\s\u200b-\u200f\u2060]$/u;

/** Characters that no subject or token contains: the line comes from a pasted table or from a file of another kind. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** What makes a line look like a mistake; `null` if nothing does. */
export function oddity(text: string): string | null {
  if (PADDED.test(text)) return 'the line begins or ends with white space';
  if (CONTROL.test(text)) return 'the line contains a control character, such as a tab';
  return null;
}
