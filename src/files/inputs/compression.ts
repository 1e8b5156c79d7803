/// <reference types="node" />
/**
 * Compressed files: reads and writes gzip (RFC 1952) and Zstandard (RFC 8878).
 *
 * Each chunk of records is written as one gzip member or one Zstandard frame; both formats allow several in a file. So
 * a worker can compress its own chunk, and a resumed run continues after a complete member or frame.
 */

import { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { fail } from '../../errors.ts';
import { errorCode } from '../system-error.ts';
import { alongFrames, type FrameFault } from './zstd-frames.ts';

/** The compression of a file. */
export type Compression = 'none' | 'gzip' | 'zstd';

/** The names of {@link Compression}. */
export const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'zstd'];

const EXTENSIONS: Readonly<Record<string, Compression>> = { gz: 'gzip', gzip: 'gzip', zst: 'zstd', zstd: 'zstd' };

/** Node's zlib has Zstandard since 22.15; our types are those of Node 20. */
interface Zstd {
  readonly createZstdDecompress?: () => NodeJS.ReadWriteStream & { readonly bytesWritten: number };
  readonly zstdCompressSync?: (bytes: Uint8Array, options: object) => Uint8Array;
  readonly constants: { readonly ZSTD_c_checksumFlag: number };
}

const zstd = zlib as unknown as Zstd;

const FAULTS: Readonly<Record<FrameFault, string>> = {
  behind: 'there are bytes after its end',
  broken: 'its bytes are damaged',
  cut: 'it ends too early',
};

/** The compression that a file's name shows, and the name without that extension. */
export function compressionOfName(path: string): { readonly compression: Compression; readonly bare: string } {
  const match = /\.([a-z]+)$/i.exec(path);
  const compression = EXTENSIONS[match?.[1]?.toLowerCase() ?? ''];
  if (compression === undefined) return { compression: 'none', bare: path };
  return { compression, bare: path.slice(0, -match![0].length) };
}

/**
 * Refuses a compression that this version of Node does not have, before anything is read.
 *
 * @throws TrefoilError `bad_compression`.
 */
export function checkCompression(compression: Compression, file: string): void {
  if (compression === 'zstd' && zstd.zstdCompressSync === undefined) {
    fail('bad_compression', 'Zstandard needs Node 22.15 or later; use gzip, or unpack it with zstd -d first', { file });
  }
}

/** Makes a function that compresses one chunk. The bytes depend on the chunk and the version of zlib alone. */
export function packer(compression: Compression): (bytes: Uint8Array) => Uint8Array {
  if (compression === 'gzip') return (bytes) => zlib.gzipSync(bytes);
  if (compression === 'zstd') {
    const { zstdCompressSync, constants } = zstd;
    // With a checksum, as the command-line tool zstd writes it; gzip always has one.
    const options = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
    return (bytes) => zstdCompressSync!(bytes, options);
  }
  return (bytes) => bytes;
}

/**
 * The uncompressed bytes of a source. Bytes after the last member or frame are an error, and so is an end inside one,
 * because a file that was cut must not look complete.
 *
 * @throws TrefoilError while iterating: `bad_compression`.
 */
export async function* unpack(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  file: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (compression === 'none') return yield* source;
  const refuse = (fault: FrameFault): never =>
    fail('bad_compression', `cannot be decompressed: ${FAULTS[fault]} (${compression})`, { file });
  let taken = 0;
  const packed = compression === 'zstd' ? alongFrames(source, refuse) : source;
  // In object mode the chunks stay as they are cut.
  const raw = Readable.from(counted(packed, (bytes) => (taken += bytes)));
  const unpacked = compression === 'gzip' ? zlib.createGunzip() : zstd.createZstdDecompress!();
  raw.on('error', (error) => (unpacked as unknown as Readable).destroy(error));
  raw.pipe(unpacked);
  try {
    for await (const chunk of unpacked as AsyncIterable<Uint8Array>) yield chunk;
  } catch (error) {
    const code = errorCode(error);
    if (code === null || !/^(Z_|ZSTD_|ERR_ZLIB)/.test(code)) throw error;
    // A file of skippable frames only is complete and has no text.
    if (compression === 'zstd' && taken === 0) return;
    refuse(code === 'Z_BUF_ERROR' ? 'cut' : 'broken');
  } finally {
    raw.destroy();
  }
  if (unpacked.bytesWritten !== taken) refuse('behind');
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    count(chunk.length);
    yield chunk;
  }
}

/** The compression that the first bytes of a file show, whatever its name is. */
export function compressionOfBytes(first: Uint8Array): Compression {
  if (first[0] === 0x1f && first[1] === 0x8b) return 'gzip';
  const [a = 0, b, c, d] = first;
  const isFrame = a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd;
  // RFC 8878, section 3.1.2: some programs begin a file with a skippable frame.
  const isSkippable = a >> 4 === 5 && b === 0x2a && c === 0x4d && d === 0x18;
  return isFrame || isSkippable ? 'zstd' : 'none';
}
