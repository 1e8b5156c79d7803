/**
 * The record streams, which need the types of web streams: the DOM library or @types/node.
 */
import { keep, keyset, policy, seal } from 'trefoil';
import { protectCsv, protectCsvStream, revealCsv, revealCsvStream } from 'trefoil/csv';
import { protectNdjson, protectNdjsonStream, revealNdjson } from 'trefoil/ndjson';
import { protectFile, revealFile } from 'trefoil/node';
import { revealAccess } from 'trefoil/reveal';

const keys = keyset.generate().domain('eu');
const sheet = policy({ name: seal({ scope: 'name' }), country: keep });
const bound = sheet.bind(keys);
const revealing = sheet.bind(keys, revealAccess);

const chunks: AsyncIterable<Uint8Array>[] = [
  protectCsv(['name,country\n'], bound, { delimiter: ';' }),
  revealCsv(['name,country\n'], revealing, { signal: new AbortController().signal }),
  protectNdjson(['{}\n'], bound, { onProgress: () => {} }),
  revealNdjson(['{}\n'], revealing),
];
const stream: TransformStream<Uint8Array, Uint8Array> = protectCsvStream(bound);

// @ts-expect-error revealing needs the capability
revealCsv([''], bound);
// @ts-expect-error revealing needs the capability
revealCsvStream(bound);

export const used: unknown[] = [chunks, stream, protectNdjsonStream, protectFile, revealFile];
