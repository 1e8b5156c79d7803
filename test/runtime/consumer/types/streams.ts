/**
 * The record streams and the logs, which need the types of the web: the DOM library or @types/node.
 */
import { keep, keyset, policy, seal } from 'trefoil';
import { protectCsv, protectCsvStream, revealCsv, revealCsvStream } from 'trefoil/csv';
import { cosigner, newNoteKey, openNote, type Signer, signNote, type Verifier, verifierKey } from 'trefoil/log';
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

const key = newNoteKey('anna.example', { algorithm: 'cosignature/v1' });
const verifier: Verifier = verifierKey(key.verifierKey);
const remote: Signer = { ...cosigner(key.privateKey), sign: async (message: Uint8Array) => message };
const opened = async (): Promise<number | null | undefined> =>
  openNote(await signNote('text\n', [remote]), [verifier]).signatures[0]?.time;

export const used: unknown[] = [opened, chunks, stream, protectNdjsonStream, protectFile, revealFile];
