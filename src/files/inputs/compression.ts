/// <reference types="node" />
/**
 * Compressed files: gzip (RFC 1952) and Zstandard (RFC 8878), in and out.
 *
 * What is written is one gzip member or Zstandard frame a chunk of records, one after the other, as both formats allow:
 * chunks are compressed where they are made, and a run that is resumed goes on behind a whole one.
 */

import { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { fail } from '../../errors.ts';
import { alongFrames, type FrameFault } from './zstd-frames.ts';

/** How the bytes of a file are packed. */
export type Compression = 'none' | 'gzip' | 'zstd';

/** The names of {@link Compression}. */
export const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'zstd'];

const EXTENSIONS: Readonly<Record<string, Compression>> = { gz: 'gzip', gzip: 'gzip', zst: 'zstd', zstd: 'zstd' };

/** Zstandard came to Node's zlib with 22.15; our types are those of Node 20. */
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

/** The compression that a file's name tells, and the name without it. */
export function compressionOfName(path: string): { readonly compression: Compression; readonly bare: string } {
  const match = /\.([a-z]+)$/i.exec(path);
  const compression = EXTENSIONS[match?.[1]?.toLowerCase() ?? ''];
  if (compression === undefined) return { compression: 'none', bare: path };
  return { compression, bare: path.slice(0, -match![0].length) };
}

/**
 * Refuses what this Node cannot do, before anything is read.
 *
 * @throws TrefoilError `bad_compression`.
 */
export function checkCompression(compression: Compression, file: string): void {
  if (compression === 'zstd' && zstd.zstdCompressSync === undefined) {
    fail('bad_compression', 'Zstandard needs Node 22.15 or later; use gzip, or unpack it with zstd -d first', { file });
  }
}

/** Packs one chunk. The bytes depend on chunk and zlib alone. */
export function packer(compression: Compression): (bytes: Uint8Array) => Uint8Array {
  if (compression === 'gzip') return (bytes) => zlib.gzipSync(bytes);
  if (compression === 'zstd') {
    const { zstdCompressSync, constants } = zstd;
    // With the checksum that the command-line tool writes, too: gzip has one anyway.
    const options = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
    return (bytes) => zstdCompressSync!(bytes, options);
  }
  return (bytes) => bytes;
}

/**
 * The unpacked bytes of a source. Anything behind the last member or frame, and an end before it, are errors: a file
 * that was cut must not look whole.
 *
 * @throws TrefoilError while iterating: `bad_compression`.
 */
export async function* unpack(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  file: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (compression === 'none') return yield* source;
  const refuse = (what: FrameFault): never =>
    fail('bad_compression', `cannot be unpacked: ${FAULTS[what]} (${compression})`, { file });
  let taken = 0;
  const packed = compression === 'zstd' ? alongFrames(source, refuse) : source;
  // Object mode keeps the chunks as they are cut.
  const raw = Readable.from(counted(packed, (bytes) => (taken += bytes)));
  const unpacked = compression === 'gzip' ? zlib.createGunzip() : zstd.createZstdDecompress!();
  raw.on('error', (error) => (unpacked as unknown as Readable).destroy(error));
  raw.pipe(unpacked);
  try {
    for await (const chunk of unpacked as AsyncIterable<Uint8Array>) yield chunk;
  } catch (error) {
    const code = (error as { readonly code?: unknown }).code;
    if (typeof code !== 'string' || !/^(Z_|ZSTD_|ERR_ZLIB)/.test(code)) throw error;
    // Skippable frames alone are a whole file without a text.
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

/** The compression that the first bytes of a file show, whatever its name. */
export function compressionOfBytes(first: Uint8Array): Compression {
  if (first[0] === 0x1f && first[1] === 0x8b) return 'gzip';
  const [a = 0, b, c, d] = first;
  const isFrame = a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd;
  // RFC 8878, section 3.1.2: a skippable frame, with which others begin a file.
  const isSkippable = a >> 4 === 5 && b === 0x2a && c === 0x4d && d === 0x18;
  return isFrame || isSkippable ? 'zstd' : 'none';
}
