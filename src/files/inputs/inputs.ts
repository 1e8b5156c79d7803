/// <reference types="node" />
/**
 * Inputs: which files are meant, and their bytes as UTF-8, unpacked. Nothing about a file is guessed: its name says how
 * it is packed unless the caller does, and UTF-16 is told by its byte order mark or not at all.
 */

import { fstatSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { glob, isDynamicPattern } from 'tinyglobby';
import { fail } from '../../errors.ts';
import { openInput, systemError } from '../file.ts';
import { type Compression, compressionOfBytes, compressionOfName, unpack } from './compression.ts';

/** Standard input as an input. */
export const STDIN = '-';

/**
 * The files that paths and patterns (`*`, `?`, `**`, `{a,b}`, `[0-9]`) name. Patterns are sorted by code units, so that
 * the order does not depend on the file system; a file whose name looks like a pattern is meant itself.
 *
 * @throws TrefoilError `io_failed` for a pattern without a file.
 */
export async function expandInputs(inputs: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const input of inputs) {
    if (input === STDIN || !isDynamicPattern(input) || (await exists(input))) {
      found.push(input);
      continue;
    }
    const files = (await glob(input, { dot: false, expandDirectories: false })).sort();
    if (files.length === 0) fail('io_failed', 'no file matches the pattern', { file: input });
    found.push(...files);
  }
  return found;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The compression of an input: what the caller says, or its name. */
export function inputCompression(path: string, said: Compression | undefined): Compression {
  return said ?? (path === STDIN ? 'none' : compressionOfName(path).compression);
}

/**
 * The bytes of an input, unpacked, as UTF-8, from an offset on.
 *
 * @param skip bytes of the unpacked input to leave out, for a run that is resumed.
 * @throws TrefoilError `io_failed`, `bad_compression`, `not_utf8`.
 */
export async function openBytes(
  path: string,
  compression: Compression,
  skip = 0,
): Promise<AsyncGenerator<Uint8Array, void, undefined>> {
  const raw = path === STDIN ? standardInput() : await openInput(path);
  return after(toUtf8(unpack(refusePacked(raw, compression, path), compression, path), path), skip);
}

async function* standardInput(): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    // Node gives a directory as an empty stream.
    if (fstatSync(0).isDirectory()) fail('io_failed', 'cannot be read: it is a directory', { file: 'standard input' });
    for await (const chunk of process.stdin) yield chunk as Uint8Array;
  } catch (error) {
    throw systemError(error, 'cannot be read', 'standard input');
  }
}

/** Refuses packed bytes where plain ones are expected: the parser's complaint would be of no help. */
async function* refusePacked(
  source: AsyncIterable<Uint8Array>,
  said: Compression,
  path: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let first = true;
  for await (const chunk of source) {
    const seen = first && said === 'none' ? compressionOfBytes(chunk) : 'none';
    if (seen !== 'none') {
      const message = `the input is compressed with ${seen}; set --input-compression ${seen}, or give it the extension of that compression`;
      fail('bad_compression', message, { file: path === STDIN ? 'standard input' : path });
    }
    first = false;
    yield chunk;
  }
}

/** UTF-16 with its byte order mark becomes UTF-8 without one; everything else passes as it is. */
async function* toUtf8(source: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  let decoder: TextDecoder | null = null;
  let head: Uint8Array | null = new Uint8Array(0);
  let line = 1;
  const decode = (bytes: Uint8Array, stream: boolean): Uint8Array => {
    try {
      const text = decoder!.decode(bytes, { stream });
      for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) line++;
      return encoder.encode(text);
    } catch {
      return fail('not_utf8', 'the input begins as UTF-16 and has bytes that are not; convert it to UTF-8', {
        line,
        file: path,
      });
    }
  };
  for await (const chunk of source) {
    let bytes = chunk;
    if (head !== null) {
      bytes = head.length === 0 ? chunk : joined(head, chunk);
      if (bytes.length < 2) {
        head = bytes.slice();
        continue;
      }
      head = null;
      const encoding = encodingOf(bytes);
      if (encoding !== null) decoder = new TextDecoder(encoding, { fatal: true });
    }
    yield decoder === null ? bytes : decode(bytes, true);
  }
  if (head !== null && head.length > 0) yield head;
  if (decoder !== null) {
    const rest = decode(new Uint8Array(0), false);
    if (rest.length > 0) yield rest;
  }
}

function encodingOf([a, b]: Uint8Array): string | null {
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  return a === 0xfe && b === 0xff ? 'utf-16be' : null;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

async function* after(
  source: AsyncGenerator<Uint8Array, void, undefined>,
  skip: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = skip;
  for await (const chunk of source) {
    if (left >= chunk.length) left -= chunk.length;
    else {
      yield left === 0 ? chunk : chunk.subarray(left);
      left = 0;
    }
  }
}

/**
 * By what a file is recognised when a run is resumed: by what the file system says about it and by nothing that is computed
 * from its content. A digest of a small input would let anyone who reads the manifest test guesses at the values.
 */
export interface FileIdentity {
  readonly path: string;
  readonly bytes: number;
  /** Number of the file in its file system (inode): a file that was put in its place has another. */
  readonly file: string;
  /** Time of the last change of the content, in milliseconds. */
  readonly changed: number;
  /** Time of the last change of anything about the file; no program can set it, so it shows a `changed` that was set back. */
  readonly touched: number;
}

/** @throws TrefoilError `io_failed`. */
export async function identityOf(path: string): Promise<FileIdentity> {
  try {
    const { size, ino, mtimeMs, ctimeMs } = await stat(path);
    return { path, bytes: size, file: String(ino), changed: mtimeMs, touched: ctimeMs };
  } catch (error) {
    throw systemError(error, 'cannot be read', path);
  }
}
