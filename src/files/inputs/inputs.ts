/// <reference types="node" />
/**
 * Inputs: finds the files that paths and patterns name, and reads them, decompressed and as UTF-8. Nothing about a file
 * is guessed: the caller or the file's name says how it is compressed, and the caller, or the byte order mark of
 * UTF-16, which encoding its characters have.
 */

import { fstatSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { concat } from '../../core/bytes.ts';
import { fail } from '../../errors.ts';
import { type Encoding, makeTranscoder, type Transcoder } from '../../io/encoding.ts';
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
 * @param encoding the encoding of its characters. With `utf-8`, UTF-16 is recognised by its byte order mark. With
 * `null`, the bytes stay as they are.
 * @param skip bytes of UTF-8 to skip, for a run that is resumed.
 * @throws TrefoilError `io_failed`, `bad_compression`, `not_in_encoding`.
 */
export async function openBytes(
  path: string,
  compression: Compression,
  encoding: Encoding | null = 'utf-8',
  skip = 0,
): Promise<AsyncGenerator<Uint8Array, void, undefined>> {
  const raw = path === STDIN ? standardInput() : await openInput(path);
  const bytes = unpack(refuseCompressed(raw, compression, path), compression, path);
  if (encoding === null) return after(bytes, skip);
  const transcoder = makeTranscoder(encoding);
  return after(transcoder === null ? marked(bytes, path) : transcode(bytes, transcoder), skip);
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

async function* transcode(
  source: AsyncIterable<Uint8Array>,
  transcoder: Transcoder,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) yield transcoder.push(chunk);
  yield transcoder.end();
}

/** Converts UTF-16 with a byte order mark to UTF-8 without one. All other bytes are returned as they are. */
async function* marked(source: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array, void, undefined> {
  let transcoder: Transcoder | null = null;
  let head: Uint8Array | null = new Uint8Array(0);
  let line = 1;
  const checked = (bytes: Uint8Array): Uint8Array => {
    // The caller has not set the encoding, so it is the file that is wrong and not a record of it.
    const bad = bytes.indexOf(NOT_UTF8);
    for (let at = bytes.indexOf(LF); at !== -1 && (at < bad || bad === -1); at = bytes.indexOf(LF, at + 1)) line++;
    if (bad === -1) return bytes;
    const message = 'the input begins as UTF-16 and has bytes that are not';
    return fail('not_in_encoding', message, { line, file: path });
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
      if (isUtf16(bytes)) transcoder = makeTranscoder('utf-16');
    }
    yield transcoder === null ? bytes : checked(transcoder.push(bytes));
  }
  if (head !== null && head.length > 0) yield head;
  if (transcoder !== null) yield checked(transcoder.end());
}

const LF = 10;
/** A byte that UTF-8 never has. A transcoder writes it for what is not UTF-16. */
const NOT_UTF8 = 0xff;

function isUtf16([a, b]: Uint8Array): boolean {
  return (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff);
}

async function* after(source: AsyncIterable<Uint8Array>, skip: number): AsyncGenerator<Uint8Array, void, undefined> {
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
