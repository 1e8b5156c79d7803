/// <reference types="node" />
/**
 * Inputs: finds the files that paths and patterns name, and reads them, decompressed and as UTF-8. Nothing about a file
 * is guessed: the caller or the file's name says how it is compressed, and UTF-16 must have a byte order mark.
 */

import { fstatSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { concat } from '../../core/bytes.ts';
import { fail } from '../../errors.ts';
import { systemError } from '../system-error.ts';
import { type Compression, compressionOfBytes, compressionOfName, unpack } from './compression.ts';
import { openInput } from './input-file.ts';
import { matchPattern } from './patterns.ts';

/** Standard input as an input. */
export const STDIN = '-';

/**
 * The files that paths and patterns name ({@link matchPattern}). If a file has the name of a pattern, it is that file.
 *
 * @throws TrefoilError `io_failed` if no file matches a pattern, or patterns cannot be read here.
 */
export async function expandInputs(inputs: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const input of inputs) {
    const files = input === STDIN || (await exists(input)) ? null : await matchPattern(input);
    if (files?.length === 0) fail('io_failed', 'no file matches the pattern', { file: input });
    found.push(...(files ?? [input]));
  }
  return found;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The compression of an input: the option, or what its name shows. */
export function inputCompression(path: string, option: Compression | undefined): Compression {
  return option ?? (path === STDIN ? 'none' : compressionOfName(path).compression);
}

/**
 * Opens an input and returns its bytes, decompressed and as UTF-8, from an offset on.
 *
 * @param skip bytes of the decompressed input to skip, for a run that is resumed.
 * @throws TrefoilError `io_failed`, `bad_compression`, `not_utf8`.
 */
export async function openBytes(
  path: string,
  compression: Compression,
  skip = 0,
): Promise<AsyncGenerator<Uint8Array, void, undefined>> {
  const raw = path === STDIN ? standardInput() : await openInput(path);
  return after(toUtf8(unpack(refuseCompressed(raw, compression, path), compression, path), path), skip);
}

async function* standardInput(): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    // Node reads a directory as an empty stream.
    if (fstatSync(0).isDirectory()) fail('io_failed', 'cannot be read: it is a directory', { file: 'standard input' });
    for await (const chunk of process.stdin) yield chunk as Uint8Array;
  } catch (error) {
    throw systemError(error, 'cannot be read', 'standard input');
  }
}

/** Refuses compressed bytes if none are expected, because the error of the parser would not help. */
async function* refuseCompressed(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  path: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let first = true;
  for await (const chunk of source) {
    const seen = first && compression === 'none' ? compressionOfBytes(chunk) : 'none';
    if (seen !== 'none') {
      const message = `the input is compressed with ${seen}; set --input-compression ${seen}, or rename the file`;
      fail('bad_compression', message, { file: path === STDIN ? 'standard input' : path });
    }
    first = false;
    yield chunk;
  }
}

/** Converts UTF-16 with a byte order mark to UTF-8 without one. All other bytes are returned as they are. */
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
      bytes = head.length === 0 ? chunk : concat([head, chunk]);
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
 * How a file is recognised when a run is resumed. It is what the file system says about the file, and nothing computed
 * from its content: anyone who reads the manifest could test guesses at the values with a digest of a small input.
 */
export interface FileIdentity {
  readonly path: string;
  readonly bytes: number;
  /** Inode number, which changes if another file takes the place of this one. */
  readonly file: string;
  /** Time of the last change of the content, in milliseconds. */
  readonly changed: number;
  /**
   * Time of the last change of anything about the file. No program can set it, so it shows if `changed` was set back.
   */
  readonly touched: number;
}

/**
 * Returns the identity of a file.
 *
 * @throws TrefoilError `io_failed`.
 */
export async function identityOf(path: string): Promise<FileIdentity> {
  try {
    const { size, ino, mtimeMs, ctimeMs } = await stat(path);
    return { path, bytes: size, file: String(ino), changed: mtimeMs, touched: ctimeMs };
  } catch (error) {
    throw systemError(error, 'cannot be read', path);
  }
}
